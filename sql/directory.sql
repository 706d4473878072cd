-- Addresses that are unique across shards: the directory reserves, a shard links by the reservation, the
-- directory confirms. Here one database is both in turn; test/t/shards.pl has several.
\i test/fresh.sql
SET companion.clock = '2026-03-02 09:00+00';
-- Of shard 1 of 3 all of them, but for Sita, who is of shard 2.
\set maya '00000000-0000-0000-0000-000000000004'
\set diego '00000000-0000-0000-0000-000000000007'
\set noor '00000000-0000-0000-0000-000000000010'
\set sita '00000000-0000-0000-0000-000000000002'
SELECT companion.shard_of(id, 3) AS shard FROM unnest(ARRAY[:'maya', :'diego', :'noor', :'sita']::uuid[]) AS id;
INSERT INTO companion.users (id, display_name) VALUES (:'maya', 'Maya'), (:'diego', 'Diego');
CREATE FUNCTION pg_temp.be_shard() RETURNS void LANGUAGE sql AS $$
    DELETE FROM companion.shard; INSERT INTO companion.shard (number, shards) VALUES (1, 3) $$;
CREATE FUNCTION pg_temp.be_directory() RETURNS void LANGUAGE sql AS $$
    DELETE FROM companion.shard; INSERT INTO companion.shard (number, shards) VALUES (NULL, 3) $$;
CREATE TEMP VIEW entries AS
SELECT channel, address, bot, user_id, expires_at, confirmed_at FROM companion.directory ORDER BY 1, 2, 3;
CREATE TEMP VIEW linked AS
SELECT user_id, channel, bot, address FROM companion.addresses WHERE unlinked_at IS NULL ORDER BY 1, 2, 3, 4;
CREATE TEMP VIEW changes AS
SELECT user_id, channel, address, bot, is_wanted FROM companion.directory_changes ORDER BY since, id;

-- Neither means anything where nothing is set, and nothing is asked of anybody.
SELECT call, pg_temp.error_of('SELECT companion.' || call) AS outcome
FROM unnest(ARRAY['directory_reserve(''00000000-0000-0000-0000-000000000004'', ''telegram'', ''1'')',
                  'directory_lookup(''telegram'', ''1'')', 'directory_confirm(companion.uuid_v7(), ''telegram'', ''1'', '''', 1)',
                  'directory_release(''telegram'', ''1'', '''', 1)',
                  'take_reservation(companion.uuid_v7(), ''telegram'', ''1'', '''', 1, now())',
                  'settle_reservation(companion.uuid_v7(), ''telegram'', ''1'', '''', 1, now())',
                  'link_wanted_address(companion.uuid_v7(), companion.uuid_v7(), 1, now())']) AS call;
SELECT companion.link_address(:'maya', 'push', 'device') AS as_ever, companion.unlink_address(:'maya', 'push', 'device');
SELECT count(*) FROM companion.directory_changes;
SELECT pg_temp.be_directory();
SELECT pg_temp.error_of('SELECT companion.take_reservation(companion.uuid_v7(), ''telegram'', ''1'', '''', 1, now())') AS a_directory_links_nothing;

-- The directory: reserved for one it is taken for others, confirmed or not, in whichever form.
SELECT outcome, owner = :'maya' AS is_hers, expires_at FROM companion.directory_reserve(:'maya', 'telegram', '0111');
SELECT outcome, owner, reservation, expires_at FROM companion.directory_reserve(:'sita', 'telegram', '111');
SELECT outcome, owner FROM companion.directory_reserve(:'sita', 'telegram', '111', 'second_bot');
SELECT outcome FROM companion.directory_reserve(:'maya', 'telegram', '111', 'second_bot');
SELECT outcome, owner FROM companion.directory_reserve(:'maya', 'whatsapp', '+5531987654321');
SELECT outcome, owner FROM companion.directory_reserve(:'sita', 'whatsapp', '553187654321');
SELECT * FROM entries;
-- Of one bot, another's address on another bot is its own, too; but not of none before it.
SELECT outcome, owner = :'sita' AS is_hers FROM companion.directory_reserve(:'sita', 'telegram', '222', 'first_bot');
SELECT outcome, owner FROM companion.directory_reserve(:'maya', 'telegram', '222', 'second_bot');
SELECT outcome, owner FROM companion.directory_reserve(:'maya', 'telegram', '222');
SELECT outcome, owner FROM companion.directory_reserve(:'maya', 'telegram', '222', 'first_bot');
-- Its numbers ascend, also where the clock does not.
SELECT reservation AS first FROM companion.directory_reserve(:'maya', 'telegram', '333') \gset
UPDATE companion.directory SET reservation = 9000000000000000000 WHERE address = '333';
SELECT reservation, expires_at FROM companion.directory_reserve(:'maya', 'telegram', '333');
-- Confirmed by its number only, by the same shard's users; again is the same.
SELECT reservation AS r FROM companion.directory_reserve(:'maya', 'telegram', '444') \gset
SELECT companion.directory_confirm(:'maya', 'telegram', '444', '', :r - 1) AS another,
       companion.directory_confirm(:'sita', 'telegram', '444', '', :r) AS anothers,
       companion.directory_confirm(:'maya', 'telegram', '555', '', :r) AS unknown,
       companion.directory_confirm(:'maya', 'telegram', '444', '', :r) AS confirmed,
       companion.directory_confirm(:'maya', 'telegram', '444', '', :r) AS again;
SELECT outcome, owner FROM companion.directory_reserve(:'sita', 'telegram', '444');
-- Found for the bot, else for none; with NULL for whichever.
SELECT l.* FROM (VALUES ('111', 'second_bot'), ('111', 'third_bot'), ('111', ''), ('222', ''), ('222', NULL), ('111', NULL), ('999', '')) AS v (address, bot),
    LATERAL (SELECT v.address, v.bot, f.user_id, f.shard, f.found_bot, f.is_confirmed FROM companion.directory_lookup('telegram', v.address, v.bot) AS f) AS l;
SELECT user_id, shard FROM companion.directory_lookup('whatsapp', '553187654321');
-- Freed by its number only; expired it is not free by itself.
SELECT companion.directory_release('telegram', '444', '', :r - 1) AS another, companion.directory_release('telegram', '444', '', :r) AS released,
       companion.directory_release('telegram', '444', '', :r) AS again;
SET companion.clock = '2026-03-02 10:00+00';
SELECT outcome, owner FROM companion.directory_reserve(:'sita', 'telegram', '111');
SELECT outcome, expires_at FROM companion.directory_reserve(:'maya', 'telegram', '111');
SELECT channel, address, bot FROM companion.directory WHERE confirmed_at IS NULL AND expires_at < companion.now() ORDER BY 1, 2, 3;
-- Bad input.
SELECT call, pg_temp.error_of('SELECT companion.' || call) AS outcome
FROM unnest(ARRAY['directory_reserve(NULL, ''telegram'', ''1'')', 'directory_reserve(companion.uuid_v7(), ''telegram'', ''me'')',
                  'directory_reserve(companion.uuid_v7(), ''carrier_pigeon'', ''1'')', 'directory_reserve(companion.uuid_v7(), ''web'', ''1'')',
                  'directory_reserve(companion.uuid_v7(), ''telegram'', ''1'', NULL)', 'directory_lookup(''telegram'', NULL)',
                  'directory_reserve(companion.uuid_v7(), ''telegram'', ''1'', repeat(''b'', 65))',
                  'directory_confirm(companion.uuid_v7(), ''telegram'', ''1'', '''', NULL)', 'directory_release(''telegram'', ''1'', NULL, 1)']) AS call;

-- The shard: without a reservation nothing is linked, by whatever way.
SELECT pg_temp.be_shard();
SET companion.clock = '2026-03-02 09:00+00';
SELECT companion.link_address(:'maya', 'telegram', '111');
SELECT pg_temp.error_of(format('SELECT companion.put_user(NULL, %L)', '{"telegram_user_id": 111}')) AS "put_user";
SELECT companion.create_telegram_link_token(:'maya') AS token \gset
SELECT pg_temp.error_of(format('SELECT companion.redeem_telegram_link_token(%L, 111)', :'token')) AS redeem;
SELECT * FROM linked;
-- With one for this user it is, once.
SELECT companion.take_reservation(:'maya', 'telegram', '111', '', 10, '2026-03-02 09:01+00');
SELECT companion.link_address(:'diego', 'telegram', '111');
SELECT companion.link_address(:'maya', 'telegram', '111', 'a_bot');
SELECT companion.link_address(:'maya', 'telegram', '111');
SELECT count(*) AS used_up FROM companion.address_reservations;
-- What the user has needs none; what another here has is taken, as ever.
SELECT companion.disable_address(:'maya', 'telegram', '111'), companion.link_address(:'maya', 'telegram', '111'),
       companion.link_address(:'diego', 'telegram', '111');
-- Unlinked, the directory is to hear of it, and linked again it needs another one.
SELECT companion.unlink_address(:'maya', 'telegram', '111');
SELECT * FROM changes;
SELECT pg_temp.error_of(format('SELECT companion.link_address(%L, %L, %L)', :'maya', 'telegram', '111')) AS again;

-- Settled, a reservation says for good whether anything is linked by it; so do those before it.
SELECT * FROM companion.settle_reservation(:'maya', 'telegram', '111', '', 12, '2026-03-02 09:01+00');
SELECT pg_temp.error_of(format('SELECT companion.take_reservation(%L, %L, %L, %L, %s, %L)', user_id, 'telegram', '111', '', number, '2026-03-02 09:01+00')) AS outcome
FROM (VALUES (:'maya', 12), (:'maya', 11), (:'diego', 12)) AS v (user_id, number);
SELECT companion.take_reservation(:'maya', 'telegram', '111', '', 13, '2026-03-02 09:01+00');
SELECT * FROM companion.settle_reservation(:'maya', 'telegram', '111', '', 12, '2026-03-02 09:01+00');
SELECT companion.link_address(:'maya', 'telegram', '111');
SELECT * FROM companion.settle_reservation(:'maya', 'telegram', '111', '', 13, '2026-03-02 09:01+00');
-- One that was taken, too.
SELECT companion.take_reservation(:'maya', 'push', 'device', '', 1, '2026-03-02 09:01+00');
SELECT * FROM companion.settle_reservation(:'maya', 'push', 'device', '', 1, '2026-03-02 09:01+00');
SELECT companion.link_address(:'maya', 'push', 'device');
-- An old one is not taken, and forgotten by maintenance.
SELECT companion.take_reservation(:'maya', 'push', 'other device', '', 1, '2026-03-02 09:00+00');
SELECT address, is_void FROM companion.address_reservations ORDER BY 1;
SET companion.clock = '2026-03-02 09:01:01+00';
SELECT * FROM companion.run_maintenance() WHERE task = 'reservations';
SELECT count(*) FROM companion.address_reservations;
SET companion.clock = '2026-03-02 09:00+00';

-- Redeeming: the shard says whose token it is, before.
SELECT user_id, for_bot FROM companion.link_token_owner(:'token');
SELECT user_id, for_bot FROM companion.link_token_owner(:'token', 'a_bot');
SELECT user_id, for_bot FROM companion.link_token_owner('no token');
SELECT companion.take_reservation(:'maya', 'telegram', '112', '', 1, '2026-03-02 09:01+00');
SELECT * FROM companion.redeem_telegram_link_token(:'token', 112);
SELECT * FROM companion.redeem_telegram_link_token(:'token', 112);
SELECT user_id FROM companion.link_token_owner(:'token');

-- A new user by their account has the id for which it is reserved.
SELECT companion.take_reservation(:'noor', 'telegram', '113', '', 1, '2026-03-02 09:01+00');
SELECT id, telegram_user_id FROM companion.put_user(NULL, '{"telegram_user_id": 113, "display_name": "Noor"}');
SELECT id FROM companion.put_user(NULL, '{"telegram_user_id": 113}');
-- One that is nobody's is not given to somebody who is there, or was erased.
SELECT companion.take_reservation(:'noor', 'telegram', '114', '', 1, '2026-03-02 09:01+00');
SELECT pg_temp.error_of(format('SELECT companion.put_user(NULL, %L)', '{"telegram_user_id": 114}')) AS known;
BEGIN;
SELECT companion.erase_user(:'noor');
SELECT pg_temp.error_of(format('SELECT companion.put_user(NULL, %L)', '{"telegram_user_id": 114}')) AS erased;
ROLLBACK;
SELECT * FROM companion.settle_reservation(:'noor', 'telegram', '114', '', 1, '2026-03-02 09:01+00');
SELECT * FROM linked;

-- A column's address that is not reserved waits, and fails nothing.
DELETE FROM companion.directory_changes;
UPDATE companion.users SET email = 'Maya@example.org', whatsapp_number = '+4915112345678' WHERE id = :'maya';
UPDATE companion.users SET email = 'diego@example.org' WHERE id = :'diego';
UPDATE companion.users SET email = NULL WHERE id = :'diego';
SELECT * FROM changes;
SELECT id AS wants FROM companion.directory_changes WHERE channel = 'email' \gset
SELECT companion.link_wanted_address(:'maya', :'wants', 1, '2026-03-02 09:01+00');
SELECT companion.link_wanted_address(:'maya', :'wants', 2, '2026-03-02 09:01+00');
SELECT id AS wants FROM companion.directory_changes WHERE channel = 'whatsapp' \gset
SELECT companion.directory_change_done(:'maya', :'wants'), companion.directory_change_done(:'maya', :'wants') AS again;
SELECT * FROM changes;
SELECT channel, address, unlinked_at FROM companion.addresses WHERE user_id = :'maya' AND channel IN ('email', 'whatsapp') ORDER BY 1;
-- A column's that is reserved is linked.
SELECT companion.take_reservation(:'diego', 'email', 'diego@example.org', '', 1, '2026-03-02 09:01+00');
UPDATE companion.users SET email = 'diego@example.org' WHERE id = :'diego';
SELECT * FROM linked WHERE channel = 'email';
SELECT * FROM changes;
-- One whose address another here has is told so, as ever.
UPDATE companion.users SET email = 'maya@example.org' WHERE id = :'diego';
SELECT * FROM changes;

-- A bot is learned by a reservation only: another's may it be on another shard.
SELECT is_new FROM companion.record_incoming('telegram', '113', 'hello', 1, bot => 'a_bot');
SELECT bot FROM companion.addresses WHERE user_id = :'noor' AND unlinked_at IS NULL;
SELECT companion.take_reservation(:'noor', 'telegram', '113', 'a_bot', 1, '2026-03-02 09:01+00');
SELECT is_new FROM companion.record_incoming('telegram', '113', 'hello', 2, bot => 'a_bot');
SELECT bot FROM companion.addresses WHERE user_id = :'noor' AND unlinked_at IS NULL;
SELECT bot, address FROM companion.messages WHERE user_id = :'noor' ORDER BY id;

-- An erased user's addresses are the directory's to free; another id of theirs keeps them.
DELETE FROM companion.directory_changes;
SELECT companion.erase_user(:'noor') ->> 'addresses' AS erased;
SELECT * FROM changes;
SELECT * FROM companion.settle_reservation(:'noor', 'telegram', '113', 'a_bot', 1, '2026-03-02 09:01+00');
CREATE SCHEMA auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY, email text);
INSERT INTO auth.users VALUES (:'maya', 'maya@example.org');
SELECT companion.follow_auth_users();
DELETE FROM companion.directory_changes;
UPDATE companion.users SET whatsapp_number = '+4915112345670' WHERE id = :'maya';
UPDATE auth.users SET id = '00000000-0000-0000-0000-000000000011';
SELECT * FROM changes;
SELECT * FROM companion.settle_reservation(:'maya', 'telegram', '112', '', 1, '2026-03-02 09:01+00');
DROP SCHEMA auth CASCADE;

-- An operator's trigger may not keep what is written here from being so, nor change what it is found by.
CREATE FUNCTION pg_temp.suppress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION pg_temp.meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.channel := 'email'; RETURN NEW; END $$;
CREATE FUNCTION pg_temp.with_trigger(relation regclass, does regproc, event text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    EXECUTE format('CREATE TRIGGER operators BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION %s()', event, relation, does);
    outcome := pg_temp.error_of(statement);
    EXECUTE format('DROP TRIGGER operators ON %s', relation);
    RETURN outcome;
END
$$;
\set maya '00000000-0000-0000-0000-000000000011'
SELECT companion.take_reservation(:'maya', 'push', 'device', '', 20, '2026-03-02 09:01+00');
SELECT does, event, pg_temp.with_trigger('companion.address_reservations', ('pg_temp.' || does)::regproc, event,
    format('SELECT * FROM companion.%s(%L, ''push'', ''device'', '''', 21, ''2026-03-02 09:01+00'')', called, :'maya')) AS outcome
FROM (VALUES ('suppress', 'UPDATE', 'take_reservation'), ('meddle', 'UPDATE', 'take_reservation'),
             ('suppress', 'UPDATE', 'settle_reservation'), ('meddle', 'UPDATE', 'settle_reservation')) AS v (does, event, called);
SELECT pg_temp.with_trigger('companion.address_reservations', 'pg_temp.suppress', 'DELETE',
    format('SELECT companion.link_address(%L, ''push'', ''device'')', :'maya')) AS reservation_kept;
SELECT companion.link_address(:'maya', 'push', 'device');
SELECT pg_temp.with_trigger('companion.directory_changes', 'pg_temp.suppress', 'INSERT',
    format('SELECT companion.unlink_address(%L, ''push'', ''device'')', :'maya')) AS change_suppressed;
UPDATE companion.users SET whatsapp_number = '+4915112345679' WHERE id = :'maya';
SELECT id AS wants FROM companion.directory_changes WHERE is_wanted \gset
SELECT pg_temp.with_trigger('companion.directory_changes', 'pg_temp.suppress', 'DELETE',
    format('SELECT companion.link_wanted_address(%L, %L, 1, ''2026-03-02 09:01+00'')', :'maya', :'wants')) AS change_kept;
SELECT pg_temp.be_directory();
SELECT does, event, pg_temp.with_trigger('companion.directory', ('pg_temp.' || does)::regproc, event, statement) AS outcome
FROM (VALUES ('suppress', 'INSERT', 'SELECT companion.directory_reserve(''00000000-0000-0000-0000-000000000004'', ''push'', ''new'')'),
             ('meddle', 'INSERT', 'SELECT companion.directory_reserve(''00000000-0000-0000-0000-000000000004'', ''push'', ''new'')'),
             ('suppress', 'UPDATE', 'SELECT companion.directory_confirm(user_id, channel, address, bot, reservation) FROM companion.directory WHERE bot = ''second_bot'''),
             ('suppress', 'DELETE', 'SELECT companion.directory_release(channel, address, bot, reservation) FROM companion.directory WHERE bot = ''second_bot''')) AS v (does, event, statement);
SELECT pg_temp.be_shard();

-- Bad input.
SELECT call, pg_temp.error_of('SELECT companion.' || call) AS outcome
FROM unnest(ARRAY['take_reservation(''00000000-0000-0000-0000-000000000002'', ''telegram'', ''1'', '''', 1, now())',
                  'settle_reservation(''00000000-0000-0000-0000-000000000002'', ''telegram'', ''1'', '''', 1, now())',
                  'take_reservation(NULL, ''telegram'', ''1'', '''', 1, now())', 'take_reservation(''00000000-0000-0000-0000-000000000004'', ''web'', ''1'', '''', 1, now())',
                  'take_reservation(''00000000-0000-0000-0000-000000000004'', ''telegram'', ''1'', NULL, 1, now())',
                  'take_reservation(''00000000-0000-0000-0000-000000000004'', ''telegram'', ''1'', '''', NULL, now())',
                  'take_reservation(''00000000-0000-0000-0000-000000000004'', ''telegram'', ''1'', '''', 1, ''infinity'')',
                  'take_reservation(''00000000-0000-0000-0000-000000000004'', ''telegram'', ''1'', '''', 1, NULL)',
                  'link_wanted_address(''00000000-0000-0000-0000-000000000004'', companion.uuid_v7(), 1, now())',
                  'directory_change_done(NULL, companion.uuid_v7())', 'expire_reservations(0)', 'link_token_owner(NULL)',
                  'directory_lookup(''telegram'', ''1'')']) AS call;
-- None of it is an end user's.
SET ROLE companion_user;
SELECT * FROM companion.directory;
SELECT * FROM companion.address_reservations;
SELECT * FROM companion.directory_changes;
SELECT companion.take_reservation(:'maya', 'telegram', '1', '', 1, now());
RESET ROLE;

-- Of one shard in all, nothing is to be asked.
DELETE FROM companion.shard;
SELECT companion.set_shard(0, 1);
SELECT companion.link_address(:'diego', 'push', 'device');
SELECT pg_temp.error_of('SELECT companion.take_reservation(companion.uuid_v7(), ''telegram'', ''1'', '''', 1, now())') AS outcome;

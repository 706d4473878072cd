
-- Sharding: which of many databases a user is in.
CREATE FUNCTION companion.shard_of(user_id uuid, shards integer) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_shard_of';
COMMENT ON FUNCTION companion.shard_of(uuid, integer) IS
'Which of so many shards, 0 to shards - 1, a user belongs to: from the bits of their id alone, the same in every version; docs/scaling.md has it in other languages. Error 22023 for shards outside 1 to 4096.';

CREATE TABLE companion.shard (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    number integer CHECK (number >= 0 AND number < shards),
    shards integer NOT NULL CHECK (shards BETWEEN 1 AND 4096),
    since timestamptz NOT NULL DEFAULT companion.now()
);
COMMENT ON TABLE companion.shard IS
'What this database is among those that the users are spread over: one row, made by set_shard() or set_directory(). None where it stands for itself.';
COMMENT ON COLUMN companion.shard.only_row IS 'Always true.';
COMMENT ON COLUMN companion.shard.number IS 'Which shard it is, from 0; NULL: the directory.';
COMMENT ON COLUMN companion.shard.shards IS 'How many shards there are.';
COMMENT ON COLUMN companion.shard.since IS 'When it was set.';
CREATE TRIGGER reload_shard AFTER INSERT OR UPDATE OR DELETE ON companion.shard
FOR EACH ROW EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_shard ON companion.shard IS 'Every session reads it anew.';
CREATE TRIGGER reload_no_shard AFTER TRUNCATE ON companion.shard
FOR EACH STATEMENT EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_no_shard ON companion.shard IS 'Every session reads it anew.';
ALTER TABLE companion.shard ENABLE ALWAYS TRIGGER reload_shard;
ALTER TABLE companion.shard ENABLE ALWAYS TRIGGER reload_no_shard;
ALTER TABLE companion.shard ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.shard FOR SELECT
TO companion_worker, companion_admin, companion_monitor USING (true);
COMMENT ON POLICY read ON companion.shard IS 'Workers, admins and who watches see which shard it is.';
CREATE POLICY every_row ON companion.shard TO companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.shard IS 'The functions set it.';
SELECT pg_catalog.pg_extension_config_dump('companion.shard', '');

CREATE FUNCTION companion.set_shard(number integer, shards integer) RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_set_shard';
COMMENT ON FUNCTION companion.set_shard(integer, integer) IS
'Makes this database one of so many shards, 0 to shards - 1, for good: from now on only users whose id belongs to it, by shard_of(), are taken, new ids belong to it, and an address is linked with a reservation of the directory only. Returns whether it was not so before. Error 22023 for shards outside 1 to 4096 and a number outside of them, 55000 where it is another shard or the directory already and where there are users of other shards.';

CREATE FUNCTION companion.set_directory(shards integer) RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_set_directory';
COMMENT ON FUNCTION companion.set_directory(integer) IS
'Makes this database the directory of so many shards, which says which user has an address and has no users itself. Returns whether it was not so before. Errors as of set_shard().';

CREATE FUNCTION companion.new_user_id() RETURNS uuid
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_new_user_id';
COMMENT ON FUNCTION companion.new_user_id() IS
'An id for a new user: uuid_v7(), and of a shard, one that belongs to it. Error 55000 on the directory.';

CREATE FUNCTION companion.link_token_shard(token text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN substring(token FROM '^(0|[1-9][0-9]{0,3})-[A-Za-z0-9_-]{43}$')::integer;
COMMENT ON FUNCTION companion.link_token_shard(text) IS
'The shard that a link token names, the number before its first -; NULL for what is no token of a shard. It says nothing of whether the shard knows the token.';

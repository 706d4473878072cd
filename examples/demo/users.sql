-- The demo's users. Most are due at the full minute :minute (seconds since 1970); that minute reads
-- differently on each user's own clock. Dispatch is set back as if it had been down for six hours.

\set ON_ERROR_STOP on
\set QUIET on

CREATE TABLE demo_users (
    display_name    text PRIMARY KEY,
    companion_name  text NOT NULL,
    timezone        text NOT NULL,
    channel         text NOT NULL,
    due             interval NOT NULL,  -- from the full minute
    expected        text NOT NULL       -- on time, late, or why not
);

INSERT INTO demo_users VALUES
    ('Aroha Ngata',         'Kea',   'Pacific/Auckland',    'telegram', '0',        'on time'),
    ('Haruto Sato',         'Sora',  'Asia/Tokyo',          'telegram', '0',        'on time'),
    ('Sita Gurung',         'Maya',  'Asia/Kathmandu',      'web',      '0',        'on time'),
    ('Ananya Iyer',         'Tara',  'Asia/Kolkata',        'whatsapp', '0',        'on time'),
    ('Amina Odhiambo',      'Zuri',  'Africa/Nairobi',      'whatsapp', '0',        'on time'),
    ('Lukas Weber',         'Ada',   'Europe/Berlin',       'telegram', '0',        'on time'),
    ('Leila Haddad',        'Noor',  'Africa/Casablanca',   'whatsapp', '0',        'on time'),
    ('Mary Penney',         'Robin', 'America/St_Johns',    'web',      '0',        'on time'),
    ('Beatriz Almeida',     'Lua',   'America/Sao_Paulo',   'whatsapp', '0',        'on time'),
    ('Maya Cohen',          'Juno',  'America/New_York',    'telegram', '0',        'on time'),
    ('Diego Ramirez',       'Luz',   'America/Mexico_City', 'telegram', '0',        'on time'),
    ('Kiana Kealoha',       'Makani', 'Pacific/Honolulu',   'web',      '0',        'on time'),
    ('Freya Jonsdottir',    'Saga',  'Atlantic/Reykjavik',  'telegram', '-20 min',  'late'),
    ('Tariq Mansour',       'Layla', 'Asia/Dubai',          'whatsapp', '-5 hours', 'too late'),
    ('Elena Petrova',       'Mila',  'Europe/Sofia',        'telegram', '0',        'paused'),
    ('Thomas Baker',        'Pip',   'Europe/London',       'web',      '0',        'opted out'),
    ('Ngozi Okafor',        'Ife',   'Africa/Lagos',        'whatsapp', '0',        'not onboarded'),
    ('Jonas Lindqvist',     'Alva',  'Europe/Stockholm',    'telegram', '0',        'not today'),
    ('Chloe Martin',        'Lou',   'Europe/Paris',        'web',      '3 hours',  'later');

INSERT INTO companion.users (display_name, companion_name, email, timezone, checkin_time,
                             preferred_channel, telegram_user_id, whatsapp_number,
                             onboarding_completed_at)
SELECT display_name, companion_name,
       lower(replace(display_name, ' ', '.')) || '@example.org',
       timezone,
       ((to_timestamp(:minute) + due) AT TIME ZONE timezone)::time,
       channel,
       CASE channel WHEN 'telegram' THEN 700000000 + row_number() OVER () END,
       CASE channel WHEN 'whatsapp' THEN '+1555' || 2000000 + row_number() OVER () END,
       to_timestamp(:minute) - interval '30 days'
  FROM demo_users;

UPDATE companion.users SET checkin_paused_until = to_timestamp(:minute) + interval '3 days'
 WHERE display_name = 'Elena Petrova';
UPDATE companion.users SET checkin_time = NULL
 WHERE display_name = 'Thomas Baker';
UPDATE companion.users SET onboarding_completed_at = NULL
 WHERE display_name = 'Ngozi Okafor';
UPDATE companion.users
   SET checkin_days = array_remove(
           checkin_days, to_char(to_timestamp(:minute) AT TIME ZONE timezone, 'ID')::smallint)
 WHERE display_name = 'Jonas Lindqvist';

SELECT companion.rewind_dispatch(to_timestamp(:minute) - interval '6 hours') \g /dev/null

\pset footer off
SELECT display_name AS "user", timezone AS "time zone", to_char(checkin_time, 'HH24:MI') AS "check-in",
       to_char(now() AT TIME ZONE timezone, 'HH24:MI') AS "there it is", expected
  FROM companion.users JOIN demo_users USING (display_name, timezone)
 ORDER BY now() AT TIME ZONE timezone DESC;

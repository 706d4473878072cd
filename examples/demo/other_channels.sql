-- A worker in a few lines, for the channels that the bot is not for: run once a second. Delivering is a line of output.

\set ON_ERROR_STOP on
\set QUIET on
\pset tuples_only on
\pset format unaligned
\pset fieldsep '  '

CREATE TEMP TABLE claimed AS
SELECT * FROM companion.claim_messages('C', channels => '{whatsapp, web}');

CREATE TEMP TABLE started AS
SELECT *, coalesce(content, 'How are you today, ' || display_name || '?') AS text
  FROM claimed
 WHERE companion.start_send(user_id, message_id, attempt);

SELECT 'C', to_char(companion.now() AT TIME ZONE timezone, 'HH24:MI') || ' ' || rpad(timezone, 19),
       rpad(channel, 8) || ' to ' || rpad(display_name, 16), text
  FROM started
 WHERE companion.mark_sent(user_id, message_id, attempt, text);

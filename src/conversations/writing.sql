
-- Opening conversations, and what is written into them.
CREATE FUNCTION companion.open_conversation(
    user_id uuid, channel text, initiated_by text DEFAULT 'user',
    idle interval DEFAULT '24 hours')
RETURNS uuid
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_open_conversation';
COMMENT ON FUNCTION companion.open_conversation(uuid, text, text, interval) IS
'The open conversation of a user on a channel, if its last message (or, without one, its start) is younger than idle; else that one is ended and a new one begun. Two calls at once get the same. initiated_by, user or companion, counts for a new one. idle: zero to 100 years. For the user''s own, then initiated by user, or workers and admins. Error 22023 for an unknown channel or initiator or another idle, 23503 for an unknown user, 42501 for another''s or as the companion, 09000 where a trigger suppresses a row or changes user_id, id or channel.';

CREATE FUNCTION companion.close_conversation(
    user_id uuid, conversation_id uuid, mood_summary text DEFAULT NULL, topics text[] DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_close_conversation';
COMMENT ON FUNCTION companion.close_conversation(uuid, uuid, text, text[]) IS
'Ends a conversation and says how the user felt and what it was about; NULL leaves that as it stands. Returns whether it was open; one that had ended keeps its end and takes the summary. Error 23503 when the user has no such conversation, 2202E or 22004 for topics that are not a plain list, 22023 for a summary or topics over companion.max_json_size, 09000 where a trigger suppresses the change.';

CREATE FUNCTION companion.add_message(
    user_id uuid, conversation_id uuid, role text, content text,
    telegram_message_id bigint DEFAULT NULL, reply_to_id uuid DEFAULT NULL,
    metadata jsonb DEFAULT NULL, reply_to_telegram_id bigint DEFAULT NULL, bot text DEFAULT '',
    address text DEFAULT NULL, external_id text DEFAULT NULL,
    reply_to_external_id text DEFAULT NULL)
RETURNS uuid
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_add_message';
COMMENT ON FUNCTION companion.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint, text, text, text, text) IS
'Adds a message to a conversation and returns its id. A message may be added to a conversation that has ended: an answer belongs where the question is. telegram_message_id is Telegram''s id of it, external_id that of the messenger of the conversation''s channel; each is one within a chat: that of bot with address, or with NULL the user''s address there that was linked last. A message with the chat, id, role and text of one that is stored, or with a text that it had before an edit, was delivered again: nothing is stored, and the id of the first is returned; with another role or text it is stored, and the id is the newer one''s from then on. What it replies to is named by reply_to_id or by the messenger''s id in the chat, not both; one that is not stored leaves reply_to_id NULL. role user sets users.last_user_message_at, and cancels what is pending for the user with cancel_on_reply. End users add their own, with role user and without a messenger''s id. Error 22023 for an unknown role, for content that is empty or over companion.max_message_length, for two ids or two replies, for metadata that is not an object or over companion.max_json_size, for a Telegram id below 1, for an external id that has not 1 to 512 characters or has control characters, and for an id of another messenger''s than the channel''s; 23503 for a conversation or a message replied to that is not the user''s; 42501 for another''s, another role or a messenger''s id as an end user; 09000 where a trigger suppresses the row or changes user_id, id, conversation_id, telegram_message_id or external_id.';

CREATE FUNCTION companion.edit_message(
    user_id uuid, message_id uuid, content text, telegram_message_id bigint DEFAULT NULL,
    bot text DEFAULT '', address text DEFAULT NULL, external_id text DEFAULT NULL,
    channel text DEFAULT NULL)
RETURNS uuid
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_edit_message';
COMMENT ON FUNCTION companion.edit_message(uuid, uuid, text, bigint, text, text, text, text) IS
'Replaces a message''s text and returns its id. The earlier text and when it was written are added to metadata, in the array edits, of which the oldest are dropped where companion.max_json_size leaves no room for all. The same text again changes nothing. The message is named by its id or, with message_id NULL, by the messenger''s in a chat: telegram_message_id, or external_id with its channel; of several the newest. bot and address say which chat, as for add_message. One that is not stored gives NULL, and the edit is kept for 7 days, to be applied when the message comes. Error 23503 when the user has no such message, 22023 for content that is empty or over companion.max_message_length, unless exactly one id is given, and for ids as add_message; 22004 for external_id without channel; 09000 where a trigger suppresses the change or changes user_id or id.';

CREATE FUNCTION companion.delete_message(
    user_id uuid, message_id uuid, forget_facts boolean DEFAULT false) RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_delete_message';
COMMENT ON FUNCTION companion.delete_message(uuid, uuid, boolean) IS
'Deletes a message; false where the user has none of this id. What replied to it loses its reply_to_id, and what searches have kept of its words goes. forget_facts: what was remembered from this message alone goes, too, with its history. End users delete what they wrote, role user. Error 42501 for another''s, and as an end user for another role; 09000 where a trigger suppresses it.';

CREATE FUNCTION companion.record_incoming(
    channel text, channel_user_id text, content text, telegram_message_id bigint DEFAULT NULL,
    reply_to_telegram_id bigint DEFAULT NULL, metadata jsonb DEFAULT NULL,
    idle interval DEFAULT '24 hours', bot text DEFAULT '', external_id text DEFAULT NULL,
    reply_to_external_id text DEFAULT NULL)
RETURNS TABLE (user_id uuid, conversation_id uuid, message_id uuid, is_new boolean, cancelled integer)
LANGUAGE c ROWS 1
AS 'MODULE_PATHNAME', 'companion_record_incoming';
COMMENT ON FUNCTION companion.record_incoming(text, text, text, bigint, bigint, jsonb, interval, text, text, text) IS
'What a channel''s webhook brings, in one call: finds the user who has this address, opens or continues their conversation there, and adds the message. channel_user_id is the address: Telegram''s user id, the WhatsApp number with or without +, for web the user''s id. bot is the app''s account that was written to; an address that was linked without one has this from then on. addresses.last_incoming_at is set, and an address that was disabled is usable again. A message that is delivered again (see add_message) stores nothing and returns the first, with is_new false; if the address has changed hands within the last 7 days, the one that its former user wrote. What is pending for the user with cancel_on_reply is cancelled, unless it is being sent; cancelled says how many. No row for an address that no user has. Errors as of open_conversation, add_message and link_address; 22P02 for an id that is none, 22003 for one beyond bigint.';

CREATE FUNCTION companion.record_incoming(
    channel text, channel_user_number bigint, content text, telegram_message_id bigint DEFAULT NULL,
    reply_to_telegram_id bigint DEFAULT NULL, metadata jsonb DEFAULT NULL,
    idle interval DEFAULT '24 hours', bot text DEFAULT '', external_id text DEFAULT NULL,
    reply_to_external_id text DEFAULT NULL)
RETURNS TABLE (user_id uuid, conversation_id uuid, message_id uuid, is_new boolean, cancelled integer)
LANGUAGE c ROWS 1
AS 'MODULE_PATHNAME', 'companion_record_incoming_from_number';
COMMENT ON FUNCTION companion.record_incoming(text, bigint, text, bigint, bigint, jsonb, interval, text, text, text) IS
'The same for an address that is a number, as Telegram''s user id is: from clients that say a number''s type.';



-- Conversations and their messages.
CREATE TABLE companion.conversations (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    channel text NOT NULL,
    initiated_by text NOT NULL DEFAULT 'user',
    started_at timestamptz NOT NULL DEFAULT companion.now(),
    ended_at timestamptz,
    mood_summary text,
    topics text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (user_id, id)
) WITH (fillfactor = 85);

-- One open conversation for a user and channel.
CREATE UNIQUE INDEX conversations_open ON companion.conversations (user_id, channel)
WHERE ended_at IS NULL;

COMMENT ON TABLE companion.conversations IS
'One row a conversation. Ids ascend with time, so the primary key read backwards gives a user''s conversations, most recent first.';
COMMENT ON COLUMN companion.conversations.user_id IS 'Whose conversation it is.';
COMMENT ON COLUMN companion.conversations.id IS 'Time-ordered id: a UUID of version 7.';
COMMENT ON COLUMN companion.conversations.channel IS 'A row of channels.';
COMMENT ON COLUMN companion.conversations.initiated_by IS 'Who wrote first: user or companion.';
COMMENT ON COLUMN companion.conversations.started_at IS 'When it began.';
COMMENT ON COLUMN companion.conversations.ended_at IS 'When it ended; NULL while it is open.';
COMMENT ON COLUMN companion.conversations.mood_summary IS 'How the user felt, in the app''s words; up to companion.max_json_size.';
COMMENT ON COLUMN companion.conversations.topics IS 'What it was about; up to companion.max_json_size.';
COMMENT ON INDEX companion.conversations_open IS 'At most one open conversation for a user and channel.';

CREATE FUNCTION companion.check_conversation() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_conversation';
COMMENT ON FUNCTION companion.check_conversation() IS
'Trigger, AFTER INSERT OR UPDATE: id is of version 7, but for what a superuser restores; channel is a row of channels, initiated_by user or companion, ended_at not before started_at; what a grant lets one write into mood_summary and topics has at most companion.max_json_size. Error 23514, with the column''s name.';
CREATE TRIGGER check_conversation AFTER INSERT OR UPDATE ON companion.conversations
FOR EACH ROW EXECUTE FUNCTION companion.check_conversation();
COMMENT ON TRIGGER check_conversation ON companion.conversations IS 'Refuses what a row may not hold.';

CREATE TABLE companion.messages (
    user_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    conversation_id uuid NOT NULL,
    role text NOT NULL,
    content text NOT NULL,
    telegram_message_id bigint,
    reply_to_id uuid,
    edited_at timestamptz,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    external_id text COLLATE "C",
    channel text COLLATE "C",
    bot text COLLATE "C",
    address text COLLATE "C",
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, conversation_id)
        REFERENCES companion.conversations (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, reply_to_id)
        REFERENCES companion.messages (user_id, id) ON DELETE SET NULL (reply_to_id)
);

CREATE INDEX messages_conversation ON companion.messages (user_id, conversation_id, id);
CREATE INDEX messages_telegram ON companion.messages (user_id, telegram_message_id)
WHERE telegram_message_id IS NOT NULL;
CREATE INDEX messages_external ON companion.messages (user_id, external_id)
WHERE external_id IS NOT NULL;
CREATE INDEX messages_edited ON companion.messages (user_id, edited_at)
WHERE edited_at IS NOT NULL;
CREATE INDEX messages_reply ON companion.messages (user_id, reply_to_id)
WHERE reply_to_id IS NOT NULL;

COMMENT ON TABLE companion.messages IS
'One row a message. Ids ascend with time, so the primary key read backwards gives a user''s messages, most recent first.';
COMMENT ON COLUMN companion.messages.user_id IS 'Whose conversation it is in.';
COMMENT ON COLUMN companion.messages.id IS 'Time-ordered id: a UUID of version 7.';
COMMENT ON COLUMN companion.messages.conversation_id IS 'The conversation, one of the same user''s.';
COMMENT ON COLUMN companion.messages.role IS 'Who wrote it: user, assistant or system.';
COMMENT ON COLUMN companion.messages.content IS 'The text.';
COMMENT ON COLUMN companion.messages.telegram_message_id IS 'Telegram''s id of the message, within its chat (channel, bot, address); of several messages with one it is the newest''s.';
COMMENT ON COLUMN companion.messages.reply_to_id IS 'The message that this one answers, one of the same user''s.';
COMMENT ON COLUMN companion.messages.edited_at IS 'When the text was last edited; to be set by whoever changes content, as edit_message does.';
COMMENT ON COLUMN companion.messages.metadata IS 'The app''s own data, a JSON object; edits, where the message was edited, is an array of its earlier texts: content and written_at; cut_from, where what was sent was cut, is how many characters it had.';
COMMENT ON COLUMN companion.messages.created_at IS 'When it was written.';
COMMENT ON COLUMN companion.messages.external_id IS 'Another messenger''s id of the message (WhatsApp''s wamid), within its chat, as telegram_message_id; 1 to 512 characters, none of them a control character.';
COMMENT ON COLUMN companion.messages.channel IS 'The channel of the chat that telegram_message_id or external_id is of; NULL where the message has neither, or is of an unknown chat.';
COMMENT ON COLUMN companion.messages.bot IS 'The bot of that chat; empty where none was named.';
COMMENT ON COLUMN companion.messages.address IS 'The address of that chat; empty where none was known.';
COMMENT ON INDEX companion.messages_conversation IS 'A conversation''s messages in order.';
COMMENT ON INDEX companion.messages_telegram IS 'Which messages have an id of Telegram''s.';
COMMENT ON INDEX companion.messages_external IS 'Which messages have an id of another messenger''s.';
COMMENT ON INDEX companion.messages_edited IS 'The messages whose text is another than a search has kept.';
COMMENT ON INDEX companion.messages_reply IS 'The answers to a message.';

CREATE FUNCTION companion.check_message() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_message';
COMMENT ON FUNCTION companion.check_message() IS
'Trigger, AFTER INSERT OR UPDATE: id is of version 7, but for what a superuser restores; role is user, assistant or system, content not empty, telegram_message_id at least 1, external_id of 1 to 512 characters without control characters, metadata an object; else error 23514, with the column''s name. What a grant lets one write is bounded as what a function takes is: error 22023 for content over companion.max_message_length and for metadata over companion.max_json_size.';
CREATE TRIGGER check_message AFTER INSERT OR UPDATE ON companion.messages
FOR EACH ROW EXECUTE FUNCTION companion.check_message();
COMMENT ON TRIGGER check_message ON companion.messages IS 'Refuses what a row may not hold.';

-- What functions return of a message: columns that are added to the table do not change it.
CREATE TYPE companion.stored_message AS (
    user_id uuid,
    id uuid,
    conversation_id uuid,
    role text,
    content text,
    telegram_message_id bigint,
    reply_to_id uuid,
    edited_at timestamptz,
    metadata jsonb,
    created_at timestamptz,
    external_id text,
    channel text,
    bot text,
    address text
);
COMMENT ON TYPE companion.stored_message IS 'A message as functions return it: the columns of messages, in its order.';
COMMENT ON COLUMN companion.stored_message.user_id IS 'Whose conversation it is in.';
COMMENT ON COLUMN companion.stored_message.id IS 'Time-ordered id: a UUID of version 7.';
COMMENT ON COLUMN companion.stored_message.conversation_id IS 'The conversation, one of the same user''s.';
COMMENT ON COLUMN companion.stored_message.role IS 'Who wrote it: user, assistant or system.';
COMMENT ON COLUMN companion.stored_message.content IS 'The text.';
COMMENT ON COLUMN companion.stored_message.telegram_message_id IS 'Telegram''s id of the message, within its chat (channel, bot, address); of several messages with one it is the newest''s.';
COMMENT ON COLUMN companion.stored_message.reply_to_id IS 'The message that this one answers, one of the same user''s.';
COMMENT ON COLUMN companion.stored_message.edited_at IS 'When the text was last edited; to be set by whoever changes content, as edit_message does.';
COMMENT ON COLUMN companion.stored_message.metadata IS 'The app''s own data, a JSON object; edits, where the message was edited, is an array of its earlier texts: content and written_at; cut_from, where what was sent was cut, is how many characters it had.';
COMMENT ON COLUMN companion.stored_message.created_at IS 'When it was written.';
COMMENT ON COLUMN companion.stored_message.external_id IS 'Another messenger''s id of the message (WhatsApp''s wamid), within its chat, as telegram_message_id; 1 to 512 characters, none of them a control character.';
COMMENT ON COLUMN companion.stored_message.channel IS 'The channel of the chat that telegram_message_id or external_id is of; NULL where the message has neither, or is of an unknown chat.';
COMMENT ON COLUMN companion.stored_message.bot IS 'The bot of that chat; empty where none was named.';
COMMENT ON COLUMN companion.stored_message.address IS 'The address of that chat; empty where none was known.';

ALTER TABLE companion.conversations ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.conversations TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.conversations IS 'An end user sees their own conversations only.';
CREATE POLICY every_row ON companion.conversations TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.conversations IS 'Workers and admins act for every user.';

ALTER TABLE companion.messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.messages TO companion_user
USING (user_id = companion.current_user_id())
WITH CHECK (user_id = companion.current_user_id() AND role = 'user');
COMMENT ON POLICY own_rows ON companion.messages IS
'An end user sees their own messages only, and writes as themselves only.';
CREATE POLICY every_row ON companion.messages TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.messages IS 'Workers and admins act for every user.';

-- The ids that rows of 0.1.0 had.
CREATE TABLE companion.rekeyed_ids (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    table_name text NOT NULL,
    old_id uuid NOT NULL,
    new_id uuid NOT NULL,
    PRIMARY KEY (user_id, table_name, old_id)
);
COMMENT ON TABLE companion.rekeyed_ids IS
'The ids, not of version 7, that the update from 0.1.0 or an import has replaced, for an app that has kept such ids elsewhere, and what an import has met besides. Imports read it, so that they can be repeated, and take nothing that was deleted since; an admin may delete its rows after the last.';
COMMENT ON COLUMN companion.rekeyed_ids.user_id IS 'Whose row it is.';
COMMENT ON COLUMN companion.rekeyed_ids.table_name IS 'conversations, messages, scheduled_messages or user_context.';
COMMENT ON COLUMN companion.rekeyed_ids.old_id IS 'The id that the row had; of one that was no UUID, and of a fact''s category and key, what old_id() makes of it: a part of its SHA-256.';
COMMENT ON COLUMN companion.rekeyed_ids.new_id IS 'The id that it has: the same where that is of version 7, else uuid_v7() of its started_at, created_at or scheduled_for.';

ALTER TABLE companion.rekeyed_ids ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.rekeyed_ids TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.rekeyed_ids IS 'An end user sees their own only.';
CREATE POLICY every_row ON companion.rekeyed_ids TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.rekeyed_ids IS 'Workers and admins act for every user.';

-- Edits that have come before their messages.
CREATE TABLE companion.early_edits (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    external_id text COLLATE "C" NOT NULL,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    channel text COLLATE "C" NOT NULL,
    bot text COLLATE "C" NOT NULL,
    address text COLLATE "C" NOT NULL,
    content text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT companion.now(),
    PRIMARY KEY (user_id, external_id, id)
);
CREATE INDEX early_edits_received ON companion.early_edits (received_at);
COMMENT ON TABLE companion.early_edits IS
'Edits that have come before their messages, the last of each: edit_message() keeps it, and it is applied when the message comes. One that is older than 7 days is deleted by run_maintenance(): its message was never stored.';
COMMENT ON COLUMN companion.early_edits.user_id IS 'Whose chat it is in.';
COMMENT ON COLUMN companion.early_edits.external_id IS 'The messenger''s id of the message; Telegram''s in decimal digits.';
COMMENT ON COLUMN companion.early_edits.id IS 'What tells the ids of different chats apart.';
COMMENT ON COLUMN companion.early_edits.channel IS 'The channel of the chat.';
COMMENT ON COLUMN companion.early_edits.bot IS 'The bot of the chat.';
COMMENT ON COLUMN companion.early_edits.address IS 'The address of the chat.';
COMMENT ON COLUMN companion.early_edits.content IS 'The text after the edit.';
COMMENT ON COLUMN companion.early_edits.received_at IS 'When it came.';
COMMENT ON INDEX companion.early_edits_received IS 'Which are the oldest.';

ALTER TABLE companion.early_edits ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.early_edits TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.early_edits IS 'An end user sees their own only.';
CREATE POLICY every_row ON companion.early_edits TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.early_edits IS 'Workers and admins act for every user.';

-- An end user adds messages through companion.add_message() only.
-- A text is replaced through companion.edit_message() only.

SELECT pg_catalog.pg_extension_config_dump('companion.conversations', '');
SELECT pg_catalog.pg_extension_config_dump('companion.messages', '');
SELECT pg_catalog.pg_extension_config_dump('companion.rekeyed_ids', '');
SELECT pg_catalog.pg_extension_config_dump('companion.early_edits', '');

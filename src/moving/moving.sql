
-- Moving in: what an app has already, row by row.
CREATE FUNCTION companion.is_time_ordered(id uuid) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_is_time_ordered';
COMMENT ON FUNCTION companion.is_time_ordered(uuid) IS 'Whether an id is a UUID of version 7. Internal.';

CREATE FUNCTION companion.old_id(id text) RETURNS uuid
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_old_id';
COMMENT ON FUNCTION companion.old_id(text) IS
'By what rekeyed_ids knows an app''s own id: itself where it is a UUID, else one of version 8 that is made of it. Internal.';

CREATE FUNCTION companion.imported_id(user_id uuid, table_name text, old_id text) RETURNS uuid
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN companion.is_time_ordered(companion.old_id(imported_id.old_id))
        THEN companion.old_id(imported_id.old_id)
        ELSE (SELECT r.new_id FROM companion.rekeyed_ids AS r
              WHERE r.user_id = imported_id.user_id AND r.table_name = imported_id.table_name
                  AND r.old_id = companion.old_id(imported_id.old_id)) END;
END;
COMMENT ON FUNCTION companion.imported_id(uuid, text, text) IS
'The id that an imported row of a user''s in conversations, messages or scheduled_messages has, by the id that it had in the app''s own tables, of whatever type, as a text: the same where that is a UUID of version 7; else what rekeyed_ids says, and NULL where it has no such id.';

CREATE FUNCTION companion.import_users(rows jsonb)
RETURNS TABLE (element integer, id uuid, outcome text, reason text)
LANGUAGE c ROWS 1000
AS 'MODULE_PATHNAME', 'companion_import_users';
COMMENT ON FUNCTION companion.import_users(jsonb) IS
'Takes users over: an array of objects whose fields are columns of users, with their ids and times; one row for each, in order: element counts from 0, outcome is taken, there already (an id that is a user''s, who stays as they are), or refused, with the reason; the others are taken all the same. id and timezone must be there; what else is left out has its default, and null is null. With taken a reason says which of the user''s own addresses is another''s, and stays so. Dispatch does not look back for them: what is due from now on is dispatched. Refused are also users who were erased, unknown fields, objects of more than companion.max_json_size, and times of what has been that are infinite or more than a day from now. Error 22023 for what is no array; 55P03, and nothing is taken, where another transaction that has not ended inserts the same user or address.';

CREATE FUNCTION companion.import_conversations(rows jsonb)
RETURNS TABLE (element integer, id uuid, outcome text, reason text)
LANGUAGE c ROWS 1000
AS 'MODULE_PATHNAME', 'companion_import_conversations';
COMMENT ON FUNCTION companion.import_conversations(jsonb) IS
'Takes conversations over, as import_users() users: user_id, id, channel and started_at must be there, and ended_at for all but one of a user''s on a channel. Taken is also the end of one that is there already and open: ended_at, and a mood_summary and topics that it does not have. id may be of any type: one that is no UUID of version 7 becomes one of started_at, which is returned. rekeyed_ids keeps it, so that the same id is there already the next time, messages may name the conversation by it, and what was deleted since is refused. outcome is NULL where another transaction holds the user: not now, call again.';

CREATE FUNCTION companion.import_messages(rows jsonb)
RETURNS TABLE (element integer, id uuid, outcome text, reason text)
LANGUAGE c ROWS 1000
AS 'MODULE_PATHNAME', 'companion_import_messages';
COMMENT ON FUNCTION companion.import_messages(jsonb) IS
'Takes messages over, as import_conversations() conversations: user_id, id, conversation_id, role, content and created_at must be there. conversation_id and reply_to_id are the app''s own ids or ours; what is answered comes before its answer. For equal times ids ascend in the order of the elements. An answer to what was deleted since is taken as one to nothing. telegram_message_id is for channel telegram, external_id for the others; a messenger''s id without its chat is of the conversation''s channel and the user''s own address there. Sets users.last_user_message_at, where a message of theirs is later.';

CREATE FUNCTION companion.import_user_context(rows jsonb)
RETURNS TABLE (element integer, id uuid, outcome text, reason text)
LANGUAGE c ROWS 1000
AS 'MODULE_PATHNAME', 'companion_import_user_context';
COMMENT ON FUNCTION companion.import_user_context(jsonb) IS
'Takes facts over, as import_conversations() conversations: user_id, category, key, value, and one of value_since, confirmed_at and created_at must be there: what is left out of these is taken from the others, so that a fact is as old as it is. There already is an item with the same category and key; the reason says whether it has another value. source_message_id is the app''s own id or ours. history is an array of objects, the values that held before: value, held_from, held_until, and source; the times of no two overlap, nor that of the item''s own. Refused is also what was taken once, or was there already, and was forgotten, has expired or made room since (rekeyed_ids knows it by a hash), what its message must not teach again, and what is beyond companion.max_context_items. Where the category has max_items, what matters least makes room at the end of the call, be it new or not.';

CREATE FUNCTION companion.import_scheduled_messages(rows jsonb)
RETURNS TABLE (element integer, id uuid, outcome text, reason text)
LANGUAGE c ROWS 1000
AS 'MODULE_PATHNAME', 'companion_import_scheduled_messages';
COMMENT ON FUNCTION companion.import_scheduled_messages(jsonb) IS
'Takes over what was sent, as import_conversations() conversations: user_id, id, scheduled_for and status (sent, failed, skipped, cancelled or unknown) must be there; what is pending is for schedule_message(). kind is custom where none is given; local_date is that of scheduled_for in timezone, or in the user''s; send_before is scheduled_for; sent_at and finished_at are, too, unless it was skipped or cancelled before; created_at, which retention goes by, is the earlier of scheduled_for and finished_at. idempotency_key is the id, which has at most 200 characters; a check-in''s is its local day: of several of a day the one that was sent has it, or may have been, else the last, and the others # and their ids here after it. There already is also another message with the same key, where it is no check-in or the key is given. conversation_id and message_id are the app''s own ids or ours; one that is nobody''s, or another user''s, is left out, and the reason says so.';

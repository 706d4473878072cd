// Editing a message; what it said before is kept.
#include "conversations/messages.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"

using namespace companion;

namespace {

Statement find_message{R"sql(
    SELECT m.id FROM companion.messages AS m WHERE m.user_id = $1 AND m.id = $2
    UNION ALL
    SELECT m.id FROM companion.messages AS m WHERE m.user_id = $1 AND m.telegram_message_id = $3)sql",
                       UUIDOID, UUIDOID, INT8OID};

// Of the earlier texts the latest are kept, as many as there is room for in $4 bytes of metadata;
// 64 bytes are for the array itself. Returns whether the row is still found by what it was.
Statement replace_content{R"sql(
    UPDATE companion.messages AS m
    SET content = $3, edited_at = companion.now(),
        metadata = (m.metadata - 'edits') || jsonb_build_object('edits', (
            SELECT coalesce(jsonb_agg(e.edit ORDER BY e.position), '[]')
            FROM (SELECT a.edit, a.position,
                         sum(pg_column_size(a.edit) + 4) OVER (ORDER BY a.position DESC) AS bytes
                  FROM jsonb_array_elements(
                      CASE jsonb_typeof(m.metadata -> 'edits')
                          WHEN 'array' THEN m.metadata -> 'edits' ELSE '[]' END
                      || jsonb_build_array(jsonb_build_object(
                          'content', m.content,
                          'written_at', coalesce(m.edited_at, m.created_at))))
                      WITH ORDINALITY AS a (edit, position)) AS e
            WHERE e.bytes <= $4 - 64 - pg_column_size(m.metadata - 'edits')))
    WHERE m.user_id = $1 AND m.id = $2 AND m.content <> $3
    RETURNING m.user_id = $1 AND m.id = $2)sql",
                          UUIDOID, UUIDOID, TEXTOID, INT8OID};

Statement find_other_content{R"sql(
    SELECT FROM companion.messages AS m
    WHERE m.user_id = $1 AND m.id = $2 AND m.content <> $3)sql",
                             UUIDOID, UUIDOID, TEXTOID};

void check(const Arguments &arguments)
{
    arguments.required(0, "user_id");
    check_content(arguments.text(2, "content"));
    if (arguments.is_null(1) == arguments.is_null(3))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("expected either message_id or telegram_message_id"));
}

// Which message is meant; false where Telegram's id is not known. Error 23503 for another id.
bool find(const Arguments &arguments, pg_uuid_t *id)
{
    const char nulls[] = {' ', arguments.null_flag(1), arguments.null_flag(3)};
    const bool is_found =
        find_message.execute({arguments.optional(0), arguments.optional(1), arguments.optional(3)},
                             nulls) > 0;
    if (!is_found && !arguments.is_null(1))
        ereport(ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
                errmsg("the user has no message %s",
                       DatumGetCString(DirectFunctionCall1(uuid_out, arguments.optional(1)))));
    if (is_found)
        *id = *DatumGetUUIDP(result_field(0, 1));
    return is_found;
}

// An edit that is delivered again changes nothing. Error 09000 where a trigger suppresses it or
// changes what the message is found by.
void replace(Datum user_id, Datum id, Datum content)
{
    const Datum room = Int64GetDatum(static_cast<int64>(largest_json()));
    if (replace_content.execute({user_id, id, content, room}) > 0) {
        if (!DatumGetBool(result_field(0, 1)))
            refuse_changed("messages", "user_id or id");
    } else if (find_other_content.execute({user_id, id, content}) > 0) {
        refuse_suppressed("messages");
    }
}

bool edit(const Arguments &arguments, pg_uuid_t *id)
{
    if (!find(arguments, id))
        return false;
    replace(arguments.optional(0), UUIDPGetDatum(id), arguments.optional(2));
    return true;
}

} // namespace

COMPANION_FUNCTION(edit_message)
{
    const Arguments arguments(fcinfo);
    check(arguments);
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    if (!with_spi([&] { return edit(arguments, id); }))
        PG_RETURN_NULL();
    PG_RETURN_UUID_P(id);
}

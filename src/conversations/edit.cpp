// Other texts for messages that are stored, or still to come.
#include "conversations/edit.hpp"

#include "postgres/arguments.hpp"
#include "postgres/lookup.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"

namespace companion {

// Of the earlier texts the latest are kept, as many as there is room for in $4 bytes of metadata;
// 64 bytes are for the array itself. Returns whether the row is still found by what it was.
static Statement replace_content{R"sql(
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

static Statement find_other_content{R"sql(
    SELECT FROM companion.messages AS m
    WHERE m.user_id = $1 AND m.id = $2 AND m.content <> $3)sql",
                                    UUIDOID, UUIDOID, TEXTOID};

static Statement replace_early{R"sql(
    UPDATE companion.early_edits AS e SET content = $6, received_at = companion.now()
    WHERE e.user_id = $1 AND e.external_id = $2 AND e.channel = $3 AND e.bot = $4 AND e.address = $5
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
static Statement insert_early{R"sql(
    INSERT INTO companion.early_edits (user_id, external_id, channel, bot, address, content)
    VALUES ($1, $2, $3, $4, $5, $6)
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
static Statement take_early{R"sql(
    DELETE FROM companion.early_edits AS e
    WHERE e.user_id = $1 AND e.external_id = $2 AND e.channel = $3 AND e.bot = $4 AND e.address = $5
    RETURNING e.content
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};

void replace_text(Datum user_id, Datum message_id, Datum content)
{
    const Datum room = Int64GetDatum(static_cast<int64>(largest_json()));
    if (replace_content.execute({user_id, message_id, content, room}) > 0) {
        if (!DatumGetBool(result_field(0, 1)))
            refuse_changed("messages", "user_id or id");
    } else if (find_other_content.execute({user_id, message_id, content}) > 0) {
        refuse_suppressed("messages");
    }
}

void keep_early_edit(Datum user_id, const Chat &chat, const MessengerId &id, Datum content)
{
    const Datum external_id = id.to_text();
    const auto keep = [&](Statement &statement) {
        return statement.execute(
                   {user_id, external_id, chat.channel, chat.bot, chat.address, content}) > 0;
    };
    if (!keep(replace_early) && !keep(insert_early))
        refuse_suppressed("early_edits");
}

// Whether an edit is kept for the message with an id in a chat.
static bool has_early_edit(Datum user_id, Datum external_id, const Chat &chat)
{
    const Datum key[] = {user_id, external_id};
    Lookup edits("early_edits", "early_edits_pkey");
    bool is_there = edits.find(key, 2);
    while (is_there && !is_in(edits, chat))
        is_there = edits.next();
    edits.close();
    return is_there;
}

void apply_early_edit(Datum user_id, Datum message_id, const Chat &chat, const MessengerId &id)
{
    const Datum external_id = id.to_text();
    if (!has_early_edit(user_id, external_id, chat))
        return;
    if (take_early.execute({user_id, external_id, chat.channel, chat.bot, chat.address}) == 0)
        refuse_suppressed("early_edits");
    replace_text(user_id, message_id, result_field(0, 1));
}

} // namespace companion

// Items of 0.1.0, whose keys were compared byte by byte: they get a folded key as they come, and
// those that are one by it are merged.
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/row_trigger.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "text/folding.hpp"

using namespace companion;

namespace {

Statement find_same{R"sql(
    SELECT FROM companion.user_context AS c
    WHERE c.user_id = $1 AND c.category = $2 AND c.folded_key = $3)sql",
                    UUIDOID, TEXTOID, TEXTOID};

// What is after this character in a folded key marks one whose place was taken.
constexpr char mark = '\x01';

// Of the groups in which one is marked, who stays; the others go, their other values to the
// history.
Statement merge{R"sql(
    WITH found AS MATERIALIZED (
        SELECT DISTINCT m.user_id, m.category, split_part(m.folded_key, chr(1), 1) AS folded_key
        FROM companion.user_context AS m WHERE strpos(m.folded_key, chr(1)) > 0),
    ranked AS MATERIALIZED (
        SELECT c.user_id, c.id, c.category, c.key, c.value, c.source, c.value_since, c.importance,
               c.pinned, c.confirmations, c.created_at, c.stated_in || c.earlier_stated_in AS stated_in,
               first_value(c.id) OVER best AS stays,
               first_value(c.value) OVER best AS value_that_stays,
               first_value(c.value_since) OVER best AS since
        FROM found AS f JOIN companion.user_context AS c
            ON c.user_id = f.user_id AND c.category = f.category
                AND split_part(c.folded_key, chr(1), 1) = f.folded_key
        WINDOW best AS (
            PARTITION BY c.user_id, c.category, f.folded_key
            ORDER BY (c.expires_at IS NULL OR c.expires_at > companion.now()) DESC,
                     (c.pinned OR c.source IN ('user', 'pinned')) DESC,
                     c.confirmed_at DESC, c.id DESC)),
    gone AS (
        DELETE FROM companion.user_context AS c USING ranked AS r
        WHERE c.user_id = r.user_id AND c.id = r.id AND r.id <> r.stays RETURNING c.user_id, c.id),
    unembedded AS (
        DELETE FROM companion.context_embeddings AS e USING gone AS g
        WHERE e.user_id = g.user_id AND e.item_id = g.id),
    archived AS (
        INSERT INTO companion.user_context_history
            (user_id, category, key, value, source, held_from, held_until, replaced_by)
        SELECT r.user_id, r.category, r.key, r.value, r.source, r.value_since,
               greatest(r.value_since, r.since), r.value_that_stays
        FROM ranked AS r
        WHERE r.id <> r.stays AND NOT companion.is_same_text(r.value, r.value_that_stays)
        RETURNING 1),
    joined AS (
        SELECT r.user_id, r.stays, max(r.importance) AS importance, bool_or(r.pinned) AS pinned,
               min(r.created_at) AS created_at,
               sum(r.confirmations) FILTER (
                   WHERE companion.is_same_text(r.value, r.value_that_stays)) AS confirmations
        FROM ranked AS r GROUP BY r.user_id, r.stays),
    told AS (
        SELECT r.user_id, r.stays, array_agg(DISTINCT s.id) AS stated_in
        FROM ranked AS r CROSS JOIN LATERAL unnest(r.stated_in) AS s (id)
        WHERE r.id <> r.stays AND s.id IS NOT NULL GROUP BY r.user_id, r.stays),
    stayed AS (
        UPDATE companion.user_context AS c
        SET earlier_stated_in = companion.joined_statements(c.earlier_stated_in, coalesce(
                (SELECT t.stated_in FROM told AS t
                 WHERE t.user_id = c.user_id AND t.stays = c.id), '{}')),
            importance = j.importance, pinned = j.pinned, created_at = j.created_at,
            confirmations = least(j.confirmations, 2147483647)
        FROM joined AS j WHERE c.user_id = j.user_id AND c.id = j.stays RETURNING 1)
    SELECT (SELECT count(*) FROM gone),
           (SELECT count(*) FROM gone) + (SELECT count(*) FROM stayed)
               = (SELECT count(*) FROM ranked),
           (SELECT count(*) FROM archived) = (
               SELECT count(*) FROM ranked AS r
               WHERE r.id <> r.stays AND NOT companion.is_same_text(r.value, r.value_that_stays)))sql"};

Statement unmark{R"sql(
    UPDATE companion.user_context AS c SET folded_key = split_part(c.folded_key, chr(1), 1)
    WHERE strpos(c.folded_key, chr(1)) > 0)sql"};

Datum merge_all()
{
    merge.execute({});
    if (!DatumGetBool(result_field(0, 2)))
        refuse_suppressed("user_context");
    if (!DatumGetBool(result_field(0, 3)))
        refuse_suppressed("user_context_history");
    const Datum merged = Int64GetDatum(DatumGetInt64(result_field(0, 1)));
    unmark.execute({});
    return merged;
}

// A folded key that no other item has.
Datum marked(std::string_view folded_key)
{
    StringInfoData text;
    initStringInfo(&text);
    appendBinaryStringInfo(&text, folded_key.data(), static_cast<int>(folded_key.size()));
    appendStringInfoChar(&text, mark);
    appendStringInfoString(&text, DatumGetCString(DirectFunctionCall1(
                                      uuid_out, DirectFunctionCall1(gen_random_uuid, Datum{0}))));
    return to_text({text.data, static_cast<std::size_t>(text.len)});
}

} // namespace

COMPANION_FUNCTION(fold_context_item)
{
    const NewRow row(fcinfo);
    bool has_no_user, has_no_category, has_no_key;
    const Datum user_id = row.get("user_id", UUIDOID, &has_no_user),
                given = row.get("category", TEXTOID, &has_no_category),
                key = row.get("key", TEXTOID, &has_no_key);
    if (has_no_user || has_no_category || has_no_key)
        return row.unchanged();
    const Datum category = to_text(normalized(trimmed(text_view(given)))),
                folded_key = to_text(folded(trimmed(text_view(key))));
    const bool is_taken = with_spi([&] {
        return find_same.execute({user_id, category, folded_key}) > 0;
    });
    return row.with("category", category, "folded_key",
                    is_taken ? marked(text_view(folded_key)) : folded_key, TEXTOID);
}

COMPANION_FUNCTION(merge_context_items)
{
    return with_spi(merge_all);
}

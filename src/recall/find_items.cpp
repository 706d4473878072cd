// Finding the items that matter most.
#include "memory/item.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "recall/meaning.hpp"
#include "recall/request.hpp"

namespace companion {

// A user's ($1) items that may be recalled at a time ($2): of these categories ($3), null for all,
// and not of those ($4); the first of them, $5 or all where that is null. $6 is what they mean, or
// null, and $7 its weight. What is sorted are the items' ids: rows are wide, and most of them are
// not recalled.
static Statement find_first{R"sql(
    SELECT c.item, best.category, best.key, c.value
    FROM (SELECT i.id, i.pinned, i.category, i.key,
                 companion.recall_score(i.category, i.importance, i.confirmations, i.confirmed_at,
                                        i.last_used_at, $2)
                 + CASE WHEN $6 IS NULL THEN 0
                        ELSE $7 * companion.meaning_of(i.id, $6) END AS score
          FROM companion.user_context AS i
          WHERE i.user_id = $1 AND i.resolved_at IS NULL
              AND (i.expires_at IS NULL OR i.expires_at > $2)
              AND ($3 IS NULL OR i.category = ANY ($3))
              AND ($4 IS NULL OR i.category <> ALL ($4))
          ORDER BY i.pinned DESC, score DESC, i.category, i.key LIMIT $5) AS best
    CROSS JOIN LATERAL (SELECT )sql" CONTEXT_ITEM R"sql( AS item, c.value
                        FROM companion.user_context AS c
                        WHERE c.user_id = $1 AND c.id = best.id LIMIT 1) AS c
    ORDER BY best.pinned DESC, best.score DESC, best.category, best.key)sql",
                            UUIDOID,
                            TIMESTAMPTZOID,
                            TEXTARRAYOID,
                            TEXTARRAYOID,
                            INT4OID,
                            BYTEAOID,
                            FLOAT8OID};

uint64 find_items(const RecallRequest &request)
{
    const NullableDatum meanings =
        request.embedding.isnull ? request.embedding
                                 : NullableDatum{compare_meanings(
                                       request.user_id, request.embedding.value, request.model)};
    const char nulls[] = {' ',
                          ' ',
                          null_flag(request.categories),
                          null_flag(request.exclude),
                          request.max_chars >= 0 ? 'n' : ' ',
                          null_flag(meanings),
                          ' '};
    return find_first.execute({request.user_id, TimestampTzGetDatum(now()),
                               request.categories.value, request.exclude.value,
                               Int32GetDatum(request.max_items), meanings.value,
                               Float8GetDatum(request.meaning_weight)},
                              nulls);
}

} // namespace companion

// Finding the items that matter most.
#include "memory/item.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/statement.hpp"
#include "recall/meaning.hpp"
#include "recall/request.hpp"

#include <tuple>

namespace companion {

// A user's ($1) items that may be recalled at a time ($2): of these categories ($3), null for all,
// and not of those ($4); the first of them, $5 or all where that is null. What is sorted are the
// items' ids: rows are wide, and most of them are not recalled.
static Statement find_first{R"sql(
    SELECT c.item, best.category, best.key, c.value
    FROM (SELECT i.id, i.pinned, i.category, i.key,
                 companion.recall_score(i.category, i.importance, i.confirmations, i.confirmed_at,
                                        i.last_used_at, $2) AS score
          FROM companion.user_context AS i
          WHERE i.user_id = $1 AND i.resolved_at IS NULL
              AND (i.expires_at IS NULL OR i.expires_at > $2)
              AND ($3 IS NULL OR i.category = ANY ($3)) AND i.category <> ALL ($4)
          ORDER BY i.pinned DESC, score DESC, i.category, i.key LIMIT $5) AS best
    CROSS JOIN LATERAL (SELECT )sql" CONTEXT_ITEM R"sql( AS item, c.value
                        FROM companion.user_context AS c
                        WHERE c.user_id = $1 AND c.id = best.id LIMIT 1) AS c
    ORDER BY best.pinned DESC, best.score DESC, best.category, best.key)sql",
                            UUIDOID,
                            TIMESTAMPTZOID,
                            TEXTARRAYOID,
                            TEXTARRAYOID,
                            INT4OID};

// The same items, all of them, in no order.
static Statement find_candidates{R"sql(
    SELECT i.id, i.pinned, i.category, i.key,
           companion.recall_score(i.category, i.importance, i.confirmations, i.confirmed_at,
                                  i.last_used_at, $2) AS score
    FROM companion.user_context AS i
    WHERE i.user_id = $1 AND i.resolved_at IS NULL
        AND (i.expires_at IS NULL OR i.expires_at > $2)
        AND ($3 IS NULL OR i.category = ANY ($3)) AND i.category <> ALL ($4))sql",
                                 UUIDOID, TIMESTAMPTZOID, TEXTARRAYOID, TEXTARRAYOID};

static Statement fetch{R"sql(
    SELECT c.item, c.category, c.key, c.value
    FROM unnest($2) WITH ORDINALITY AS best (id, position)
    CROSS JOIN LATERAL (SELECT )sql" CONTEXT_ITEM R"sql( AS item, c.category, c.key, c.value
                        FROM companion.user_context AS c
                        WHERE c.user_id = $1 AND c.id = best.id LIMIT 1) AS c
    ORDER BY best.position)sql",
                       UUIDOID, UUIDARRAYOID};

struct Candidate {
    pg_uuid_t id;
    bool is_pinned;
    double score;
    std::string_view category, key;

    bool operator<(const Candidate &other) const
    {
        return std::tuple(!is_pinned, -score, category, key) <
               std::tuple(!other.is_pinned, -other.score, other.category, other.key);
    }
};

// The candidates of the last result, with what they mean in addition to how much they matter.
static Candidate *weigh(uint64 rows, const Meanings &meanings, double weight)
{
    auto *candidates = static_cast<Candidate *>(palloc(Max(rows, 1) * sizeof(Candidate)));
    for (uint64 row = 0; row < rows; row++) {
        const pg_uuid_t id = *DatumGetUUIDP(result_field(row, 1));
        candidates[row] = {id, DatumGetBool(result_field(row, 2)),
                           DatumGetFloat8(result_field(row, 5)) + weight * meanings.of(id),
                           text_view(result_field(row, 3)), text_view(result_field(row, 4))};
    }
    return candidates;
}

// The ids of the first, in order.
static Datum first_ids(Candidate *candidates, uint64 count, uint64 wanted)
{
    wanted = Min(wanted, count);
    std::partial_sort(candidates, candidates + wanted, candidates + count);
    ArrayBuilder ids(UUIDOID);
    for (uint64 index = 0; index < wanted; index++)
        ids.add(UUIDPGetDatum(&candidates[index].id));
    return ids.finish();
}

// One point in time for all.
static Datum present()
{
    return TimestampTzGetDatum(now());
}

static uint64 find_by_meaning(const RecallRequest &request)
{
    const Meanings meanings =
        compare_meanings(request.user_id, request.embedding.value, request.model);
    const char nulls[] = {' ', ' ', null_flag(request.categories), ' '};
    const uint64 rows = find_candidates.execute(
        {request.user_id, present(), request.categories.value, request.exclude}, nulls);
    Candidate *candidates = weigh(rows, meanings, request.meaning_weight);
    const uint64 wanted = request.max_chars >= 0 ? rows : request.max_items;
    return fetch.execute({request.user_id, first_ids(candidates, rows, wanted)});
}

uint64 find_items(const RecallRequest &request)
{
    if (!request.embedding.isnull)
        return find_by_meaning(request);
    const char nulls[] = {' ', ' ', null_flag(request.categories), ' ',
                          request.max_chars >= 0 ? 'n' : ' '};
    return find_first.execute({request.user_id, present(), request.categories.value,
                               request.exclude, Int32GetDatum(request.max_items)},
                              nulls);
}

} // namespace companion

// What remembering one fact and remembering many have in common.
#include "facts/upserting.hpp"

#include "memory/categories.hpp"
#include "memory/forgetting.hpp"
#include "memory/history.hpp"
#include "postgres/settings.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"
#include "text/folding.hpp"

namespace companion {

static Statement lock_items{R"sql(
    SELECT FROM unnest($2, $3) AS g (category, folded_key)
    JOIN companion.user_context AS c
        ON c.user_id = $1 AND c.category = g.category AND c.folded_key = g.folded_key
    ORDER BY c.category, c.folded_key FOR NO KEY UPDATE OF c)sql",
                            UUIDOID, TEXTARRAYOID, TEXTARRAYOID};

// Returns whether all that held once is in the history.
static Statement drop_expired_items{R"sql(
    WITH dropped AS (
        DELETE FROM companion.user_context AS c USING unnest($2, $3) AS g (category, folded_key)
        WHERE c.user_id = $1 AND c.category = g.category AND c.folded_key = g.folded_key
            AND c.expires_at <= companion.now()
        RETURNING )sql" DROPPED R"sql(),
    unembedded AS ()sql" DROP_EMBEDDINGS R"sql(),
    archived AS ()sql" ARCHIVE_DROPPED R"sql()
    SELECT )sql" IS_ARCHIVED R"sql( FROM dropped AS d)sql",
                                    UUIDOID, TEXTARRAYOID, TEXTARRAYOID};

// Of a user's ($1) items in a category ($2) that are not new ($4) nor pinned, so many leave that
// there are at most $3: what is settled first, then what matters least. $5 is whether their values
// go to the history; returned is whether they have.
static Statement drop_surplus{R"sql(
    WITH counted AS MATERIALIZED (
        SELECT c.id, c.pinned, c.resolved_at IS NULL AS is_open, count(*) OVER () AS items,
               companion.recall_score(c.category, c.importance, c.confirmations, c.confirmed_at,
                                      c.last_used_at, companion.now()) AS score
        FROM companion.user_context AS c
        WHERE c.user_id = $1 AND c.category = $2
            AND (c.expires_at IS NULL OR c.expires_at > companion.now())),
    surplus AS (
        SELECT o.id FROM counted AS o
        WHERE NOT o.pinned AND o.id <> ALL ($4)
        ORDER BY o.is_open, o.score, o.id
        LIMIT (SELECT greatest(max(n.items) - $3, 0) FROM counted AS n)),
    dropped AS (
        DELETE FROM companion.user_context AS c USING surplus AS s
        WHERE c.user_id = $1 AND c.id = s.id
        RETURNING c.user_id, c.id, c.category, c.key, c.value, c.source, c.value_since),
    unembedded AS ()sql" DROP_EMBEDDINGS R"sql(),
    archived AS (
        INSERT INTO companion.user_context_history
            (user_id, category, key, value, source, held_from, held_until)
        SELECT d.user_id, d.category, d.key, d.value, d.source, d.value_since,
               greatest(d.value_since, companion.now())
        FROM dropped AS d WHERE $5 RETURNING 1)
    SELECT NOT $5 OR (SELECT count(*) FROM dropped) = (SELECT count(*) FROM archived))sql",
                              UUIDOID,
                              TEXTOID,
                              INT4OID,
                              UUIDARRAYOID,
                              BOOLOID};

static Statement count_items{R"sql(
    SELECT count(*) FROM companion.user_context AS c WHERE c.user_id = $1)sql",
                             UUIDOID};

static Statement find_forgotten{R"sql(
    SELECT FROM companion.forgotten_facts AS f
    WHERE f.user_id = $1 AND f.message_id = $2 AND f.fact = $3)sql",
                                UUIDOID, UUIDOID, BYTEAOID};

static Statement delete_embeddings{R"sql(
    DELETE FROM companion.context_embeddings AS e WHERE e.user_id = $1 AND e.item_id = ANY ($2))sql",
                                   UUIDOID, UUIDARRAYOID};

static void require_archived()
{
    if (!DatumGetBool(result_field(0, 1)))
        refuse_suppressed("user_context_history");
}

void free_places(Datum user_id, Datum categories, Datum folded_keys)
{
    lock_items.execute({user_id, categories, folded_keys});
    drop_expired_items.execute({user_id, categories, folded_keys});
    require_archived();
}

// To count them all at each addition would cost more than the addition. So a user gets about a
// sixty-fourth beyond a large limit, and nothing beyond a small one.
void check_item_limit(Datum user_id, int new_items)
{
    const double share_counted = 64.0 * new_items / settings::max_context_items;
    if (share_counted < 1 && pg_prng_double(&pg_global_prng_state) >= share_counted)
        return;
    count_items.execute({user_id});
    if (DatumGetInt64(result_field(0, 1)) > settings::max_context_items)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("user has more than %d context items", settings::max_context_items),
                errhint("Forget some, or raise companion.max_context_items."));
}

void make_room(Datum user_id, Datum category, Datum new_items)
{
    const CategoryPolicy &policy = policy_of(text_view(category));
    if (policy.max_items == 0)
        return;
    drop_surplus.execute({user_id, category, Int32GetDatum(policy.max_items), new_items,
                          BoolGetDatum(policy.keeps_history)});
    require_archived();
}

void drop_embeddings(Datum user_id, Datum items)
{
    delete_embeddings.execute({user_id, items});
}

bool is_forgotten(Datum user_id, const Fact &fact)
{
    if (fact.message().isnull)
        return false;
    const Datum message_id = fact.message().value;
    const Datum hash = fact_hash(message_id, fact.text(Fact::category), text_view(fact.folded_key));
    return find_forgotten.execute({user_id, message_id, hash}) > 0;
}

void require_own_item(uint64 row, int first_column, Datum user_id, const Fact &fact)
{
    if (!is_same_uuid(result_field(row, first_column), user_id) ||
        text_view(result_field(row, first_column + 1)) != fact.text(Fact::category) ||
        folded(trimmed(text_view(result_field(row, first_column + 2)))) !=
            text_view(fact.folded_key))
        refuse_changed("user_context", "user_id, category or key");
}

} // namespace companion

// What becomes of facts that are taken together.
#include "facts/taking.hpp"

#include "facts/upserting.hpp"
#include "memory/categories.hpp"
#include "memory/item.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"

namespace companion {

// What becomes of a user's ($1) facts at a time ($2), as of one alone (upsert.cpp). An item that
// has expired, or that another transaction has made or changed meanwhile, is missing in the result.
// The items that are there are looked for once, and then met at their places.
static Statement upsert_many{R"sql(
    WITH met AS MATERIALIZED (
        SELECT g.*,
               coalesce(g.importance, 0.5) AS new_importance,
               coalesce(g.emotional_valence, 0) AS new_valence,
               coalesce(g.source, 'extracted') AS new_source,
               coalesce(g.metadata, '{}') AS new_metadata,
               coalesce(g.pinned, false) AS new_pinned,
               nullif(coalesce(g.expires_at, $2 + g.expires_after), 'infinity') AS new_expiry,
               c.ctid AS place, companion.is_same_text(c.value, g.value) AS is_same,
               NOT g.is_users_word AND (c.pinned OR c.source IN ('user', 'pinned')) AS is_held
        FROM given AS g LEFT JOIN companion.user_context AS c
            ON c.user_id = $1 AND c.category = g.category AND c.folded_key = g.folded_key),
    taken AS (
        UPDATE companion.user_context AS c SET
            (value, importance, emotional_valence, source, source_message_id, metadata, pinned,
             expires_at, stated_in, earlier_stated_in, resolved_at, confirmations, value_since,
             last_used_at, previous_value) = (
                SELECT c.value, coalesce(g.importance, c.importance),
                       coalesce(g.emotional_valence, c.emotional_valence),
                       coalesce(g.source, c.source),
                       coalesce(g.source_message_id, c.source_message_id),
                       coalesce(g.metadata, c.metadata), coalesce(g.pinned, c.pinned),
                       nullif(coalesce(g.expires_at,
                                       CASE WHEN c.expires_at = c.confirmed_at + g.expires_after
                                       THEN $2 + g.expires_after ELSE c.expires_at END),
                              'infinity'),
                       companion.with_statement(c.stated_in, g.source_message_id),
                       c.earlier_stated_in, c.resolved_at, c.confirmations + 1, c.value_since,
                       c.last_used_at, NULL
                WHERE g.is_same
                UNION ALL
                SELECT g.value, g.new_importance, g.new_valence, g.new_source,
                       g.source_message_id, g.new_metadata, g.new_pinned, g.new_expiry,
                       ARRAY[g.source_message_id],
                       companion.joined_statements(c.earlier_stated_in, c.stated_in), NULL, 1,
                       greatest(c.value_since, $2), NULL, c.value
                WHERE NOT g.is_same),
            previous_source = c.source,
            previous_since = c.value_since,
            contradicted_by = NULL,
            confirmed_at = $2,
            last_referenced_at = $2,
            updated_at = $2
        FROM met AS g
        WHERE c.ctid = g.place AND c.user_id = $1 AND c.category = g.category
            AND c.folded_key = g.folded_key
            AND (c.expires_at IS NULL OR c.expires_at > $2)
            AND NOT g.is_held
            AND (g.is_users_word OR NOT (c.pinned OR c.source IN ('user', 'pinned')))
        RETURNING c.user_id, c.category, c.key, c.folded_key, )sql" CONTEXT_ITEM R"sql( AS item,
                  c.id, c.previous_value, c.previous_source, c.previous_since, c.value_since,
                  c.value, g.keeps_history AND c.previous_value <> c.value AS is_to_archive),
    held AS (
        UPDATE companion.user_context AS c SET
            (confirmations, contradicted_by, stated_in, earlier_stated_in, confirmed_at,
             last_referenced_at, expires_at) = (
                SELECT c.confirmations + 1, NULL,
                       companion.with_statement(c.stated_in, g.source_message_id),
                       c.earlier_stated_in, $2, $2,
                       CASE WHEN c.expires_at = c.confirmed_at + g.expires_after
                            THEN $2 + g.expires_after ELSE c.expires_at END
                WHERE g.is_same
                UNION ALL
                SELECT c.confirmations, g.value, c.stated_in,
                       companion.joined_statements(c.earlier_stated_in,
                                                   ARRAY[g.source_message_id]),
                       c.confirmed_at, c.last_referenced_at, c.expires_at
                WHERE NOT g.is_same),
            updated_at = $2
        FROM met AS g
        WHERE c.ctid = g.place AND c.user_id = $1 AND c.category = g.category
            AND c.folded_key = g.folded_key
            AND (c.expires_at IS NULL OR c.expires_at > $2)
            AND g.is_held AND (c.pinned OR c.source IN ('user', 'pinned'))
        RETURNING c.user_id, c.category, c.key, c.folded_key, )sql" CONTEXT_ITEM R"sql( AS item,
                  c.id, c.contradicted_by),
    added AS (
        INSERT INTO companion.user_context AS c
            (user_id, category, key, value, importance, emotional_valence, source, expires_at,
             source_message_id, metadata, pinned, folded_key, stated_in)
        SELECT $1, g.category, g.key, g.value, g.new_importance, g.new_valence, g.new_source,
               g.new_expiry, g.source_message_id, g.new_metadata, g.new_pinned, g.folded_key,
               ARRAY[g.source_message_id]
        FROM met AS g WHERE g.place IS NULL
        ON CONFLICT (user_id, category, folded_key) DO NOTHING
        RETURNING c.user_id, c.category, c.key, c.folded_key, )sql" CONTEXT_ITEM R"sql( AS item,
                  c.id),
    archived AS (
        INSERT INTO companion.user_context_history
            (user_id, category, key, value, source, held_from, held_until, replaced_by)
        SELECT t.user_id, t.category, t.key, t.previous_value, t.previous_source,
               t.previous_since, t.value_since, t.value
        FROM taken AS t WHERE t.is_to_archive
        RETURNING 1),
    counted AS (
        SELECT (SELECT count(*) FROM taken AS t WHERE t.is_to_archive)
             = (SELECT count(*) FROM archived) AS is_archived)
    SELECT t.user_id, t.category, t.key, t.folded_key, t.item, t.id,
           CASE WHEN t.previous_value IS NULL THEN 'confirmed' ELSE 'superseded' END,
           n.is_archived
    FROM taken AS t CROSS JOIN counted AS n
    UNION ALL
    SELECT h.user_id, h.category, h.key, h.folded_key, h.item, h.id,
           CASE WHEN h.contradicted_by IS NULL THEN 'confirmed' ELSE 'held' END, true
    FROM held AS h
    UNION ALL
    SELECT a.user_id, a.category, a.key, a.folded_key, a.item, a.id, 'added', true
    FROM added AS a)sql",
                             UUIDOID, TIMESTAMPTZOID};

// The facts that nothing has become of yet, as the statement's given rows.
static Given given_of(const Facts &facts)
{
    Given given{{"category", TEXTOID},
                {"key", TEXTOID},
                {"value", TEXTOID},
                {"importance", FLOAT8OID},
                {"emotional_valence", INT4OID},
                {"source", TEXTOID},
                {"expires_at", TIMESTAMPTZOID},
                {"source_message_id", UUIDOID},
                {"metadata", JSONBOID},
                {"pinned", BOOLOID},
                {"folded_key", TEXTOID},
                {"is_users_word", BOOLOID},
                {"expires_after", INTERVALOID},
                {"keeps_history", BOOLOID}};
    for (int index = 0; index < facts.distinct_count; index++) {
        ListedFact &fact = *facts.distinct[index];
        if (fact.outcome != nullptr)
            continue;
        const auto v = [&](Fact::Field field) {
            return NullableDatum{fact.values[field], fact.is_null[field]};
        };
        CategoryPolicy policy = policy_of(fact.text(Fact::category));
        given.add({v(Fact::category),
                   v(Fact::key),
                   v(Fact::value),
                   v(Fact::importance),
                   v(Fact::emotional_valence),
                   v(Fact::source),
                   v(Fact::expires_at),
                   v(Fact::source_message_id),
                   v(Fact::metadata),
                   v(Fact::pinned),
                   {fact.folded_key},
                   {BoolGetDatum(fact.is_users_word())},
                   {IntervalPGetDatum(&policy.expires_after), !policy.expires()},
                   {BoolGetDatum(policy.keeps_history)}});
    }
    return given;
}

// What a word in a result is called here: outcomes outlive the result.
static const char *outcome_named(std::string_view word)
{
    for (const char *outcome : {"added", "confirmed", "superseded", "held"})
        if (word == outcome)
            return outcome;
    pg_unreachable();
}

// Give a row that upsert_many has returned to its fact. Error 09000 where there is none.
static void take_in(uint64 row, Datum user_id, const Facts &facts)
{
    ListedFact *fact = facts.find(text_view(result_field(row, 2)), text_view(result_field(row, 4)));
    if (fact == nullptr || fact->outcome != nullptr)
        refuse_changed("user_context", "user_id, category or key");
    require_own_item(row, 1, user_id, *fact);
    fact->item = datumCopy(result_field(row, 5), false, -1);
    fact->id = *DatumGetUUIDP(result_field(row, 6));
    fact->outcome = outcome_named(text_view(result_field(row, 7)));
}

static bool is(const ListedFact &fact, std::string_view outcome)
{
    return fact.outcome != nullptr && fact.outcome == outcome;
}

// Drop what superseded values meant. Whoever had stored that meanwhile was waited for, and a new
// statement sees it.
static void drop_superseded_embeddings(Datum user_id, const Facts &facts)
{
    ArrayBuilder items(UUIDOID);
    for (int index = 0; index < facts.distinct_count; index++)
        if (is(*facts.distinct[index], "superseded"))
            items.add(UUIDPGetDatum(&facts.distinct[index]->id));
    if (items.size() > 0)
        drop_embeddings(user_id, items.finish());
}

// Upsert the facts that nothing has become of yet.
static void upsert_remaining(Datum user_id, const Facts &facts)
{
    const uint64 rows = upsert_many.execute(given_of(facts), {user_id, TimestampTzGetDatum(now())});
    if (rows > 0 && !DatumGetBool(result_field(0, 8)))
        refuse_suppressed("user_context_history");
    for (uint64 row = 0; row < rows; row++)
        take_in(row, user_id, facts);
}

static bool are_done(const Facts &facts)
{
    return std::all_of(facts.distinct, facts.distinct + facts.distinct_count,
                       [](const ListedFact *fact) { return fact->outcome != nullptr; });
}

// Ready the items of the facts that have none yet for another look.
static void ready_for_look(Datum user_id, const Facts &facts)
{
    ArrayBuilder categories(TEXTOID), folded_keys(TEXTOID);
    for (int index = 0; index < facts.distinct_count; index++) {
        const ListedFact &fact = *facts.distinct[index];
        if (fact.outcome != nullptr)
            continue;
        categories.add(fact.values[Fact::category]);
        folded_keys.add(fact.folded_key);
    }
    free_places(user_id, categories.finish(), folded_keys.finish());
}

// After the facts have become items: those of a category come one after the other.
static void bound_items(Datum user_id, const Facts &facts)
{
    int new_items = 0;
    for (int first = 0, next; first < facts.distinct_count; first = next) {
        const Datum category = facts.distinct[first]->values[Fact::category];
        ArrayBuilder ids(UUIDOID);
        for (next = first; next < facts.distinct_count; next++) {
            ListedFact &fact = *facts.distinct[next];
            if (fact.text(Fact::category) != text_view(category))
                break;
            if (is(fact, "added"))
                ids.add(UUIDPGetDatum(&fact.id));
        }
        new_items += ids.size();
        if (ids.size() > 0)
            make_room(user_id, category, ids.finish());
    }
    if (new_items > 0)
        check_item_limit(user_id, new_items);
}

void upsert_facts(Datum user_id, const Facts &facts)
{
    for (int look = 0; !are_done(facts); look++) {
        if (look == looks)
            refuse_suppressed("user_context");
        if (look > 0)
            ready_for_look(user_id, facts);
        upsert_remaining(user_id, facts);
    }
    drop_superseded_embeddings(user_id, facts);
    bound_items(user_id, facts);
}

} // namespace companion

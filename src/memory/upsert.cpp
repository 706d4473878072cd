// Remembering facts: new ones, confirmed ones, ones that supersede another.
#include "identity/acting.hpp"
#include "memory/facts.hpp"
#include "memory/history.hpp"
#include "memory/item.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"
#include "users/user_row.hpp"

#include <algorithm>

using namespace companion;

namespace {

// A new item, or one that is there and takes the fact; $12: whether that is the user's word, $13:
// now, once, since each call of a function in a statement has its price. The value that it
// supersedes moves to previous_value. As a trigger may have changed the value, excluded has it;
// what it cannot change is xmax, which only a row has that was there: it has been locked.
Statement take{R"sql(
    INSERT INTO companion.user_context AS c
        (user_id, category, key, value, importance, emotional_valence, source, expires_at,
         source_message_id, metadata, pinned,
         confirmed_at, last_referenced_at, value_since, created_at, updated_at)
    VALUES ($1, $2, $3, $4, coalesce($5, 0.5), coalesce($6, 0), coalesce($7, 'extracted'),
            nullif($8, 'infinity'), $9, coalesce($10, '{}'), coalesce($11, false),
            $13, $13, $13, $13, $13)
    ON CONFLICT (user_id, category, key) DO UPDATE SET
        value = excluded.value,
        importance = coalesce($5, c.importance),
        emotional_valence = coalesce($6, c.emotional_valence),
        source = coalesce($7, c.source),
        source_message_id = coalesce($9, c.source_message_id),
        metadata = coalesce($10, c.metadata),
        pinned = coalesce($11, c.pinned),
        expires_at = nullif(coalesce($8, c.expires_at), 'infinity'),
        resolved_at = CASE WHEN c.value = excluded.value THEN c.resolved_at END,
        confirmations = CASE WHEN c.value = excluded.value THEN c.confirmations + 1 ELSE 1 END,
        value_since = CASE WHEN c.value = excluded.value THEN c.value_since
                           ELSE greatest(c.value_since, $13) END,
        previous_value = nullif(c.value, excluded.value),
        previous_source = c.source,
        previous_since = c.value_since,
        contradicted_by = NULL,
        confirmed_at = $13,
        last_referenced_at = $13,
        updated_at = $13
    WHERE (c.expires_at IS NULL OR c.expires_at > $13)
        AND ($12 OR NOT (c.pinned OR c.source IN ('user', 'pinned')))
    RETURNING )sql" CONTEXT_ITEM R"sql(, c.user_id, c.category, c.key,
              c.previous_value, c.previous_source, c.previous_since, c.value_since, c.value,
              c.xmax)sql",
               UUIDOID,
               TEXTOID,
               TEXTOID,
               TEXTOID,
               FLOAT4OID,
               INT4OID,
               TEXTOID,
               TIMESTAMPTZOID,
               UUIDOID,
               JSONBOID,
               BOOLOID,
               BOOLOID,
               TIMESTAMPTZOID};

Statement archive{R"sql(
    INSERT INTO companion.user_context_history
        (user_id, category, key, value, source, held_from, held_until, replaced_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8))sql",  UUIDOID,        TEXTOID,        TEXTOID, TEXTOID,
                  TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID};

// An item that the user has stated or pinned, given another's word: it is confirmed or, by
// another value, contradicted.
Statement hold{R"sql(
    UPDATE companion.user_context AS c SET
        confirmations = c.confirmations + (c.value = $4)::integer,
        contradicted_by = nullif($4, c.value),
        confirmed_at = CASE WHEN c.value = $4 THEN companion.now() ELSE c.confirmed_at END,
        last_referenced_at = CASE WHEN c.value = $4 THEN companion.now()
                                  ELSE c.last_referenced_at END,
        updated_at = companion.now()
    WHERE c.user_id = $1 AND c.category = $2 AND c.key = $3
        AND (c.expires_at IS NULL OR c.expires_at > companion.now())
        AND (c.pinned OR c.source IN ('user', 'pinned'))
    RETURNING )sql" CONTEXT_ITEM R"sql(, c.user_id, c.category, c.key)sql",
               UUIDOID, TEXTOID, TEXTOID, TEXTOID};

// Returns whether all that held once is in the history.
Statement drop_expired{R"sql(
    WITH dropped AS (
        DELETE FROM companion.user_context AS c USING unnest($2, $3) AS g (category, key)
        WHERE c.user_id = $1 AND c.category = g.category AND c.key = g.key
            AND c.expires_at <= companion.now()
        RETURNING )sql" DROPPED R"sql(),
    archived AS ()sql" ARCHIVE_DROPPED R"sql()
    SELECT )sql" IS_ARCHIVED R"sql( FROM dropped AS d)sql",
                       UUIDOID, TEXTARRAYOID, TEXTARRAYOID};

// All of these for many facts; $12 tells which are the user's word. An item that has
// expired, or that another transaction has made or changed meanwhile, is missing in the
// result. The items that are there are looked for once, and then met at their places.
Statement upsert_many{R"sql(
    WITH given AS MATERIALIZED (
        SELECT g.category, g.key, g.value, g.importance, g.emotional_valence, g.source,
               g.expires_at, g.source_message_id, g.metadata, g.pinned, g.is_users_word,
               c.ctid AS place,
               NOT g.is_users_word AND (c.pinned OR c.source IN ('user', 'pinned')) AS is_held
        FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS g
            (category, key, value, importance, emotional_valence, source, expires_at,
             source_message_id, metadata, pinned, is_users_word)
        LEFT JOIN companion.user_context AS c
            ON c.user_id = $1 AND c.category = g.category AND c.key = g.key),
    taken AS (
        UPDATE companion.user_context AS c SET
            value = g.value,
            importance = coalesce(g.importance, c.importance),
            emotional_valence = coalesce(g.emotional_valence, c.emotional_valence),
            source = coalesce(g.source, c.source),
            source_message_id = coalesce(g.source_message_id, c.source_message_id),
            metadata = coalesce(g.metadata, c.metadata),
            pinned = coalesce(g.pinned, c.pinned),
            expires_at = nullif(coalesce(g.expires_at, c.expires_at), 'infinity'),
            resolved_at = CASE WHEN c.value = g.value THEN c.resolved_at END,
            confirmations = CASE WHEN c.value = g.value THEN c.confirmations + 1 ELSE 1 END,
            value_since = CASE WHEN c.value = g.value THEN c.value_since
                               ELSE greatest(c.value_since, companion.now()) END,
            previous_value = nullif(c.value, g.value),
            previous_source = c.source,
            previous_since = c.value_since,
            contradicted_by = NULL,
            confirmed_at = companion.now(),
            last_referenced_at = companion.now(),
            updated_at = companion.now()
        FROM given AS g
        WHERE c.ctid = g.place AND c.user_id = $1 AND c.category = g.category AND c.key = g.key
            AND (c.expires_at IS NULL OR c.expires_at > companion.now())
            AND NOT g.is_held
            AND (g.is_users_word OR NOT (c.pinned OR c.source IN ('user', 'pinned')))
        RETURNING c.user_id, c.category, c.key, )sql" CONTEXT_ITEM R"sql( AS item,
                  c.previous_value, c.previous_source, c.previous_since, c.value_since, c.value),
    held AS (
        UPDATE companion.user_context AS c SET
            confirmations = c.confirmations + (c.value = g.value)::integer,
            contradicted_by = nullif(g.value, c.value),
            confirmed_at = CASE WHEN c.value = g.value THEN companion.now()
                                ELSE c.confirmed_at END,
            last_referenced_at = CASE WHEN c.value = g.value THEN companion.now()
                                      ELSE c.last_referenced_at END,
            updated_at = companion.now()
        FROM given AS g
        WHERE c.ctid = g.place AND c.user_id = $1 AND c.category = g.category AND c.key = g.key
            AND (c.expires_at IS NULL OR c.expires_at > companion.now())
            AND g.is_held AND (c.pinned OR c.source IN ('user', 'pinned'))
        RETURNING c.user_id, c.category, c.key, )sql" CONTEXT_ITEM R"sql( AS item),
    added AS (
        INSERT INTO companion.user_context AS c
            (user_id, category, key, value, importance, emotional_valence, source, expires_at,
             source_message_id, metadata, pinned)
        SELECT $1, g.category, g.key, g.value, coalesce(g.importance, 0.5),
               coalesce(g.emotional_valence, 0), coalesce(g.source, 'extracted'),
               nullif(g.expires_at, 'infinity'), g.source_message_id, coalesce(g.metadata, '{}'),
               coalesce(g.pinned, false)
        FROM given AS g WHERE g.place IS NULL
        ON CONFLICT (user_id, category, key) DO NOTHING
        RETURNING c.user_id, c.category, c.key, )sql" CONTEXT_ITEM R"sql( AS item),
    archived AS (
        INSERT INTO companion.user_context_history
            (user_id, category, key, value, source, held_from, held_until, replaced_by)
        SELECT t.user_id, t.category, t.key, t.previous_value, t.previous_source,
               t.previous_since, t.value_since, t.value
        FROM taken AS t WHERE t.previous_value <> t.value
        RETURNING 1),
    counted AS (
        SELECT (SELECT count(*) FROM taken AS t WHERE t.previous_value <> t.value)
             = (SELECT count(*) FROM archived) AS is_archived)
    SELECT t.user_id, t.category, t.key, t.item, false, n.is_archived
    FROM taken AS t CROSS JOIN counted AS n
    UNION ALL SELECT h.user_id, h.category, h.key, h.item, false, true FROM held AS h
    UNION ALL SELECT a.user_id, a.category, a.key, a.item, true, true FROM added AS a)sql",
                      UUIDOID,
                      TEXTARRAYOID,
                      TEXTARRAYOID,
                      TEXTARRAYOID,
                      FLOAT4ARRAYOID,
                      INT4ARRAYOID,
                      TEXTARRAYOID,
                      TIMESTAMPTZARRAYOID,
                      UUIDARRAYOID,
                      JSONBARRAYOID,
                      BOOLARRAYOID,
                      BOOLARRAYOID};

// Keep the items from being changed by others, so that the next look meets them at their places.
Statement lock_items{R"sql(
    SELECT FROM unnest($2, $3) AS g (category, key)
    JOIN companion.user_context AS c
        ON c.user_id = $1 AND c.category = g.category AND c.key = g.key
    ORDER BY c.category, c.key FOR NO KEY UPDATE OF c)sql",
                     UUIDOID, TEXTARRAYOID, TEXTARRAYOID};

Statement count_items{"SELECT count(*) FROM companion.user_context WHERE user_id = $1", UUIDOID};

Statement find_end_of_day{"SELECT companion.end_of_day($1, $2)", UUIDOID, DATEOID};

// How often an item is looked for that is neither there nor can be made: somebody else may have
// made, changed or deleted it between two looks; or a trigger has suppressed the row.
constexpr int looks = 5;

// Refuse new items beyond the limit. To count them all at each addition would cost more
// than the addition: they are counted at one in limit / 64, chosen at random, so a user
// gets about a sixty-fourth beyond a large limit, and nothing beyond a small one. Error
// 54000.
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

// The item of the last result, which must be the fact's own. Error 09000.
Datum returned_item(Datum user_id, const Fact &fact)
{
    if (!is_same_uuid(result_field(0, 2), user_id) ||
        text_view(result_field(0, 3)) != fact.text(Fact::category) ||
        text_view(result_field(0, 4)) != fact.text(Fact::key))
        refuse_changed("user_context", "user_id, category or key");
    return SPI_datumTransfer(result_field(0, 1), false, -1);
}

// Move what the item has superseded, if anything, to the history. Error 09000.
void archive_superseded(Datum user_id, const Fact &fact)
{
    bool has_none;
    const Datum previous_value = result_field(0, 5, &has_none), value = result_field(0, 9);
    if (has_none || text_view(previous_value) == text_view(value))
        return;
    const Datum *v = fact.values;
    if (archive.execute({user_id, v[Fact::category], v[Fact::key], previous_value,
                         result_field(0, 6), result_field(0, 7), result_field(0, 8), value}) == 0)
        refuse_suppressed("user_context_history");
}

// Error 09000 unless the last result says that all is in the history that should be.
void require_archived(int column)
{
    if (!DatumGetBool(result_field(0, column)))
        refuse_suppressed("user_context_history");
}

// One fact and what may become of it; each attempt returns the item, or zero when it is
// not its case.
class Upsert {
  public:
    Upsert(Datum user_id, const Fact &fact) : user_id_(user_id), fact_(fact), v_(fact.values)
    {
        std::fill(std::begin(nulls_), std::end(nulls_), ' ');
        for (int field = 0; field < Fact::field_count; field++)
            nulls_[1 + field] = fact.is_null[field] ? 'n' : ' ';
    }

    // Somebody else may add or delete the item between two attempts: so again.
    Datum run()
    {
        for (int look = 0; look < looks; look++) {
            if (const Datum item = try_to_take())
                return item;
            if (const Datum item = try_to_hold())
                return item;
            drop_if_expired();
        }
        refuse_suppressed("user_context");
    }

  private:
    Datum try_to_take()
    {
        if (take.execute({user_id_, v_[0], v_[1], v_[2], v_[3], v_[4], v_[5], v_[6], v_[7], v_[8],
                          v_[9], BoolGetDatum(fact_.is_users_word()), TimestampTzGetDatum(now())},
                         nulls_) == 0)
            return 0;
        const Datum item = returned_item(user_id_, fact_);
        if (DatumGetTransactionId(result_field(0, 10)) == InvalidTransactionId)
            check_item_limit(user_id_, 1);
        else
            archive_superseded(user_id_, fact_);
        return item;
    }

    Datum try_to_hold()
    {
        if (fact_.is_users_word())
            return 0;
        const bool holds =
            hold.execute({user_id_, v_[Fact::category], v_[Fact::key], v_[Fact::value]}) > 0;
        return holds ? returned_item(user_id_, fact_) : 0;
    }

    void drop_if_expired()
    {
        drop_expired.execute({user_id_, array_of_one(TEXTOID, v_[Fact::category]),
                              array_of_one(TEXTOID, v_[Fact::key])});
        require_archived(1);
    }

    Datum user_id_;
    const Fact &fact_;
    const Datum *v_;
    char nulls_[1 + Fact::field_count + 2];
};

// A field of the facts that have no item yet, as an array.
Datum column_of(const Facts &facts, Fact::Field field)
{
    ArrayBuilder builder(Fact::types[field]);
    for (int index = 0; index < facts.distinct_count; index++) {
        const ListedFact &fact = *facts.distinct[index];
        if (fact.item == 0)
            builder.add(fact.values[field], fact.is_null[field]);
    }
    return builder.finish();
}

// Which of the facts that have no item yet are the user's word.
Datum users_words(const Facts &facts)
{
    ArrayBuilder builder(BOOLOID);
    for (int index = 0; index < facts.distinct_count; index++)
        if (facts.distinct[index]->item == 0)
            builder.add(BoolGetDatum(facts.distinct[index]->is_users_word()));
    return builder.finish();
}

// How many facts have become items, and how many of these are new.
struct Progress {
    int items = 0;
    int new_items = 0;
};

// Give a row that upsert_many has returned to its fact. Error 09000 where there is none.
void take_in(uint64 row, Datum user_id, const Facts &facts, Progress &progress)
{
    ListedFact *fact = facts.find(text_view(result_field(row, 2)), text_view(result_field(row, 3)));
    if (fact == nullptr || fact->item != 0 || !is_same_uuid(result_field(row, 1), user_id))
        refuse_changed("user_context", "user_id, category or key");
    fact->item = result_field(row, 4);
    progress.items++;
    progress.new_items += DatumGetBool(result_field(row, 5));
}

// Upsert the facts that have no item yet.
void upsert_remaining(Datum user_id, const Facts &facts, Progress &progress)
{
    Datum c[Fact::field_count];
    for (int field = 0; field < Fact::field_count; field++)
        c[field] = column_of(facts, static_cast<Fact::Field>(field));
    const uint64 rows = upsert_many.execute(
        {user_id, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], users_words(facts)});
    if (rows > 0)
        require_archived(6);
    for (uint64 row = 0; row < rows; row++)
        take_in(row, user_id, facts, progress);
}

// Ready the items of the facts that have none yet for another look.
void free_places(Datum user_id, const Facts &facts)
{
    const Datum categories = column_of(facts, Fact::category), keys = column_of(facts, Fact::key);
    lock_items.execute({user_id, categories, keys});
    drop_expired.execute({user_id, categories, keys});
    require_archived(1);
}

// Turn local dates into the instants at which they end.
void resolve_expiry_dates(Datum user_id, Facts &facts)
{
    for (int index = 0; index < facts.count; index++) {
        ListedFact &fact = facts.begin[index];
        if (!fact.expires_on_date)
            continue;
        const Datum date = fact.values[Fact::expires_at];
        const bool found = find_end_of_day.execute({user_id, date}) > 0;
        if (found)
            fact.values[Fact::expires_at] = result_field(0, 1, &fact.is_null[Fact::expires_at]);
    }
}

void upsert_facts(Datum user_id, Facts &facts)
{
    resolve_expiry_dates(user_id, facts);
    Progress progress;
    for (int look = 0; progress.items < facts.distinct_count; look++) {
        if (look == looks)
            refuse_suppressed("user_context");
        if (look > 0)
            free_places(user_id, facts);
        upsert_remaining(user_id, facts, progress);
    }
    if (progress.new_items > 0)
        check_item_limit(user_id, progress.new_items);
}

void return_items(const Facts &facts, ReturnSetInfo *result)
{
    for (int index = 0; index < facts.count; index++)
        put_composite(result->setResult, facts.begin[index].counts->item);
}

} // namespace

COMPANION_FUNCTION(upsert_user_context)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    Fact fact;
    for (int field = 0; field < Fact::field_count; field++) {
        fact.values[field] = arguments.optional(1 + field);
        fact.is_null[field] = arguments.is_null(1 + field);
    }
    fact.complete();
    return act_for(user_id, [&] { return Upsert(user_id, fact).run(); });
}

COMPANION_FUNCTION(upsert_user_context_many)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    Facts facts = read_facts(DatumGetJsonbP(arguments.required(1, "facts")));
    InitMaterializedSRF(fcinfo, 0);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    act_for(user_id, [&] {
        lock_user(user_id);
        upsert_facts(user_id, facts);
        return_items(facts, result);
        return true;
    });
    return Datum{0};
}

// Remembering facts: new ones, confirmed ones, ones that supersede another.
#include "identity/acting.hpp"
#include "memory/facts.hpp"
#include "memory/history.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"

using namespace companion;

namespace {

// What becomes of a standing item c that is given a fact; the fields are SQL
// expressions. The user's word stands against any other source's. In short: value,
// importance and the like are taken or, where NULL, kept; a value that is superseded
// moves to previous_value, one that is not taken to contradicted_by.
#define USERS_WORD(source) "coalesce(" source " IN ('user', 'pinned'), false)"
#define STANDS(source) "((c.pinned OR " USERS_WORD("c.source") ") AND NOT " USERS_WORD(source) ")"
#define KEEPS_VALUE(value, source) "(c.value = " value " OR " STANDS(source) ")"
#define IS_REFUSED(value, source) "(c.value <> " value " AND " STANDS(source) ")"
#define TAKEN(column, given, source)                                                               \
    column " = CASE WHEN " STANDS(source) " THEN c." column " ELSE coalesce(" given ", c." column  \
                                          ") END, "
#define MERGE(value, importance, emotional_valence, source, expires_at, source_message_id,                                                                      \
              metadata, pinned)                                                                                                                                 \
    TAKEN("value", value, source)                                                                                                                               \
    TAKEN("importance", importance, source)                                                                                                                     \
    TAKEN("emotional_valence", emotional_valence, source)                                                                                                       \
    TAKEN("source", source, source)                                                                                                                             \
    TAKEN("source_message_id", source_message_id, source)                                                                                                       \
    TAKEN("metadata", metadata, source)                                                                                                                         \
    "expires_at = CASE WHEN " STANDS(                                                                                                                           \
        source) " THEN c.expires_at"                                                                                                                            \
                "                  ELSE nullif(coalesce(" expires_at                                                                                            \
                ", c.expires_at), 'infinity') END,"                                                                                                             \
                "pinned = coalesce(" pinned ", c.pinned OR " source " = 'pinned', c.pinned),"                                                                   \
                "resolved_at = CASE WHEN " KEEPS_VALUE(                                                                                                         \
                    value,                                                                                                                                      \
                    source) " THEN c.resolved_at END,"                                                                                                          \
                            "confirmations = CASE WHEN " IS_REFUSED(                                                                                            \
                                value,                                                                                                                          \
                                source) " THEN c.confirmations"                                                                                                 \
                                        "                     WHEN c.value = " value                                                                            \
                                        " THEN c.confirmations + 1 ELSE 1 END,"                                                                                 \
                                        "confirmed_at = CASE WHEN " IS_REFUSED(                                                                                 \
                                            value,                                                                                                              \
                                            source) " THEN c.confirmed_at"                                                                                      \
                                                    "                    ELSE "                                                                                 \
                                                    "greatest(c.confirmed_at, companion.now()) "                                                                \
                                                    "END,"                                                                                                      \
                                                    "last_referenced_at = CASE WHEN " IS_REFUSED(                                                               \
                                                        value,                                                                                                  \
                                                        source) " THEN c.last_referenced_at"                                                                    \
                                                                "                          ELSE "                                                               \
                                                                "greatest(c.last_referenced_at, "                                                               \
                                                                "companion.now()) END,"                                                                         \
                                                                "value_since = CASE "                                                                           \
                                                                "WHEN " KEEPS_VALUE(                                                                            \
                                                                    value,                                                                                      \
                                                                    source) " THEN c.value_since"                                                               \
                                                                            "                   "                                                               \
                                                                            "ELSE "                                                                             \
                                                                            "greatest(c.value_"                                                                 \
                                                                            "since, "                                                                           \
                                                                            "companion.now()) "                                                                 \
                                                                            "END,"                                                                              \
                                                                            "previous_value = "                                                                 \
                                                                            "CASE "                                                                             \
                                                                            "WHEN " KEEPS_VALUE(                                                                \
                                                                                value,                                                                          \
                                                                                source) " THEN "                                                                \
                                                                                        "c."                                                                    \
                                                                                        "previous"                                                              \
                                                                                        "_value"                                                                \
                                                                                        "        "                                                              \
                                                                                        "        "                                                              \
                                                                                        "      "                                                                \
                                                                                        "ELSE "                                                                 \
                                                                                        "c.value "                                                              \
                                                                                        "END,"                                                                  \
                                                                                        "previous"                                                              \
                                                                                        "_source "                                                              \
                                                                                        "= CASE "                                                               \
                                                                                        "WHEN"                                                                  \
                                                                                        " " KEEPS_VALUE(                                                        \
                                                                                            value,                                                              \
                                                                                            source) " THEN c.previous_source"                                   \
                                                                                                    "                       ELSE c.source END,"                 \
                                                                                                    "previous_since = CASE WHEN " KEEPS_VALUE(                  \
                                                                                                        value,                                                  \
                                                                                                        source) " THEN c.previous_since"                        \
                                                                                                                "                      ELSE c.value_since END," \
                                                                                                                "contradicted_by = CASE WHEN " IS_REFUSED(      \
                                                                                                                    value,                                      \
                                                                                                                    source) " THEN " value                      \
                                                                                                                            " END,"                             \
                                                                                                                            "updated_at = companion.now()"

#define NEW_ITEM(value, importance, emotional_valence, source, expires_at, source_message_id,      \
                 metadata, pinned)                                                                 \
    value ", coalesce(" importance ", 0.5), coalesce(" emotional_valence ", 0),"                   \
          " coalesce(" source ", 'extracted'), nullif(" expires_at                                 \
          ", 'infinity'), " source_message_id ", coalesce(" metadata ", '{}'), coalesce(" pinned   \
          ", " source " = 'pinned', false)"
#define NEW_ITEM_COLUMNS                                                                           \
    "(user_id, category, key, value, importance, emotional_valence, source, expires_at,"           \
    " source_message_id, metadata, pinned)"

#define IS_LIVE "(c.expires_at IS NULL OR c.expires_at > companion.now())"

// What an upsert did, told by the row that it left: a first statement has one
// confirmation, and so has one that superseded another.
#define IS_FIRST_STATEMENT "c.confirmations = 1 AND c.contradicted_by IS NULL"
#define IS_NEW IS_FIRST_STATEMENT " AND c.previous_value IS NULL"
#define HAS_SUPERSEDED IS_FIRST_STATEMENT " AND c.previous_value IS NOT NULL"

// No row when the item has expired: it is locked then, to be dropped.
#define GIVEN "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11"
#define EXPAND(macro, arguments) macro(arguments)
Statement upsert{"INSERT INTO companion.user_context AS c " NEW_ITEM_COLUMNS
                 " VALUES ($1, $2, $3, " EXPAND(
                     NEW_ITEM, GIVEN) ")"
                                      " ON CONFLICT (user_id, category, key) DO UPDATE SET " EXPAND(
                                          MERGE, GIVEN) " WHERE " IS_LIVE " RETURNING c, " IS_NEW
                                                        ", " HAS_SUPERSEDED,
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
                 BOOLOID};
#undef GIVEN

// The same for many. An item that has expired, or that another transaction has made
// meanwhile, is missing in the result.
#define GIVEN                                                                                      \
    "g.value", "g.importance", "g.emotional_valence", "g.source", "g.expires_at",                  \
        "g.source_message_id", "g.metadata", "g.pinned"
Statement upsert_many{
    "WITH given AS MATERIALIZED ("
    " SELECT * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS g"
    " (category, key, value, importance, emotional_valence, source, expires_at,"
    "  source_message_id, metadata, pinned)),"
    "updated AS ("
    " UPDATE companion.user_context AS c SET " EXPAND(
        MERGE,
        GIVEN) " FROM given AS g"
               " WHERE c.user_id = $1 AND c.category = g.category AND c.key = g.key AND " IS_LIVE
               " RETURNING c.*, c AS item),"
               "added AS ("
               " INSERT INTO companion.user_context AS c " NEW_ITEM_COLUMNS
               " SELECT $1, g.category, g.key, " EXPAND(
                   NEW_ITEM, GIVEN) " FROM given AS g"
                                    " ON CONFLICT (user_id, category, key) DO NOTHING"
                                    " RETURNING c.category, c.key, c AS item),"
                                    "archived AS (" ARCHIVE_PREVIOUS
                                    " FROM updated AS c WHERE " HAS_SUPERSEDED ")"
                                    "SELECT category, key, item, false FROM updated"
                                    " UNION ALL SELECT category, key, item, true FROM added",
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
    BOOLARRAYOID};
#undef GIVEN

Statement archive_previous{ARCHIVE_PREVIOUS
                           " FROM companion.user_context AS c"
                           " WHERE c.user_id = $1 AND c.category = $2 AND c.key = $3",
                           UUIDOID, TEXTOID, TEXTOID};

Statement drop_expired{"WITH dropped AS ("
                       " DELETE FROM companion.user_context AS c"
                       " USING unnest($2, $3) AS g (category, key)"
                       " WHERE c.user_id = $1 AND c.category = g.category AND c.key = g.key"
                       "   AND NOT " IS_LIVE " RETURNING c.*) " ARCHIVE_EXPIRED,
                       UUIDOID, TEXTARRAYOID, TEXTARRAYOID};

Statement find_item_beyond{
    "SELECT FROM companion.user_context WHERE user_id = $1 OFFSET $2 LIMIT 1", UUIDOID, INT4OID};

Statement find_end_of_day{"SELECT companion.end_of_day($1, $2)", UUIDOID, DATEOID};

// Refuse new items beyond the limit. Error 54000.
void check_item_limit(Datum user_id)
{
    const int limit = settings::max_context_items;
    if (find_item_beyond.execute({user_id, Int32GetDatum(limit)}) > 0)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("user has more than %d context items", limit),
                errhint("Forget some, or raise companion.max_context_items."));
}

Datum array_of(Datum text)
{
    ArrayBuilder builder(TEXTOID);
    builder.add(text);
    return builder.finish();
}

Datum upsert_fact(Datum user_id, const Fact &fact)
{
    const Datum *v = fact.values;
    char nulls[1 + Fact::field_count] = {' '};
    for (int field = 0; field < Fact::field_count; field++)
        nulls[1 + field] = fact.is_null[field] ? 'n' : ' ';
    const Datum category = v[Fact::category], key = v[Fact::key];
    while (upsert.execute({user_id, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]},
                          nulls) == 0)
        drop_expired.execute({user_id, array_of(category), array_of(key)});
    const Datum item = SPI_datumTransfer(result_field(0, 1), false, -1);
    const bool is_new = DatumGetBool(result_field(0, 2));
    const bool has_superseded = DatumGetBool(result_field(0, 3));
    if (is_new)
        check_item_limit(user_id);
    if (has_superseded)
        archive_previous.execute({user_id, category, key});
    return item;
}

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

struct Upserted {
    int items;
    bool any_new;
};

// Upsert the facts that have no item yet.
Upserted upsert_remaining(Datum user_id, const Facts &facts)
{
    Datum columns[Fact::field_count];
    for (int field = 0; field < Fact::field_count; field++)
        columns[field] = column_of(facts, static_cast<Fact::Field>(field));
    const Datum *c = columns;
    const uint64 rows =
        upsert_many.execute({user_id, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9]});
    Upserted upserted{static_cast<int>(rows), false};
    for (uint64 row = 0; row < rows; row++) {
        ListedFact *fact =
            facts.find(text_view(result_field(row, 1)), text_view(result_field(row, 2)));
        fact->item = result_field(row, 3);
        upserted.any_new = upserted.any_new || DatumGetBool(result_field(row, 4));
    }
    return upserted;
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
    bool any_new = false;
    for (int remaining = facts.distinct_count; remaining > 0;) {
        const Upserted upserted = upsert_remaining(user_id, facts);
        any_new = any_new || upserted.any_new;
        remaining -= upserted.items;
        if (remaining > 0)
            drop_expired.execute(
                {user_id, column_of(facts, Fact::category), column_of(facts, Fact::key)});
    }
    if (any_new)
        check_item_limit(user_id);
}

void return_items(const Facts &facts, ReturnSetInfo *result)
{
    for (int index = 0; index < facts.count; index++) {
        HeapTupleHeader item = DatumGetHeapTupleHeader(facts.begin[index].counts->item);
        HeapTupleData tuple{};
        tuple.t_len = HeapTupleHeaderGetDatumLength(item);
        tuple.t_data = item;
        tuplestore_puttuple(result->setResult, &tuple);
    }
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
    fact.check();
    return act_for(fcinfo, user_id, [&] { return upsert_fact(user_id, fact); });
}

COMPANION_FUNCTION(upsert_user_context_many)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    Facts facts = read_facts(DatumGetJsonbP(arguments.required(1, "facts")));
    InitMaterializedSRF(fcinfo, 0);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    act_for(fcinfo, user_id, [&] {
        upsert_facts(user_id, facts);
        return_items(facts, result);
        return true;
    });
    return Datum{0};
}

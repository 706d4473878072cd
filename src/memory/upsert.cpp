// Remembering facts: new ones, confirmed ones, ones that supersede another.
#include "identity/acting.hpp"
#include "memory/facts.hpp"
#include "memory/history.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "users/user_row.hpp"

#include <algorithm>

using namespace companion;

namespace {

// The statements are laid out by hand.
// clang-format off

// What becomes of an item c that takes a fact; the fields are SQL expressions. The
// value that it supersedes moves to previous_value.
#define UNLESS_SAME(value, column, otherwise) \
    column " = CASE WHEN c.value = " value " THEN c." column otherwise " END,"
#define TAKE(value, importance, emotional_valence, source, expires_at, source_message_id, \
             metadata, pinned) \
    "value = " value "," \
    "importance = coalesce(" importance ", c.importance)," \
    "emotional_valence = coalesce(" emotional_valence ", c.emotional_valence)," \
    "source = coalesce(" source ", c.source)," \
    "source_message_id = coalesce(" source_message_id ", c.source_message_id)," \
    "metadata = coalesce(" metadata ", c.metadata)," \
    "pinned = coalesce(" pinned ", c.pinned)," \
    "expires_at = nullif(coalesce(" expires_at ", c.expires_at), 'infinity')," \
    UNLESS_SAME(value, "resolved_at", "") \
    UNLESS_SAME(value, "confirmations", " + 1 ELSE 1") \
    UNLESS_SAME(value, "value_since", " ELSE greatest(c.value_since, companion.now())") \
    "previous_value = nullif(c.value, " value ")," \
    "previous_source = c.source," \
    "previous_since = c.value_since," \
    "contradicted_by = NULL," \
    "confirmed_at = companion.now()," \
    "last_referenced_at = companion.now()," \
    "updated_at = companion.now()"

// What becomes of an item that the user has stated or pinned, given another's word: it
// is confirmed or, by another value, contradicted.
#define HOLD(value) \
    "confirmations = c.confirmations + (c.value = " value ")::integer," \
    "contradicted_by = nullif(" value ", c.value)," \
    "confirmed_at = CASE WHEN c.value = " value " THEN companion.now() ELSE c.confirmed_at END," \
    "last_referenced_at = CASE WHEN c.value = " value " THEN companion.now()" \
    "                          ELSE c.last_referenced_at END," \
    "updated_at = companion.now()"

#define NEW_ITEM(value, importance, emotional_valence, source, expires_at, source_message_id, \
                 metadata, pinned) \
    value ", coalesce(" importance ", 0.5), coalesce(" emotional_valence ", 0)," \
    " coalesce(" source ", 'extracted'), nullif(" expires_at ", 'infinity'), " source_message_id \
    ", coalesce(" metadata ", '{}'), coalesce(" pinned ", false)"
#define NEW_ITEM_COLUMNS \
    "(user_id, category, key, value, importance, emotional_valence, source, expires_at," \
    " source_message_id, metadata, pinned)"

#define IS_LIVE "(c.expires_at IS NULL OR c.expires_at > companion.now())"
#define IS_USERS "(c.pinned OR c.source IN ('user', 'pinned'))"
// Of an item that has just taken a fact
#define IS_NEW "(c.confirmations = 1 AND c.previous_value IS NULL)"

#define EXPAND(macro, arguments) macro(arguments)

#define GIVEN "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11"

// A new item, or one that is there and takes the fact; $12: whether that is the user's
// word. Returns the item, what it superseded and whether it is new.
Statement take{
    "INSERT INTO companion.user_context AS c " NEW_ITEM_COLUMNS
    " VALUES ($1, $2, $3, " EXPAND(NEW_ITEM, GIVEN) ")"
    " ON CONFLICT (user_id, category, key) DO UPDATE SET " EXPAND(TAKE, GIVEN)
    " WHERE " IS_LIVE " AND ($12 OR NOT " IS_USERS ")"
    " RETURNING c, c.previous_value, c.previous_source, c.previous_since, c.value_since, " IS_NEW,
    UUIDOID, TEXTOID, TEXTOID, TEXTOID, FLOAT4OID, INT4OID, TEXTOID, TIMESTAMPTZOID, UUIDOID,
    JSONBOID, BOOLOID, BOOLOID};
#undef GIVEN

Statement archive{
    INTO_HISTORY "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID};

Statement hold{
    "UPDATE companion.user_context AS c SET " HOLD("$4")
    " WHERE c.user_id = $1 AND c.category = $2 AND c.key = $3 AND " IS_LIVE " AND " IS_USERS
    " RETURNING c",
    UUIDOID, TEXTOID, TEXTOID, TEXTOID};

Statement drop_expired{
    "WITH dropped AS ("
    " DELETE FROM companion.user_context AS c USING unnest($2, $3) AS g (category, key)"
    " WHERE c.user_id = $1 AND c.category = g.category AND c.key = g.key AND NOT " IS_LIVE
    " RETURNING c.*) " ARCHIVE_EXPIRED,
    UUIDOID, TEXTARRAYOID, TEXTARRAYOID};

// All of these for many facts; $12 tells which are the user's word. An item that has
// expired, or that another transaction has made or changed meanwhile, is missing in the
// result. The items that are there are looked for once, and then met at their places.
#define GIVEN \
    "g.value", "g.importance", "g.emotional_valence", "g.source", "g.expires_at", \
    "g.source_message_id", "g.metadata", "g.pinned"
#define OF_GIVEN \
    " FROM given AS g WHERE c.ctid = g.place" \
    " AND c.user_id = $1 AND c.category = g.category AND c.key = g.key AND " IS_LIVE
Statement upsert_many{
    "WITH given AS MATERIALIZED ("
    " SELECT g.*, c.ctid AS place, NOT g.is_users_word AND " IS_USERS " AS is_held"
    " FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS g"
    " (category, key, value, importance, emotional_valence, source, expires_at,"
    "  source_message_id, metadata, pinned, is_users_word)"
    " LEFT JOIN companion.user_context AS c"
    " ON c.user_id = $1 AND c.category = g.category AND c.key = g.key),"
    "taken AS ("
    " UPDATE companion.user_context AS c SET " EXPAND(TAKE, GIVEN) OF_GIVEN
    " AND NOT g.is_held AND (g.is_users_word OR NOT " IS_USERS ")"
    " RETURNING c.category, c.key, c AS item, c.previous_value, c.previous_source,"
    "           c.previous_since, c.value_since, c.value),"
    "held AS ("
    " UPDATE companion.user_context AS c SET " HOLD("g.value") OF_GIVEN
    " AND g.is_held AND " IS_USERS " RETURNING c.category, c.key, c AS item),"
    "added AS ("
    " INSERT INTO companion.user_context AS c " NEW_ITEM_COLUMNS
    " SELECT $1, g.category, g.key, " EXPAND(NEW_ITEM, GIVEN)
    " FROM given AS g WHERE g.place IS NULL ON CONFLICT (user_id, category, key) DO NOTHING"
    " RETURNING c.category, c.key, c AS item),"
    "archived AS (" INTO_HISTORY
    " SELECT $1, category, key, previous_value, previous_source, previous_since,"
    "        value_since, value FROM taken WHERE previous_value IS NOT NULL)"
    "SELECT category, key, item, false FROM taken"
    " UNION ALL SELECT category, key, item, false FROM held"
    " UNION ALL SELECT category, key, item, true FROM added",
    UUIDOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, FLOAT4ARRAYOID, INT4ARRAYOID, TEXTARRAYOID,
    TIMESTAMPTZARRAYOID, UUIDARRAYOID, JSONBARRAYOID, BOOLARRAYOID, BOOLARRAYOID};
#undef GIVEN

Statement count_items{"SELECT count(*) FROM companion.user_context WHERE user_id = $1", UUIDOID};

Statement find_end_of_day{"SELECT companion.end_of_day($1, $2)", UUIDOID, DATEOID};

// clang-format on

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

Datum returned_item()
{
    return SPI_datumTransfer(result_field(0, 1), false, -1);
}

// Move what the item has superseded, if anything, to the history.
void archive_superseded(Datum user_id, const Fact &fact)
{
    bool has_none;
    const Datum previous_value = result_field(0, 2, &has_none);
    if (has_none)
        return;
    const Datum *v = fact.values;
    archive.execute({user_id, v[Fact::category], v[Fact::key], previous_value, result_field(0, 3),
                     result_field(0, 4), result_field(0, 5), v[Fact::value]});
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
        for (;;) {
            if (const Datum item = try_to_take())
                return item;
            if (const Datum item = try_to_hold())
                return item;
            drop_if_expired();
        }
    }

  private:
    Datum try_to_take()
    {
        if (take.execute({user_id_, v_[0], v_[1], v_[2], v_[3], v_[4], v_[5], v_[6], v_[7], v_[8],
                          v_[9], BoolGetDatum(fact_.is_users_word())},
                         nulls_) == 0)
            return 0;
        const Datum item = returned_item();
        if (DatumGetBool(result_field(0, 6)))
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
        return holds ? returned_item() : 0;
    }

    void drop_if_expired()
    {
        drop_expired.execute({user_id_, array_of_one(TEXTOID, v_[Fact::category]),
                              array_of_one(TEXTOID, v_[Fact::key])});
    }

    Datum user_id_;
    const Fact &fact_;
    const Datum *v_;
    char nulls_[1 + Fact::field_count + 1];
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

// Upsert the facts that have no item yet.
void upsert_remaining(Datum user_id, const Facts &facts, Progress &progress)
{
    Datum c[Fact::field_count];
    for (int field = 0; field < Fact::field_count; field++)
        c[field] = column_of(facts, static_cast<Fact::Field>(field));
    const uint64 rows = upsert_many.execute(
        {user_id, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], users_words(facts)});
    for (uint64 row = 0; row < rows; row++) {
        ListedFact *fact =
            facts.find(text_view(result_field(row, 1)), text_view(result_field(row, 2)));
        fact->item = result_field(row, 3);
        progress.items++;
        progress.new_items += DatumGetBool(result_field(row, 4));
    }
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
    while (progress.items < facts.distinct_count) {
        upsert_remaining(user_id, facts, progress);
        if (progress.items < facts.distinct_count)
            drop_expired.execute(
                {user_id, column_of(facts, Fact::category), column_of(facts, Fact::key)});
    }
    if (progress.new_items > 0)
        check_item_limit(user_id, progress.new_items);
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

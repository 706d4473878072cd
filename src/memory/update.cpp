// Changing what is noted of an item without stating the fact anew.
#include "identity/acting.hpp"
#include "facts/fact.hpp"
#include "memory/item.hpp"
#include "postgres/entry.hpp"
#include "postgres/triggered.hpp"
#include "text/folding.hpp"

#include <algorithm>

using namespace companion;

namespace {

Statement find{R"sql(
    SELECT c.id FROM companion.user_context AS c
    WHERE c.user_id = $1 AND c.category = $2 AND c.folded_key = $3)sql",
               UUIDOID, TEXTOID, TEXTOID};

// An expiry of infinity is none; $7 is whether metadata is merged.
Statement update{R"sql(
    UPDATE companion.user_context AS c
    SET importance = coalesce($3, c.importance), pinned = coalesce($4, c.pinned),
        expires_at = nullif(coalesce($5, c.expires_at), 'infinity'),
        metadata = CASE WHEN $6 IS NULL THEN c.metadata
                        WHEN $7 THEN companion.merged_json(c.metadata, $6) ELSE $6 END,
        updated_at = companion.now()
    WHERE c.user_id = $1 AND c.id = $2
        AND (c.expires_at IS NULL OR c.expires_at > companion.now())
    RETURNING )sql" CONTEXT_ITEM R"sql(, c.user_id = $1 AND c.id = $2, c.metadata)sql",
                 UUIDOID,
                 UUIDOID,
                 FLOAT8OID,
                 BOOLOID,
                 TIMESTAMPTZOID,
                 JSONBOID,
                 BOOLOID};

Statement find_live{R"sql(
    SELECT FROM companion.user_context AS c
    WHERE c.user_id = $1 AND c.id = $2
        AND (c.expires_at IS NULL OR c.expires_at > companion.now()))sql",
                    UUIDOID, UUIDOID};

// The item is named by its id, or by its category and key. Error 22023.
void check_name(const Arguments &arguments)
{
    const bool has_id = !arguments.is_null(1), has_category = !arguments.is_null(2),
               has_key = !arguments.is_null(3);
    if (has_category != has_key || has_id == has_key)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("expected either id or category and key"));
}

// What is to be changed, as the fields of a fact. Errors as of Fact::complete().
Fact read_changes(const Arguments &arguments)
{
    static constexpr struct {
        Fact::Field field;
        int position;
    } changes[] = {
        {Fact::importance, 4}, {Fact::pinned, 5}, {Fact::expires_at, 6}, {Fact::metadata, 7}};
    Fact fact{};
    std::fill_n(fact.is_null, static_cast<int>(Fact::field_count), true);
    for (const auto &[field, position] : changes)
        if (!arguments.is_null(position))
            fact.set(field, arguments.optional(position));
    fact.check_options();
    return fact;
}

// Which item is named; false where there is none of the category and key.
bool find_id(const Arguments &arguments, Datum *id)
{
    *id = arguments.optional(1);
    if (!arguments.is_null(1))
        return true;
    const auto compared = [&](int position, std::string_view (*form)(std::string_view)) {
        return to_text(form(trimmed(text_view(arguments.optional(position)))));
    };
    if (find.execute({arguments.optional(0), compared(2, normalized), compared(3, folded)}) == 0)
        return false;
    *id = result_field(0, 1);
    return true;
}

// The item as it is then, or zero where there is none. Errors 09000, 22023.
Datum change(Datum user_id, Datum id, const Fact &fact, Datum merge)
{
    const auto flag = [&](Fact::Field field) { return fact.is_null[field] ? 'n' : ' '; };
    const char nulls[] = {' ',
                          ' ',
                          flag(Fact::importance),
                          flag(Fact::pinned),
                          flag(Fact::expires_at),
                          flag(Fact::metadata),
                          ' '};
    const Datum *v = fact.values;
    if (update.execute({user_id, id, v[Fact::importance], v[Fact::pinned], v[Fact::expires_at],
                        v[Fact::metadata], merge},
                       nulls) == 0) {
        if (find_live.execute({user_id, id}) > 0)
            refuse_suppressed("user_context");
        return 0;
    }
    if (!DatumGetBool(result_field(0, 2)))
        refuse_changed("user_context", "user_id or id");
    if (!fact.is_null[Fact::metadata])
        check_json_size("metadata", DatumGetJsonbP(result_field(0, 3)));
    return SPI_datumTransfer(result_field(0, 1), false, -1);
}

} // namespace

COMPANION_FUNCTION(update_user_context)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const Datum merge = arguments.required(8, "merge");
    check_name(arguments);
    const Fact fact = read_changes(arguments);
    const Datum item = act_for(user_id, [&] {
        Datum id;
        return find_id(arguments, &id) ? change(user_id, id, fact, merge) : Datum{0};
    });
    if (item == 0)
        PG_RETURN_NULL();
    return item;
}

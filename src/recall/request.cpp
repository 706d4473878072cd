// What is to be recalled.
#include "recall/request.hpp"

#include "memory/categories.hpp"
#include "postgres/array_builder.hpp"
#include "recall/meaning.hpp"
#include "text/folding.hpp"

namespace companion {

// Categories as they are compared, added to others.
static void add_categories(ArrayBuilder &builder, ArrayType *categories)
{
    Datum *elements;
    int count;
    deconstruct_array(categories, TEXTOID, -1, false, TYPALIGN_INT, &elements, nullptr, &count);
    for (int index = 0; index < count; index++)
        builder.add(to_text(normalized(trimmed(text_view(elements[index])))));
}

// The categories that have their own policy, and are for a prompt or are not.
static void add_policies(ArrayBuilder &builder, bool are_in_prompt)
{
    const CategoryPolicies policies = category_policies();
    for (std::size_t index = 0; index < policies.count; index++)
        if (policies.begin[index].is_in_prompt == are_in_prompt)
            builder.add(to_text(policies.begin[index].category));
}

// Only these categories, or null for all.
static NullableDatum read_categories(const Arguments &arguments, bool is_for_prompt)
{
    ArrayBuilder builder(TEXTOID);
    if (!arguments.is_null(3))
        add_categories(builder, arguments.array(3, "categories"));
    else if (is_for_prompt && !category_policies().others.is_in_prompt)
        add_policies(builder, true);
    else
        return {0, true};
    return {builder.finish(), false};
}

// Not these, or null for none.
static NullableDatum read_exclude(const Arguments &arguments, bool is_for_prompt)
{
    ArrayBuilder builder(TEXTOID);
    if (!arguments.is_null(4))
        add_categories(builder, arguments.array(4, "exclude"));
    if (is_for_prompt && arguments.is_null(3))
        add_policies(builder, false);
    return {builder.size() > 0 ? builder.finish() : Datum{0}, builder.size() == 0};
}

static double read_weight(const Arguments &arguments)
{
    const double weight = DatumGetFloat8(arguments.required(6, "meaning_weight"));
    if (!(weight >= 0 && weight <= 100))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("meaning_weight is %g, expected 0 to 100", weight));
    return weight;
}

RecallRequest read_recall_request(const Arguments &arguments, bool is_for_prompt)
{
    RecallRequest request{};
    request.user_id = arguments.required(0, "user_id");
    request.max_items = arguments.integer(1, "max_items", 1, 10000);
    request.max_chars =
        arguments.is_null(2) ? -1 : arguments.integer(2, "max_chars", 0, PG_INT32_MAX);
    request.categories = read_categories(arguments, is_for_prompt);
    request.exclude = read_exclude(arguments, is_for_prompt);
    request.embedding = {arguments.is_null(5) ? Datum{0} : read_embedding(arguments, 5),
                         arguments.is_null(5)};
    request.meaning_weight = read_weight(arguments);
    request.model = arguments.nullable(7);
    return request;
}

} // namespace companion

// Recalling what matters most, as rows and as lines for a prompt.
#include "identity/acting.hpp"
#include "memory/half_lives.hpp"
#include "memory/item.hpp"
#include "memory/ranking.hpp"
#include "postgres/arguments.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"

using namespace companion;

namespace {

// In the order of recall; $2 categories or null for all, $3 how many or null for all. What
// is sorted are the items' ids: rows are wide, and most of them are not recalled.
Statement find_items{R"sql(
    SELECT c.item, best.category, best.key, c.value
    FROM (SELECT i.id, i.pinned, i.category, i.key,
                 companion.recall_score(i.category, i.importance, i.confirmations, i.confirmed_at,
                                        i.last_referenced_at, $4) AS score
          FROM companion.user_context AS i
          WHERE i.user_id = $1 AND i.resolved_at IS NULL
              AND (i.expires_at IS NULL OR i.expires_at > $4)
              AND ($2 IS NULL OR i.category = ANY ($2))
          ORDER BY i.pinned DESC, score DESC, i.category, i.key LIMIT $3) AS best
    CROSS JOIN LATERAL (SELECT )sql" CONTEXT_ITEM R"sql( AS item, c.value
                        FROM companion.user_context AS c
                        WHERE c.user_id = $1 AND c.id = best.id LIMIT 1) AS c
    ORDER BY best.pinned DESC, best.score DESC, best.category, best.key)sql",
                     UUIDOID, TEXTARRAYOID, INT4OID, TIMESTAMPTZOID};

struct RecallRequest {
    Datum user_id;
    int max_items;
    int max_chars; // -1: no bound
    Datum categories;
    bool has_categories;
};

RecallRequest read_request(const Arguments &arguments)
{
    RecallRequest request{};
    request.user_id = arguments.required(0, "user_id");
    request.max_items = arguments.integer(1, "max_items", 1, 10000);
    request.max_chars =
        arguments.is_null(2) ? -1 : arguments.integer(2, "max_chars", 0, PG_INT32_MAX);
    request.has_categories = !arguments.is_null(3);
    if (request.has_categories)
        request.categories = PointerGetDatum(arguments.array(3, "categories"));
    return request;
}

// Append a text with its line breaks as spaces.
void append_on_one_line(StringInfo line, std::string_view text)
{
    for (char c : text)
        appendStringInfoChar(line, c == '\n' || c == '\r' ? ' ' : c);
}

void append_line(StringInfo prompt, uint64 row)
{
    appendStringInfoString(prompt, "- ");
    append_on_one_line(prompt, text_view(result_field(row, 2)));
    appendStringInfoChar(prompt, '/');
    append_on_one_line(prompt, text_view(result_field(row, 3)));
    appendStringInfoString(prompt, ": ");
    append_on_one_line(prompt, text_view(result_field(row, 4)));
    appendStringInfoChar(prompt, '\n');
}

// Write the rows that are recalled to the result, where there is one, and their lines to
// the prompt, where there is one or they are to be bounded.
void choose(const RecallRequest &request, uint64 rows, Tuplestorestate *result, StringInfo prompt)
{
    int items = 0, chars = 0;
    for (uint64 row = 0; row < rows && items < request.max_items; row++) {
        const int length_before = prompt->len;
        append_line(prompt, row);
        const int line_chars =
            pg_mbstrlen_with_len(prompt->data + length_before, prompt->len - length_before);
        if (request.max_chars >= 0 && line_chars > request.max_chars - chars) {
            prompt->len = length_before;
            continue;
        }
        chars += line_chars;
        if (result != nullptr)
            put_composite(result, result_field(row, 1));
        items++;
    }
}

// Recall for the caller's own rights, so within the policies.
void recall(const RecallRequest &request, Tuplestorestate *result, StringInfo prompt)
{
    require_right_to_act_for(request.user_id);
    const char nulls[] = {' ', request.has_categories ? ' ' : 'n',
                          request.max_chars >= 0 ? 'n' : ' ', ' '};
    with_spi([&] {
        const uint64 rows =
            find_items.execute({request.user_id, request.categories,
                                Int32GetDatum(request.max_items), TimestampTzGetDatum(now())},
                               nulls);
        choose(request, rows, result, prompt);
    });
}

double days_between(TimestampTz from, TimestampTz to)
{
    return (static_cast<double>(to) - static_cast<double>(from)) / USECS_PER_DAY;
}

} // namespace

COMPANION_FUNCTION(recall_user_context)
{
    const RecallRequest request = read_request(Arguments(fcinfo));
    InitMaterializedSRF(fcinfo, 0);
    StringInfoData prompt;
    initStringInfo(&prompt);
    recall(request, reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo)->setResult, &prompt);
    return Datum{0};
}

COMPANION_FUNCTION(user_context_prompt)
{
    const RecallRequest request = read_request(Arguments(fcinfo));
    StringInfoData prompt;
    initStringInfo(&prompt);
    recall(request, nullptr, &prompt);
    return to_text({prompt.data, static_cast<std::size_t>(prompt.len)});
}

COMPANION_FUNCTION(recall_score)
{
    const auto argument = [fcinfo](int position) { return fcinfo->args[position].value; };
    const TimestampTz at = DatumGetTimestampTz(argument(5));
    const ItemStanding item{DatumGetFloat4(argument(1)), DatumGetInt32(argument(2)),
                            days_between(DatumGetTimestampTz(argument(3)), at),
                            days_between(DatumGetTimestampTz(argument(4)), at)};
    PG_RETURN_FLOAT8(recall_score(item, settings::half_lives->of(text_view(argument(0)))));
}

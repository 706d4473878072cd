// Recalling what matters most, as rows and as lines for a prompt.
#include "identity/acting.hpp"
#include "memory/categories.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "recall/ranking.hpp"
#include "recall/request.hpp"

#include <limits>

using namespace companion;

namespace {

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

void recall(const RecallRequest &request, Tuplestorestate *result, StringInfo prompt)
{
    act_for(request.user_id, [&] { choose(request, find_items(request), result, prompt); });
}

double days_between(TimestampTz from, TimestampTz to)
{
    return (static_cast<double>(to) - static_cast<double>(from)) / USECS_PER_DAY;
}

} // namespace

COMPANION_FUNCTION(recall_user_context)
{
    const RecallRequest request = read_recall_request(Arguments(fcinfo), false);
    InitMaterializedSRF(fcinfo, 0);
    StringInfoData prompt;
    initStringInfo(&prompt);
    recall(request, reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo)->setResult, &prompt);
    return Datum{0};
}

COMPANION_FUNCTION(user_context_prompt)
{
    const RecallRequest request = read_recall_request(Arguments(fcinfo), true);
    StringInfoData prompt;
    initStringInfo(&prompt);
    recall(request, nullptr, &prompt);
    return to_text({prompt.data, static_cast<std::size_t>(prompt.len)});
}

COMPANION_FUNCTION(recall_score)
{
    constexpr double never = std::numeric_limits<double>::infinity();
    const Arguments arguments(fcinfo);
    for (const int position : {0, 1, 2, 3, 5})
        if (arguments.is_null(position))
            PG_RETURN_NULL();
    const auto time = [&](int position) {
        return DatumGetTimestampTz(arguments.optional(position));
    };
    const ItemStanding item{DatumGetFloat8(arguments.optional(1)),
                            DatumGetInt32(arguments.optional(2)), days_between(time(3), time(5)),
                            arguments.is_null(4) ? never : days_between(time(4), time(5))};
    PG_RETURN_FLOAT8(recall_score(item, policy_of(text_view(arguments.optional(0))).half_life));
}

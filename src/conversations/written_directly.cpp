// The triggers that bound what a grant lets one write into conversations and messages.
#include "conversations/messages.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/written_directly.hpp"

using namespace companion;

namespace {

Datum value_of(const NewRow &row, const char *column, Oid type)
{
    bool is_null;
    return row.get(column, type, &is_null);
}

} // namespace

COMPANION_FUNCTION(check_message)
{
    const NewRow row(fcinfo);
    if (is_larger(row, "metadata", JSONBOID, largest_json()) && is_by_grant())
        check_json_size("metadata", DatumGetJsonbP(value_of(row, "metadata", JSONBOID)));
    if (row.is_inserted() && is_larger(row, "content", TEXTOID, settings::max_message_length) &&
        is_by_grant())
        check_content(text_view(value_of(row, "content", TEXTOID)));
    return row.unchanged();
}

COMPANION_FUNCTION(check_conversation)
{
    const NewRow row(fcinfo);
    check_written_size(row, "mood_summary", TEXTOID);
    check_written_size(row, "topics", TEXTARRAYOID);
    return row.unchanged();
}

// The trigger that bounds what a grant lets one write into messages.
#include "conversations/messages.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/row_trigger.hpp"

using namespace companion;

namespace {

// Whether the row is written by a grant: not by a function of ours, which has its own bounds, nor
// by a superuser, who restores what there was.
bool is_by_grant()
{
    return !superuser() && GetUserId() != get_role_oid("companion_runtime", true);
}

// Whether a column has more bytes than so many; nothing is unpacked for that.
bool is_larger(const NewRow &row, const char *column, Oid type, std::size_t bytes)
{
    bool is_null;
    const Datum value = row.get(column, type, &is_null);
    return !is_null && toast_raw_datum_size(value) > bytes;
}

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

// What a grant lets one write into a table is bounded by a trigger, as what a function takes is.
#pragma once

#include "postgres/arguments.hpp"
#include "postgres/row_trigger.hpp"

namespace companion {

// Whether the row is written by a grant: not by a function of ours, which has its own bounds, nor
// by somebody above row-level security, who restores what there was.
inline bool is_by_grant()
{
    return !has_bypassrls_privilege(GetUserId()) &&
           GetUserId() != get_role_oid("companion_runtime", true);
}

// Whether a column has more bytes than so many; nothing is unpacked for that.
inline bool is_larger(const NewRow &row, const char *column, Oid type, std::size_t bytes)
{
    bool is_null;
    const Datum value = row.get(column, type, &is_null);
    return !is_null && toast_raw_datum_size(value) > bytes;
}

// Refuse a new value that has more bytes than companion.max_json_size; what stands may stay.
// Error 23514, with the column's name also as the error's.
inline void check_written_size(const NewRow &row, const char *column, Oid type)
{
    const std::size_t most = largest_json();
    if (is_larger(row, column, type, most) && row.is_changed(column, type) && is_by_grant())
        ereport(ERROR, errcode(ERRCODE_CHECK_VIOLATION),
                errmsg("%s has more than %zu bytes", column, most),
                errhint("The most is the setting companion.max_json_size."),
                err_generic_string(PG_DIAG_COLUMN_NAME, column));
}

} // namespace companion

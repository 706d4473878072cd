// What the columns of a written row may hold.
#include "postgres/written_row.hpp"

#include <algorithm>

namespace companion {

WrittenRow::WrittenRow(FunctionCallInfo fcinfo) : TriggeredRow(fcinfo, false)
{
    heap_deform_tuple(tuple(), descriptor(), values_, nulls_);
}

// The words as a message lists them: a, b or c.
static const char *list(WrittenRow::Words words)
{
    StringInfoData text;
    initStringInfo(&text);
    for (const std::string_view &word : words) {
        const bool is_last = &word + 1 == words.end();
        appendStringInfoString(&text, &word == words.begin() ? "" : is_last ? " or " : ", ");
        appendBinaryStringInfo(&text, word.data(), static_cast<int>(word.size()));
    }
    return text.data;
}

void WrittenRow::check_one_of(const char *column, Words words) const
{
    const NullableDatum value = nullable(column, TEXTOID);
    if (value.isnull)
        return;
    const std::string_view text = text_view(value.value);
    if (std::find(words.begin(), words.end(), text) == words.end())
        refuse(column, TEXTOID,
               psprintf("%s is \"%s\", expected %s", column, excerpt(text), list(words)));
}

void WrittenRow::check_length(const char *column, int least, int most) const
{
    const NullableDatum value = nullable(column, TEXTOID);
    if (value.isnull)
        return;
    const int length = character_count(text_view(value.value));
    if (length < least || length > most)
        refuse(
            column, TEXTOID,
            least == 0
                ? psprintf("%s has %d characters, expected at most %d", column, length, most)
                : psprintf("%s has %d characters, expected %d to %d", column, length, least, most));
}

void WrittenRow::check_not_empty(const char *column) const
{
    const NullableDatum value = nullable(column, TEXTOID);
    if (!value.isnull && toast_raw_datum_size(value.value) == VARHDRSZ)
        refuse(column, TEXTOID, psprintf("%s is empty", column));
}

static double to_number(Datum value, Oid type)
{
    switch (type) {
    case INT2OID:
        return DatumGetInt16(value);
    case INT4OID:
        return DatumGetInt32(value);
    case INT8OID:
        return static_cast<double>(DatumGetInt64(value));
    default:
        return DatumGetFloat8(value);
    }
}

static const char *to_string(Datum value, Oid type)
{
    Oid function;
    bool is_varlena;
    getTypeOutputInfo(type, &function, &is_varlena);
    return OidOutputFunctionCall(function, value);
}

void WrittenRow::check_number(const char *column, Oid type, double least, double most) const
{
    const NullableDatum value = nullable(column, type);
    if (value.isnull)
        return;
    const double number = to_number(value.value, type);
    if (number >= least && number <= most)
        return;
    const char *bounds =
        std::isinf(most) ? psprintf("at least %g", least) : psprintf("%g to %g", least, most);
    refuse(column, type,
           psprintf("%s is %s, expected %s", column, to_string(value.value, type), bounds));
}

// As much of a JSON value as says of what kind it is.
static Jsonb *head_of(Datum value)
{
    return reinterpret_cast<Jsonb *>(PG_DETOAST_DATUM_SLICE(value, 0, sizeof(uint32)));
}

void WrittenRow::check_object(const char *column) const
{
    const NullableDatum value = nullable(column, JSONBOID);
    if (!value.isnull && !JB_ROOT_IS_OBJECT(head_of(value.value)))
        refuse(column, JSONBOID, psprintf("%s is no JSON object", column));
}

void WrittenRow::check_size(const char *column, Oid type) const
{
    const std::size_t most = largest_json();
    if (is_larger(column, type, most) && is_changed(column, type) && is_by_grant())
        refuse(column, type, psprintf("%s has more than %zu bytes", column, most),
               "The most is the setting companion.max_json_size.");
}

bool WrittenRow::is_larger(const char *column, Oid type, std::size_t bytes) const
{
    const NullableDatum value = nullable(column, type);
    return !value.isnull && toast_raw_datum_size(value.value) > bytes;
}

void WrittenRow::refuse(const char *column, Oid type, const char *message, const char *hint) const
{
    ereport(ERROR, errcode(ERRCODE_CHECK_VIOLATION), errmsg("%s", message),
            hint == nullptr ? 0 : errhint("%s", hint),
            errtablecol(table(), position(column, type)));
    pg_unreachable();
}

} // namespace companion

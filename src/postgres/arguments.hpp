// Typed, null-checked access to a function's arguments.
#pragma once

#include "postgres/server.hpp"
#include "postgres/settings.hpp"

#include <algorithm>
#include <string_view>

namespace companion {

// The bytes of a text value, not terminated; valid as long as the value is.
inline std::string_view text_view(Datum value)
{
    text *bytes = DatumGetTextPP(value);
    return {VARDATA_ANY(bytes), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(bytes))};
}

inline Datum to_text(std::string_view value)
{
    return PointerGetDatum(cstring_to_text_with_len(value.data(), static_cast<int>(value.size())));
}

// A value as its type writes it, for one whose output function is the server's.
inline Datum as_text(PGFunction output, Datum value)
{
    return CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(output, value)));
}

// What a message quotes of a text: all of it, or as many whole characters as fit.
inline const char *excerpt(std::string_view value)
{
    const int size = static_cast<int>(Min(value.size(), 1000));
    return pnstrdup(value.data(), pg_mbcliplen(value.data(), size, 100));
}

// Refuse a missing argument. Error 22004.
[[noreturn]] inline void refuse_null(const char *name)
{
    ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
            errmsg("argument \"%s\" must not be null", name));
    pg_unreachable();
}

// What stands for the value in the nulls of Statement::execute.
inline char null_flag(NullableDatum value)
{
    return value.isnull ? 'n' : ' ';
}

// One call's arguments, by position; the name is for the error message.
class Arguments {
  public:
    explicit Arguments(FunctionCallInfo fcinfo) : fcinfo_(fcinfo) {}

    // What the function returns for NULL.
    Datum null_result() const
    {
        fcinfo_->isnull = true;
        return 0;
    }

    bool is_null(int position) const { return fcinfo_->args[position].isnull; }
    NullableDatum nullable(int position) const { return fcinfo_->args[position]; }
    char null_flag(int position) const { return companion::null_flag(nullable(position)); }

    // The value, or a zero Datum when it is null.
    Datum optional(int position) const
    {
        return is_null(position) ? Datum{0} : fcinfo_->args[position].value;
    }

    // The value; error 22004 when it is null.
    Datum required(int position, const char *name) const
    {
        if (is_null(position))
            refuse_null(name);
        return fcinfo_->args[position].value;
    }

    std::string_view text(int position, const char *name) const
    {
        return text_view(required(position, name));
    }

    // A number within bounds. Error 22023 for another.
    int integer(int position, const char *name, int least, int most) const
    {
        const int value = DatumGetInt32(required(position, name));
        if (value < least || value > most)
            ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("%s is %d, expected %d to %d", name, value, least, most));
        return value;
    }

    // A finite point in time. Error 22008 for infinity.
    TimestampTz timestamp(int position, const char *name) const
    {
        TimestampTz value = DatumGetTimestampTz(required(position, name));
        if (TIMESTAMP_NOT_FINITE(value))
            ereport(ERROR, errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                    errmsg("argument \"%s\" must be finite", name));
        return value;
    }

    // A one-dimensional array, or an empty one. Error 22004 when it is null, 2202E for
    // another shape.
    ArrayType *array_with_nulls(int position, const char *name) const
    {
        ArrayType *value = DatumGetArrayTypeP(required(position, name));
        if (ARR_NDIM(value) > 1)
            ereport(ERROR, errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                    errmsg("argument \"%s\" must be a one-dimensional array", name));
        return value;
    }

    // The same without null elements. Error 22004 for one.
    ArrayType *array(int position, const char *name) const
    {
        ArrayType *value = array_with_nulls(position, name);
        if (array_contains_nulls(value))
            ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                    errmsg("argument \"%s\" must not contain nulls", name));
        return value;
    }

  private:
    FunctionCallInfo fcinfo_;
};

inline int character_count(std::string_view text)
{
    return pg_mbstrlen_with_len(text.data(), static_cast<int>(text.size()));
}

// Refuse a text that is empty or longer than so many characters. Error 22023.
inline void check_length(const char *name, std::string_view text, int most)
{
    const int length = character_count(text);
    if (length < 1 || length > most)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s has %d characters, expected 1 to %d", name, length, most));
}

// Refuse an argument that is JSON of another kind than an object. Error 22023.
inline void check_object(const char *name, Jsonb *value)
{
    if (!JB_ROOT_IS_OBJECT(value))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("argument \"%s\" must be a JSON object", name));
}

// The most bytes that JSON may have.
inline std::size_t largest_json()
{
    return static_cast<std::size_t>(settings::max_json_size) * 1024;
}

// Refuse JSON that has more bytes than companion.max_json_size. Error 22023.
inline void check_json_size(const char *name, Jsonb *value)
{
    if (VARSIZE(value) > largest_json())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s has %zu bytes, expected at most %zu", name,
                       static_cast<std::size_t>(VARSIZE(value)), largest_json()),
                errhint("The most is the setting companion.max_json_size."));
}

// The same for a text or an array that may be null; nothing is unpacked for that.
inline void check_size(const char *name, NullableDatum value)
{
    const std::size_t bytes = value.isnull ? 0 : toast_raw_datum_size(value.value);
    if (bytes > largest_json())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s has %zu bytes, expected at most %zu", name, bytes, largest_json()),
                errhint("The most is the setting companion.max_json_size."));
}

// Refuse an id below 1, where Telegram's begin. Error 22023.
inline void check_telegram_id(const char *name, int64 id)
{
    if (id < 1)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s is " INT64_FORMAT ", expected at least 1", name, id));
}

// Whether a text is 1 to 63 lower-case letters, digits and _, a letter first: a kind of
// message, the source of a fact.
inline bool is_short_word(std::string_view text)
{
    const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto is_part = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; };
    return !text.empty() && text.size() <= 63 && is_letter(text[0]) &&
           std::all_of(text.begin(), text.end(), is_part);
}

// The bound of a maintenance step, in rows. Error 22023 unless it is above zero.
inline int64 batch_size(const Arguments &arguments, int position)
{
    int64 max_rows = DatumGetInt32(arguments.required(position, "max_rows"));
    if (max_rows < 1)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("max_rows is " INT64_FORMAT ", expected at least 1", max_rows));
    return max_rows;
}

} // namespace companion

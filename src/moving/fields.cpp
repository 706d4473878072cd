// What the fields of an element that is taken over may hold.
#include "moving/fields.hpp"

#include "postgres/arguments.hpp"
#include "postgres/runtime.hpp"
#include "text/folding.hpp"

namespace companion {

static std::string_view view(const JsonbValue &value)
{
    return {value.val.string.val, static_cast<std::size_t>(value.val.string.len)};
}

static const ImportedField &require_field(const char *table, std::span<const ImportedField> fields,
                                          std::string_view name)
{
    for (const ImportedField &field : fields)
        if (name == field.name)
            return field;
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("\"%s\" is no field of %s", excerpt(name), table));
    pg_unreachable();
}

static void check_value(const ImportedField &field, const char *name, const JsonbValue &value)
{
    if (value.type == jbvString && field.longest != nullptr)
        check_length(name, view(value), *field.longest);
    if (value.type == jbvBinary && static_cast<std::size_t>(value.val.binary.len) > largest_json())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s has %d bytes, expected at most %zu", name, value.val.binary.len,
                       largest_json()),
                errhint("The most is the setting companion.max_json_size."));
    if (value.type != jbvNull && field.check != nullptr)
        field.check(name, value);
}

void check_fields(const char *table, std::span<const ImportedField> fields, JsonbContainer *object,
                  const char *prefix)
{
    JsonbIterator *iterator = JsonbIteratorInit(object);
    JsonbValue value;
    const ImportedField *field = nullptr;
    while (JsonbIteratorToken token = JsonbIteratorNext(&iterator, &value, true)) {
        if (token == WJB_KEY)
            field = &require_field(table, fields, view(value));
        else if (token == WJB_VALUE)
            check_value(*field,
                        *prefix == '\0' ? field->name : psprintf("%s%s", prefix, field->name),
                        value);
    }
}

void check_words(const char *name, const JsonbValue &value)
{
    if (value.type == jbvString && trimmed(view(value)).empty())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is empty", name));
}

static void name_field(void *name)
{
    errcontext("field %s", static_cast<const char *>(name));
}

// What an input function makes of a string; what it says against it names the field.
template <class Input>
static Datum read(const char *name, const JsonbValue &value, Input input)
{
    if (value.type != jbvString)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s must be a string", name));
    ErrorContextCallback context{error_context_stack, name_field, const_cast<char *>(name)};
    error_context_stack = &context;
    const Datum datum =
        input(CStringGetDatum(pnstrdup(value.val.string.val, value.val.string.len)));
    error_context_stack = context.previous;
    return datum;
}

TimestampTz read_time(const char *name, const JsonbValue &value)
{
    return DatumGetTimestampTz(read(name, value, [](Datum text) {
        return DirectFunctionCall3(timestamptz_in, text, ObjectIdGetDatum(InvalidOid),
                                   Int32GetDatum(-1));
    }));
}

[[noreturn]] static void refuse_time(const char *name, const char *fault)
{
    ereport(ERROR, errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("%s %s", name, fault));
    pg_unreachable();
}

static TimestampTz read_finite_time(const char *name, const JsonbValue &value)
{
    const TimestampTz time = read_time(name, value);
    if (TIMESTAMP_NOT_FINITE(time))
        refuse_time(name, "is not finite");
    return time;
}

static TimestampTz read_past_time(const char *name, const JsonbValue &value)
{
    const TimestampTz time = read_finite_time(name, value);
    if (time > now() + USECS_PER_DAY)
        refuse_time(name, psprintf("is %s, which is in the future", timestamptz_to_str(time)));
    return time;
}

// Ids have 48 bits of milliseconds since 1970.
static void require_id_time(const char *name, TimestampTz time)
{
    constexpr int64 epoch =
        (static_cast<int64>(UNIX_EPOCH_JDATE) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY;
    constexpr int64 end = epoch + (int64{1} << 48) * 1000;
    if (time < epoch || time >= end)
        refuse_time(name, psprintf("is %s, expected a time from 1970 to August 10889",
                                   timestamptz_to_str(time)));
}

void check_time(const char *name, const JsonbValue &value)
{
    read_time(name, value);
}

void check_end_time(const char *name, const JsonbValue &value)
{
    if (TIMESTAMP_IS_NOBEGIN(read_time(name, value)))
        refuse_time(name, "must not be -infinity");
}

void check_date(const char *name, const JsonbValue &value)
{
    const DateADT date = DatumGetDateADT(
        read(name, value, [](Datum text) { return DirectFunctionCall1(date_in, text); }));
    if (DATE_NOT_FINITE(date))
        refuse_time(name, "is not finite");
}

void check_past_time(const char *name, const JsonbValue &value)
{
    read_past_time(name, value);
}

void check_past_id_time(const char *name, const JsonbValue &value)
{
    require_id_time(name, read_past_time(name, value));
}

void check_id_time(const char *name, const JsonbValue &value)
{
    require_id_time(name, read_finite_time(name, value));
}

} // namespace companion

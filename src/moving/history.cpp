// The values that a fact had before.
#include "moving/history.hpp"

#include "moving/fields.hpp"
#include "postgres/arguments.hpp"

namespace companion {

static void check_source(const char *name, const JsonbValue &value)
{
    if (value.type != jbvString ||
        !is_short_word({value.val.string.val, static_cast<std::size_t>(value.val.string.len)}))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s is no lower-case word", name));
}

static void check_former_value(const char *name, const JsonbValue &value)
{
    if (value.type != jbvString)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s must be a string", name));
    check_words(name, value);
}

static constexpr ImportedField fields[] = {
    {"value", &settings::max_context_value_length, check_former_value},
    {"source", nullptr, check_source},
    {"held_from", nullptr, check_past_time},
    {"held_until", nullptr, check_past_time}};

// A field that must be there. Error 22004.
static JsonbValue *require(JsonbContainer *entry, const char *prefix, const char *name)
{
    JsonbValue *value =
        getKeyJsonValueFromContainer(entry, name, static_cast<int>(strlen(name)), nullptr);
    if (value == nullptr || value->type == jbvNull)
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                errmsg("%s%s is missing", prefix, name));
    return value;
}

static void check_entry(const char *place, const JsonbValue &entry)
{
    if (entry.type != jbvBinary || !JsonContainerIsObject(entry.val.binary.data))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is no object", place));
    JsonbContainer *object = entry.val.binary.data;
    const char *prefix = psprintf("%s.", place);
    check_fields("history", fields, object, prefix);
    require(object, prefix, "value");
    const TimestampTz from = read_time("held_from", *require(object, prefix, "held_from")),
                      until = read_time("held_until", *require(object, prefix, "held_until"));
    if (until < from)
        ereport(ERROR, errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                errmsg("%sheld_until is before held_from", prefix));
}

void check_history(const char *name, const JsonbValue &value)
{
    if (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s must be an array", name));
    JsonbContainer *entries = value.val.binary.data;
    for (uint32 index = 0; index < JsonContainerSize(entries); index++)
        check_entry(psprintf("%s[%u]", name, index),
                    *getIthJsonbValueFromContainer(entries, index));
}

} // namespace companion

// The onboarding answers that the extension knows.
#include "users/answers.hpp"

#include "channels/channel.hpp"
#include "postgres/arguments.hpp"
#include "scheduling/time_zone.hpp"
#include "users/wall_time.hpp"

namespace companion {

static bool is_short_text(std::string_view text)
{
    return text.find_first_not_of(" \t\r\n") != text.npos && character_count(text) <= 200;
}

static bool is_zone(std::string_view text)
{
    return find_zone(text) != nullptr;
}

static bool is_channel(std::string_view text)
{
    return find_channel(text) != nullptr;
}

struct Field {
    const char *name;
    bool (*accepts)(std::string_view);
    const char *expected;
};

static constexpr const char *short_text = "a text of 1 to 200 characters";
static constexpr Field fields[] = {
    {"name", is_short_text, short_text},
    {"companion_name", is_short_text, short_text},
    {"support_style", is_short_text, short_text},
    {"timezone", is_zone, "an IANA time zone such as Europe/Berlin"},
    {"checkin_time", is_wall_time, "a time of day such as 09:00"},
    {"channel", is_channel, "a channel of companion.channels"},
};

void refuse_answer(const char *field, const char *expected)
{
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("answer \"%s\" is not valid", field), errdetail("Expected %s.", expected),
            err_generic_string(PG_DIAG_COLUMN_NAME, field));
    pg_unreachable();
}

static bool is_valid(const Field &field, const JsonbValue &answer)
{
    return answer.type == jbvNull ||
           (answer.type == jbvString &&
            field.accepts(
                {answer.val.string.val, static_cast<std::size_t>(answer.val.string.len)}));
}

void check_answers(Jsonb *answers)
{
    for (const Field &field : fields) {
        JsonbValue answer;
        if (getKeyJsonValueFromContainer(&answers->root, field.name,
                                         static_cast<int>(strlen(field.name)), &answer) &&
            !is_valid(field, answer))
            refuse_answer(field.name, field.expected);
    }
}

} // namespace companion

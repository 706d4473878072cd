// The onboarding answers that the extension knows.
#include "users/answers.hpp"

#include "users/columns.hpp"

#include <string_view>

namespace companion {

struct Field {
    const char *name;
    const TextRule &rule;
};

static const Field fields[] = {
    {"name", short_text_rule},          {"companion_name", short_text_rule},
    {"support_style", short_text_rule}, {"timezone", zone_rule},
    {"checkin_time", wall_time_rule},   {"channel", channel_rule},
};

void refuse_answer(const char *field, const char *expected)
{
    ereport(ERROR, describe_invalid("answer", field, expected));
    pg_unreachable();
}

static bool is_valid(const Field &field, const JsonbValue &answer)
{
    return answer.type == jbvNull ||
           (answer.type == jbvString &&
            field.rule.accepts(
                {answer.val.string.val, static_cast<std::size_t>(answer.val.string.len)}));
}

void check_answers(Jsonb *answers)
{
    for (const Field &field : fields) {
        JsonbValue answer;
        if (getKeyJsonValueFromContainer(&answers->root, field.name,
                                         static_cast<int>(strlen(field.name)), &answer) &&
            !is_valid(field, answer))
            refuse_answer(field.name, field.rule.expected);
    }
}

} // namespace companion

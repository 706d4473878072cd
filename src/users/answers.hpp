// The onboarding answers that the extension knows.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// Refuse answers of which one is wrong; null and unknown ones pass. Error 22023, with the
// field's name also as the error's column name.
void check_answers(Jsonb *answers);

// Error 22023 for one answer.
[[noreturn]] void refuse_answer(const char *field, const char *expected);

} // namespace companion

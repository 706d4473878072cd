// Whether an UPDATE of a user changes when their check-ins are due.
#pragma once

#include "postgres/row_trigger.hpp"

namespace companion {

inline bool is_checkin_changed(const UpdatedRow &row)
{
    return row.is_changed("checkin_time", TIMEOID) || row.is_changed("timezone", TEXTOID) ||
           row.is_changed("checkin_days", INT2ARRAYOID) ||
           row.is_changed("checkin_paused_until", TIMESTAMPTZOID) ||
           row.is_changed("suspended_until", TIMESTAMPTZOID) ||
           row.is_changed("onboarding_completed_at", TIMESTAMPTZOID);
}

} // namespace companion

// The rules that keep a user to one check-in a local day, as pieces of SQL.
#pragma once

// Of one possible check-in, "due" (user_id, timezone, local_date, scheduled_for, key,
// key_from, key_until): what the user's check-ins of the days around it say.
//   day_is_taken  one stands already for this local day, as now seen: by its own
//                 date where it was made in this zone, else by its instant
//   key_is_used   one stands under this key, made in another zone
//   is_too_close  one that was or may be sent lies within the least gap, parameter $3
#define CHECKINS_NEARBY                                                                            \
    "(SELECT coalesce(bool_or(CASE WHEN near.timezone = due.timezone"                              \
    "                              THEN near.local_date = due.local_date"                          \
    "                              ELSE (near.scheduled_for AT TIME ZONE due.timezone)::date"      \
    "                                   = due.local_date END), false) AS day_is_taken,"            \
    "        coalesce(bool_or(near.idempotency_key = due.key), false) AS key_is_used,"             \
    "        coalesce(bool_or(near.status IN ('pending', 'sent', 'unknown')"                       \
    "            AND due.scheduled_for < coalesce(near.sent_at, near.scheduled_for) + $3"          \
    "            AND due.scheduled_for > near.scheduled_for - $3), false) AS is_too_close"         \
    " FROM companion.scheduled_messages AS near"                                                   \
    " WHERE near.user_id = due.user_id"                                                            \
    "   AND near.idempotency_key >= due.key_from AND near.idempotency_key < due.key_until)"

// How a value enters user_context_history, as parts of SQL statements.
#pragma once

#define INTO_HISTORY                                                                               \
    "INSERT INTO companion.user_context_history"                                                   \
    " (user_id, category, key, value, source, held_from, held_until, replaced_by) "

// The values of rows dropped because they had expired, but for those that never held.
#define ARCHIVE_EXPIRED                                                                            \
    INTO_HISTORY "SELECT user_id, category, key, value, source, value_since, expires_at, NULL"     \
                 " FROM dropped WHERE expires_at > value_since"

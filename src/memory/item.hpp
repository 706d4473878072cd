// An item as functions return it.
#pragma once

// A row c of user_context as companion.context_item. No SQL function: one that takes the table's
// row type would keep an operator from adding a column with a default.
#define CONTEXT_ITEM                                                                               \
    "ROW(c.user_id, c.id, c.category, c.key, c.value, c.importance, c.emotional_valence,"          \
    " c.source, c.source_message_id, c.metadata, c.pinned, c.expires_at, c.resolved_at,"           \
    " c.confirmations, c.confirmed_at, c.last_referenced_at, c.value_since, c.previous_value,"     \
    " c.previous_source, c.previous_since, c.contradicted_by, c.created_at, c.updated_at,"         \
    " c.last_used_at"                                                                              \
    ")::companion.context_item"

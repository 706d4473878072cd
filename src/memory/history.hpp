// How expired items enter user_context_history, as parts of SQL statements.
#pragma once

// Of an item c that is dropped, what dropped has.
#define DROPPED "c.user_id, c.id, c.category, c.key, c.value, c.source, c.value_since, c.expires_at"

// The embeddings of dropped go with it, by us: what a foreign key deletes has its owner's rights.
#define DROP_EMBEDDINGS                                                                            \
    "DELETE FROM companion.context_embeddings AS e USING dropped AS d"                             \
    " WHERE e.user_id = d.user_id AND e.item_id = d.id"

// The values of dropped, but for those that never held, and where their category keeps none.
#define ARCHIVE_DROPPED                                                                            \
    "INSERT INTO companion.user_context_history"                                                   \
    " (user_id, category, key, value, source, held_from, held_until)"                              \
    " SELECT d.user_id, d.category, d.key, d.value, d.source, d.value_since, d.expires_at"         \
    " FROM dropped AS d WHERE d.expires_at > d.value_since"                                        \
    " AND companion.keeps_history(d.category) RETURNING 1"

// Whether archived has all that held once, of dropped AS d.
#define IS_ARCHIVED                                                                                \
    "count(*) FILTER (WHERE d.expires_at > d.value_since AND companion.keeps_history(d.category))" \
    " = (SELECT count(*) FROM archived)"

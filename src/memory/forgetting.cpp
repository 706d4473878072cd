// Forgetting what was remembered: items, their history, and not which message they came from.
#include "memory/forgetting.hpp"

#include "identity/acting.hpp"
#include "postgres/arguments.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "text/folding.hpp"
#include "users/user_row.hpp"

namespace companion {

// Returns how many. The messages that have stated an item are noted, but for those that are gone.
static Statement forget_items{R"sql(
    WITH forgotten AS (
        DELETE FROM companion.user_context AS c
        WHERE c.user_id = $1 AND ($2 IS NULL OR c.category = $2)
            AND ($3 IS NULL OR c.folded_key = $3)
        RETURNING c.user_id, c.id, c.category, c.folded_key,
                  c.stated_in || c.earlier_stated_in || c.source_message_id AS stated_in),
    unembedded AS (
        DELETE FROM companion.context_embeddings AS e USING forgotten AS f
        WHERE e.user_id = f.user_id AND e.item_id = f.id),
    noted AS (
        INSERT INTO companion.forgotten_facts (user_id, message_id, fact)
        SELECT DISTINCT f.user_id, m.id, companion.fact_hash(m.id, f.category, f.folded_key)
        FROM forgotten AS f CROSS JOIN LATERAL unnest(f.stated_in) AS s (id)
        JOIN companion.messages AS m ON m.user_id = f.user_id AND m.id = s.id
        ON CONFLICT DO NOTHING)
    SELECT count(*) FROM forgotten)sql",
                              UUIDOID, TEXTOID, TEXTOID};

static Statement forget_history{R"sql(
    DELETE FROM companion.user_context_history AS h
    WHERE h.user_id = $1 AND ($2 IS NULL OR companion.normalized(h.category) = $2)
        AND ($3 IS NULL OR companion.folded(h.key) = $3))sql",
                                UUIDOID, TEXTOID, TEXTOID};

// Of what 0.1.0 has left, it is known whether one message alone has stated it where it was stated
// once.
static Statement forget_taught{R"sql(
    WITH forgotten AS (
        DELETE FROM companion.user_context AS c
        WHERE c.user_id = $1 AND c.source_message_id = $2
            AND (c.stated_in = ARRAY[$2] OR cardinality(c.stated_in) = 0 AND c.confirmations = 1)
        RETURNING c.user_id, c.id, c.category, c.folded_key),
    unembedded AS (
        DELETE FROM companion.context_embeddings AS e USING forgotten AS f
        WHERE e.user_id = f.user_id AND e.item_id = f.id)
    DELETE FROM companion.user_context_history AS h USING forgotten AS f
    WHERE h.user_id = f.user_id AND companion.normalized(h.category) = f.category
        AND companion.folded(h.key) = f.folded_key)sql",
                               UUIDOID, UUIDOID};

// What other messages have stated, too, comes from the last of these.
static Statement forget_message{R"sql(
    UPDATE companion.user_context AS c
    SET stated_in = array_remove(c.stated_in, $2),
        source_message_id = (
            SELECT m.id FROM unnest(c.stated_in) WITH ORDINALITY AS s (id, position)
            JOIN companion.messages AS m ON m.user_id = c.user_id AND m.id = s.id
            WHERE s.id <> $2 ORDER BY s.position DESC LIMIT 1)
    WHERE c.user_id = $1 AND c.source_message_id = $2)sql",
                                UUIDOID, UUIDOID};

Datum fact_hash(Datum message_id, std::string_view category, std::string_view folded_key)
{
    StringInfoData bytes;
    initStringInfo(&bytes);
    appendBinaryStringInfo(&bytes, reinterpret_cast<const char *>(DatumGetUUIDP(message_id)->data),
                           UUID_LEN);
    appendBinaryStringInfo(&bytes, category.data(), static_cast<int>(category.size()));
    appendStringInfoChar(&bytes, '\0');
    appendBinaryStringInfo(&bytes, folded_key.data(), static_cast<int>(folded_key.size()));
    // A text value is its bytes, as bytea is
    return DirectFunctionCall1(sha256_bytea,
                               to_text({bytes.data, static_cast<std::size_t>(bytes.len)}));
}

// How many items, and how many values of the history.
struct Forgotten {
    int64 items, history;
};

// The items first: whoever supersedes one of them meanwhile is waited for, and the
// second statement sees what went into the history.
static Forgotten forget(Datum user_id, NullableDatum category, NullableDatum key)
{
    const char nulls[] = {' ', null_flag(category), null_flag(key)};
    try_lock_user(user_id);
    forget_items.execute({user_id, category.value, key.value}, nulls);
    const int64 items = DatumGetInt64(result_field(0, 1));
    const uint64 history = forget_history.execute({user_id, category.value, key.value}, nulls);
    return {items, static_cast<int64>(history)};
}

void forget_facts_of(Datum user_id, Datum message_id)
{
    forget_taught.execute({user_id, message_id});
    forget_message.execute({user_id, message_id});
}

} // namespace companion

using namespace companion;

// An argument as the items' columns hold it.
static NullableDatum compared(const Arguments &arguments, int position,
                              std::string_view (*form)(std::string_view))
{
    if (arguments.is_null(position))
        return {0, true};
    return {to_text(form(trimmed(text_view(arguments.optional(position))))), false};
}

COMPANION_FUNCTION(forget_user_context)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    if (arguments.is_null(1) && !arguments.is_null(2))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("a key to forget needs its category"));
    const NullableDatum category = compared(arguments, 1, normalized),
                        key = compared(arguments, 2, folded);
    const Forgotten forgotten = act_for(user_id, [&] { return forget(user_id, category, key); });
    return as_only_row(fcinfo, {{Int64GetDatum(forgotten.items), false},
                                {Int64GetDatum(forgotten.history), false}});
}

COMPANION_FUNCTION(fact_hash)
{
    const Arguments arguments(fcinfo);
    return fact_hash(arguments.required(0, "message_id"), arguments.text(1, "category"),
                     arguments.text(2, "folded_key"));
}

// Storing what items mean.
#include "identity/acting.hpp"
#include "postgres/entry.hpp"
#include "postgres/triggered.hpp"
#include "recall/meaning.hpp"

using namespace companion;

namespace {

// Whoever gives the item another value waits for this, or is waited for and then seen.
Statement lock_item{R"sql(
    SELECT FROM companion.user_context AS c
    WHERE c.user_id = $1 AND c.id = $2 AND ($3 IS NULL OR c.value = $3)
        AND (c.expires_at IS NULL OR c.expires_at > companion.now())
    FOR SHARE)sql",
                    UUIDOID, UUIDOID, TEXTOID};

Statement store{R"sql(
    INSERT INTO companion.context_embeddings AS e (user_id, item_id, model, embedding)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id, item_id, model) DO UPDATE SET embedding = excluded.embedding
    RETURNING e.user_id = $1 AND e.item_id = $2 AND e.model = $3)sql",
                UUIDOID, UUIDOID, TEXTOID, FLOAT4ARRAYOID};

bool set_embedding(Datum user_id, Datum item_id, Datum model, Datum embedding, NullableDatum value)
{
    const char nulls[] = {' ', ' ', null_flag(value)};
    if (lock_item.execute({user_id, item_id, value.value}, nulls) == 0)
        return false;
    if (store.execute({user_id, item_id, model, embedding}) == 0)
        refuse_suppressed("context_embeddings");
    if (!DatumGetBool(result_field(0, 1)))
        refuse_changed("context_embeddings", "user_id, item_id or model");
    return true;
}

} // namespace

COMPANION_FUNCTION(set_embedding)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const Datum item_id = arguments.required(1, "item_id");
    check_length("model", arguments.text(2, "model"), 100);
    const Datum embedding = read_embedding(arguments, 3);
    PG_RETURN_BOOL(act_for(user_id, [&] {
        return set_embedding(user_id, item_id, arguments.optional(2), embedding,
                             arguments.nullable(4));
    }));
}

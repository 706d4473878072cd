// What a message has asked about: items that are resolved as it is filed.
#include "memory/asked.hpp"

#include "postgres/array_builder.hpp"
#include "postgres/statement.hpp"

namespace companion {

static Statement resolve_items{R"sql(
    UPDATE companion.user_context AS c
    SET resolved_at = companion.now(), updated_at = companion.now()
    WHERE c.user_id = $1 AND c.id = ANY ($2) AND c.resolved_at IS NULL
        AND (c.expires_at IS NULL OR c.expires_at > companion.now()))sql",
                               UUIDOID, UUIDARRAYOID};

// Refuse an array that has not an element or a row for each of so many messages; an empty one is
// for none. Error 2202E.
static void check_shape(ArrayType *resolves, bool is_bulk, int messages)
{
    const int dimensions = ARR_NDIM(resolves);
    if (dimensions > (is_bulk ? 2 : 1))
        ereport(ERROR, errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                errmsg("argument \"resolves\" must be a %s-dimensional array",
                       is_bulk ? "one- or two" : "one"));
    if (is_bulk && dimensions > 0 && ARR_DIMS(resolves)[0] != messages)
        ereport(ERROR, errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                errmsg("argument \"resolves\" has %d elements, expected %d", ARR_DIMS(resolves)[0],
                       messages));
}

AskedItems::AskedItems(NullableDatum resolves, bool is_bulk, int messages)
{
    if (resolves.isnull)
        return;
    ArrayType *array = DatumGetArrayTypeP(resolves.value);
    check_shape(array, is_bulk, messages);
    int count;
    deconstruct_array(array, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, &ids_, &nulls_, &count);
    a_message_ = count / Max(messages, 1);
}

void AskedItems::resolve(int message, Datum user_id) const
{
    ArrayBuilder ids(UUIDOID);
    for (int place = message * a_message_; place < (message + 1) * a_message_; place++)
        if (!nulls_[place])
            ids.add(ids_[place]);
    if (ids.size() > 0)
        resolve_items.execute({user_id, ids.finish()});
}

} // namespace companion

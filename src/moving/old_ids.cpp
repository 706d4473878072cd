// An app's own ids, of whatever type.
#include "identity/uuid_v7.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"

#include <cctype>

using namespace companion;

namespace {

// Whether a text is a UUID as PostgreSQL writes it.
bool is_uuid(std::string_view text)
{
    const auto is_part = [&](std::size_t at) {
        const bool is_dash = at == 8 || at == 13 || at == 18 || at == 23;
        return is_dash ? text[at] == '-' : isxdigit(static_cast<unsigned char>(text[at])) != 0;
    };
    if (text.size() != 36)
        return false;
    for (std::size_t at = 0; at < text.size(); at++)
        if (!is_part(at))
            return false;
    return true;
}

// A UUID of version 8 that is made of a text.
Datum made_of(Datum text)
{
    const std::string_view hash = text_view(DirectFunctionCall1(sha256_bytea, text));
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    memcpy(id->data, hash.data(), UUID_LEN);
    id->data[6] = static_cast<unsigned char>((id->data[6] & 0x0F) | 0x80);
    id->data[8] = static_cast<unsigned char>((id->data[8] & 0x3F) | 0x80);
    return UUIDPGetDatum(id);
}

} // namespace

COMPANION_FUNCTION(is_time_ordered)
{
    PG_RETURN_BOOL(is_version_7(PG_GETARG_UUID_P(0)));
}

COMPANION_FUNCTION(old_id)
{
    const Datum given = PG_GETARG_DATUM(0);
    const std::string_view text = text_view(given);
    if (!is_uuid(text))
        return made_of(given);
    return DirectFunctionCall1(uuid_in, CStringGetDatum(pnstrdup(text.data(), text.size())));
}

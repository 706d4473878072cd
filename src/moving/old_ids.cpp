// An app's own ids, of whatever type.
#include "identity/uuid_v7.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"

#include <cctype>

using namespace companion;

namespace {

// Whether a text is a UUID as PostgreSQL reads it: 32 digits, with or without a dash after any
// four, in braces or not.
bool is_uuid(std::string_view text)
{
    if (text.size() > 2 && text.front() == '{' && text.back() == '}')
        text = text.substr(1, text.size() - 2);
    int digits = 0;
    for (std::size_t at = 0; at < text.size(); at++) {
        const bool is_dash = text[at] == '-' && at > 0 && text[at - 1] != '-' &&
                             at + 1 < text.size() && digits % 4 == 0;
        if (!is_dash && isxdigit(static_cast<unsigned char>(text[at])) == 0)
            return false;
        digits += is_dash ? 0 : 1;
    }
    return digits == 32;
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

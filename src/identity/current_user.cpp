// companion.current_user_id(): who the current session acts for.
#include "identity/current_user.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"

namespace companion {

// The identity that a setting's text stood for when it was last read. Reading it
// again costs one comparison for as long as the text stays the same.
struct Identity {
    char *text;
    bool present;
    pg_uuid_t user_id;
};

static Identity from_claims;
static Identity from_subject;
static Identity from_setting;

static void name_source(void *setting)
{
    errcontext("identity in setting \"%s\"", static_cast<const char *>(setting));
}

// Raise 22P02 for claims that hold no usable subject.
[[noreturn]] static void refuse_claims(const char *expected)
{
    ereport(ERROR, errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
            errmsg("JWT claims hold no valid identity"), errdetail("Expected %s.", expected));
    pg_unreachable();
}

static void add_hint(void *)
{
    errhint(
        "A user's id is a uuid. Where the auth system's is not, give each user one, and set that"
        " before companion is called.");
}

static pg_uuid_t parse_uuid(const char *text)
{
    ErrorContextCallback context{error_context_stack, add_hint, nullptr};
    error_context_stack = &context;
    const Datum id = DirectFunctionCall1(uuid_in, CStringGetDatum(text));
    error_context_stack = context.previous;
    return *DatumGetUUIDP(id);
}

// Take "sub" from JWT claims; claims without one are an anonymous request.
static bool parse_claims(const char *text, pg_uuid_t *user_id)
{
    Jsonb *claims = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
    if (!JB_ROOT_IS_OBJECT(claims))
        refuse_claims("a JSON object");
    JsonbValue subject;
    if (getKeyJsonValueFromContainer(&claims->root, "sub", 3, &subject) == nullptr ||
        subject.type == jbvNull)
        return false;
    if (subject.type != jbvString)
        refuse_claims("\"sub\" to be a string");
    if (subject.val.string.len == 0)
        return false;
    *user_id = parse_uuid(pnstrdup(subject.val.string.val, subject.val.string.len));
    return true;
}

static bool parse_subject(const char *text, pg_uuid_t *user_id)
{
    *user_id = parse_uuid(text);
    return true;
}

// Parse a setting's text anew and keep the result; keep the old one on an error.
static void remember(Identity &identity, const char *setting, const char *text,
                     bool (*parse)(const char *, pg_uuid_t *))
{
    ErrorContextCallback context{error_context_stack, name_source, const_cast<char *>(setting)};
    error_context_stack = &context;
    pg_uuid_t user_id{};
    bool present = parse(text, &user_id);
    char *kept = MemoryContextStrdup(TopMemoryContext, text);
    error_context_stack = context.previous;

    if (identity.text != nullptr)
        pfree(identity.text);
    identity = {kept, present, user_id};
}

// The identity in a setting, or null if the setting is unset or empty.
static const Identity *read(Identity &identity, const char *setting, const char *text,
                            bool (*parse)(const char *, pg_uuid_t *))
{
    if (text == nullptr || *text == '\0')
        return nullptr;
    if (identity.text == nullptr || strcmp(identity.text, text) != 0)
        remember(identity, setting, text, parse);
    return &identity;
}

static const Identity *current_identity()
{
    static constexpr const char *claims = "request.jwt.claims";
    static constexpr const char *subject = "request.jwt.claim.sub";

    if (auto *found = read(from_claims, claims, GetConfigOption(claims, true, false), parse_claims))
        return found;
    if (auto *found =
            read(from_subject, subject, GetConfigOption(subject, true, false), parse_subject))
        return found;
    return read(from_setting, "companion.user_id", settings::user_id, parse_subject);
}

const pg_uuid_t *current_user_id()
{
    const Identity *identity = current_identity();
    return identity != nullptr && identity->present ? &identity->user_id : nullptr;
}

} // namespace companion

COMPANION_FUNCTION(current_user_id)
{
    const pg_uuid_t *identity = companion::current_user_id();
    if (identity == nullptr)
        PG_RETURN_NULL();
    auto *user_id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    *user_id = *identity;
    PG_RETURN_UUID_P(user_id);
}

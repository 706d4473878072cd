// The fields of a user that put_user() takes: columns of users, as JSON has their values.
#include "users/fields.hpp"

#include "channels/channel.hpp"
#include "channels/number_forms.hpp"
#include "postgres/arguments.hpp"
#include "users/columns.hpp"
#include "users/wall_time.hpp"

#include <algorithm>
#include <charconv>

namespace companion {

static std::string_view view(const JsonbValue &json)
{
    return {json.val.string.val, static_cast<std::size_t>(json.val.string.len)};
}

template <int most>
static bool has_up_to(std::string_view text)
{
    return !text.empty() && character_count(text) <= most;
}

static bool is_subscription_status(std::string_view text)
{
    return std::find(subscription_statuses.begin(), subscription_statuses.end(), text) !=
           subscription_statuses.end();
}

static constexpr TextRule email_rule{has_up_to<longest_email>, "a text of 1 to 320 characters"},
    username_rule{has_up_to<longest_username>, "a text of 1 to 64 characters"},
    location_rule{has_up_to<longest_location>, "a text of 1 to 500 characters"},
    status_rule{is_subscription_status, "free, trial, active, past_due or canceled"};

// What the value of a field is: its type, how a message says what it is to be, and how it is read
// from JSON that is not null; that is false where it is none.
struct Kind {
    Oid type;
    const char *expected;
    bool (*read)(const Kind &kind, const JsonbValue &json, Datum *value);
    const TextRule *rule = nullptr;
};

static bool read_text(const Kind &kind, const JsonbValue &json, Datum *value)
{
    if (json.type != jbvString || !kind.rule->accepts(view(json)))
        return false;
    *value = to_text(view(json));
    return true;
}

// The rule has seen to it that it is a time.
static bool read_wall_time(const Kind &kind, const JsonbValue &json, Datum *value)
{
    if (json.type != jbvString || !kind.rule->accepts(view(json)))
        return false;
    const char *text = pnstrdup(json.val.string.val, json.val.string.len);
    *value = DirectFunctionCall3(time_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
                                 Int32GetDatum(-1));
    return true;
}

// What the server refuses of the text is an error of its own.
static bool read_time(const Kind &, const JsonbValue &json, Datum *value)
{
    if (json.type != jbvString ||
        (view(json) != "infinity" && !is_iso_date(view(json).substr(0, 10))))
        return false;
    const char *text = pnstrdup(json.val.string.val, json.val.string.len);
    *value = DirectFunctionCall3(timestamptz_in, CStringGetDatum(text),
                                 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
    return true;
}

// A whole number within bounds.
static bool read_integer(std::string_view digits, int64 least, int64 most, int64 *value)
{
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *value);
    return error == std::errc() && end == digits.data() + digits.size() && *value >= least &&
           *value <= most;
}

static bool read_integer(const JsonbValue &json, int64 least, int64 most, int64 *value)
{
    return json.type == jbvNumeric &&
           read_integer(
               DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(json.val.numeric))),
               least, most, value);
}

// Clients whose numbers hold no bigint have it as a text.
static bool read_account(const Kind &, const JsonbValue &json, Datum *value)
{
    int64 account;
    if (json.type == jbvString ? !read_integer(view(json), 1, PG_INT64_MAX, &account)
                               : !read_integer(json, 1, PG_INT64_MAX, &account))
        return false;
    *value = Int64GetDatum(account);
    return true;
}

static bool read_number(const Kind &, const JsonbValue &json, Datum *value)
{
    if (json.type != jbvString || json.val.string.len == 0)
        return false;
    const char *number = with_plus(view(json));
    *value = CStringGetTextDatum(number);
    return is_phone_number(number);
}

static bool read_days(const Kind &, const JsonbValue &json, Datum *value)
{
    JsonbContainer *array = json.type == jbvBinary ? json.val.binary.data : nullptr;
    if (array == nullptr || !JsonContainerIsArray(array))
        return false;
    const int count = static_cast<int>(JsonContainerSize(array));
    auto *days = static_cast<Datum *>(palloc(count * sizeof(Datum) + 1));
    for (int index = 0; index < count; index++) {
        int64 day;
        if (!read_integer(*getIthJsonbValueFromContainer(array, index), 1, weekdays, &day))
            return false;
        days[index] = Int16GetDatum(static_cast<int16>(day));
    }
    *value =
        PointerGetDatum(construct_array(days, count, INT2OID, sizeof(int16), true, TYPALIGN_SHORT));
    return true;
}

static bool read_object(const Kind &, const JsonbValue &json, Datum *value)
{
    if (json.type != jbvBinary || !JsonContainerIsObject(json.val.binary.data))
        return false;
    JsonbValue object = json;
    Jsonb *jsonb = JsonbValueToJsonb(&object);
    *value = JsonbPGetDatum(jsonb);
    return VARSIZE(jsonb) <= largest_json();
}

static Kind text_of(const TextRule &rule)
{
    return {TEXTOID, rule.expected, read_text, &rule};
}

static const Kind short_text = text_of(short_text_rule), zone = text_of(zone_rule),
                  channel = text_of(channel_rule), email = text_of(email_rule),
                  username = text_of(username_rule), location = text_of(location_rule),
                  status = text_of(status_rule),
                  wall_time{TIMEOID, wall_time_rule.expected, read_wall_time, &wall_time_rule},
                  point_in_time{TIMESTAMPTZOID,
                                "a time such as 2026-03-20T09:00:00+01:00, or infinity", read_time},
                  days{INT2ARRAYOID, "an array of weekdays, 1 (Monday) to 7", read_days},
                  object{JSONBOID, "an object of at most companion.max_json_size", read_object},
                  account{INT8OID, "a number from 1 on, or a text of its digits", read_account},
                  number{TEXTOID, "a number in E.164 form such as +491511234567", read_number};

// A column of users as a field: who sets it, what it is, whether null is a value, too, and whether
// it names an account.
struct KnownField {
    const char *name;
    Setter setter;
    const Kind *kind;
    bool takes_null, names_account;
};

static constexpr bool takes_null = true;
static const KnownField known_fields[] = {
    {"display_name", Setter::end_user, &short_text, takes_null},
    {"companion_name", Setter::end_user, &short_text, takes_null},
    {"support_style", Setter::end_user, &short_text, takes_null},
    {"timezone", Setter::end_user, &zone},
    {"checkin_time", Setter::end_user, &wall_time, takes_null},
    {"checkin_days", Setter::end_user, &days},
    {"checkin_paused_until", Setter::end_user, &point_in_time, takes_null},
    {"preferred_channel", Setter::end_user, &channel, takes_null},
    {"preferences", Setter::end_user, &object},
    {"location", Setter::end_user, &location, takes_null},
    {"quiet_from", Setter::end_user, &wall_time, takes_null},
    {"quiet_until", Setter::end_user, &wall_time, takes_null},
    {"onboarding_completed_at", Setter::worker, &point_in_time, takes_null},
    {"app_data", Setter::worker, &object},
    {"telegram_user_id", Setter::admin, &account, takes_null, true},
    {"telegram_username", Setter::admin, &username, takes_null, true},
    {"whatsapp_number", Setter::admin, &number, takes_null, true},
    {"telegram_linked_at", Setter::admin, &point_in_time, takes_null},
    {"email", Setter::admin, &email, takes_null},
    {"subscription_status", Setter::admin, &status},
    {"subscription_expires_at", Setter::admin, &point_in_time, takes_null},
    {"suspended_until", Setter::admin, &point_in_time, takes_null},
    {"id", Setter::nobody},
    {"created_at", Setter::nobody},
    {"updated_at", Setter::nobody},
    {"last_user_message_at", Setter::nobody},
    {"usable_addresses", Setter::nobody},
};

static const KnownField &require_known(std::string_view name)
{
    for (const KnownField &field : known_fields)
        if (name == field.name)
            return field;
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("unknown field \"%s\"", excerpt(name)),
            errhint("A field is a column of companion.users; others have their place in app_data."),
            err_generic_string(PG_DIAG_COLUMN_NAME, excerpt(name)));
    pg_unreachable();
}

void refuse_field(const char *name, const char *hint)
{
    ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
            errmsg("not allowed to set field \"%s\"", name), errhint("%s", hint),
            err_generic_string(PG_DIAG_COLUMN_NAME, name));
    pg_unreachable();
}

// Error 42501.
static void require_setter(const KnownField &field, Setter caller, Accounts accounts)
{
    const bool is_named = field.names_account && accounts == Accounts::named;
    if (caller >= (is_named ? Setter::worker : field.setter))
        return;
    refuse_field(field.name, field.setter == Setter::nobody ? "No call of put_user() sets it."
                             : field.names_account
                                 ? "An admin sets it; a worker names it where user_id is null."
                             : field.setter == Setter::admin ? "An admin sets it."
                                                             : "A worker or an admin sets it.");
}

// Say of what the server does not take for a time what was expected, as of any other value.
static void describe_time(void *field)
{
    constexpr char data_exceptions[] = "22";
    if (strncmp(unpack_sql_state(geterrcode()), data_exceptions, 2) != 0)
        return;
    const auto *known = static_cast<const KnownField *>(field);
    describe_invalid("field", known->name, known->kind->expected);
    errhint("Write it with its zone's offset, or Z.");
}

// The value of a field. Error 22023.
static NullableDatum read_value(const KnownField &field, const JsonbValue &json)
{
    NullableDatum value{0, json.type == jbvNull};
    ErrorContextCallback context{error_context_stack, describe_time,
                                 const_cast<KnownField *>(&field)};
    error_context_stack = &context;
    const bool is_valid =
        value.isnull ? field.takes_null : field.kind->read(*field.kind, json, &value.value);
    error_context_stack = context.previous;
    if (!is_valid)
        ereport(ERROR, describe_invalid("field", field.name, field.kind->expected));
    return value;
}

Fields::Fields(Jsonb *settings, Setter caller, Accounts accounts)
{
    static_assert(most > lengthof(known_fields));
    JsonbIterator *iterator = JsonbIteratorInit(&settings->root);
    JsonbValue json;
    const KnownField *field = nullptr;
    for (JsonbIteratorToken token = JsonbIteratorNext(&iterator, &json, false); token != WJB_DONE;
         token = JsonbIteratorNext(&iterator, &json, true)) {
        if (token == WJB_KEY) {
            field = &require_known(view(json));
            require_setter(*field, caller, accounts);
        } else if (token == WJB_VALUE)
            add({field->name, field->kind->type, read_value(*field, json)});
    }
}

const Field *Fields::find(const char *name) const
{
    for (const Field &field : *this)
        if (strcmp(field.name, name) == 0)
            return &field;
    return nullptr;
}

void Fields::drop(const char *name)
{
    if (const Field *found = find(name)) {
        std::copy(found + 1, end(), fields_ + (found - fields_));
        count_--;
    }
}

} // namespace companion

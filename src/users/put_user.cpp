// A user's settings: making a user, and changing one.
#include "identity/acting.hpp"
#include "postgres/arguments.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"
#include "sharding/reservations.hpp"
#include "users/account.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

// As it is in the end, whatever triggers have made of it.
Statement read_user{R"sql(
    SELECT u FROM companion.users AS u WHERE u.id = $1
)sql",
                    UUIDOID};

Statement read_accounts{R"sql(
    SELECT telegram_user_id, whatsapp_number FROM companion.users WHERE id = $1
)sql",
                        UUIDOID};

Statement remove_user{"DELETE FROM companion.users WHERE id = $1", UUIDOID};

Statement find_erased{R"sql(
    SELECT FROM companion.erased_users WHERE user_id = $1
)sql",
                      UUIDOID};

// A statement about the user ($1) with the fields' values as further parameters; returns how many
// rows it has written. It is made for the fields that there are, so that a new row has the table's
// own defaults for the others, and triggers on other columns are left alone.
uint64 execute_with(const char *sql, Datum user_id, const Fields &fields)
{
    Oid types[1 + Fields::most] = {UUIDOID};
    Datum values[1 + Fields::most] = {user_id};
    char nulls[1 + Fields::most] = {' '};
    int count = 1;
    for (const Field &field : fields) {
        types[count] = field.type;
        values[count] = field.value.value;
        nulls[count++] = null_flag(field.value);
    }
    const int result = SPI_execute_with_args(sql, count, types, values, nulls, false, 0);
    if (result < 0)
        // Unreached: the fields are columns of the table
        elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
    return SPI_processed;
}

// Error 09000 where a trigger has made the row another's.
void require_same_user()
{
    require_written(1, "users", "id");
}

// False where the user is there already, or a trigger suppresses the row.
bool insert(Datum user_id, const Fields &fields)
{
    StringInfoData columns, parameters;
    initStringInfo(&columns);
    initStringInfo(&parameters);
    int number = 1;
    for (const Field &field : fields) {
        appendStringInfo(&columns, ", %s", field.name);
        appendStringInfo(&parameters, ", $%d", ++number);
    }
    const char *sql = psprintf("INSERT INTO companion.users AS u (id%s) VALUES ($1%s)"
                               " ON CONFLICT (id) DO NOTHING RETURNING u.id = $1",
                               columns.data, parameters.data);
    if (execute_with(sql, user_id, fields) == 0)
        return false;
    require_same_user();
    return true;
}

void update(Datum user_id, const Fields &fields)
{
    if (fields.begin() == fields.end())
        return;
    StringInfoData changes;
    initStringInfo(&changes);
    int number = 1;
    for (const Field &field : fields) {
        number++;
        appendStringInfo(&changes, "%s%s = $%d", number == 2 ? "" : ", ", field.name, number);
    }
    const char *sql = psprintf("UPDATE companion.users AS u SET %s WHERE u.id = $1"
                               " RETURNING u.id = $1",
                               changes.data);
    if (execute_with(sql, user_id, fields) == 0)
        refuse_suppressed("users");
    require_same_user();
}

// The accounts that the user has in the columns; those of a new user are null.
struct OwnAccounts {
    NullableDatum telegram_user_id{0, true}, whatsapp_number{0, true};
};

OwnAccounts own_accounts(Datum user_id)
{
    OwnAccounts own;
    read_accounts.execute({user_id});
    own.telegram_user_id.value = result_field(0, 1, &own.telegram_user_id.isnull);
    own.whatsapp_number.value = result_field(0, 2, &own.whatsapp_number.isnull);
    return own;
}

bool is_same_account(const NullableDatum &one, const NullableDatum &other)
{
    return one.isnull == other.isnull &&
           (one.isnull || DatumGetInt64(one.value) == DatumGetInt64(other.value));
}

bool is_same_number(const NullableDatum &one, const NullableDatum &other)
{
    return one.isnull == other.isnull &&
           (one.isnull || text_view(one.value) == text_view(other.value));
}

// With another Telegram account come its name and the time.
void complete_account(Fields *fields, const OwnAccounts &own)
{
    const Field *account = fields->find("telegram_user_id");
    if (account == nullptr || is_same_account(account->value, own.telegram_user_id))
        return;
    const bool is_cleared = account->value.isnull;
    if (fields->find("telegram_username") == nullptr)
        fields->add({"telegram_username", TEXTOID, {0, true}});
    if (fields->find("telegram_linked_at") == nullptr)
        fields->add(
            {"telegram_linked_at", TIMESTAMPTZOID, {TimestampTzGetDatum(now()), is_cleared}});
}

void change(Datum user_id, Fields *fields)
{
    if (fields->find("telegram_user_id") != nullptr)
        complete_account(fields, own_accounts(user_id));
    update(user_id, *fields);
}

// Refuse to bring back who was erased. Error 23503.
void require_not_erased(Datum user_id)
{
    if (find_erased.execute({user_id}) > 0)
        ereport(
            ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
            errmsg("user %s was erased", DatumGetCString(DirectFunctionCall1(uuid_out, user_id))),
            errhint("An admin who wants them back deletes their row of "
                    "companion.erased_users first."));
}

// False where somebody else is faster: the user is there by then.
bool make(Datum user_id, Fields *fields)
{
    require_not_erased(user_id);
    Fields all = *fields;
    complete_account(&all, {});
    if (insert(user_id, all))
        return true;
    if (!try_lock_user(user_id))
        refuse_suppressed("users");
    change(user_id, fields);
    return false;
}

void make_or_change(Datum user_id, Fields *fields, Setter caller)
{
    if (try_lock_user(user_id))
        change(user_id, fields);
    else if (caller == Setter::end_user)
        refuse_unknown_user(user_id);
    else
        make(user_id, fields);
}

// A user who was found by an account has it already, be it their own or another address of theirs.
// Telegram's name for it is kept where it is their own.
void drop_found_account(Fields *fields, const LinkedAddress &found, const OwnAccounts &own)
{
    const char *column = account_column(found.stored);
    const Field *account = fields->find("telegram_user_id");
    if (account != nullptr && strcmp(column, account->name) == 0 &&
        !is_same_account(account->value, own.telegram_user_id))
        fields->drop("telegram_username");
    fields->drop(column);
}

// A worker names an account of somebody who is known, but does not give them another. Error 42501.
void require_same_accounts(Fields *fields, const OwnAccounts &own)
{
    const char *hint = "This user is known, by another account: companion.link_address() links a "
                       "further one, a link token their own.";
    const Field *account = fields->find("telegram_user_id"),
                *number = fields->find("whatsapp_number");
    if (account != nullptr && !is_same_account(account->value, own.telegram_user_id))
        refuse_field(account->name, hint);
    if (number != nullptr && !is_same_number(number->value, own.whatsapp_number))
        refuse_field(number->name, hint);
}

void change_found(const LinkedAddress &found, Fields *fields, Setter caller)
{
    const Datum user_id = UUIDPGetDatum(&found.user_id);
    const OwnAccounts own = own_accounts(user_id);
    drop_found_account(fields, found, own);
    if (caller != Setter::admin)
        require_same_accounts(fields, own);
    if (found.is_disabled)
        link(user_id, found.stored);
    change(user_id, fields);
}

// Refuse what a trigger has made of the accounts: who is made by them is to be found by them.
// Error 09000.
void require_found(const pg_uuid_t &user_id, const NamedAccounts &accounts)
{
    LinkedAddress found;
    if (!accounts.find(&found) || !is_same_uuid(found.user_id, user_id))
        refuse_changed("users", "telegram_user_id or whatsapp_number");
}

// Refuse to give an account that nobody has to somebody who was there before: whoever comes with it
// is new. Error 55000.
void require_new(Datum user_id)
{
    if (try_lock_user(user_id) || find_erased.execute({user_id}) > 0)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("the account is reserved for user %s, who is not new and does not have it",
                       DatumGetCString(DirectFunctionCall1(uuid_out, user_id))),
                errhint("Settle the reservation, and reserve the account for a new id."));
}

// Make a user who has the accounts. False where somebody else has got the first meanwhile, and then
// there is no new user.
bool make_by_account(const pg_uuid_t &user_id, const NamedAccounts &accounts, Fields *fields)
{
    Fields others = *fields;
    for (const char *column : {"telegram_user_id", "telegram_username", "whatsapp_number"})
        others.drop(column);
    const bool is_new = make(UUIDPGetDatum(&user_id), &others);
    if (!accounts.link_first(user_id)) {
        if (is_new && remove_user.execute({UUIDPGetDatum(&user_id)}) == 0)
            refuse_suppressed("users");
        return false;
    }
    change(UUIDPGetDatum(&user_id), fields);
    require_found(user_id, accounts);
    return true;
}

// Returns who has the accounts, or has them from now on.
pg_uuid_t make_or_change_by_account(const NamedAccounts &accounts, Fields *fields, Setter caller)
{
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        if (LinkedAddress found; accounts.lock_user(&found)) {
            change_found(found, fields, caller);
            return found.user_id;
        }
        const pg_uuid_t user_id = accounts.new_user_id();
        if (needs_directory())
            require_new(UUIDPGetDatum(&user_id));
        if (make_by_account(user_id, accounts, fields))
            return user_id;
    }
}

Setter caller()
{
    return acts_for_every_user(Others::admins) ? Setter::admin
           : acts_for_every_user()             ? Setter::worker
                                               : Setter::end_user;
}

Datum read_row(Datum user_id)
{
    if (read_user.execute({user_id}) == 0)
        refuse_unknown_user(user_id);
    return SPI_datumTransfer(with_finite_times(result_field(0, 1)), false, -1);
}

// Error 22023 where no account is named.
Datum put_by_account(Jsonb *settings, Setter caller)
{
    Fields fields(settings, caller, Accounts::named);
    const NamedAccounts accounts(fields);
    if (accounts.is_empty())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("neither user_id nor an account says who the user is"),
                errhint("Without user_id, telegram_user_id or whatsapp_number does."));
    if (caller != Setter::admin && fields.find("telegram_user_id") == nullptr &&
        fields.find("telegram_username") != nullptr)
        refuse_field("telegram_username", "A worker names it beside its telegram_user_id.");
    return with_spi([&] {
        const pg_uuid_t user_id = make_or_change_by_account(accounts, &fields, caller);
        return read_row(UUIDPGetDatum(&user_id));
    });
}

Datum put_by_id(Datum user_id, Jsonb *settings, Setter caller)
{
    Fields fields(settings, caller, Accounts::admins);
    return act_for(user_id, [&] {
        make_or_change(user_id, &fields, caller);
        return read_row(user_id);
    });
}

} // namespace

COMPANION_FUNCTION(put_user)
{
    const Arguments arguments(fcinfo);
    const Setter setter = caller();
    if (setter == Setter::end_user)
        require_right_to_act_for(arguments.required(0, "user_id"));
    Jsonb *settings = DatumGetJsonbP(arguments.required(1, "settings"));
    check_object("settings", settings);
    PreventCommandIfReadOnly("put_user()");
    PG_RETURN_DATUM(arguments.is_null(0) ? put_by_account(settings, setter)
                                         : put_by_id(arguments.optional(0), settings, setter));
}

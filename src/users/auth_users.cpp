// The trigger on an auth table that keeps companion.users in step with it.
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "users/personal_data.hpp"

using namespace companion;

namespace {

Statement add_user{"INSERT INTO companion.users (id, email) VALUES ($1, $2)"
                   " ON CONFLICT (id) DO UPDATE SET email = excluded.email",
                   UUIDOID, TEXTOID};

Statement change_email{"UPDATE companion.users SET email = $2"
                       " WHERE id = $1 AND email IS DISTINCT FROM $2",
                       UUIDOID, TEXTOID};

Statement adopt_users{R"sql(
    INSERT INTO companion.users AS u (id, email)
    SELECT auth.id, auth.email FROM unnest($1, $2) AS auth (id, email) ORDER BY auth.id
    ON CONFLICT (id) DO UPDATE SET email = excluded.email
    WHERE u.email IS DISTINCT FROM excluded.email
)sql",
                      UUIDARRAYOID, TEXTARRAYOID};

// The auth row that a trigger was fired for.
class AuthRow {
  public:
    explicit AuthRow(FunctionCallInfo fcinfo)
        : trigger_(reinterpret_cast<TriggerData *>(fcinfo->context))
    {
        if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger_->tg_event) ||
            !TRIGGER_FIRED_FOR_ROW(trigger_->tg_event) || trigger_->tg_trigger->tgnattr != 1)
            ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("this function must be called as a trigger after a row's change"),
                    errhint("companion.follow_auth_users() creates the trigger."));
    }

    bool is_new() const { return TRIGGER_FIRED_BY_INSERT(trigger_->tg_event); }
    bool is_gone() const { return TRIGGER_FIRED_BY_DELETE(trigger_->tg_event); }

    // Error 23502 when the row has none.
    Datum id() const
    {
        const char *id = SPI_getvalue(tuple(), descriptor(), SPI_fnumber(descriptor(), "id"));
        if (id == nullptr)
            ereport(ERROR, errcode(ERRCODE_NOT_NULL_VIOLATION),
                    errmsg("a row of table \"%s\" has no id",
                           RelationGetRelationName(trigger_->tg_relation)));
        return DirectFunctionCall1(uuid_in, CStringGetDatum(id));
    }

    // As a C string, or null: the column that the trigger is declared to fire for.
    const char *email() const
    {
        return SPI_getvalue(tuple(), descriptor(), trigger_->tg_trigger->tgattr[0]);
    }

  private:
    HeapTuple tuple() const
    {
        return TRIGGER_FIRED_BY_UPDATE(trigger_->tg_event) ? trigger_->tg_newtuple
                                                           : trigger_->tg_trigtuple;
    }
    TupleDesc descriptor() const { return RelationGetDescr(trigger_->tg_relation); }

    TriggerData *trigger_;
};

void follow(const AuthRow &row)
{
    if (row.is_gone()) {
        erase_user(row.id());
        return;
    }
    const char *email = row.email();
    const char nulls[] = {' ', email == nullptr ? 'n' : ' '};
    Statement &statement = row.is_new() ? add_user : change_email;
    statement.execute({row.id(), email == nullptr ? Datum{0} : CStringGetTextDatum(email)}, nulls);
}

} // namespace

COMPANION_FUNCTION(follow_auth_user)
{
    const AuthRow row(fcinfo);
    with_spi([&] { follow(row); });
    return PointerGetDatum(nullptr);
}

COMPANION_FUNCTION(adopt_auth_users)
{
    const Arguments arguments(fcinfo);
    const Datum ids = arguments.required(0, "ids"), emails = arguments.required(1, "emails");
    PG_RETURN_INT64(with_spi([&] { return static_cast<int64>(adopt_users.execute({ids, emails})); }));
}

// The trigger on an auth table that keeps companion.users in step with it.
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "users/auth_table.hpp"
#include "users/personal_data.hpp"

using namespace companion;

namespace {

Statement add_user{R"sql(
    INSERT INTO companion.users (id, email) VALUES ($1, $2)
    ON CONFLICT (id) DO UPDATE SET email = excluded.email
    RETURNING id = $1
)sql",
                   UUIDOID, TEXTOID};

Statement find_other_email{R"sql(
    SELECT FROM companion.users WHERE id = $1 AND email IS DISTINCT FROM $2 FOR NO KEY UPDATE
)sql",
                           UUIDOID, TEXTOID};

Statement change_email{"UPDATE companion.users SET email = $2 WHERE id = $1", UUIDOID, TEXTOID};

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

    Relation table() const { return trigger_->tg_relation; }

    // The column that the trigger is declared to fire for.
    AttrNumber email_number() const { return trigger_->tg_trigger->tgattr[0]; }

    NullableDatum value(AttrNumber number) const
    {
        NullableDatum value;
        value.value = heap_getattr(tuple(), number, RelationGetDescr(table()), &value.isnull);
        return value;
    }

  private:
    HeapTuple tuple() const
    {
        return TRIGGER_FIRED_BY_UPDATE(trigger_->tg_event) ? trigger_->tg_newtuple
                                                           : trigger_->tg_trigtuple;
    }

    TriggerData *trigger_;
};

void add(Datum id, Datum email, const char *nulls)
{
    if (add_user.execute({id, email}, nulls) == 0)
        refuse_suppressed("users");
    if (!DatumGetBool(result_field(0, 1)))
        refuse_changed("users", "id");
}

// Whoever is not a user, or is no more, does not become one by this.
void change(Datum id, Datum email, const char *nulls)
{
    if (find_other_email.execute({id, email}, nulls) > 0 &&
        change_email.execute({id, email}, nulls) == 0)
        refuse_suppressed("users");
}

void follow(const AuthRow &row)
{
    const AuthColumns columns(row.table(), row.email_number());
    const Datum id = columns.id(row.value(columns.id_number()));
    if (row.is_gone()) {
        erase_user(id);
        return;
    }
    const NullableDatum email = columns.email(row.value(columns.email_number()));
    const char nulls[] = {' ', null_flag(email)};
    (row.is_new() ? add : change)(id, email.value, nulls);
}

} // namespace

COMPANION_FUNCTION(follow_auth_user)
{
    const AuthRow row(fcinfo);
    with_spi([&] { follow(row); });
    return PointerGetDatum(nullptr);
}

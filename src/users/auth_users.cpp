// The trigger on an auth table that keeps companion.users in step with it.
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/runtime.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"
#include "sharding/shard.hpp"
#include "users/auth_table.hpp"
#include "users/personal_data.hpp"

using namespace companion;

namespace {

// $4: whether the auth table says who is suspended. Who signs up, under whichever id, is a user.
Statement add_user{R"sql(
    INSERT INTO companion.users AS u (id, email, suspended_until) VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE SET email = excluded.email,
        suspended_until = CASE WHEN $4 THEN excluded.suspended_until ELSE u.suspended_until END
    RETURNING id = $1
)sql",
                   UUIDOID, TEXTOID, TIMESTAMPTZOID, BOOLOID};

Statement find_other{R"sql(
    SELECT FROM companion.users
    WHERE id = $1 AND (email IS DISTINCT FROM $2
                       OR ($4 AND suspended_until IS DISTINCT FROM $3))
    FOR NO KEY UPDATE
)sql",
                     UUIDOID, TEXTOID, TIMESTAMPTZOID, BOOLOID};

Statement change_user{R"sql(
    UPDATE companion.users
    SET email = $2, suspended_until = CASE WHEN $4 THEN $3 ELSE suspended_until END
    WHERE id = $1
)sql",
                      UUIDOID, TEXTOID, TIMESTAMPTZOID, BOOLOID};

// What the columns are for which a trigger fires, by its arguments in the same order. One of
// 0.1.0's has none, and fires for the e-mail address.
Followed followed_by(const Trigger *trigger)
{
    Followed followed{};
    for (int index = 0; index < trigger->tgnattr; index++) {
        const char *role = index < trigger->tgnargs ? trigger->tgargs[index] : "email";
        AttrNumber ignored, *number = strcmp(role, "email") == 0     ? &followed.email
                                      : strcmp(role, "deleted") == 0 ? &followed.deleted
                                      : strcmp(role, "banned") == 0  ? &followed.banned
                                                                     : &ignored;
        *number = trigger->tgattr[index];
    }
    return followed;
}

struct ColumnReader {
    Relation table;
    HeapTuple row;

    NullableDatum operator()(AttrNumber number) const
    {
        NullableDatum value;
        value.value = heap_getattr(row, number, RelationGetDescr(table), &value.isnull);
        return value;
    }
};

// The auth row that a trigger was fired for.
class AuthRow {
  public:
    explicit AuthRow(FunctionCallInfo fcinfo)
        : trigger_(reinterpret_cast<TriggerData *>(fcinfo->context))
    {
        if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger_->tg_event) ||
            !TRIGGER_FIRED_FOR_ROW(trigger_->tg_event) ||
            followed_by(trigger_->tg_trigger).email == InvalidAttrNumber)
            ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("this function must be called as a trigger after a row's change"),
                    errhint("companion.follow_auth_users() creates the trigger."));
    }

    bool is_new() const { return TRIGGER_FIRED_BY_INSERT(trigger_->tg_event); }
    bool is_gone() const { return TRIGGER_FIRED_BY_DELETE(trigger_->tg_event); }

    AuthColumns columns() const
    {
        return AuthColumns(trigger_->tg_relation, followed_by(trigger_->tg_trigger));
    }

    // What reads a column of the row as it was before, and as it is now, or was at last.
    ColumnReader before() const { return {trigger_->tg_relation, trigger_->tg_trigtuple}; }
    ColumnReader now() const
    {
        return {trigger_->tg_relation, TRIGGER_FIRED_BY_UPDATE(trigger_->tg_event)
                                           ? trigger_->tg_newtuple
                                           : trigger_->tg_trigtuple};
    }

  private:
    TriggerData *trigger_;
};

// A user as the auth table has them.
struct AuthUser {
    Datum id;
    NullableDatum email, suspended_until;
    bool has_suspension;

    uint64 execute(Statement &statement) const
    {
        const char nulls[] = {' ', null_flag(email), null_flag(suspended_until), ' '};
        return statement.execute(
            {id, email.value, suspended_until.value, BoolGetDatum(has_suspension)}, nulls);
    }
};

void add(const AuthUser &user)
{
    if (user.execute(add_user) == 0)
        refuse_suppressed("users");
    if (!DatumGetBool(result_field(0, 1)))
        refuse_changed("users", "id");
    forget_erasure(user.id);
}

// Whoever is not a user, or is no more, does not become one by this.
void change(const AuthUser &user, Datum id_before)
{
    if (!is_same_uuid(*DatumGetUUIDP(user.id), *DatumGetUUIDP(id_before)))
        move_user(id_before, user.id);
    if (user.execute(find_other) > 0 && user.execute(change_user) == 0)
        refuse_suppressed("users");
}

// Whether neither who a row was of nor who it is of belongs here.
bool is_of_others(const AuthRow &row, const AuthColumns &columns)
{
    return is_elsewhere(*DatumGetUUIDP(columns.id(row.before()))) &&
           is_elsewhere(*DatumGetUUIDP(columns.id(row.now())));
}

void follow(const AuthRow &row)
{
    const AuthColumns columns = row.columns();
    if (is_of_others(row, columns))
        return;
    const AuthUser user{columns.id(row.now()), columns.email(row.now()),
                        columns.suspended_until(row.now()), columns.has_suspensions()};
    if (row.is_gone()) {
        erase_user(user.id);
        forget_erasure(user.id);
    } else if (row.is_new())
        add(user);
    else
        change(user, columns.id(row.before()));
}

} // namespace

COMPANION_FUNCTION(follow_auth_user)
{
    const AuthRow row(fcinfo);
    with_spi([&] {
        fire_as_on_origin();
        follow(row);
    });
    return PointerGetDatum(nullptr);
}

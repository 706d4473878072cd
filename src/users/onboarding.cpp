// Onboarding: a user is asked step by step, and the answers take effect all at once.
#include "identity/acting.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "users/answers.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

Statement begin_unless_begun{
    "INSERT INTO companion.onboarding (user_id, current_step)"
    " SELECT $1, (SELECT step FROM companion.onboarding_steps WHERE position IS NOT NULL"
    "             ORDER BY position, step LIMIT 1)"
    " ON CONFLICT (user_id) DO NOTHING",
    UUIDOID};

Statement find{"SELECT current_step, completed_at IS NOT NULL, data"
               " FROM companion.onboarding WHERE user_id = $1",
               UUIDOID};

Statement find_step{R"sql(
    SELECT FROM companion.onboarding_steps WHERE step = $1 AND position IS NOT NULL
)sql",
                    TEXTOID};

// Returns the step after $2, and an answer that $2 must have and has not.
Statement merge{R"sql(
    UPDATE companion.onboarding AS o
    SET data = o.data || $3,
        current_step = (SELECT later.step FROM companion.onboarding_steps AS later
                        WHERE (later.position, later.step) > (s.position, s.step)
                        ORDER BY later.position, later.step LIMIT 1)
    FROM companion.onboarding_steps AS s
    WHERE o.user_id = $1 AND s.step = $2 AND s.position IS NOT NULL
    RETURNING o.current_step,
              (SELECT f.field FROM unnest(s.asks_for) AS f (field)
               WHERE s.required AND coalesce(o.data -> f.field, 'null') = 'null' LIMIT 1),
              o.user_id = $1)sql",
                UUIDOID, TEXTOID, JSONBOID};

Statement find_unanswered{R"sql(
    SELECT s.step, f.field FROM companion.onboarding_steps AS s
    CROSS JOIN LATERAL unnest(s.asks_for) AS f (field)
    WHERE s.required AND s.position IS NOT NULL AND coalesce($1 -> f.field, 'null') = 'null'
    ORDER BY s.position, s.step LIMIT 1)sql",
                          JSONBOID};

// A null answer leaves what the user has, except that null is a check-in time, too. Returns
// whether the rows of onboarding and users are still the user's; null where there is none.
Statement complete{R"sql(
    WITH completed AS (
        UPDATE companion.onboarding AS o
        SET completed_at = companion.now(), current_step = NULL
        WHERE o.user_id = $1 RETURNING o.user_id, o.data),
    changed AS (
        UPDATE companion.users AS u
        SET display_name = coalesce(c.data ->> 'name', u.display_name),
            companion_name = coalesce(c.data ->> 'companion_name', u.companion_name),
            support_style = coalesce(c.data ->> 'support_style', u.support_style),
            timezone = coalesce(c.data ->> 'timezone', u.timezone),
            checkin_time = CASE WHEN c.data ? 'checkin_time' THEN (c.data ->> 'checkin_time')::time
                                ELSE u.checkin_time END,
            preferred_channel = coalesce(c.data ->> 'channel', u.preferred_channel),
            onboarding_completed_at = coalesce(u.onboarding_completed_at, companion.now())
        FROM completed AS c WHERE u.id = $1 RETURNING u.id)
    SELECT (SELECT user_id = $1 FROM completed), (SELECT id = $1 FROM changed))sql",
                   UUIDOID};

[[noreturn]] void refuse_state(Datum user_id, const char *state, const char *hint)
{
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("onboarding of user %s %s",
                   DatumGetCString(DirectFunctionCall1(uuid_out, user_id)), state),
            hint != nullptr ? errhint("%s", hint) : 0);
    pg_unreachable();
}

// Find the user's onboarding; it is the last result then. Error 55000.
void require_begun(Datum user_id)
{
    if (find.execute({user_id}) == 0)
        refuse_state(user_id, "has not begun", "Call companion.start_onboarding() first.");
}

bool is_complete()
{
    return DatumGetBool(result_field(0, 2));
}

// A text of the last result, in the caller's memory, or null. As it is stored: to unpack it
// here would be to copy it into SPI's memory.
text *text_result(int column)
{
    bool is_null;
    const Datum value = result_field(0, column, &is_null);
    if (is_null)
        return nullptr;
    return reinterpret_cast<text *>(DatumGetPointer(SPI_datumTransfer(value, false, -1)));
}

text *start(Datum user_id)
{
    lock_user(user_id);
    begin_unless_begun.execute({user_id});
    if (find.execute({user_id}) == 0)
        refuse_suppressed("onboarding");
    return text_result(1);
}

// Error 22023.
void require_step(Datum step)
{
    if (find_step.execute({step}) == 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("unknown onboarding step \"%s\"", excerpt(text_view(step))),
                errhint("companion.onboarding_steps holds the steps."));
}

text *advance(Datum user_id, Datum step, Jsonb *answers)
{
    lock_user(user_id);
    require_begun(user_id);
    if (is_complete())
        refuse_state(user_id, "is complete", nullptr);
    if (merge.execute({user_id, step, JsonbPGetDatum(answers)}) == 0) {
        require_step(step);
        refuse_suppressed("onboarding");
    }
    require_written(3, "onboarding", "user_id");
    if (const text *missing = text_result(2))
        refuse_answer(text_to_cstring(missing), "an answer");
    return text_result(1);
}

// Refuse while a required step lacks an answer. Error 55000.
void require_answers(Datum user_id, Jsonb *data)
{
    if (find_unanswered.execute({JsonbPGetDatum(data)}) > 0)
        refuse_state(user_id, "cannot be completed yet",
                     psprintf("Step \"%s\" asks for \"%s\".", text_to_cstring(text_result(1)),
                              text_to_cstring(text_result(2))));
}

bool finish(Datum user_id)
{
    lock_user(user_id);
    require_begun(user_id);
    if (is_complete())
        return false;
    Jsonb *data = DatumGetJsonbP(result_field(0, 3));
    check_answers(data);
    require_answers(user_id, data);
    complete.execute({user_id});
    require_written(1, "onboarding", "user_id");
    require_written(2, "users", "id");
    return true;
}

Datum text_or_null(FunctionCallInfo fcinfo, const text *value)
{
    if (value == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_TEXT_P(value);
}

} // namespace

COMPANION_FUNCTION(start_onboarding)
{
    const Datum user_id = Arguments(fcinfo).required(0, "user_id");
    return text_or_null(fcinfo, act_for(user_id, [&] { return start(user_id); }));
}

COMPANION_FUNCTION(advance_onboarding)
{
    Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const Datum step = arguments.required(1, "step");
    Jsonb *answers = DatumGetJsonbP(arguments.required(2, "answers"));
    check_object("answers", answers);
    check_answers(answers);
    return text_or_null(fcinfo, act_for(user_id, [&] { return advance(user_id, step, answers); }));
}

COMPANION_FUNCTION(complete_onboarding)
{
    const Datum user_id = Arguments(fcinfo).required(0, "user_id");
    PG_RETURN_BOOL(act_for(user_id, [&] { return finish(user_id); }));
}

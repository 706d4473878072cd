// Foretelling: a user's next check-in, and what is to go to them.
#include "identity/acting.hpp"
#include "policy/kind.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"

using namespace companion;

namespace {

// $1 user, $2 after when, $3 send_within, $4 min_gap. Sixteen days hold every weekday twice, so
// that a weekly check-in is found even where a zone leaves a date out; they begin where the user's
// next check-in is not refused any more. It is found in time, whenever that is.
Statement find_next_checkin{R"sql(
    SELECT foretold.scheduled_for
    FROM companion.users AS u
    CROSS JOIN LATERAL (
        SELECT nullif(greatest($2, u.onboarding_completed_at - interval '1 microsecond',
            u.checkin_paused_until - interval '1 microsecond',
            u.suspended_until - interval '1 microsecond'), 'infinity') AS after) AS wanted
    CROSS JOIN LATERAL companion.checkins_foretold(u.id, wanted.after,
        wanted.after + interval '16 days', '-infinity', $3, $4) AS foretold
    WHERE u.id = $1 AND foretold.goes_at IS NOT NULL
    ORDER BY foretold.scheduled_for LIMIT 1
)sql",
                            UUIDOID, TIMESTAMPTZOID, INTERVALOID, INTERVALOID};

// $1 user, $2 until, $3 now, $4 send_within, $5 min_gap. What is pending is judged as a claim and a
// start do.
Statement find_upcoming{R"sql(
    WITH pending AS (
        SELECT m.id AS message_id, m.kind, m.local_date, m.scheduled_for, skip.reason AS skipped,
            policy.goes_at, q.channel, q.addresses[1] AS told,
            coalesce(skip.reason, policy.reason, quiet.reason,
                CASE WHEN q.visible_at > $3 THEN q.waits_for END, CASE
                WHEN q.sending THEN 'being sent by ' || q.worker
                WHEN q.leased_until > $3 THEN 'claimed by ' || q.worker
                WHEN q.last_error IS NOT NULL THEN 'tried again after: ' || q.last_error END)
                AS reason
        FROM companion.users AS u
        JOIN companion.dispatch_queue AS q ON q.user_id = u.id
        JOIN companion.scheduled_messages AS m ON m.user_id = u.id AND m.id = q.message_id
        CROSS JOIN LATERAL (
            SELECT * FROM companion.after_quiet_hours(q.kind, u.timezone, u.quiet_from,
                u.quiet_until, greatest(q.visible_at, $3), q.send_before)
            WHERE NOT q.sending
            UNION ALL SELECT $3, NULL WHERE q.sending) AS quiet
        CROSS JOIN LATERAL (
            SELECT * FROM companion.after_policy(u.id, q.kind, q.channel, quiet.goes_at,
                q.send_before)
            WHERE NOT q.sending
            UNION ALL SELECT $3, NULL WHERE q.sending) AS policy
        CROSS JOIN LATERAL (
            SELECT CASE WHEN NOT q.sending THEN coalesce(
                CASE WHEN q.send_before <= greatest(q.visible_at, $3)
                    THEN 'not sent before ' || q.send_before END,
                companion.suspended_reason(u.suspended_until, quiet.goes_at),
                CASE WHEN q.kind = 'checkin' OR (
                    SELECT k.respects_pause FROM companion.kinds AS k
                    WHERE k.kind IN (q.kind, 'custom') ORDER BY k.kind <> q.kind LIMIT 1)
                THEN companion.paused_reason(u.checkin_paused_until, greatest(q.visible_at, $3))
                END) END AS reason) AS skip
        WHERE u.id = $1 AND m.scheduled_for <= $2)
    SELECT upcoming.message_id, upcoming.kind, upcoming.local_date, upcoming.scheduled_for,
        upcoming.goes_at, upcoming.channel,
        coalesce(upcoming.told, companion.channel_address(u, upcoming.channel)), upcoming.reason
    FROM companion.users AS u
    CROSS JOIN LATERAL (
        SELECT p.message_id, p.kind, p.local_date, p.scheduled_for,
            CASE WHEN p.skipped IS NULL THEN p.goes_at END AS goes_at, p.channel, p.told, p.reason
        FROM pending AS p
        UNION ALL
        SELECT NULL, 'checkin', f.local_date, f.scheduled_for, policy.goes_at, f.channel, NULL,
            coalesce(policy.reason, f.reason)
        FROM companion.checkins_foretold(u.id, companion.not_covered_since(u.id, $3), $2, $3, $4, $5)
            AS f
        CROSS JOIN LATERAL companion.after_policy(u.id, 'checkin', f.channel, f.goes_at,
            f.scheduled_for + $4) AS policy) AS upcoming
    WHERE u.id = $1
    ORDER BY upcoming.scheduled_for, upcoming.message_id
)sql", UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INTERVALOID, INTERVALOID};

// The longest that is foretold.
constexpr int most_days = 400;

// The time up to which is asked. Error 22008 for infinity, 22023 for one that is too far.
TimestampTz read_until(const Arguments &arguments)
{
    const TimestampTz until = arguments.timestamp(1, "until");
    if (until > now() + most_days * USECS_PER_DAY)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("until is %s, expected at most %d days from now", timestamptz_to_str(until),
                       most_days));
    return until;
}

} // namespace

COMPANION_FUNCTION(next_checkin)
{
    Arguments arguments(fcinfo);
    Datum user_id = arguments.required(0, "user_id");
    TimestampTz at = arguments.timestamp(1, "at");
    if (!may_act_for(user_id))
        PG_RETURN_NULL();
    TimestampTz next = with_spi([&] {
        bool found = find_next_checkin.execute(
                         {user_id, TimestampTzGetDatum(at), PointerGetDatum(checkin_within()),
                          PointerGetDatum(seconds_interval(settings::min_gap))}) > 0;
        return found ? DatumGetTimestampTz(result_field(0, 1)) : DT_NOEND;
    });
    if (next == DT_NOEND)
        PG_RETURN_NULL();
    PG_RETURN_TIMESTAMPTZ(next);
}

COMPANION_FUNCTION(upcoming)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const TimestampTz until = read_until(arguments);
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    act_for(user_id, [&] {
        if (until >= now())
            put_rows(result, find_upcoming.execute(
                                 {user_id, TimestampTzGetDatum(until), TimestampTzGetDatum(now()),
                                  PointerGetDatum(checkin_within()),
                                  PointerGetDatum(seconds_interval(settings::min_gap))}));
    });
    return Datum{0};
}

// Why a user gets a check-in on a local day, or not: each rule in words, by what dispatch goes by.
#include "identity/acting.hpp"
#include "policy/kind.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "scheduling/time_zone.hpp"

using namespace companion;

namespace {

// Why there is nothing to judge of somebody; NULL where there is. And their zone.
Statement find_user{R"sql(
    SELECT u.timezone, CASE WHEN e.user_id IS NOT NULL THEN 'the user was erased at ' || e.erased_at
        WHEN u.id IS NULL THEN 'there is no such user' END
    FROM (SELECT $1 AS id) AS asked
    LEFT JOIN companion.users AS u ON u.id = asked.id
    LEFT JOIN companion.erased_users AS e ON u.id IS NULL AND e.user_id = asked.id
)sql",
                    UUIDOID};

// The same rows where somebody cannot be judged: $1 why.
Statement explain_nobody{R"sql(
    SELECT rule, CASE WHEN rule = 'eligible' THEN false END,
        CASE WHEN rule = 'eligible' THEN $1 END
    FROM unnest('{eligible,weekday,paused,guard,min_gap,channel,quiet,caps,sending,outcome}'::text[])
        WITH ORDINALITY AS r (rule, number)
    ORDER BY number
)sql",
                         TEXTOID};

// $1 user, $2 the local day, which may be null, $3 now, $4 send_within, $5 min_gap.
//
// asked is the day and its instant by the user's settings, stood the check-in that stands for it
// already, judged the instant that the rules are judged at. A check-in that stands is the one asked
// for unless it was for another instant. Caps and pauses of sending are judged where it is open
// whether it goes, as they are now.
Statement explain{R"sql(
    SELECT rule.name, rule.holds, rule.detail
    FROM companion.users AS u
    CROSS JOIN LATERAL (
        SELECT coalesce($2, companion.local_timestamp(u.timezone, $3)::date) AS local_date
        OFFSET 0) AS day
    CROSS JOIN LATERAL (
        SELECT day.local_date,
            companion.checkin_instant(u.timezone, day.local_date, u.checkin_time) AS instant,
            extract(isodow FROM day.local_date)::smallint AS weekday,
            to_char(day.local_date, 'FMDay') AS weekday_name,
            companion.checkin_key(day.local_date) AS key,
            companion.checkin_key(day.local_date - 2) AS key_from,
            companion.checkin_key(day.local_date + 3) AS key_until
        OFFSET 0) AS asked
    LEFT JOIN LATERAL (
        SELECT m.id, m.status, m.scheduled_for, m.send_before, m.channel,
            companion.clock_reading(m.timezone, m.scheduled_for) AS reading
        FROM companion.scheduled_messages AS m
        WHERE m.user_id = u.id AND m.kind = 'checkin'
            AND m.idempotency_key >= asked.key_from AND m.idempotency_key < asked.key_until
            AND companion.day_as_seen(u.timezone, m.timezone, m.local_date, m.scheduled_for)
                = asked.local_date
        ORDER BY m.scheduled_for DESC LIMIT 1) AS stood ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(asked.instant, stood.scheduled_for) AS instant,
            coalesce(asked.instant <> stood.scheduled_for, false) AS is_another
        OFFSET 0) AS judged
    CROSS JOIN LATERAL (
        SELECT companion.clock_reading(u.timezone, judged.instant) AS reading,
            coalesce(companion.suspended_reason(u.suspended_until, judged.instant),
                CASE WHEN judged.instant IS NOT NULL THEN companion.not_onboarded_reason(
                    u.onboarding_completed_at, judged.instant)
                WHEN u.onboarding_completed_at IS NULL THEN 'onboarding is not completed' END,
                companion.opted_out_reason(u.checkin_time)) AS ineligible,
            CASE WHEN asked.instant IS NULL AND u.checkin_time IS NOT NULL
                    THEN 'a date that ' || u.timezone || ' has left out'
                ELSE companion.weekday_reason(u.checkin_days, asked.weekday) END AS other_day,
            companion.paused_reason(u.checkin_paused_until, judged.instant) AS paused
        OFFSET 0) AS refused
    CROSS JOIN LATERAL companion.checkins_nearby(u.id, u.timezone, asked.local_date, judged.instant,
        asked.key, asked.key_from, asked.key_until, $5, stood.id) AS nearby
    CROSS JOIN LATERAL (
        SELECT coalesce(CASE WHEN NOT judged.is_another THEN stood.channel END,
            companion.choose_channel(u.usable_addresses, u.preferred_channel)) AS name
        OFFSET 0) AS channel
    LEFT JOIN LATERAL (
        SELECT string_agg(format('%s %s is disabled%s', a.channel, a.address,
            coalesce(': ' || a.disabled_reason, '')), ', ' ORDER BY a.channel, a.address) AS list
        FROM companion.addresses AS a
        WHERE a.user_id = u.id AND a.unlinked_at IS NULL AND a.disabled_at IS NOT NULL)
        AS disabled ON true
    CROSS JOIN LATERAL companion.after_quiet_hours('checkin', u.timezone, u.quiet_from,
        u.quiet_until, judged.instant, coalesce(CASE WHEN NOT judged.is_another
            THEN stood.send_before END, judged.instant + $4)) AS quiet
    CROSS JOIN LATERAL (
        SELECT CASE WHEN coalesce(stood.status, 'pending') = 'pending'
            THEN greatest(judged.instant, $3) END AS at
        OFFSET 0) AS open
    CROSS JOIN LATERAL companion.cap_full(u.id, 'checkin', open.at) AS cap
    CROSS JOIN LATERAL companion.sending_paused(channel.name, 'checkin', open.at) AS sending
    LEFT JOIN LATERAL companion.checkin_outcome(u.id, stood.id, $3) AS became ON true
    CROSS JOIN LATERAL (
        SELECT companion.not_covered_since(u.id, $3) AS since,
            coalesce(refused.ineligible, refused.other_day, refused.paused) AS reason,
            companion.checkin_skipped(judged.instant, greatest(judged.instant, $3), $4,
                nearby.is_too_close OR companion.is_overtaken(u.timezone, u.checkin_time,
                    u.checkin_days, judged.instant, greatest(judged.instant, $3), $5),
                channel.name) AS skipped
        OFFSET 0) AS otherwise
    CROSS JOIN LATERAL (VALUES
        (1, 'eligible', refused.ineligible IS NULL,
            coalesce(refused.ineligible, 'due at ' || refused.reading,
                'the check-in time is ' || u.checkin_time)),
        (2, 'weekday', refused.other_day IS NULL, coalesce(refused.other_day, asked.weekday_name
            || ' is one of the user''s days')),
        (3, 'paused', CASE WHEN judged.instant IS NOT NULL THEN refused.paused IS NULL END,
            CASE WHEN judged.instant IS NOT NULL
                THEN coalesce(refused.paused, 'not paused then') END),
        (4, 'guard', NOT judged.is_another, CASE
            WHEN stood.id IS NULL THEN 'this local day has had none yet'
            WHEN judged.is_another THEN 'this local day has its check-in already: ' || stood.id
                || ', due at ' || stood.reading || ', ' || stood.status
            ELSE 'this local day''s one check-in: ' || stood.id END),
        (5, 'min_gap', CASE WHEN judged.instant IS NOT NULL THEN NOT nearby.is_too_close END,
            CASE WHEN judged.instant IS NULL THEN NULL
                WHEN nearby.is_too_close THEN 'another is within companion.min_gap, ' || $5
                ELSE 'no other is within companion.min_gap, ' || $5 END),
        (6, 'channel', channel.name IS NOT NULL, concat_ws('; ',
            coalesce(channel.name || coalesce(': ' || companion.channel_address(u, channel.name),
                ', where the user has no address now'), 'no channel reaches the user'),
            CASE WHEN channel.name <> u.preferred_channel OR channel.name IS NULL
                THEN u.preferred_channel || ' is preferred, and does not reach the user' END,
            disabled.list)),
        (7, 'quiet', CASE WHEN judged.instant IS NOT NULL THEN quiet.goes_at IS NOT NULL END, CASE
            WHEN judged.instant IS NULL THEN NULL
            WHEN quiet.goes_at IS NULL THEN quiet.reason || ': skipped'
            WHEN quiet.goes_at > judged.instant THEN quiet.reason || ': waits for their end'
            WHEN u.quiet_from <> u.quiet_until THEN 'no quiet hours then'
            ELSE 'the user has no quiet hours' END),
        (8, 'caps', CASE WHEN open.at IS NOT NULL THEN cap.reason IS NULL END,
            CASE WHEN open.at IS NOT NULL THEN coalesce(cap.reason || ' until '
                || companion.clock_reading(u.timezone, cap.until), 'it is over no cap') END),
        (9, 'sending', CASE WHEN open.at IS NOT NULL THEN sending.reason IS NULL END,
            CASE WHEN open.at IS NOT NULL THEN coalesce(sending.reason || coalesce(', until '
                || companion.clock_reading(u.timezone, sending.until), ''),
                'sending is not paused') END),
        (100, 'outcome', CASE WHEN stood.id IS NOT NULL THEN became.holds
                WHEN otherwise.reason IS NOT NULL OR judged.instant <= otherwise.since
                    OR judged.instant IS NULL THEN false END,
            CASE WHEN stood.id IS NOT NULL THEN became.detail
                WHEN otherwise.reason IS NOT NULL THEN 'no tick finds it: ' || otherwise.reason
                WHEN judged.instant > $3 THEN 'not due yet'
                WHEN judged.instant > otherwise.since
                    THEN coalesce('no tick has come to it yet; the next will skip it: '
                        || otherwise.skipped, 'no tick has come to it yet')
                ELSE 'ticks have passed it, and it was not enqueued: the user''s settings were '
                    'others then, or it was deleted after companion.retention' END)
    ) AS rule (number, name, holds, detail)
    WHERE u.id = $1
    ORDER BY rule.number
)sql", UUIDOID, DATEOID, TIMESTAMPTZOID, INTERVALOID, INTERVALOID};

// The local day that is asked for, null for today. Error 22008.
NullableDatum read_date(const Arguments &arguments)
{
    const NullableDatum date = arguments.nullable(1);
    if (!date.isnull)
        require_date(DatumGetDateADT(date.value));
    return date;
}

// Why nothing can be judged of the user; null where it can.
const char *cannot_be_judged(Datum user_id)
{
    find_user.execute({user_id});
    bool is_known, is_there;
    const Datum reason = result_field(0, 2, &is_there);
    if (!is_there)
        return TextDatumGetCString(reason);
    const Datum timezone = result_field(0, 1, &is_known);
    return find_zone(text_view(timezone)) != nullptr
               ? nullptr
               : psprintf("the server does not know the time zone %s",
                          TextDatumGetCString(timezone));
}

uint64 explain_day(Datum user_id, NullableDatum date)
{
    if (const char *reason = cannot_be_judged(user_id))
        return explain_nobody.execute({CStringGetTextDatum(reason)});
    const char nulls[] = {' ', null_flag(date), ' ', ' ', ' '};
    return explain.execute({user_id, date.value, TimestampTzGetDatum(now()),
                            PointerGetDatum(checkin_within()),
                            PointerGetDatum(seconds_interval(settings::min_gap))},
                           nulls);
}

} // namespace

COMPANION_FUNCTION(explain_checkin)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const NullableDatum date = read_date(arguments);
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    act_for(user_id, [&] { put_rows(result, explain_day(user_id, date)); });
    return Datum{0};
}

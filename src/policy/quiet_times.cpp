// Users' quiet hours, as their messages on the queue go by them.
#include "policy/quiet_times.hpp"

#include "policy/kind.hpp"
#include "policy/pause.hpp"
#include "policy/quiet_hours.hpp"
#include "policy/quiet_verdict.hpp"
#include "postgres/arguments.hpp"
#include "postgres/statement.hpp"
#include "scheduling/time_zone.hpp"
#include "sending/finish.hpp"
#include "sending/notify.hpp"
#include "sending/pending.hpp"

namespace companion {

static Statement set_quiet{R"sql(
    UPDATE companion.dispatch_queue AS q
    SET visible_at = $3, leased_until = $4, start_before = $5,
        waits_for = CASE WHEN q.visible_at = $3 THEN q.waits_for END
    WHERE user_id = $1 AND message_id = $2
    RETURNING q.user_id = $1 AND q.message_id = $2 AND q.leased_until = $4
        AND q.start_before IS NOT DISTINCT FROM $5
)sql", UUIDOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID};

bool QuietSettings::have_window() const
{
    return !from.isnull && !until.isnull && from.value != until.value;
}

// A time that is quiet or is not, and when that ends.
struct QuietTime {
    bool is_quiet;
    TimestampTz end;
};

// Not quiet, without an end, where there is no window, and in a zone that is not known here.
static QuietTime quiet_time(const QuietSettings &settings, TimestampTz at)
{
    pg_tz *zone = settings.have_window() ? find_zone(text_view(settings.timezone.value)) : nullptr;
    if (zone == nullptr)
        return {false, DT_NOEND};
    const QuietHours hours(DatumGetTimeADT(settings.from.value),
                           DatumGetTimeADT(settings.until.value));
    const std::int64_t instant = to_instant(at);
    if (const std::optional<std::int64_t> end = hours.end(ServerZone(zone), instant))
        return {true, from_instant(*end)};
    const std::optional<std::int64_t> begin = hours.begin(ServerZone(zone), instant);
    return {false, begin ? from_instant(*begin) : DT_NOEND};
}

// The start_before of what may go: null is for who has no quiet hours.
static TimestampTz start_before(const QuietTime &time)
{
    return time.end == DT_NOEND ? DT_NOBEGIN : time.end;
}

Going QuietUsers::refuse(QueueRow &row, const char *reason)
{
    row.give_back();
    reason_ = row.last_failed_at == DT_NOBEGIN ? CStringGetTextDatum(reason)
                                               : with_last_error(row, reason);
    return Going::never;
}

Going QuietUsers::judge(QueueRow &row, TimestampTz at)
{
    const std::string_view name = text_view(row.kind);
    const Otherwise quiet = kind_of(name).quiet;
    if (quiet == Otherwise::ignore || !users_.find(UUIDPGetDatum(&row.user_id)))
        return Going::now;
    const QuietTime time = quiet_time(settings(), at);
    if (!time.is_quiet) {
        row.start_before = start_before(time);
        return Going::now;
    }
    if (const char *reason = paused_reason(name, users_.get(paused_until_), at))
        return refuse(row, reason);
    const QuietVerdict verdict = judge_in_quiet_hours(quiet, at, time.end, row.send_before);
    if (verdict.goes_at == DT_NOEND)
        return refuse(row, verdict.reason);
    row.give_back();
    row.visible_at = row.start_before = verdict.goes_at;
    row.waits_for = CStringGetTextDatum(verdict.reason);
    return Going::later;
}

// Whether it may be started at a time by who has claimed it.
static void judge_claim(QueueRow &row, const QuietSettings &settings, TimestampTz at)
{
    const QuietTime time = quiet_time(settings, at);
    if (time.is_quiet && kind_of(text_view(row.kind)).quiet != Otherwise::ignore)
        row.leased_until = DT_NOBEGIN;
    else if (!time.is_quiet && settings.have_window())
        row.start_before = start_before(time);
}

void follow_quiet_hours(QueueRow &row, const QuietSettings &settings)
{
    if (row.start_before == DT_NOEND && !settings.have_window())
        return;
    const TimestampTz at = now();
    if (row.visible_at > at && row.start_before == row.visible_at) {
        row.visible_at = at;
        notify_workers();
    }
    row.start_before = settings.have_window() ? DT_NOBEGIN : DT_NOEND;
    if (row.is_claimed() && !row.sending)
        judge_claim(row, settings, at);
    const char nulls[] = {' ', ' ', ' ', ' ', row.start_before == DT_NOEND ? 'n' : ' '};
    require_queue_row_written(
        set_quiet.execute_newest({UUIDPGetDatum(&row.user_id), UUIDPGetDatum(&row.message_id),
                                  TimestampTzGetDatum(row.visible_at),
                                  TimestampTzGetDatum(row.leased_until),
                                  TimestampTzGetDatum(row.start_before)},
                                 nulls),
        "user_id, message_id, leased_until or start_before");
}

} // namespace companion

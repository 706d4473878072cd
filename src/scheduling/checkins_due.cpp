// The check-ins of one user that are due within an interval.
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/interval_length.hpp"
#include "scheduling/time_zone.hpp"

using namespace companion;

namespace {

// One user's check-ins, and the interval (from, to].
struct Question {
    TimeADT checkin_time;
    bool weekdays[8]; // by ISO number
    TimestampTz from, to;
};

void read_weekdays(ArrayType *days, bool *weekdays)
{
    Datum *values;
    int count;
    deconstruct_array(days, INT2OID, sizeof(int16), true, TYPALIGN_SHORT, &values, nullptr, &count);
    for (int index = 0; index < count; index++) {
        const int weekday = DatumGetInt16(values[index]);
        if (weekday >= 1 && weekday <= 7)
            weekdays[weekday] = true;
    }
}

Question read_question(const Arguments &arguments, TimestampTz from, TimestampTz to)
{
    Question question{DatumGetTimeADT(arguments.required(1, "checkin_time")), {}, from, to};
    read_weekdays(arguments.array(2, "checkin_days"), question.weekdays);
    return question;
}

void put(ReturnSetInfo *result, std::int64_t date, TimestampTz due)
{
    Datum values[] = {DateADTGetDatum(static_cast<DateADT>(date - epoch_days)),
                      TimestampTzGetDatum(due)};
    bool nulls[] = {false, false};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

// Hand each of them to take(date, due), until it says that it has had enough.
template <class Take>
void find(const Question &question, ServerZone zone, Take take)
{
    const NewReadings readings(zone, to_instant(question.from), to_instant(question.to));
    for (std::int64_t date = readings.first_date(); date <= readings.last_date(); date++) {
        CHECK_FOR_INTERRUPTS();
        if (!question.weekdays[iso_weekday(date)])
            continue;
        const std::optional<std::int64_t> instant = instant_of(zone, date, question.checkin_time);
        const TimestampTz due = instant ? from_instant(*instant) : DT_NOBEGIN;
        if (due > question.from && due <= question.to && !take(date, due))
            return;
    }
}

bool is_overtaken(const Arguments &arguments, TimestampTz due, TimestampTz found_at)
{
    bool is_found = false;
    if (pg_tz *zone = find_zone(arguments.text(0, "timezone")))
        find(read_question(arguments, due, found_at), ServerZone(zone),
             [&](std::int64_t, TimestampTz) {
                 is_found = true;
                 return false;
             });
    return is_found;
}

} // namespace

COMPANION_FUNCTION(checkins_due)
{
    const Arguments arguments(fcinfo);
    const Question question =
        read_question(arguments, arguments.timestamp(3, "since"), arguments.timestamp(4, "until"));
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    if (pg_tz *zone = find_zone(arguments.text(0, "timezone")))
        find(question, ServerZone(zone), [&](std::int64_t date, TimestampTz due) {
            put(result, date, due);
            return true;
        });
    return Datum{0};
}

// Most are found in time, which costs no look at a zone.
COMPANION_FUNCTION(is_overtaken)
{
    const Arguments arguments(fcinfo);
    const TimestampTz due = DatumGetTimestampTz(arguments.required(3, "scheduled_for")),
                      found_at = DatumGetTimestampTz(arguments.required(4, "found_at"));
    const int64 min_gap = interval_length(arguments.required(5, "min_gap"));
    PG_RETURN_BOOL(min_gap > 0 && found_at - due > min_gap &&
                   is_overtaken(arguments, due, found_at));
}

// The check-ins of one user that are due within an interval.
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
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

Question read_question(const Arguments &arguments)
{
    Question question{DatumGetTimeADT(arguments.required(1, "checkin_time")),
                      {},
                      arguments.timestamp(3, "since"),
                      arguments.timestamp(4, "until")};
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

void answer(const Question &question, ServerZone zone, ReturnSetInfo *result)
{
    const NewReadings readings(zone, to_instant(question.from), to_instant(question.to));
    for (std::int64_t date = readings.first_date(); date <= readings.last_date(); date++) {
        CHECK_FOR_INTERRUPTS();
        if (!question.weekdays[iso_weekday(date)])
            continue;
        const std::optional<std::int64_t> instant = instant_of(zone, date, question.checkin_time);
        const TimestampTz due = instant ? from_instant(*instant) : DT_NOBEGIN;
        if (due > question.from && due <= question.to)
            put(result, date, due);
    }
}

} // namespace

COMPANION_FUNCTION(checkins_due)
{
    const Arguments arguments(fcinfo);
    const Question question = read_question(arguments);
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    if (pg_tz *zone = find_zone(arguments.text(0, "timezone")))
        answer(question, ServerZone(zone), reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo));
    return Datum{0};
}

// Who is due within an interval, in the order of the instants at which they are.
//
// For each zone in use it works out which stretches of wall time became due, and reads the users in
// them from an index, in its order, a few at a time. A heap of these stretches says who comes next.
#include "scheduling/due_users.hpp"

#include "postgres/array_builder.hpp"
#include "postgres/arguments.hpp"
#include "postgres/statement.hpp"

#include <algorithm>

namespace companion {

namespace {

// How many of one window are read at once.
constexpr int most_at_once = 1024;

// Skip from one zone to the next in the index.
Statement find_zones{R"sql(
    WITH RECURSIVE zone AS (
        (SELECT timezone FROM companion.users
         WHERE checkin_time IS NOT NULL AND onboarding_completed_at IS NOT NULL
         ORDER BY timezone LIMIT 1)
        UNION ALL
        SELECT next.timezone FROM zone
        CROSS JOIN LATERAL (
            SELECT users.timezone FROM companion.users
            WHERE users.timezone > zone.timezone
                AND checkin_time IS NOT NULL AND onboarding_completed_at IS NOT NULL
            ORDER BY users.timezone LIMIT 1) AS next)
    SELECT timezone FROM zone
)sql"};

// $1 to $6 the windows, $7 how many users of each at most, in the order of the index.
Statement read_windows{R"sql(
    SELECT w.number, u.checkin_time, u.id
    FROM unnest($1, $2, $3, $4, $5, $6)
        AS w (number, timezone, weekday, after_time, after_user, last_time)
    CROSS JOIN LATERAL (
        SELECT u.checkin_time, u.id FROM companion.users AS u
        WHERE u.timezone = w.timezone AND u.checkin_time <= w.last_time
            AND (u.checkin_time, u.id) > (w.after_time, w.after_user)
            AND u.checkin_time IS NOT NULL AND u.onboarding_completed_at IS NOT NULL
            AND w.weekday = ANY (u.checkin_days)
        ORDER BY u.checkin_time, u.id LIMIT $7) AS u
    ORDER BY w.number, u.checkin_time, u.id
)sql",       INT4ARRAYOID, TEXTARRAYOID, INT2ARRAYOID,
                       TIMEARRAYOID, UUIDARRAYOID, TIMEARRAYOID, INT4OID};

// Whether what is next in a window comes after what is in another: the order of a heap.
bool is_later(const Window *a, const Window *b)
{
    const Candidate &one = a->first(), &other = b->first();
    if (one.instant != other.instant)
        return one.instant > other.instant;
    if (one.reading != other.reading)
        return one.reading > other.reading;
    return memcmp(&one.user, &other.user, sizeof(pg_uuid_t)) > 0;
}

void warn_of_unknown_zone(Datum name)
{
    ereport(WARNING, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("time zone \"%s\" is not known; its users get no check-ins",
                   TextDatumGetCString(name)));
}

// Windows as arrays, each with its number.
class WindowArrays {
  public:
    void add(int number, const Window &window)
    {
        numbers_.add(Int32GetDatum(number));
        zones_.add(window.timezone);
        weekdays_.add(Int16GetDatum(iso_weekday(window.date)));
        after_times_.add(TimeADTGetDatum(window.after_time));
        after_users_.add(UUIDPGetDatum(&window.after_user));
        last_times_.add(TimeADTGetDatum(window.last_time));
    }

    uint64 read(int limit) const
    {
        return read_windows.execute({numbers_.finish(), zones_.finish(), weekdays_.finish(),
                                     after_times_.finish(), after_users_.finish(),
                                     last_times_.finish(), Int32GetDatum(limit)});
    }

  private:
    ArrayBuilder numbers_{INT4OID}, zones_{TEXTOID}, weekdays_{INT2OID}, after_times_{TIMEOID},
        after_users_{UUIDOID}, last_times_{TIMEOID};
};

// Take somebody who was read, unless a clock never reads their time on that date.
void put(Window &window, TimeADT time, const pg_uuid_t &user)
{
    if (window.candidates == nullptr)
        window.candidates = static_cast<Candidate *>(palloc(window.limit * sizeof(Candidate)));
    window.after_time = time;
    window.after_user = user;
    window.were_read++;
    if (const auto instant = instant_of(window.zone, window.date, time)) {
        const std::int64_t before = furthest_reading(window.zone, *instant - 1);
        window.candidates[window.count++] = {*instant, window.date * day + time - before - 1, user};
    }
}

// Forget who was taken, and expect at most so many.
void clear(Window &window, int limit)
{
    if (window.candidates != nullptr)
        pfree(window.candidates);
    window.candidates = nullptr;
    window.next = window.count = window.were_read = 0;
    window.limit = limit;
}

// Read the next of some windows, by the numbers that they have in the arrays.
void read(Window *windows, const WindowArrays &arrays, int limit)
{
    const uint64 rows = arrays.read(limit);
    for (uint64 row = 0; row < rows; row++)
        put(windows[DatumGetInt32(result_field(row, 1))], DatumGetTimeADT(result_field(row, 2)),
            *DatumGetUUIDP(result_field(row, 3)));
    SPI_freetuptable(SPI_tuptable);
}

// Read on in one window until there is somebody, or nobody left.
void read_on(Window &window)
{
    while (window.is_used_up() && window.were_read == window.limit) {
        clear(window, Min(2 * window.limit, most_at_once));
        WindowArrays arrays;
        arrays.add(0, window);
        read(&window, arrays, window.limit);
    }
}

// Above every id.
pg_uuid_t last_id()
{
    pg_uuid_t id;
    memset(&id, 0xff, sizeof id);
    return id;
}

} // namespace

DueUsers::DueUsers(const Progress &progress, TimestampTz until, int expected)
{
    add_zones(progress, until);
    // A little more than each one's share, so that few are to be read on in.
    const int limit = expected / Max(count_, 1) * 5 / 4 + 3;
    WindowArrays arrays;
    for (int number = 0; number < count_; number++) {
        clear(windows_[number], limit);
        arrays.add(number, windows_[number]);
    }
    read(windows_, arrays, limit);
    heap_ = static_cast<Window **>(palloc((count_ + 1) * sizeof(Window *)));
    for (int number = 0; number < count_; number++) {
        read_on(windows_[number]);
        if (!windows_[number].is_used_up())
            heap_[heap_size_++] = &windows_[number];
    }
    std::make_heap(heap_, heap_ + heap_size_, is_later);
}

// Of what is due in the first microsecond, who comes after the progress.
void DueUsers::add_zone(Datum name, ServerZone zone, const Progress &progress, TimestampTz until)
{
    NewReadings readings(zone, to_instant(progress.previous), to_instant(until));
    const bool is_partly = progress.is_within && readings.skip(progress.reading);
    for (std::int64_t date = readings.first_date(); date <= readings.last_date(); date++) {
        CHECK_FOR_INTERRUPTS();
        const TimeADT first_time = readings.first_time(date), last_time = readings.last_time(date);
        if (first_time > last_time)
            continue;
        Window window{name, zone, date, first_time - 1, last_id(), last_time};
        if (is_partly && date == readings.first_date()) {
            window.after_time = first_time;
            window.after_user = progress.user;
        }
        add(window);
    }
}

void DueUsers::add_zones(const Progress &progress, TimestampTz until)
{
    const uint64 zones = find_zones.execute({});
    for (uint64 row = 0; row < zones; row++) {
        const Datum name = result_field(row, 1);
        if (pg_tz *zone = find_zone(text_view(name)))
            add_zone(name, ServerZone(zone), progress, until);
        else if (!progress.is_within)
            warn_of_unknown_zone(name);
    }
}

void DueUsers::add(const Window &window)
{
    constexpr int step = 1024;
    if (capacity_ == 0)
        windows_ = static_cast<Window *>(palloc(step * sizeof(Window)));
    else if (count_ == capacity_)
        windows_ = static_cast<Window *>(repalloc(windows_, (capacity_ + step) * sizeof(Window)));
    if (count_ == capacity_)
        capacity_ += step;
    windows_[count_++] = window;
}

void DueUsers::pop()
{
    std::pop_heap(heap_, heap_ + heap_size_, is_later);
    Window &window = *heap_[--heap_size_];
    window.next++;
    read_on(window);
    if (!window.is_used_up()) {
        heap_size_++;
        std::push_heap(heap_, heap_ + heap_size_, is_later);
    }
}

} // namespace companion

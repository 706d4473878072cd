#!/usr/bin/env python3
"""Cases of quiet hours around changes of clocks, looked for half minute by half minute.

    python3 test/data/quiet_hours.py > test/data/quiet_hours.tsv

It knows of zones what Python's zoneinfo says that a clock shows, and of quiet hours one sentence:
it is quiet while the clock shows a time from quiet_from up to, and without, quiet_until. offset and
changes say, in seconds east of UTC, how the zone's clock goes from `at` on, for tests that have no
zones. All instants are in UTC.
"""
import random
from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

UTC = timezone.utc
MINUTE = timedelta(minutes=1)
STEP = MINUTE / 2  # Liberia's clocks were 44 minutes and 30 seconds behind
DAYS = 4  # how long the clock is watched

# Clocks of every sort, with nothing that newer zone data is likely to put right
ZONES = """Europe/Berlin Europe/London Europe/Dublin Europe/Lisbon Europe/Istanbul Europe/Moscow
Africa/Cairo Africa/Casablanca Africa/Monrovia America/New_York America/St_Johns America/Havana
America/Caracas America/Sao_Paulo America/Los_Angeles America/Nuuk America/Anchorage
Antarctica/Troll Antarctica/Casey Asia/Kathmandu Asia/Pyongyang Asia/Singapore Asia/Tehran
Asia/Beirut Australia/Sydney Australia/Adelaide Australia/Lord_Howe Pacific/Apia Pacific/Auckland
Pacific/Chatham Pacific/Fakaofo Pacific/Kiritimati Pacific/Kwajalein Pacific/Enderbury
Pacific/Norfolk Pacific/Easter""".split()
# Their clocks have not changed since 1970
STEADY = "UTC Pacific/Pago_Pago Pacific/Honolulu Etc/GMT+12 Etc/GMT-14 Pacific/Marquesas".split()
FIRST, LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
USUAL = ["22:00-07:00", "23:00-06:30", "21:30-08:15", "00:00-06:00", "20:00-00:00", "13:00-15:00",
         "01:00-02:30", "02:00-03:00", "03:00-02:00", "02:30-02:00", "02:15-02:45", "23:30-00:30",
         "00:00-23:59", "12:00-11:30", "00:01-00:00"]


def shown(zone, at):
    """What a clock in the zone shows."""
    return at.astimezone(zone).replace(tzinfo=None)


def offset(zone, at):
    return shown(zone, at) - at.replace(tzinfo=None)


def changes(zone, begin, end, step):
    """The steps within (begin, end] at which the clock is changed."""
    at = begin
    while at < end:
        after = min(at + step, end)
        if offset(zone, at) != offset(zone, after):
            yield from [after] if step == STEP else changes(zone, at, after, STEP)
        at = after


def is_quiet(zone, quiet_from, quiet_until, at):
    clock = shown(zone, at).time()
    if quiet_from <= quiet_until:
        return quiet_from <= clock < quiet_until
    return clock >= quiet_from or clock < quiet_until


def quiet_end(zone, quiet_from, quiet_until, at):
    end = at
    while is_quiet(zone, quiet_from, quiet_until, end):
        end += STEP
        assert end < at + timedelta(days=DAYS)
    return None if end == at else end


def any_time():
    return time(random.randrange(24), random.randrange(60))


def near(reading):
    return (reading + random.choice([-60, -30, -15, -1, 0, 0, 0, 1, 15, 30, 60]) * MINUTE).time()


def window(zone, change):
    """Quiet hours that a change of clocks is likely to matter to."""
    pick = random.random()
    if pick < 0.3:
        return [time.fromisoformat(text) for text in random.choice(USUAL).split("-")]
    if pick < 0.4:
        return any_time(), any_time()
    before, after = shown(zone, change - STEP) + STEP, shown(zone, change)
    edges = [near(before), near(after), any_time()]
    return random.choice(edges).replace(second=0), random.choice(edges).replace(second=0)


def instant(change):
    farthest = random.choice([0, 1, 5, 60, 120, 600, 1800])
    return change + random.randint(-farthest, farthest // 4) * MINUTE


def case(name, change):
    zone = ZoneInfo(name)
    for _ in range(random.choice([1, 4])):  # more often than not, an instant that is quiet
        at, (quiet_from, quiet_until) = instant(change), window(zone, change)
        end = quiet_end(zone, quiet_from, quiet_until, at)
        if end:
            break
    later = changes(zone, at, at + timedelta(days=DAYS), timedelta(hours=1))
    written = "%Y-%m-%d %H:%M:%S"
    return [name, f"{quiet_from:%H:%M}", f"{quiet_until:%H:%M}", f"{at:{written}}",
            f"{end:{written}}" if end else "", seconds(zone, at),
            ",".join(f"{change:{written}}={seconds(zone, change)}" for change in later)]


def seconds(zone, at):
    return str(int(offset(zone, at).total_seconds()))


def jump(name, change):
    return offset(ZoneInfo(name), change) - offset(ZoneInfo(name), change - STEP)


def some(found, most):
    return random.sample(found, min(most, len(found)))


def cases():
    for name in ZONES:
        found = list(changes(ZoneInfo(name), FIRST, LAST, timedelta(days=1)))
        # Each night in which half a day or more was left out or came twice is looked at closely
        great = [at for at in found if abs(jump(name, at)) >= timedelta(hours=12)]
        for change in great * 30 + some(found, 12) * max(6, 48 // len(found)):
            yield case(name, change)
        for _ in range(4):
            yield case(name, FIRST + random.randrange(int((LAST - FIRST) / MINUTE)) * MINUTE)
    for name in STEADY:
        for _ in range(10):
            yield case(name, FIRST + random.randrange(int((LAST - FIRST) / MINUTE)) * MINUTE)


random.seed(2026)
print("timezone", "quiet_from", "quiet_until", "at", "quiet_end", "offset", "changes", sep="\t")
for columns in cases():
    print(*columns, sep="\t")

# psycopg 3: what a Python program passes without a cast, and what it gets back.
import datetime
import uuid

import psycopg
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb

MAYA = uuid.UUID("00000000-0000-7000-8000-0000000000a1")
UTC = datetime.timezone.utc


def ok(holds, subject):
    print("ok" if holds else "not ok", "-", subject)


def sqlstate_of(connection, statement, *parameters):
    try:
        connection.execute(statement, parameters)
    except psycopg.Error as error:
        return error.sqlstate


def users(connection):
    user = connection.execute(
        "SELECT * FROM companion.put_user(%s, %s)",
        [MAYA, Jsonb({"display_name": "Maya", "timezone": "Europe/Lisbon", "checkin_time": "09:30"})]).fetchone()
    ok(user.id == MAYA and user.checkin_time == datetime.time(9, 30) and user.checkin_days == list(range(1, 8)),
       "a row of users: uuid, time, smallint[]")
    # An int is smallint, integer or bigint, whichever holds it; a str is of no type
    for address in 5000000001, "5000000001", 77:
        ok(connection.execute("SELECT companion.link_address(%s, 'telegram', %s)", [MAYA, address]).fetchone()[0]
           == "linked", f"link_address of {address!r}")


def messages(connection):
    incoming = "SELECT * FROM companion.record_incoming(%s, %s, %s, telegram_message_id => %s, metadata => %s)"
    first = connection.execute(incoming, ["telegram", 5000000001, "hello", 1, Jsonb({"a": [1]})]).fetchone()
    again = connection.execute(incoming, ["telegram", "5000000001", "hello", 1, None]).fetchone()
    ok(first.user_id == MAYA and first.is_new and not again.is_new and again.message_id == first.message_id,
       "record_incoming of a number, and again of a text")
    ok(connection.execute(incoming, ["telegram", 12345, "hello", 1, None]).fetchone() is None,
       "no row for an address that nobody has")
    last = connection.execute("SELECT * FROM companion.recent_messages(%s)", [MAYA]).fetchone()
    ok(last.telegram_message_id == 1 and last.metadata == {"a": [1]} and last.created_at.tzinfo is not None,
       "bigint is int, jsonb is dict, timestamptz has its offset")


def memory(connection):
    item = connection.execute(
        "SELECT * FROM companion.upsert_user_context(%s, %s, %s, %s, importance => %s, emotional_valence => %s,"
        " expires_at => %s, metadata => %s, pinned => %s)",
        [MAYA, "family", "sister", "Ana", 0.1 + 0.2, -1, datetime.datetime(2100, 1, 1, tzinfo=UTC), Jsonb({}), True]
    ).fetchone()
    ok(item.importance == 0.1 + 0.2 and item.expires_at == datetime.datetime(2100, 1, 1, tzinfo=UTC) and item.pinned,
       "a float for importance comes back as it was")
    facts = [{"category": "fact", "key": "dog", "value": "has one", "importance": 0.7}]
    rows = connection.execute("SELECT * FROM companion.upsert_user_context_many(%s, %s)", [MAYA, Jsonb(facts)]).fetchall()
    ok([(row.outcome, row.importance) for row in rows] == [("added", 0.7)], "facts as Jsonb")
    ok(connection.execute("SELECT companion.set_embedding(%s, %s, %s, %s)", [MAYA, item.id, "m", [0.6, 0.8]])
       .fetchone()[0], "an embedding is a list of float")
    found = connection.execute("SELECT key FROM companion.recall_user_context(%s, embedding => %s, meaning_weight => %s,"
                               " exclude => %s)", [MAYA, [0.6, 0.8], 2.5, ["mood"]]).fetchall()
    ok([row.key for row in found] == ["sister", "dog"], "recall by meaning, a weight, a list of str")
    ok(connection.execute("SELECT companion.touch_user_context(%s, %s)", [MAYA, [item.id]]).fetchone()[0] == 1,
       "a list of UUID")


def sending(connection):
    def call(function, message, *arguments, **named):
        names = "".join(f", {name} => %s" for name in named)
        return connection.execute(
            f"SELECT companion.{function}(%s, %s, %s{', %s' * len(arguments)}{names})",
            [message.user_id, message.message_id, message.attempt, *arguments, *named.values()]).fetchone()[0]

    now = connection.execute("SELECT companion.now()").fetchone()[0]
    for number in range(3):
        connection.execute("SELECT * FROM companion.schedule_message(%s, %s, %s, %s, channel => %s, send_before => %s)",
                           [MAYA, now, f"number {number}", "psycopg3", "telegram", None])
    claim = "SELECT * FROM companion.claim_messages(%s, %s, %s, %s, kinds => %s)"
    first, second, third = connection.execute(
        claim, ["psycopg", 10, datetime.timedelta(minutes=2), ["telegram"], ["psycopg3"]]).fetchall()
    ok(first.address == "77" and isinstance(first.late_by, datetime.timedelta) and first.send_before is None
       and isinstance(first.local_date, datetime.date), "claim: interval is timedelta, a time without an end is None")
    ok(call("extend_lease", first, datetime.timedelta(minutes=5)), "a lease is a timedelta")
    ok(call("start_send", first) and call("mark_sent", first, "hello", 17, metadata=Jsonb({"parts": 1})), "mark_sent")
    ok(call("start_send", second) and call("mark_failed", second, "429", retry_after_seconds=0.5), "seconds to wait")
    started = connection.execute("SELECT companion.start_send_many(%s, %s, %s)",
                                 [[third.user_id], [third.message_id], [third.attempt]]).fetchone()[0]
    sent = connection.execute("SELECT companion.mark_sent_many(%s, %s, %s, %s, %s)",
                              [[third.user_id], [third.message_id], [third.attempt], [None], [18]]).fetchone()[0]
    ok(started == [True] and sent == [True], "lists: UUID, int, None among str")
    ok(call("mark_skipped", first, "why") is False, "false for what is finished")
    ok(connection.execute("SELECT companion.throttle_channel('push', retry_after_seconds => %s)", [1])
       .fetchone()[0] > now, "throttle_channel of an int")


def errors(connection):
    upsert = "SELECT companion.upsert_user_context(%s, 'fact', %s, 'v', importance => %s)"
    for expected, statement, *parameters in (
            ("22023", upsert, MAYA, "k", 1.5), ("22004", upsert, MAYA, None, 0.5), ("23503", upsert, uuid.uuid4(), "k", 0.5),
            ("22008", "SELECT * FROM companion.schedule_message(%s, 'infinity', 'x')", MAYA),
            ("42501", "SELECT companion.run_maintenance()"),
            # What needs a cast, or another type
            ("42883", "SELECT companion.mark_failed(%s, %s, 1, 'why', %s)", MAYA, MAYA, 17),
            ("42883", "SELECT companion.extend_lease(%s, %s, 1, %s)", MAYA, MAYA, 60)):
        ok(sqlstate_of(connection, statement, *parameters) == expected, f"{expected}: {statement}")


def identity(connection):
    with connection.transaction():
        connection.execute("SET LOCAL ROLE companion_user")
        connection.execute("SELECT set_config('request.jwt.claims', %s, true)", [f'{{"sub": "{uuid.uuid4()}"}}'])
        ok(connection.execute("SELECT count(*) FROM companion.messages").fetchone()[0] == 0, "an end user sees their own")
        ok(connection.execute("SELECT companion.current_user_id()").fetchone()[0].version == 4, "who they are is a UUID")


def times_without_end(connection):
    connection.execute("SELECT companion.put_user(%s, %s)", [MAYA, Jsonb({"checkin_paused_until": "infinity"})])
    paused = "SELECT checkin_paused_until{} FROM companion.users WHERE id = %s"
    try:
        connection.execute(paused.format(""), [MAYA]).fetchone()
        ok(False, "psycopg reads infinity")
    except psycopg.DataError:
        ok(connection.execute(paused.format("::text"), [MAYA]).fetchone()[0] == "infinity", "infinity in a table: as text")
    ok(connection.execute("SELECT * FROM companion.put_user(%s, '{}')", [MAYA]).fetchone().checkin_paused_until is None,
       "and None from a function")


# One that comes while the same connection executes is lost before psycopg 3.2, so another connection listens
def notifications(connection):
    with psycopg.connect(autocommit=True) as listening:
        listening.execute("LISTEN companion")
        connection.execute("SELECT * FROM companion.schedule_message(%s, companion.now(), 'now')", [MAYA])
        ok(next(listening.notifies()).channel == "companion", "a notification of what is due")


with psycopg.connect(autocommit=True, row_factory=namedtuple_row) as connection:
    print("# psycopg", psycopg.__version__)
    for subject in users, messages, memory, sending, errors, identity, times_without_end, notifications:
        subject(connection)

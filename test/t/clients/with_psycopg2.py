# psycopg 2, which writes parameters into the statement: all of them are of the type of their literal.
import datetime
import uuid

import psycopg2
import psycopg2.extras
from psycopg2.extras import Json

MAYA = uuid.UUID("00000000-0000-7000-8000-0000000000a1")
psycopg2.extras.register_uuid()  # else a UUID cannot be passed, and comes back as str


def ok(holds, subject):
    print("ok" if holds else "not ok", "-", subject)


def call(cursor, statement, *parameters):
    cursor.execute(statement, parameters)
    return cursor.fetchall()


def sqlstate_of(cursor, statement, *parameters):
    try:
        cursor.execute(statement, parameters)
    except psycopg2.Error as error:
        return error.pgcode


def messages(cursor):
    user = call(cursor, "SELECT * FROM companion.put_user(%s, %s)", MAYA, Json({"checkin_time": "09:30"}))[0]
    ok(user.id == MAYA and user.checkin_time == datetime.time(9, 30), "a row of users")
    ok([call(cursor, "SELECT companion.link_address(%s, 'telegram', %s)", MAYA, address)[0].link_address
        for address in (5000000001, "5000000001", 77)] == ["linked"] * 3, "addresses that are int and str")
    incoming = "SELECT * FROM companion.record_incoming(%s, %s, %s, telegram_message_id => %s, metadata => %s)"
    first = call(cursor, incoming, "telegram", 5000000001, "hello", 1, Json({"a": [1]}))[0]
    again = call(cursor, incoming, "telegram", "5000000001", "hello", 1, None)[0]
    ok(first.is_new and not again.is_new and again.message_id == first.message_id, "record_incoming of int and str")
    last = call(cursor, "SELECT * FROM companion.recent_messages(%s)", MAYA)[0]
    ok(last.telegram_message_id == 1 and last.metadata == {"a": [1]} and last.created_at.tzinfo is not None,
       "bigint is int, jsonb is dict, timestamptz has its offset")


def memory(cursor):
    item = call(cursor, "SELECT * FROM companion.upsert_user_context(%s, %s, %s, %s, importance => %s, metadata => %s)",
                MAYA, "family", "sister", "Ana", 0.1 + 0.2, Json({}))[0]
    ok(item.importance == 0.1 + 0.2, "a float for importance comes back as it was")
    facts = [{"category": "fact", "key": "dog", "value": "has one"}]
    ok(call(cursor, "SELECT outcome FROM companion.upsert_user_context_many(%s, %s)", MAYA, Json(facts))[0].outcome
       == "added", "facts as Json")
    ok(call(cursor, "SELECT companion.set_embedding(%s, %s, 'm', %s) AS is_set", MAYA, item.id, [0.6, 0.8])[0].is_set,
       "an embedding is a list of float, which is written as numeric[]")


def sending(cursor):
    for number in range(3):
        call(cursor, "SELECT * FROM companion.schedule_message(%s, companion.now(), %s)", MAYA, f"number {number}")
    first, second, third = call(cursor, "SELECT * FROM companion.claim_messages(%s, lease => %s, channels => %s)",
                                "psycopg2", datetime.timedelta(minutes=2), ["telegram"])
    ok(first.address == "77" and isinstance(first.late_by, datetime.timedelta) and first.send_before is None,
       "claim: interval is timedelta")
    start = "SELECT companion.start_send(%s, %s, %s) AS started"
    ok(call(cursor, start, *first[:3])[0].started and call(cursor, start, *second[:3])[0].started, "start_send")
    ok(call(cursor, "SELECT companion.mark_sent(%s, %s, %s, %s, %s) AS done", *first[:3], "hello", 17)[0].done, "mark_sent")
    ok(call(cursor, "SELECT companion.mark_failed(%s, %s, %s, '429', retry_after_seconds => %s) AS done",
            *second[:3], 0.5)[0].done, "seconds to wait")
    # A list of UUID is an array of the type uuid[]; of str it would need a cast
    many = [[third.user_id], [third.message_id], [third.attempt]]
    ok(call(cursor, "SELECT companion.start_send_many(%s, %s, %s) AS started", *many)[0].started == [True], "lists")
    ok(call(cursor, "SELECT companion.mark_sent_many(%s, %s, %s, %s, %s) AS done", *many, [None], [18])[0].done == [True],
       "a list of None")


def errors(cursor):
    upsert = "SELECT companion.upsert_user_context(%s, 'fact', 'k', %s, importance => %s)"
    for expected, statement, *parameters in (
            ("22023", upsert, MAYA, "v", 1.5), ("22004", upsert, MAYA, None, 0.5), ("23503", upsert, uuid.uuid4(), "v", 0.5),
            ("42501", "SELECT companion.run_maintenance()"),
            # What needs a cast, or another type
            ("42883", "SELECT companion.mark_failed(%s, %s, 1, 'why', %s)", MAYA, MAYA, 17),
            ("42883", "SELECT companion.start_send_many(%s, %s, %s)", [str(MAYA)], [str(MAYA)], [1])):
        ok(sqlstate_of(cursor, statement, *parameters) == expected, f"{expected}: {statement}")


def times_without_end(cursor):
    call(cursor, "SELECT * FROM companion.put_user(%s, %s)", MAYA, Json({"checkin_paused_until": "infinity"}))
    paused = call(cursor, "SELECT checkin_paused_until FROM companion.users WHERE id = %s", MAYA)[0].checkin_paused_until
    ok(paused.year == 9999, "infinity in a table is the last moment of the year 9999")
    ok(call(cursor, "SELECT * FROM companion.put_user(%s, '{}')", MAYA)[0].checkin_paused_until is None,
       "and None from a function")


def identity(connection):
    connection.autocommit = False
    with connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE companion_user")
        cursor.execute("SELECT set_config('request.jwt.claims', %s, true)", [f'{{"sub": "{uuid.uuid4()}"}}'])
        cursor.execute("SELECT count(*) FROM companion.messages")
        ok(cursor.fetchone()[0] == 0, "an end user sees their own")


print("# psycopg2", psycopg2.__version__)
connection = psycopg2.connect("", cursor_factory=psycopg2.extras.NamedTupleCursor)
connection.autocommit = True
with connection.cursor() as cursor:
    for subject in messages, memory, sending, errors, times_without_end:
        subject(cursor)
identity(connection)

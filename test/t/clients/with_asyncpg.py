# asyncpg, which asks the server for the type of each parameter, and takes that type's Python value alone.
import asyncio
import datetime
import json
import uuid

import asyncpg

MAYA = uuid.UUID("00000000-0000-7000-8000-0000000000a1")


def ok(holds, subject):
    print("ok" if holds else "not ok", "-", subject)


async def messages(connection):
    user = await connection.fetchrow("SELECT * FROM companion.put_user($1, $2)", MAYA, json.dumps({"checkin_time": "09:30"}))
    ok(user["id"] == MAYA and user["checkin_time"] == datetime.time(9, 30), "jsonb is a str of JSON")
    link = "SELECT companion.link_address($1, 'telegram', $2)"
    ok(await connection.fetchval(link, str(MAYA), "77") == "linked", "a uuid may be a str, an address is one")
    ok(await connection.fetchval(link.replace("$2", "$2::bigint"), MAYA, 5000000001) == "linked", "$2::bigint is an int")
    incoming = "SELECT * FROM companion.record_incoming($1, $2::bigint, $3, telegram_message_id => $4, metadata => $5)"
    first = await connection.fetchrow(incoming, "telegram", 5000000001, "hello", 1, '{"a": [1]}')
    again = await connection.fetchrow(incoming.replace("::bigint", ""), "telegram", "5000000001", "hello", 1, None)
    ok(first["is_new"] and not again["is_new"] and again["message_id"] == first["message_id"], "record_incoming")
    last = await connection.fetchrow("SELECT * FROM companion.recent_messages($1)", MAYA)
    ok(last["telegram_message_id"] == 1 and last["metadata"] == '{"a": [1]}' and last["created_at"].tzinfo is not None,
       "bigint is int, jsonb is str, timestamptz has its offset")


async def memory(connection):
    item = await connection.fetchrow(
        "SELECT * FROM companion.upsert_user_context($1, $2, $3, $4, importance => $5, expires_at => $6, metadata => $7)",
        MAYA, "family", "sister", "Ana", 0.1 + 0.2, datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc), "{}")
    ok(item["importance"] == 0.1 + 0.2, "a float for importance comes back as it was")
    facts = json.dumps([{"category": "fact", "key": "dog", "value": "has one", "importance": 0.7}])
    rows = await connection.fetch("SELECT * FROM companion.upsert_user_context_many($1, $2)", MAYA, facts)
    ok([(row["outcome"], row["importance"]) for row in rows] == [("added", 0.7)], "facts as JSON")
    ok(await connection.fetchval("SELECT companion.set_embedding($1, $2, 'm', $3)", MAYA, item["id"], [0.6, 0.8]),
       "an embedding is a list of float")
    found = await connection.fetch("SELECT key FROM companion.recall_user_context($1, embedding => $2, meaning_weight => $3)",
                                   MAYA, [0.6, 0.8], 2)
    ok([row["key"] for row in found] == ["sister", "dog"], "an int where a float is expected")


async def sending(connection):
    now = datetime.datetime.now(datetime.timezone.utc)
    for number in range(3):
        await connection.fetchrow("SELECT * FROM companion.schedule_message($1, $2, $3)", MAYA, now, f"number {number}")
    first, second, third = await connection.fetch(
        "SELECT * FROM companion.claim_messages($1, lease => $2, channels => $3)",
        "asyncpg", datetime.timedelta(minutes=2), ["telegram"])
    ok(isinstance(first["late_by"], datetime.timedelta) and first["send_before"] is None, "claim: interval is timedelta")

    def report(call, message, *arguments):
        return connection.fetchval(f"SELECT companion.{call}", message["user_id"], message["message_id"],
                                   message["attempt"], *arguments)

    ok(await report("start_send($1, $2, $3)", first), "start_send")
    ok(await report("mark_sent($1, $2, $3, $4, $5)", first, "hello", 17), "mark_sent")
    ok(await report("start_send($1, $2, $3)", second), "start_send")
    ok(await report("mark_failed($1, $2, $3, 'busy', retry_after_seconds => $4)", second, 17), "seconds to wait")
    many = [[third["user_id"]], [third["message_id"]], [third["attempt"]]]
    ok(await connection.fetchval("SELECT companion.start_send_many($1, $2, $3)", *many) == [True], "lists")
    ok(await connection.fetchval("SELECT companion.mark_sent_many($1, $2, $3, $4, $5)", *many, [None], [18]) == [True],
       "a list of None")


async def errors(connection):
    upsert = "SELECT companion.upsert_user_context($1, 'fact', 'k', $2, importance => $3)"
    for expected, statement, *parameters in (
            ("22023", upsert, MAYA, "v", 1.5), ("22004", upsert, MAYA, None, 0.5), ("23503", upsert, uuid.uuid4(), "v", 0.5),
            ("42501", "SELECT companion.run_maintenance()"),
            # Said by the driver, before the server is asked
            ("22000", "SELECT companion.link_address($1, 'telegram', $2)", MAYA, 77),
            ("22000", "SELECT companion.mark_failed($1, $2, 1, 'why', retry_after => $3)", MAYA, MAYA, 17),
            ("22000", "SELECT companion.put_user($1, $2)", MAYA, {})):
        try:
            await connection.fetch(statement, *parameters)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            ok(error.sqlstate == expected, f"{expected}: {statement}")


async def times_without_end(connection):
    await connection.fetch("SELECT * FROM companion.put_user($1, $2)", MAYA, '{"checkin_paused_until": "infinity"}')
    paused = await connection.fetchval("SELECT checkin_paused_until FROM companion.users WHERE id = $1", MAYA)
    ok(paused.year == 9999, "infinity in a table is the last moment of the year 9999")


async def identity(connection):
    async with connection.transaction():
        await connection.execute("SET LOCAL ROLE companion_user")
        await connection.execute("SELECT set_config('request.jwt.claims', $1, true)", f'{{"sub": "{uuid.uuid4()}"}}')
        ok(await connection.fetchval("SELECT count(*) FROM companion.messages") == 0, "an end user sees their own")


async def notifications(connection):
    notified = asyncio.Event()
    await connection.add_listener("companion", lambda *_: notified.set())
    await connection.fetch("SELECT * FROM companion.schedule_message($1, companion.now(), 'now')", MAYA)
    await asyncio.wait_for(notified.wait(), 10)
    ok(True, "a notification of what is due")


async def main():
    print("# asyncpg", asyncpg.__version__)
    connection = await asyncpg.connect()
    for subject in messages, memory, sending, errors, times_without_end, identity, notifications:
        await subject(connection)
    await connection.close()


asyncio.run(main())

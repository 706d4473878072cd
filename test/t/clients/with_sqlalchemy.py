# SQLAlchemy's Core, on psycopg 2: functions by text() and by func, tables by reflection.
import datetime
import uuid

import sqlalchemy
from sqlalchemy import MetaData, Table, bindparam, create_engine, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

MAYA = uuid.UUID("00000000-0000-7000-8000-0000000000a1")
engine = create_engine("postgresql+psycopg2://", future=True)


def ok(holds, subject):
    print("ok" if holds else "not ok", "-", subject)


def call(connection, statement, **parameters):
    return connection.execute(statement if not isinstance(statement, str) else text(statement), parameters).all()


def messages(connection):
    # A dict is a parameter where its type is said
    put_user = text("SELECT * FROM companion.put_user(:user_id, :settings)").bindparams(
        bindparam("user_id", type_=UUID(as_uuid=True)), bindparam("settings", type_=JSONB))
    user = call(connection, put_user, user_id=MAYA, settings={"checkin_time": "09:30"})[0]
    ok(str(user.id) == str(MAYA) and user.checkin_time == datetime.time(9, 30), "a dict as JSONB, a row of users")
    link = "SELECT companion.link_address(CAST(:user_id AS uuid), 'telegram', :address) AS answer"
    ok([call(connection, link, user_id=str(MAYA), address=address)[0].answer for address in (5000000001, "77")]
       == ["linked"] * 2, "addresses that are int and str")
    incoming = "SELECT * FROM companion.record_incoming(:channel, :sender, :text, telegram_message_id => :id)"
    first = call(connection, incoming, channel="telegram", sender=5000000001, text="hello", id=1)[0]
    again = call(connection, incoming, channel="telegram", sender="5000000001", text="hello", id=1)[0]
    ok(first.is_new and not again.is_new and again.message_id == first.message_id, "record_incoming of int and str")


def memory(connection):
    upsert = "SELECT * FROM companion.upsert_user_context(:user_id, :category, :key, :value, importance => :importance)"
    item = call(connection, upsert, user_id=str(MAYA), category="family", key="sister", value="Ana", importance=0.1 + 0.2)[0]
    ok(item.importance == 0.1 + 0.2, "a float for importance comes back as it was")
    # By func, the types are said of each argument that is no text or number
    is_set = connection.scalar(select(func.companion.set_embedding(
        bindparam("user_id", MAYA, UUID(as_uuid=True)), bindparam("item_id", uuid.UUID(str(item.id)), UUID(as_uuid=True)),
        "m", bindparam("embedding", [0.6, 0.8], ARRAY(sqlalchemy.Float)))))
    ok(is_set, "func.companion.set_embedding with an ARRAY")
    recalled = connection.execute(
        select(func.companion.recall_user_context(bindparam("user_id", MAYA, UUID(as_uuid=True)))
               .table_valued("key", "importance"))).all()
    ok([(row.key, row.importance) for row in recalled] == [("sister", 0.1 + 0.2)], "a function that returns rows: table_valued")


def reflection(connection):
    tables = MetaData(schema="companion")
    stored = Table("messages", tables, autoload_with=connection)
    ok([column.name for column in stored.primary_key] == ["user_id", "id"] and stored.c.created_at.comment,
       "composite keys and comments are reflected")
    latest = connection.execute(select(stored).order_by(stored.c.id.desc()).limit(1)).one()
    ok(latest.content == "hello" and latest.telegram_message_id == 1 and isinstance(latest.metadata, dict), "a row")


def sending(connection):
    for number in range(2):
        call(connection, "SELECT * FROM companion.schedule_message(:user_id, companion.now(), :text)",
             user_id=str(MAYA), text=f"number {number}")
    first, second = call(connection, "SELECT * FROM companion.claim_messages(:worker, lease => :lease, channels => :channels)",
                         worker="sqlalchemy", lease=datetime.timedelta(minutes=2), channels=["telegram"])
    claimed = [dict(user_id=str(m.user_id), message_id=str(m.message_id), attempt=m.attempt) for m in (first, second)]
    start = "SELECT companion.start_send(:user_id, :message_id, :attempt) AS answer"
    ok(all(call(connection, start, **message)[0].answer for message in claimed), "start_send")
    ok(call(connection, "SELECT companion.mark_sent(:user_id, :message_id, :attempt, :text, :telegram_id) AS answer",
            **claimed[0], text="hello", telegram_id=17)[0].answer, "mark_sent")
    ok(call(connection, "SELECT companion.mark_failed(:user_id, :message_id, :attempt, 'busy',"
            " retry_after_seconds => :seconds) AS answer", **claimed[1], seconds=17)[0].answer, "seconds to wait")


def sqlstate_of(statement, **parameters):
    try:
        with engine.begin() as connection:
            call(connection, statement, **parameters)
    except sqlalchemy.exc.DBAPIError as error:
        return error.orig.pgcode


def identity(connection):
    connection.execute(text("SET LOCAL ROLE companion_user"))
    connection.execute(select(func.set_config("request.jwt.claims", f'{{"sub": "{uuid.uuid4()}"}}', True)))
    ok(connection.scalar(text("SELECT count(*) FROM companion.messages")) == 0, "an end user sees their own")


print("# SQLAlchemy", sqlalchemy.__version__)
for subject in messages, memory, reflection, sending, identity:
    with engine.begin() as connection:
        subject(connection)
upsert = "SELECT companion.upsert_user_context(:user_id, 'fact', 'k', 'v', importance => :importance)"
ok(sqlstate_of(upsert, user_id=str(MAYA), importance=1.5) == "22023", "22023 is orig.pgcode")
ok(sqlstate_of(upsert, user_id=str(uuid.uuid4()), importance=1) == "23503", "23503")

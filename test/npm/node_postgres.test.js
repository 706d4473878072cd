// node-postgres, which sends every parameter as a text of no type.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { freshDatabase, maya } from "./database.js";

let client;
before(async () => {
  client = new pg.Client(await freshDatabase("node_postgres"));
  await client.connect();
});
after(() => client.end());

const rows = async (sql, ...parameters) => (await client.query(sql, parameters)).rows;
const row = async (sql, ...parameters) => (await rows(sql, ...parameters))[0];
const value = async (call, ...parameters) => (await row(`SELECT companion.${call} AS value`, ...parameters)).value;

test("node-postgres: users and messages", async () => {
  const user = await row("SELECT * FROM companion.put_user($1, $2)", maya, { checkin_time: "09:30" });
  assert.deepEqual([user.id, user.checkin_time, user.checkin_days], [maya, "09:30:00", [1, 2, 3, 4, 5, 6, 7]]);
  for (const address of [5000000001, "5000000001", 77n])
    assert.equal(await value("link_address($1, 'telegram', $2)", maya, address), "linked");
  const incoming = "SELECT * FROM companion.record_incoming($1, $2, $3, telegram_message_id => $4, metadata => $5)";
  const first = await row(incoming, "telegram", 5000000001, "hello", 1, { a: [1] });
  const again = await row(incoming, "telegram", "5000000001", "hello", 1n, null);
  assert.deepEqual([first.is_new, again.is_new, again.message_id], [true, false, first.message_id]);
  const last = await row("SELECT * FROM companion.recent_messages($1)", maya);
  // A bigint is a string, since not each is a number of JavaScript's
  assert.deepEqual([last.telegram_message_id, last.metadata, last.created_at.constructor], ["1", { a: [1] }, Date]);
});

test("node-postgres: memory", async () => {
  const item = await row(
    "SELECT * FROM companion.upsert_user_context($1, $2, $3, $4, importance => $5, expires_at => $6, pinned => $7)",
    maya, "family", "sister", "Ana", 0.1 + 0.2, new Date("2100-01-01"), true);
  assert.deepEqual([item.importance, item.expires_at, item.pinned], [0.1 + 0.2, new Date("2100-01-01"), true]);
  // An array of objects would be written as an array of PostgreSQL's: JSON.stringify it
  const facts = [{ category: "fact", key: "dog", value: "has one", importance: 0.7 }];
  const [fact] = await rows("SELECT * FROM companion.upsert_user_context_many($1, $2)", maya, JSON.stringify(facts));
  assert.deepEqual([fact.outcome, fact.importance], ["added", 0.7]);
  assert.equal(await value("set_embedding($1, $2, 'm', $3)", maya, item.id, [0.6, 0.8]), true);
  const found = await rows("SELECT key FROM companion.recall_user_context($1, embedding => $2, exclude => $3)",
    maya, [0.6, 0.8], ["mood"]);
  assert.deepEqual(found, [{ key: "sister" }, { key: "dog" }]);
});

test("node-postgres: sending", async () => {
  for (let i = 0; i < 3; i++) await row("SELECT * FROM companion.schedule_message($1, companion.now(), $2)", maya, `number ${i}`);
  const [first, second, third] = await rows("SELECT * FROM companion.claim_messages($1, lease => $2, channels => $3)",
    "node", "2 minutes", ["telegram"]);
  // A date is a Date at midnight here, an interval an object, a time without an end null
  assert.deepEqual([first.address, first.local_date.constructor, typeof first.late_by, first.send_before], ["77", Date, "object", null]);
  const ids = (m) => [m.user_id, m.message_id, m.attempt];
  assert.equal(await value("start_send($1, $2, $3)", ...ids(first)), true);
  assert.equal(await value("mark_sent($1, $2, $3, $4, $5, metadata => $6)", ...ids(first), "hello", 17, { parts: 1 }), true);
  assert.equal(await value("start_send($1, $2, $3)", ...ids(second)), true);
  assert.equal(await value("mark_failed($1, $2, $3, 'busy', retry_after_seconds => $4)", ...ids(second), 0.5), true);
  const many = ids(third).map((id) => [id]);
  assert.deepEqual(await value("start_send_many($1, $2, $3)", ...many), [true]);
  assert.deepEqual(await value("mark_sent_many($1, $2, $3, $4, $5)", ...many, [null], [18]), [true]);
});

test("node-postgres: errors, identity, infinity", async () => {
  const upsert = (user, importance) => value("upsert_user_context($1, 'fact', 'k', 'v', importance => $2)", user, importance);
  await assert.rejects(upsert(maya, 1.5), { code: "22023" });
  await assert.rejects(upsert(crypto.randomUUID(), 1), { code: "23503" });
  await assert.rejects(upsert("no uuid", 1), { code: "22P02" });
  await assert.rejects(value("run_maintenance()"), { code: "42501" });
  await assert.rejects(value("upsert_user_context_many($1, $2)", maya, [{ category: "fact" }]), { code: "22P02" });
  await client.query("BEGIN");
  await client.query("SET LOCAL ROLE companion_user");
  await client.query("SELECT set_config('request.jwt.claims', $1, true)", [{ sub: crypto.randomUUID() }]);
  assert.deepEqual(await rows("SELECT * FROM companion.messages"), []);
  await client.query("ROLLBACK");
  const paused = await row("SELECT * FROM companion.put_user($1, $2)", maya, { checkin_paused_until: "infinity" });
  assert.equal(paused.checkin_paused_until, null);
  const stored = await row("SELECT checkin_paused_until FROM companion.users WHERE id = $1", maya);
  assert.equal(stored.checkin_paused_until, Infinity);
});

test("node-postgres: notifications", { timeout: 10000 }, async () => {
  await client.query("LISTEN companion");
  const notified = new Promise((resolve) => client.once("notification", resolve));
  await row("SELECT * FROM companion.schedule_message($1, companion.now(), 'now')", maya);
  assert.equal((await notified).channel, "companion");
});

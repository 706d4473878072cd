// postgres.js, which asks the server for the type of each parameter, and writes the value as that.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import postgres from "postgres";
import { freshDatabase, maya } from "./database.js";

let sql;
before(async () => { sql = postgres({ ...await freshDatabase("postgres_js"), max: 2, onnotice: () => {} }); });
after(() => sql.end());

test("postgres.js: users and messages", async () => {
  const [user] = await sql`SELECT * FROM companion.put_user(${maya}, ${{ checkin_time: "09:30" }})`;
  assert.deepEqual([user.id, user.checkin_time], [maya, "09:30:00"]);
  // An address is a text; a number is one with a cast, ::bigint
  assert.equal((await sql`SELECT companion.link_address(${maya}, 'telegram', ${"77"})`)[0].link_address, "linked");
  assert.equal((await sql`SELECT companion.link_address(${maya}, 'telegram', ${5000000001}::bigint)`)[0].link_address, "linked");
  const incoming = (sender, metadata) => sql`
    SELECT * FROM companion.record_incoming('telegram', ${sender}, 'hello', ${1}, metadata => ${metadata})`;
  const [first] = await incoming("5000000001", { a: [1] }), [again] = await incoming("5000000001", null);
  assert.deepEqual([first.is_new, again.is_new, again.message_id], [true, false, first.message_id]);
  const [last] = await sql`SELECT * FROM companion.recent_messages(${maya})`;
  assert.deepEqual([last.telegram_message_id, last.metadata, last.created_at.constructor], ["1", { a: [1] }, Date]);
});

test("postgres.js: memory", async () => {
  const [item] = await sql`SELECT * FROM companion.upsert_user_context(${maya}, 'family', 'sister', 'Ana',
    importance => ${0.1 + 0.2}, expires_at => ${new Date("2100-01-01")})`;
  assert.deepEqual([item.importance, item.expires_at], [0.1 + 0.2, new Date("2100-01-01")]);
  // JSON of an array: sql.json; as a string it would become a JSON string
  const facts = [{ category: "fact", key: "dog", value: "has one", importance: 0.7 }];
  const [fact] = await sql`SELECT * FROM companion.upsert_user_context_many(${maya}, ${sql.json(facts)})`;
  assert.deepEqual([fact.outcome, fact.importance], ["added", 0.7]);
  const [set] = await sql`SELECT companion.set_embedding(${maya}, ${item.id}, 'm', ${[0.6, 0.8]}) AS value`;
  assert.equal(set.value, true);
});

test("postgres.js: sending", async () => {
  for (let i = 0; i < 3; i++) await sql`SELECT * FROM companion.schedule_message(${maya}, companion.now(), ${`number ${i}`})`;
  const [first, second, third] = await sql`
    SELECT * FROM companion.claim_messages('postgres.js', lease => ${"2 minutes"}, channels => ${["telegram"]})`;
  // An interval is a string
  assert.deepEqual([first.address, typeof first.late_by, first.send_before], ["5000000001", "string", null]);
  const call = async (query) => Object.values((await query)[0])[0];
  const start = ({ user_id, message_id, attempt }) => call(sql`SELECT companion.start_send(${user_id}, ${message_id}, ${attempt})`);
  assert.equal(await start(first), true);
  assert.equal(await start(second), true);
  assert.equal(await call(sql`SELECT companion.mark_sent(${first.user_id}, ${first.message_id}, ${first.attempt}, 'hello', ${17})`), true);
  assert.equal(await call(sql`SELECT companion.mark_failed(${second.user_id}, ${second.message_id}, ${second.attempt}, 'busy',
    retry_after_seconds => ${0.5})`), true);
  const started = await call(sql`SELECT companion.start_send_many(${[third.user_id]}, ${[third.message_id]}, ${[third.attempt]})`);
  assert.deepEqual([...started], [true]);
});

test("postgres.js: errors, identity, notifications", { timeout: 10000 }, async () => {
  const upsert = (user, importance) => sql`SELECT companion.upsert_user_context(${user}, 'fact', 'k', 'v', importance => ${importance})`;
  await assert.rejects(upsert(maya, 1.5), { code: "22023" });
  await assert.rejects(upsert(crypto.randomUUID(), 1), { code: "23503" });
  await assert.rejects(sql`SELECT companion.run_maintenance()`, { code: "42501" });
  const seen = await sql.begin(async (sql) => {
    await sql`SET LOCAL ROLE companion_user`;
    await sql`SELECT set_config('request.jwt.claims', ${JSON.stringify({ sub: crypto.randomUUID() })}, true)`;
    return sql`SELECT * FROM companion.messages`;
  });
  assert.equal(seen.length, 0);
  const notified = new Promise((resolve) => { sql.listen("companion", resolve).then(() =>
    sql`SELECT * FROM companion.schedule_message(${maya}, companion.now(), 'now')`); });
  await notified;
});

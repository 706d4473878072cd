// PostGraphile: companion's tables and functions as GraphQL, for an end user.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import graphqlPackage from "graphql";
import pg from "pg";
import postgraphile from "postgraphile";
import { freshDatabase, maya } from "./database.js";

let pool, schema;
before(async () => {
  pool = new pg.Pool(await freshDatabase("postgraphile"));
  await pool.query("SELECT companion.put_user($1, $2)", [maya, { display_name: "Maya" }]);
  schema = await postgraphile.createPostGraphileSchema(pool, ["companion"],
    { includeExtensionResources: true, disableDefaultMutations: true, dynamicJson: true, ignoreRBAC: false });
});
after(() => pool.end());

async function ask(source) {
  const pgSettings = { role: "companion_user", "request.jwt.claims": JSON.stringify({ sub: maya }) };
  const { data, errors } = await postgraphile.withPostGraphileContext({ pgPool: pool, pgSettings },
    (contextValue) => graphqlPackage.graphql({ schema, source, contextValue }));
  if (errors) throw errors[0].originalError ?? errors[0];
  return data;
}

test("PostGraphile: functions are mutations and queries", async () => {
  const { upsertUserContext: { contextItem } } = await ask(`mutation { upsertUserContext(input: {
    userId: "${maya}", category: "family", key: "sister", value: "Ana", importance: 0.30000000000000004 }) {
      contextItem { value importance expiresAt } } }`);
  assert.deepEqual({ ...contextItem }, { value: "Ana", importance: 0.1 + 0.2, expiresAt: null });
  const { recallUserContext: { nodes } } = await ask(`{ recallUserContext(userId: "${maya}") { nodes { key } } }`);
  assert.deepEqual(nodes.map(({ key }) => key), ["sister"]);
  const { putUser: { user } } = await ask(`mutation { putUser(input: {
    userId: "${maya}", settings: { checkin_time: "08:30" } }) { user { checkinTime } } }`);
  assert.equal(user.checkinTime, "08:30:00");
});

test("PostGraphile: tables, and whose rows they are", async () => {
  await pool.query("SELECT companion.put_user(gen_random_uuid(), '{}')");
  const { allUsers: { nodes } } = await ask("{ allUsers { nodes { id displayName } } }");
  assert.deepEqual(nodes.map((node) => ({ ...node })), [{ id: maya, displayName: "Maya" }]);
});

test("PostGraphile: errors have their SQLSTATE", async () => {
  await assert.rejects(ask(`mutation { upsertUserContext(input: {
    userId: "${maya}", category: "family", key: "sister", value: "Ana", importance: 1.5 }) { clientMutationId } }`),
    { code: "22023" });
});

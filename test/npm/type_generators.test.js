// Kysely's and Supabase's type generators: what they make of the schema compiles, and a program's calls with it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { before, test } from "node:test";
import { generateTypescript, sortGeneratorMetadata } from "@supabase/postgrest-typegen/generation";
import { introspect } from "@supabase/postgrest-typegen/introspection";
import pg from "pg";
import { freshDatabase } from "./database.js";

let config;
before(async () => { config = { ...await freshDatabase("type_generators"), user: "postgres" }; });

const run = (program, ...parameters) => execFileSync(`node_modules/.bin/${program}`, parameters, {
  encoding: "utf8",
  env: { ...process.env, DATABASE_URL: `postgres://postgres@localhost:${config.port}/${config.database}?host=${config.host}` },
});

// Fails with what the compiler says
function compile(name, text) {
  fs.mkdirSync("generated", { recursive: true });
  fs.writeFileSync(`generated/${name}.ts`, text);
  try {
    run("tsc", "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", `generated/${name}.ts`);
  } catch (error) {
    assert.fail(error.stdout);
  }
}

test("kysely-codegen", () => {
  run("kysely-codegen", "--dialect", "postgres", "--default-schema", "companion", "--include-pattern", "companion.*",
    "--out-file", "generated/kysely.d.ts");
  compile("with_kysely", `
    import { Kysely, sql } from "kysely";
    import type { DB } from "./kysely.d.ts";
    declare const db: Kysely<DB>;
    export async function latest(user: string): Promise<string[]> {
      const rows = await db.withSchema("companion").selectFrom("messages").select(["content", "telegram_message_id"])
        .where("user_id", "=", user).orderBy("id", "desc").limit(20).execute();
      const id: string | null | undefined = rows[0]?.telegram_message_id;
      return rows.map((row) => row.content + id);
    }
    export const importance = (user: string, value: number) => sql<{ importance: number }>\`
      SELECT importance FROM companion.upsert_user_context(\${user}, 'fact', 'k', 'v', importance => \${value})\`.execute(db);
  `.replaceAll("telegram_message_id", fs.readFileSync("generated/kysely.d.ts", "utf8").includes("telegramMessageId")
    ? "telegramMessageId" : "telegram_message_id"));
});

test("Supabase's type generator", async () => {
  const client = new pg.Client(config);
  await client.connect();
  const metadata = sortGeneratorMetadata(await introspect(client, { includedSchemas: ["companion"] }));
  await client.end();
  const types = await generateTypescript(metadata, { postgrestVersion: "12" });
  compile("with_supabase", `${types}
    type Functions = Database["companion"]["Functions"];
    export const item: Functions["update_user_context"]["Args"] = { user_id: "", category: "fact", key: "k", importance: 0.7 };
    export const failed: Functions["mark_failed"]["Args"] =
      { user_id: "", message_id: "", attempt: 1, reason: "busy", retry_after_seconds: 17 };
    export const byText: Functions["record_incoming"]["Args"] = { channel: "telegram", channel_user_id: "7", content: "hello" };
    export const byNumber: Functions["record_incoming"]["Args"] = { channel: "telegram", channel_user_number: 7, content: "hello" };
    export const row: Database["companion"]["Tables"]["messages"]["Row"]["telegram_message_id"] = 7;
    declare const claimed: Functions["claim_messages"]["Returns"];
    export const address: string = claimed[0].address;
  `);
});

test("examples/node/companion.d.ts", () => {
  fs.copyFileSync("../node_bot/companion.d.ts", "generated/companion.d.ts");
  compile("with_companion", `
    import type { Functions } from "./companion.d.ts";
    export type Call = <F extends keyof Functions>(name: F, args: Functions[F]["args"]) => Promise<Functions[F]["row"][]>;
    export async function work(call: Call): Promise<bigint | null> {
      for (const { user_id, message_id, attempt, late_by } of await call("claim_messages", { worker: "w", channels: ["telegram"] })) {
        const minutes: number | undefined = late_by?.minutes;
        const [{ start_send }] = await call("start_send", { user_id, message_id, attempt });
        if (start_send) await call("mark_sent", { user_id, message_id, attempt, telegram_message_id: 7, metadata: { minutes } });
        else await call("mark_failed", { user_id, message_id, attempt, reason: "busy", retry_after_seconds: 0.5 });
      }
      await call("record_incoming", { channel: "telegram", channel_user_number: 7, content: "hello" });
      const [{ timezone, telegram_user_id }] = await call("put_user", { user_id: null, settings: { telegram_user_id: "7" } });
      return telegram_user_id === null ? null : BigInt(telegram_user_id + timezone.length);
    }
  `);
});

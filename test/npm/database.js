// A database of a test file's own, for a login that is a worker's and an end user's.
import pg from "pg";

export const maya = "00000000-0000-7000-8000-0000000000a1";

export async function freshDatabase(name) {
  const query = async (database, ...statements) => {
    const client = new pg.Client({ database });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  await query("postgres", `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`, `CREATE DATABASE ${name}`);
  await query(name, "CREATE EXTENSION companion",
    "DO $$ BEGIN CREATE ROLE app LOGIN IN ROLE companion_worker, companion_user; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
  return { host: process.env.PGHOST, port: Number(process.env.PGPORT), database: name, user: "app" };
}

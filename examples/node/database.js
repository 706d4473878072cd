// The database, by node-postgres.
import { EventEmitter } from "node:events";
import pg from "pg";

export let isStopping = false, exitCode = 0;
const wakeups = new EventEmitter();

export const say = (line) => process.stderr.write(`${line}\n`);

export function stop(code) {
  exitCode ||= code;
  isStopping = true;
  wakeups.emit("wakeup");
}

// So many seconds, or until it is time to stop, or something is due
export function pause(seconds) {
  if (isStopping) return;
  return new Promise((resolve) => {
    const timer = setTimeout(() => wakeups.emit("wakeup"), 1000 * seconds);
    wakeups.once("wakeup", () => { clearTimeout(timer); resolve(); });
  });
}

// A connection, which is made again when it breaks
export class Database {
  #client;
  #isNotified = false;

  // A statement that is a transaction of its own. All that is said here ends the same way when it is said twice, so it
  // is repeated until the server has answered; start_send, too: it is true once.
  async call(statement, ...parameters) {
    for (;;)
      try {
        this.#client ??= await this.#connect();
        return (await this.#client.query(statement, parameters)).rows;
      } catch (error) {
        if (["55P03", "40P01", "40001"].includes(error.code)) continue; // whoever holds the user will end
        if (error instanceof pg.DatabaseError && !error.code.startsWith("57P")) throw error;
        if (!this.#client && isStopping) throw error;
        say(`the database: ${error.message}`);
        this.#client = undefined;
        await pause(1);
      }
  }

  async #connect() {
    const client = new pg.Client();
    client.on("error", () => { // it is broken, and made again by the next call
      if (this.#client === client) this.#client = undefined;
      wakeups.emit("wakeup");
    });
    client.on("notification", () => { this.#isNotified = true; wakeups.emit("wakeup"); });
    await client.connect();
    return client;
  }

  // For a notification that something is due; one that came with the last answer is enough
  async wait(seconds) {
    if (!this.#isNotified) await pause(seconds);
    this.#isNotified = false;
  }

  end() {
    return this.#client?.end();
  }
}

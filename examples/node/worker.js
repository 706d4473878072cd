// Sends what is due by Telegram, each message once. docs/worker.md says why it does each thing.
import os from "node:os";
import { Database, isStopping, pause, say, stop } from "./database.js";
import { ask, sendText } from "./telegram.js";

const name = process.env.WORKER_NAME || `${os.hostname()}:${process.pid}`;
const database = new Database();
let isThrottled, longestWait = 60; // throttled: the rest of the claim is given back

export async function work() {
  await checkToken();
  while (!isStopping) {
    isThrottled = false;
    await database.call("LISTEN companion"); // the connection may be another
    const messages = await database.call(
      "SELECT * FROM companion.claim_messages($1, 10, channels => $2)", name, ["telegram"]);
    for (const message of messages) await deliver(message);
    if (messages.length === 0) {
      await database.wait(longestWait);
      longestWait = 60;
    }
  }
  await database.end();
}

// A wrong one is found before anything is claimed
async function checkToken() {
  while (!isStopping) {
    const { meaning, description, retryAfter } = await ask("getMe", {});
    if (meaning === "done") return;
    say(`getMe: ${description}`);
    if (meaning === "forbidden") stop(3);
    await pause(retryAfter ?? 1);
  }
}

async function deliver(message) {
  if (isStopping || isThrottled) return call("release_message($1, $2, $3)", message);
  const text = message.content ?? compose(message); // may be done twice, so it comes before start_send
  if (await start(message)) await report(message, await sendText(message.address, text));
}

// The point of no return. NULL: the channel's rate is used up; after a second the message is another's.
async function start(message) {
  for (let i = 0; i < 10; i++) {
    const answer = await call("start_send($1, $2, $3)", message);
    if (answer !== null) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await call("release_message($1, $2, $3)", message);
  return false;
}

async function report(message, { reply, text, ids, metadata }) {
  if (reply.meaning !== "done") say(`message ${message.message_id}: ${reply.description}`);
  if (reply.meaning === "forbidden") stop(3);
  if (reply.meaning === "throttled") { // all workers of the bot wait
    isThrottled = true;
    longestWait = Math.min(longestWait, reply.retryAfter);
    await database.call("SELECT companion.throttle_channel('telegram', retry_after_seconds => $1, bot => $2)",
      reply.retryAfter, message.bot);
  }
  if (ids.length > 0) // it is out, or some of it, so it must not come again
    await call("mark_sent($1, $2, $3, $4, telegram_message_id => $5, metadata => $6)", message, text, ids[0], metadata);
  else if (reply.meaning !== "unknown") // then it may be out: no report, and maintenance calls it unknown
    await markFailed(message, reply);
}

// Seconds to wait cost no try, as befits what is no fault of the message: a 429, or a wrong token
function markFailed(message, { meaning, description, retryAfter }) {
  return call("mark_failed($1, $2, $3, $4, retry_after_seconds => $5, permanent => $6, address_gone => $7)", message,
    description, meaning === "forbidden" ? 60 : retryAfter, meaning === "refused", meaning === "gone");
}

// Here your model writes, with companion.user_context_prompt() and recent messages
function compose(message) {
  return `Good morning${message.display_name ? `, ${message.display_name}` : ""}! How are you?`;
}

async function call(expression, message, ...parameters) {
  const [{ answer }] = await database.call(
    `SELECT companion.${expression} AS answer`, message.user_id, message.message_id, message.attempt, ...parameters);
  return answer;
}

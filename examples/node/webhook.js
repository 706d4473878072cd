// Takes what users write, and answers: what Telegram POSTs, by way of your own server, which has TLS.
import fs from "node:fs";
import http from "node:http";
import pg from "pg";
import { Database, isStopping, say, stop } from "./database.js";
import { sendText } from "./telegram.js";

const whoseItIs = "FROM companion.addresses WHERE channel = 'telegram' AND address = $1 AND unlinked_at IS NULL";
const database = new Database();

// Whether an update is done with; false: Telegram brings it again
export async function take(update) {
  try {
    if (update.message) return await takeMessage(update.message);
    if (update.edited_message?.text) await takeEdit(update.edited_message);
    return true;
  } catch (error) {
    say(`an update: ${error.code ?? ""} ${error.message}`);
    if (error instanceof pg.DatabaseError) return /^2[23]/.test(error.code); // it would be refused again
    return !isStopping; // it is not as expected; or there is no database any more
  }
}

function takeText(json) {
  let update;
  try {
    update = JSON.parse(json);
  } catch { // nor could it be read when it is brought again
    say("an update that cannot be read: it is skipped");
  }
  return update === undefined || take(update);
}

async function takeMessage(message) {
  const { chat, from, text } = message;
  if (chat.type !== "private") return true;
  if (!text || text.startsWith("/start")) // else record_incoming does it: who had blocked the bot is back
    await database.call(`SELECT companion.put_user(NULL, $2) ${whoseItIs}`, chat.id, { telegram_user_id: chat.id });
  if (!text) return true;
  const [command, token] = text.split(/\s+/);
  if (command === "/start") return isDoneWith(chat.id, await sendText(chat.id, await start(from, token)));
  const [recorded] = await database.call(
    "SELECT * FROM companion.record_incoming('telegram', $1, $2, $3, reply_to_telegram_id => $4)",
    chat.id, text, message.message_id, message.reply_to_message?.message_id);
  if (!recorded) return isDoneWith(chat.id, await sendText(chat.id, "I do not know you yet. /start begins."));
  return await isAnswered(recorded) || answer(chat.id, recorded);
}

// The token is a parameter, so that no log shows it, and what it is in is not recorded
async function start(from, token) {
  if (!token) return put(from);
  const [{ outcome }] = await database.call(
    "SELECT outcome FROM companion.redeem_telegram_link_token($1, $2, $3)", token, from.id, from.username);
  return outcome === "linked" ? "Welcome! We are connected." : "This link is no longer valid.";
}

// Who is new is given all that check-ins need; of who is known no more is named than is to be changed
async function put(from) {
  const settings = { telegram_user_id: from.id, ...(from.username && { telegram_username: from.username }) };
  const known = await database.call(`SELECT user_id ${whoseItIs}`, from.id);
  if (known.length === 0)
    Object.assign(settings, { display_name: from.first_name, timezone: "UTC", checkin_time: "09:00",
      onboarding_completed_at: new Date() });
  await database.call("SELECT companion.put_user(NULL, $1)", settings);
  return "Welcome! I write every morning at nine.";
}

// One that is brought again may have been recorded by a bot that died before it answered
async function isAnswered({ is_new, user_id, message_id }) {
  const answers = "SELECT id FROM companion.messages WHERE user_id = $1 AND reply_to_id = $2 AND role = 'assistant'";
  return !is_new && (await database.call(answers, user_id, message_id)).length > 0;
}

// Who dies between the two sends the answer again: to somebody who asked, a double is better than a miss
async function answer(chat, { user_id, conversation_id, message_id }) {
  const sent = await sendText(chat, "I am listening."); // your model's word
  if (sent.ids.length > 0)
    await database.call("SELECT companion.add_message($1, $2, 'assistant', $3, $4, $5, $6, address => $7)",
      user_id, conversation_id, sent.text, sent.ids[0], message_id, sent.metadata, chat);
  return isDoneWith(chat, sent);
}

async function isDoneWith(chat, { reply: { meaning, description, retryAfter }, ids }) {
  if (meaning !== "done") say(`an answer: ${description}`);
  if (meaning === "forbidden") stop(3);
  if (meaning === "gone")
    await database.call(`SELECT companion.disable_address(user_id, channel, address, bot, $2) ${whoseItIs}`,
      chat, description);
  if (meaning === "throttled")
    await database.call("SELECT companion.throttle_channel('telegram', retry_after_seconds => $1, bot => '')",
      retryAfter);
  return ids.length > 0 || !["forbidden", "throttled", "failed"].includes(meaning);
}

function takeEdit({ chat, text, message_id }) {
  return database.call(`SELECT companion.edit_message(user_id, NULL, $2, $3, address => address) ${whoseItIs}`,
    chat.id, text, message_id);
}

// A socket's path, or a port of this machine. Updates are taken one after the other.
export function serve(where, secret = "") {
  let last = Promise.resolve();
  const server = http.createServer(async (request, response) => {
    const end = (status) => response.writeHead(status, { Connection: "close" }).end();
    if ((request.headers["x-telegram-bot-api-secret-token"] ?? "") !== secret) return end(403);
    const parts = [];
    let length = 0;
    try {
      for await (const part of request.iterator({ destroyOnReturn: false })) {
        if ((length += part.length) > 1 << 20) return end(413);
        parts.push(part);
      }
    } catch { // who asked has hung up
      return response.destroy();
    }
    last = last.then(async () => await takeText(Buffer.concat(parts)) ? 200 : 500);
    end(await last);
  });
  if (where.startsWith("/")) fs.rmSync(where, { force: true });
  server.listen(where.startsWith("/") ? { path: where } : { port: Number(where), host: "127.0.0.1" });
  // Ends when the update at hand is done with
  return () => new Promise((resolve) => server.close(resolve)).then(() => database.end());
}

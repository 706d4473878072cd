// Telegram's Bot API: what an answer means for a message, and long texts in parts.
import http from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

const longest = 4096; // UTF-16 units, which is what a string's length counts
const api = process.env.TELEGRAM_API_URL || "https://api.telegram.org";
const timeout = 1000 * (process.env.TELEGRAM_TIMEOUT || 30);
const token = process.env.TELEGRAM_BOT_TOKEN;

// done; refused: will never be taken; forbidden: the token is wrong; gone: the user has blocked the bot; throttled:
// the bot has to wait; failed: certainly not done; unknown: it may have been done
const meanings = { 200: "done", 400: "refused", 401: "forbidden", 403: "gone", 404: "forbidden", 429: "throttled" };

// A connection of its own: fetch() would use a kept one, which may be dead, and not say whether it was written to
export function ask(method, parameters) {
  return new Promise((resolve) => {
    const { request } = api.startsWith("https:") ? https : http;
    const options = { method: "POST", agent: false, headers: { "Content-Type": "application/json" } };
    const asking = request(`${api}/bot${token}/${method}`, options);
    let isConnected = false, answer = "";
    const timer = globalThis.setTimeout(() => asking.destroy(new Error("timed out")), timeout);
    const end = (reply) => { clearTimeout(timer); resolve(reply); };
    const connected = api.startsWith("https:") ? "secureConnect" : "connect";
    asking.on("socket", (socket) => socket.on(connected, () => { isConnected = true; }));
    asking.on("error", ({ message }) => end({ meaning: isConnected ? "unknown" : "failed", description: message }));
    asking.on("response", (response) => {
      response.on("data", (part) => { answer += part; });
      response.on("error", () => end({ meaning: "unknown", description: "the answer is cut" }));
      response.on("end", () => end(read(response.statusCode, answer, method === "sendMessage")));
    });
    asking.end(JSON.stringify(parameters));
  });
}

// JSON of an unexpected form says no more than a proxy's page does
function read(status, answer, isMessage) {
  let meaning = meanings[status] ?? (status >= 500 ? "failed" : "unknown"), body;
  try {
    body = JSON.parse(answer);
  } catch { // a proxy's page
  }
  const result = body?.result, wait = body?.parameters?.retry_after;
  if (meaning === "done" && (body?.ok !== true || isMessage && !Number.isSafeInteger(result?.message_id)))
    meaning = "unknown";
  const description = typeof body?.description === "string" ? body.description.replaceAll("\0", "") : "";
  const seconds = Number.isInteger(wait) ? Math.min(Math.max(wait, 0), 86400) : 5;
  return { meaning, description: `${status} ${description}`, result,
    retryAfter: meaning === "throttled" ? seconds : undefined };
}

// The reply to the last part, or to the one that failed; what went out, and the ids of its parts
export async function sendText(chat, text) {
  const parts = partsOf(text), ids = [], metadata = {};
  let reply;
  for (const part of parts) {
    reply = await (ids.length ? sendLaterPart : sendPart)(chat, part);
    if (reply.meaning !== "done") break;
    ids.push(reply.result.message_id);
  }
  if (parts.length > 1) metadata.telegram_message_ids = ids;
  if (ids.length < parts.length) metadata.parts_missing = parts.length - ids.length;
  return { reply, text: parts.slice(0, ids.length).join(""), ids, metadata };
}

// Models write Markdown, and not always such that Telegram takes it
async function sendPart(chat_id, text) {
  const reply = await ask("sendMessage", { chat_id, text, parse_mode: "Markdown" });
  return reply.description.includes("can't parse entities") ? ask("sendMessage", { chat_id, text }) : reply;
}

// Something is out before it, so the whole cannot come again: it waits, though not for ever
async function sendLaterPart(chat, text) {
  for (let triesLeft = 3; ; triesLeft--) {
    const reply = await sendPart(chat, text);
    if (!["throttled", "failed"].includes(reply.meaning) || triesLeft === 0) return reply;
    await sleep(1000 * Math.min(reply.retryAfter ?? 1, 60));
  }
}

// Cut after a paragraph, else a line, a sentence, a word, not in the first half; else after a character
function partsOf(text) {
  const parts = [];
  while (text.length > longest) {
    const fitting = text.slice(0, longest).replace(/[\uD800-\uDBFF]$/, "");
    const ends = ["\n\n", "\n", ". ", "! ", "? ", " "].map((end) => fitting.lastIndexOf(end) + end.length);
    const length = ends.find((end) => end > fitting.length / 2) ?? fitting.length;
    parts.push(text.slice(0, length));
    text = text.slice(length);
  }
  return [...parts, text];
}

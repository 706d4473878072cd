// A Telegram bot on companion: a worker, and with TELEGRAM_WEBHOOK what takes its users' messages.
import { exitCode, say, stop } from "./database.js";
import { serve } from "./webhook.js";
import { work } from "./worker.js";

if (!process.env.TELEGRAM_BOT_TOKEN) {
  say("TELEGRAM_BOT_TOKEN is not set: @BotFather gives you one");
  process.exit(2);
}
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => stop(0));
const where = process.env.TELEGRAM_WEBHOOK;
const close = where ? serve(where, process.env.TELEGRAM_WEBHOOK_SECRET) : () => {};
try {
  await work();
} catch (error) {
  say(`${error.code ?? ""} ${error.message}`);
  stop(1);
}
await close();
if (exitCode === 3) say("Telegram refuses the token (401, 404): nothing is sent until it is right");
process.exit(exitCode);

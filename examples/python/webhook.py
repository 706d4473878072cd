"""Takes what users write, and answers: what Telegram POSTs, by way of your own server, which has TLS."""
import datetime
import json
import os
import socketserver
from http.server import BaseHTTPRequestHandler

import psycopg
from psycopg.types.json import Jsonb

import telegram
from database import Database, say, stop

SECRET = os.environ.get("TELEGRAM_WEBHOOK_SECRET", "")
WHOSE_IT_IS = "FROM companion.addresses WHERE channel = 'telegram' AND address = %s AND unlinked_at IS NULL"


class Receiver:
    def __init__(self):
        self.database = Database()

    def take(self, update):
        """Whether an update is done with; False: Telegram brings it again."""
        try:
            if not isinstance(update, dict):
                return True
            if "message" in update:
                return self.take_message(update["message"])
            if "text" in update.get("edited_message", {}):
                self.take_edit(update["edited_message"])
            return True
        except psycopg.Error as error:
            say(f"an update: {error.sqlstate or ''} {error.diag.message_primary or error}")
            return isinstance(error, psycopg.DataError) or (error.sqlstate or "")[:2] in ("22", "23")  # refused again
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            say(f"an update that is not as expected: {type(error).__name__}")
            return True

    def take_message(self, message):
        if message["chat"]["type"] != "private":
            return True
        chat, text = an_id(message["chat"]["id"]), message.get("text") or ""
        command, *arguments = text.split() or [""]
        if command in ("", "/start"):  # else record_incoming does it
            self.database.call(f"SELECT companion.put_user(NULL, %s) {WHOSE_IT_IS}",
                               Jsonb({"telegram_user_id": chat}), str(chat))  # who had blocked the bot is back
        if command == "":
            return True
        if command == "/start":
            return self.is_done_with(chat, telegram.send_text(chat, self.start(message["from"], *arguments[:1])))
        recorded = self.database.call(
            "SELECT * FROM companion.record_incoming('telegram', %s, %s, %s, reply_to_telegram_id => %s)",
            chat, text, an_id(message["message_id"]),
            an_id(message["reply_to_message"]["message_id"]) if message.get("reply_to_message") else None)
        if not recorded:
            return self.is_done_with(chat, telegram.send_text(chat, "I do not know you yet. /start begins."))
        return self.is_answered(recorded[0]) or self.answer(chat, recorded[0])

    def start(self, sender, token=None):
        """The token is a parameter, so that no log shows it, and what it is in is not recorded."""
        if token is None:
            self.put(sender)
            return "Welcome! I write every morning at nine."
        redeemed = self.database.call("SELECT outcome FROM companion.redeem_telegram_link_token(%s, %s, %s)",
                                      token, an_id(sender["id"]), sender.get("username"))
        return "Welcome! We are connected." if redeemed[0].outcome == "linked" else "This link is no longer valid."

    def put(self, sender):
        """Who is new is given all that check-ins need; of who is known no more is named than is to be changed."""
        settings = {"telegram_user_id": an_id(sender["id"])}
        if "username" in sender:
            settings["telegram_username"] = sender["username"]
        if not self.database.call(f"SELECT user_id {WHOSE_IT_IS}", str(sender["id"])):
            settings |= {"display_name": sender["first_name"], "timezone": "UTC", "checkin_time": "09:00",
                         "onboarding_completed_at": str(datetime.datetime.now(datetime.timezone.utc))}
        self.database.call("SELECT FROM companion.put_user(NULL, %s)", Jsonb(settings))

    def is_answered(self, recorded):
        """One that is brought again may have been recorded by a bot that died before it answered."""
        return not recorded.is_new and self.database.call(
            "SELECT 1 FROM companion.messages WHERE user_id = %s AND reply_to_id = %s AND role = 'assistant'",
            recorded.user_id, recorded.message_id) != []

    def answer(self, chat, recorded):
        """Who dies between the two sends the answer again: to somebody who asked, a double is better than a miss."""
        sent = telegram.send_text(chat, "I am listening.")  # your model's word
        if sent.ids:
            self.database.call(
                "SELECT companion.add_message(%s, %s, 'assistant', %s, %s, %s, %s, address => %s)", recorded.user_id,
                recorded.conversation_id, sent.text, sent.ids[0], recorded.message_id, Jsonb(sent.metadata), str(chat))
        return self.is_done_with(chat, sent)

    def is_done_with(self, chat, sent):
        meaning = sent.reply.meaning
        if meaning != "done":
            say(f"an answer: {sent.reply.description}")
        if meaning == "forbidden":
            stop(3)
        elif meaning == "gone":
            self.database.call(f"SELECT companion.disable_address(user_id, channel, address, bot, %s) {WHOSE_IT_IS}",
                               sent.reply.description, str(chat))
        elif meaning == "throttled":
            self.database.call("SELECT companion.throttle_channel('telegram', retry_after_seconds => %s, bot => '')",
                               sent.reply.retry_after)
        return bool(sent.ids) or meaning not in ("forbidden", "throttled", "failed")

    def take_edit(self, message):
        self.database.call(f"SELECT companion.edit_message(user_id, NULL, %s, %s, address => address) {WHOSE_IT_IS}",
                           message["text"], an_id(message["message_id"]), str(message["chat"]["id"]))


def an_id(value):
    if not telegram.is_id(value):
        raise TypeError
    return value


class Handler(BaseHTTPRequestHandler):
    timeout = 5

    def do_POST(self):
        self.send_response(self.status())
        self.send_header("Content-Length", "0")
        self.end_headers()

    def status(self):
        if self.headers.get("X-Telegram-Bot-Api-Secret-Token", "") != SECRET:
            return 403
        try:
            length = int(self.headers.get("Content-Length", ""))
            if not 0 <= length <= 1 << 20:
                return 413
            update = json.loads(self.rfile.read(length))
        except (ValueError, RecursionError):  # nor could it be when it is brought again
            say("an update that cannot be read: it is skipped")
            return 200
        return 200 if self.server.receiver.take(update) else 500

    def log_message(self, *_):
        pass


def server_at(where):
    """A socket's path, or a port of this machine; one request after the other."""
    is_path = where.startswith("/")
    if is_path and os.path.exists(where):
        os.unlink(where)
    socketserver.TCPServer.allow_reuse_address = True
    kind = socketserver.UnixStreamServer if is_path else socketserver.TCPServer
    server = kind(where if is_path else ("127.0.0.1", int(where)), Handler)
    server.handle_error = lambda *_: say("a request that broke off")
    server.receiver = Receiver()
    return server

#!/usr/bin/env python3
"""A Bot API server for tests: answers by a table, and counts what arrives. README.md has its commands."""

import argparse
import http.client
import http.server
import json
import re
import socket
import sys
import threading
import time
import urllib.parse

METHODS = ("getMe", "getUpdates", "sendMessage", "sendDocument", "setWebhook", "deleteWebhook")
DESCRIPTIONS = {
    400: "Bad Request: message is refused",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    429: "Too Many Requests: retry later",
}
LONGEST_TEXT = 4096  # UTF-16 units
FIRST_MESSAGE_ID = 1001  # of what the bot sends, in each chat


class World:
    """What has arrived, what is to be answered, and what users have written; one lock for all of it."""

    def __init__(self, token, show):
        self.token = token
        self.show = show
        self.changed = threading.Condition()
        self.table = {}
        self.requests = {}
        self.messages = []
        self.model_requests = []
        self.message_ids = {}
        self.updates = []
        self.next_update_id = 100001
        self.polls = 0
        self.webhook = None

    def count(self, method):
        self.requests[method] = self.requests.get(method, 0) + 1
        self.changed.notify_all()

    def next_answer(self, method, chat=None):
        """The table's answer to a request, which it serves once; an empty one where there is none."""
        answers = self.table.get(method, [])
        if isinstance(answers, dict):
            answers = answers.get(chat) or answers.get("*") or []
        if not answers:
            return {}
        return answers[0] if answers[0].get("always") else answers.pop(0)

    def next_message_id(self, chat):
        self.message_ids[chat] = self.message_ids.get(chat, FIRST_MESSAGE_ID - 1) + 1
        return self.message_ids[chat]

    def note_message(self, chat, text, parse_mode, answer):
        message = {"chat_id": chat, "text": text, "parse_mode": parse_mode, "status": status_of(answer)}
        if message["status"] == 200:
            message["message_id"] = self.next_message_id(chat)
        self.messages.append(message)
        self.changed.notify_all()
        if self.show and message["status"] == 200:
            print(f"   to chat {chat} on Telegram: {text}", file=sys.stderr, flush=True)
        return message

    def add_updates(self, updates):
        for update in updates:
            self.updates.append({"update_id": self.next_update_id, **update})
            self.next_update_id += 1
        self.changed.notify_all()

    def poll(self, offset, limit, timeout):
        """What getUpdates answers: updates, or None where another poll has begun meanwhile."""
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        self.polls += 1
        mine = self.polls
        self.changed.notify_all()
        self.changed.wait_for(lambda: self.updates or self.polls != mine, timeout)
        return self.updates[:limit] if self.polls == mine else None

    def has_arrived(self, wanted):
        return (
            len(self.messages) >= wanted.get("messages", 0)
            and all(self.requests.get(method, 0) >= n for method, n in wanted.get("requests", {}).items())
            and len(self.updates) <= wanted.get("updates_left", sys.maxsize)
        )


def status_of(answer):
    """What the caller is told; None where it learns nothing."""
    return None if answer.keys() & {"hang", "close", "cut"} else answer.get("status", 200)


def refusal(text, parse_mode):
    """What Telegram says of a text that it does not take."""
    if not text.strip():
        return {"status": 400, "description": "Bad Request: message text is empty"}
    if len(text.encode("utf-16-le")) // 2 > LONGEST_TEXT:
        return {"status": 400, "description": "Bad Request: message is too long"}
    if parse_mode and any(text.count(mark) % 2 for mark in "*_`"):
        return {"status": 400, "description": "Bad Request: can't parse entities: Can't find end of the entity"}
    return None


def failure(status, answer):
    body = {"ok": False, "error_code": status, "description": DESCRIPTIONS.get(status, "Internal Server Error")}
    if "description" in answer:
        body["description"] = answer["description"]
    if "retry_after" in answer:
        body["parameters"] = {"retry_after": answer["retry_after"]}
    return body


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def world(self):
        return self.server.world

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.do_POST()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        if path.endswith("/chat/completions"):
            self.complete_chat(json.loads(body))
            return
        token, _, method = path.removeprefix("/bot").partition("/")
        if method not in METHODS or ":" not in token:
            self.answer({"status": 404})
        elif token != self.world.token:
            self.answer({"status": 401})
        else:
            getattr(self, method)(self.parameters(body, query))

    def parameters(self, body, query):
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("application/json"):
            return json.loads(body)
        if kind.startswith("multipart/form-data"):
            fields = re.findall(rb'name="(\w+)"[^\r]*(?:\r\n[^\r]+)*\r\n\r\n(.*?)\r\n--', body, re.DOTALL)
            return {name.decode(): value.decode() for name, value in fields}
        return dict(urllib.parse.parse_qsl(body.decode() or query, keep_blank_values=True))

    def getMe(self, _):
        self.serve("getMe", {"id": 1, "is_bot": True, "first_name": "Bot", "username": "test_bot"})

    def setWebhook(self, _):
        self.serve("setWebhook", True)

    def deleteWebhook(self, _):
        self.serve("deleteWebhook", True)

    def serve(self, method, result):
        with self.world.changed:
            self.world.count(method)
            answer = self.world.next_answer(method)
        self.answer(answer, result)

    def sendMessage(self, given):
        self.send("sendMessage", given, given.get("text", ""))

    def sendDocument(self, given):
        self.send("sendDocument", given, given.get("document", ""))

    def send(self, method, given, text):
        chat, parse_mode = str(given["chat_id"]), given.get("parse_mode")
        refused = refusal(text, parse_mode) if method == "sendMessage" else None
        with self.world.changed:
            answer = refused or self.world.next_answer(method, chat)
        time.sleep(answer.get("delay", 0))
        with self.world.changed:
            message = self.world.note_message(chat, text, parse_mode, answer)
            self.world.count(method)
        chat_object = {"id": int(chat), "type": "private"}
        self.answer({**answer, "delay": 0}, {"message_id": message.get("message_id", 0), "date": 0,
                                             "chat": chat_object, "text": text})

    def getUpdates(self, given):
        with self.world.changed:
            self.world.count("getUpdates")
            answer = self.world.next_answer("getUpdates")
            updates = []
            if status_of(answer) == 200:
                updates = self.world.poll(int(given.get("offset", 0)), int(given.get("limit", 100)),
                                          float(given.get("timeout", 0)))
        self.answer({"status": 409} if updates is None else answer, updates)

    def complete_chat(self, request):
        """An endpoint in OpenAI's chat form, which repeats what it was told last."""
        with self.world.changed:
            self.world.count("model")
            self.world.model_requests.append(request)
            answer = self.world.next_answer("model")
        content = answer.get("content", "You said: " + request["messages"][-1]["content"])
        self.answer({"body": json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}), **answer})

    def answer(self, answer, result=None):
        time.sleep(answer.get("delay", 0))
        if answer.get("hang"):
            self.server.ended.wait()
        if answer.get("hang") or answer.get("close"):
            self.close_connection = True
            return
        status = answer.get("status", 200)
        body = {"ok": True, "result": result} if status == 200 else failure(status, answer)
        text = answer.get("body") or json.dumps(body)
        self.write(status, text.encode(), answer.get("cut"))

    def write(self, status, body, is_cut):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if is_cut else body)
        self.close_connection = self.close_connection or bool(is_cut)


class Server(http.server.ThreadingHTTPServer):
    """One that can go deaf and come back on the same port."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, world, port):
        self.world = world
        self.ended = threading.Event()
        self.connections = set()
        super().__init__(("127.0.0.1", port), Handler, bind_and_activate=False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.server_bind()
        self.server_activate()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def process_request(self, request, client_address):
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        pass  # who asked may be dead before the answer

    def close(self):
        self.shutdown()
        self.server_close()
        self.ended.set()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is closed already


def hold_port():
    """A socket that keeps a port of the kernel's choice ours while nobody listens on it."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.host)


def post_update(webhook, update):
    """Whether the webhook has taken it."""
    to, body = webhook["to"], update.get("raw") or json.dumps(update)
    connection = UnixConnection(to, timeout=30) if to.startswith("/") else http.client.HTTPConnection(
        "127.0.0.1", int(to), timeout=30)
    headers = {"Content-Type": "application/json"}
    if webhook.get("secret"):
        headers["X-Telegram-Bot-Api-Secret-Token"] = webhook["secret"]
    try:
        connection.request("POST", "/", body, {**headers, "Host": "localhost"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def deliver_updates(world):
    """Bring updates to the webhook, each until it is taken, as Telegram does."""
    while True:
        with world.changed:
            world.changed.wait_for(lambda: world.webhook and world.updates)
            webhook, update = world.webhook, world.updates[0]
        is_taken = post_update(webhook, update)
        with world.changed:
            world.count("webhook")
            if is_taken and update in world.updates:
                world.updates.remove(update)
                world.changed.notify_all()
        if not is_taken:
            time.sleep(0.05)


class Commands:
    """What standard input asks for; each returns its answer."""

    def __init__(self, world):
        self.world = world
        self.holder = hold_port()
        self.port = self.holder.getsockname()[1]
        self.server = Server(world, self.port)

    def table(self, command):
        self.world.table = command
        return {}

    def updates(self, command):
        self.world.add_updates(command["updates"])
        return {}

    def webhook(self, command):
        self.world.webhook = command if command["to"] else None
        self.world.changed.notify_all()
        return {}

    def arrived(self, _):
        return {"requests": self.world.requests, "messages": self.world.messages,
                "model": self.world.model_requests, "updates_left": len(self.world.updates)}

    def wait(self, command):
        return {"reached": self.world.changed.wait_for(lambda: self.world.has_arrived(command),
                                                       command.get("seconds", 20))}

    def listen(self, command):
        if not command["on"]:
            self.server.close()
        elif self.server.ended.is_set():
            self.server = Server(self.world, self.port)
        return {}

    def run(self, line):
        command = json.loads(line)
        if command["do"] == "listen":  # which waits for what takes the lock
            return self.listen(command)
        with self.world.changed:
            return getattr(self, command["do"])(command)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--token", default="12345:test")
    parser.add_argument("--show", action="store_true", help="print messages that arrive on standard error")
    options = parser.parse_args()
    world = World(options.token, options.show)
    commands = Commands(world)
    threading.Thread(target=deliver_updates, args=(world,), daemon=True).start()
    print(f"http://127.0.0.1:{commands.port}", flush=True)
    for line in sys.stdin:
        print(json.dumps(commands.run(line)), flush=True)


if __name__ == "__main__":
    main()

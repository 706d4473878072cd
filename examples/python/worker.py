"""Sends what is due by Telegram, each message once. docs/worker.md says why it does each thing."""
import os
import signal
import socket
import time

from psycopg.types.json import Jsonb

import telegram
from database import Database, say, stop, stopping

class Worker:
    name = os.environ.get("WORKER_NAME") or f"{socket.gethostname()}:{os.getpid()}"

    def __init__(self, wakeup):
        self.wakeup = wakeup
        self.database = Database()
        self.is_throttled = False  # so the rest of the claim is given back
        self.longest_wait = 60

    def run(self):
        self.check_token()
        while not stopping.is_set():
            self.is_throttled = False
            self.database.call("LISTEN companion")  # the connection may be another
            messages = self.database.call(
                "SELECT * FROM companion.claim_messages(%s, 10, channels => %s)", self.name, ["telegram"])
            for message in messages:
                self.deliver(message)
            if not messages:
                self.database.wait(self.wakeup, self.longest_wait)
                self.longest_wait = 60

    def check_token(self):
        """A wrong one is found before anything is claimed."""
        while not stopping.is_set() and (reply := telegram.ask("getMe", {})).meaning != "done":
            say(f"getMe: {reply.description}")
            if reply.meaning == "forbidden":
                stop(3)
            stopping.wait(max(1, reply.retry_after))

    def deliver(self, message):
        if stopping.is_set() or self.is_throttled:
            return self.ask("release_message(%s, %s, %s)", message)
        text = message.content or compose(message)  # may be done twice, so it comes before start_send
        if self.start(message):
            self.report(message, telegram.send_text(message.address, text))

    def start(self, message):
        """The point of no return. None: the channel's rate is used up; after a second the message is another's."""
        for _ in range(10):
            answer = self.ask("start_send(%s, %s, %s)", message)
            if answer is not None:
                return answer
            time.sleep(0.1)
        self.ask("release_message(%s, %s, %s)", message)
        return False

    def report(self, message, sent):
        reply = sent.reply
        if reply.meaning != "done":
            say(f"message {message.message_id}: {reply.description}")
        if reply.meaning == "forbidden":
            stop(3)
        if reply.meaning == "throttled":  # all workers of the bot wait
            self.is_throttled, self.longest_wait = True, min(self.longest_wait, reply.retry_after)
            self.database.call("SELECT companion.throttle_channel('telegram', retry_after_seconds => %s, bot => %s)",
                               reply.retry_after, message.bot)
        if sent.ids:  # it is out, or some of it, so it must not come again
            self.ask("mark_sent(%s, %s, %s, %s, telegram_message_id => %s, metadata => %s)",
                     message, sent.text, sent.ids[0], Jsonb(sent.metadata))
        elif reply.meaning != "unknown":  # then it may be out: no report, and maintenance calls it unknown
            self.mark_failed(message, reply)

    def mark_failed(self, message, reply):
        """Seconds to wait cost no try, as befits what is no fault of the message: a 429, or a wrong token."""
        wait = {"forbidden": 60, "throttled": reply.retry_after}.get(reply.meaning)
        self.ask("mark_failed(%s, %s, %s, %s, retry_after_seconds => %s, permanent => %s, address_gone => %s)",
                 message, reply.description, wait, reply.meaning == "refused", reply.meaning == "gone")

    def ask(self, function, message, *arguments):
        return self.database.call(f"SELECT companion.{function}",
                                  message.user_id, message.message_id, message.attempt, *arguments)[0][0]


def compose(message):
    """Here your model writes, with companion.user_context_prompt() and recent messages."""
    return f"Good morning{', ' + message.display_name if message.display_name else ''}! How are you?"


def wakeup_by_signals():
    """What a wait ends by, and where signals are written."""
    wakeup, signalled = socket.socketpair()
    signalled.setblocking(False)
    signal.set_wakeup_fd(signalled.fileno())
    for number in signal.SIGTERM, signal.SIGINT:
        signal.signal(number, lambda *_: stopping.set())
    return wakeup, signalled

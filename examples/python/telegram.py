"""Telegram's Bot API: what an answer means for a message, and long texts in parts."""
import http.client
import json
import os
import time
from collections import namedtuple
from urllib.parse import urlsplit

API = urlsplit(os.environ.get("TELEGRAM_API_URL", "https://api.telegram.org"))
TIMEOUT = float(os.environ.get("TELEGRAM_TIMEOUT", "30"))
TOKEN = os.environ.get("TELEGRAM_BOT_TOKEN", "")

# done; refused: will never be taken; forbidden: the token is wrong; gone: the user has blocked the bot; throttled:
# the bot has to wait; failed: certainly not done; unknown: it may have been done
MEANINGS = {200: "done", 400: "refused", 401: "forbidden", 403: "gone", 404: "forbidden", 429: "throttled"}


Reply = namedtuple("Reply", "meaning description body retry_after", defaults=[{}, 0])  # never the URL: it has the token
# The reply to the last part, or to the one that failed; what went out, and the ids of its parts
Sent = namedtuple("Sent", "reply text ids metadata")


def ask(method, parameters):
    # A connection of its own: one that was kept may be dead, and then it would not be known whether it was written to
    kind = http.client.HTTPSConnection if API.scheme == "https" else http.client.HTTPConnection
    connection = kind(API.netloc, timeout=TIMEOUT)
    try:
        connection.connect()
    except OSError as error:
        return Reply("failed", f"no connection: {error}")
    try:
        connection.request("POST", f"{API.path}/bot{TOKEN}/{method}", json.dumps(parameters),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        return read(response.status, response.read(), method == "sendMessage")
    except (OSError, http.client.HTTPException) as error:
        return Reply("unknown", f"no answer: {type(error).__name__}")
    finally:
        connection.close()


def read(status, answer, is_message=False):
    """JSON of an unexpected form says no more than a proxy's page does."""
    meaning = MEANINGS.get(status, "failed" if status >= 500 else "unknown")
    try:
        body = json.loads(answer)
    except (ValueError, RecursionError):  # a proxy's page
        body = {}
    body, parameters = an_object(body), an_object(an_object(body).get("parameters"))
    if meaning == "done" and (body.get("ok") is not True or is_message
                              and not is_id(an_object(body.get("result")).get("message_id"))):
        meaning = "unknown"
    wait, description = parameters.get("retry_after"), body.get("description")
    wait = min(max(wait, 0), 86400) if type(wait) is int else 5
    description = description.encode("utf-8", "replace").decode().replace("\0", "") if type(description) is str else ""
    return Reply(meaning, f"{status} {description}", body, wait if meaning == "throttled" else 0)


def an_object(value):
    return value if isinstance(value, dict) else {}


def is_id(value):
    return type(value) is int and -1 << 63 <= value < 1 << 63


def send_text(chat, text):
    parts, ids = parts_of(text), []
    for part in parts:
        reply = send_later_part(chat, part) if ids else send_part(chat, part)
        if reply.meaning != "done":
            break
        ids.append(reply.body["result"]["message_id"])
    metadata = {"telegram_message_ids": ids} if len(parts) > 1 else {}
    if len(ids) < len(parts):
        metadata["parts_missing"] = len(parts) - len(ids)
    return Sent(reply, "".join(parts[:len(ids)]), ids, metadata)


def send_part(chat, text):
    """Models write Markdown, and not always such that Telegram takes it."""
    reply = ask("sendMessage", {"chat_id": chat, "text": text, "parse_mode": "Markdown"})
    if "can't parse entities" in reply.description:
        return ask("sendMessage", {"chat_id": chat, "text": text})
    return reply


def send_later_part(chat, text):
    """Something is out before it, so the whole cannot come again: it waits, though not for ever."""
    for tries_left in 3, 2, 1, 0:
        reply = send_part(chat, text)
        if reply.meaning not in ("throttled", "failed") or not tries_left:
            return reply
        time.sleep(min(max(reply.retry_after, 1), 60))


def parts_of(text, longest=4096):
    """Of so many UTF-16 units: cut after a paragraph, else a line, sentence or word in the second half."""
    parts = []
    while (fitting := text.encode("utf-16-le")[:2 * longest].decode("utf-16-le", "ignore")) != text:
        ends = [fitting.rfind(end) + len(end) for end in ("\n\n", "\n", ". ", "! ", "? ", " ")]
        length = next((end for end in ends if end > len(fitting) // 2), len(fitting))
        parts.append(text[:length])
        text = text[length:]
    return parts + [text]

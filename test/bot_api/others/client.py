#!/usr/bin/python3
"""python-telegram-bot, which others wrote, understands each answer of our server: client.py URL TOKEN

The server's table has, for sendMessage, the answers 200, 400, 403, 429 and 502, in this order; for getUpdates 409, and
then an update with the text "hello". Prints what the client made of each.
"""

import asyncio
import inspect
import sys

import telegram

loop = asyncio.new_event_loop()


def call(function, *arguments, **named):
    """What it returns, or the name of the error that it raises, of this version and of those with asyncio."""
    try:
        result = function(*arguments, **named)
        return loop.run_until_complete(result) if inspect.isawaitable(result) else result
    except telegram.error.TelegramError as error:
        return error


def told(error):
    return f"{type(error).__name__}: {error}"


def main(url, token):
    bot = telegram.Bot(token, base_url=url + "/bot")
    print(call(bot.get_me).username)
    message = call(bot.send_message, 111, "Good morning", parse_mode="Markdown")
    print(message.message_id, message.text, message.chat.id)
    for _ in range(4):
        print(told(call(bot.send_message, 111, "Good morning")))
    print(told(call(bot.get_updates)))
    updates = call(bot.get_updates, timeout=0)
    print(updates[0].message.text, updates[0].message.from_user.id)
    print(call(bot.get_updates, offset=updates[0].update_id + 1, timeout=0))
    print(told(call(telegram.Bot("12345:wrong", base_url=url + "/bot").get_me)))


main(*sys.argv[1:])

#!/usr/bin/python3
"""A Telegram bot on companion: a worker, and with TELEGRAM_WEBHOOK what takes its users' messages."""
import os
import sys
import threading

import database
import telegram
import webhook
import worker

if not telegram.TOKEN:
    database.say("TELEGRAM_BOT_TOKEN is not set: @BotFather gives you one")
    sys.exit(2)
signals = worker.wakeup_by_signals()
server = webhook.server_at(os.environ["TELEGRAM_WEBHOOK"]) if os.environ.get("TELEGRAM_WEBHOOK") else None
if server:
    threading.Thread(target=server.serve_forever, args=[0.05]).start()
try:
    worker.Worker(signals[0]).run()
finally:
    if server:
        server.shutdown()  # when the update at hand is done with
if database.exit_code == 3:
    database.say("Telegram refuses the token (401, 404): nothing is sent until it is right")
sys.exit(database.exit_code)

"""The database, by psycopg 3."""
import select
import sys
import threading

import psycopg
from psycopg.rows import namedtuple_row

stopping = threading.Event()
exit_code = 0


def say(line):
    print(line, file=sys.stderr, flush=True)


def stop(code):
    global exit_code
    exit_code = exit_code or code
    stopping.set()


class Database:
    """A connection, which is made again when it breaks; for one thread."""

    def __init__(self):
        self.connect()

    def connect(self):
        while True:
            try:
                self.connection = psycopg.connect(autocommit=True, row_factory=namedtuple_row)
                self.notifications = []
                self.connection.add_notify_handler(self.notifications.append)
                return
            except psycopg.OperationalError as error:
                if stopping.is_set():
                    raise
                say(f"the database: {error}")
                stopping.wait(1)

    def call(self, statement, *parameters):
        """A statement that is a transaction of its own. All that is said here ends the same way when it is said twice,
        so it is repeated until the server has answered; start_send, too: it is true once."""
        while True:
            try:
                cursor = self.connection.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError as error:
                if self.connection.closed or (error.sqlstate or "").startswith("57P"):  # the server shuts down
                    self.connect()
                elif error.sqlstate not in ("55P03", "40P01", "40001"):  # whoever holds the user will end
                    raise

    def wait(self, wakeup, seconds):
        """For a notification that something is due, or a signal. One that came with the last answer is enough."""
        if not self.notifications:
            select.select([self.connection.fileno(), wakeup], [], [], seconds)
        self.notifications.clear()

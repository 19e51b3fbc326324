"""The sandbox as a process of its own: put together, served, and ended with its supervisor."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from shop.clock import Clock, system_clock
from shop.payments.sandbox import shapes
from shop.payments.sandbox.api import Api
from shop.payments.sandbox.balance import Balance
from shop.payments.sandbox.books import Books
from shop.payments.sandbox.cashier import Cashier
from shop.payments.sandbox.chaos import Chaos, Mishaps
from shop.payments.sandbox.charges import Charges
from shop.payments.sandbox.control import Control
from shop.payments.sandbox.deliveries import Outbox
from shop.payments.sandbox.desk import Desk
from shop.payments.sandbox.disputes import Disputes
from shop.payments.sandbox.ledger import Ledger
from shop.payments.sandbox.machine import Machine
from shop.payments.sandbox.refunds import Refunds
from shop.settings import Settings
from shop.wsgi import Wsgi, whole

THREADS: Final = 4
LARGEST_BODY: Final = 1_000_000
SWEEP_SECONDS: Final = 1.0
KEPT_KEYS_SECONDS: Final = 24 * 3600
"""Stripe forgets idempotency keys after a day at the earliest."""


class Sandbox:
    """The parts of one sandbox over one file of books."""

    def __init__(self, settings: Settings, clock: Clock = system_clock) -> None:
        folder = settings.data_dir
        self.books = Books(folder / "sandbox.db")
        address = f"http://127.0.0.1:{settings.port}/api/v1/webhooks/stripe"
        self.chaos = Chaos()
        self.outbox = Outbox(self.books, address, settings.webhook_secrets[0], self.chaos)
        self.ledger = Ledger(self.books, shapes.load(folder), self.outbox, clock)
        self.balance = Balance(self.ledger)
        self.charges = Charges(self.ledger, self.balance)
        self.refunds = Refunds(self.ledger, self.charges, self.balance, self.chaos)
        self.disputes = Disputes(self.ledger, self.charges, self.balance)
        self.machine = Machine(self.ledger, self.charges, settings.sandbox_url)
        self._stopped = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep, name="sweeper", daemon=True)

    def start(self) -> None:
        """Begin to deliver webhooks, to expire sessions and to settle refunds."""
        self.outbox.start()
        self._sweeper.start()

    def stop(self) -> None:
        """Stop the threads and close the books."""
        self._stopped.set()
        self._sweeper.join()
        self.outbox.stop()
        self.books.close()

    def app(self) -> Flask:
        """The web application."""
        app = Flask(__name__, static_folder=None)
        app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
        app.extensions["sandbox"] = self
        desk = Desk(self.ledger, self.refunds, self.disputes, self.balance)
        for part in (
            Api(self.ledger, self.machine, self.refunds, self.balance, Mishaps(self.chaos)),
            Cashier(self.ledger, self.machine),
            Control(self.books, self.outbox, desk),
        ):
            app.register_blueprint(part.blueprint())
        return app

    def _sweep(self) -> None:
        while not self._stopped.wait(SWEEP_SECONDS):
            self.machine.expire_overdue()
            self.refunds.settle_overdue()
            with self.books.writing():
                self.books.forget_answers(self.ledger.now() - KEPT_KEYS_SECONDS)


def create_app(settings: Settings, clock: Clock = system_clock) -> Flask:
    """A running sandbox as a web application; `app.extensions["sandbox"].stop()` ends it."""
    sandbox = Sandbox(settings, clock)
    sandbox.start()
    return sandbox.app()


def main(settings: Settings, *, supervisor: int | None = None) -> None:
    """Serve until SIGINT or SIGTERM, or until the process `supervisor` is gone.

    One process with a few threads: SQLite has one writer anyway, and no request in here waits
    for a request of the mall.

    Raises:
        SystemExit: the port is taken; says so in one sentence.
    """
    _refuse_taken_port(settings.sandbox_port)
    if supervisor is not None:
        _when_orphaned(supervisor, lambda: os.kill(os.getpid(), signal.SIGTERM))
    server = Granian(
        "shop.payments.sandbox",
        address="127.0.0.1",
        port=settings.sandbox_port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=partial(_load, settings, os.getpid()), wrap_loader=False)


def _load(settings: Settings, server: int) -> Wsgi:
    """The application inside the serving process; gone with the process that started it."""
    _when_orphaned(server, lambda: os._exit(1))
    return whole(create_app(settings))


def _when_orphaned(parent: int, act: Callable[[], None]) -> None:
    """Run `act` once `parent` is not our parent any more: a killed parent tells nobody."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SWEEP_SECONDS)
        act()

    threading.Thread(target=watch, name="orphan-watch", daemon=True).start()


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SystemExit(
                f"Port {port} is in use: set SANDBOX_PORT to a free one ({error.strerror})."
            ) from error

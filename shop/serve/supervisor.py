"""`aidmall run`: everything an installation needs, started, watched and stopped as one."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import click

import migrations
from shop.embedded_postgres import EmbeddedPostgres
from shop.serve import demo, preflight
from shop.serve.children import SUPERVISOR, Child, aidmall, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from shop.settings import Settings

DATABASE = "aidmall"
"""The database's name on the embedded server."""

TICK = 0.05
"""Seconds between two looks at the children."""

HOPELESS = 3
"""A web server that failed so often before its first answer will not do better the next time."""


class StartError(Exception):
    """One sentence that says why the installation cannot be started."""


class _Stop(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived. Nothing but `run` may catch it."""


def run(settings: Settings) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP; returns when everything has ended.

    Raises:
        SettingsError: a port, the data folder or the database cannot be used.
        EmbeddedPostgresError: the embedded server cannot be started.
        StartError: a part of the installation does not start.
    """
    preflight.check_port(settings)
    with ExitStack() as stack:
        stack.enter_context(preflight.port_claimed(settings))
        preflight.check_folder(settings)
        try:
            _listen_for(_raise_stop)
            Installation(settings, stack).run()
        except _Stop:
            say("stopping")
        finally:
            _listen_for(signal.SIG_IGN)  # once is enough: every step below is bounded


def _listen_for(action: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    signal.signal(signal.SIGINT, action)
    signal.signal(signal.SIGTERM, action)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, action)


def _raise_stop(_signum: int, _frame: FrameType | None) -> None:
    _listen_for(signal.SIG_IGN)
    raise _Stop


class Installation:
    """The running parts. What is entered on `stack` is left in the opposite order."""

    def __init__(self, settings: Settings, stack: ExitStack) -> None:
        self._settings = settings
        self._stack = stack
        self._postgres: EmbeddedPostgres | None = None
        self._children: list[Child] = []

    def run(self) -> None:
        """Start all parts, announce them, and watch them for ever."""
        self._open_database()
        self._prepare_database()
        if self._settings.sandbox:
            self._settings = preflight.choose_sandbox_port(self._settings)
        # Entered in this order, they are stopped in the opposite one: first no more requests,
        # then no more jobs, and only then what both of them call.
        sandbox = self._child("payment sandbox", "sandbox")
        worker = self._child("worker", "worker")
        web = self._child("web server", "web")
        web.start()
        if self._settings.sandbox:
            sandbox.start()
        self._wait_for(web)
        announce(self._settings)
        worker.start()  # last: on two cores it would delay the first page by half a second
        while True:
            self._tick()

    def _wait_for(self, web: Child) -> None:
        while not ready(self._settings):
            self._tick()
            if web.failures >= HOPELESS:
                raise StartError("The web server does not start; it says why above.")

    def _open_database(self) -> None:
        url = self._settings.database_url
        if url is None:
            self._postgres = EmbeddedPostgres(self._settings.data_dir / "pg")
            self._stack.enter_context(self._postgres)
            self._postgres.create_database(DATABASE)
            url = self._postgres.dsn(DATABASE)
        else:
            preflight.check_database(url)
        self._settings = replace(self._settings, database_url=url)

    def _prepare_database(self) -> None:
        assert self._settings.database_url is not None
        # In processes of their own: they need the whole domain, which the supervisor does not.
        if not migrations.current_is_head(self._settings.database_url):
            self._once("migrate", "The database could not be migrated; the reason stands above.")
        if demo.wanted(self._settings):
            say("filling the empty mall with the demonstration")
            self._once("seed", "The demonstration could not be loaded; the reason stands above.")

    def _once(self, command: str, complaint: str) -> None:
        # The child ends by itself when we are stopped meanwhile; its transaction rolls back.
        with subprocess.Popen(  # noqa: S603 - our own command, no shell
            aidmall(command), env=self._environment(), process_group=0
        ) as process:
            try:
                code = process.wait()
            except BaseException:
                process.terminate()
                raise
        if code != 0:
            raise StartError(complaint)

    def _child(self, name: str, command: str) -> Child:
        child = Child(name, aidmall(command), self._environment())
        self._stack.callback(child.stop)
        self._children.append(child)
        return child

    def _environment(self) -> Mapping[str, str]:
        """What the children are told beyond our own environment: what we decided."""
        settings = self._settings
        assert settings.database_url is not None
        return {
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "DATA_DIR": str(settings.data_dir),
            "SANDBOX_PORT": str(settings.sandbox_port),
            SUPERVISOR: str(os.getpid()),
        }

    def _tick(self) -> None:
        for child in self._children:
            child.watch()
        if self._postgres is not None and not self._postgres.alive():
            say("PostgreSQL ended unexpectedly; starting it again")
            self._postgres.start()
        time.sleep(TICK)


def ready(settings: Settings) -> bool:
    """Whether the mall answers, and the sandbox too where payments go to it."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - an address to recognise
    host = everywhere.get(settings.host, settings.host)
    if not _answers(host, settings.port, "/healthz"):
        return False
    return not settings.sandbox or _answers("127.0.0.1", settings.sandbox_port, "/")


def _answers(host: str, port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def announce(settings: Settings) -> None:
    """Print where everything is and who can sign in."""
    url = settings.public_url
    lines = [
        "",
        f"  Mall          {url}/",
        f"  Back office   {url}/admin",
        f"  API           {url}/api/v1/docs",
    ]
    if settings.sandbox:
        lines.append(
            f"  Payments      demonstration cashier on {settings.sandbox_url}: no real money"
        )
    people = demo.accounts(settings)
    if people:
        password = demo.kept_password(settings) or "the one they were made with"
        lines += ["", f"  Demo accounts, password {password}", ""]
        lines += [f"    {email:<26}{name}" for email, name in people]
    lines += ["", "  Ctrl-C stops everything.", ""]
    click.echo("\n".join(lines))

"""The web server process: granian before the WSGI application."""

from __future__ import annotations

import gc
import logging
import os
import signal
from functools import partial
from typing import TYPE_CHECKING

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from shop.embedded_postgres.guard import die_with_parent
from shop.serve.children import say
from shop.wsgi import Wsgi, arrived, whole

if TYPE_CHECKING:
    from shop.settings import Settings

BACKLOG = 2048
"""Connections that may wait: a flash sale arrives in one second."""

WAITING = 20
"""Threads of a process that only wait for bodies on their way; they are made when needed. With 60,
so many wait for the interpreter under load that a few answers take seconds. Granian finds 20
strange already and would say so at each start."""

STOP_SECONDS = 10


def main(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; requests under way are answered first.

    `web_workers` processes answer `web_threads` requests each at a time: few beat many here, the
    time goes into Python and PostgreSQL, not into waiting. All other threads wait for senders.
    """
    # Imported once, before the workers fork: they start sooner and share its memory, which the
    # collector must then not touch.
    import shop.app  # noqa: F401 - slow (1.5 s): who only asks for `aidmall web --help` waits for none

    for sentence in warnings(settings):
        say(sentence)
    gc.collect()
    gc.freeze()
    server = Server(
        "shop.app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.web_workers,
        blocking_threads=settings.web_threads + WAITING,
        backlog=BACKLOG,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
    )
    logging.getLogger("_granian").addFilter(lambda said: "Python threads" not in said.getMessage())
    server.serve(target_loader=partial(application, settings, os.getpid()), wrap_loader=False)


def warnings(settings: Settings) -> list[str]:
    """What works without, but no buyer should have to do without; one sentence each."""
    if settings.support.reachable:
        return []
    return ["SUPPORT_PHONE and SUPPORT_EMAIL are not set: buyers are told of nobody to turn to."]


def application(settings: Settings, server: int) -> Wsgi:
    """The application inside a serving process, which ends with the process `server`."""
    # Until granian sets its own handlers we have inherited those of its main process, which
    # would make a worker that is not ready yet deaf to being stopped.
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_DFL)
    # At once: told to end while a request is under way, granian waits for its threads and holds
    # what they wait for. Its main process kills such a worker after a while; an orphan has nobody.
    die_with_parent(server, signal.SIGKILL)
    from shop.app import MAX_UPLOAD, create_app  # loaded already, see main

    return arrived(
        whole(create_app(settings)),
        at_once=settings.web_threads,
        longest=settings.max_body_bytes,
        largest=MAX_UPLOAD,
    )

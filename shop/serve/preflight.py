"""What can be known to be wrong before anything is started, in one sentence each."""

from __future__ import annotations

import errno
import os
import re
import socket
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import migrations
from shop.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from shop.settings import Settings

OLDEST_POSTGRES = 160_000
"""Version 16, as PostgreSQL counts."""

PORTS_TRIED = 50

MISWRITTEN = (
    "DATABASE_URL cannot be read: a space or one of % @ : / ? # in a user's name or password"
    " has to be written as %20, %25, %40, %3A, %2F, %3F or %23."
)

CONNECT_SECONDS = 5

REASONS = {
    errno.EADDRINUSE: "another program is using it",
    errno.EADDRNOTAVAIL: "HOST is not an address of this machine",
    socket.EAI_NONAME: "HOST is not an address of this machine",
}

LAST_GASP_SECONDS = 2.5
"""After a kill -9 the predecessor's children need a moment to end and to free its port."""


def with_driver(url: str) -> str:
    """The address as SQLAlchemy needs it; the usual short forms are accepted.

    Raises:
        SettingsError: this is not an address of a PostgreSQL database.
    """
    found = re.fullmatch(r"(?:postgres|postgresql|postgresql\+psycopg)://(.*)", url)
    if found is None:
        raise SettingsError("DATABASE_URL must begin with postgresql://.")
    return f"postgresql+psycopg://{found[1]}"


def connect(url: str) -> psycopg.Connection:
    """A plain connection in autocommit mode, without SQLAlchemy's start-up time.

    Raises:
        psycopg.Error: it cannot be had.
    """
    import psycopg  # slow (0.2 s): `aidmall version` does not wait for it

    return psycopg.connect(
        url.replace("postgresql+psycopg://", "postgresql://", 1),
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
    )


def check_database(url: str) -> None:
    """Refuse an address behind which there is no usable database.

    Raises:
        SettingsError: one sentence without the password.
    """
    import psycopg  # as above
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://", 1))
    except psycopg.ProgrammingError as error:  # it quotes what it stumbles over, passwords too
        raise SettingsError(MISWRITTEN) from error
    if "@" in str(parts.get("host", "")):
        raise SettingsError(MISWRITTEN)
    try:
        with connect(url) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        reason = (str(error).splitlines() or ["no reason given"])[0].rstrip(".")
        raise SettingsError(f"DATABASE_URL leads to no database: {reason}.") from error
    if version < OLDEST_POSTGRES:
        raise SettingsError(
            f"DATABASE_URL leads to PostgreSQL {version // 10_000}; 16 or newer is needed."
        )


def check_schema(settings: Settings) -> None:
    """Refuse a database that is at another schema than this code.

    Raises:
        SettingsError: one sentence.
    """
    assert settings.database_url is not None
    if not migrations.current_is_head(settings.database_url):
        raise SettingsError(
            "The database does not have the schema of this version: run aidmall migrate first."
        )


@contextmanager
def port_claimed(settings: Settings) -> Iterator[None]:
    """Keep every other start off the web port, also before anybody listens on it.

    A web server's processes share its port, and so could those of two installations that were
    started at once: every visitor would come to one or the other. Linux only.

    Raises:
        SettingsError: another installation is being started on it.
    """
    with socket.socket(socket.AF_UNIX) as claim:
        if sys.platform == "linux":
            try:
                # A name that the kernel forgets with the process, however it ends.
                claim.bind(f"\0aidmall {settings.host} {settings.port}")
            except OSError as error:
                raise SettingsError(_no_port(settings.port, REASONS[errno.EADDRINUSE])) from error
        yield


def check_folder(settings: Settings) -> None:
    """Refuse a DATA_DIR in which nothing can be kept. Production keeps nothing there.

    Raises:
        SettingsError: one sentence.
    """
    if settings.production:
        return
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.data_dir):
            pass
    except OSError as error:
        reason = str(error.strerror).lower()
        raise SettingsError(
            f"Nothing can be kept in {settings.data_dir}: {reason}; set DATA_DIR."
        ) from error


def check_port(settings: Settings) -> None:
    """Refuse a web port that nobody can listen on.

    Raises:
        SettingsError: one sentence.
    """
    deadline = time.monotonic() + LAST_GASP_SECONDS
    while trouble := port_trouble(settings.host, settings.port):
        if trouble != REASONS[errno.EADDRINUSE] or time.monotonic() > deadline:
            raise SettingsError(_no_port(settings.port, trouble))
        time.sleep(0.05)


def _no_port(port: int, trouble: str) -> str:
    return f"Nobody can listen on port {port}: {trouble}; set PORT."


def choose_sandbox_port(settings: Settings) -> Settings:
    """Settings whose sandbox port is free: the next free one, if nobody asked for a certain one.

    Raises:
        SettingsError: the port that was asked for is taken.
    """
    asked_for = "SANDBOX_PORT" in os.environ
    last = settings.sandbox_port + (0 if asked_for else PORTS_TRIED)
    trouble = ""
    for port in range(settings.sandbox_port, last + 1):
        trouble = port_trouble("127.0.0.1", port)
        if not trouble and port != settings.port:
            return replace(settings, sandbox_port=port)
    raise SettingsError(
        f"Nobody can listen on port {settings.sandbox_port}: {trouble or 'PORT says the same'};"
        " set SANDBOX_PORT."
    )


def port_trouble(host: str, port: int) -> str:
    """Why nobody can listen on `port` of `host` now; empty when one can."""
    if port not in range(1, 65_536):
        return "ports go from 1 to 65535"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As servers do: a port whose last connections are still closing counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return REASONS.get(error.errno or 0) or str(error.strerror).lower()
    return ""

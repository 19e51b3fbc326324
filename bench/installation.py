"""An installation of the shop of its own: other folder, other ports, started and stopped here."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from shop.context import SYSTEM, Ctx, Transactions
from shop.db import Database
from shop.embedded_postgres import EmbeddedPostgres
from shop.serve.children import SUPERVISOR
from shop.serve.supervisor import DATABASE
from shop.settings import Settings, load

ROOT = Path(__file__).parents[1]
START_SECONDS = 120
STOP_SECONDS = 60
FORGOTTEN = (
    "DATABASE_URL",
    "REDIS_URL",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRETS",
    "PUBLIC_URL",
    "AIDMALL_ENV",
)
"""Settings of the caller's that must not lead the bench to a real shop."""


class BenchError(Exception):
    """One sentence that says why there is nothing to measure."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Installation:
    """`aidmall run` in a folder that is removed afterwards. PostgreSQL flushes as in real life."""

    def __init__(self, parent: Path) -> None:
        parent.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
        self.port, self.sandbox_port = free_port(), free_port()
        self.postgres = EmbeddedPostgres(self.folder / "pg")
        self.started: dict[str, float] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough: every step below is bounded
        try:
            self._stack.close()
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def set_up(self, fill: Callable[[Ctx], None]) -> None:
        """Start once to make everything, `fill` the shop, and start again as on any other day."""
        self.started["empty"] = self.start()
        with self.transactions().begin() as ctx:
            fill(ctx)
        self._stack.close()
        self.stop()
        self.started["set_up"] = self.start()

    @property
    def pid(self) -> int:
        """The supervisor's."""
        assert self._process is not None
        return self._process.pid

    @property
    def settings(self) -> Settings:
        """As the processes of the installation see them."""
        return replace(
            load(),
            data_dir=self.folder,
            port=self.port,
            sandbox_port=self.sandbox_port,
            database_url=self.postgres.dsn(DATABASE),
        )

    def start(self) -> float:
        """Start everything; the seconds until the first 200."""
        began = time.monotonic()
        with (self.folder / "aidmall.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "shop.cli", "run"],
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; we stop it in order
            )
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() - began > START_SECONDS:
                raise BenchError(f"The shop does not start.\n{self.log()}")
            time.sleep(0.01)
        took = time.monotonic() - began
        self.postgres.start()  # it runs already: we become its second user
        return took

    def stop(self) -> None:
        """Stop everything and wait for its end."""
        self.postgres.stop()
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()  # its children end with it
            process.wait()

    def transactions(self) -> Transactions:
        """For what the bench itself writes and reads."""
        settings = self.settings
        assert settings.database_url is not None
        database = Database(settings.database_url, pool_size=1)
        self._stack.callback(database.dispose)
        return Transactions(database=database, settings=settings, actor=SYSTEM)

    def log(self) -> str:
        """The last lines of what the shop printed."""
        text = (self.folder / "aidmall.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-30:])

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
        return kept | {
            "DATA_DIR": str(self.folder),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port),
            "SEED": "demo",
            "RATE_LIMITS": "0",
            "LOG_LEVEL": "WARNING",
            SUPERVISOR: str(os.getpid()),  # it ends when we are killed
        }

    def _answers(self) -> bool:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            line.request("GET", "/healthz")
            return line.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()

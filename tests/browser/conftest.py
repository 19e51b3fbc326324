"""A whole installation as `make run` starts it, and headless chromium in front of it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Error,
    Page,
    Playwright,
    sync_playwright,
)

from tests.conftest import ROOT

PASSWORD = "browser-walnut-42"
SHOTS = ROOT / "var" / "screenshots"
CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "locale": "zh-CN",
    "timezone_id": "Asia/Shanghai",
}
DESK = {
    "viewport": {"width": 1280, "height": 900},
    "locale": "zh-CN",
    "timezone_id": "Asia/Shanghai",
}
START_SECONDS = 90


@dataclass(frozen=True)
class Mall:
    """A running installation."""

    url: str


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def mall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mall]:
    """`aidmall run` on ports and a folder of its own, with the demonstration in it."""
    port, folder = free_port(), tmp_path_factory.mktemp("mall")
    environment = {
        **os.environ,
        "PORT": str(port),
        "SANDBOX_PORT": str(free_port()),
        "DATA_DIR": str(folder / "var"),
        "DEMO_PASSWORD": PASSWORD,
        "RATE_LIMITS": "0",
        "WEB_WORKERS": "1",
        "LOG_LEVEL": "WARNING",
    }
    for name in ("DATABASE_URL", "STRIPE_SECRET_KEY", "SEED", "AIDMALL_ENV"):
        environment.pop(name, None)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "aidmall"), "run"],
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + START_SECONDS
            while not answers(url):
                ended = process.poll() is not None
                if ended or time.monotonic() > deadline:
                    pytest.fail(f"the mall did not start: {(folder / 'log').read_text()[-3000:]}")
                time.sleep(0.3)
            yield Mall(url)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
    yield browser
    browser.close()


@dataclass
class Window:
    """A browser window of one person; remembers what the console complained about."""

    page: Page
    url: str
    name: str
    complaints: list[str]

    def go(self, path: str) -> None:
        self.page.goto(self.url + path)

    def shot(self, name: str) -> None:
        """Leave a picture of the whole page under var/screenshots.

        Asked of chromium itself: Playwright's own call packs the picture small, which takes several
        times as long as drawing it.
        """
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_load_state()
        (SHOTS / f"{self.name}-{name}.png").write_bytes(self._picture())

    def _picture(self) -> bytes:
        """Chromium draws nothing for a moment after a page has changed, longer on a busy machine."""
        for pause in (100, 300, 1_000, 3_000, 0):
            size = self._chromium.send("Page.getLayoutMetrics")["cssContentSize"]
            wanted = {
                "clip": {**size, "scale": 1},
                "captureBeyondViewport": True,
                "optimizeForSpeed": True,
            }
            try:
                return b64decode(self._chromium.send("Page.captureScreenshot", wanted)["data"])
            except Error as error:
                if not pause or "Unable to capture" not in str(error):
                    raise
                self.page.wait_for_timeout(pause)
        raise AssertionError("the last try either returns or raises")

    @cached_property
    def _chromium(self) -> CDPSession:
        return self.page.context.new_cdp_session(self.page)


def window(
    browser: Browser, mall: Mall, name: str, **profile: Any
) -> tuple[Window, BrowserContext]:
    context = browser.new_context(**profile)
    page = context.new_page()
    made = Window(page, mall.url, name, [])

    def complain(message: Any) -> None:
        if message.type == "error":
            made.complaints.append(message.text)

    page.on("console", complain)
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    return made, context


@pytest.fixture
def phone(browser: Browser, mall: Mall) -> Iterator[Window]:
    made, context = window(browser, mall, "390", **PHONE)
    yield made
    context.close()


@pytest.fixture
def desk(browser: Browser, mall: Mall) -> Iterator[Window]:
    made, context = window(browser, mall, "1280", **DESK)
    yield made
    context.close()

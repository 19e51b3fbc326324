"""A short storm: `make chaos` is the long one."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.conftest import ROOT

# A killed process comes back after half a second, then one, then two: few kills make it a short storm.
STORM = ("--purchases", "80", "--kill-every", "1", "--most-kills", "4")


def test_after_a_short_storm_every_book_agrees():
    ran = subprocess.run(
        [sys.executable, "-m", "bench.chaos", *STORM],
        cwd=ROOT,
        env={**os.environ, "LOG_LEVEL": "CRITICAL"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert (ran.returncode, "Everything agrees to the fen." in ran.stdout) == (0, True), ran.stdout
    killed = re.search(r"killed \{(.*)\}", ran.stdout)
    assert killed is not None, ran.stdout
    assert sum(map(int, re.findall(r"\d+", killed.group(1)))) > 0, "nobody was killed"

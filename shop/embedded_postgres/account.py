"""The system account that the server processes run under. PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CANDIDATES = ("postgres", "nobody")
"""Accounts that exist already; none is ever created."""

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}
"""All that the server sees of ours: its messages are English and no PG* variable reaches it."""


class EmbeddedPostgresError(Exception):
    """One sentence that says why the server cannot be had."""


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged user, or (`uid` None) whoever we are already."""

    uid: int | None = None
    gid: int | None = None

    def run(
        self, command: Sequence[str | Path], *, keep: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` to its end under this account; the descriptors in `keep` stay open.

        Raises:
            OSError: it cannot be started, often because this account may not read it.
        """
        return subprocess.run(  # noqa: S603 - our own binaries, no shell
            [str(part) for part in command],
            cwd="/",
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            pass_fds=keep,
        )

    def may_enter(self, folder: Path) -> bool:
        """Whether this account reaches `folder` by its path (asked of the kernel, not computed)."""
        return self.uid is None or self.run(["test", "-x", folder]).returncode == 0

    def give(self, path: Path) -> None:
        """Make this account the owner of `path`, of a link and not of what it leads to."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def for_data(data: Path) -> Account:
    """The account to serve `data` with: as root its present owner, or the first candidate.

    Raises:
        EmbeddedPostgresError: we are root and there is nobody to become.
    """
    if os.geteuid() != 0:
        return Account()
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root and there is no user postgres or nobody to run it as:"
        " start as an ordinary user, or set DATABASE_URL."
    )

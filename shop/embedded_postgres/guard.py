"""The server's keeper: a process that runs PostgreSQL for exactly as long as somebody uses it.

Every user holds a shared lock on one file. The kernel drops it however the user dies, kill -9
included; the keeper waits for the exclusive lock and then stops the server. Should the keeper
itself be killed, the kernel tells the server to stop.

Run by its path with `python -I -S`: this file may import the standard library only.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from functools import partial

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, signum: int) -> None:
    """Have the kernel send us `signum` when the process `parent`, which started us, is gone.

    Linux only; elsewhere a parent killed with -9 leaves us behind.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signum)
    if os.getppid() != parent:  # it died before we could ask
        os.kill(os.getpid(), signum)


def main(home: str, socket_folder: str, uid: str, gid: str, keep: str, *command: str) -> int:
    """Run `command` until it ends or nobody holds the lock on `home`/users.lock any more.

    `uid` and `gid` are empty to stay who we are; `keep` lists descriptors to hand on, which we
    hold to our own end. Then `socket_folder` is removed: it may lie in /tmp.
    """
    fcntl.flock(_opened(home, "guard.lock"), fcntl.LOCK_EX)  # "the server has its keeper"
    server = subprocess.Popen(  # noqa: S603 - our own binaries, no shell
        command,
        user=int(uid) if uid else None,
        group=int(gid) if gid else None,
        extra_groups=[] if uid else None,
        pass_fds=[int(fd) for fd in keep.split(",")],
        # One thread so far, so nothing can be locked between fork and exec. SIGINT is
        # PostgreSQL's "fast shutdown": sessions are ended, data is written.
        preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGINT),  # noqa: PLW1509
    )
    threading.Thread(target=_stop_when_unused, args=(home, server), daemon=True).start()
    code = server.wait()
    shutil.rmtree(socket_folder, ignore_errors=True)
    return code


def _stop_when_unused(home: str, server: subprocess.Popen[bytes]) -> None:
    # Kept to our end: whoever comes now waits for the server to be gone.
    fcntl.flock(_opened(home, "users.lock"), fcntl.LOCK_EX)
    server.send_signal(signal.SIGINT)


def _opened(home: str, name: str) -> int:
    return os.open(f"{home}/{name}", os.O_RDWR | os.O_CREAT, 0o600)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

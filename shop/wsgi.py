"""Complete requests taken from the server, complete answers handed to it in one piece.

A WSGI server must take an answer piece by piece, and granian asks for each piece with the
interpreter's lock taken anew. An answer whose length is known stands in memory already.

And whoever asks granian for a body waits until its sender has sent it, with no end to that: a few
phones that lose their net in the middle of a form would hold every thread of the application.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Wsgi = Callable[[dict[str, Any], "StartResponse"], Iterable[bytes]]

LARGE = 2
"""Statements of a bank's on their way at once; many together would fill the memory."""


def whole(app: Wsgi) -> Wsgi:
    """The same application; what has a Content-Length comes as a list of one piece."""

    def answer(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        known = False

        def watching(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal known
            known = any(name.lower() == "content-length" for name, _ in headers)
            return start(status, headers, exc_info) if exc_info else start(status, headers)

        pieces = app(environ, watching)
        if not known:  # a stream, whose pieces are to leave as they are made
            return pieces
        try:
            return [b"".join(pieces)]
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()

    return answer


class Room:
    """Lets so many in at a time, the others in the order in which they came.

    The library's semaphore lets whoever comes just now overtake all who wait, and under load some
    wait for seconds.
    """

    def __init__(self, places: int) -> None:
        self._free, self._mutex = places, Lock()
        self._waiting: deque[Lock] = deque()

    def __enter__(self) -> None:
        with self._mutex:
            if self._free:
                self._free -= 1
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(self, *_: object) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


def arrived(app: Wsgi, *, at_once: int, longest: int, largest: int) -> Wsgi:
    """The same application, entered by `at_once` requests at a time, each with its body in memory.

    The server may have many more threads than that: those only wait, here. Bodies of more than
    `longest` bytes come in `LARGE` at a time. One of more than `largest` is the application's to
    refuse: unread if it says its length, else cut off behind one byte too many.
    """
    room, large = Room(at_once), Room(LARGE)

    def answer(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        size = _awaited(environ, largest)
        if size:
            source = environ["wsgi.input"]
            body = source.read(min(size, longest + 1))
            if len(body) > longest:
                with large:
                    body += source.read(size - len(body))
            environ["wsgi.input"] = BytesIO(body)
        with room:
            return app(environ, start)

    return answer


def _awaited(environ: dict[str, Any], largest: int) -> int:
    """How many bytes to wait for; none of a body that is too large and says so."""
    if "HTTP_TRANSFER_ENCODING" in environ:  # it outweighs a length that is told as well
        return largest + 1
    told = int(environ.get("CONTENT_LENGTH") or 0)
    return told if told <= largest else 0

"""Complete requests taken from the server, complete answers handed to it in one piece.

A WSGI server must take an answer piece by piece, and granian asks for each piece with the
interpreter's lock taken anew. An answer whose length is known stands in memory already.

And whoever asks granian for a body waits until its sender has sent it, with no end to that: a few
phones that lose their net in the middle of a form would hold every thread of the application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from threading import Semaphore
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Wsgi = Callable[[dict[str, Any], "StartResponse"], Iterable[bytes]]


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


def arrived(app: Wsgi, *, at_once: int, longest: int) -> Wsgi:
    """The same application, entered by `at_once` requests at a time, each with its body in memory.

    The server may have many more threads than that: those only wait, here. A body of more than
    `longest` bytes goes on as it is, for the application to refuse or to read.
    """
    room = Semaphore(at_once)

    def answer(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        _fetch(environ, longest)
        with room:
            return app(environ, start)

    return answer


def _fetch(environ: dict[str, Any], longest: int) -> None:
    told = environ.get("CONTENT_LENGTH")
    in_chunks = "HTTP_TRANSFER_ENCODING" in environ  # which outweighs a length that is told too
    if not in_chunks and (not told or int(told) > longest):
        return
    waiting = environ["wsgi.input"]
    body = waiting.read(longest + 1 if in_chunks else int(told))
    environ["wsgi.input"] = BytesIO(body) if len(body) <= longest else _Begun(body, waiting)


class _Begun:
    """A body whose beginning is in memory."""

    def __init__(self, beginning: bytes, rest: Any) -> None:
        self._beginning, self._rest = BytesIO(beginning), rest

    def read(self, size: int) -> bytes:
        """The next `size` bytes or fewer; none at the end."""
        found: bytes = self._beginning.read(size) or self._rest.read(size)
        return found

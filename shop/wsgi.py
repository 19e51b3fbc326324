"""Complete answers handed to the server in one piece.

A WSGI server must take an answer piece by piece, and granian asks for each piece with the
interpreter's lock taken anew. An answer whose length is known stands in memory already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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

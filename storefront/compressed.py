"""Answers made small for the way, with gzip: a phone on a slow net waits for every kilobyte.

Whoever can make a browser ask for pages with words of theirs in them, and can count the bytes of
each answer, could guess at what else stands in it (BREACH). The session's cookie comes with nothing
that another site asks for in the background, and the length of what a visitor gets is blurred.
"""

from __future__ import annotations

import gzip
from functools import cache
from io import BytesIO
from pathlib import Path
from secrets import randbelow

from flask import Response, request

LEVEL = 5
"""Half a millisecond for a page, and within 2 % of the smallest."""

SMALLEST = 1_000
"""Bytes: below that an answer is one packet either way."""

MOST_BLUR = 100
"""Bytes that a page's length varies by."""

TEXTS = frozenset({".css", ".js", ".svg"})


def taken() -> bool:
    """Whether whoever asks can unpack gzip."""
    return request.accept_encodings.quality("gzip") > 0


@cache
def file(path: Path) -> bytes | None:
    """A file of ours packed as small as can be, once a process; None where that gains nothing."""
    return gzip.compress(path.read_bytes(), mtime=0) if path.suffix in TEXTS else None


def page(response: Response) -> Response:
    """The same page, packed if the browser takes it; for `after_request`."""
    if response.mimetype != "text/html" or response.direct_passthrough:
        return response
    response.vary.add("Accept-Encoding")
    body = response.get_data()
    if len(body) >= SMALLEST and taken():
        response.set_data(_blurred(body))
        mark(response)
    return response


def mark(response: Response) -> None:
    """Say that the body is packed."""
    response.headers["Content-Encoding"] = "gzip"


def _blurred(body: bytes) -> bytes:
    """Packed under a file name of any length, which every browser passes over."""
    packed = BytesIO()
    name = "-" * randbelow(MOST_BLUR + 1)
    with gzip.GzipFile(name, "wb", LEVEL, packed, mtime=0) as out:
        out.write(body)
    return packed.getvalue()

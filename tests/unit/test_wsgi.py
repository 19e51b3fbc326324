"""Complete answers in one piece; streams as they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

from shop.wsgi import whole


class Pieces:
    """An answer of two pieces that knows whether it was taken and closed."""

    def __init__(self, fault: bool = False) -> None:
        self.taken, self.closed, self.fault = 0, 0, fault

    def __iter__(self) -> Iterator[bytes]:
        for piece in (b"one ", b"two"):
            self.taken += 1
            yield piece
            if self.fault:
                raise OSError("gone")

    def close(self) -> None:
        self.closed += 1


def serving(pieces, *headers):
    def app(_environ, start):
        start("200 OK", list(headers))
        return pieces

    return whole(app)


def asked(app):
    seen = []
    return app({}, lambda status, headers, *_: seen.append((status, headers))), seen


@pytest.mark.parametrize("name", ["Content-Length", "content-length"])
def test_a_known_length_comes_as_a_list_of_one(name):
    pieces = Pieces()
    answer, seen = asked(serving(pieces, (name, "7"), ("X-Other", "1")))
    assert answer == [b"one two"]
    assert seen == [("200 OK", [(name, "7"), ("X-Other", "1")])]
    assert pieces.closed == 1


def test_a_stream_is_left_to_the_server():
    pieces = Pieces()
    answer, _ = asked(serving(pieces, ("Content-Type", "text/csv")))
    assert answer is pieces
    assert (pieces.taken, pieces.closed) == (0, 0)


def test_an_answer_that_breaks_off_is_closed_all_the_same():
    pieces = Pieces(fault=True)
    with pytest.raises(OSError, match="gone"):
        asked(serving(pieces, ("Content-Length", "7")))
    assert pieces.closed == 1


def test_the_last_word_on_the_headers_counts():
    def app(_environ, start):
        start("200 OK", [("Content-Length", "2")])
        late = ValueError("late")
        start("500 Oh", [("X-Fault", "1")], (ValueError, late, None))
        return [b"no"]

    given = []
    answer = whole(app)({}, lambda *told: given.append(told[:2]))
    assert answer == [b"no"]
    assert given == [("200 OK", [("Content-Length", "2")]), ("500 Oh", [("X-Fault", "1")])]


def test_flask_like_answers_arrive_unchanged():
    response = Response("页面", headers={"X-A": "b"})
    pieces, status, headers = run_wsgi_app(whole(response), {"REQUEST_METHOD": "GET"})
    assert (b"".join(pieces).decode(), status, headers["X-A"]) == ("页面", "200 OK", "b")

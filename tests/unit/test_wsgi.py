"""Complete answers in one piece, streams as they are; who enters has all of its body."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError, Event
from time import sleep

import pytest
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

from shop.web import StrictRequest
from shop.wsgi import Room, arrived, whole


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


# Bodies


def body_of(environ, most):
    """What our application reads that takes at most so many bytes: see `StrictRequest`."""
    request = StrictRequest(environ)
    request.max_content_length = most
    return request.get_data()


def told(app, body, *, in_chunks=False):
    length = {"HTTP_TRANSFER_ENCODING": "chunked"} if in_chunks else {"CONTENT_LENGTH": len(body)}
    environ = {name: str(value) for name, value in length.items() if value}
    environ |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    return app(environ, lambda *_: None)


LIMITS = {"longest": 5, "largest": 10}


@pytest.mark.parametrize("in_chunks", [False, True])
@pytest.mark.parametrize("body", [b"", b"x", b"12345", b"123456", b"1234567890"])
def test_a_body_is_the_same_as_before_whatever_its_length(body, in_chunks):
    app = arrived(lambda environ, _: [body_of(environ, 11)], at_once=1, **LIMITS)
    assert told(app, body, in_chunks=in_chunks) == [body]


@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_body_that_is_too_large_is_refused_and_not_cut_off(in_chunks):
    app = arrived(lambda environ, _: [body_of(environ, 10)], at_once=1, **LIMITS)
    with pytest.raises(RequestEntityTooLarge):
        told(app, b"12345678901", in_chunks=in_chunks)


@pytest.mark.parametrize(("length", "taken"), [(0, 0), (5, 5), (10, 10), (11, 0)])
def test_a_body_that_says_it_is_too_large_is_not_read(length, taken):
    source = io.BytesIO(b"x" * length)
    environ = {"CONTENT_LENGTH": str(length), "wsgi.input": source}
    arrived(lambda *_: [], at_once=1, **LIMITS)(environ, lambda *_: None)
    assert source.tell() == taken


class Late(io.BytesIO):
    """A body that comes when the test lets it."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.sent = Event()

    def read(self, size: int | None = -1) -> bytes:
        assert self.sent.wait(60)
        return super().read(size)


@pytest.mark.parametrize("body", [b"late", b"and large"])
def test_who_waits_for_a_body_keeps_nobody_else_out(body):
    app = arrived(lambda environ, _: [environ["wsgi.input"].read()], at_once=1, **LIMITS)
    bodies = [Late(body) for _ in range(3)]
    length = str(len(body))
    with ThreadPoolExecutor(len(bodies)) as threads:
        slow = [
            threads.submit(app, {"CONTENT_LENGTH": length, "wsgi.input": one}, lambda *_: None)
            for one in bodies
        ]
        assert told(app, b"fast") == [b"fast"]
        assert [one.done() for one in slow] == [False] * 3
        for late in bodies:
            late.sent.set()
        assert [one.result() for one in slow] == [[body]] * 3


@pytest.mark.parametrize(("at_once", "met"), [(1, False), (2, True)])
def test_so_many_are_inside_at_once(at_once, met):
    both = Barrier(2)

    def app(*_):
        try:
            both.wait(60 if met else 0.2)
        except BrokenBarrierError:
            return [False]
        return [True]

    entered = arrived(app, at_once=at_once, **LIMITS)
    with ThreadPoolExecutor(2) as threads:
        seen = [threads.submit(entered, {}, lambda *_: None) for _ in range(2)]
        assert [one.result() for one in seen] == [[met]] * 2


def test_who_waits_for_room_is_let_in_by_turn_and_not_overtaken():
    room, came = Room(1), []

    def enter(number):
        with room:
            came.append(number)

    with ThreadPoolExecutor(5) as threads:
        with room:
            for number in range(4):
                threads.submit(enter, number)
                while len(room._waiting) <= number:
                    sleep(0.001)
        enter(4)
    assert came == [0, 1, 2, 3, 4]


def test_an_application_that_fails_makes_room_again():
    def app(*_):
        raise OSError("gone")

    entered = arrived(app, at_once=1, **LIMITS)
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            entered({}, lambda *_: None)

"""A Flask application that does nothing: what the server itself allows on this machine."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Flask, Response

app = Flask("empty")


@app.get("/empty")
def empty() -> Response:
    return Response(b"{}", content_type="application/json")


def serve(port: int, workers: int, threads: int) -> None:
    """Behind the same server, with the same workers and threads as the shop."""
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    server = Server(
        "bench.empty",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        blocking_threads=threads,
        backlog=2048,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=partial(load), wrap_loader=False)


def load(*_: Any) -> Flask:
    return app


if __name__ == "__main__":
    import sys

    serve(*map(int, sys.argv[1:4]))

"""The sandbox as a process: its books survive it, and it does not survive its supervisor."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from functools import partial

import pytest
import urllib3

from shop.payments.sandbox.server import Sandbox
from tests.payments.conftest import SECRET, Desk, until

MAIN = "from shop.payments.sandbox.server import main; from shop.settings import load; "


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def start(sandbox_settings):
    """Starts `python -m shop.payments.sandbox` on a free port; returns process and address."""
    started = []

    def begin(port, call="-m", what="shop.payments.sandbox"):
        environment = {
            **os.environ,
            "PORT": "9",
            "SANDBOX_PORT": str(port),
            "DATA_DIR": str(sandbox_settings.data_dir),
            "STRIPE_WEBHOOK_SECRETS": SECRET,
        }
        started.append(subprocess.Popen([sys.executable, call, what], env=environment, stderr=-1))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def alive(port) -> bool:
    try:
        url = f"http://127.0.0.1:{port}/healthz"
        return urllib3.request("GET", url, retries=False, timeout=2).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def test_books_survive_a_restart(sandbox, desk, sandbox_settings):
    session = desk.paid()
    form = {"payment_intent": session["payment_intent"]["id"], "amount": 180}
    refund = desk.post("/refunds", form, key="r1").json
    sandbox.books.close()
    again = Desk(Sandbox(sandbox_settings))
    shown = again.get(f"/checkout/sessions/{session['id']}").json
    assert (shown["status"], shown["payment_status"]) == ("complete", "paid")
    replay = again.post("/refunds", form, key="r1")
    assert (replay.json, replay.headers["Idempotent-Replayed"]) == (refund, "true")
    assert again.kinds()[-1] == "refund.created"


def test_refund_under_way_ends_after_a_restart(sandbox, desk, sandbox_settings, clock):
    session = desk.opened()
    desk.press(session, "paid", method="wechat_pay")
    intent = desk.get(f"/checkout/sessions/{session}").json["payment_intent"]
    refund = desk.post("/refunds", {"payment_intent": intent}).json
    sandbox.books.close()
    clock.move(seconds=2)
    again = Sandbox(sandbox_settings, clock)
    again.refunds.settle_overdue()
    shown = Desk(again).get(f"/refunds/{refund['id']}").json
    assert (refund["status"], shown["status"]) == ("pending", "succeeded")


def test_killed_and_started_again(start):
    port = free_port()
    first = start(port)
    until(lambda: alive(port))
    url = f"http://127.0.0.1:{port}/v1/refunds"
    headers = {"Authorization": "Bearer sk_test_x", "Idempotency-Key": "k"}
    kept = urllib3.request("POST", url, headers=headers, body="charge=ch_none")
    first.kill()
    until(lambda: not alive(port))
    start(port)
    until(lambda: alive(port))
    again = urllib3.request("POST", url, headers=headers, body="charge=ch_none")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.data == kept.data


def test_connection_that_breaks_in_the_middle_of_an_answer(start):
    port = free_port()
    start(port)
    until(lambda: alive(port))
    address = f"http://127.0.0.1:{port}"
    urllib3.request("POST", f"{address}/_control", json={"cut": 1})
    headers = {"Authorization": "Bearer sk_test_x", "Idempotency-Key": "k"}
    call = partial(urllib3.request, "POST", f"{address}/v1/refunds", headers=headers)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        call(body="charge=ch_none", retries=False)
    assert call(body="charge=ch_none").headers["Idempotent-Replayed"] == "true"


def test_sigterm_ends_it_cleanly(start):
    port = free_port()
    process = start(port)
    until(lambda: alive(port))
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert not alive(port)


def test_ends_when_its_supervisor_is_gone(start):
    port = free_port()
    supervisor = (
        "import os, time\n"
        "me = os.getpid()\n"
        f"if os.fork() == 0: {MAIN}main(load(), supervisor=me); os._exit(0)\n"
        "time.sleep(60)"
    )
    process = start(port, "-c", supervisor)
    until(lambda: alive(port))
    process.kill()
    until(lambda: not alive(port))


def test_taken_port_is_one_sentence(start):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        process = start(other.getsockname()[1])
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    lines = errors.decode().strip().splitlines()
    assert len(lines) == 1
    assert "set SANDBOX_PORT to a free one" in lines[0]

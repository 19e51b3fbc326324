"""`aidmall run`, as a person runs it: real processes, real signals."""

from __future__ import annotations

import os
import signal
import socket
import stat
import sys
import urllib.request
from contextlib import ExitStack

import pytest

from shop.embedded_postgres import filelock
from shop.serve import children, demo, preflight
from shop.settings import Settings, SettingsError
from tests.runtime.processes import Process, command, family, free_port, lives, wait_until

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def run(**environment: str):
    return Process("-m", "shop.cli", "run", **environment)


def status(environment) -> int | None:
    address = f"http://127.0.0.1:{environment['PORT']}/healthz"
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status
    except OSError:
        return None


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


# What is wrong is said in one sentence


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"AIDMALL_ENV": "production"}, "SECRET_KEY must be set to 32 or more random characters"),
        ({"DATABASE_URL": "postgresql://u:hush@127.0.0.1:1/x"}, "DATABASE_URL leads to no databas"),
        ({"DATABASE_URL": "mysql://u:hush@localhost/x"}, "DATABASE_URL must begin with postgresql"),
        (
            {"DATABASE_URL": "postgresql://u:hush@er@localhost/x"},
            "DATABASE_URL cannot be read: a spa",
        ),
        (
            {"DATABASE_URL": "postgresql://u:hush%er@localhost/x"},
            "DATABASE_URL cannot be read: a spa",
        ),
        (
            {"DATABASE_URL": "postgresql://u:hush er@localhost/x"},
            "DATABASE_URL cannot be read: a spa",
        ),
        ({"PORT": "70000"}, "Nobody can listen on port 70000: ports go from 1 to 65535; set PORT."),
        ({"PORT": "tea"}, "PORT"),
        ({"SEED": "demos"}, "SEED must be demo or none, not 'demos'."),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(environment, sentence, tmp_path):
    defaults = {"DATA_DIR": str(tmp_path), "PORT": str(free_port())}
    with run(**{**defaults, **environment}) as process:
        assert process.end() == 2
        said = process.said()
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert "hush" not in said
    assert "er@" not in said


def test_a_port_in_use_is_refused_in_one_sentence(taken, tmp_path):
    with run(PORT=str(taken), DATA_DIR=str(tmp_path)) as process:
        assert process.end() == 2
        reason = f"Nobody can listen on port {taken}: another program is using it; set PORT."
        assert process.said() == f"Error: {reason}\n"
    assert list(tmp_path.iterdir()) == []


@on_linux
def test_of_two_starts_at_once_on_one_port_the_second_is_refused(tmp_path):
    port = str(free_port())
    with run(DATA_DIR=str(tmp_path / "first"), PORT=port) as first:
        wait_until((tmp_path / "first" / "pg").exists)
        with run(DATA_DIR=str(tmp_path / "second"), PORT=port) as second:
            assert second.end() == 2
            reason = f"Nobody can listen on port {port}: another program is using it; set PORT."
            assert second.said() == f"Error: {reason}\n"
        first.send(signal.SIGTERM)
        assert first.end() == 0
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize("command", ["run", "sandbox"])
def test_a_folder_that_keeps_nothing_is_refused_in_one_sentence(command, tmp_path):
    (tmp_path / "file").touch()
    environment = {"DATA_DIR": str(tmp_path / "file"), "PORT": str(free_port())}
    with Process("-m", "shop.cli", command, **environment) as process:
        assert process.end() == 2
        reason = f"Nothing can be kept in {tmp_path / 'file'}: file exists; set DATA_DIR."
        assert process.said() == f"Error: {reason}\n"


def test_a_port_that_is_being_freed_is_waited_for(taken, monkeypatch):
    troubles = iter(["another program is using it", ""])
    monkeypatch.setattr(preflight, "port_trouble", lambda host, port: next(troubles))
    preflight.check_port(Settings(port=taken))
    assert list(troubles) == []


def test_the_sandbox_moves_to_the_next_free_port(taken, monkeypatch):
    monkeypatch.delenv("SANDBOX_PORT", raising=False)
    settings = preflight.choose_sandbox_port(Settings(sandbox_port=taken))
    assert taken < settings.sandbox_port <= taken + preflight.PORTS_TRIED


def test_the_sandbox_stays_where_it_was_put(taken, monkeypatch):
    monkeypatch.setenv("SANDBOX_PORT", str(taken))
    with pytest.raises(SettingsError, match=f"Nobody can listen on port {taken}: .* SANDBOX_PORT"):
        preflight.choose_sandbox_port(Settings(sandbox_port=taken))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_usual_forms_of_an_address_are_understood(scheme):
    assert preflight.with_driver(f"{scheme}://u@h/d") == "postgresql+psycopg://u@h/d"


# A child that fails


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when the test says so."""
    seconds = [1_000.0]
    monkeypatch.setattr(children.time, "monotonic", lambda: seconds[0])
    return seconds


def test_a_failing_child_is_started_again_after_growing_pauses(clock, capfd):
    child = children.Child("worker", [sys.executable, "-c", "raise SystemExit(3)"], os.environ)
    child.start()
    for _ in range(3):
        wait_for_failure(child)
        clock[0] += 100
        child.watch()
    child.stop()
    said = capfd.readouterr().err.splitlines()
    assert said == [
        f"aidmall: the worker ended with exit code 3; starting it again in {pause} s"
        for pause in ("0.5", "1", "2")
    ]


def wait_for_failure(child: children.Child) -> None:
    before = child.failures
    while child.failures == before:
        child.watch()


def test_a_child_rests_until_its_pause_is_over(clock):
    child = children.Child("worker", [sys.executable, "-c", ""], os.environ)
    child.start()
    wait_for_failure(child)
    child.watch()
    assert child._process is None
    clock[0] += children.FIRST_PAUSE
    child.watch()
    assert child._process is not None
    child.stop()


def test_a_child_that_ignores_being_stopped_is_killed(monkeypatch, capfd):
    monkeypatch.setattr(children, "STOP_SECONDS", 0.1)
    deaf = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(99)"
    )
    child = children.Child("worker", [sys.executable, "-c", deaf], os.environ)
    child.start()
    wait_until(lambda: capfd.readouterr().out == "\n")
    pid = child._process.pid
    child.stop()
    assert not lives(pid)
    assert capfd.readouterr().err == "aidmall: the worker does not end and is killed\n"


# The whole installation


@on_linux
def test_an_installation_starts_heals_is_killed_recovers_and_ends(tmp_path):
    """One test, because every start costs seconds."""
    environment = {
        "DATA_DIR": str(tmp_path),
        "PORT": str(free_port()),
        "DEMO_PASSWORD": "walnuts-and-tea",
        "WEB_WORKERS": "1",
    }
    with run(**environment) as first:
        it_greets_with_addresses_and_accounts(first, environment["PORT"])
        forms_that_never_arrive_keep_nobody_waiting(environment)
        what_dies_is_started_again(first, environment)
        killed = family(first.pid)
        first.send(signal.SIGKILL)
    with run(**environment) as second:
        it_greets_with_addresses_and_accounts(second, environment["PORT"])
        assert status(environment) == 200
        # They finish what they were doing; on a busy machine that takes longer than a start.
        wait_until(lambda: not any(lives(pid) for pid in killed))
        a_signal_ends_it_without_a_trace(second)


@on_linux
def test_a_start_can_be_interrupted(tmp_path):
    with run(DATA_DIR=str(tmp_path), PORT=str(free_port())) as process:
        wait_until((tmp_path / "pg" / "data").exists)
        relatives = family(process.pid)
        process.send(signal.SIGINT)
        assert process.end() == 0
        assert process.said() == "aidmall: stopping\n"
    assert not filelock.held_elsewhere(tmp_path / "pg" / "server.lock")
    assert {pid for pid in relatives if lives(pid)} == set()


def it_greets_with_addresses_and_accounts(process: Process, port: str) -> None:
    process.wait_for("Ctrl-C stops everything")
    greeting = process.said()
    for address in ("/", "/admin", "/api/v1/docs"):
        assert f"http://127.0.0.1:{port}{address}\n" in greeting
    assert "Demo accounts, password walnuts-and-tea\n" in greeting
    assert "buyer@demo.example" in greeting


def forms_that_never_arrive_keep_nobody_waiting(environment: dict[str, str]) -> None:
    """More of them than the application has threads."""
    head = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ncsrf"
    with ExitStack() as lost:
        for _ in range(10):
            line = socket.create_connection(("127.0.0.1", int(environment["PORT"])), timeout=5)
            lost.enter_context(line).sendall(head)
        assert status(environment) == 200


def what_dies_is_started_again(process: Process, environment: dict[str, str]) -> None:
    for part in ("shop.cli web", "bin/postgres -D"):
        os.kill(oldest(process.pid, part), signal.SIGKILL)
    process.wait_for("aidmall: the web server was killed by SIGKILL; starting it again in 0.5 s")
    process.wait_for("aidmall: PostgreSQL ended unexpectedly; starting it again")
    wait_until(lambda: status(environment) == 200)


def a_signal_ends_it_without_a_trace(process: Process) -> None:
    said, relatives = process.said(), family(process.pid)
    assert len(relatives) > 5
    process.send(signal.SIGTERM)
    assert process.end() == 0
    assert {pid for pid in relatives if lives(pid)} == set()
    assert process.said() == said + "aidmall: stopping\n"


def oldest(pid: int, part: str) -> int:
    """The first process under `pid` whose command line contains `part`."""
    return next(child for child in sorted(family(pid)) if part in command(child))


# The demonstration's password


def test_the_password_is_kept_for_its_owner_only(tmp_path):
    settings = Settings(data_dir=tmp_path / "var")
    assert demo.kept_password(settings) is None
    demo.keep_password(settings, "first")
    demo.keep_password(settings, "second")
    assert demo.kept_password(settings) == "second"
    assert stat.S_IMODE((tmp_path / "var" / "demo-password").stat().st_mode) == 0o600


def test_a_made_up_password_cannot_be_guessed():
    passwords = {demo.new_password() for _ in range(100)}
    assert len(passwords) == 100
    assert {len(password) for password in passwords} == {12}

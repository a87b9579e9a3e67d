"""Database servers: a real PostgreSQL and a real MariaDB for tests, private, on the loopback, gone afterwards.

    with postgresql_server() as server:
        url = server.fresh_database()      an empty database of its own, as DATABASE_URL spells it

What always holds: the process that is ended is the one that was started here, by its id; all its files lie in a folder
of its own, which is removed. A machine without the server skips the test and says so, or fails it if REQUIRE names it.
As root the servers run as the user that their packages made, because both refuse to run as root.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pymysql

from tests.redis_server import free_port
from tests.requirement import unavailable

MADE_WITHIN_S = 60
READY_WITHIN_S = 30.0
ENDS_WITHIN_S = 10.0
# These servers hold nothing worth keeping: a test waits for no disk.
POSTGRESQL_OPTIONS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=60")
MARIADB_OPTIONS = ("--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--skip-log-bin")


@dataclass
class DatabaseServer:
    """One server process. `kind` is the scheme of its URLs; `create` makes an empty database by its name."""

    kind: str
    port: int
    user: str
    process: subprocess.Popen[bytes]
    create: Callable[[str], None]
    _made: int = field(default=0)

    def fresh_database(self) -> str:
        """Make an empty database and return its URL."""
        self._made += 1
        name = f"shop_{self._made}"
        self.create(name)
        return f"{self.kind}://{self.user}@127.0.0.1:{self.port}/{name}"

    def pause(self) -> None:
        """Stop the whole server: the kernel accepts connections for it, and nobody answers."""
        for pid in self._family():
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server run on."""
        for pid in self._family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        """End the server, politely at first."""
        self.resume()
        self.process.send_signal(signal.SIGINT if self.kind == "postgresql" else signal.SIGTERM)
        try:
            self.process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(ENDS_WITHIN_S)

    def _family(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return [self.process.pid, *(int(child) for child in children.split())]


@contextlib.contextmanager
def postgresql_server() -> Iterator[DatabaseServer]:
    """A PostgreSQL on a free port, with the superuser `shop` and no password."""
    programs = _programs("postgresql", ("initdb", "postgres"), Path("/usr/lib/postgresql").glob("*/bin"))
    with _folder("postgresql", ("postgres", "nobody")) as (folder, as_user):
        data = folder / "data"
        _make([*as_user, programs["initdb"], "--pgdata", str(data), "--username=shop", "--auth=trust",
               "--encoding=UTF8", "--no-locale", "--no-sync"], folder)  # fmt: skip
        port = free_port()
        options = [*POSTGRESQL_OPTIONS, "listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories="]
        settings = [word for option in options for word in ("-c", option)]
        process = _start([*as_user, programs["postgres"], "-D", str(data), *settings], folder)
        address = f"host=127.0.0.1 port={port} user=shop dbname=postgres"

        def create(name: str) -> None:
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())

        server = DatabaseServer("postgresql", port, "shop", process, create)
        yield from _serving(server, lambda: psycopg.connect(address, connect_timeout=2).close(), folder)


@contextlib.contextmanager
def mariadb_server() -> Iterator[DatabaseServer]:
    """A MariaDB on a free port, with the user `root` and no password."""
    programs = _programs("mariadb", ("mariadb-install-db", "mariadbd"), [Path("/usr/sbin"), Path("/usr/bin")])
    with _folder("mariadb", ("mysql", "nobody")) as (folder, as_user):
        data = folder / "data"
        _make([*as_user, programs["mariadb-install-db"], "--no-defaults", f"--datadir={data}",
               "--auth-root-authentication-method=normal", "--skip-test-db"], folder)  # fmt: skip
        port = free_port()
        places = [f"--datadir={data}", f"--socket={folder / 'mariadb.sock'}", f"--pid-file={folder / 'mariadb.pid'}"]
        network = ["--bind-address=127.0.0.1", f"--port={port}", "--skip-name-resolve"]
        command = [*as_user, programs["mariadbd"], "--no-defaults", *places, *network, *MARIADB_OPTIONS]
        process = _start(command, folder)

        def connect() -> pymysql.Connection[pymysql.cursors.Cursor]:
            return pymysql.connect(host="127.0.0.1", port=port, user="root", connect_timeout=2)

        def create(name: str) -> None:
            with connect() as connection, connection.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")

        server = DatabaseServer("mariadb", port, "root", process, create)
        yield from _serving(server, lambda: connect().close(), folder)


def _serving(server: DatabaseServer, connect: Callable[[], None], folder: Path) -> Iterator[DatabaseServer]:
    """Yield the server once it takes connections; end it afterwards."""
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                connect()
                break
            except (psycopg.Error, pymysql.Error) as error:
                if server.process.poll() is not None or time.monotonic() > deadline:
                    log = (folder / "server.log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{server.kind} takes no connections ({error}); its log ends:\n{log}") from error
            time.sleep(0.05)
        yield server
    finally:
        server.stop()


def _programs(kind: str, names: tuple[str, ...], folders: Iterator[Path] | list[Path]) -> dict[str, str]:
    """Find the programs in PATH or in the folders, the last folder first; skip or fail where one is missing."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *(str(folder) for folder in sorted(folders, reverse=True))])
    found = {name: shutil.which(name, path=path) for name in names}
    if missing := [name for name, where in found.items() if where is None]:
        unavailable(kind, f"{', '.join(missing)} not found in PATH or where Debian keeps it")
    return {name: str(where) for name, where in found.items()}


@contextlib.contextmanager
def _folder(kind: str, users: tuple[str, ...]) -> Iterator[tuple[Path, list[str]]]:
    """A folder of the server's own, and the words that start a program as the user who owns it."""
    folder = Path(tempfile.mkdtemp(prefix=f"tocsin-{kind}-"))
    try:
        as_user: list[str] = []
        if os.geteuid() == 0:
            known = {entry.pw_name for entry in pwd.getpwall()}
            user = next((user for user in users if user in known), None)
            if user is None or (setpriv := shutil.which("setpriv")) is None:
                unavailable(kind, f"it refuses to run as root, and there is no setpriv, or no user of {users}")
            owner = pwd.getpwnam(user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            as_user = [setpriv, f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups", "--"]
        yield folder, as_user
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=MADE_WITHIN_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def _start(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "server.log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

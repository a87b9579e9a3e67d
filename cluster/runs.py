"""Run folders: where a cluster keeps everything it makes, and how a command finds the cluster that runs.

    runs/
      20261123T081500Z-3f9a/   topology.json  ledger.jsonl  secret  logs/*.log  a folder per server
      latest  ─▶ the newest run, or examination (cluster/engine/folders.py)
      current ─▶ the cluster that runs; absent when none does
      .lock      held by whichever command is changing something

The folder lies in the clone, wherever the command was typed; `TOCSIN_RUNS` or `--runs` names another. Folders are
0700 and the secret 0600: sockets and the secret that opens the control routes lie in them. The ten newest finished runs
are kept, and older ones are removed by the next `up`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cluster import topology as topologies
from cluster.errors import ClusterError, NotInTimeError
from cluster.ledger import Ledger
from cluster.topology import Topology
from cluster.until import until

VARIABLE = "TOCSIN_RUNS"
KEPT_MAX = 10
CURRENT, LATEST = "current", "latest"
CLUSTER, CLUSTERS = "cluster", "clusters"
"""Within an examination's folder: the run folders of its own cluster, and of those of a matrix, a folder each."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run folder. What lies in it is named here and nowhere else."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's own name, `20261123T081500Z-3f9a`: it sorts by time."""
        return self.path.name

    @property
    def ledger(self) -> Ledger:
        """What this run has made."""
        return Ledger(self.path / "ledger.jsonl")

    @property
    def secret_file(self) -> Path:
        """The file that holds the cluster secret."""
        return self.path / "secret"

    @property
    def logs(self) -> Path:
        """The folder of the servers' logs."""
        return self.path / "logs"

    @property
    def traces(self) -> Path:
        """The folder of the servers' traces (docs/contract.md §9); absent where they write none."""
        return self.path / "trace"

    def secret(self) -> str:
        """The cluster secret."""
        return self.secret_file.read_text(encoding="ascii").strip()

    def topology(self) -> Topology:
        """What this run was asked to be."""
        return topologies.load(self.path / "topology.json")

    def folder(self, name: str) -> Path:
        """A folder of its own for one server, made when it is missing."""
        path = self.path / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path


@dataclass(frozen=True, slots=True)
class Runs:
    """All run folders of a clone."""

    root: Path

    @property
    def beside(self) -> Runs:
        """The folder of second clusters, which a demo starts beside another one and takes down again."""
        return Runs(self.root / "demo")

    def elsewhere(self) -> Iterator[Runs]:
        """The folders of clusters beside this one that are up: a demo's second one, and those of examinations."""
        folders = sorted(path for path in self.root.iterdir() if not path.is_symlink()) if self.root.is_dir() else []
        places = [self.beside.root]
        for folder in folders:
            places += [folder / CLUSTER, *sorted((folder / CLUSTERS).glob("*"))]
        yield from (Runs(place) for place in places if (place / CURRENT).is_symlink())

    def create(self, topology: Topology, *, now: datetime, secret: str) -> Run:
        """A new run folder with its topology and secret. `now` is UTC; the end of `secret` makes the name unique."""
        run = Run(self.root / f"{now:%Y%m%dT%H%M%SZ}-{os.urandom(2).hex()}")
        self.prepare()
        run.path.mkdir(mode=0o700)
        run.logs.mkdir(mode=0o700)
        run.secret_file.touch(mode=0o600)
        run.secret_file.write_text(secret + "\n", encoding="ascii")
        topologies.store(topology, run.path / "topology.json")
        self.point(LATEST, run.name)
        return run

    def current(self) -> Run | None:
        """The run that is up (or was, when its command was killed); None when there is none."""
        return self._pointed(CURRENT)

    def all(self) -> tuple[Run, ...]:
        """Every run folder, oldest first."""
        if not self.root.is_dir():
            return ()
        folders = sorted(path for path in self.root.iterdir() if path.is_dir() and not path.is_symlink())
        return tuple(Run(path) for path in folders if (path / "topology.json").exists())

    def unfinished(self) -> tuple[Run, ...]:
        """Runs whose ledger is not closed: up, or left behind by a command that was killed."""
        return tuple(run for run in self.all() if not run.ledger.closed)

    def make_current(self, run: Run) -> None:
        """Point `current` at a run."""
        self.point(CURRENT, run.name)

    def no_current(self) -> None:
        """Nothing runs any more: take `current` away."""
        (self.root / CURRENT).unlink(missing_ok=True)

    def prune(self, keep: int = KEPT_MAX) -> None:
        """Remove all but the newest finished runs; a run whose ledger is open is never touched."""
        finished = [run for run in self.all() if run.ledger.closed]
        for run in finished[: max(0, len(finished) - keep)]:
            shutil.rmtree(run.path)

    @contextlib.contextmanager
    def lock(self, verb: str, *, within_s: float = 60, notice: Callable[[str], None] | None = None) -> Iterator[None]:
        """Hold the clone's lock while something is changed: two verbs at once would each undo what the other sees.

            A: restart node-2: ended ............................ started, in the ledger
            B:                        down: ledger has no node-2, done          -> node-2 is left over

        A second command waits up to `within_s` seconds and tells `notice` so. The kernel drops the lock with its
        holder, however that ends. Raises NotInTimeError that names the holder.
        """
        self.prepare()
        with (self.root / ".lock").open("a+", encoding="utf-8") as file:
            told = False

            def taken() -> str | None:
                nonlocal told
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    file.seek(0)
                    holder = file.read().strip() or "another command"
                    if notice is not None and not told:
                        notice(f"waiting for {holder}, which is changing this cluster")
                    told = True
                    return f"{holder} still holds {file.name}"
                return None

            try:
                until(taken, within_s=within_s, waiting_for="its turn", every_s=0.1)
            except NotInTimeError as late:
                raise NotInTimeError(f"{verb}: {late}; end that command, or try again") from None
            file.truncate(0)
            file.write(f"`{verb}` (pid {os.getpid()})")
            file.flush()
            yield

    def prepare(self) -> None:
        """Make the folder itself. Raises ClusterError that names another way where that can't be."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise ClusterError(
                f"{self.root} can't be made ({problem.strerror}); name another folder: {VARIABLE}=/path"
            ) from None
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise ClusterError(f"{self.root} is not writable for this user; name another folder: {VARIABLE}=/path")

    def point(self, link: str, name: str) -> None:
        """Let a link of this folder lead to another of its members."""
        fresh = self.root / f".{link}.{os.getpid()}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(name)
        fresh.rename(self.root / link)  # at once: whoever reads it sees the old or the new

    def _pointed(self, link: str) -> Run | None:
        path = self.root / link
        return Run(self.root / path.readlink()) if path.is_symlink() and path.is_dir() else None


def runs_folder(named: str | None = None) -> Runs:
    """The clone's run folders, or those of `--runs` or TOCSIN_RUNS, absolute, wherever it was typed."""
    chosen = named or os.environ.get(VARIABLE)
    root = Path(chosen) if chosen else Path(__file__).resolve().parent.parent / "runs"
    return Runs(root.resolve())

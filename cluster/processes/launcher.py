"""The processes launcher: the verbs, on plain processes. What each does is in the files beside this one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from random import SystemRandom

from cluster.asking import http_status
from cluster.errors import ClusterError, NotInTimeError
from cluster.launcher import Cut, Deed, Direction, LogLine, Peer, Say
from cluster.link.faults import CUTS, PASS, fault_of
from cluster.pid import Pid, send, state_of
from cluster.processes import binary, clock, family
from cluster.processes.links import LinksServer
from cluster.processes.logs import follow_logs, read_logs
from cluster.processes.observation import observe, worker_pid
from cluster.processes.plan import DATABASE, LINKS, REDIS, Plan, load_plan, make_plan
from cluster.processes.roster import Binaries, roster
from cluster.processes.server import Server
from cluster.processes.starting import start_all, start_one
from cluster.runs import Run
from cluster.status import State, Status
from cluster.target import Kind, Target, Verb
from cluster.until import Missing, until

END_S = 6.0
RESTART_S = 30.0
IMPAIRED_S = 5.0  # how long a restarted server may take to be ready where something else is broken
REPLACE_S = 15.0
STOP_S = 3.0


class ProcessesLauncher:
    """A run of plain processes. Implements `cluster.launcher.Launcher`."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def up(self, say: Say) -> None:
        """Start everything; see the port."""
        binaries = _binaries()
        left = family.orphans(self.run.path.parent, but=(self.run.path,))
        if left:
            family.kill_pids(left)
            say(f"ended {len(left)} processes that a removed run folder had left behind")
        plan = make_plan(self.run, self.run.topology(), SystemRandom())
        servers = roster(plan, binaries)
        say(f"starting {', '.join(server.name for server in servers)}")
        start_all(plan, servers)

    def down(self, say: Say) -> None:
        """End everything; see the port. Redis and the links go last: a flusher that misses Redis would wait for it."""
        names = list(self.run.ledger.leaders())
        last = [name for name in names if name in (REDIS, LINKS)]
        first = [name for name in names if name not in last]
        forced = family.end(self.run, first, within_s=END_S) + family.end(self.run, last, within_s=END_S)
        stray = family.kill(self.run)
        if forced:
            say(f"ended by force, after {END_S:g} s: {', '.join(forced)}")
        if stray:
            say(f"ended {stray} processes that no server had taken with it")

    def status(self) -> Status:
        """What is so now; see the port."""
        return observe(self._plan())

    def logs(self, server: str | None, *, tail: int, follow: bool) -> Iterator[LogLine]:
        """Lines of logs; see the port."""
        lines, offsets = read_logs(self.run.logs, server, tail=tail)
        yield from lines
        if follow:
            yield from follow_logs(offsets, lambda: not self.run.ledger.closed)

    def refusal(self, verb: Verb, target: Target, cut: Cut | None = None) -> str | None:
        """What plain processes can't do; see the port."""
        if verb is not Verb.PARTITION:
            return None
        cut = cut or Cut()
        plan = self._plan()
        if plan.topology.direct:
            return "the cluster was started with --direct, so there are no links to cut"
        if target.kind is Kind.WORKER:
            return f"a partition cuts a whole node; try {target.node}"
        if not plan.links_of(target.name):
            return "only nodes and the flusher have links that can be cut, and the edge's agent"
        if target.kind is Kind.EDGE_AGENT and cut.peer is Peer.DATABASE:
            return f"{target} does not speak to the database"
        if cut.peer is Peer.DATABASE and plan.database.host is None:
            return "the database is SQLite, a file: there is no network to cut (DATABASE_URL names another database)"
        if cut.direction is not Direction.BOTH and not fault_of(cut.mode).one_way:
            return f"{cut.mode} breaks connections, so it can't act in one direction alone"
        return None

    def kill(self, target: Target) -> Deed:
        """SIGKILL; see the port."""
        if target.kind is Kind.WORKER:
            return self._replace_worker(target, signal.SIGKILL, "killed")
        count = family.kill(self.run, target.name)
        if not count:
            return Deed((f"{target} was dead already",), (_stays_dead(target),))
        return Deed((f"killed {target} with SIGKILL ({_processes(count)})",), (_stays_dead(target),))

    def pause(self, target: Target) -> Deed:
        """SIGSTOP; see the port."""
        members = self._living(target)
        family.signal_all(members, signal.SIGSTOP)
        self._until_state(target, State.PAUSED)
        now = f"{target} is paused: its connections stay open and nobody answers, until `resume {target}` or `heal`"
        return Deed((f"paused {target} with SIGSTOP ({_processes(len(members))})",), (now,))

    def resume(self, target: Target) -> Deed:
        """SIGCONT; see the port."""
        members = self._living(target)
        paused = [member for member in members if member.seen.state is State.PAUSED]
        family.signal_all(paused, signal.SIGCONT)
        self._until_state(target, State.RUNNING)
        did = f"resumed {target} ({_processes(len(paused))})" if paused else f"{target} was not paused"
        return Deed((did,), (f"{target} runs",))

    def restart(self, target: Target) -> Deed:
        """End it if it lives, and start it; see the port."""
        if target.kind is Kind.WORKER:
            return self._replace_worker(target, signal.SIGTERM, "ended")
        before = self._leader(target.name)
        lived = state_of(before) is not State.DEAD
        forced = family.end(self.run, [target.name], within_s=END_S)
        family.kill(self.run, target.name)  # what the dead leader of a node left behind
        server = self._server(target)
        spawned = start_one(self._plan(), server, within_s=RESTART_S)
        was = f"pid {before.number}{', by force' if forced else ''}" if lived and before is not None else "it was dead"
        did = f"restarted {target}: pid {spawned.pid.number} ({was})"
        return Deed((did, *_side_effect(target)), (self._readiness(server),))

    def partition(self, target: Target, cut: Cut) -> Deed:
        """Put a fault on its links; see the port."""
        names = self._link_names(target, cut.peer)
        self._links().client().change(
            names,
            upstream=None if cut.direction is Direction.DOWNSTREAM else cut.mode,
            downstream=None if cut.direction is Direction.UPSTREAM else cut.mode,
            settings=dict(cut.settings),
        )
        if cut.mode not in CUTS:
            return Deed((f"put {cut.mode} on {', '.join(names)}",), (f"{target} suffers {cut.mode} until `heal`",))
        way = "" if cut.direction is Direction.BOTH else f", {cut.direction} only"
        now = f"{target} is cut off until `heal`; a restart of {target} does not mend its network"
        return Deed((f"cut {', '.join(names)} ({cut.mode}{way}), established connections too",), (now,))

    def mend(self, target: Target, peer: Peer) -> Deed:
        """Let its links to that peer pass everything; see the port. Without links nothing was done to them."""
        names = self._link_names(target, peer)
        if not names:
            return Deed((f"{target} has no such links",), ())
        self._links().client().heal(names)
        return Deed((f"mended {', '.join(names)}",), (f"{', '.join(names)} pass everything",))

    def reload(self, target: Target) -> Deed:
        """SIGHUP for its leader; see the port."""
        leader = self._leader(target.name)
        if leader is None or not send(leader, signal.SIGHUP):
            raise ClusterError(f"{target} is dead; `restart {target}` brings it back")
        return Deed((f"told {target} to read its configuration again",), (f"{target} runs, with other workers",))

    def skew(self, target: Target, offset_s: float) -> Deed:
        """Restart it with another wall clock; see the port."""
        if not clock.set_offset_s(self.run.folder(target.name), offset_s):
            return Deed((f"the clock of {target} is so already",), ())
        return self.restart(target)

    def heal(self) -> Deed:
        """Undo pauses and cuts; see the port."""
        before = self.status()
        paused = [member for member in family.members(self.run) if member.seen.state is State.PAUSED]
        family.signal_all(paused, signal.SIGCONT)
        did = [f"resumed {', '.join(before.named(State.PAUSED))}"] if paused else []
        if before.link_server is not None and state_of(self._leader(LINKS)) is State.RUNNING:
            client = self._links().client()
            cut = [link.name for link in client.look() if not link.upstream == link.downstream == PASS.name]
            client.heal(cut)
            did += [f"mended {', '.join(cut)}; connections that had lost bytes were reset"] if cut else []
        dead = self.status().named(State.DEAD)
        left = f"dead, and left so: {', '.join(dead)}; `restart` brings one back"
        now = left if dead else "nothing is paused, cut or dead"
        return Deed(tuple(did or ["nothing was paused or cut"]), (now,))

    # ---- what the verbs are made of ---------------------------------------------------------------------------------

    def _plan(self) -> Plan:
        plan = load_plan(self.run)
        if plan is None:
            raise ClusterError(f"{self.run.name} has only begun to start, or its command was killed; try `up`")
        return plan

    def _leader(self, server: str) -> Pid | None:
        return self.run.ledger.leaders().get(server)

    def _server(self, target: Target) -> Server:
        return next(server for server in roster(self._plan(), _binaries()) if server.name == target.name)

    def _link_names(self, target: Target, peer: Peer) -> list[str]:
        wanted = (REDIS, DATABASE) if peer is Peer.ALL else (peer.value,)
        return [link for link in self._plan().links_of(target.name) if link.endswith(wanted)]

    def _links(self) -> LinksServer:
        return LinksServer(self._plan())

    def _worker(self, target: Target) -> Pid | None:
        assert target.node is not None, "a worker's target names its node"
        assert target.slot is not None, "a worker's target names its slot"
        return worker_pid(self.run.path / target.node, target.slot, self._leader(target.node))

    def _living(self, target: Target) -> list[family.Member]:
        members = list(family.members(self.run, target.node or target.name))
        if target.kind is Kind.WORKER:
            members = [member for member in members if member.seen.pid == self._worker(target)]
        if not members:
            raise ClusterError(f"{target} is dead; `restart {target.node or target}` brings it back")
        return members

    def _until_state(self, target: Target, state: State) -> None:
        def other() -> Missing:
            states = {member.seen.state for member in self._living(target)}
            return None if states == {state} else f"it is {', '.join(states)}"

        until(other, within_s=STOP_S, waiting_for=f"{target} to be {state}", every_s=0.01)

    def _replace_worker(self, target: Target, number: signal.Signals, did: str) -> Deed:
        """End one worker and wait until gunicorn's arbiter has put another one into its place, on the same port."""
        old = self._worker(target)
        if old is None:
            raise ClusterError(f"{target} is dead; `restart {target.node}` brings the whole node back")
        if state_of(self._leader(str(target.node))) is State.PAUSED:
            raise ClusterError(f"{target.node} is paused, so it replaces nobody; `resume {target.node}` first")
        send(old, number)
        send(old, signal.SIGCONT)  # a paused worker hears SIGTERM only when it runs
        port = self._plan().addresses.workers[target.name]

        def missing() -> Missing:
            new = self._worker(target)
            if new is None or new == old:
                return f"its place is empty; see {self.run.logs / f'{target.node}.log'}"
            status = http_status(port, "/healthz")
            return None if status == 200 else f"pid {new.number} answers {status}"

        seconds = until(missing, within_s=REPLACE_S, waiting_for=f"gunicorn to replace {target}")
        new = self._worker(target)
        now = (
            f"its master replaced it: pid {new.number if new else '?'} answers on the same port, {seconds:.1f} s later"
        )
        return Deed((f"{did} {target} (pid {old.number}) with {number.name}",), (now,))

    def _readiness(self, server: Server) -> str:
        """Ready, or why not: a restarted node behind a cut link answers, but rightly says that it is not ready."""
        status = self.status()
        broken = [f"{name} is {state}" for state in (State.DEAD, State.PAUSED) for name in status.named(state)]
        broken += [f"{link} is cut" for link in status.cut]
        bound_s = IMPAIRED_S if broken else RESTART_S
        try:
            until(server.ready, within_s=bound_s, waiting_for=f"{server.name} to be ready")
        except NotInTimeError:
            if not broken:
                raise
            return f"{server.name} runs, but is not ready while {', '.join(broken)}"
        return f"{server.name} is ready"


def _binaries() -> Binaries:
    return Binaries(redis_server=binary.redis_server(), nginx=binary.nginx())


def _processes(count: int) -> str:
    return f"{count} process{'' if count == 1 else 'es'}"


def _stays_dead(target: Target) -> str:
    return f"{target} is dead, and stays so until `restart {target}`"


def _side_effect(target: Target) -> tuple[str, ...]:
    """What a restart costs beyond the restart."""
    if target.kind is Kind.REDIS:
        return ("Redis came back empty: it keeps nothing on disk, so L2, counters and subscriptions are gone",)
    if target.kind is Kind.LINKS:
        return ("every connection through a link was broken, and the cuts that were there are gone",)
    return ()

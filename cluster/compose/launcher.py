"""The compose launcher: the verbs, on containers. What each is made of is in the files beside this one."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from random import SystemRandom

from cluster.compose.containers import Container, containers_of
from cluster.compose.engine import NoEngineError, docker, require
from cluster.compose.logs import keep_logs, read_logs
from cluster.compose.observation import NETWORK_OF, cuts, observe, peers_of
from cluster.compose.override import write_override
from cluster.compose.plan import Plan, load_plan, make_plan, network, project_of
from cluster.compose.project import STOP_S, build_image, end_clients, remove, start
from cluster.compose.readiness import answers, ready
from cluster.compose.signals import go_on, signal_worker, stop
from cluster.compose.workers import Worker, workers_of
from cluster.errors import ClusterError, RefusedError
from cluster.launcher import Cut, Deed, Direction, LogLine, Peer, Say
from cluster.ledger import ResourceMade
from cluster.link.name import link_name
from cluster.runs import Run
from cluster.status import State, Status
from cluster.target import Kind, Target, Verb
from cluster.until import Missing, until

READY_S = 30.0
REPLACE_S = 15.0
BLACKHOLE = "blackhole"


class ComposeLauncher:
    """A run of containers. Implements `cluster.launcher.Launcher`."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def up(self, say: Say) -> None:
        """Start everything; see the port."""
        require()
        topology = self.run.topology()
        if topology.database_url is not None:
            raise RefusedError("under compose the database is its own PostgreSQL; unset DATABASE_URL (--database-url)")
        if topology.direct:
            raise RefusedError("--direct leaves links out, and compose has none: nodes reach Redis directly there")
        project = project_of(self.run)
        remove(project)  # what a run folder that was removed, or a machine that was switched off, has left of it
        plan = make_plan(self.run, topology, SystemRandom())
        write_override(plan)
        self.run.ledger.add(ResourceMade(kind="compose project", name=project))
        say("building the services' image (the first time this takes a minute)")
        build_image(plan)
        say(f"starting {', '.join(plan.services)}")
        start(plan)

        def missing() -> Missing:
            found = containers_of(project)
            return next((lack for name in plan.services if (lack := ready(plan, name, found[name]))), None)

        until(missing, within_s=READY_S, waiting_for="the cluster to be ready", every_s=0.1)

    def down(self, say: Say) -> None:
        """End everything; see the port. Without an engine nothing runs; what it remembers, the next `up` clears."""
        if load_plan(self.run) is None:
            return  # it had not come to starting anything
        project = project_of(self.run)
        try:
            end_clients(self.run)
            keep_logs(self.run, containers_of(project))
            remove(project)
        except NoEngineError as problem:
            say(f"{problem}; if it still has containers of {project}, the next `up --launcher compose` removes them")

    def status(self) -> Status:
        """What is so now; see the port."""
        return observe(self._plan())

    def logs(self, server: str | None, *, tail: int, follow: bool) -> Iterator[LogLine]:
        """Lines of logs; see the port."""
        project = project_of(self.run)
        return read_logs(project, containers_of(project), server, tail=tail, follow=follow)

    def refusal(self, verb: Verb, target: Target, cut: Cut | None = None) -> str | None:
        """What containers can't do; see the port."""
        if verb is Verb.SKEW:
            return "a container's clock is the machine's own"
        if verb is not Verb.PARTITION:
            if target.kind is not Kind.WORKER or (state := self._container(target).state) is State.RUNNING:
                return None
            remedy = Verb.RESUME if state is State.PAUSED else Verb.RESTART
            return f"{target.node} is {state}; `{remedy} {target.node}` first"
        cut = cut or Cut()
        if target.kind is Kind.WORKER:
            return f"a partition cuts a whole node; try {target.node}"
        if target.kind not in (Kind.NODE, Kind.FLUSHER, Kind.EDGE_AGENT):
            return "only nodes and the flusher can be taken off a network, and the edge's agent"
        if cut.peer is not Peer.ALL and cut.peer not in peers_of(target.name):
            return f"{target} does not speak to the {cut.peer}"
        if cut.mode != BLACKHOLE or cut.direction is not Direction.BOTH:
            return f"a container can only be taken off a network, which is a {BLACKHOLE} in both directions"
        return None

    def kill(self, target: Target) -> Deed:
        """SIGKILL; see the port."""
        if target.kind is Kind.WORKER:
            return self._replace_worker(target, signal.SIGKILL, "killed")
        container = self._container(target)
        stays = f"{target} is dead, and stays so until `restart {target}`"
        if container.state is State.DEAD:
            return Deed((f"{target} was dead already",), (stays,))
        docker("kill", "--signal", "KILL", container.identity)
        self._until_state(target, State.DEAD)
        return Deed((f"killed {target} with SIGKILL (its whole container)",), (stays,))

    def pause(self, target: Target) -> Deed:
        """SIGSTOP; see the port."""
        state = self._state(target)
        if state is State.DEAD:
            raise ClusterError(f"{target} is dead, so it can't be paused; `restart {target}` first")
        now = f"{target} is paused: its connections stay open and nobody answers, until `resume {target}` or `heal`"
        if state is State.PAUSED:
            return Deed((f"{target} was paused already",), (now,))
        container = self._container(target)
        if target.slot is None:
            stop(container)
        else:
            signal_worker(container, target.slot, signal.SIGSTOP)
        self._until_state(target, State.PAUSED)
        return Deed((f"paused {target} with SIGSTOP",), (now,))

    def resume(self, target: Target) -> Deed:
        """SIGCONT; see the port."""
        state = self._state(target)
        if state is State.DEAD:
            raise ClusterError(f"{target} is dead, so it can't be resumed; `restart {target}` starts it")
        if state is State.RUNNING:
            return Deed((f"{target} was not paused",), (f"{target} runs",))
        container = self._container(target)
        if target.slot is None:
            go_on(container)
        else:
            signal_worker(container, target.slot, signal.SIGCONT)
        self._until_state(target, State.RUNNING)
        return Deed((f"resumed {target}",), (f"{target} runs",))

    def restart(self, target: Target) -> Deed:
        """End it if it lives, and start it; see the port."""
        if target.kind is Kind.WORKER:
            return self._replace_worker(target, signal.SIGTERM, "ended")
        plan, container = self._plan(), self._container(target)
        if container.state is State.PAUSED:  # stopped, it could not end by itself
            go_on(container)
        was = "it was dead" if container.state is State.DEAD else f"pid {container.pid}"
        docker("restart", "--time", str(STOP_S), container.identity, within_s=STOP_S + READY_S)

        def missing() -> Missing:
            return answers(plan, target.name, self._container(target))

        until(missing, within_s=READY_S, waiting_for=f"{target} to answer", every_s=0.1)
        did = [f"restarted {target}: pid {self._container(target).pid} ({was})"]
        if target.kind is Kind.REDIS:
            did.append("Redis came back empty: it keeps nothing on disk, so L2, counters and subscriptions are gone")
        return Deed(tuple(did), (self._readiness(plan, target),))

    def partition(self, target: Target, cut: Cut) -> Deed:
        """Take it off a network; see the port."""
        plan, container = self._plan(), self._container(target)
        peers = peers_of(target.name) if cut.peer is Peer.ALL else (cut.peer,)
        for peer in peers:
            name = network(plan.project, NETWORK_OF[peer])
            if name in container.networks:
                docker("network", "disconnect", name, container.identity)
        names = ", ".join(link_name(target.name, peer) for peer in peers)
        now = f"{target} is cut off until `heal`; a restart of {target} does not mend its network"
        return Deed((f"cut {names} (taken off the network, established connections too)",), (now,))

    def mend(self, target: Target, peer: Peer) -> Deed:
        """Put it on the networks again; see the port."""
        peers = peers_of(target.name) if peer is Peer.ALL else (peer,)
        mended = self._connect(self._plan(), {link_name(target.name, each) for each in peers})
        did = f"mended {', '.join(mended)}" if mended else f"{target} was not cut"
        return Deed((did,), (f"{target} is on its networks",))

    def reload(self, target: Target) -> Deed:
        """SIGHUP for its first process; see the port."""
        docker("kill", "--signal", "HUP", self._container(target).identity)
        return Deed((f"told {target} to read its configuration again",), (f"{target} runs, with other workers",))

    def skew(self, target: Target, offset_s: float) -> Deed:
        """Never done, since it is refused; 0 is what is so."""
        if offset_s:
            raise RefusedError(f"{target}: {self.refusal(Verb.SKEW, target)}")
        return Deed((f"the clock of {target} is the machine's own",), ())

    def heal(self) -> Deed:
        """Undo pauses and cuts; see the port."""
        plan = self._plan()
        did = [*self._thaw(plan), *self._continue(plan)]
        did += [f"mended {link}" for link in self._connect(plan)]
        dead = self.status().named(State.DEAD)
        left = f"dead, and left so: {', '.join(dead)}; `restart` brings one back"
        return Deed(tuple(did or ["nothing was paused or cut"]), (left if dead else "nothing is paused, cut or dead",))

    # ---- what the verbs are made of ---------------------------------------------------------------------------------

    def _plan(self) -> Plan:
        plan = load_plan(self.run)
        if plan is None:
            raise ClusterError(f"{self.run.name} has only begun to start, or its command was killed; try `up`")
        return plan

    def _connect(self, plan: Plan, only: set[str] | None = None) -> list[str]:
        """Put containers on the networks that they were taken off; the links that are mended."""
        mended = []
        for link, (container, missing) in cuts(plan, containers_of(plan.project)).items():
            if only is None or link in only:
                docker("network", "connect", "--alias", container.service, missing, container.identity)
                mended.append(link)
        return mended

    def _thaw(self, plan: Plan) -> Iterator[str]:
        for name, container in containers_of(plan.project).items():
            if container.state is State.PAUSED:
                go_on(container)
                yield f"resumed {name}"

    def _continue(self, plan: Plan) -> Iterator[str]:
        """SIGCONT for workers that were stopped alone."""
        found = containers_of(plan.project)
        for name in self.status().named(State.PAUSED):
            node, _, slot = name.partition("/worker-")
            signal_worker(found[node], int(slot), signal.SIGCONT)
            yield f"resumed {name}"

    def _container(self, target: Target) -> Container:
        name = target.node or target.name
        found = containers_of(project_of(self.run))
        if name not in found:
            raise ClusterError(f"the engine has no container for {name}; `down`, then `up`")
        return found[name]

    def _state(self, target: Target) -> State:
        container = self._container(target)
        if target.slot is None or container.frozen:
            return container.state
        worker = workers_of(container, target.slot).get(target.slot)
        return State.DEAD if worker is None else worker.state

    def _until_state(self, target: Target, state: State) -> None:
        def missing() -> Missing:
            now = self._state(target)
            return None if now is state else f"it is {now}"

        until(missing, within_s=READY_S, waiting_for=f"{target} to be {state}", every_s=0.1)

    def _replace_worker(self, target: Target, number: signal.Signals, verb: str) -> Deed:
        """End a worker and wait until gunicorn has put another one in its slot, which answers on its port."""
        plan, container = self._plan(), self._container(target)
        slot = target.slot
        assert slot is not None, "a worker has a slot"

        def worker() -> Worker | None:
            return workers_of(container, plan.topology.workers).get(slot)

        before = worker()
        if before is not None:
            signal_worker(container, slot, number)

        def missing() -> Missing:
            now = worker()
            if now is None or (before is not None and now.inside == before.inside):
                return f"no other process is {target} yet"
            return answers(plan, container.service, container)

        until(missing, within_s=REPLACE_S, waiting_for=f"gunicorn to replace {target}", every_s=0.1)
        after = worker()
        did = f"{verb} {target}" if before is not None else f"{target} was dead already"
        return Deed(
            (did,), (f"its master replaced it: {target} is pid {after.pid if after else None}, with an empty L1",)
        )

    def _readiness(self, plan: Plan, target: Target) -> str:
        """Wait for it to be ready, unless something is known to be broken: then say how far it is."""
        status = self.status()
        broken = [
            *status.cut,
            *(f"{name} {state}" for state in (State.DEAD, State.PAUSED) for name in status.named(state)),
        ]
        lacking: Callable[[], Missing] = lambda: ready(plan, target.name, self._container(target))  # noqa: E731
        if broken:
            lack = lacking()
            return f"{target} is ready" if lack is None else f"{target} runs; {lack} ({', '.join(broken)})"
        seconds = until(lacking, within_s=READY_S, waiting_for=f"{target} to be ready", every_s=0.1)
        return f"{target} is ready ({seconds:.1f} s later)"

"""Project: bringing all containers of one compose project up, and making sure that none is left."""

from __future__ import annotations

import contextlib
import signal

from cluster.compose.containers import PROJECT_LABEL, Container, containers_of
from cluster.compose.engine import NoEngineError, ask, docker
from cluster.compose.plan import INIT, Plan
from cluster.errors import ClusterError, NotInTimeError
from cluster.processes import family
from cluster.runs import Run
from cluster.status import State
from cluster.until import Missing, until

BUILD_S = 900.0  # the first time it downloads every wheel
START_S = 180.0
STOP_S = 6
DOWN_S = 90.0
GONE_S = 60.0
CLIENT_S = 10.0
LOOKS = 2
LAST_WORDS = "8"


def build_image(plan: Plan) -> None:
    """Build the services' image from the clone as it is now; quick where nothing has changed."""
    docker(*plan.compose("build", "--quiet", INIT), within_s=BUILD_S, environment=plan.environment())


def start(plan: Plan) -> None:
    """`docker compose up` until every health check passes. An error adds what the dead containers said last."""
    words = plan.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", f"{START_S:g}")
    try:
        docker(*words, within_s=START_S + DOWN_S, environment=plan.environment())
    except NoEngineError:
        raise
    except ClusterError as problem:
        found = containers_of(plan.project)
        dead = [found[name] for name in (INIT, *plan.services) if name in found and found[name].state is State.DEAD]
        said = "".join(f"\n  the last words of {container.service}:{_last_words(container)}" for container in dead)
        raise ClusterError(f"{problem}{said}") from None


def end_clients(run: Run) -> None:
    """End the docker commands that a killed `up` has left running: they would go on creating what `down` removes.

    They are found by the run's mark in their environment. Gently first: a client that is killed leaves more under way.
    """
    family.signal_all(family.members(run), signal.SIGTERM)
    with contextlib.suppress(NotInTimeError):
        until(lambda: _living(run), within_s=CLIENT_S, waiting_for="docker commands to end")
    family.kill(run)


def remove(project: str) -> None:
    """Take away the project's containers, networks and volumes, found by their labels, until two looks find nothing.

    One look is not enough after a client was ended:
        engine:  is creating node-2 ........................................ node-2 is there
        we:             compose down: nothing of this project, done
    """
    clean = 0

    def left() -> Missing:
        nonlocal clean
        found = _parts(project)
        if not found:
            clean += 1
            return None if clean >= LOOKS else "one more look"
        clean = 0
        words = ("compose", "-p", project, "down", "--volumes", "--remove-orphans", "--timeout", str(STOP_S))
        docker(*words, within_s=DOWN_S)
        return f"there were {', '.join(found)} a moment ago"

    until(left, within_s=GONE_S, waiting_for=f"the project {project} to be gone", every_s=0.5)


def _parts(project: str) -> list[str]:
    """Names of whatever the engine still has of a project."""
    label = f"label={PROJECT_LABEL}={project}"
    asked = (
        ("ps", "--all", "--format", "{{.Names}}"),
        ("network", "ls", "--format", "{{.Name}}"),
        ("volume", "ls", "--format", "{{.Name}}"),
    )
    return [name for words in asked for name in docker(*words, "--filter", label).split()]


def _living(run: Run) -> Missing:
    members = family.members(run)
    return f"{len(members)} live on" if members else None


def _last_words(container: Container) -> str:
    said = ask("logs", "--tail", LAST_WORDS, container.identity)
    return "".join(f"\n    {line}" for line in (said.out + said.err).splitlines()) or " none"

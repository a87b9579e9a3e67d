"""Project: bringing all containers of one compose project up, and making sure that none is left."""

from __future__ import annotations

from cluster.compose.containers import Container, containers_of
from cluster.compose.engine import NoEngineError, ask, docker
from cluster.compose.plan import INIT, Plan
from cluster.errors import ClusterError
from cluster.status import State
from cluster.until import Missing, until

BUILD_S = 900.0  # the first time it downloads every wheel
START_S = 180.0
STOP_S = 6
DOWN_S = 90.0
GONE_S = 30.0
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


def remove(project: str) -> None:
    """Take away the project's containers, networks and volumes, found by their labels; then look again.

    A creation that was under way in the engine when its client was ended may finish after the first look.
    """

    def left() -> Missing:
        words = ("compose", "-p", project, "down", "--volumes", "--remove-orphans", "--timeout", str(STOP_S))
        docker(*words, within_s=DOWN_S)
        found = containers_of(project)
        return f"there still are {', '.join(found)}" if found else None

    until(left, within_s=GONE_S, waiting_for=f"the project {project} to be gone", every_s=0.5)


def _last_words(container: Container) -> str:
    said = ask("logs", "--tail", LAST_WORDS, container.identity)
    return "".join(f"\n    {line}" for line in (said.out + said.err).splitlines()) or " none"

"""The verbs that break and mend: kill, pause, resume, restart, partition, heal."""

from __future__ import annotations

from collections.abc import Callable
from random import Random, SystemRandom
from typing import Any

import click

from cluster.launcher import Cut, Deed, Direction, Launcher, Peer, insist
from cluster.lifecycle import running_cluster
from cluster.link.faults import CUTS
from cluster.runs import Runs
from cluster.target import RANDOM, Target, Verb, draw, parse_target

SEEDS = 1 << 16
TARGETS = "TARGET: node-2, node-2/worker-1, redis, edge, edge-agent, flusher, links, or random."

target_argument = click.argument("target")
seed_option = click.option("--seed", type=int, help="Seed of `random`; the same cluster and seed draw the same name.")


def show(deed: Deed) -> None:
    """What was done, then what is so."""
    for line in deed.did:
        click.echo(line)
    for line in deed.now:
        click.echo(f"now: {line}")


def aimed(verb: Verb, launcher: Launcher, name: str, seed: int | None) -> Target:
    """The target that a person named; `random` is drawn, and the seed said, so that it can be drawn again."""
    status = launcher.status()
    if name != RANDOM:
        return parse_target(name, status)
    seed = SystemRandom().randrange(SEEDS) if seed is None else seed
    target = draw(verb, status, Random(seed))  # noqa: S311  # chance, not a secret
    click.echo(f"{RANDOM} is {target} (seed {seed})")
    return target


def do(runs: Runs, verb: Verb, name: str, seed: int | None, cut: Cut | None = None) -> None:
    """Aim one verb and do it, alone on this cluster."""
    with runs.lock(f"{verb} {name}"):
        _, launcher = running_cluster(runs)
        target = aimed(verb, launcher, name, seed)
        insist(launcher, verb, target, cut)
        if cut is not None:
            show(launcher.partition(target, cut))
            return
        deeds: dict[Verb, Callable[[Target], Deed]] = {
            Verb.KILL: launcher.kill,
            Verb.PAUSE: launcher.pause,
            Verb.RESUME: launcher.resume,
            Verb.RESTART: launcher.restart,
        }
        show(deeds[verb](target))


def aimed_verb(verb: Verb, story: str) -> Any:
    """A click command for a verb that takes a target and a seed."""

    @click.command(
        name=verb.value,
        help=f"{story}\n\nTARGET: node-2, node-2/worker-1, redis, edge, edge-agent, flusher, links, random.",
    )
    @target_argument
    @seed_option
    @click.pass_obj
    def command(runs: Runs, target: str, seed: int | None) -> None:
        do(runs, verb, target, seed)

    return command


kill = aimed_verb(
    Verb.KILL, "End it with SIGKILL: a node with all its processes. A killed worker is replaced by gunicorn."
)
pause = aimed_verb(Verb.PAUSE, "Freeze it with SIGSTOP: its connections stay open, and nobody answers.")
resume = aimed_verb(Verb.RESUME, "Let what is paused run on.")
restart = aimed_verb(Verb.RESTART, "Start it anew, dead or alive. Redis comes back empty; a cut network stays cut.")


@click.command()
@target_argument
@click.option("--from", "peer", type=click.Choice([peer.value for peer in Peer]), default="redis", show_default=True)
@click.option("--mode", type=click.Choice(CUTS), default="blackhole", show_default=True, help="Four different faults.")
@click.option(
    "--direction",
    type=click.Choice([direction.value for direction in Direction]),
    default="both",
    show_default=True,
    help="upstream: what the node says is lost; downstream: what it would hear.",
)
@seed_option
@click.pass_obj
def partition(runs: Runs, target: str, peer: str, mode: str, direction: str, seed: int | None) -> None:
    """Cut a node (or the flusher) from Redis or the database, established connections included.

    blackhole: everything is swallowed, nobody is told. refuse: the port is closed. reset: connections are torn as they
    come. close: they are ended in good order. `heal` mends it.
    """
    do(runs, Verb.PARTITION, target, seed, Cut(Peer(peer), mode, Direction(direction)))


@click.command()
@click.pass_obj
def heal(runs: Runs) -> None:
    """Undo every pause and every partition. Says what is dead, but restarts nothing."""
    with runs.lock("heal"):
        _, launcher = running_cluster(runs)
        show(launcher.heal())

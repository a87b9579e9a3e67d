"""The same scripts on a Redis Cluster of three: every key is declared, and all of a namespace lie in one slot."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from uuid import uuid4

import pytest
from redis.cluster import RedisCluster
from tocsin.position import Position
from tocsin.redis.sequenced.run import BoundRun
from tocsin.redis.sequenced.sequencer import RedisSequencer
from tocsin.sequencer import Given, Permitted, Writing

from tests.contracts.sequenced_world import TERMS, put
from tests.redis_server import free_port, redis_server
from tests.until import until

SLOTS = 16384
NODES = 3


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    """A cluster of three, each with a third of the slots."""
    with contextlib.ExitStack() as stack:
        # The bus would otherwise be at the port plus 10,000, which may not exist.
        buses = [free_port() for _ in range(NODES)]
        servers = [
            stack.enter_context(redis_server("--cluster-enabled", "yes", "--cluster-port", str(bus))) for bus in buses
        ]
        for number, server in enumerate(servers):
            with server.client() as client:
                first, last = number * SLOTS // NODES, (number + 1) * SLOTS // NODES - 1
                client.execute_command(f"CLUSTER ADDSLOTSRANGE {first} {last}")
                client.execute_command(f"CLUSTER MEET 127.0.0.1 {servers[0].port} {buses[0]}")

        def agreed() -> bool:
            for server in servers:
                with server.client() as client:
                    info = client.execute_command("CLUSTER INFO")
                    if info.get("cluster_state") != "ok" or info.get("cluster_known_nodes") != str(NODES):
                        return False
            return True

        until(agreed, within_s=30, waiting_for="the cluster to agree")
        client = RedisCluster(host="127.0.0.1", port=servers[0].port)
        stack.callback(client.close)
        yield client


@pytest.mark.parametrize("attempt", range(4))
def test_every_step_of_the_protocol_runs_on_a_cluster(cluster: RedisCluster, attempt: int) -> None:
    """Whichever node has the slot: lookup, fill, announce, finish with a value, log, beat, sweep, a new epoch."""
    sequencer = RedisSequencer(
        BoundRun(cluster.execute_command, f"tocsin:{{{uuid4().hex}}}:"), TERMS, cluster.pubsub, list
    )
    found = sequencer.lookup("product:1", "a")
    assert isinstance(found, Permitted)
    assert sequencer.fill(put("one", tags=("toys",)), found.token).stored
    assert isinstance(sequencer.lookup("product:1", "b"), Given)
    names = ["k:product:1", "t:toys", "n:products", "*"]
    announced = sequencer.announce("w", names)
    assert isinstance(sequencer.lookup("product:1", "c"), Writing)
    ended = sequencer.finish("w", names, announced=announced.position, puts=[put("two", tags=("toys",))])
    assert ended.stored == ("product:1",)
    assert [message.position for message in sequencer.log(0).messages] == [announced.position, ended.position]
    assert sequencer.beat("node-1", 1, Position(), canary="node-1") == ended.position
    sequencer.acknowledge("node-1", 1, ended.position)
    assert sequencer.holders()["node-1"].applied == ended.position
    assert sequencer.retire("node-1", 1)
    assert sequencer.sweep() == 0
    assert sequencer.begin_epoch(ended.position.epoch).epoch > ended.position.epoch

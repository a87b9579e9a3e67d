"""The cluster's Redis: plain, on loopback, empty after a restart."""

from __future__ import annotations

from random import Random

import pytest
import redis

from cluster.errors import ClusterError
from cluster.processes import family
from cluster.processes.binary import Binary, redis_server
from cluster.processes.plan import Plan, make_plan
from cluster.processes.redis import RedisServer
from cluster.processes.starting import start_one
from cluster.runs import Run


@pytest.fixture
def plan(run: Run) -> Plan:
    """Addresses of a new run."""
    return make_plan(run, run.topology(), Random())


def test_it_keeps_nothing_and_evicts_only_what_has_a_ttl(plan: Plan) -> None:
    """Bound to loopback; no module; no snapshot: what was there before a restart is gone."""
    server = RedisServer(plan, redis_server())
    start_one(plan, server, within_s=10)
    with redis.Redis(port=plan.addresses.redis, protocol=2) as client:
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}
        assert {module[b"path"] for module in client.module_list()} <= {b""}, "nothing but what is built in"
        client.set("key", "value")
    assert family.end(plan.run, ["redis"], within_s=10) == ()
    start_one(plan, server, within_s=10)
    with redis.Redis(port=plan.addresses.redis, protocol=2) as client:
        assert client.dbsize() == 0
    assert list((plan.run.path / "redis").iterdir()) == [plan.run.path / "redis" / "redis.conf"]
    family.kill(plan.run)


def test_a_server_that_dies_while_it_starts_is_reported_with_its_last_words(plan: Plan) -> None:
    """Not after a timeout, and not without the reason: here its port is taken."""
    server = RedisServer(plan, redis_server())
    start_one(plan, server, within_s=10)
    other = RedisServer(plan, redis_server(), name="redis-2")
    with pytest.raises(
        ClusterError, match=r"redis-2 ended while it started \(status 1\); the end of .*redis-2.log"
    ) as died:
        start_one(plan, _Unready(other), within_s=10)
    assert "Address already in use" in str(died.value)
    family.kill(plan.run)


class _Unready(RedisServer):
    """Asks nobody, so that the other Redis on the port is not mistaken for this one."""

    def __init__(self, server: RedisServer) -> None:
        super().__init__(server.plan, server.binary, server.name)

    def answers(self, spawned: object) -> str:
        """Never."""
        return "nobody was asked"


def test_a_binary_that_cannot_run_is_reported(plan: Plan) -> None:
    """The gate's shell says why."""
    broken = RedisServer(plan, Binary(plan.run.path / "no-such-redis", "8"))
    with pytest.raises(ClusterError, match=r"status 127.*\n.*no-such-redis"):
        start_one(plan, broken, within_s=10)

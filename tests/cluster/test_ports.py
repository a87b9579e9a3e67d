"""Ports: outside the kernel's own range, free, neighbours, and the edge's where a person expects it."""

from __future__ import annotations

import socket
from random import Random

import pytest

from cluster.errors import ClusterError
from cluster.ports import choose_block, edge_port, ephemeral_range, is_free

USUAL = (32768, 60999)


def always(_port: int) -> bool:
    return True


@pytest.mark.parametrize("ephemeral", [USUAL, (1024, 40000), (20000, 65535)], ids=str)
def test_no_port_is_one_that_an_outgoing_connection_could_get(ephemeral: tuple[int, int]) -> None:
    """Whatever the kernel's range is: below it, or above it where there is no room below."""
    for seed in range(50):
        block = choose_block(20, Random(seed), ephemeral=ephemeral, free=always)
        assert not any(ephemeral[0] <= port <= ephemeral[1] for port in block)
        assert block == tuple(range(block[0], block[0] + 20))
        assert block[-1] <= 65535


def test_a_block_with_a_taken_port_is_passed_over() -> None:
    """All of a run's ports are free at once, or another block is tried."""
    first = choose_block(20, Random(7), ephemeral=USUAL, free=always)
    other = choose_block(20, Random(7), ephemeral=USUAL, free=lambda port: port != first[3])
    assert first[3] not in other


def test_no_room_is_said_with_the_range_that_takes_it() -> None:
    """A kernel that takes everything for itself, or a machine on which nothing is free."""
    with pytest.raises(ClusterError, match=r"outside 1024-65535.*ip_local_port_range"):
        choose_block(20, Random(7), ephemeral=(1024, 65535), free=always)
    with pytest.raises(ClusterError, match="no 20 free ports"):
        choose_block(20, Random(7), ephemeral=USUAL, free=lambda _port: False)


def test_the_kernels_range_is_read_from_the_kernel() -> None:
    """Two numbers, in order."""
    low, high = ephemeral_range()
    assert 0 < low < high < 65536


def test_a_port_with_a_listener_is_not_free_and_one_in_time_wait_is() -> None:
    """Tried by listening, as the servers will: an old connection that still waits does not keep a server out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not is_free(port)
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = listener.accept()
            accepted.close()  # the server's side closes first, so TIME_WAIT is on its port
            assert client.recv(1) == b""
    assert is_free(port)


def test_the_edge_is_at_8080_unless_that_is_taken() -> None:
    """Then it is elsewhere; 0 asks for any port."""
    assert edge_port(None, 21000, free=always) == 8080
    assert edge_port(None, 21000, free=lambda port: port != 8080) == 21000
    assert edge_port(0, 21000, free=always) == 21000


def test_an_edge_port_that_was_asked_for_is_that_one_or_an_error() -> None:
    """A person who names a port wants that port."""
    assert edge_port(9000, 21000, free=always) == 9000
    with pytest.raises(ClusterError, match=r"port 9000 is taken .*--port 0"):
        edge_port(9000, 21000, free=lambda _port: False)

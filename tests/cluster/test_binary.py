"""Which Redis and which nginx: the packaged ones, or those that a setting names and that will do."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.errors import ClusterError
from cluster.processes.binary import nginx, redis_server


def program(path: Path, says: str) -> str:
    """A program that says something, whatever it is asked."""
    path.write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_packaged_ones_will_do() -> None:
    """A Redis without known holes, and an nginx with njs, from packages that pip installs."""
    assert int(redis_server({}).version.split(".")[0]) >= 8
    assert int(nginx({}).version.split(".")[1]) >= 29


def test_a_setting_names_another_one(tmp_path: Path) -> None:
    """It is asked what it is."""
    other = program(tmp_path / "redis-server", "Redis server v=7.2.4 sha=00000000:0 malloc=libc bits=64")
    assert redis_server({"TOCSIN_REDIS_SERVER": other}).version == "7.2.4"
    own = program(tmp_path / "nginx", "nginx version: nginx/1.30.0\nconfigure arguments: --add-module=njs-0.9.9/nginx")
    assert nginx({"TOCSIN_NGINX": own}).path == Path(own)


def test_an_nginx_without_njs_is_refused_with_that_reason(tmp_path: Path) -> None:
    """As distributions build it."""
    plain = program(tmp_path / "nginx", "nginx version: nginx/1.22.1\nconfigure arguments: --with-http_ssl_module")
    with pytest.raises(ClusterError, match=r"nginx 1\.22\.1 without njs.*unset TOCSIN_NGINX"):
        nginx({"TOCSIN_NGINX": plain})


def test_an_old_redis_is_refused(tmp_path: Path) -> None:
    """Redis 6 lacks what the strategies use."""
    old = program(tmp_path / "redis-server", "Redis server v=6.0.16 sha=00000000:0")
    with pytest.raises(ClusterError, match=r"Redis 6\.0\.16, and 7 is needed; unset TOCSIN_REDIS_SERVER"):
        redis_server({"TOCSIN_REDIS_SERVER": old})


@pytest.mark.parametrize("named", ["redis-server", "/no/such/program", "/tmp"])  # noqa: S108  # a folder, not a program
def test_what_is_no_program_is_said_to_be_none(named: str) -> None:
    """A relative name, a missing one, a folder."""
    with pytest.raises(ClusterError, match=r"TOCSIN_REDIS_SERVER is .* not the absolute path of a program"):
        redis_server({"TOCSIN_REDIS_SERVER": named})


def test_a_program_that_is_something_else_is_refused(tmp_path: Path) -> None:
    """It has to say what it is."""
    for find, variable in ((redis_server, "TOCSIN_REDIS_SERVER"), (nginx, "TOCSIN_NGINX")):
        other = program(tmp_path / "other", "GNU Hello 2.12")
        with pytest.raises(ClusterError, match="does not say that it is"):
            find({variable: other})

"""Settings of a CDN, from the environment: which one, whose, and with which token.

| CDN | needs | may have |
|---|---|---|
| `cloudflare` | `CLOUDFLARE_ZONE`, `CLOUDFLARE_TOKEN` | |
| `fastly` | `FASTLY_SERVICE`, `FASTLY_TOKEN` | `FASTLY_SOFT=1` |
| `cloudfront` | `CLOUDFRONT_DISTRIBUTION`, and credentials as boto3 finds them | `CLOUDFRONT_PATHS` |

`CLOUDFRONT_PATHS` is a table as `product:=/api/products/{},products:=/api/products*`. `CDN_API` names another address
of the interface, for tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tocsin.cdn.client import PurgeClient
from tocsin.cdn.cloudflare import API as CLOUDFLARE_API
from tocsin.cdn.cloudflare import Cloudflare
from tocsin.cdn.cloudfront import CloudFront
from tocsin.cdn.fastly import API as FASTLY_API
from tocsin.cdn.fastly import Fastly
from tocsin.errors import SettingsError


def client_named(name: str, environment: Mapping[str, str]) -> PurgeClient:
    """Return the client of a CDN. Raises `SettingsError`, naming what is missing."""
    if name not in _CLIENTS:
        raise SettingsError(f"unknown CDN {name!r}: it is one of {', '.join(_CLIENTS)}")
    return _CLIENTS[name](environment)


def _cloudflare(environment: Mapping[str, str]) -> PurgeClient:
    zone, token = _needed("cloudflare", environment, "CLOUDFLARE_ZONE", "CLOUDFLARE_TOKEN")
    return Cloudflare(zone=zone, token=token, api=environment.get("CDN_API") or CLOUDFLARE_API)


def _fastly(environment: Mapping[str, str]) -> PurgeClient:
    service, token = _needed("fastly", environment, "FASTLY_SERVICE", "FASTLY_TOKEN")
    soft = environment.get("FASTLY_SOFT", "") not in ("", "0")
    return Fastly(service=service, token=token, soft=soft, api=environment.get("CDN_API") or FASTLY_API)


def _cloudfront(environment: Mapping[str, str]) -> PurgeClient:
    (distribution,) = _needed("cloudfront", environment, "CLOUDFRONT_DISTRIBUTION")
    return CloudFront(distribution=distribution, paths=_table(environment.get("CLOUDFRONT_PATHS", "")))


def _table(text: str) -> dict[str, str]:
    table = {}
    for row in filter(None, (each.strip() for each in text.split(","))):
        beginning, equals, path = row.partition("=")
        if not equals or not beginning or not path.startswith("/"):
            raise SettingsError(f"CLOUDFRONT_PATHS: {row!r}; rows such as product:=/api/products/{{}} are needed")
        table[beginning] = path
    return table


def _needed(cdn: str, environment: Mapping[str, str], *names: str) -> tuple[str, ...]:
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise SettingsError(f"--cdn {cdn} needs {' and '.join(missing)} in the environment")
    return tuple(environment[name] for name in names)


_CLIENTS: dict[str, Callable[[Mapping[str, str]], PurgeClient]] = {
    "cloudflare": _cloudflare,
    "fastly": _fastly,
    "cloudfront": _cloudfront,
}

"""Configuration: settings of the cache as a framework's flat configuration has them, parsed once.

    TOCSIN_STRATEGY = "sequenced"   ┐
    TOCSIN_L1_TTL_S = "2.5"         ├──▶ CacheSettings(strategy=Strategy.SEQUENCED, l1_ttl_s=2.5, …)
    TOCSIN_REDIS_URL = "redis://…"  ┘

What always holds: every field of `CacheSettings` is a setting, and nothing else is: an unknown name under the prefix is
an error that names the known ones, because a misspelt setting is one that was never made. Texts, as environment
variables give them, are converted.
"""

import socket
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from tocsin.errors import SettingsError
from tocsin.settings import CacheSettings


def under_prefix(config: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the settings of `config` whose names begin with `prefix`, without it and in lower case."""
    return {name[len(prefix) :].lower(): value for name, value in config.items() if name.startswith(prefix)}


def cache_settings(chosen: Mapping[str, Any], *, prefix: str = "", besides: Collection[str] = ()) -> CacheSettings:
    """Return the settings that `chosen` describes; `node` is this machine's name unless it says otherwise.

    `prefix` is put before names in errors; `besides` are names that belong to the caller, and are left out. Raises
    `SettingsError`.
    """
    known = CacheSettings.__struct_fields__
    meant = {name: value for name, value in chosen.items() if name not in besides}
    unknown = sorted(set(meant) - set(known))
    if unknown:
        right = ", ".join(_as_written(name, prefix) for name in sorted({*known, *besides}))
        raise SettingsError(f"unknown setting {_as_written(unknown[0], prefix)}: there are {right}")
    try:
        return msgspec.convert({"node": socket.gethostname(), **meant}, CacheSettings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{prefix or 'settings '}{error}") from error


def _as_written(name: str, prefix: str) -> str:
    return f"{prefix}{name}".upper() if prefix else name

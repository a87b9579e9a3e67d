"""CloudFront: invalidations by path, in one distribution. It knows no tags, so a table turns names into paths.

    product:  = /api/products/{}     a tag that begins so stands for that path, with its rest in the place of {}
    products  = /api/products*       a path may end in an asterisk of CloudFront's own
    anything else                    /*: everything, because nobody can say what carries it

Source: CloudFront's API reference, CreateInvalidation: a caller reference that is new for each call, at most 3,000
paths in progress, of which 15 may end in `*`. Each path costs money; a namespace that has no path of its own purges
all. It needs boto3.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from tocsin.cdn.client import ANSWER_S, PurgeLater, PurgeRefused

ALL = "/*"
PASSING = frozenset({"Throttling", "ThrottlingException", "TooManyInvalidationsInProgress", "ServiceUnavailable"})


class CloudFront:
    """One distribution; see `tocsin.cdn.client.PurgeClient`. `paths`: the table, longest beginnings first."""

    name = "CloudFront"
    names_max = 1000
    every_s = 1.0

    def __init__(self, *, distribution: str, paths: Mapping[str, str], client: Any | None = None) -> None:
        self._distribution = distribution
        self._paths = sorted(paths.items(), key=lambda each: -len(each[0]))
        self._client = client or _client()

    def purge(self, tags: Sequence[str]) -> None:
        """Invalidate the paths of these tags; all of them, if one has none."""
        paths = {self._path(tag) for tag in tags}
        self._invalidate([ALL] if ALL in paths else sorted(paths))

    def purge_everything(self) -> None:
        """Invalidate all."""
        self._invalidate([ALL])

    def _path(self, tag: str) -> str:
        for beginning, path in self._paths:
            if tag.startswith(beginning):
                return path.replace("{}", quote(tag.removeprefix(beginning), safe=""))
        return ALL

    def _invalidate(self, paths: list[str]) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        batch = {"Paths": {"Quantity": len(paths), "Items": paths}, "CallerReference": secrets.token_hex(16)}
        try:
            self._client.create_invalidation(DistributionId=self._distribution, InvalidationBatch=batch)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in PASSING or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
                raise PurgeLater(f"{self.name}: {error}") from error
            raise PurgeRefused(f"{self.name}: {error}") from error
        except BotoCoreError as error:
            raise PurgeLater(f"{self.name}: {error}") from error


def _client() -> Any:
    """Return boto3's client, which finds credentials as its users know it, without retries of its own."""
    import boto3
    from botocore.config import Config

    bounds = Config(connect_timeout=ANSWER_S, read_timeout=ANSWER_S, retries={"total_max_attempts": 1})
    return boto3.client("cloudfront", config=bounds)

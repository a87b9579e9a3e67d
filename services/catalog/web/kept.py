"""Kept: what an edge must know to keep an answer for longer than a moment, and what ends that.

    an answer that is proved ──▶ Tocsin-Base: <epoch>,<sequence>      as of when it is true
                                 Cache-Groups, Surrogate-Key, Cache-Tag   whose invalidation ends it
                                 CDN-Cache-Control                        how long, for caches that hear of that
    a write ──▶ Cache-Group-Invalidation

What always holds: an answer that nothing proves (the database was read while somebody wrote, Redis did not answer, the
fill was refused) says none of this, and no edge keeps it. Browsers, and shared caches that know none of these fields,
are told to ask each time. Fields: RFC 9875, RFC 9213; the two others are Fastly's and Cloudflare's.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response
from tocsin import Answer, Names
from tocsin.edge.group import base_text, group_list, tag_of
from tocsin.glob import prefix_of

AT_THE_EDGE = "max-age=60, stale-while-revalidate=30, stale-if-error=300"
"""Stale answers too are only such as nothing has invalidated: the edge compares its marks before it uses them."""


def let_keep(response: Response, answer: Answer, names: Iterable[str]) -> None:
    """Let caches that hear of invalidations keep `response`, which shows what `names` stand for, if it is proved."""
    if answer.base is None:
        return
    shown = (*names, *answer.tags)
    # A pattern such as `product:*` is told as the prefix of its keys, so an answer is of that name, too.
    named = tuple(dict.fromkeys((*shown, *filter(None, map(prefix_of, shown)))))
    response.headers["Tocsin-Base"] = base_text(answer.base)
    response.headers["CDN-Cache-Control"] = AT_THE_EDGE
    response.headers["Cache-Groups"] = group_list(named)
    plain = [tag_of(name) for name in named]
    response.headers["Surrogate-Key"] = " ".join(plain)
    response.headers["Cache-Tag"] = ",".join(plain)


def end(response: Response, names: Names) -> None:
    """Say what a write ends."""
    named = (*names.keys, *names.tags, *names.namespaces)
    if named:
        response.headers["Cache-Group-Invalidation"] = group_list(named)

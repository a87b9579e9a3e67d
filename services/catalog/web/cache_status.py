"""Cache-Status (RFC 9211): which levels a request passed in this process, and what each could do for it.

    tocsin-l2;fwd=uri-miss;stored;ttl=30, tocsin-l1;fwd=uri-miss        loaded from the database, kept in L2
    tocsin-l1;hit;ttl=2                                                 answered by this worker's own memory

The member nearest the database comes first. What always holds: the field explains an answer, it is no evidence of it.
"""

from __future__ import annotations

import math
from functools import lru_cache

from http_sf import Token, ser
from http_sf.types import ParamsType
from tocsin import Answer, Layer, Step

_NAMES = {Layer.L2: Token("tocsin-l2"), Layer.L1: Token("tocsin-l1")}


def of_answer(answer: Answer) -> str:
    """The field for an answer that was read through the cache."""
    return _field(tuple(_rounded(step) for step in answer.steps))


def of_nothing_read(method: str) -> str:
    """The field for an answer that no level had a part in: RFC 9211 calls the reason `method` or `bypass`."""
    reason = "bypass" if method in ("GET", "HEAD", "OPTIONS") else "method"
    return _field((Step(Layer.L2, False, reason), Step(Layer.L1, False, reason)))


def _rounded(step: Step) -> Step:
    # Whole seconds: the field then repeats, and is served from the memory of `_field`. A dirty value has no end to say.
    ttl_s = None if step.ttl_s is None or math.isinf(step.ttl_s) else int(step.ttl_s)
    return Step(step.layer, step.hit, step.reason, ttl_s, step.detail)


@lru_cache(maxsize=1024)
def _field(steps: tuple[Step, ...]) -> str:
    return ser([(_NAMES[step.layer], _parameters(step)) for step in steps])


def _parameters(step: Step) -> ParamsType:
    parameters: ParamsType = {"hit": True} if step.hit else {"fwd": Token(step.reason)}
    if step.ttl_s is not None:
        if not step.hit:
            parameters["stored"] = True
        parameters["ttl"] = int(step.ttl_s)
    if step.detail:
        parameters["detail"] = step.detail
    return parameters

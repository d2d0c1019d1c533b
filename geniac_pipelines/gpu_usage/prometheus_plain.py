"""The points of a series in the form in which Prometheus itself writes them, parsed in bulk.

Millions of `[time,"value"]` pairs cost most as Python objects. Here: series whose text is exactly
`{"metric":{…},"values":[[1790694000,"0.5"],…]}` with finite numbers. Not here: any other form of
the same (blanks, NaN, infinities, other keys), which the general way reads (`prometheus_replies`,
`prometheus`) with the same result.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import orjson

from geniac_pipelines.gpu_usage.telemetry_metrics import Floats

BEGINS: Final = b'{"metric":{'
ENDS: Final = b'"]]}'

_OPENS = b'},"values":[['
_NUMERIC = b"0123456789.+-eE"
_BETWEEN = b'"],[,"'
_MARKS = b'"[]'


def plain_series(text: bytes) -> tuple[dict[str, Any], Floats] | None:
    """Labels, and times (seconds) and values as rows of two; None for a text of another form.

    What is between two quotes or brackets can only be digits, signs, points and exponents, since
    the rest must be the very marks of n pairs; that each is one number of JSON is left to orjson.
    """
    labels, opens, rest = text.partition(_OPENS)
    if not opens or not labels.startswith(BEGINS) or not rest.endswith(ENDS):
        return None
    body = rest[: -len(ENDS) + 1]
    pairs = body.count(b"[") + 1
    if body.translate(None, _NUMERIC) != b',"' + _BETWEEN * (pairs - 1) + b'"':
        return None
    try:
        head = orjson.loads(labels + b"}}")
        numbers = orjson.loads(b"[" + body.translate(None, _MARKS) + b"]")
    except orjson.JSONDecodeError:
        return None
    return head["metric"], np.array(numbers, dtype=np.float64).reshape(pairs, 2)

"""What a night's rules examined, for whoever looks after them. Not here: what anybody must do."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from geniac_pipelines.findings.model import Examination, Outcome, Severity

HEADINGS: Final = {
    "rule": "規則",
    "examined": "調べた対象",
    "act": "要指示",
    "watch": "要確認",
    "note": "注記",
    "clear": "該当なし",
    "unknown": "判定不能",
}
"""The keys of `by_rule` in words."""

_BARS: Final = ("act", "watch", "note", "unknown")

CHART: Final[dict[str, Any]] = {
    "width": 420,
    "mark": "bar",
    "encoding": {
        "y": {"field": "rule", "type": "nominal", "title": None, "sort": None},
        "x": {"field": "count", "type": "quantitative", "title": "対象の数", "stack": True},
        "color": {
            "field": "kind",
            "type": "nominal",
            "title": None,
            "scale": {"domain": [HEADINGS[k] for k in _BARS]},
        },
        "order": {"field": "order"},
    },
}
"""What each rule found, and where it could not judge, over the rows of `bars`."""


def by_rule(examination: Examination) -> list[dict[str, Any]]:
    """One row a rule: subjects examined, found by severity, clear, and without a judgement."""
    counts: Counter[tuple[str, str]] = Counter()
    for each in examination.examined:
        found = each.outcome is Outcome.FOUND
        counts[each.rule, each.evidence.severity if found else each.outcome] += 1
    kinds = [*Severity, Outcome.CLEAR, Outcome.UNKNOWN]
    return [
        {
            "rule": rule,
            "examined": sum(counts[rule, kind] for kind in kinds),
            **{kind.value: counts[rule, kind] for kind in kinds},
        }
        for rule in sorted({rule for rule, _ in counts})
    ]


def bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of `by_rule` as the chart wants them; what was clear is left out."""
    return [
        {"rule": row["rule"], "kind": HEADINGS[kind], "count": row[kind], "order": order}
        for row in rows
        for order, kind in enumerate(_BARS)
    ]

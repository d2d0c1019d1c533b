"""Many findings of one rule as one item, so that what is rare is not buried under what is common.

What must be acted on is never grouped: each stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from geniac_pipelines.alerts.rows import Names
from geniac_pipelines.calendar import Month, months_between
from geniac_pipelines.findings.model import Finding, Severity

ALONE = 3
"""So many findings of one rule still stand for themselves."""


def grouped(findings: Sequence[Finding]) -> Iterator[Sequence[Finding]]:
    """Findings in their order; more than ALONE of one rule and a severity below `act` together."""
    for (severity, _), group in groupby(findings, key=lambda f: (f.severity, f.rule)):
        same = list(group)
        if severity is not Severity.ACT and len(same) > ALONE:
            yield same
        else:
            yield from ([finding] for finding in same)


def whose(group: Sequence[Finding], names: Names) -> list[str]:
    """The companies of a group, those of the same months in a line.

    So: 2026年4月〜2026年8月　株式会社あおいAI（aoi-ai）、… What is about no company has no line.
    """
    months: dict[str, list[Month]] = {}
    for finding in group:
        if finding.company_id is not None:
            found = months.setdefault(names.company(finding.company_id), [])
            found.extend([finding.month] if finding.month else [])
    lines: dict[str, list[str]] = {}
    for company, found in months.items():
        lines.setdefault(_span(found), []).append(company)
    return [f"{span}　{'、'.join(them)}".strip() for span, them in lines.items()]


def _span(months: Sequence[Month]) -> str:
    ordered = sorted(set(months))
    if len(ordered) < 2:
        return "".join(m.ja for m in ordered)
    whole = list(months_between(ordered[0], ordered[-1]))
    gap = "" if whole == ordered else f"のうち{len(ordered)}か月"
    return f"{ordered[0].ja}〜{ordered[-1].ja}{gap}"

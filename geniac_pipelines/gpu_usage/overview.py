"""What a data engineer wants to see of a night's compute use at a glance, beside the reports.

Rows for tables and pictures of the orchestrator's pages. Not here: anything that a report prints
(chapters say that), so nothing here is a `Figure`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from geniac_pipelines.calendar import Month
from geniac_pipelines.gpu_usage.facts import DayWork
from geniac_pipelines.store.warehouse import connect, rows

SHOWN_DAYS: Final = 62
"""Two months of days fit a picture."""

COVERAGE_SQL: Final = """
    select
        company_id as company,
        day,
        count(distinct gpu_uuid) as gpus,
        -- under MIG a device has several rows; one of them is enough to know that it was seen
        sum(covered) / (86400.0 * count(distinct gpu_uuid)) as covered_share
    from (
        select company_id, day, gpu_uuid, max(covered_seconds) as covered
        from read_parquet($files)
        where day >= $first
        group by all
    )
    group by all
    order by company, day
"""

LAST_DAY_SQL: Final = "select max(day) as day from read_parquet($files)"

VERDICTS_SQL: Final = """
    select
        v.company_id,
        v.verdict,
        v.status,
        v.worst_rule_ja,
        v.hit_count,
        v.undecided_count,
        round(v.telemetry_coverage_percent, 1) as telemetry_coverage_percent
    from marts.fct_gpu_usage__appropriateness as v
    where v.month = $month
    order by v.company_id
"""

REMADE_HEADINGS: Final = {
    "company": "企業",
    "days": "日数",
    "first": "最初の日",
    "last": "最後の日",
}
VERDICT_HEADINGS: Final = {
    "company_id": "企業",
    "verdict": "判定",
    "status": "状態",
    "worst_rule_ja": "判定を決めた規則",
    "hit_count": "該当",
    "undecided_count": "不能",
    "telemetry_coverage_percent": "網羅率%",
}
"""The columns of `remade` and `verdicts` in words."""

COVERAGE_CHART: Final[dict[str, Any]] = {
    "mark": {"type": "rect", "stroke": "white", "strokeWidth": 0.6},
    "encoding": {
        "x": {"field": "day", "type": "ordinal", "title": "日（日本時間）"},
        "y": {"field": "company", "type": "nominal", "title": None},
        "color": {
            "field": "covered_percent",
            "type": "quantitative",
            "title": "網羅率（%）",
            "scale": {"domain": [0, 100], "range": "ramp"},
        },
    },
}
"""Share of each company's GPU time that telemetry covers; a day without telemetry has no cell."""


def coverage(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Company × day of the last days with telemetry: GPUs seen, share of their day covered.

    `files` are day facts. `covered_percent` is of the devices that were seen that day; devices
    that ought to be there but were never seen are the marts' matter.
    """
    given = {"files": [str(f) for f in files]}
    if not files:
        return []
    with connect() as connection:
        last: date | None = rows(connection, LAST_DAY_SQL, given)[0]["day"]
        if last is None:
            return []
        first = last - timedelta(days=SHOWN_DAYS - 1)
        found = rows(connection, COVERAGE_SQL, {**given, "first": first})
    return [
        {
            "company": r["company"],
            "day": f"{r['day']:%m-%d}",
            "gpus": r["gpus"],
            "covered_percent": round(100 * r["covered_share"], 1),
        }
        for r in found
    ]


def remade(work: Sequence[DayWork]) -> list[dict[str, Any]]:
    """By company: how many days were remade, the first and the last of them."""
    days: defaultdict[str, list[date]] = defaultdict(list)
    for each in work:
        days[each.company].append(each.day)
    return [
        {"company": company, "days": len(found), "first": min(found), "last": max(found)}
        for company, found in sorted(days.items())
    ]


def verdicts(warehouse: Path, month: Month) -> list[dict[str, Any]]:
    """Each company's verdict on appropriateness in a month, as the night's marts have it."""
    with connect(warehouse, read_only=True) as connection:
        return rows(connection, VERDICTS_SQL, {"month": month.first})

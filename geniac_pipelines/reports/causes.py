"""Why a figure of an issued report changed: the files that its rows rest on and that came later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from geniac_pipelines.areas import CONTRACTS
from geniac_pipelines.figures.model import Figure, Scalar
from geniac_pipelines.figures.restated import Cause, Causes
from geniac_pipelines.store.warehouse import identifier, rows

REASONS = {c.name: c.changes_ja for c in CONTRACTS}
"""What a file of each contract does to figures, in the order in which reasons are told."""

NO_FILE = "ほかの数値の変更による再計算"
SHOWN = 1

LATER = """
select distinct deliveries.file_name, deliveries.received_on, deliveries.contracts
from (select unnest(_arrivals) as arrival_id from {mart} where {condition}) as used
inner join fct_programme__deliveries as deliveries on used.arrival_id = deliveries.arrival_id
where deliveries.received_on > $issued_on
order by deliveries.received_on, deliveries.file_name
"""


def causes_in(view: Any) -> Causes:
    """The causes as an audience's view of the warehouse knows them; each row is asked once."""
    known: dict[object, Cause] = {}
    columns = {
        r["table_name"]: r["columns"]
        for r in rows(
            view,
            "select table_name, list(column_name) as columns from information_schema.columns "
            "group by table_name",
        )
    }

    def cause(figure: Figure, issued_on: date) -> Cause:
        mart = figure.origin.relation.removeprefix("marts.")
        present = columns.get(mart, [])
        where: dict[str, Scalar] = {m: figure.row[c] for m, c in figure.origin.match.items()}
        conditions = [f"{identifier(c)} = ${c}" for c in where]
        if "month" in present and "month" in figure.origin.parameters:
            where["month"] = figure.origin.parameters["month"]
            conditions.append(f"month {'<=' if figure.origin.cumulative else '='} $month")
        if "_arrivals" not in present:
            return Cause(NO_FILE)
        key = (mart, tuple(conditions), tuple(sorted(where.items())), issued_on)
        if key not in known:
            condition = " and ".join(conditions) or "true"
            statement = LATER.format(mart=identifier(mart), condition=condition)
            known[key] = _cause(rows(view, statement, {**where, "issued_on": issued_on}))
        return known[key]

    return cause


def _cause(files: Sequence[Mapping[str, Any]]) -> Cause:
    if not files:
        return Cause(NO_FILE)
    contracts = {contract for f in files for contract in f["contracts"]}
    reasons = dict.fromkeys(ja for contract, ja in REASONS.items() if contract in contracts)
    named = [f"{f['file_name'].rpartition('/')[2]}（{_day(f['received_on'])}受付）" for f in files]
    more = len(files) - SHOWN
    return Cause(
        "、".join(reasons) or NO_FILE,
        "、".join(named[:SHOWN]) + (f"、ほか{more}件" if more > 0 else ""),
    )


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日"

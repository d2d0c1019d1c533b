"""The words of findings: what a rule examined, the finding that follows, and its changes."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

from geniac_pipelines.calendar import Month

MACHINE = "machine"
"""Stands in the place of a person's name where a night changed a finding."""

_RULE = re.compile(r"[a-z][a-z0-9_]*")

Scalar = str | int | float | bool | None


class Severity(StrEnum):
    """How much it matters, from least to most."""

    NOTE = "note"
    WATCH = "watch"
    ACT = "act"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)

    @property
    def ja(self) -> str:
        return {"note": "注記", "watch": "要確認", "act": "要指示"}[self.value]


class Outcome(StrEnum):
    """What examining a subject came to. UNKNOWN: the data do not allow a judgement (判定不能)."""

    FOUND = "found"
    CLEAR = "clear"
    UNKNOWN = "unknown"


class State(StrEnum):
    """Where a finding stands. CLOSED is a person's word, RESOLVED that of an examination."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    RESOLVED = "resolved"

    @property
    def active(self) -> bool:
        return self in (State.OPEN, State.ACKNOWLEDGED)

    @property
    def ja(self) -> str:
        return {
            "open": "未対応",
            "acknowledged": "対応中",
            "closed": "対応終了",
            "resolved": "解消",
        }[self.value]


class Event(StrEnum):
    """What happened to a finding; the first six are a night's doing, the others a person's."""

    OPENED = "opened"
    REOPENED = "reopened"
    CHANGED = "changed"
    STALE = "stale"
    EXAMINED = "examined"
    RESOLVED = "resolved"
    CONFIRMED = "confirmed"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    EXPLAINED = "explained"
    DISPUTED = "disputed"
    RELEASED = "released"

    @property
    def ja(self) -> str:
        return {
            "opened": "検出",
            "reopened": "再検出",
            "changed": "内容の変化",
            "stale": "判定できず据え置き",
            "examined": "再び判定",
            "resolved": "解消",
            "confirmed": "確認",
            "acknowledged": "受け止め",
            "closed": "対応終了",
            "explained": "会社の説明",
            "disputed": "異議",
            "released": "公開の許可",
        }[self.value]


class NotExaminable(ValueError):
    """A row of a rule that breaks what all rows of rules keep."""


@dataclass(frozen=True)
class Evidence:
    """What a rule says about a subject, and where a reader finds it in the warehouse.

    `month` is a month's first day. `match` gives the columns and values by which the rows are
    found in mart `relation`; `arrivals` the ids of what they were made from.
    """

    company_id: str | None
    month: date | None
    clause: str
    severity: Severity
    message_ja: str
    message_en: str
    proposal_ja: str | None
    relation: str
    match: Mapping[str, Scalar]
    arrivals: tuple[str, ...]


@dataclass(frozen=True)
class Examined:
    """One subject that a rule examined in a night. `rule` and `subject` are its identity."""

    rule: str
    subject: str
    outcome: Outcome
    evidence: Evidence

    def __post_init__(self) -> None:
        # a rule holds no slash, so that the id can be taken apart
        if not _RULE.fullmatch(self.rule):
            raise NotExaminable(
                f"rule {self.rule!r}: a rule is named in lower case letters, digits, underscores"
            )

    @property
    def id(self) -> str:
        return finding_id(self.rule, self.subject)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """From a row of a model in schema `findings`. Raises NotExaminable.

        `match` is JSON text. Where nothing was found, severity and messages may be null.
        """
        try:
            outcome = Outcome(row["state"])
            found = outcome is Outcome.FOUND
            match = json.loads(row["match"] or "{}")
            if not isinstance(match, dict):
                raise ValueError(f"match is not a JSON object: {row['match']}")
            severity = row["severity"] if found else row["severity"] or Severity.NOTE
            evidence = Evidence(
                company_id=row["company_id"] or None,
                month=row["month"],
                clause=_text(row, "clause"),
                severity=Severity(severity),
                message_ja=_text(row, "message_ja") if found else row["message_ja"] or "",
                message_en=_text(row, "message_en") if found else row["message_en"] or "",
                proposal_ja=row["proposal_ja"] or None,
                relation=_text(row, "relation"),
                match=match,
                arrivals=tuple(sorted(set(row["arrivals"] or ()))),
            )
            return cls(_text(row, "rule"), _text(row, "subject"), outcome, evidence)
        except KeyError as error:
            raise NotExaminable(f"the model has no column {error}") from error
        except (TypeError, ValueError) as error:
            raise NotExaminable(f"{row.get('rule')}/{row.get('subject')}: {error}") from error


@dataclass(frozen=True)
class Examination:
    """What all rules examined in a night.

    A rule with one row that can't be right counts as not run: its rows are left out, so that its
    findings stay as they stand, and `problems` (English) says why. `names` are the rules' Japanese
    names by their ids, of those that came with one.
    """

    examined: tuple[Examined, ...]
    problems: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """A finding as it stands. Generations are numbers of nights; instants are aware UTC.

    `episode` counts how often it opened. `first_*` is when it was found at all, `opened_*` when
    this episode began, `seen_*` when it was last found, `stale_*` since when examinations brought
    no result (None: the last one did), `ended_*` when it was resolved or closed.
    """

    rule: str
    subject: str
    episode: int
    state: State
    evidence: Evidence
    first_generation: int
    first_at: datetime
    opened_generation: int
    opened_at: datetime
    seen_generation: int
    seen_at: datetime
    stale_generation: int | None = None
    stale_at: datetime | None = None
    ended_generation: int | None = None
    ended_at: datetime | None = None

    @property
    def id(self) -> str:
        """`<rule>/<subject>`, by which people and decisions name it."""
        return finding_id(self.rule, self.subject)

    @property
    def company_id(self) -> str | None:
        return self.evidence.company_id

    @property
    def severity(self) -> Severity:
        return self.evidence.severity

    @property
    def month(self) -> Month | None:
        return Month.of(self.evidence.month) if self.evidence.month else None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """From a row of the ledger, or of its snapshot, where JSON is text."""
        evidence = Evidence(
            **{
                **{name: row[name] for name in Evidence.__dataclass_fields__},
                "severity": Severity(row["severity"]),
                "match": _parsed(row["match"]),
                "arrivals": tuple(_parsed(row["arrivals"])),
            }
        )
        own = {n: row[n] for n in cls.__dataclass_fields__ if n not in ("state", "evidence")}
        return cls(**own, state=State(row["state"]), evidence=evidence)

    def row(self) -> dict[str, Any]:
        """As the ledger stores it."""
        own = {n: getattr(self, n) for n in self.__dataclass_fields__ if n != "evidence"}
        evidence = {n: getattr(self.evidence, n) for n in Evidence.__dataclass_fields__}
        return {
            **own,
            **evidence,
            "state": self.state.value,
            "severity": self.severity.value,
            "match": dict(self.evidence.match),
            "arrivals": list(self.evidence.arrivals),
        }


@dataclass(frozen=True)
class Change:
    """Something that happened to a finding, which is given as it stands afterwards."""

    event: Event
    finding: Finding
    reason: str


@dataclass(frozen=True)
class Changes:
    """What a night's examination came to.

    `findings` is every finding on record afterwards, in the order of rule and subject; `undecided`
    counts the subjects that could not be judged, on record or not.
    """

    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    undecided: int

    def of(self, *events: Event) -> tuple[Finding, ...]:
        """The findings to which one of these happened."""
        return tuple(c.finding for c in self.changes if c.event in events)

    @cached_property
    def new(self) -> tuple[Finding, ...]:
        """Opened or reopened."""
        return self.of(Event.OPENED, Event.REOPENED)

    @cached_property
    def continuing(self) -> tuple[Finding, ...]:
        """Open or acknowledged as before, examined or not."""
        new = {f.id for f in self.new}
        return tuple(f for f in self.findings if f.state.active and f.id not in new)


def finding_id(rule: str, subject: str) -> str:
    return f"{rule}/{subject}"


def examination(rows: Iterable[Mapping[str, Any]]) -> Examination:
    """The rows of all models in schema `findings`, checked.

    A rule's name stands in `rule_ja`; it is only shown, so a rule without one runs all the same.
    """
    by_rule: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_rule[str(row.get("rule"))].append(row)
    examined: list[Examined] = []
    problems: list[str] = []
    names: dict[str, str] = {}
    for rule, its in sorted(by_rule.items()):
        try:
            found = [Examined.from_row(row) for row in its]
            refuse_doubles(found)
        except NotExaminable as error:
            problems.append(f"rule {rule} counts as not run: {error}")
        else:
            examined += found
        if name := next((row["rule_ja"] for row in its if row.get("rule_ja")), None):
            names[rule] = name
    return Examination(tuple(examined), tuple(problems), names)


def refuse_doubles(found: Iterable[Examined]) -> None:
    """Raise NotExaminable when one rule examined one subject twice."""
    doubles = [i for i, count in Counter(e.id for e in found).items() if count > 1]
    if doubles:
        raise NotExaminable(f"examined more than once in a night: {', '.join(sorted(doubles))}")


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row[column]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{column} is missing")
    return value


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value

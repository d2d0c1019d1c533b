"""What the alerts are told by their caller, as plain rows.

Here: the rows, and `Own`, which holds what concerns one company and nothing else. Whatever is
written to a company is written from its `Own` alone. Not here: where the rows come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from geniac_pipelines.findings.model import Finding
from geniac_pipelines.store.arrivals import RefusalRecord


class Handed(StrEnum):
    """Where something that a company owes stands. MISSING: due before today and not there."""

    EXPECTED = "expected"
    RECEIVED = "received"
    MISSING = "missing"


@dataclass(frozen=True)
class Submission:
    """Something that a company has to hand in: what, for which period, by which day (JST)."""

    company_id: str
    what: str
    what_en: str
    period: str
    due: date
    state: Handed


@dataclass(frozen=True)
class Delivered:
    """A file as it came in (aware instant), and how many of its rows were taken."""

    arrival_id: str
    file: str
    sha256: str
    received_at: datetime
    rows: int


@dataclass(frozen=True)
class Correction:
    """A place in a file that the company has to correct: what came, what to do."""

    company_id: str
    delivered: Delivered
    refusal: RefusalRecord

    @property
    def doubt(self) -> bool:
        """Nothing was lost there, the company is only asked whether it is right."""
        return self.refusal.costs == "doubt"


@dataclass(frozen=True)
class Company:
    """An organisation: how it is called in Japanese, in English and otherwise, and its address."""

    company_id: str
    name_ja: str
    name_en: str | None = None
    aliases: tuple[str, ...] = ()
    contact: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(n for n in (self.company_id, self.name_ja, self.name_en, *self.aliases) if n)


@dataclass(frozen=True)
class Intake:
    """What came in since the last digest: files, rows that landed, places to correct."""

    files: int
    rows: int
    refusals: int


class ForeignRow(ValueError):
    """A row of another company, where only one company's may be."""


@dataclass(frozen=True)
class Own:
    """Everything about one company that it may be told. Raises ForeignRow for anybody else's."""

    company: Company
    submissions: tuple[Submission, ...] = ()
    corrections: tuple[Correction, ...] = ()
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        owners = {
            *(s.company_id for s in self.submissions),
            *(c.company_id for c in self.corrections),
            *(f.company_id for f in self.findings),
        }
        if foreign := owners - {self.company.company_id}:
            raise ForeignRow(f"{self.company.company_id} was given rows of {foreign}")


def split(
    companies: Iterable[Company],
    submissions: Iterable[Submission],
    corrections: Iterable[Correction],
    findings: Iterable[Finding],
) -> tuple[Own, ...]:
    """What concerns each company, in the order of their ids. Rows of no such company are left."""
    submissions, corrections, findings = tuple(submissions), tuple(corrections), tuple(findings)
    return tuple(
        Own(
            company,
            tuple(s for s in submissions if s.company_id == company.company_id),
            tuple(c for c in corrections if c.company_id == company.company_id),
            tuple(f for f in findings if f.company_id == company.company_id),
        )
        for company in sorted(companies, key=lambda c: c.company_id)
    )


@dataclass(frozen=True)
class Names:
    """How the secretariat calls companies and rules, by their ids, in Japanese."""

    companies: Mapping[str, str]
    rules: Mapping[str, str]

    def named(self, company_id: str | None) -> str | None:
        """The mere name, as texts have it."""
        return None if company_id is None else self.companies.get(company_id)

    def company(self, company_id: str) -> str:
        """The name with the id behind it, or the id alone."""
        name = self.companies.get(company_id)
        return f"{name}（{company_id}）" if name else company_id

    def rule(self, rule: str) -> str:
        """The name, or the id where it has none."""
        return self.rules.get(rule, rule)

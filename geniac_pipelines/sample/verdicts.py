"""Which verdict each company's months should get, told from what was planted and nothing else.

Verdicts follow from traits by construction: everybody else plans close to what they will have
used and delivers whole months of telemetry. No threshold is looked up and nothing is measured.
Good for samples of the default size (64 GPUs, six months, two of them with telemetry); in much
smaller ones what was planted may be too small to matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from geniac_pipelines.calendar import Month, months_between
from geniac_pipelines.sample.model import LAST_MONTH, Company, Trait
from geniac_pipelines.sample.papers import CONTRADICTS_FROM

SOUND: Final = "適正"
CHECK: Final = "要確認"
INSTRUCT: Final = "要指示"
UNKNOWN: Final = "判定不能"
_GRAVITY: Final = (SOUND, UNKNOWN, CHECK, INSTRUCT)


@dataclass(frozen=True)
class Verdict:
    """The verdict that a company's month should get."""

    company_id: str
    month: Month
    verdict: str


def verdicts(
    companies: Sequence[Company], first: Month, last: Month, measured_from: Month
) -> Iterator[Verdict]:
    """Months from the first to `last`; telemetry of months before `measured_from` never came."""
    for company in companies:
        for month in months_between(first, last):
            found = max(_found(company, month, measured_from), key=_GRAVITY.index)
            yield Verdict(company.organisation_id, month, found)


def _found(company: Company, month: Month, measured_from: Month) -> Iterator[str]:
    traits = company.traits
    yield SOUND
    if month < measured_from or {Trait.NO_TELEMETRY, Trait.PARTIAL_TELEMETRY} & traits:
        yield UNKNOWN
    elif Trait.CHRONIC_IDLE in traits:
        yield INSTRUCT
    elif {Trait.SOME_IDLE, Trait.WEAK_USE} & traits:
        yield CHECK
    elif Trait.TELEMETRY_STOPS in traits and month == LAST_MONTH:
        yield UNKNOWN
    if {Trait.OVER_PLAN, Trait.UNDER_PLAN} & traits:
        yield CHECK
    # by its sixth month the plan of a whole year is used up
    if Trait.OVER_PLAN in traits and month == LAST_MONTH:
        yield INSTRUCT
    if Trait.CONTRADICTS in traits and month >= CONTRADICTS_FROM:
        yield CHECK
    if Trait.AFTER_PERIOD in traits and month > Month.of(company.support_to):
        yield INSTRUCT

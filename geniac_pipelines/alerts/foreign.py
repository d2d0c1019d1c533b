"""Whether a text names another company.

A second lock behind `rows.Own`: free text (a file's name, a cell, a rule's message) may hold a name
that no structure can see. Names are compared as `fold_company` compares them, so that legal forms
and spelling don't matter; Latin ones count as whole words only, and from three letters on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from geniac_pipelines.alerts.rows import Company
from geniac_pipelines.japanese import fold_company
from geniac_pipelines.japanese.folding import nfkc

SHORTEST_LATIN = 3
SHORTEST_JAPANESE = 2

_BETWEEN = r"[\s,.・\-]*"


def foreign_names(text: str, own: Company, register: Iterable[Company]) -> tuple[str, ...]:
    """Ids of the companies of `register` other than `own` that the text names, sorted."""
    owners: dict[str, set[str]] = {}
    for company in (own, *register):
        for name in company.names:
            owners.setdefault(fold_company(name), set()).add(company.company_id)
    latin = [f for f in owners if f.isascii() and len(f) >= SHORTEST_LATIN]
    japanese = [f for f in owners if not f.isascii() and len(f) >= SHORTEST_JAPANESE]
    named = _found(japanese, fold_company(text), r"{}", "")
    named |= _found(latin, nfkc(text).casefold(), r"(?<![a-z0-9]){}(?![a-z0-9])", _BETWEEN)
    others = {i for form in named if own.company_id not in owners[form] for i in owners[form]}
    return tuple(sorted(others))


def _found(forms: list[str], text: str, frame: str, between: str) -> set[str]:
    """Which forms stand in the text; of two that begin at one place, only the longer."""
    if not forms:
        return set()
    ordered = sorted(forms, key=lambda f: (-len(f), f))
    spelled = (between.join(map(re.escape, form)) for form in ordered)
    pattern = "|".join(frame.format(f"({spelling})") for spelling in spelled)
    return {ordered[found.lastindex - 1] for found in re.finditer(pattern, text) if found.lastindex}

"""Which format a file is, by its content. Exactly one may claim it."""

from __future__ import annotations

from collections.abc import Sequence

from geniac_pipelines.intake.reading import Format, Source


class Ambiguous(Exception):
    """Two formats claim the same file; a fault of ours, not of the sender."""


def recognise(source: Source, formats: Sequence[Format]) -> Format | None:
    """The one format that claims the file, or None. Raises Ambiguous if several do."""
    claims = [f for f in formats if f.recognise(source)]
    if len(claims) > 1:
        names = ", ".join(f.name for f in claims)
        raise Ambiguous(f"{source.name} is claimed by {names}")
    return claims[0] if claims else None

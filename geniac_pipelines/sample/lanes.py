"""How a pool's slots are divided into lanes, each of which holds one run at a time.

Here: widths and what a lane is for. Not here: which runs go there (`jobs`).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from geniac_pipelines.sample.model import Company, Pool, Span, Trait


@dataclass(frozen=True)
class Lane:
    """Slots that one run at a time may hold; `training` lanes are whole nodes."""

    span: Span
    training: bool
    slices: bool


def kept_for_mixed(company: Company, pool: int) -> int:
    """Slots at a pool's end that only mixed jobs use."""
    if Trait.MIXED_JOBS not in company.traits or len(company.pools[pool].slots) < 2:
        return 0
    return 1 if company.pools[pool].parts == 28 else 2


def lanes_of(number: int, pool: Pool, slots: int, rng: Random) -> list[Lane]:
    """The pool's first `slots` slots as lanes: blocks of whole nodes, then parts of a node."""
    node = pool.slots_per_node
    slices = pool.parts < 28
    widths: list[int] = []
    nodes = 0 if slices else max(0, slots // node - 1)
    scale = max(1, nodes // 7)
    while nodes:
        block = min(nodes, rng.choice((1, 2, 2, 4, 4, 8)) * scale)
        widths.append(block * node)
        nodes -= block
    rest = slots - sum(widths)
    while rest:
        width = min(rest, rng.choice((1, 2, 4, 7) if slices else (1, 1, 2, 4)))
        widths.append(width)
        rest -= width
    lanes: list[Lane] = []
    low = 0
    for width in widths:
        lanes.append(Lane(Span(number, low, low + width), width >= node and not slices, slices))
        low += width
    return lanes

"""Which GPUs a job holds, out of Slurm's TRES texts, `--json` TRES lists and old GRES texts.

Here: the GPU entries alone, their canonical text and their number as Slurm counts it, where one
MIG slice is one. Not here: what a slice is worth as a part of a physical GPU (SQL does that, from
the canonical text), and every other resource.

Slurm writes the untyped total and the typed parts side by side (`gres/gpu:h100=16,gres/gpu=16`),
so the two are never added. `gres/gpumem` and `gres/gpuutil` are other resources.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

UNTYPED: Final = "gpu"
"""How GPUs of no stated type are printed; `gres/gpu:gpu` is the same."""

_INT64_LIMIT = 1 << 63

# Slurm prints large counts by convert_num_unit, whose steps are 1024.
_SUFFIXES = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_COUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)([KMGTP]?)", re.ASCII | re.IGNORECASE)
_TRES_ENTRY = re.compile(r"([a-z]+(?:/[^=,\s]+)?)=([^=,\s]+)", re.ASCII)
_TRES_VALUE = re.compile(r"-?[0-9][0-9.:]*[A-Za-z]{0,2}", re.ASCII)
_TYPE = re.compile(r"[^\s=,:()|\x00-\x1f]+")
# gpu, gpu:2, gpu:tesla, gpu:tesla:2(S:0-1); other resources stand beside it as mps:100
_GRES_ENTRY = re.compile(r"([^\s=,:()]+(?::[^\s=,:()]+){0,2})(?:\([^()]*\))?")
# Where the gres plugin was not loaded, old sacct prints its number: the letters "gpu" as bytes.
_GPU_NAMES = frozenset({"gpu", str(int.from_bytes(b"gpu", "little"))})
_NULLS = frozenset({"", "(null)", "null", "N/A"})


class UnreadableTres(ValueError):
    """A text or list that is not Slurm's; `part` is the piece that could not be read."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part!r}: {reason}")
        self.part = part
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Gres:
    """GPUs of one allocation or request: (type, count), sorted by printed type, "" untyped.

    The counts of `entries` add up to `count`, which is Slurm's own `gres/gpu`. `typed_excess` is
    by how many the typed entries that came went beyond that total; their types are then dropped,
    since it cannot be known which of them to believe.
    """

    entries: tuple[tuple[str, int], ...] = ()
    typed_excess: int = 0

    @property
    def count(self) -> int:
        """All GPUs, as `gres/gpu` counts them (one MIG slice is one)."""
        return sum(count for _, count in self.entries)

    @property
    def text(self) -> str:
        """Canonical text: `1g.10gb=3,h100=2`, `gpu=16` where untyped, "" for none."""
        return ",".join(f"{kind or UNTYPED}={count}" for kind, count in self.entries)


NONE: Final = Gres()


def gpus(tres: str) -> Gres:
    """GPUs in a TRES text such as `billing=16,cpu=16,gres/gpu:h100=16,gres/gpu=16`.

    The order of entries does not matter. Raises UnreadableTres when any entry is not
    `name=value`, a GPU count is no whole number, or an entry comes twice with different counts.
    """
    if tres in _NULLS:
        return NONE
    found: dict[str, int] = {}
    for part in tres.split(","):
        entry = _TRES_ENTRY.fullmatch(part)
        if entry is None or not _TRES_VALUE.fullmatch(entry[2]):
            raise UnreadableTres(part, "not an entry of the form name=value")
        kind = _gpu_type(entry[1])
        if kind is not None:
            _put(found, kind, _count(entry[2], part), part)
    return _gres(found)


def gpus_of_list(tres: Iterable[Mapping[str, Any]]) -> Gres:
    """GPUs in a TRES list of `sacct --json`: objects with `type`, `name` and `count`.

    `name` holds `gpu` or `gpu:h100`. Raises UnreadableTres as `gpus` does; entries of other
    resources may hold anything (energy comes as null or -2 where it is not known).
    """
    found: dict[str, int] = {}
    for entry in tres:
        if not isinstance(entry, Mapping):
            raise UnreadableTres(str(entry), "not an object")
        if entry.get("type") != "gres":
            continue
        name, count = entry.get("name"), entry.get("count")
        part = f"gres/{name}={count}"
        if not isinstance(name, str):
            raise UnreadableTres(part, "a gres without a name")
        kind = _gpu_type(f"gres/{name}")
        if kind is None:
            continue
        if isinstance(count, bool) or not isinstance(count, int):
            raise UnreadableTres(part, "not a whole number")
        _put(found, kind, _bounded(count, part), part)
    return _gres(found)


def gpus_of_gres(gres: str) -> Gres:
    """GPUs in an AllocGRES or ReqGRES text of old versions: `gpu:2`, `gpu:tesla:2(S:0-1)`.

    A name without a number means one. Entries of one type add up, as they stand for sockets or
    nodes. Raises UnreadableTres for anything else.
    """
    if gres in _NULLS:
        return NONE
    found: Counter[str] = Counter()
    for part in re.split(r",(?![^()]*\))", gres):
        entry = _GRES_ENTRY.fullmatch(part)
        if entry is None:
            raise UnreadableTres(part, "not an entry of the form name[:type][:count]")
        name, *rest = entry[1].removeprefix("gres/").split(":")
        if name not in _GPU_NAMES:
            continue
        count = 1
        if rest and _COUNT.fullmatch(rest[-1]):
            count = _count(rest.pop(), part)
        if len(rest) > 1:
            raise UnreadableTres(part, "not a whole number")
        found[_folded(rest[0]) if rest else ""] += count
    return _gres(found)


def _gpu_type(name: str) -> str | None:
    """The type in `gres/gpu:h100`, "" for plain `gres/gpu`, None for another resource."""
    if name == "gres/gpu":
        return ""
    if not name.startswith("gres/gpu:"):
        return None
    kind = name.removeprefix("gres/gpu:")
    if not _TYPE.fullmatch(kind):
        raise UnreadableTres(name, "not a GPU type")
    return _folded(kind)


def _folded(kind: str) -> str:
    return "" if kind == UNTYPED else kind


def _count(text: str, part: str) -> int:
    found = _COUNT.fullmatch(text)
    if found is None:
        raise UnreadableTres(part, "not a whole number")
    value = Decimal(found[1]) * 1024 ** _SUFFIXES[found[2].upper()]
    if value != value.to_integral_value():
        raise UnreadableTres(part, "not a whole number")
    return _bounded(int(value), part)


def _bounded(count: int, part: str) -> int:
    """Slurm's marks for "no value" are the last numbers of 64 bits; they are no counts."""
    if not 0 <= count < _INT64_LIMIT:
        raise UnreadableTres(part, "not a count of GPUs")
    return count


def _put(found: dict[str, int], kind: str, count: int, part: str) -> None:
    if found.setdefault(kind, count) != count:
        raise UnreadableTres(part, "the same entry twice, with different counts")


def _gres(found: Mapping[str, int]) -> Gres:
    """Typed parts under the untyped total, which holds where the two disagree."""
    typed = {kind: count for kind, count in found.items() if kind and count}
    total = _bounded(found.get("", sum(typed.values())), "gres/gpu")
    excess = sum(typed.values()) - total
    if excess > 0:
        return Gres(((("", total),) if total else ()), typed_excess=excess)
    if excess < 0:
        typed[""] = -excess
    return Gres(tuple(sorted(typed.items(), key=lambda entry: entry[0] or UNTYPED)))

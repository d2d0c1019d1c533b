"""Parquet files of the data folder: landing, facts, and the zero-row file of each table.

Readers follow lists from the ledger, never a glob. Small landing files of one table are merged
into bigger ones in tiers, so that a night opens few files however long the history is.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from geniac_pipelines.contracts import Contract
from geniac_pipelines.store.files import whole
from geniac_pipelines.store.ledger import Ledger, arrivals, landings

FAN_IN = 32
"""Files of one tier that become one file of the next: 1, 32, 1,024, … arrivals a file."""


@dataclass(frozen=True)
class Merge:
    """A planned merge of landing files of one table into `path`.

    `arrivals` says for each of `sources` whose rows the ledger places there; a source may still
    hold rows of an arrival that was read again since, and they stay behind.
    """

    contract: str
    path: str
    sources: tuple[str, ...]
    arrivals: tuple[frozenset[str], ...]


def empty(data: Path, name: str, schema: pa.Schema) -> Path:
    """The zero-row file of a table; made on first use and again when its columns change."""
    digest = hashlib.sha256(schema.to_string().encode()).hexdigest()[:12]
    path = data / "landing" / name / f"empty-{digest}.parquet"
    if not path.exists():
        with whole(path) as temporary:
            pq.write_table(schema.empty_table(), temporary)
    return path


def landing_files(
    ledger: Ledger, data: Path, contracts: Sequence[Contract]
) -> dict[Contract, list[Path]]:
    """The files that hold each landing table's rows, the zero-row file first, in total order."""
    statement = sa.select(landings.c.contract, landings.c.path).distinct()
    found: defaultdict[str, list[str]] = defaultdict(list)
    with ledger.reading() as connection:
        for contract, path in connection.execute(statement):
            found[contract].append(path)
    return {
        c: [empty(data, c.name, c.schema), *(data / p for p in sorted(found[c.name]))]
        for c in contracts
    }


def plan_merges(ledger: Ledger, contracts: Sequence[Contract]) -> list[Merge]:
    """Which landing files are worth merging now. Bulk tables are never merged."""
    mergeable = {c.name for c in contracts if not c.bulk}
    statement = (
        sa.select(landings.c.contract, landings.c.path, landings.c.arrival_id)
        .join(arrivals, arrivals.c.arrival_id == landings.c.arrival_id)
        .order_by(landings.c.contract, arrivals.c.received_at, arrivals.c.arrival_id)
    )
    held: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    with ledger.reading() as connection:
        for contract, path, arrival in connection.execute(statement):
            if contract in mergeable:
                held[contract, path].add(arrival)
    tiers: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for (contract, path), who in held.items():
        tiers[contract, _tier(len(who))].append(path)
    return [
        Merge(
            contract,
            _merged_path(contract, chunk),
            tuple(chunk),
            tuple(frozenset(held[contract, path]) for path in chunk),
        )
        for (contract, _), paths in sorted(tiers.items())
        for chunk in _chunks(paths)
    ]


def _tier(count: int) -> int:
    tier = 0
    while count >= FAN_IN:
        count //= FAN_IN
        tier += 1
    return tier


def _chunks(paths: Sequence[str]) -> Iterable[Sequence[str]]:
    whole_chunks = len(paths) // FAN_IN
    for n in range(whole_chunks):
        yield paths[n * FAN_IN : (n + 1) * FAN_IN]


def _merged_path(contract: str, sources: Sequence[str]) -> str:
    digest = hashlib.sha256("\0".join(sources).encode()).hexdigest()[:20]
    return f"landing/{contract}/merged-{digest}.parquet"


def write_merge(data: Path, merge: Merge, schema: pa.Schema) -> None:
    """Write the merged file, one part of a source in memory at a time.

    `schema` is the table's of today; a column that a source lacks is missing in its rows.
    """
    # imports pandas, which definitions need not wait for
    from pyarrow.dataset import dataset, field  # noqa: PLC0415

    with (
        whole(data / merge.path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for source, who in zip(merge.sources, merge.arrivals, strict=True):
            landed = dataset(data / source, schema=schema)
            for batch in landed.to_batches(filter=field("_arrival").isin(sorted(who))):
                writer.write_batch(batch)


def remove_orphans(data: Path, kept: Mapping[str, set[str]]) -> int:
    """Delete Parquet below each folder of `kept` that is not listed there; returns how many.

    Only under the night's lock: whatever is unlisted then belongs to a night that died.
    """
    removed = 0
    for folder, names in kept.items():
        for file in sorted((data / folder).rglob("*")):
            if not file.is_file() or file.name.startswith("empty-"):
                continue
            if file.relative_to(data).as_posix() not in names:
                file.unlink()
                removed += 1
    return removed

"""A scrape of dcgm-exporter saved as text: the GPUs of one host at one instant.

The text has no time of its own unless the exporter was told to add one; then the arrival's time
is taken, with a note. Several scrapes in one file can only be told apart by times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa

from geniac_pipelines.gpu_usage.exposition import Malformed, Sample, parse
from geniac_pipelines.gpu_usage.telemetry_contracts import TELEMETRY
from geniac_pipelines.gpu_usage.telemetry_metrics import (
    METRICS,
    OUT_OF_RANGE,
    Gpu,
    batch_of,
    cleaned,
    gathered,
    gpu_of,
)
from geniac_pipelines.intake.reading import (
    Complaint,
    Context,
    Format,
    Item,
    Place,
    Refusal,
    Source,
)
from geniac_pipelines.japanese import UndecodableText

NO_TIME: Final = Complaint(
    "dcgm.no-time",
    "nothing",
    ja="取得時刻の記載がないため、受付日時を取得時刻としました",
    ja_remedy=(
        "時刻が必要な場合は、Prometheusの query_range の応答を提出してください。"
        "1回の取得だけでは稼働時間は分かりません"
    ),
    en="the scrape says no time; the time of its arrival was taken",
    en_remedy="send replies of query_range: a single scrape says nothing about a duration",
)
SEVERAL: Final = Complaint(
    "dcgm.several-scrapes",
    "file",
    ja="時刻のない取得が複数つながっています（{line}行目の {cell} が2回目です）",
    ja_remedy="1回の取得を1ファイルにするか、Prometheusの query_range の応答を提出してください",
    en="several scrapes without times in one file ({cell} comes again in line {line})",
    en_remedy="send one scrape a file, or replies of query_range",
)
UNREADABLE_LINE: Final = Complaint(
    "dcgm.unreadable-line",
    "row",
    ja='この行は 系列名{{ラベル="値"}} 値 の形ではありません: {cell}',
    ja_remedy="取得した内容をそのまま保存して提出してください",
    en='not a line of the form name{{label="value"}} value: {cell}',
    en_remedy="save and send the scrape as it came",
)
NO_UUID: Final = Complaint(
    "dcgm.no-uuid",
    "row",
    ja="UUIDのラベルがないため、どのGPUか分かりません",
    ja_remedy="dcgm-exporterの標準のラベルを残してください",
    en="no UUID label, so the GPU is unknown",
    en_remedy="keep the exporter's own labels",
)
NOTHING_USABLE: Final = Complaint(
    "dcgm.nothing-usable",
    "file",
    ja="使える系列がありません",
    ja_remedy="DCGM_FI_DEV_GPU_UTIL などを含むdcgm-exporterの出力を提出してください",
    en="no series that is used here",
    en_remedy="send the output of dcgm-exporter with DCGM_FI_DEV_GPU_UTIL and the like",
)
NOT_TEXT: Final = Complaint(
    "dcgm.not-text",
    "file",
    ja="文字コードが判別できません",
    ja_remedy="UTF-8で保存して提出してください",
    en="the text's encoding is unknown",
    en_remedy="save it as UTF-8",
)

Instants = dict[tuple[tuple[str, str], int], dict[str, float]]


def read(source: Source, context: Context) -> Iterator[Item]:
    """A row for each GPU (or MIG slice) and time, ordered by GPU and time."""
    try:
        samples = list(parse(source.lines()))
    except UndecodableText:
        yield NOT_TEXT.at(Place())
        return
    used = [s for s in samples if isinstance(s, Sample) and s.name in METRICS]
    repeated = _repeated(used)
    if repeated is not None:
        yield SEVERAL.at(Place(), repeated.name, line=repeated.line)
        return
    for sample in samples:
        if isinstance(sample, Malformed):
            yield UNREADABLE_LINE.at(Place(row=sample.line), sample.text[:200])
    gpus: dict[tuple[str, str], Gpu] = {}
    instants: Instants = defaultdict(dict)
    for sample in used:
        yield from _place(sample, context.received_at, gpus, instants)
    if not instants:
        yield NOTHING_USABLE.at(Place())
        return
    if any(s.time_ms is None for s in used):
        yield NO_TIME.at(Place())
    yield from gathered(
        _row(gpus[key], at_us, cells) for (key, at_us), cells in sorted(instants.items())
    )


def _repeated(samples: list[Sample]) -> Sample | None:
    """The first sample without time whose series has come before."""
    seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for sample in samples:
        series = (sample.name, tuple(sorted(sample.labels.items())))
        if sample.time_ms is None:
            if series in seen:
                return sample
            seen.add(series)
    return None


def _place(
    sample: Sample, received_at: datetime, gpus: dict[tuple[str, str], Gpu], instants: Instants
) -> Iterator[Refusal]:
    """Put a sample into its GPU's instant; of two values for one cell the greater holds."""
    place = Place(row=sample.line, column=sample.name)
    gpu = gpu_of(sample.labels)
    if gpu is None:
        yield NO_UUID.at(place)
        return
    metric = METRICS[sample.name]
    kept, impossible = cleaned(metric, np.array([sample.value]))
    if len(impossible):
        yield OUT_OF_RANGE.at(
            place, f"{sample.value:g}", metric=sample.name, count=1,
            low=metric.low, high=metric.high,
        )  # fmt: skip
    if np.isnan(kept[0]):
        return
    time_ms = sample.time_ms
    at_us = round(received_at.timestamp() * 1e3) * 1_000 if time_ms is None else time_ms * 1_000
    gpus[gpu.key] = max(gpus.get(gpu.key, gpu), gpu)
    cells = instants[gpu.key, at_us]
    cells[metric.column] = max(cells.get(metric.column, -np.inf), float(kept[0]))


def _row(gpu: Gpu, at_us: int, cells: dict[str, float]) -> pa.RecordBatch:
    columns: dict[str, Any] = {name: np.array([value]) for name, value in cells.items()}
    return batch_of(gpu, np.array([at_us]), {**columns, "evaluated": False, "samples": 1})


def recognise(source: Source) -> bool:
    """Lines of DCGM's fields, with their labels, at the beginning of a line."""
    head = source.head
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "replace").encode("utf-8", "replace")
    head = head.removeprefix(b"\xef\xbb\xbf")
    return head.startswith(b"DCGM_FI_") or b"\nDCGM_FI_" in head


DCGM_SCRAPE: Final = Format(
    name="dcgm-scrape",
    area="gpu_usage",
    ja="dcgm-exporterの出力（Prometheusテキスト形式）",
    contracts=(TELEMETRY,),
    recognise=recognise,
    read=read,
)
FORMATS: Final[tuple[Format, ...]] = (DCGM_SCRAPE,)

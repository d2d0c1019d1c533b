"""What DCGM's fields and labels mean for the telemetry table, and how columns become batches.

Here: field → column with the range in which a value can be true, labels → GPU, arrays → batches.
Not here: any file format. Fields as in dcgm-exporter's etc/default-counters.csv; `PROF` fields are
ratios of 0 to 1, `UTIL` percent, energy mJ since the driver was loaded, XID the last code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from geniac_pipelines.contracts import Type
from geniac_pipelines.gpu_usage.telemetry_contracts import TELEMETRY
from geniac_pipelines.intake.reading import Batch, Complaint

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SENTINEL: Final = 9.2e18
"""DCGM's "not supported" is a number near 2^63 that floats print in several ways."""

BATCH_ROWS: Final = 65_536


@dataclass(frozen=True)
class Metric:
    """A field: the column that it fills and the values that can be true."""

    column: str
    low: float
    high: float


# a measured ratio may overshoot 1 by a rounding of its own; a float holds integers up to 2^53
_RATIO = (0.0, 1.01)
_EXACT = 2.0**53

METRICS: Final[Mapping[str, Metric]] = {
    "DCGM_FI_DEV_GPU_UTIL": Metric("gpu_util_percent", 0.0, 100.0),
    "DCGM_FI_PROF_SM_ACTIVE": Metric("sm_active_ratio", *_RATIO),
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": Metric("tensor_active_ratio", *_RATIO),
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": Metric("gr_engine_active_ratio", *_RATIO),
    "DCGM_FI_PROF_DRAM_ACTIVE": Metric("dram_active_ratio", *_RATIO),
    "DCGM_FI_DEV_FB_USED": Metric("memory_used_mib", 0.0, 2.0**24),
    "DCGM_FI_DEV_POWER_USAGE": Metric("power_w", 0.0, 10_000.0),
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": Metric("energy_mj", 0.0, _EXACT),
    "DCGM_FI_DEV_GPU_TEMP": Metric("temperature_c", -50.0, 200.0),
    "DCGM_FI_DEV_XID_ERRORS": Metric("xid_code", 0.0, 9_999.0),
    # one field under its old and its new name
    "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS": Metric("clock_event_reasons", 0.0, _EXACT),
    "DCGM_FI_DEV_CLOCKS_EVENT_REASONS": Metric("clock_event_reasons", 0.0, _EXACT),
}

OUT_OF_RANGE: Final = Complaint(
    "telemetry.out-of-range",
    "cell",
    ja="{metric} に、あり得ない値が{count}件あります（例 {cell}）。{low:g}〜{high:g} のはずです",
    ja_remedy="該当の値は空欄として扱いました。計測の設定を確認し、正しい値で再提出してください",
    en="{metric} holds {count} impossible values (such as {cell}); expected {low:g} to {high:g}",
    en_remedy="they were taken as missing; check the exporter and send the file again",
)


@dataclass(frozen=True, order=True)
class Gpu:
    """A GPU or MIG slice as labels name it. `mig` is "" where the GPU is not divided."""

    uuid: str
    mig: str = ""
    profile: str = ""
    host: str = ""
    index: str = ""
    model: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it; everything else may change or be missing."""
        return self.uuid, self.mig


def gpu_of(labels: Mapping[str, str]) -> Gpu | None:
    """The GPU that a series or sample belongs to; None without a UUID label.

    Exporters write `Hostname` (today's template `hostname`), and `UUID` or `uuid`.
    """
    uuid = labels.get("UUID") or labels.get("uuid")
    if not uuid:
        return None
    return Gpu(
        uuid=uuid,
        mig=labels.get("GPU_I_ID", ""),
        profile=labels.get("GPU_I_PROFILE", ""),
        host=labels.get("Hostname") or labels.get("hostname") or "",
        index=labels.get("gpu", ""),
        model=labels.get("modelName", ""),
    )


def cleaned(metric: Metric, values: Floats) -> tuple[Floats, Floats]:
    """Values with NaN for what is missing or impossible, and the impossible ones for a complaint.

    NaN, infinities and DCGM's sentinels are missing without complaint: they say "not measured".
    """
    missing = ~np.isfinite(values) | (np.abs(values) >= SENTINEL)
    impossible = ~missing & ((values < metric.low) | (values > metric.high))
    return np.where(missing | impossible, np.nan, values), values[impossible]


def batch_of(gpu: Gpu, at_us: Integers, columns: Mapping[str, Any]) -> pa.RecordBatch:
    """Rows of one GPU in the contract's columns.

    `at_us` is microseconds since the epoch (UTC). `columns` holds arrays of that length, in which
    NaN means missing, or single values for every row; what it lacks is missing.
    """
    constants: dict[str, Any] = {
        "gpu_uuid": gpu.uuid,
        "mig_id": gpu.mig or None,
        "mig_profile": gpu.profile or None,
        "host": gpu.host or None,
        "gpu_index": int(gpu.index) if gpu.index.isdecimal() and gpu.index.isascii() else None,
        "gpu_model": gpu.model or None,
    }
    given = {**constants, **columns}
    arrays = [
        pa.array(at_us, type=pa.int64()).cast(c.type.arrow)
        if c.name == "sampled_at"
        else _array(given.get(c.name), c.type, len(at_us))
        for c in TELEMETRY.columns
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=TELEMETRY.schema)


def _array(value: Any, kind: Type, rows: int) -> Any:
    if not isinstance(value, np.ndarray):
        scalar: Any = pa.scalar(value, kind.arrow)
        return pa.repeat(scalar, rows)
    if kind is Type.INTEGER:
        missing = np.isnan(value)
        whole = np.rint(np.where(missing, 0.0, value)).astype(np.int64)
        return pa.array(whole, mask=missing, type=kind.arrow)
    return pa.array(value, from_pandas=True, type=kind.arrow)


def gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[Batch]:
    """Batches of at least BATCH_ROWS rows (but the last), so that row groups are not tiny."""
    waiting: list[pa.RecordBatch] = []
    first = 1

    def together() -> Batch:
        table = pa.Table.from_batches(waiting, schema=TELEMETRY.schema).combine_chunks()
        (whole,) = table.to_batches()
        return Batch(TELEMETRY, whole, first)

    for batch in batches:
        waiting.append(batch)
        if sum(b.num_rows for b in waiting) >= BATCH_ROWS:
            yield together()
            first += sum(b.num_rows for b in waiting)
            waiting = []
    if any(b.num_rows for b in waiting):
        yield together()

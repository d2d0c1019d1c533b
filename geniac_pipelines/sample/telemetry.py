"""GPU telemetry as Prometheus answers `query_range`, one reply a company and day, as a stream.

A GPU is busy when a run holds it, and how busy is the company's and the run's own. What a server
did not measure is not in the file: outages are gaps, never zeros. MIG slices have no GPU_UTIL (it
is not produced for them) but GR_ENGINE_ACTIVE, and carry their whole GPU's power and energy.

Labels as in dcgm-exporter's template; values as Prometheus prints floats.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import compress
from operator import add
from pathlib import Path
from typing import IO, Final

import numpy as np
import numpy.typing as npt

from geniac_pipelines.sample.model import DAY, LAST_MONTH, Company, Pool, Run, Slot, Trait, epoch

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

SENTINEL: Final = "9223372036854776000"
MODELS: Final = {
    "H100": ("NVIDIA H100 80GB HBM3", 700.0, 72.0, 79_000),
    "A100": ("NVIDIA A100-SXM4-40GB", 400.0, 55.0, 39_000),
    "H200": ("NVIDIA H200", 700.0, 76.0, 140_000),
}
"""Name, power limit and idle power (W), memory that jobs may fill (MiB)."""
_MIB_STEP: Final = 256
RATIOS: Final = [f"{i / 1000:g}" for i in range(1001)]
_PERCENTS: Final = [str(i) for i in range(101)]
WATTS: Final = [f"{i / 10:g}" for i in range(7_001)]
_DRIVER: Final = "580.105.08"
_IDLE_RUNS: Final = 0.85
"""Share of runs that hold their GPUs and do nothing, where idleness is chronic."""
_WORKING_SHARE: Final = 0.62
"""Share of a run's time until its work is done, where GPUs are released late."""
COVERED: Final = 0.4


@dataclass(frozen=True)
class DayCount:
    """What one company's file of a day holds, counted in slot-instants.

    `expected` is slots × instants of the day; `present` those with any value; `held` the present
    ones at which a run held the slot, `held_idle` those of them with SM_ACTIVE below 0.01.
    """

    company_id: str
    day: date
    slots: int
    interval_seconds: int
    expected: int
    present: int
    held: int
    held_idle: int
    samples: int


@dataclass(frozen=True)
class Measured:
    """What is known of one company, day and GPU type, in 1/28 GPU-seconds, when `received_at`.

    `idle` and `active` add up to `covered`: a sample stands for its interval.
    """

    company_id: str
    day: date
    gpu_type: str
    covered: int
    idle: int
    active: int
    received_at: int


@dataclass
class Meters:
    """Energy counters of a company's GPUs (mJ), which go on from one day to the next."""

    energy_mj: dict[tuple[str, int], int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Day:
    """Arrays slots × instants of one company's day."""

    slots: list[tuple[Pool, Slot]]
    held: Mask
    kept: Mask
    sm: Floats
    power: npt.NDArray[np.int64]
    memory: npt.NDArray[np.int64]
    energy: npt.NDArray[np.int64]
    util: npt.NDArray[np.int64]


def write_day(
    company: Company,
    runs: Sequence[Run],
    day: date,
    path: Path,
    *,
    interval: int,
    seed: int,
    meters: Meters,
    received_at: int,
) -> tuple[DayCount, list[Measured]]:
    """Write one day of one company; a path that ends in .gz is compressed. Days in order."""
    made = _simulate(company, runs, day, interval=interval, seed=seed, meters=meters)
    times = [f'{epoch(day) + k * interval},"' for k in range(made.held.shape[1])]
    samples = 0
    with opened(path) as stream:
        stream.write(b'{"status":"success","data":{"resultType":"matrix","result":[')
        separator = b""
        for text, points in _series(company, made, times):
            stream.write(separator + text.encode())
            separator = b","
            samples += points
        stream.write(b"]}}\n")
    present = made.kept
    held = present & made.held
    count = DayCount(
        company.organisation_id, day, len(made.slots), interval, present.size,
        int(present.sum()), int(held.sum()), int((held & (made.sm < 0.01)).sum()), samples,
    )  # fmt: skip
    busy = present & (made.util > 0)
    for row, (_, slot) in enumerate(made.slots):
        if slot.mig is not None:
            busy[row] = present[row] & (np.rint(made.sm[row] * 1_300) > 0)
    stands = interval * parts_of(made.slots)
    return count, measured(
        company, day, made.slots, present.sum(axis=1) * stands, busy.sum(axis=1) * stands,
        received_at=received_at,
    )  # fmt: skip


def parts_of(slots: list[tuple[Pool, Slot]]) -> npt.NDArray[np.int64]:
    """What each slot is worth in 1/28 of a GPU."""
    return np.array([pool.parts for pool, _ in slots], dtype=np.int64)


def measured(
    company: Company,
    day: date,
    slots: list[tuple[Pool, Slot]],
    covered: npt.NDArray[np.int64],
    active: npt.NDArray[np.int64],
    *,
    received_at: int,
) -> list[Measured]:
    """Part-seconds by slot summed up by GPU type; types that nothing measured are absent."""
    found = []
    for gpu_type in company.gpu_types:
        own = np.array([pool.gpu_type == gpu_type for pool, _ in slots])
        whole, busy = int(covered[own].sum()), int(active[own].sum())
        if whole:
            found.append(
                Measured(
                    company.organisation_id, day, gpu_type, whole, whole - busy, busy, received_at
                )
            )
    return found


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("wb") as raw:
        if path.suffix != ".gz":
            yield raw
            return
        # neither name nor time in the header, so that the same content is the same file
        with gzip.GzipFile("", "wb", compresslevel=4, mtime=0, fileobj=raw) as packed:
            yield packed  # type: ignore[misc]


def _simulate(
    company: Company, runs: Sequence[Run], day: date, *, interval: int, seed: int, meters: Meters
) -> _Day:
    instants = DAY // interval
    starts = epoch(day)
    slots = [(pool, slot) for pool in company.pools for slot in pool.slots]
    offsets = np.cumsum([0, *(len(pool.slots) for pool in company.pools)])
    noise = np.random.default_rng([seed, company.index, day.toordinal()])
    shape = (len(slots), instants)
    level = np.zeros(shape, dtype=np.float32)
    memory = np.zeros(shape, dtype=np.int64)
    held = np.zeros(shape, dtype=bool)
    for run in runs:
        if run.start is None or run.end <= starts or run.start >= starts + DAY:
            continue
        first = max(0, -(-(run.start - starts) // interval))
        last = min(instants, -(-(run.end - starts) // interval))
        until = works_until(company, run)
        done = max(first, min(instants, -(-(until - starts) // interval)))
        _, fill = _character(run)
        work = work_level(company, run)
        idle = work == 0
        for span in run.spans:
            rows = slice(offsets[span.pool] + span.low, offsets[span.pool] + span.high)
            held[rows, first:last] = True
            level[rows, first:last] = 0.003
            level[rows, first:done] = 0.003 if idle else work
            memory[rows, first:last] = round(1_000 * (0.05 if idle else 0.5 + 0.45 * fill))
    wave = noise.random(shape, dtype=np.float32)
    sm = np.clip(level * (0.85 + 0.3 * wave), 0, 1)
    limits = np.array([MODELS[pool.gpu_type][3] * pool.parts / 28 for pool, _ in slots])
    used = (memory * limits[:, None] / 1_000).astype(np.int64) // _MIB_STEP * _MIB_STEP + 4
    physical = list(dict.fromkeys((slot.node, slot.gpu) for _, slot in slots))
    at = {gpu: number for number, gpu in enumerate(physical)}
    of_gpu = np.array([at[slot.node, slot.gpu] for _, slot in slots])
    watts = _watts(company, slots, of_gpu, len(physical), sm)
    kept = _kept(company, slots, shape, noise)
    energy = _energy(company, physical, watts, interval=interval, day=day, seed=seed, meters=meters)
    active = sm >= 0.01
    util = np.where(active, np.clip(84 + 19 * wave, 0, 100), 0).astype(np.int64)
    power = np.rint(watts * 10).astype(np.int64)
    return _Day(slots, held, kept, sm, power[of_gpu], used, energy[of_gpu], util)


def work_level(company: Company, run: Run) -> float:
    """Mean SM_ACTIVE of a run while it works, 0 when it never does; fixed by its job id."""
    mood, _ = _character(run)
    if Trait.CHRONIC_IDLE in company.traits and mood < _IDLE_RUNS:
        return 0.0
    return company.activity * (0.7 + 0.6 * mood)


def works_until(company: Company, run: Run) -> int:
    """When a run's work is done; with SOME_IDLE it holds its GPUs on, doing nothing."""
    if Trait.SOME_IDLE not in company.traits or run.start is None:
        return run.end
    return run.start + round(_WORKING_SHARE * run.seconds)


def _character(run: Run) -> tuple[float, float]:
    """How hard a run works and how much memory it fills, 0 to 1 each, fixed by its job id."""
    return (run.job_id * 2_654_435_761 % 2**32) / 2**32, (run.job_id * 40_503 % 65_536) / 65_536


def _watts(
    company: Company,
    slots: list[tuple[Pool, Slot]],
    of_gpu: npt.NDArray[np.int64],
    gpus: int,
    sm: Floats,
) -> npt.NDArray[np.float64]:
    """Power of each physical GPU, out of the work of all its slices."""
    share = np.array([pool.parts / 28 for pool, _ in slots])
    load = np.zeros((gpus, sm.shape[1]))
    np.add.at(load, of_gpu, sm * share[:, None])
    idle, limit = np.zeros(gpus), np.zeros(gpus)
    for number, (pool, _) in zip(of_gpu, slots, strict=True):
        _, limit[number], idle[number], _ = MODELS[pool.gpu_type]
    # a GPU that is half busy already draws most of its power
    return np.asarray(idle[:, None] + (limit - idle)[:, None] * np.clip(load * 1.3, 0, 0.98))


def _energy(
    company: Company,
    physical: list[tuple[str, int]],
    watts: npt.NDArray[np.float64],
    *,
    interval: int,
    day: date,
    seed: int,
    meters: Meters,
) -> npt.NDArray[np.int64]:
    """Counters in mJ since the driver was loaded.

    With METER_FAULTS the first host reboots on the sample's last day, and its counters begin anew.
    """
    steps = np.rint(watts * interval * 1_000).astype(np.int64)
    before = [
        meters.energy_mj.setdefault(gpu, 10**9 * (1 + int(_digest(seed, company, *gpu)[:4], 16)))
        for gpu in physical
    ]
    total = np.cumsum(steps, axis=1) + np.array(before, dtype=np.int64)[:, None]
    if Trait.METER_FAULTS in company.traits and day == LAST_MONTH.last:
        at = total.shape[1] * 5 // 12
        for number, (node, _) in enumerate(physical):
            if node == physical[0][0]:
                total[number, at:] -= total[number, at - 1]
    for number, gpu in enumerate(physical):
        meters.energy_mj[gpu] = int(total[number, -1])
    return total


def _kept(
    company: Company,
    slots: list[tuple[Pool, Slot]],
    shape: tuple[int, int],
    noise: np.random.Generator,
) -> Mask:
    """Where something was measured: the collector's gaps cut whole times, a host's its own rows."""
    kept: Mask = np.ones(shape, dtype=bool)
    instants = shape[1]
    if Trait.PARTIAL_TELEMETRY in company.traits:
        blocks = min(48, instants)
        chosen = noise.permutation(blocks)[: round(blocks * COVERED)]
        kept[:, ~np.isin(np.arange(instants) * blocks // instants, chosen)] = False
    nodes = sorted({slot.node for _, slot in slots})
    for node in nodes:
        if noise.random() < 0.06:
            length = int(instants * noise.uniform(0.04, 0.25))
            begins = int(noise.integers(0, max(1, instants - length)))
            rows = [number for number, (_, slot) in enumerate(slots) if slot.node == node]
            kept[np.array(rows), begins : begins + length] = False
    return kept


def _series(company: Company, made: _Day, times: list[str]) -> Iterator[tuple[str, int]]:
    """Text of every series with its number of points, GPU by GPU; empty ones don't exist."""
    faulty = Trait.METER_FAULTS in company.traits
    ordered = sorted(range(len(made.slots)), key=lambda n: order(made.slots[n][1]))
    all_there = [bool(row.all()) for row in made.kept]
    for number in ordered:
        pool, slot = made.slots[number]
        keep = None if all_there[number] else made.kept[number].tolist()
        columns = _columns(made, number, sliced=slot.mig is not None)
        if faulty and number == 0:
            _spoil(columns["DCGM_FI_DEV_FB_USED"])
        stamps = times if keep is None else list(compress(times, keep))
        if not stamps:
            continue
        for metric, column in sorted(columns.items()):
            values = column if keep is None else compress(column, keep)
            name = labels(company, pool, slot, metric)
            points = '"],['.join(map(add, stamps, values))
            yield f'{{"metric":{name},"values":[[{points}"]]}}', len(stamps)


def _spoil(values: list[str]) -> None:
    """A tenth of the day the field is "not supported", then once not a number."""
    tenth = len(values) // 10
    values[tenth : 2 * tenth] = [SENTINEL] * tenth
    values[2 * tenth : 2 * tenth + 1] = ["NaN"]


def _columns(made: _Day, number: int, *, sliced: bool) -> dict[str, list[str]]:
    sm = made.sm[number]
    ratio = np.rint(sm * 1_000).astype(np.int64)
    tensor = np.rint(sm * 550).astype(np.int64)
    columns = {
        "DCGM_FI_PROF_SM_ACTIVE": [RATIOS[v] for v in ratio.tolist()],
        "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": [RATIOS[v] for v in tensor.tolist()],
        "DCGM_FI_DEV_POWER_USAGE": [WATTS[v] for v in made.power[number].tolist()],
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": list(map(str, made.energy[number].tolist())),
        "DCGM_FI_DEV_FB_USED": list(map(str, made.memory[number].tolist())),
    }
    if sliced:
        engine = np.rint(np.clip(sm * 1.3, 0, 1) * 1_000).astype(np.int64)
        columns["DCGM_FI_PROF_GR_ENGINE_ACTIVE"] = [RATIOS[v] for v in engine.tolist()]
    else:
        columns["DCGM_FI_DEV_GPU_UTIL"] = [_PERCENTS[v] for v in made.util[number].tolist()]
    return columns


def order(slot: Slot) -> tuple[str, int, int]:
    return slot.node, slot.gpu, slot.mig or 0


def _digest(*words: object) -> str:
    text = "/".join(w.organisation_id if isinstance(w, Company) else str(w) for w in words)
    return hashlib.sha256(text.encode()).hexdigest()


def labels(company: Company, pool: Pool, slot: Slot, metric: str) -> str:
    mark = _digest(company, slot.node, slot.gpu)
    uuid = "-".join((mark[:8], mark[8:12], mark[12:16], mark[16:20], mark[20:32]))
    host = slot.node
    said = {
        "DCGM_FI_DRIVER_VERSION": _DRIVER,
        **({} if slot.mig is None else {"GPU_I_ID": str(slot.mig), "GPU_I_PROFILE": pool.gres}),
        "Hostname": host,
        "UUID": f"GPU-{uuid}",
        "__name__": metric,
        "device": f"nvidia{slot.gpu}",
        "gpu": str(slot.gpu),
        "instance": f"{host}:9400",
        "job": "dcgm-exporter",
        "modelName": MODELS[pool.gpu_type][0],
        "pci_bus_id": f"00000000:{16 * (slot.gpu + 1) + 7:02X}:00.0",
    }
    return json.dumps(said, separators=(",", ":"))

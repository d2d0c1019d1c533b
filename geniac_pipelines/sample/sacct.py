"""Text as `sacct -a -D -P` prints it: header, one row a run, steps where the sender leaves them in.

Field by field as Slurm 22.05 does: allocations carry type and total side by side, requests only
the total for most, pending jobs have an empty AllocTRES, `Unknown` and `None assigned` stand for
what is not there. The job name comes last and is not escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from geniac_pipelines.sample.feeds import SacctFile, Sighting, Style
from geniac_pipelines.sample.model import Pool, Run, Slot, gres_counts, jst_time

_CPUS_EACH = 12
_MEMORY_EACH_GB = 120


def header(style: Style) -> list[str]:
    """The fields in a style's order."""
    return [
        *(["JobID"] if style.job_id_field else []),
        "JobIDRaw",
        *(["Cluster"] if style.cluster_field else []),
        *("Partition", "Account", "User", "QOS", "Submit", "Eligible", "Start", "End"),
        *("ElapsedRaw", "TimelimitRaw", "State", "ExitCode", "Reason", "NNodes"),
        *("ReqTRES", "AllocTRES", "NodeList", "ConsumedEnergyRaw", "JobName"),
    ]


def write_sacct(file: SacctFile, pools: dict[str, tuple[Pool, ...]], path: Path) -> None:
    """Write the file; one that breaks off ends in the middle of the row after its whole ones."""
    style = file.style
    lines = [style.delimiter.join(header(style))]
    for sighting in file.legible:
        lines.extend(_rows(sighting, file, pools[sighting.run.company]))
    text = "\n".join(lines) + "\n"
    if file.whole_rows is not None:
        cut = file.sightings[file.whole_rows]
        row = next(_rows(cut, file, pools[cut.run.company]))
        text += row[: len(row) * 2 // 3]
    path.write_bytes(text.encode(style.encoding))


def _rows(sighting: Sighting, file: SacctFile, pools: tuple[Pool, ...]) -> Iterator[str]:
    style, run = file.style, sighting.run
    row = _allocation(sighting, file, pools)
    yield style.delimiter.join(row[name] for name in header(style))
    if style.steps and row["AllocTRES"]:
        ran_out = sighting.state in ("CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED")
        for step, name in (("batch", "batch"), ("0", "python3")):
            cells = {
                **row,
                "JobID": f"{run.job_id}.{step}",
                "JobIDRaw": f"{run.job_id}.{step}",
                "JobName": name,
                "Partition": "",
                "User": "",
                "QOS": "",
                "TimelimitRaw": "",
                "Reason": "",
                "ReqTRES": "",
                "State": "CANCELLED" if ran_out else sighting.state,
                # the batch step lives on the first node alone; a step has no billing
                "AllocTRES": row["AllocTRES"].partition(",")[2],
            }
            yield style.delimiter.join(cells[field] for field in header(style))


def _allocation(sighting: Sighting, file: SacctFile, pools: tuple[Pool, ...]) -> dict[str, str]:
    """The row of the run itself, as seen when sacct was called."""
    run, state = sighting.run, sighting.state
    style = file.style
    counts = gres_counts(run, pools)
    slots = _slots(run, pools)
    nodes = sorted({slot.node for slot in slots})
    total = sum(counts.values())
    typed = "".join(f"gres/gpu:{gres}={count}," for gres, count in counts.items())
    cpus = total * _CPUS_EACH
    shape = f"gres/gpu={total},mem={total * _MEMORY_EACH_GB}G,node={len(nodes)}"
    before = f"billing={cpus},cpu={cpus},"
    requested = before + (typed if run.job_id % 3 == 0 or len(counts) > 1 else "") + shape
    began = state != "PENDING" and run.start is not None
    ended = state not in ("PENDING", "RUNNING")
    last = run.end if ended else file.queried_at
    shown = f"CANCELLED by {run.uid}" if state == "CANCELLED" and run.job_id % 5 else state
    return {
        "JobID": str(run.job_id),
        "JobIDRaw": str(run.job_id),
        "Cluster": file.cluster,
        "Partition": run.partition,
        "Account": run.account,
        "User": run.user,
        "QOS": "normal",
        "Submit": _stamp(run.submit, style),
        "Eligible": _stamp(run.submit, style),
        "Start": _stamp(run.start, style) if began and run.start is not None else
                 "None" if ended else "Unknown",
        "End": _stamp(run.end, style) if ended else "Unknown",
        "ElapsedRaw": str(last - run.start) if began and run.start is not None else "0",
        "TimelimitRaw": str(run.limit_minutes),
        "State": shown,
        "ExitCode": run.exit_code if ended else "0:0",
        "Reason": "None" if began else "Resources" if not ended else "None",
        "NNodes": str(len(nodes)),
        "ReqTRES": requested,
        "AllocTRES": before + typed + shape if began else "",
        "NodeList": compressed(nodes) if began else "None assigned",
        "ConsumedEnergyRaw": "0",
        "JobName": run.name,
    }  # fmt: skip


def _slots(run: Run, pools: tuple[Pool, ...]) -> list[Slot]:
    return [slot for span in run.spans for slot in pools[span.pool].slots[span.low : span.high]]


def _stamp(instant: int, style: Style) -> str:
    if style.local_stamps:
        return jst_time(instant).strftime("%Y-%m-%dT%H:%M:%S")
    return str(instant)


def compressed(nodes: Sequence[str]) -> str:
    """Host names as Slurm folds them: `gpu[001-003,007]`, a single one as it is.

    Names end in three digits. Sorted input.
    """
    by_prefix: dict[str, list[int]] = {}
    for node in nodes:
        by_prefix.setdefault(node[:-3], []).append(int(node[-3:]))
    parts = []
    for prefix, numbers in by_prefix.items():
        if len(numbers) == 1:
            parts.append(f"{prefix}{numbers[0]:03d}")
            continue
        ranges: list[list[int]] = []
        for number in numbers:
            if ranges and number == ranges[-1][1] + 1:
                ranges[-1][1] = number
            else:
                ranges.append([number, number])
        folded = ",".join(f"{a:03d}" if a == b else f"{a:03d}-{b:03d}" for a, b in ranges)
        parts.append(f"{prefix}[{folded}]")
    return ",".join(parts)

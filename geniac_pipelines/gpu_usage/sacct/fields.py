"""sacct's fields: their names, which are free text, and which type the others have.

Here: names and shapes. Not here: their order in a file (`layout`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

from geniac_pipelines.gpu_usage.sacct import values
from geniac_pipelines.gpu_usage.sacct.tres import gpus, gpus_of_gres


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FREE_TEXT: Final = _words(
    "JobName Comment AdminComment SystemComment Extra WorkDir SubmitLine Container Constraints "
    "Licenses StdIn StdOut StdErr"
)
"""What users and operators write; sacct prints it as it is, delimiters and line feeds included."""

FIELD_NAMES: Final = FREE_TEXT | _words(
    "Account AllocCPUS AllocGRES AllocNodes AllocTRES AssocID AveCPU AveCPUFreq AveDiskRead "
    "AveDiskWrite AvePages AveRSS AveVMSize BlockID Cluster ConsumedEnergy ConsumedEnergyRaw "
    "CPUTime CPUTimeRAW DBIndex DerivedExitCode Elapsed ElapsedRaw Eligible End ExitCode "
    "FailedNode Flags GID Group JobID JobIDRaw Layout MaxDiskRead MaxDiskReadNode MaxDiskReadTask "
    "MaxDiskWrite MaxDiskWriteNode MaxDiskWriteTask MaxPages MaxPagesNode MaxPagesTask MaxRSS "
    "MaxRSSNode MaxRSSTask MaxVMSize MaxVMSizeNode MaxVMSizeTask McsLabel MinCPU MinCPUNode "
    "MinCPUTask NCPUS NNodes NodeList NTasks OriginalSLUID Partition Planned PlannedCPU "
    "PlannedCPURAW Priority QOS QOSRAW QOSREQ Reason ReqCPUFreq ReqCPUFreqGov ReqCPUFreqMax "
    "ReqCPUFreqMin ReqCPUS ReqGRES ReqMem ReqNodes ReqReservation ReqTRES Reservation "
    "ReservationId Reserved Restarts ResvCPU ResvCPURAW SegmentSize SLUID Start State Submit "
    "Suspended SystemCPU Timelimit TimelimitRaw TotalCPU TRESUsageInAve TRESUsageInMax "
    "TRESUsageInMaxNode TRESUsageInMaxTask TRESUsageInMin TRESUsageInMinNode TRESUsageInMinTask "
    "TRESUsageInTot TRESUsageOutAve TRESUsageOutMax TRESUsageOutMaxNode TRESUsageOutMaxTask "
    "TRESUsageOutMin TRESUsageOutMinNode TRESUsageOutMinTask TRESUsageOutTot UID User UserCPU "
    "WCKey WCKeyID"
)
"""Fields of Slurm 15 to 25, as its header spells them."""
ONLY_SLURMS: Final = _words(
    "JobID JobIDRaw AllocTRES ReqTRES AllocGRES ReqGRES ElapsedRaw TimelimitRaw CPUTimeRAW "
    "NNodes AllocCPUS MaxRSS"
)
"""Names that no other program's table would have."""

JOB_ID: Final = re.compile(r"[0-9]+(?:[_+][0-9]+|_\[[^\]|]*\])?(?:\.[A-Za-z0-9_+-]+)?", re.ASCII)
_EXIT = re.compile(r"(?:[0-9]+:[0-9]+)?", re.ASCII)

_UTC = ZoneInfo("UTC")


def job_id(cell: str) -> str:
    """A JobID or JobIDRaw (`12`, `8_5`, `8_[1-3]`, `12+1`, `12.batch`), as it came."""
    if not JOB_ID.fullmatch(cell):
        raise values.UnreadableCell("ジョブ番号", "a job id")
    return cell


def exit_code(cell: str) -> str | None:
    """An ExitCode (`0:15`), None for an empty cell."""
    if not _EXIT.fullmatch(cell):
        raise values.UnreadableCell("終了コード(0:0の形)", "an exit code like 0:0")
    return cell or None


def _stamp(cell: str) -> object:
    return values.instants(cell, _UTC)


READERS: Final[dict[str, Callable[[str], object]]] = {
    **dict.fromkeys(("JobID", "JobIDRaw"), job_id),
    **dict.fromkeys(("Submit", "Eligible", "Start", "End"), _stamp),
    **dict.fromkeys(("Elapsed", "Suspended", "TotalCPU", "CPUTime"), values.duration),
    **dict.fromkeys(
        _words("ElapsedRaw NNodes NCPUS AllocCPUS ReqCPUS AllocNodes UID GID CPUTimeRAW"),
        values.count,
    ),
    **dict.fromkeys(("ExitCode", "DerivedExitCode"), exit_code),
    **dict.fromkeys(("AllocTRES", "ReqTRES"), gpus),
    **dict.fromkeys(("AllocGRES", "ReqGRES"), gpus_of_gres),
    "Timelimit": values.limit,
    "TimelimitRaw": values.limit_minutes,
    "State": values.state,
    "ConsumedEnergyRaw": values.joules,
}
"""Fields with a type: where a row is mended, each of these must hold what it should."""

"""One run of a job as sacct tells it, whatever the format, and what is wrong with it.

Here: the rules that text and JSON share: which runs become rows, and which facts about a run
contradict each other. Not here: how cells are read (`values`, `from_text`, `from_json`),
or hours and months (SQL clips runs to them).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from geniac_pipelines.gpu_usage.contracts import SACCT_JOBS
from geniac_pipelines.gpu_usage.sacct.tres import NONE, Gres
from geniac_pipelines.intake.reading import Complaint, Context, Item, Place, Refusal, Row

COMMAND: Final = (
    "SLURM_TIME_FORMAT=%s sacct -a -D -X -P --delimiter=$'\\x1f' -S YYYY-MM-DD -E YYYY-MM-DD"
    " --format=Cluster,JobIDRaw,Account,User,Partition,QOS,Submit,Eligible,Start,End,ElapsedRaw,"
    "Suspended,TimelimitRaw,State,ExitCode,Reason,NNodes,ReqTRES,AllocTRES,NodeList,"
    "ConsumedEnergyRaw,JobName > sacct.txt"
)
"""The command that gives everything we can use, without any of the known traps."""

ELAPSED_TOLERANCE_SECONDS = 1
"""Slurm rounds each stamp to a second, so that a length may differ from their distance by one."""

OUTSIDE_WINDOW = Complaint(
    "sacct.outside-window",
    "nothing",
    ja="開始が終了より後で経過時間が0のため、出力期間の外のジョブとして取り込みませんでした",
    ja_remedy=(
        "sacctの -T(--truncate)は時刻を期間の端に書き換えます。ほかの行の開始・終了も"
        "切り詰められているおそれがあるので、-T を付けずに出力し直してください"
    ),
    en="starts after its end with no time elapsed: a job outside the window, left out",
    en_remedy=(
        "sacct -T (--truncate) rewrites times to the window, so other rows may be clipped too: "
        "run it again without -T"
    ),
)
ENDS_BEFORE_START = Complaint(
    "sacct.ends-before-start",
    "row",
    ja="終了({ended})が開始({started})より前です",
    ja_remedy="SLURM_TIME_FORMAT=%s を付けてsacctを実行し直し、そのまま提出してください",
    en="it ends ({ended}) before it starts ({started})",
    en_remedy="run sacct again with SLURM_TIME_FORMAT=%s and send its output unchanged",
)
START_MISSING = Complaint(
    "sacct.start-missing",
    "row",
    ja="経過時間が{elapsed}秒なのに開始時刻がありません",
    ja_remedy="slurmdbdの記録を確認し(sacctmgr show runawayjobs)、直してから出力し直してください",
    en="{elapsed} seconds elapsed, but there is no start time",
    en_remedy="check slurmdbd's records (sacctmgr show runawayjobs), mend them, run sacct again",
)
NO_RUN_KEY = Complaint(
    "sacct.no-run-key",
    "row",
    ja="投入時刻も開始時刻もないため、どの実行かを区別できません",
    ja_remedy="Submit列を加えて出力し直してください：{command}",
    en="neither submit nor start time, so this run can't be told from others",
    en_remedy="run sacct again with the field Submit: {command}",
)
ALLOCATION_MISSING = Complaint(
    "sacct.allocation-missing",
    "row",
    ja="実行されたジョブなのに割当(AllocTRES)が空欄です。GPUを使っていないとは見なせません",
    ja_remedy=(
        "AllocTRESが記録されているか確認し(slurm.confのAccountingStorageTRES)、"
        "記録のあるクラスタで出力し直してください"
    ),
    en="the job ran, but its AllocTRES is empty; that does not mean that it held no GPU",
    en_remedy="check AccountingStorageTRES in slurm.conf and run sacct where AllocTRES is recorded",
)
ELAPSED_DIFFERS = Complaint(
    "sacct.elapsed-differs",
    "nothing",
    ja="経過時間{elapsed}秒が、終了-開始-中断の{span}秒と一致しません",
    ja_remedy=(
        "中断(suspend)されたジョブならSuspended列を加えてください。"
        "-T を付けた出力であれば、付けずに出力し直してください"
    ),
    en="elapsed is {elapsed} s, but end - start - suspended is {span} s",
    en_remedy="for suspended jobs add the field Suspended; if -T was given, run sacct without it",
)
TYPED_EXCEED = Complaint(
    "sacct.typed-exceed-total",
    "nothing",
    ja="種類別のGPUの合計がgres/gpuの数より{excess}多いため、数だけを使い種類は不明としました",
    ja_remedy="スケジューラの記録を確認してください。数はgres/gpuを正とします",
    en="typed GPUs exceed gres/gpu by {excess}; the total was kept, the types dropped",
    en_remedy="check the scheduler's records; the total gres/gpu is taken as right",
)
NO_JOBS = Complaint(
    "sacct.no-jobs",
    "nothing",
    ja="ジョブの行が1件もありません(ジョブステップの行：{steps}件)",
    ja_remedy=(
        "その期間に実行がなかったのであればこのままで構いません。"
        "そうでなければ期間(-S, -E)と権限(-a)を確認してください"
    ),
    en="no job in this file ({steps} rows of job steps)",
    en_remedy="fine if nothing ran then; otherwise check the period (-S, -E) and the rights (-a)",
)
NO_GPU = Complaint(
    "sacct.no-gpu",
    "nothing",
    ja="実行された{ran}件のジョブのどれにもGPUの割当がありません",
    ja_remedy=(
        "GPUを使ったのであれば、slurm.confのAccountingStorageTRESにgres/gpuがあるか"
        "確認してください。無ければGPUの割当は記録されていません"
    ),
    en="none of the {ran} jobs that ran holds a GPU",
    en_remedy=(
        "if GPUs were used, check that AccountingStorageTRES in slurm.conf names gres/gpu; "
        "without it GPU allocations are not recorded"
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Typed facts of one run, None where the file does not tell; instants in UTC.

    `allocated` None means that the file's cell was empty, which only a job that never ran may
    have. `user` and `job_name` are still real names here and leave only as pseudonyms.
    """

    job_id: str
    state: str
    cluster: str | None = None
    account: str | None = None
    user: str | None = None
    job_name: str | None = None
    partition: str | None = None
    qos: str | None = None
    exit_code: str | None = None
    reason: str | None = None
    submitted_at: datetime | None = None
    eligible_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    elapsed_seconds: int | None = None
    suspended_seconds: int | None = None
    time_limit_seconds: int | None = None
    node_count: int | None = None
    node_list: str | None = None
    allocated: Gres | None = None
    requested: Gres | None = None
    energy_joules: int | None = None

    @property
    def ran(self) -> bool:
        """Whether any time passed on nodes."""
        if self.started_at is None:
            return False
        if self.elapsed_seconds is None:
            return self.started_at != self.ended_at
        return self.elapsed_seconds > 0


def items(job: Job, place: Place, context: Context) -> Iterator[Item]:
    """The run's row for `SACCT_JOBS`, with notes, or the one refusal that keeps it out."""
    fault = _fault(job, place)
    if fault is not None:
        yield fault
        return
    yield from _notes(job, place)
    yield Row(SACCT_JOBS, _values(job, context), place)


def _fault(job: Job, place: Place) -> Refusal | None:
    started, ended, elapsed = job.started_at, job.ended_at, job.elapsed_seconds
    if started is not None and ended is not None and started > ended:
        if elapsed == 0:
            return OUTSIDE_WINDOW.at(place)
        return ENDS_BEFORE_START.at(place, started=_iso(started), ended=_iso(ended))
    if elapsed and started is None:
        return START_MISSING.at(place, elapsed=elapsed)
    if job.submitted_at is None and started is None:
        return NO_RUN_KEY.at(place, command=COMMAND)
    if job.allocated is None and job.ran:
        return ALLOCATION_MISSING.at(place)
    return None


def _notes(job: Job, place: Place) -> Iterator[Refusal]:
    if job.started_at and job.ended_at and job.elapsed_seconds is not None:
        span = round((job.ended_at - job.started_at).total_seconds())
        span -= job.suspended_seconds or 0
        if abs(span - job.elapsed_seconds) > ELAPSED_TOLERANCE_SECONDS:
            yield ELAPSED_DIFFERS.at(place, elapsed=job.elapsed_seconds, span=span)
    if job.allocated and job.allocated.typed_excess:
        yield TYPED_EXCEED.at(place, job.allocated.text, excess=job.allocated.typed_excess)


def _values(job: Job, context: Context) -> dict[str, Any]:
    allocated = job.allocated or NONE
    return {
        "cluster": job.cluster,
        "job_id": job.job_id,
        "run_key": job.submitted_at or job.started_at,
        "account": job.account,
        "user_pseudonym": context.pseudonym("user", job.user) if job.user else None,
        "job_name_pseudonym": (
            context.pseudonym("job_name", job.job_name) if job.job_name else None
        ),
        "partition": job.partition,
        "qos": job.qos,
        "state": job.state,
        "exit_code": job.exit_code,
        "reason": job.reason,
        "submitted_at": job.submitted_at,
        "eligible_at": job.eligible_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "elapsed_seconds": job.elapsed_seconds,
        "time_limit_seconds": job.time_limit_seconds,
        "node_count": job.node_count,
        "node_list": job.node_list,
        "gres_allocated": allocated.text,
        "gpu_count": allocated.count,
        "gres_requested": None if job.requested is None else job.requested.text,
        "energy_joules": job.energy_joules,
    }


@dataclass
class Tally:
    """What a whole file held, for the notes at its end; `ran` counts jobs of known allocation."""

    jobs: int = 0
    ran: int = 0
    with_gpu: int = 0
    steps: int = 0
    refused: int = 0

    def add(self, job: Job) -> None:
        self.jobs += 1
        self.ran += job.ran and job.allocated is not None
        self.with_gpu += job.allocated is not None and job.allocated.count > 0

    def notes(self) -> Iterator[Refusal]:
        """An empty feed is not silence, and no GPU anywhere is rarely the truth."""
        if not self.jobs and not self.refused:
            yield NO_JOBS.at(Place(), steps=self.steps)
        elif self.ran and not self.with_gpu:
            yield NO_GPU.at(Place(), ran=self.ran)


def _iso(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")

"""Landing table of GPU telemetry: one wide row a GPU (or MIG slice) and instant.

Saved replies of Prometheus, scrapes of dcgm-exporter and hourly aggregates made on a company's own
server all land here. A raw sample has `samples` 1 and leaves the columns of aggregates empty; an
aggregate stands for `samples` raw ones. What the rows mean together is said in `rollup`.
"""

from __future__ import annotations

from typing import Final

from geniac_pipelines.contracts import Column, Contract, Mode, Type
from geniac_pipelines.gpu_usage.contracts import CLAUSES

AVERAGED: Final[tuple[tuple[str, str], ...]] = (
    ("gpu_util_percent", "gpu_util_samples"),
    ("sm_active_ratio", "sm_active_samples"),
    ("tensor_active_ratio", "tensor_active_samples"),
    ("gr_engine_active_ratio", "gr_engine_active_samples"),
    ("dram_active_ratio", "dram_active_samples"),
    ("memory_used_mib", "memory_used_samples"),
    ("power_w", "power_samples"),
)
"""Columns whose mean is wanted, each with the column that counts its samples in an aggregate."""


def _samples(name: str, ja: str) -> Column:
    return Column(
        name, Type.INTEGER, f"{ja}の標本数",
        f"集計行で{ja}の平均が何標本のものか。生の標本では空欄", unit="件", minimum=0,
    )  # fmt: skip


TELEMETRY = Contract(
    name="gpu_usage__telemetry",
    area="gpu_usage",
    ja="GPUテレメトリ",
    meaning=(
        "GPU(MIGではスライス)の稼働の標本。1行がGPU×時刻で、生の標本または1時間の集計。"
        "測れなかった項目は空欄で、0ではない。同じ時刻の行は集計時に1行に合わせる"
    ),
    key=("gpu_uuid", "mig_id", "sampled_at", "samples"),
    mode=Mode.APPEND,
    bulk=True,
    clauses=CLAUSES,
    changes_ja="テレメトリの追加",
    columns=(
        Column(
            "sampled_at", Type.INSTANT, "時刻", "標本の時刻。集計行では集計した時間の始まり",
            required=True,
        ),
        Column("gpu_uuid", Type.TEXT, "UUID", "GPUのUUID", required=True),
        Column("mig_id", Type.TEXT, "GPU_I_ID", "MIGスライスの番号。分割のないGPUは空欄"),
        Column("mig_profile", Type.TEXT, "GPU_I_PROFILE", "MIGスライスの種類(1g.10gb など)"),
        Column("host", Type.TEXT, "Hostname", "ホスト名"),
        Column("gpu_index", Type.INTEGER, "gpu", "ホスト内のGPU番号", minimum=0),
        Column("gpu_model", Type.TEXT, "modelName", "GPUの型名"),
        Column(
            "interval_seconds", Type.FLOAT, "標本間隔",
            "標本の間隔。1回きりの取得では空欄", unit="秒",
        ),
        Column(
            "evaluated", Type.BOOLEAN, "評価時刻",
            "時刻が測定時刻ではなく、間隔ごとに評価した格子点(query_range)なら真", required=True,
        ),
        Column(
            "samples", Type.INTEGER, "標本数",
            "この行が代表する生の標本の数。生の標本は1", unit="件", required=True, minimum=1,
        ),
        Column("gpu_util_percent", Type.FLOAT, "GPU使用率", "DCGM_FI_DEV_GPU_UTIL", unit="%"),
        Column("sm_active_ratio", Type.FLOAT, "SM稼働率", "DCGM_FI_PROF_SM_ACTIVE(0〜1)"),
        Column(
            "tensor_active_ratio", Type.FLOAT, "Tensorコア稼働率",
            "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE(0〜1)",
        ),
        Column(
            "gr_engine_active_ratio", Type.FLOAT, "演算エンジン稼働率",
            "DCGM_FI_PROF_GR_ENGINE_ACTIVE(0〜1)",
        ),
        Column(
            "dram_active_ratio", Type.FLOAT, "メモリ帯域稼働率", "DCGM_FI_PROF_DRAM_ACTIVE(0〜1)"
        ),
        Column("memory_used_mib", Type.FLOAT, "メモリ使用量", "DCGM_FI_DEV_FB_USED", unit="MiB"),
        Column("power_w", Type.FLOAT, "消費電力", "DCGM_FI_DEV_POWER_USAGE", unit="W"),
        Column(
            "energy_mj", Type.INTEGER, "積算電力量",
            "起動からの積算(DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION)。MIGでもGPU全体の値",
            unit="mJ", minimum=0,
        ),
        Column("temperature_c", Type.FLOAT, "温度", "DCGM_FI_DEV_GPU_TEMP", unit="℃"),
        Column(
            "xid_code", Type.INTEGER, "XID",
            "直近のXIDエラー番号(DCGM_FI_DEV_XID_ERRORS)。0はエラーなし",
        ),
        Column(
            "clock_event_reasons", Type.INTEGER, "クロック制限要因",
            "NVMLのClocksEventReasonsのビット和。集計行では空欄",
        ),
        Column(
            "idle_samples", Type.INTEGER, "アイドル標本数",
            "集計行で、使用率が0だった標本の数。生の標本では空欄", unit="件", minimum=0,
        ),
        Column(
            "energy_increase_mj", Type.INTEGER, "電力量",
            "集計行の時間に消費した電力量。生の標本では空欄", unit="mJ", minimum=0,
        ),
        Column("gpu_util_max_percent", Type.FLOAT, "GPU使用率の最大", "集計行での最大", unit="%"),
        Column(
            "memory_used_max_mib", Type.FLOAT, "メモリ使用量の最大", "集計行での最大", unit="MiB"
        ),
        Column("power_max_w", Type.FLOAT, "消費電力の最大", "集計行での最大", unit="W"),
        Column("temperature_max_c", Type.FLOAT, "温度の最大", "集計行での最大", unit="℃"),
        _samples("gpu_util_samples", "GPU使用率"),
        _samples("sm_active_samples", "SM稼働率"),
        _samples("tensor_active_samples", "Tensorコア稼働率"),
        _samples("gr_engine_active_samples", "演算エンジン稼働率"),
        _samples("dram_active_samples", "メモリ帯域稼働率"),
        _samples("memory_used_samples", "メモリ使用量"),
        _samples("power_samples", "消費電力"),
    ),
)  # fmt: skip

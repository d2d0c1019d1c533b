"""Landing tables of compute use: scheduler accounting and the workbooks of the companies."""

from __future__ import annotations

from dataclasses import replace

from geniac_pipelines.contracts import Column, Contract, Mode, Type

CLAUSES = ("3-1-a", "3-3-a", "3-7-3")

GPU_TYPES: tuple[str, ...] = (
    "H100", "H200", "B200", "GB200", "A100", "L40S", "A30", "T4", "V100", "MI300X", "その他",
)  # fmt: skip
"""Names of GPU types in plans and contracts; gres and model names are mapped to them by the
seed `gpu_types`."""

MONTH = Column(
    "month",
    Type.MONTH,
    "対象月",
    "報告の対象月",
    required=True,
    headers=("年月",),
    example="2026年9月",
)
GPU_TYPE = Column(
    "gpu_type",
    Type.TEXT,
    "GPU種別",
    "GPUの種別",
    required=True,
    choices=GPU_TYPES,
    headers=("GPU種類", "GPU"),
    example="H100",
)

SACCT_JOBS = Contract(
    name="gpu_usage__sacct_jobs",
    area="gpu_usage",
    ja="ジョブ実行記録（Slurm）",
    meaning=(
        "Slurmの会計記録(sacct)。1行がジョブの1回の実行で、再投入(requeue)された実行は別の行。"
        "ジョブステップは含まない"
    ),
    # slurmdbd itself identifies a run of a job by (id_job, time_submit)
    key=("_sender", "cluster", "job_id", "run_key"),
    clauses=CLAUSES,
    changes_ja="ジョブ実行記録の追加・訂正",
    columns=(
        Column("cluster", Type.TEXT, "Cluster", "クラスタ名。出力に無い場合は空欄"),
        Column("job_id", Type.TEXT, "JobIDRaw", "ジョブ番号(配列ジョブは要素ごと)", required=True),
        Column(
            "run_key", Type.INSTANT, "Submit",
            "実行を区別する時刻。投入時刻、出力に無ければ開始時刻", required=True,
        ),
        Column("account", Type.TEXT, "Account", "課金アカウント"),
        Column("user_pseudonym", Type.TEXT, "User", "利用者名の仮名(鍵付きハッシュ)"),
        Column("job_name_pseudonym", Type.TEXT, "JobName", "ジョブ名の仮名(鍵付きハッシュ)"),
        Column("partition", Type.TEXT, "Partition", "パーティション名"),
        Column("qos", Type.TEXT, "QOS", "QOS名"),
        Column(
            "state", Type.TEXT, "State",
            "状態(COMPLETED, FAILED, CANCELLED, TIMEOUT, NODE_FAIL, PREEMPTED など)。"
            "「CANCELLED by 0」は CANCELLED",
            required=True,
        ),
        Column("exit_code", Type.TEXT, "ExitCode", "終了コード:シグナル"),
        Column("reason", Type.TEXT, "Reason", "待機または終了の理由"),
        Column("submitted_at", Type.INSTANT, "Submit", "投入時刻"),
        Column("eligible_at", Type.INSTANT, "Eligible", "実行可能になった時刻"),
        Column("started_at", Type.INSTANT, "Start", "開始時刻。未開始は空欄"),
        Column("ended_at", Type.INSTANT, "End", "終了時刻。実行中は空欄"),
        Column("elapsed_seconds", Type.INTEGER, "ElapsedRaw", "経過時間", unit="秒", minimum=0),
        Column(
            "time_limit_seconds", Type.INTEGER, "TimelimitRaw", "制限時間。無制限は空欄",
            unit="秒", minimum=0,
        ),
        Column("node_count", Type.INTEGER, "NNodes", "ノード数", unit="台", minimum=0),
        Column("node_list", Type.TEXT, "NodeList", "割り当てられたノード"),
        Column(
            "gres_allocated", Type.TEXT, "AllocTRES",
            "割り当てられたGPU。「種類=数」を種類名順にコンマ区切り(例 1g.10gb=3,h100=2)。"
            "種類不明は gpu=数。GPUなしは空文字",
            required=True,
        ),
        Column(
            "gpu_count", Type.INTEGER, "gres/gpu",
            "割り当てられたgres/gpuの数。MIGの1分割も1と数えた、Slurmの数え方そのもの",
            unit="枚", required=True, minimum=0,
        ),
        Column("gres_requested", Type.TEXT, "ReqTRES", "要求されたGPU。書き方は割当と同じ"),
        Column("energy_joules", Type.INTEGER, "ConsumedEnergyRaw", "消費電力量", unit="J"),
    ),
)  # fmt: skip

PLANS = Contract(
    name="gpu_usage__plans",
    area="gpu_usage",
    ja="利用実施計画",
    meaning="計算リソースの利用実施計画。1行が版×月×GPU種別。同じ版の再提出は全行を置き換える",
    key=("_sender", "plan_version", "month", "gpu_type"),
    scope=("_sender", "plan_version"),
    mode=Mode.REPLACE,
    clauses=CLAUSES,
    changes_ja="利用実施計画の改訂",
    columns=(
        Column(
            "plan_version",
            Type.INTEGER,
            "計画の版",
            "1から始まる版番号。改訂のたびに増やす",
            required=True,
            headers=("版", "計画版"),
            minimum=1,
            example=1,
        ),
        replace(MONTH, meaning="計画の対象月", headers=("年月", "月")),
        GPU_TYPE,
        Column(
            "planned_gpu_hours",
            Type.DECIMAL,
            "計画GPU時間",
            "その月に使う予定の量",
            unit="GPU時間",
            required=True,
            headers=("計画値", "GPU時間"),
            minimum=0,
            example=36000,
        ),
        Column(
            "planned_jpy",
            Type.DECIMAL,
            "計画額",
            "その月の予定額(税抜)",
            unit="円",
            headers=("予定額", "金額"),
            minimum=0,
            example=18000000,
        ),
        Column(
            "purpose",
            Type.TEXT,
            "用途",
            "何のために使うか",
            required=True,
            headers=("利用目的", "目的"),
            example="13Bモデルの継続事前学習",
        ),
    ),
)

COMPUTE_CONTRACTS = Contract(
    name="gpu_usage__contracts",
    area="gpu_usage",
    ja="計算資源契約",
    meaning="計算資源の契約。1行が契約×GPU種別",
    key=("_sender", "contract_number", "gpu_type"),
    clauses=CLAUSES,
    changes_ja="契約の変更",
    columns=(
        Column(
            "contract_number",
            Type.TEXT,
            "契約番号",
            "契約書の番号",
            required=True,
            example="C-2026-001",
        ),
        Column(
            "provider",
            Type.TEXT,
            "提供事業者",
            "計算資源の提供者",
            required=True,
            headers=("提供企業",),
            example="サンプルクラウド株式会社",
        ),
        GPU_TYPE,
        Column(
            "gpu_count",
            Type.INTEGER,
            "GPU枚数",
            "常時使える枚数",
            unit="枚",
            required=True,
            headers=("枚数",),
            minimum=1,
            example=64,
        ),
        Column(
            "unit_price_jpy",
            Type.DECIMAL,
            "単価",
            "1枚を1時間使うときの価格(税抜)",
            unit="円/GPU時間",
            required=True,
            headers=("GPU時間単価",),
            minimum=0,
            example=500,
        ),
        Column(
            "starts_on",
            Type.DATE,
            "契約開始日",
            "使える最初の日",
            required=True,
            headers=("開始日",),
            example="2026年4月1日",
        ),
        Column(
            "ends_on",
            Type.DATE,
            "契約終了日",
            "使える最後の日",
            required=True,
            headers=("終了日",),
            example="2027年3月31日",
        ),
    ),
)

MONTHLY_USAGE = Contract(
    name="gpu_usage__monthly_usage",
    area="gpu_usage",
    ja="月次利用報告（利用量）",
    meaning="企業自身が報告する月ごとの利用量。1行が月×GPU種別。同じ月の再提出は置き換える",
    key=("_sender", "month", "gpu_type"),
    scope=("_sender", "month"),
    mode=Mode.REPLACE,
    clauses=CLAUSES,
    changes_ja="月次利用報告の再提出",
    columns=(
        MONTH,
        GPU_TYPE,
        Column(
            "reported_gpu_hours",
            Type.DECIMAL,
            "利用GPU時間",
            "その月に使った量",
            unit="GPU時間",
            required=True,
            headers=("利用量",),
            minimum=0,
            example="35,120.5",
        ),
        Column(
            "reported_jpy",
            Type.DECIMAL,
            "利用額",
            "その月の額(税抜)。未確定は空欄",
            unit="円",
            headers=("金額",),
            minimum=0,
            example=17560250,
        ),
    ),
)

MONTHLY_NOTES = Contract(
    name="gpu_usage__monthly_notes",
    area="gpu_usage",
    ja="月次利用報告（進捗・課題・改善案）",
    meaning="進捗状況、発生した課題、改善案、利用状況の説明。1行が1項目。同じ月の再提出は置き換える",
    key=("_sender", "month", "note_number"),
    scope=("_sender", "month"),
    mode=Mode.REPLACE,
    clauses=CLAUSES,
    changes_ja="月次利用報告の再提出",
    columns=(
        MONTH,
        Column(
            "note_number",
            Type.INTEGER,
            "番号",
            "その月の中の通し番号",
            required=True,
            headers=("No", "No."),
            minimum=1,
            example=1,
        ),
        Column(
            "kind",
            Type.TEXT,
            "種別",
            "項目の種別",
            required=True,
            choices=("進捗", "課題", "改善案", "説明"),
            example="課題",
        ),
        Column(
            "body",
            Type.TEXT,
            "内容",
            "本文",
            required=True,
            headers=("記載内容",),
            example="8月下旬に冷却設備の障害があり、3日間稼働できなかった",
        ),
        Column("due", Type.DATE, "期限", "対応の期限", headers=("対応期限",), example="2026-10-15"),
        Column("owner_role", Type.TEXT, "担当", "担当の役割(個人名は書かない)", example="基盤担当"),
    ),
)

"""Landing tables of the programme's own registers, kept by the secretariat."""

from __future__ import annotations

from geniac_pipelines.contracts import Column, Contract, Mode, Type

SEGMENTS: tuple[str, ...] = (
    "領域特化モデル開発",
    "ロボット基盤モデル開発",
    "データ利活用",
    "懸賞（学生計算資源）",
)

ORGANISATIONS = Contract(
    name="programme__organisations",
    area="programme",
    ja="参加組織台帳",
    meaning="GENIACに参加する組織と、その区分・支援期間。1行が1組織",
    key=("organisation_id",),
    scope=("register",),
    mode=Mode.REPLACE,
    clauses=("3-1-a", "3-3-a"),
    changes_ja="組織台帳の変更",
    columns=(
        Column(
            "register",
            Type.TEXT,
            "台帳",
            "台帳の名前。同じ台帳の再提出は全行を置き換える",
            required=True,
            example="採択事業者",
        ),
        Column(
            "organisation_id",
            Type.TEXT,
            "組織ID",
            "組織の識別子(英小文字・数字・ハイフン)。受信箱の提出者フォルダ名と同じもの",
            required=True,
            headers=("事業者ID",),
            example="aoi-ai",
        ),
        Column(
            "name_ja",
            Type.TEXT,
            "組織名",
            "正式名称(日本語)",
            required=True,
            headers=("事業者名", "法人名"),
            example="株式会社あおいAI",
        ),
        Column("name_en", Type.TEXT, "組織名（英語）", "正式名称(英語)", example="Aoi AI Inc."),
        Column(
            "corporate_number",
            Type.TEXT,
            "法人番号",
            "国税庁の法人番号(13桁)",
            example="7000012050002",
        ),
        Column(
            "segment",
            Type.TEXT,
            "区分",
            "仕様書上の区分",
            required=True,
            choices=SEGMENTS,
            example="領域特化モデル開発",
        ),
        Column("cohort", Type.TEXT, "公募回", "採択された公募の時期", example="2026年1月公募"),
        Column("support_from", Type.DATE, "支援開始日", "支援期間の初日", example="2026-04-01"),
        Column("support_to", Type.DATE, "支援終了日", "支援期間の末日", example="2027-03-31"),
        Column(
            "contact_email",
            Type.TEXT,
            "連絡先メール",
            "督促や修正依頼を送る窓口のアドレス(1つ)。個人でなく、部署や事業の代表のものを勧める",
            headers=("連絡先メールアドレス", "窓口メール", "メールアドレス"),
            example="geniac@aoi-ai.example.jp",
        ),
    ),
)

CLUSTER_ACCOUNTS = Contract(
    name="programme__cluster_accounts",
    area="programme",
    ja="計算資源アカウント対応表",
    meaning="クラスタのアカウントがどの組織のものか。複数組織が同居するクラスタで使う",
    key=("cluster", "account"),
    clauses=("3-1-a", "3-3-a", "3-7-3"),
    changes_ja="アカウント対応表の変更",
    columns=(
        Column(
            "cluster", Type.TEXT, "クラスタ", "Slurmのクラスタ名", required=True, example="geniac"
        ),
        Column(
            "account",
            Type.TEXT,
            "アカウント",
            "Slurmのアカウント名",
            required=True,
            example="company_a",
        ),
        Column(
            "organisation_id",
            Type.TEXT,
            "組織ID",
            "アカウントを使う組織の識別子",
            required=True,
            headers=("事業者ID",),
            example="aoi-ai",
        ),
    ),
)

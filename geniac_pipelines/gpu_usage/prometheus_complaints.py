"""What can be wrong with a saved reply of Prometheus, and what its sender should do."""

from __future__ import annotations

from typing import Final

from geniac_pipelines.intake.reading import Complaint

_AGAIN_JA = "もう一度取得し、応答の全体を保存して提出してください"
_AGAIN_EN = "fetch it again, save the whole reply and send it"

NOT_JSON: Final = Complaint(
    "prometheus.not-json",
    "file",
    ja="Prometheus APIの応答(JSON)として読めません。途中で切れているか、壊れています",
    ja_remedy=_AGAIN_JA,
    en="not a reply of the Prometheus API: the JSON is damaged or cut off",
    en_remedy=_AGAIN_EN,
)
CUT_OFF: Final = Complaint(
    "prometheus.cut-off",
    "row",
    ja="応答が途中で切れているか、壊れています。{series}番目までの系列だけを読みました",
    ja_remedy=_AGAIN_JA,
    en="the reply is cut off or damaged; only its first {series} series were read",
    en_remedy=_AGAIN_EN,
)
TOO_MANY_POINTS: Final = Complaint(
    "prometheus.too-many-points",
    "file",
    ja="Prometheusが問い合わせを断った応答です（{cell}）。1系列11,000点の上限を超えています",
    ja_remedy=(
        "期間を分けて取得してください（間隔15秒なら1回45時間50分まで）。"
        "または1時間の集計（avg_over_timeなど）を取得してください"
    ),
    en="Prometheus refused the query ({cell}): more than 11,000 points a series",
    en_remedy=(
        "fetch shorter periods (at 15 s at most 45 h 50 min each), or hourly aggregates "
        "(avg_over_time and so on)"
    ),
)
FAILED: Final = Complaint(
    "prometheus.error",
    "file",
    ja="Prometheusがエラーを返した応答です（{cell}）。データがありません",
    ja_remedy="エラーの原因を除いて、もう一度取得してください",
    en="the reply is an error ({cell}) and holds no data",
    en_remedy="remove its cause and fetch again",
)
NO_SERIES_TYPE: Final = Complaint(
    "prometheus.result-type",
    "file",
    ja="系列の応答ではありません（resultType {cell}）。matrixかvectorのはずです",
    ja_remedy="DCGM_FI_… の系列を query_range で取得して提出してください",
    en="not a reply with series (resultType {cell}); matrix or vector was expected",
    en_remedy="fetch the DCGM_FI_… series with query_range",
)
PARTIAL: Final = Complaint(
    "prometheus.partial",
    "row",
    ja="応答が不完全です（{cell}）。欠けた時間は未計測として扱います（アイドルとは数えません）",
    ja_remedy="サーバーの状態を確認し、完全な応答を取得して提出してください",
    en="the reply is incomplete ({cell}); what is missing counts as not measured, never as idle",
    en_remedy="look after the server, fetch a complete reply and send it",
)
NOTHING_MEASURED: Final = Complaint(
    "prometheus.nothing-measured",
    "nothing",
    ja="{series}系列がありますが、測定値が1つもありません（NaN、無限大、または未対応を示す値だけです）。"
    "未計測として扱います（アイドルとは数えません）",
    ja_remedy="計測されているはずの期間であれば、エクスポーターの設定を確認し、取得し直してください",
    en="{series} series, but not one measured value (only NaN, infinities or DCGM's blanks); taken "
    "as not measured, which is not idle",
    en_remedy="if it should have been measured, check the exporter and fetch again",
)
EMPTY: Final = Complaint(
    "prometheus.empty",
    "nothing",
    ja="応答にデータが1件もありません。未計測として扱います（アイドルとは数えません）",
    ja_remedy="期間と系列名が正しいか、その期間に計測が動いていたかを確認してください",
    en="the reply holds no data; it counts as not measured, never as idle",
    en_remedy="check the period and the metric's name, and whether the exporter ran then",
)
NO_NAME: Final = Complaint(
    "prometheus.no-name",
    "row",
    ja="系列名(__name__)がないため、何の値か分かりません",
    ja_remedy="関数で加工せず、DCGM_FI_… の系列をそのまま取得してください",
    en="the series has no __name__, so what it measures is unknown",
    en_remedy="fetch the DCGM_FI_… series as they are, without functions",
)
NO_UUID: Final = Complaint(
    "prometheus.no-uuid",
    "row",
    ja="系列にUUIDのラベルがないため、どのGPUか分かりません",
    ja_remedy="sum byなどで集約せず、UUIDのラベルを残して取得してください",
    en="the series has no UUID label, so its GPU is unknown",
    en_remedy="keep the UUID label: fetch without `sum by` and the like",
)
BAD_SERIES: Final = Complaint(
    "prometheus.bad-series",
    "row",
    ja='系列の「{cell}」が読めません。[秒, "値"] が時刻順に並んでいるはずです',
    ja_remedy="応答を加工せず、そのまま保存して提出してください",
    en='the series\' "{cell}" can\'t be read; [seconds, "value"] pairs in order were expected',
    en_remedy="save and send the reply as it came",
)
NOTHING_USABLE: Final = Complaint(
    "prometheus.nothing-usable",
    "file",
    ja="使える系列がありません（あったのは {cell}）",
    ja_remedy="DCGM_FI_DEV_GPU_UTIL、DCGM_FI_PROF_SM_ACTIVE などの系列を取得してください",
    en="no series that is used here (there were {cell})",
    en_remedy="fetch DCGM_FI_DEV_GPU_UTIL, DCGM_FI_PROF_SM_ACTIVE and the like",
)
UNUSED: Final = Complaint(
    "prometheus.unused",
    "nothing",
    ja="使わない系列が含まれていました（{cell}）。他の系列は読みました",
    ja_remedy="対応は不要です",
    en="some series are not used here ({cell}); the others were read",
    en_remedy="nothing needs to be done",
)
COARSE: Final = Complaint(
    "prometheus.coarse-step",
    "nothing",
    ja="間隔が{cell}秒です。1点が代表できるのは5分までのため、残りは未計測になります",
    ja_remedy="間隔(step)を60秒以下にするか、1時間の集計（avg_over_timeなど）を取得してください",
    en="the step is {cell} s; a point stands for 5 minutes at most, the rest is not measured",
    en_remedy="use a step of 60 s or less, or hourly aggregates (avg_over_time and so on)",
)
NOT_AN_ENVELOPE: Final = Complaint(
    "prometheus.not-an-envelope",
    "file",
    ja="1時間ごとの集計の保存形式として読めません。壊れているか、版が違います",
    ja_remedy="この版の取得機能でもう一度取得してください",
    en="not an envelope of hourly aggregates: damaged, or of another version",
    en_remedy="fetch the hours again with this version",
)
UNMEASURED: Final = Complaint(
    "prometheus.unmeasured",
    "nothing",
    ja=(
        "サーバーに登録があるのに、この期間に計測のないGPUが{count}枚あります（{cell}）。"
        "未計測として扱います（アイドルとは数えません）"
    ),
    ja_remedy="この期間に計測が動いていたかを確認してください",
    en=(
        "{count} GPUs are known to the server but were not measured in this period ({cell}); "
        "they count as not measured, never as idle"
    ),
    en_remedy="check whether their exporters ran then",
)

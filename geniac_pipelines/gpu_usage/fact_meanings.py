"""What the columns of the telemetry facts mean, in Japanese. How they are made: `rollup`."""

from __future__ import annotations

from typing import Final

_MEASURES: Final = {
    "gpu_util": "GPU使用率（%）",
    "sm_active": "SM稼働率（0〜1）",
    "tensor_active": "Tensorコア稼働率（0〜1）",
    "gr_engine_active": "演算エンジン稼働率（0〜1）",
    "dram_active": "メモリ帯域の稼働率（0〜1）",
    "memory_used": "使用メモリ（MiB）",
    "power": "電力（W）",
}

MEANINGS: Final[dict[str, str]] = {
    "company_id": "組織の識別子",
    "gpu_uuid": "GPUの識別子",
    "mig_id": "MIGスライスの番号。分割していなければ空文字",
    "hour_start": "1時間の始まり（UTC）",
    "day": "日（日本時間）",
    "hours": "事実のある時間の数",
    "mig_profile": "MIGの分割名",
    "gpu_model": "GPUの型名",
    "host": "ホスト名",
    "gpu_index": "ホスト内のGPU番号",
    "samples": "標本の数",
    "expected_samples": "間隔から期待される標本の数",
    "covered_seconds": "標本で覆われた秒数。覆われない秒は停止とはみなさない",
    "idle_seconds": "使用率が0だった秒数",
    "active_seconds": "使用率が0でなかった秒数",
    "unknown_seconds": "覆われているが使用率が分からない秒数",
    **{f"{name}_seconds": f"{ja}が分かる秒数" for name, ja in _MEASURES.items()},
    **{f"{name}_e6_seconds": f"{ja}×10^6×秒の合計（整数）" for name, ja in _MEASURES.items()},
    "gpu_util_max_percent": "GPU使用率の最大（%）",
    "memory_used_max_mib": "使用メモリの最大（MiB）",
    "power_max_w": "電力の最大（W）",
    "temperature_max_c": "温度の最大（℃）",
    "energy_seconds": "電力量が分かる秒数",
    "energy_mj": "電力量（mJ）。装置全体の値で、MIGでは各スライスに同じ値が入る",
    "throttle_known_seconds": "抑制の有無が分かる秒数",
    "throttled_seconds": "クロックが抑制された秒数",
    "power_capped_seconds": "電力上限による抑制の秒数",
    "xid_events": "XIDエラーの発生回数",
    "xid_codes": "発生したXIDの番号",
}
"""By column name of HOUR_FACTS and DAY_FACTS."""

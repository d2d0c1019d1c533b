"""A place in a file that a company has to correct, for the tests of what is written to it."""

from datetime import UTC, datetime

from geniac_pipelines.alerts.rows import Correction, Delivered
from geniac_pipelines.store.arrivals import RefusalRecord


def a_correction(**other: object) -> Correction:
    """One of aoi-ai's report for August, or what `other` makes of any part of it."""
    usual: dict[str, object] = {
        "company_id": "aoi-ai",
        "arrival_id": "a" * 20,
        "file": "月次報告_8月.xlsx",
        "sha256": "0" * 64,
        "received_at": datetime(2026, 10, 2, 0, 30, tzinfo=UTC),
        "rows": 6,
        "code": "cell.number",
        "costs": "row",
        "sheet": "利用実績",
        "line": 7,
        "column": "GPU時間",
        "cell": "約百",
        "ja": "数として読めません",
        "ja_remedy": "半角の数字で書いてください",
        "en": "not a number",
        "en_remedy": "write digits",
    }
    said = usual | other
    assert set(said) == set(usual)
    delivered = Delivered(**{n: said[n] for n in Delivered.__dataclass_fields__})  # type: ignore[arg-type]
    refusal = RefusalRecord(**{n: said[n] for n in RefusalRecord.__dataclass_fields__})  # type: ignore[arg-type]
    return Correction(str(said["company_id"]), delivered, refusal)

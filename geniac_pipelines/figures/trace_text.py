"""A trace as text for the terminal: figure, query, rows level by level, files, original lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from geniac_pipelines.figures.trace import Origin, Printed, Trace, original_line
from geniac_pipelines.figures.trace_rows import Level
from geniac_pipelines.store.archive import Archive, DamagedObject, ErasedObject

SHOWN_ARRIVALS = 10
SHOWN_LINES = 5
SHOWN_OTHERS = 3
SEALED = (
    "（個人情報を含む原本のため表示しません。表示するには --person と --purpose を付けてください）"
)
STATUS = {"issued": "発行済み", "draft": "暫定"}


def as_text(
    found: Trace, archive: Archive, *, reveal: bool = False, every_file: bool = False
) -> str:
    """The whole trace, in Japanese with the technical names as they are.

    Of the files, the first SHOWN_ARRIVALS are named unless `every_file`. Lines of originals that
    hold what is said of people are shown only with `reveal`, which is the business of somebody who
    put on record why; the archive then needs the secret key.
    """
    printed = found.printed
    lines = [
        f"数値    {printed.label}",
        f"番号    {found.figure}",
        f"値      {_value(printed)}",
        f"報告書  {_report(printed)}",
        *_others(found),
        "",
        f"問い合わせ（引数 {dict(printed.origin['parameters'])}）",
        *(f"    {line}" for line in printed.origin["sql"].splitlines()),
    ]
    for level in found.levels:
        lines += ["", *_level(level)]
    lines += ["", *_files(found, every_file)]
    lines += _originals(found, archive, reveal)
    return "\n".join(lines)


def _value(printed: Printed) -> str:
    return "―" if printed.value is None else f"{printed.value} {printed.unit or ''}".rstrip()


def _report(printed: Printed) -> str:
    said = [f"世代 {printed.generation}", f"データの版 {printed.version}", STATUS[printed.status]]
    said += ["公開中"] if printed.is_out else []
    said += [] if printed.has_data else ["データなし"]
    return f"{printed.report}（{'、'.join(said)}）"


def _others(found: Trace) -> Iterator[str]:
    for other in found.others[:SHOWN_OTHERS]:
        yield f"ほかに  {_report(other)}　値 {_value(other)}"
    if len(found.others) > SHOWN_OTHERS:
        yield (
            f"        この番号のある報告書はほか {len(found.others) - SHOWN_OTHERS:,} 件"
            "（--report と --generation で選べます）"
        )


def _level(level: Level) -> list[str]:
    lines = [
        f"{level.relation}　全 {level.total:,} 行（うち {len(level.rows)} 行を表示）",
        *(f"    {_row(row)}" for row in level.rows),
    ]
    return lines if level.stop is None else [*lines, f"    ※ {level.stop}"]


def _row(row: Mapping[str, Any]) -> str:
    return "  ".join(f"{k}={_cell(v)}" for k, v in row.items() if v is not None)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return f"[{len(value)}件]" if len(value) > 3 else f"[{', '.join(map(str, value))}]"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)


def _files(found: Trace, every_file: bool) -> Iterator[str]:
    whole = "" if all(level.stop is None for level in found.levels) else "分かった限り "
    yield f"もとのファイル　{whole}全 {len(found.origins):,} 件"
    shown = found.origins if every_file else found.origins[:SHOWN_ARRIVALS]
    for origin in shown:
        yield f"    {_origin(origin)}"
    if len(found.origins) > len(shown):
        yield f"    ほか {len(found.origins) - len(shown):,} 件（すべて見るには --all）"


def _origin(origin: Origin) -> str:
    return (
        f"{origin.arrival_id}  {origin.name}  提出者 {origin.sender or '不明'}  "
        f"受付 {origin.received_at}  SHA-256 {origin.sha256}"
    )


def _originals(found: Trace, archive: Archive, reveal: bool) -> list[str]:
    """Lines of the archived originals that rows stand on: of the rows shown, the first few."""
    by_id = {o.arrival_id: o for o in found.origins}
    places = [
        (by_id[row["_arrival"]], row.get("_sheet"), row["_line"])
        for level in found.levels
        for row in level.rows
        if row.get("_line") and row.get("_arrival") in by_id
    ]
    if not places:
        return []
    lines = ["", f"原本の該当箇所（上に示した行から {min(len(places), SHOWN_LINES)} 件）"]
    for origin, sheet, line in places[:SHOWN_LINES]:
        where = f"シート「{sheet}」 {line}行目" if sheet else f"{line}行目"
        text = _original(archive, origin.sha256, None if sheet else line, reveal)
        lines.append(f"    {origin.name} {where}" + (f": {text}" if text else ""))
    return lines


def _original(archive: Archive, sha256: str, line: int | None, reveal: bool) -> str | None:
    """The line (None: the original has no lines), or why it is not shown."""
    try:
        if not archive.holds(sha256):
            archive.raise_absent(sha256)
        if line is None:
            return None
        if archive.is_sealed(sha256) and not reveal:
            return SEALED
        return original_line(archive, sha256, line)
    except ErasedObject as erased:
        return f"原本は削除済み（{erased.why}）"
    except (DamagedObject, FileNotFoundError) as fault:
        return f"原本を読めません（{fault}）"

"""A trace as text for the terminal: figure, query, rows level by level, files, original lines."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from geniac_pipelines.figures.trace import SHOWN_ARRIVALS, Level, Origin, Trace, original_line
from geniac_pipelines.store.archive import Archive, DamagedObject, ErasedObject

SHOWN_LINES = 5
SEALED = (
    "（個人情報を含む原本のため表示しません。表示するには --person と --purpose を付けてください）"
)


def as_text(found: Trace, archive: Archive, *, reveal: bool = False) -> str:
    """The whole trace, in Japanese with the technical names as they are.

    Lines of originals that hold what is said of people are shown only with `reveal`, which is the
    business of somebody who put on record why; the archive then needs the secret key.
    """
    value = "―" if found.value is None else found.value
    lines = [
        f"数値    {found.label}",
        f"番号    {found.figure}",
        f"値      {value} {found.unit or ''}".rstrip(),
        f"報告書  {found.report}（世代 {found.generation}）",
        "",
        f"問い合わせ（引数 {dict(found.parameters)}）",
        *(f"    {line}" for line in found.sql.splitlines()),
    ]
    for level in found.levels:
        lines += ["", *_level(level)]
    lines += ["", "もとのファイル"]
    shown = found.origins[:SHOWN_ARRIVALS]
    lines += [f"    {_origin(o)}" for o in shown] or ["    （なし）"]
    if len(found.origins) > len(shown):
        lines.append(f"    ほか {len(found.origins) - len(shown)} 件")
    lines += _originals(found, archive, reveal)
    return "\n".join(lines)


def _level(level: Level) -> list[str]:
    more = f"（{level.total} 行のうち {len(level.rows)} 行）" if level.total else "（0 行）"
    return [f"{level.relation} {more}", *(f"    {_row(row)}" for row in level.rows)]


def _row(row: Mapping[str, Any]) -> str:
    return "  ".join(f"{k}={_cell(v)}" for k, v in row.items() if v is not None)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return f"[{len(value)}件]" if len(value) > 3 else f"[{', '.join(map(str, value))}]"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)


def _origin(origin: Origin) -> str:
    return (
        f"{origin.arrival_id}  {origin.name}  提出者 {origin.sender or '不明'}  "
        f"受付 {origin.received_at}  SHA-256 {origin.sha256}"
    )


def _originals(found: Trace, archive: Archive, reveal: bool) -> list[str]:
    """The lines of the archived originals that the last level's rows stand on."""
    by_id = {o.arrival_id: o for o in found.origins}
    places = [
        (by_id[row["_arrival"]], row.get("_sheet"), row["_line"])
        for level in found.levels
        for row in level.rows
        if row.get("_line") and row.get("_arrival") in by_id
    ]
    if not places:
        return []
    lines = ["", "原本の該当箇所"]
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

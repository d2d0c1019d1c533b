"""Cells that mean a day, a month or a moment: as text, as a date cell, as a bare number of days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from geniac_pipelines.calendar import Month
from geniac_pipelines.intake import cell_complaints as say
from geniac_pipelines.intake.cell_reader import Reader, Unfit, number_of, plain, reasons
from geniac_pipelines.intake.sheets import Cell
from geniac_pipelines.japanese import (
    NoValue,
    UnreadableDate,
    from_excel_serial,
    parse_date,
    parse_period,
)

_SERIALS: Final = (36_526, 73_050)
"""Excel's numbers of the days 2000-01-01 to 2099-12-31; others are no dates of ours."""


def _date_text(cell: Cell, reader: Reader) -> str | date:
    """A date cell as it is, a bare number as the day that the spreadsheet means, else text."""
    if isinstance(cell, bool):
        raise UnreadableDate(plain(cell), "真偽値のセルです", "the cell holds a truth value")
    if isinstance(cell, str | date):
        return cell
    number = number_of(float(cell or 0))
    epoch_1904 = reader.setting.epoch_1904
    if epoch_1904 is not None and _SERIALS[0] <= number <= _SERIALS[1]:
        day = from_excel_serial(float(number), epoch_1904=epoch_1904)
        reader.note(
            day,
            "日付の表示形式でない数値だったため、表計算ソフトの通し日数として読みました"
            " / a bare number, read as the spreadsheet's count of days",
        )
        return day
    return f"{number:f}"


def day_of(cell: Cell, reader: Reader) -> date:
    """A day."""
    text = _date_text(cell, reader)
    day = parse_date(text)
    for warning in parse_period(text).warnings:
        reader.note(day, warning)
    return day


def month_of(cell: Cell, reader: Reader) -> date:
    """The first day of a month; any day of it will do."""
    text = _date_text(cell, reader)
    period = parse_period(text)
    if period.earliest is None or period.latest is None:
        raise NoValue(period.text, "年月が未定です", "the month is not decided")
    month = Month.of(period.earliest)
    if month != Month.of(period.latest):
        raise UnreadableDate(
            period.text,
            f"1か月に決まりません（{period.earliest}～{period.latest}）",
            f"it is not one month ({period.earliest} to {period.latest})",
        )
    for warning in period.warnings:
        reader.note(month.ja, warning)
    return month.first


def instant_of(cell: Cell, reader: Reader) -> datetime:
    """A moment in UTC; where none is written, the zone is the setting's."""
    local = _moment(cell)
    if local.tzinfo is None:
        zone = ZoneInfo(reader.setting.zone)
        first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            raise Unfit(
                say.INSTANT,
                **reasons(
                    reader.column,
                    f"夏時間の切り替えのため{zone.key}では1つに決まりません",
                    f"not one moment in {zone.key}, where clocks change",
                ),
            )
        local = first
    return local.astimezone(UTC)


def _moment(cell: Cell) -> datetime:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())  # a moment at midnight is told as a day
    text = plain(cell).strip()
    try:
        found = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise UnreadableDate(text, "日時の形ではありません", "not a day with a time") from None
    if len(text) <= len("2026-09-01"):
        raise UnreadableDate(text, "時刻がありません", "the time is missing")
    return found

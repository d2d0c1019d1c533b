"""What is said about single cells of handed-in tables: refusals and notes, ja and en.

Here: kinds of complaint. What leads to them stands in `cells`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from geniac_pipelines.intake.reading import Complaint


@dataclass(frozen=True)
class Twofold:
    """One kind of complaint: of a required column it costs the row, of another the cell."""

    row: Complaint
    cell: Complaint

    def of(self, required: bool) -> Complaint:
        return self.row if required else self.cell


def _twofold(code: str, ja: str, ja_remedy: str, en: str, en_remedy: str) -> Twofold:
    return Twofold(
        Complaint(
            code,
            "row",
            ja=f"{ja}。この行は受け取れませんでした",
            ja_remedy=ja_remedy,
            en=f"{en}; the row was not taken",
            en_remedy=en_remedy,
        ),
        Complaint(
            code,
            "cell",
            ja=f"{ja}。このセルは空欄として受け取りました",
            ja_remedy=ja_remedy,
            en=f"{en}; the cell was taken as empty",
            en_remedy=en_remedy,
        ),
    )


BLANK: Final = Complaint(
    "cell.blank",
    "row",
    ja="必須項目「{column}」に値がありません。この行は受け取れませんでした",
    ja_remedy="値を記入して再提出してください。0の場合は0と記入してください{example}",
    en="the required {column!r} has no value; the row was not taken",
    en_remedy="fill it in and send the file again; write 0 if it is zero{example_en}",
)
MERGED: Final = Complaint(
    "cell.merged",
    "row",
    ja=(
        "必須項目「{column}」は上または左のセルと結合されていて、この行の値が分かりません。"
        "この行は受け取れませんでした"
    ),
    ja_remedy="セルの結合を解除し、すべての行に値を記入して再提出してください",
    en="the required {column!r} is merged with another cell, so this row has no value of its own; "
    "the row was not taken",
    en_remedy="unmerge the cells, fill in every row and send the file again",
)
NUMBER: Final = _twofold(
    "cell.number",
    "「{column}」を数値として読めません（{reason}）",
    "数字だけを記入して再提出してください{unit}{example}",
    "{column!r} can't be read as a number ({reason_en})",
    "write digits only{unit_en}{example_en} and send the file again",
)
WHOLE: Final = _twofold(
    "cell.whole-number",
    "「{column}」は整数のはずですが、整数ではありません",
    "整数で記入して再提出してください{example}",
    "{column!r} must be a whole number and is not",
    "write a whole number{example_en} and send the file again",
)
BELOW: Final = _twofold(
    "cell.below-minimum",
    "「{column}」は{minimum}以上のはずです",
    "値を確認し、正しい値を記入して再提出してください",
    "{column!r} can't be below {minimum}",
    "check the value and send the file again",
)
TOO_BIG: Final = _twofold(
    "cell.too-big",
    "「{column}」の値が大きすぎます",
    "値と単位を確認し、正しい値を記入して再提出してください",
    "{column!r} is too large a number",
    "check value and unit, and send the file again",
)
DATE: Final = _twofold(
    "cell.date",
    "「{column}」を日付として読めません（{reason}）",
    "年・月・日を記入して再提出してください{example}",
    "{column!r} can't be read as a day ({reason_en})",
    "write year, month and day{example_en} and send the file again",
)
MONTH: Final = _twofold(
    "cell.month",
    "「{column}」を年月として読めません（{reason}）",
    "年と月を記入して再提出してください{example}",
    "{column!r} can't be read as a month ({reason_en})",
    "write year and month{example_en} and send the file again",
)
INSTANT: Final = _twofold(
    "cell.instant",
    "「{column}」を日時として読めません（{reason}）",
    "年月日と時刻を「2026-09-01 10:00」の形で記入して再提出してください",
    "{column!r} can't be read as a moment ({reason_en})",
    "write day and time like 2026-09-01 10:00 and send the file again",
)
YES_NO: Final = _twofold(
    "cell.yes-no",
    "「{column}」は「はい」か「いいえ」のはずです",
    "「はい」または「いいえ」を記入して再提出してください",
    "{column!r} must be yes or no",
    "write yes or no and send the file again",
)
CHOICE: Final = _twofold(
    "cell.choice",
    "「{column}」が選択肢にありません{guess}",
    "次から選んで再提出してください：{choices}",
    "{column!r} is none of the choices{guess_en}",
    "choose one of these and send the file again: {choices}",
)
ASSUMED: Final = Complaint(
    "cell.assumed",
    "nothing",
    ja="「{column}」を「{value}」と読みました（{reason}）",
    ja_remedy="正しければ対応は不要です。違う場合は訂正して再提出してください",
    en="{column!r} was read as {value} ({reason_en})",
    en_remedy="nothing to do if that is right; else correct it and send the file again",
)
ROUNDED: Final = Complaint(
    "cell.rounded",
    "nothing",
    ja="「{column}」の小数を10桁目で四捨五入し、{value}として受け取りました",
    ja_remedy="対応は不要です",
    en="{column!r} was rounded to 9 decimals and taken as {value}",
    en_remedy="nothing to do",
)

"""What is said about headings and rows of handed-in tables: refusals and notes, ja and en.

Here: kinds of complaint. What leads to them stands in `tables`.
"""

from __future__ import annotations

from typing import Final

from geniac_pipelines.intake.reading import Complaint

_TEMPLATE_JA = "様式の見出しを変えずに記入して再提出してください"
_TEMPLATE_EN = "keep the headings of the template and send the file again"

COLUMNS_MISSING: Final = Complaint(
    "table.columns-missing",
    "file",
    ja="「{contract}」に必要な列が見つかりません：{missing}（見つかった見出し：{found}）",
    ja_remedy=_TEMPLATE_JA,
    en="columns that {contract} needs were not found: {missing} (headings found: {found})",
    en_remedy=_TEMPLATE_EN,
)
HEADING_TWICE: Final = Complaint(
    "table.heading-twice",
    "file",
    ja="「{contract}」の同じ列を指す見出しが複数あり、どちらを読むべきか決められません：{headings}",
    ja_remedy="使わない列を削除して再提出してください",
    en="several headings stand for one column of {contract}, and which to read can't be told: "
    "{headings}",
    en_remedy="delete the column that is not meant and send the file again",
)
HEADING_DOUBTFUL: Final = Complaint(
    "table.heading-doubtful",
    "cell",
    ja="見出し「{cell}」を「{expected}」と読んでよいか判断できないため、この列は読み取りませんでした",
    ja_remedy="{expected}で記入し、様式の見出しのまま再提出してください",
    en="whether heading {cell!r} means {expected!r} can't be told, so the column was not read",
    en_remedy="fill it in as {expected} under the template's heading and send the file again",
)
EXTRA_COLUMNS: Final = Complaint(
    "table.extra-columns",
    "nothing",
    ja="様式にない列は読み取りませんでした：{headings}",
    ja_remedy="必要な内容であれば事務局にご連絡ください",
    en="columns that the template lacks were not read: {headings}",
    en_remedy="tell the secretariat if they matter",
)
SCALED: Final = Complaint(
    "table.scaled",
    "nothing",
    ja="見出しの単位が「{unit}」のため、値を{factor}倍して「{own}」に換算しました",
    ja_remedy="対応は不要です。単位が違う場合は訂正して再提出してください",
    en="the heading counts in {unit}, so values were multiplied by {factor} to give {own}",
    en_remedy="nothing to do, unless the unit is wrong",
)
TOTAL_ROW: Final = Complaint(
    "table.total-row",
    "nothing",
    ja="合計の行は読み取りませんでした",
    ja_remedy="対応は不要です",
    en="a row of totals was left out",
    en_remedy="nothing to do",
)
NOTE_ROW: Final = Complaint(
    "table.note-row",
    "nothing",
    ja="注記の行は読み取りませんでした",
    ja_remedy="対応は不要です",
    en="a row that holds a footnote was left out",
    en_remedy="nothing to do",
)
OUTSIDE_ROW: Final = Complaint(
    "table.outside-row",
    "nothing",
    ja="様式の列がすべて空欄のため、この行は読み取りませんでした",
    ja_remedy="様式の列に記入すべき内容であれば、訂正して再提出してください",
    en="the row is empty in every column of the template and was left out",
    en_remedy="if its content belongs into those columns, put it there and send the file again",
)
HEADER_AGAIN: Final = Complaint(
    "table.header-again",
    "nothing",
    ja="見出しの行がもう一度あったため、読み飛ばしました",
    ja_remedy="対応は不要です",
    en="the header stands here once more and was left out",
    en_remedy="nothing to do",
)
SAME_ROW: Final = Complaint(
    "table.same-row",
    "nothing",
    ja="{other}とまったく同じ内容のため、1行として受け取りました",
    ja_remedy="別の内容のはずであれば、訂正して再提出してください",
    en="the same as {other_en}, taken as one row",
    en_remedy="if it should say something else, correct it and send the file again",
)
CONTRADICTION: Final = Complaint(
    "table.contradiction",
    "row",
    ja=(
        "{others}と同じ項目（{key}）ですが、内容が違います。"
        "どちらが正しいか判断できないため、どの行も受け取れませんでした"
    ),
    ja_remedy="正しい行だけを残して再提出してください",
    en="under the same key ({key}) as {others_en} but with other content; which one holds can't be "
    "told, so none of them was taken",
    en_remedy="leave only the right row and send the file again",
)

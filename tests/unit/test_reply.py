"""What a sender is told: what was taken, what to correct and how, with nothing of people in it."""

from dataclasses import replace
from datetime import UTC, datetime
from string import Formatter

import pytest
import python_calamine
from click.testing import CliRunner

from geniac_pipelines.cli import main
from geniac_pipelines.contracts import Column, Contract, Type
from geniac_pipelines.intake.reading import COSTS, Complaint, Place, Refusal
from geniac_pipelines.intake.reply import PHRASES, Reply, reply
from geniac_pipelines.intake.reply_workbook import write_reply_workbook
from geniac_pipelines.store.arrivals import RefusalRecord

LOST_ROW = Complaint(
    "t.row", "row", "「{cell}」は読めません", "直してください", "{cell!r} is bad", "fix it"
)
LOST_CELL = Complaint(
    "t.cell", "cell", "値「{cell}」が変です", "確認を", "{cell!r} is odd", "check it"
)
LOST_FILE = Complaint(
    "t.file", "file", "{what}がありません", "足してください", "no {what}", "add it"
)
NOTE = Complaint(
    "t.note", "nothing", "合計を除きました", "不要です", "a total was left out", "nothing"
)
DOUBT = Complaint("t.doubt", "doubt", "{cell}は本当ですか", "確認を", "is it {cell}?", "check it")
# 01:00 UTC is 10:00 in Japan
RECEIVED = datetime(2026, 10, 2, 1, 0, tzinfo=UTC)


def answer(*refusals: Refusal | RefusalRecord, rows: int = 3, **more) -> Reply:
    return reply(
        "報告.xlsx",
        "ab" * 32,
        sender="aoi-ai",
        received_at=RECEIVED,
        rows_taken={"利用量": rows} if rows else {},
        refusals=refusals,
        **more,
    )


def test_nothing_wrong_is_a_clear_receipt() -> None:
    said = answer()
    assert (said.outcome, said.must_correct) == ("accepted", False)
    assert said.ja == (
        "【受領確認】\n"
        "ファイルを受け取りました。修正の必要はありません。\n"
        "\n"
        "ファイル：報告.xlsx\n"
        "提出者：aoi-ai\n"
        "受付日時：2026-10-02 10:00（日本時間）\n"
        f"SHA-256：{'ab' * 32}\n"
        "受け取った行数：\n"
        "　利用量：3行\n"
    )
    assert "[Receipt]" in said.en
    assert "Received: 2026-10-02 10:00 (Japan time)" in said.en


def test_notes_alone_are_still_a_receipt() -> None:
    said = answer(NOTE.at(Place("表", 9)))
    assert said.outcome == "accepted"
    assert "■ すべて受け取りました（お知らせ）\n1. 合計を除きました" in said.ja
    assert "修正の必要はありません" in said.ja


def test_doubts_are_put_as_questions_and_need_no_correction() -> None:
    said = answer(NOTE.at(Place("表", 9)), DOUBT.at(Place("表", 2, "利用額"), "5"))
    assert (said.outcome, said.must_correct) == ("doubtful", False)
    assert "正しいかご確認ください。正しければ対応は不要です。" in said.ja
    assert "please check whether what follows is right" in said.en.lower()
    first, second = said.groups
    assert (first.costs, second.costs) == ("doubt", "nothing")
    lost = answer(DOUBT.at(Place("表", 2, "利用額"), "5"), LOST_CELL.at(Place("表", 4), "？"))
    assert [g.costs for g in lost.groups] == ["cell", "doubt"]
    assert lost.must_correct


def test_both_languages_have_every_phrase_with_the_same_values() -> None:
    for phrase, texts in PHRASES.items():
        fields = {
            language: {name for _, name, _, _ in Formatter().parse(text) if name}
            for language, text in texts.items()
        }
        assert set(texts) == {"ja", "en"}, phrase
        assert fields["ja"] == fields["en"], phrase
    assert set(COSTS) <= set(PHRASES)


def test_what_was_lost_comes_first_with_place_value_and_remedy() -> None:
    said = answer(
        NOTE.at(Place("表", 9)),
        LOST_CELL.at(Place("表", 4, "利用額"), "？"),
        LOST_ROW.at(Place("表", 3, "対象月"), "13月"),
    )
    assert said.outcome == "partial"
    body = said.ja.split("\n\n", maxsplit=2)[2]
    assert body == (
        "■ 行を受け取れませんでした\n"
        "1. 「13月」は読めません\n"
        "   場所：シート「表」 3行目 「対象月」列：「13月」\n"
        "   直し方：直してください\n"
        "\n"
        "■ セルを空欄として受け取りました\n"
        "2. 値「？」が変です\n"
        "   場所：シート「表」 4行目 「利用額」列：「？」\n"
        "   直し方：確認を\n"
        "\n"
        "■ すべて受け取りました（お知らせ）\n"
        "3. 合計を除きました\n"
        "   場所：シート「表」 9行目\n"
        "   直し方：不要です\n"
    )
    assert "at: sheet '表', row 3, column '対象月': '13月'" in said.en


def test_nothing_taken_is_a_refusal() -> None:
    said = answer(LOST_ROW.at(Place("表", 2), "x"), rows=0)
    assert said.outcome == "refused"
    assert "受け取った行数：0行" in said.ja
    assert "The file could not be taken." in said.en


def test_the_same_complaint_in_5000_rows_is_one_entry_with_five_places() -> None:
    said = answer(*(LOST_ROW.at(Place("表", n, "対象月"), f"{n}") for n in range(2, 5002)))
    [group] = said.groups
    assert (group.count, [r.line for r in group.first]) == (5000, [2, 3, 4, 5, 6])
    assert "1. 「2」は読めません（5,000件）" in said.ja
    assert "ほか4,995件" in said.ja
    assert said.ja.count("場所：") == 5
    assert "and 4,995 more" in said.en


def test_complaints_about_other_columns_or_sheets_stay_apart() -> None:
    said = answer(
        LOST_ROW.at(Place("表", 2, "対象月"), "a"),
        LOST_ROW.at(Place("表", 2, "番号"), "b"),
        LOST_ROW.at(Place("別", 2, "番号"), "c"),
        LOST_FILE.at(Place(), what="甲"),
        LOST_FILE.at(Place(), what="乙"),
    )
    assert [g.count for g in said.groups] == [1] * 5
    assert "甲がありません" in said.ja
    assert "乙がありません" in said.ja


def test_long_cells_are_cut_in_the_text() -> None:
    said = answer(NOTE.at(Place("表", 2), "あ" * 500 + "\n終わり"))
    assert f"「{'あ' * 60}…」" in said.ja


PEOPLE = Contract(
    "test__people", "test", "人", "人", key=("name",), clauses=(),
    columns=(Column("name", Type.TEXT, "氏名", "氏名", personal=True),),
)  # fmt: skip


@pytest.mark.parametrize("how", [{"contracts": (PEOPLE,)}, {"personal": True}])
def test_personal_cells_are_masked_in_readers_and_ledgers_refusals(how) -> None:
    fresh = LOST_ROW.at(Place("表", 2, "氏名"), "山田花子")
    kept = RefusalRecord(
        "t.row", "row", "表", 3, "氏名", "山田花子",
        "「山田花子」は読めません", "直してください", "'山田花子' is bad", "fix it",
    )  # fmt: skip
    said = answer(fresh, kept, **how)
    assert [r.cell for r in said.refusals] == ["＊＊＊", "＊＊＊"]
    assert "山田" not in said.ja + said.en + "".join(r.ja + r.en for r in said.refusals)
    assert "「＊＊＊」は読めません" in said.ja


def test_cells_of_other_columns_are_shown() -> None:
    said = answer(LOST_ROW.at(Place("表", 2, "番号"), "x1"), contracts=(PEOPLE,))
    assert said.refusals[0].cell == "x1"


def test_a_receipt_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="without zone"):
        reply(
            "a", "b", sender=None, received_at=datetime(2026, 10, 2),  # noqa: DTZ001
            rows_taken={}, refusals=(),
        )  # fmt: skip


def test_the_workbook_has_one_row_a_complaint_and_never_a_formula(tmp_path) -> None:
    said = answer(
        NOTE.at(Place("表", 9)),
        LOST_CELL.at(Place("表", 4, "利用額"), "=1+1"),
        LOST_FILE.at(Place(), what="甲"),
    )
    file = tmp_path / "修正依頼票.xlsx"
    other = replace(said, file_name="計画.xlsx", refusals=said.refusals[:1])
    write_reply_workbook([said, other], file)
    first = file.read_bytes()
    book = python_calamine.CalamineWorkbook.from_path(file)
    assert book.sheet_names == ["修正依頼票", "概要", "Summary"]
    assert book.get_sheet_by_name("修正依頼票").to_python() == [
        ["ファイル", "シート", "行", "列", "元の値", "問題", "直し方", "影響"],
        ["報告.xlsx", "", "", "", "", "甲がありません", "足してください", "ファイル"],
        ["報告.xlsx", "表", 4, "利用額", "=1+1", "値「=1+1」が変です", "確認を", "セル"],
        ["報告.xlsx", "表", 9, "", "", "合計を除きました", "不要です", "なし"],
        ["計画.xlsx", "表", 9, "", "", "合計を除きました", "不要です", "なし"],
    ]
    texts = [r[0] for r in book.get_sheet_by_name("概要").to_python()]
    assert texts.count("【修正依頼票】") == 1
    assert texts.count("【受領確認】") == 1
    assert book.get_sheet_by_name("Summary").to_python()[0] == ["[Request for correction]"]
    write_reply_workbook([said, other], file)
    assert file.read_bytes() == first


def test_a_workbook_without_a_reply_is_not_written(tmp_path) -> None:
    with pytest.raises(ValueError, match="nothing to reply to"):
        write_reply_workbook([], tmp_path / "a.xlsx")


def test_geniac_check_writes_the_workbook_and_no_file_that_it_checks(tmp_path) -> None:
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF-1.7")
    out = tmp_path / "修正依頼票.xlsx"
    run = CliRunner().invoke(main, ["check", str(letter), "--xlsx", str(out)])
    assert run.exit_code == 1
    assert "ファイルの形式を判別できません" in run.stdout
    rows = python_calamine.CalamineWorkbook.from_path(out).get_sheet_by_index(0).to_python()
    assert rows[1][0] == "letter.pdf"

    over = CliRunner().invoke(main, ["check", str(letter), "--xlsx", str(letter)])
    assert "it stays as it is" in over.output
    assert letter.read_bytes() == b"%PDF-1.7"

"""修正依頼票 with a letter: what it holds, when it is decided, and that it goes out unchanged."""

import email
import io
import random
import re
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.policy import default

import pytest
import python_calamine
import sqlalchemy as sa
from click.testing import CliRunner

from geniac_pipelines.alerts import company, drafts, outbox, render, ticket
from geniac_pipelines.alerts.channels import EmlFolder
from geniac_pipelines.alerts.message import LARGEST_ATTACHMENT, Attachment, Message
from geniac_pipelines.alerts.outbox import NotSent, Outgoing
from geniac_pipelines.alerts.rows import Company, Own
from geniac_pipelines.cli import main
from geniac_pipelines.store.decisions import decisions_about
from geniac_pipelines.store.ledger import Ledger, attachments, messages, metadata
from tests.corrections import a_correction

MONDAY = date(2026, 10, 5)
NIGHT = datetime(2026, 10, 4, 17, 0, tzinfo=UTC)
NOON = datetime(2026, 10, 5, 3, 0, tzinfo=UTC)
SENDER = "geniac@example.jp"
AOI = Company("aoi-ai", "株式会社あおいAI", contact="tantou@aoi.example.jp")
MIDORI = Company("midori", "みどりロボティクス株式会社")


def letter(*corrections, asked=()) -> Message:
    made = company.compose(
        [Own(AOI, corrections=corrections)], (AOI, MIDORI), (), {"aoi-ai": asked}, MONDAY
    )
    (message,) = made.messages
    return message


def sheet(attachment: Attachment, name: str) -> list[list[object]]:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(attachment.content))
    return book.get_sheet_by_name(name).to_python()


# ---- what it holds


def test_the_workbook_lists_every_place_of_the_letter_file_by_file() -> None:
    plan = {"arrival_id": "b" * 20, "file": "計画.xlsx", "sheet": None, "column": None}
    made = letter(
        a_correction(**plan, line=None, cell=None, costs="file", ja="読めません", rows=0),
        *(a_correction(line=n) for n in range(2, 32)),
        a_correction(line=40, costs="doubt", cell="5", ja="金額が小さすぎます"),
    )
    assert made.attachment is not None
    assert made.attachment.name == "修正依頼票.xlsx"
    head, *rows = sheet(made.attachment, "修正依頼票")
    assert head == ["ファイル", "シート", "行", "列", "元の値", "問題", "直し方", "影響"]
    remedy = "半角の数字で書いてください"
    report = ["月次報告_8月.xlsx", "利用実績"]
    wrong = ["GPU時間", "約百", "数として読めません", remedy, "行"]
    assert rows == [
        *([*report, line, *wrong] for line in range(2, 32)),
        [*report, 40, "GPU時間", "5", "金額が小さすぎます", remedy, "なし（要確認）"],
        ["計画.xlsx", "", "", "", "", "読めません", remedy, "ファイル"],
    ]


def test_its_summary_names_file_sender_receipt_and_what_was_taken() -> None:
    made = letter(a_correction(rows=67))
    assert made.attachment is not None
    text = [row[0] for row in sheet(made.attachment, "概要")]
    for line in (
        "ファイル：月次報告_8月.xlsx",
        "提出者：aoi-ai",
        # half past midnight UTC
        "受付日時：2026-10-02 09:30（日本時間）",
        "　合計 / total：67行",
    ):
        assert line in text


def test_the_letter_speaks_of_it_and_sends_nobody_to_ask_for_the_list() -> None:
    body = letter(*(a_correction(line=n) for n in range(30))).body
    assert "直していただきたい箇所の一覧は、添付の「修正依頼票.xlsx」にもあります。" in body
    assert "・ほか 10 か所（添付の一覧にあります）" in body
    assert "10 more (see the attached list)" in body


def test_doubts_alone_carry_no_request_to_correct() -> None:
    made = letter(*(a_correction(costs="doubt", line=n) for n in range(30)))
    assert made.attachment is None
    assert "添付" not in made.body
    assert "ほか 10 か所（すべての箇所の一覧が必要なときは、お知らせください）" in made.body


def test_what_was_asked_before_is_not_in_it() -> None:
    old = a_correction(arrival_id="b" * 20, file="古い.xlsx")
    made = letter(old, a_correction(), asked={f"correction:{'b' * 20}"})
    assert made.attachment is not None
    assert "古い" not in ticket.words(made.attachment)


def test_masked_cells_stay_masked() -> None:
    made = letter(a_correction(cell="＊＊＊", ja="「＊＊＊」は読めません"))
    assert made.attachment is not None
    assert sheet(made.attachment, "修正依頼票")[1][4:6] == ["＊＊＊", "「＊＊＊」は読めません"]


def test_the_same_places_give_the_same_bytes_in_any_order() -> None:
    places = [a_correction(line=n) for n in range(50)]
    first = letter(*places).attachment
    random.Random(1).shuffle(places)
    assert letter(*places).attachment == first


@pytest.mark.parametrize("limit", ["MOST_PLACES", "LARGEST_ATTACHMENT"])
def test_a_list_that_is_too_long_for_a_mail_is_to_be_asked_for(limit, monkeypatch) -> None:
    monkeypatch.setattr(ticket, limit, 20)
    made = letter(*(a_correction(line=n) for n in range(21)))
    assert made.attachment is None
    assert "一覧（修正依頼票）は添付していません。必要なときは、このメールへの返信で" in made.body
    assert "list (修正依頼票) to be attached. If you need it, please reply" in made.body
    assert "添付の" not in made.body


def test_another_company_s_name_in_the_workbook_alone_holds_the_draft_back() -> None:
    """Its row stands behind those that the letter spells out."""
    places = [a_correction(line=n) for n in range(21)]
    places.append(a_correction(line=99, cell="みどりロボティクス"))
    own = Own(AOI, corrections=tuple(places))
    made = company.compose([own], (AOI, MIDORI), (), {}, MONDAY)
    assert made.messages == ()
    assert made.held == (company.Held("aoi-ai", "correction", ("midori",)),)


@pytest.mark.parametrize("name", ["票.pdf", "a/b.xlsx", "a\\b.xlsx", "a\n.xlsx"])
def test_an_attachment_is_a_workbook_with_a_plain_name(name) -> None:
    with pytest.raises(ValueError, match="not a workbook's name"):
        Attachment(name, b"")


def test_an_attachment_has_an_end() -> None:
    Attachment("a.xlsx", b"x" * LARGEST_ATTACHMENT)
    with pytest.raises(ValueError, match="too large"):
        Attachment("a.xlsx", b"x" * (LARGEST_ATTACHMENT + 1))


# ---- decided when it is offered


def offered(ledger: Ledger, *which: Message, generation: int = 1) -> tuple[drafts.Draft, ...]:
    with ledger.transaction() as connection:
        drafts.offer(connection, generation, ("correction",), which, NIGHT)
    with ledger.reading() as connection:
        return drafts.waiting(connection)


def released(ledger: Ledger, draft: drafts.Draft) -> None:
    said = {"mark": draft.mark, "person": "山田", "reason": "修正を頼む", "at": NOON}
    drafts.release(ledger, draft.key, **said)


def kept(ledger: Ledger) -> dict[str, bytes]:
    with ledger.reading() as connection:
        found = connection.execute(sa.select(attachments))
        return {row.key: bytes(row.content) for row in found}


class Hands:
    """A channel that keeps what it would have sent, and fails where it is told to."""

    name = "mail"

    def __init__(self, *fails: Exception) -> None:
        self.fails = list(fails)
        self.given: list[bytes] = []

    def send(self, outgoing: Outgoing) -> None:
        self.given.append(render.mail(outgoing, SENDER))
        if self.fails:
            raise self.fails.pop(0)


def drained(ledger: Ledger, hands: outbox.Channel, minutes: int = 0) -> outbox.Drained:
    return outbox.drain(ledger, {"mail": hands}, lambda: NOON + timedelta(minutes=minutes))


def read(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=default)  # type: ignore[return-value]


def test_a_draft_carries_it_to_whoever_reads_the_draft(ledger) -> None:
    made = letter(a_correction())
    (draft,) = offered(ledger, made)
    assert draft.attachment == made.attachment


def test_another_workbook_under_the_same_words_is_another_mark(ledger) -> None:
    """What stands in the 25th place is in the workbook alone."""
    many = [a_correction(line=n) for n in range(25)]
    (first,) = offered(ledger, letter(*many))
    (second,) = offered(ledger, letter(*many[:-1], a_correction(line=24, cell="x")), generation=2)
    assert (first.key, first.subject, first.body) == (second.key, second.subject, second.body)
    assert first.mark != second.mark
    with pytest.raises(drafts.NotReleasable, match="添付"):
        released(ledger, first)
    released(ledger, second)
    (decision,) = decisions_about(ledger, "message", second.key)
    assert second.attachment is not None
    assert decision.details["attachment"] == second.attachment.sha256


def test_the_same_night_again_leaves_the_mark(ledger) -> None:
    (first,) = offered(ledger, letter(a_correction()))
    (second,) = offered(ledger, letter(a_correction()), generation=2)
    assert first.mark == second.mark


def test_once_released_no_night_changes_it(ledger) -> None:
    (draft,) = offered(ledger, letter(a_correction()))
    released(ledger, draft)
    assert draft.attachment is not None
    assert offered(ledger, letter(a_correction(cell="別の値")), generation=2) == ()
    assert kept(ledger) == {draft.key: draft.attachment.content}


def test_it_goes_with_its_draft_and_comes_back_with_it(ledger) -> None:
    (draft,) = offered(ledger, letter(a_correction()))
    assert offered(ledger) == ()
    assert kept(ledger) == {}
    assert offered(ledger, letter(a_correction()), generation=3) == (draft,)


def test_a_draft_that_needs_none_any_more_loses_it(ledger) -> None:
    """The file was read again by a program that only doubts what it refused before."""
    (before,) = offered(ledger, letter(a_correction()))
    (after,) = offered(ledger, letter(a_correction(costs="doubt")), generation=2)
    assert after.key == before.key
    assert after.attachment is None
    assert kept(ledger) == {}


def test_a_ledger_from_before_there_were_attachments_gets_their_table(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    old = Ledger(url)
    with old.engine.begin() as connection:
        metadata.create_all(
            connection, tables=[t for t in metadata.sorted_tables if t is not attachments]
        )
    old.prepare()
    (draft,) = offered(old, letter(a_correction()))
    assert draft.attachment is not None
    old.engine.dispose()


# ---- sent


def test_it_is_sent_with_the_text_and_the_bytes_that_were_released(ledger) -> None:
    (draft,) = offered(ledger, letter(a_correction()))
    released(ledger, draft)
    hands = Hands()
    assert drained(ledger, hands).sent == (draft.key,)
    mail = read(hands.given[0])
    text, workbook = mail.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert "添付の「修正依頼票.xlsx」" in text.get_content()
    assert workbook.get_content_disposition() == "attachment"
    assert workbook.get_filename() == "修正依頼票.xlsx"
    assert workbook.get_content_type() == (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    assert draft.attachment is not None
    assert workbook.get_content() == draft.attachment.content


def test_a_second_sending_is_the_same_mail_byte_for_byte(ledger, tmp_path) -> None:
    (draft,) = offered(ledger, letter(a_correction()))
    released(ledger, draft)
    hands = Hands(NotSent("the line broke"))
    drained(ledger, hands)
    # in between, a night reads the file anew and would word it otherwise
    offered(ledger, letter(a_correction(cell="別の値")), generation=2)
    drained(ledger, hands, minutes=5)
    first, second = hands.given
    assert first == second
    assert read(first)["Message-ID"] == f"<{draft.key}@example.jp>"
    with ledger.transaction() as connection:
        connection.execute(sa.update(messages).values(state="pending", attempts=0))
    drained(ledger, EmlFolder(tmp_path, SENDER), minutes=600)
    assert (tmp_path / f"{draft.key}.eml").read_bytes() == first


def outgoing(attachment: Attachment | None) -> Outgoing:
    return Outgoing(
        key="0123456789abcdef0123456789abcdef",
        kind="correction",
        created_at=NOON,
        channel="mail",
        recipient="tantou@aoi.example.jp",
        audience="company:aoi-ai",
        subject="修正のお願い",
        body="本文",
        payload={},
        attempts=1,
        attachment=attachment,
    )


def test_a_mail_with_an_attachment_keeps_to_what_every_server_takes() -> None:
    """Seven bits, short lines, and the name in one piece (RFC 2231), which old programs need."""
    content = random.Random(2).randbytes(5000)
    mail = render.mail(outgoing(Attachment("修正依頼票.xlsx", content)), SENDER)
    assert mail.isascii()
    # nothing can be folded in the media type, whose registered name fills a line and one over
    assert [line for line in mail.split(b"\r\n") if len(line) > 78] == [
        b"Content-Type: " + render.WORKBOOK.encode()
    ]
    assert re.search(rb"filename\*=utf-8''[%0-9A-F]+\.xlsx\r\n", mail)
    assert read(mail).get_boundary() == "_0123456789abcdef0123456789abcdef_"


def test_a_webhook_tells_the_attachment_s_name_alone() -> None:
    made = render.webhook(outgoing(Attachment("修正依頼票.xlsx", b"PK secret")))
    note = made["blocks"][-1]["elements"][0]["text"]
    assert note.startswith("添付（メールのみ） 修正依頼票.xlsx　通知番号 ")
    assert "PK" not in repr(made)
    assert "添付" not in repr(render.webhook(outgoing(None)))


# ---- at the desk


def test_the_desk_shows_it_and_writes_it_to_be_read(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("GENIAC_LEDGER_URL", raising=False)
    data = tmp_path / "data"
    ledger = Ledger(f"sqlite:///{data / 'ledger.sqlite'}")
    ledger.prepare()
    (draft,) = offered(ledger, letter(a_correction()))
    ledger.engine.dispose()
    assert draft.attachment is not None
    size = f"{len(draft.attachment.content):,}"
    listed = CliRunner().invoke(main, ["drafts", "list", "--data", str(data)])
    assert listed.exit_code == 0, listed.output
    assert f"添付 修正依頼票.xlsx（{size}バイト）\n" in listed.output
    assert "geniac drafts list --save フォルダ" in listed.output
    to = tmp_path / "read"
    saved = CliRunner().invoke(main, ["drafts", "list", "--data", str(data), "--save", str(to)])
    (file,) = to.iterdir()
    assert f"→ {file}\n" in saved.output
    assert file.name == f"{draft.key}_修正依頼票.xlsx"
    assert file.read_bytes() == draft.attachment.content

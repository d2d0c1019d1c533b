"""Findings as text for the terminal, in columns that stay straight with Japanese in them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime

from geniac_pipelines.calendar import JST, jst_date
from geniac_pipelines.findings.desk import Card, Listed
from geniac_pipelines.findings.model import MACHINE, Finding

HEADER = ("番号", "重大度", "状態", "確認", "条項", "検出日", "内容")
LONGEST_MESSAGE = 60
"""Columns of the terminal that a list gives to a message."""


def table(listed: Sequence[Listed]) -> str:
    """The list, one finding a line."""
    if not listed:
        return "該当する検出結果はありません"
    rows = [HEADER, *(_line(each) for each in listed)]
    widths = [max(width(row[n]) for row in rows) for n in range(len(HEADER))]
    lines = ("  ".join(pad(c, w) for c, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join([*(line.rstrip() for line in lines), f"{len(listed)} 件"])


def card_text(card: Card) -> str:
    """Everything about one finding: evidence, decisions, history."""
    finding, evidence = card.finding, card.finding.evidence
    rows = [
        ("番号", finding.id),
        ("状態", f"{finding.state.ja}（第{finding.episode}回）{_stale(finding)}"),
        ("判定", f"{finding.severity.ja}　{card.standing.ja}"),
        ("条項", evidence.clause),
        ("対象", f"{evidence.company_id or '―'}　{finding.month.ja if finding.month else '―'}"),
        ("内容", evidence.message_ja),
        ("", evidence.message_en),
        ("指示案", evidence.proposal_ja or "―"),
        ("根拠の表", evidence.relation),
        ("根拠の行", "  ".join(f"{k}={v}" for k, v in sorted(evidence.match.items())) or "―"),
        ("受付", "  ".join(evidence.arrivals) or "―"),
        ("最初の検出", f"{stamp(finding.first_at)}（世代 {finding.first_generation}）"),
        ("最後の検出", f"{stamp(finding.seen_at)}（世代 {finding.seen_generation}）"),
    ]
    widest = max(width(name) for name, _ in rows)
    lines = [f"{pad(name, widest)}  {text}" for name, text in rows]
    lines += ["", "経過"]
    lines += [
        f"    {stamp(e.at)}  {e.what.ja}  {'機械' if e.person == MACHINE else e.person}  {e.reason}"
        for e in card.history
    ]
    return "\n".join(lines)


def width(text: str) -> int:
    """Columns of a terminal: wide and full-width characters take two (UAX #11), marks none."""
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )


def pad(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def clip(text: str, columns: int) -> str:
    """The text in one line of at most that many columns."""
    line = " ".join(text.split())
    if width(line) <= columns:
        return line
    while width(line) > columns - 2:
        line = line[:-1]
    # as wide as "…" is on terminals that take it for a full-width character
    return line + "…"


def stamp(instant: datetime) -> str:
    """Day and minute in Japan."""
    return instant.astimezone(JST).strftime("%Y-%m-%d %H:%M")


def _line(listed: Listed) -> tuple[str, ...]:
    finding = listed.finding
    return (
        finding.id,
        finding.severity.ja,
        finding.state.ja + _stale(finding),
        listed.standing.ja,
        finding.evidence.clause,
        jst_date(finding.opened_at).isoformat(),
        clip(finding.evidence.message_ja, LONGEST_MESSAGE),
    )


def _stale(finding: Finding) -> str:
    if finding.stale_at is None:
        return ""
    return f"（{jst_date(finding.stale_at).isoformat()} から判定できず）"

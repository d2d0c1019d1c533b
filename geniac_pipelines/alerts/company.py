"""What is written to a company: reminders, requests to correct, requests to explain.

All of it becomes drafts that a person releases (`drafts`). Each text is made from one company's
`Own` and nothing else, in Japanese and English. Nothing is asked twice: what messages on their way
asked already (`asked`) is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from geniac_pipelines.alerts.foreign import foreign_names
from geniac_pipelines.alerts.message import COMPANY, Attachment, Message
from geniac_pipelines.alerts.messages import LANGUAGES, say
from geniac_pipelines.alerts.rows import Company, Correction, Handed, Own, Submission
from geniac_pipelines.alerts.ticket import ticket
from geniac_pipelines.alerts.ticket import words as ticket_words
from geniac_pipelines.alerts.timetable import reminder_step
from geniac_pipelines.findings.model import Finding, Severity
from geniac_pipelines.findings.standing import Standing, explained, standing
from geniac_pipelines.store.arrivals import RefusalRecord
from geniac_pipelines.store.decisions import Decision

KINDS = {"reminder": "督促", "correction": "修正依頼", "explanation": "説明の依頼"}
"""The kinds of letters, and how the secretariat calls them."""
SHOWN_PER_FILE = 20
RULE = "-" * 40


@dataclass(frozen=True)
class Held:
    """A draft that was not made, since its text names other companies."""

    company_id: str
    kind: str
    named: tuple[str, ...]


@dataclass(frozen=True)
class Composed:
    """The drafts of a night, and those that were held back."""

    messages: tuple[Message, ...]
    held: tuple[Held, ...]


def compose(
    owns: Iterable[Own],
    register: Collection[Company],
    decisions: Sequence[Decision],
    asked: Mapping[str, Collection[str]],
    day: date,
) -> Composed:
    """All drafts as of a day (JST). `asked` holds, by company id, what was asked already.

    `register` is every organisation; a text that names one but its own recipient is held back.
    """
    messages: list[Message] = []
    held: list[Held] = []
    for own in owns:
        already = asked.get(own.company.company_id, ())
        for message in (
            reminder(own, already, day),
            correction(own, already),
            explanation(own, decisions, already),
        ):
            if message is None:
                continue
            named = foreign_names(_all_words(message), own.company, register)
            if named:
                held.append(Held(own.company.company_id, message.kind, named))
            else:
                messages.append(message)
    return Composed(tuple(messages), tuple(held))


def reminder(own: Own, asked: Collection[str], day: date) -> Message | None:
    """What is missing, at the step that its lateness has reached; None if nothing is new."""
    due: dict[str, tuple[int, Submission]] = {}
    for submission in own.submissions:
        step = reminder_step(submission.due, day)
        ask = f"reminder:{submission.what}/{submission.period}/{step}"
        if submission.state is Handed.MISSING and step and ask not in asked:
            due[ask] = (step, submission)
    if not due:
        return None
    items = sorted(due.values(), key=lambda e: (e[1].due, e[1].what, e[1].period))
    step = max(step for step, _ in items)
    texts = {
        language: [
            say("reminder.opening", language),
            "",
            *(
                say(
                    "reminder.item",
                    language,
                    what=s.what if language == "ja" else s.what_en,
                    period=s.period,
                    due=s.due.isoformat(),
                )
                for _, s in items
            ),
        ]
        for language in LANGUAGES
    }
    return _letter(own.company, "reminder", due, texts, step=step)


def correction(own: Own, asked: Collection[str]) -> Message | None:
    """Places to correct, and doubts to clear up, in arrivals that were not written about yet.

    All that is to be said of a file is said at once, and again in 修正依頼票, which goes with it
    where there is something to correct. None if there is nothing.
    """
    new = [c for c in own.corrections if _ask(c) not in asked]
    if not new:
        return None
    new.sort(key=_position)
    lost = [c for c in new if not c.doubt]
    attachment = ticket(new) if lost else None
    texts = {language: _opening(language, bool(lost), attachment) for language in LANGUAGES}
    for delivered, group in groupby(new, key=lambda c: c.delivered):
        places = list(group)
        for language, lines in texts.items():
            lines.extend(("", say("correction.file", language, file=delivered.file)))
            lines.extend(_places([c for c in places if not c.doubt], language, attachment))
            if doubts := _places([c for c in places if c.doubt], language, attachment):
                lines.extend((say("doubt.items", language), *doubts))
    return _letter(
        own.company,
        "correction",
        {_ask(c) for c in new},
        texts,
        subject="correction" if lost else "doubt",
        attachment=attachment,
        count=len(lost or new),
    )


def explanation(own: Own, decisions: Sequence[Decision], asked: Collection[str]) -> Message | None:
    """Facts that a person confirmed and whose explanation is wanted before they may go further.

    It tells what was noticed, neither the severity nor the proposal: those may leave only after
    the explanation.
    """
    wanted: dict[str, Finding] = {}
    for finding in own.findings:
        ask = f"explanation:{finding.id}#{finding.episode}"
        if (
            finding.state.active
            and finding.severity is Severity.ACT
            and standing(finding, decisions) is Standing.CONFIRMED
            and not explained(finding, decisions)
            and ask not in asked
        ):
            wanted[ask] = finding
    if not wanted:
        return None
    texts = {
        language: [
            say("explanation.opening", language),
            "",
            *(_noticed(finding, language) for finding in wanted.values()),
        ]
        for language in LANGUAGES
    }
    return _letter(own.company, "explanation", wanted, texts)


def _letter(
    company: Company,
    kind: str,
    asks: Collection[str],
    texts: Mapping[str, Sequence[str]],
    *,
    subject: str | None = None,
    attachment: Attachment | None = None,
    **values: object,
) -> Message:
    parts = []
    for language, lines in texts.items():
        name = company.name_ja if language == "ja" else company.name_en or company.name_ja
        greeting = say("greeting", language, company=name)
        parts.append("\n".join([greeting, "", *lines, "", say("closing", language)]))
    ordered = sorted(asks)
    title = " / ".join(say(f"{subject or kind}.subject", la, **values) for la in LANGUAGES)
    return Message(
        kind=kind,
        about=company.company_id,
        period=hashlib.sha256("\n".join(ordered).encode()).hexdigest()[:16],
        channel="mail",
        recipient=company.contact,
        audience=f"{COMPANY}{company.company_id}",
        subject=title,
        body=f"\n\n{RULE}\n\n".join(parts),
        payload={"asks": ordered},
        attachment=attachment,
    )


def _all_words(message: Message) -> str:
    carried = ticket_words(message.attachment) if message.attachment else ""
    return f"{message.subject}\n{message.body}\n{carried}"


def _ask(correction: Correction) -> str:
    return f"correction:{correction.delivered.arrival_id}"


def _position(correction: Correction) -> tuple[str, str, str, int, str]:
    delivered, refusal = correction.delivered, correction.refusal
    place = (refusal.sheet or "", refusal.line or 0, refusal.column or "")
    return (delivered.file, delivered.arrival_id, *place)


def _opening(language: str, lost: bool, attachment: Attachment | None) -> list[str]:
    if not lost:
        return [say("doubt.opening", language)]
    if attachment is None:
        return [say("correction.opening", language), say("correction.toolong", language)]
    listed = say("correction.attached", language, name=attachment.name)
    return [say("correction.opening", language), listed]


def _places(
    corrections: Sequence[Correction], language: str, attachment: Attachment | None
) -> list[str]:
    lines = [_place(c.refusal, language) for c in corrections[:SHOWN_PER_FILE]]
    if more := len(corrections) - len(lines):
        lines.append(
            say("correction.listed", language, count=more)
            if attachment
            else say("correction.more", language, count=more)
        )
    return lines


def _place(refusal: RefusalRecord, language: str) -> str:
    ja = language == "ja"
    place = "".join(
        say(f"place.{name}", language, **{name: value})
        for name in ("sheet", "line", "column", "cell")
        if (value := getattr(refusal, name)) is not None
    )
    return say(
        "correction.item",
        language,
        place=place,
        problem=refusal.ja if ja else refusal.en,
        remedy=refusal.ja_remedy if ja else refusal.en_remedy,
    )


def _noticed(finding: Finding, language: str) -> str:
    month, evidence = finding.month, finding.evidence
    period = "" if month is None else f"{month.ja}: " if language == "ja" else f"{month}: "
    message = evidence.message_ja if language == "ja" else evidence.message_en
    return say("explanation.item", language, period=period, message=message)

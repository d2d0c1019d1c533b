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
from geniac_pipelines.alerts.message import COMPANY, Message
from geniac_pipelines.alerts.messages import LANGUAGES, say
from geniac_pipelines.alerts.rows import Company, Correction, Handed, Own, Submission
from geniac_pipelines.alerts.timetable import reminder_step
from geniac_pipelines.findings.model import Finding, Severity
from geniac_pipelines.findings.standing import Standing, explained, standing
from geniac_pipelines.store.decisions import Decision

KINDS = ("reminder", "correction", "explanation")
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
            named = foreign_names(f"{message.subject}\n{message.body}", own.company, register)
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

    All that is to be said of a file is said at once. None if there is nothing.
    """
    new = [c for c in own.corrections if f"correction:{c.arrival_id}" not in asked]
    if not new:
        return None
    new.sort(key=lambda c: (c.file, c.arrival_id, c.sheet or "", c.line or 0, c.column or ""))
    lost = [c for c in new if not c.doubt]
    texts = {
        language: [say("correction.opening", language) if lost else say("doubt.opening", language)]
        for language in LANGUAGES
    }
    for (file, _), group in groupby(new, key=lambda c: (c.file, c.arrival_id)):
        places = list(group)
        for language, lines in texts.items():
            lines.extend(("", say("correction.file", language, file=file)))
            lines.extend(_places([c for c in places if not c.doubt], language))
            if doubts := _places([c for c in places if c.doubt], language):
                lines.extend((say("doubt.items", language), *doubts))
    asks = {f"correction:{c.arrival_id}" for c in new}
    subject = "correction" if lost else "doubt"
    return _letter(own.company, "correction", asks, texts, subject=subject, count=len(lost or new))


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
    subject: str | None = None,
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
    )


def _places(corrections: Sequence[Correction], language: str) -> list[str]:
    lines = [_place(c, language) for c in corrections[:SHOWN_PER_FILE]]
    if more := len(corrections) - len(lines):
        lines.append(say("correction.more", language, count=more))
    return lines


def _place(correction: Correction, language: str) -> str:
    ja = language == "ja"
    place = "".join(
        say(f"place.{name}", language, **{name: value})
        for name in ("sheet", "line", "column", "cell")
        if (value := getattr(correction, name)) is not None
    )
    return say(
        "correction.item",
        language,
        place=place,
        problem=correction.ja if ja else correction.en,
        remedy=correction.ja_remedy if ja else correction.en_remedy,
    )


def _noticed(finding: Finding, language: str) -> str:
    month, evidence = finding.month, finding.evidence
    period = "" if month is None else f"{month.ja}: " if language == "ja" else f"{month}: "
    message = evidence.message_ja if language == "ja" else evidence.message_en
    return say("explanation.item", language, period=period, message=message)

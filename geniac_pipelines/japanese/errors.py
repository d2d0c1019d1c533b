"""What is raised when text that people wrote cannot be taken as a value.

Here: the exceptions of this package, each with its reason in Japanese and English. Where the text
stood (file, sheet, cell) is not known here; the caller that knows adds it.
"""

from __future__ import annotations

_SHOWN = 60


class UnreadableText(ValueError):
    """Text that gives no value; `str()` reads in Japanese and English.

    `text` is what came, `reason_ja` and `reason_en` say why and what to write instead.
    """

    subject_ja = "値"
    subject_en = "a value"

    def __init__(self, text: str, reason_ja: str, reason_en: str) -> None:
        self.text = text
        self.reason_ja = reason_ja
        self.reason_en = reason_en
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
        super().__init__(
            f"{self.subject_ja}として読めません：「{shown}」。{reason_ja} / "
            f"cannot be read as {self.subject_en}: {shown!r}: {reason_en}"
        )


class UnreadableDate(UnreadableText):
    """Text that is not a date or a period, or names a day that does not exist."""

    subject_ja = "日付・期間"
    subject_en = "a date or period"


class UnreadableNumber(UnreadableText):
    """Text that is not a number, or is in another unit than the one expected."""

    subject_ja = "数値"
    subject_en = "a number"


class NoValue(UnreadableText):
    """A blank, a dash or a word such as なし: nothing was reported. It is never zero."""


class UndecodableText(ValueError):
    """Bytes that are no text in any encoding we accept.

    `offset` is the byte where the reading that got furthest stopped, and `failures` the offset at
    which each encoding stopped.
    """

    def __init__(self, failures: dict[str, int], reason_ja: str, reason_en: str) -> None:
        self.failures = failures
        self.offset = max(failures.values())
        self.reason_ja = reason_ja
        self.reason_en = reason_en
        tried = ", ".join(f"{encoding}: {offset}" for encoding, offset in failures.items())
        super().__init__(
            f"文字コードを読めません（先頭から{self.offset}バイト目）。{reason_ja} / "
            f"bytes are not text, stopped at byte {self.offset} ({tried}): {reason_en}"
        )

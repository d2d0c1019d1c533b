"""Who sees what: the one table of audiences (宛先), from which views and folders are built.

Here: the nine audiences and how far each sees. Not here: cutting the marts down to an audience
(`figures.audience`), or deciding what a person releases to it (`reports.release`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """How far an audience sees into the marts.

    ALL: whole. SHARED: what a mart declares for it. OWN: of that, the rows of one organisation.
    NOTHING: there is no content for it yet, so that it has no view.
    """

    ALL = "all"
    SHARED = "shared"
    OWN = "own"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Kind:
    """A line of the table. `code` is what marts name in `meta.audiences`; `sees_ja` says why."""

    code: str
    ja: str
    sees_ja: str
    scope: Scope


TABLE = (
    Kind("secretariat", "事務局", "審査で封じられたもの以外のすべて", Scope.ALL),
    Kind(
        "review_office",
        "審査の事務担当",
        "審査の事務（応募、審査員、利益相反、採点）",
        Scope.NOTHING,
    ),
    Kind(
        "committee",
        "審査委員会",
        "一つの委員会に要るもの（委員、応募、その採点）",
        Scope.NOTHING,
    ),
    Kind(
        "meti_nedo",
        "経済産業省・NEDO",
        "企業名のある内容。3-5-bで提案する有識者のほかに個人は含まず、事務局の担当者が公開したものだけ",
        Scope.SHARED,
    ),
    Kind(
        "domain_developers",
        "領域特化モデル開発企業",
        "3-1-bの評価結果のうち開示されたもの。他社の計算資源の利用は含まない",
        Scope.NOTHING,
    ),
    Kind("adoptees", "採択企業", "動向調査の報告（3-6）とコミュニティの知らせ", Scope.NOTHING),
    Kind("company", "企業（自社分）", "自社のデータ、指摘、修正依頼", Scope.OWN),
    Kind("airoa", "AIRoA", "当のロボット開発企業が公開したもの（3-3-c）", Scope.NOTHING),
    Kind("public", "一般", "集計（少数の欄は秘匿）と、公表するための一覧", Scope.NOTHING),
)
"""In the order of the specification's table of audiences."""

COMPANY = "company:"
SECRETARIAT = "secretariat"
METI_NEDO = "meti_nedo"


class UnknownAudience(ValueError):
    """An audience that the table does not know, or one that has no content yet."""


@dataclass(frozen=True)
class Audience:
    """One audience by name: a line of the table and, for `company:<id>`, whose rows it sees."""

    kind: Kind
    company: str | None = None

    @property
    def name(self) -> str:
        """As reports, decisions and messages name it: `meti_nedo`, `company:aoi-ai`."""
        return self.kind.code if self.company is None else f"{COMPANY}{self.company}"

    @property
    def folder(self) -> str:
        """Its folder among the reports: `meti_nedo`, `company_aoi-ai`."""
        return self.name.replace(":", "_")


def audience(name: str) -> Audience:
    """The audience of that name. Raises UnknownAudience."""
    code, colon, company = name.partition(":")
    kind = next((k for k in TABLE if k.code == code), None)
    own = kind is not None and kind.scope is Scope.OWN
    if kind is None or own != bool(company) or own != bool(colon):
        known = ", ".join(f"{k.code}:<id>" if k.scope is Scope.OWN else k.code for k in TABLE)
        raise UnknownAudience(
            f"宛先 {name!r} はありません / there is no audience {name!r}; known are {known}"
        )
    return Audience(kind, company or None)


def audience_with_view(name: str) -> Audience:
    """The same, for one that has something to see. Raises UnknownAudience, saying which it is."""
    found = audience(name)
    if found.kind.scope is Scope.NOTHING:
        raise UnknownAudience(
            f"宛先 {name}（{found.kind.ja}）に見せる表はまだありません / "
            f"audience {name} is known, but no mart has content for it yet"
        )
    return found

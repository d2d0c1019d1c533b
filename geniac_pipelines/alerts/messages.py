"""The wording of what goes to companies, in Japanese and English.

Placeholders are the same in both languages; a test holds every key to that.
"""

from __future__ import annotations

LANGUAGES = ("ja", "en")

CATALOGUE: dict[str, dict[str, str]] = {
    "greeting": {
        "ja": "{company} ご担当者様\n\nGENIAC事務局です。いつもご協力ありがとうございます。",
        "en": "To {company}\n\nThis is the GENIAC secretariat. Thank you for your cooperation.",
    },
    "closing": {
        "ja": "ご不明の点は、このメールへの返信でお知らせください。\n\nGENIAC事務局",
        "en": "If anything is unclear, please reply to this mail.\n\nGENIAC secretariat",
    },
    "reminder.subject": {
        "ja": "【GENIAC】ご提出のお願い（第{step}回）",
        "en": "[GENIAC] Reminder of submissions (no. {step})",
    },
    "reminder.opening": {
        "ja": "次の資料がまだ届いていません。ご提出をお願いします。"
        "行き違いで既にご提出の場合はご容赦ください。",
        "en": "We have not received the following yet. Please submit them. "
        "If you have done so in the meantime, please disregard this mail.",
    },
    "reminder.item": {
        "ja": "・{what}（{period}）　期限 {due}",
        "en": "- {what} ({period}), due {due}",
    },
    "correction.subject": {
        "ja": "【GENIAC】ご提出資料の修正のお願い（{count}か所）",
        "en": "[GENIAC] Corrections to your submission ({count})",
    },
    "correction.opening": {
        "ja": "ご提出いただいた資料に、読み取れない箇所がありました。"
        "修正のうえ、ファイル全体の再提出をお願いします。",
        "en": "Some places in the files that you submitted could not be read. "
        "Please correct them and submit the whole file again.",
    },
    "doubt.subject": {
        "ja": "【GENIAC】ご提出資料の確認のお願い（{count}か所）",
        "en": "[GENIAC] Please check your submission ({count})",
    },
    "doubt.opening": {
        "ja": "ご提出いただいた資料を受け取りました。ご確認いただきたい箇所があります。",
        "en": "We received the files that you submitted. Some places should be checked.",
    },
    "doubt.items": {
        "ja": "次の点が正しいかご確認ください。正しければ対応は不要です。",
        "en": "Please check whether these are right. If they are, nothing is to be done.",
    },
    "correction.file": {"ja": "■ {file}", "en": "* {file}"},
    "correction.item": {
        "ja": "・{place}{problem}\n　→ {remedy}",
        "en": "- {place}{problem}\n  -> {remedy}",
    },
    "correction.attached": {
        "ja": "直していただきたい箇所の一覧は、添付の「{name}」にもあります。",
        "en": 'The places to correct are also listed in the attached workbook "{name}".',
    },
    "correction.toolong": {
        "ja": "箇所が多いため、一覧（修正依頼票）は添付していません。"
        "必要なときは、このメールへの返信でお知らせください。",
        "en": "There are too many places for a list (修正依頼票) to be attached. "
        "If you need it, please reply to this mail.",
    },
    "correction.listed": {
        "ja": "・ほか {count} か所（添付の一覧にあります）",
        "en": "- {count} more (see the attached list)",
    },
    "correction.more": {
        "ja": "・ほか {count} か所（すべての箇所の一覧が必要なときは、お知らせください）",
        "en": "- {count} more (please ask us if you need the list of all places)",
    },
    "place.sheet": {"ja": "シート「{sheet}」 ", "en": 'sheet "{sheet}", '},
    "place.line": {"ja": "{line}行目 ", "en": "line {line}, "},
    "place.column": {"ja": "「{column}」列 ", "en": 'column "{column}", '},
    "place.cell": {"ja": "記載「{cell}」: ", "en": 'found "{cell}": '},
    "explanation.subject": {
        "ja": "【GENIAC】状況のご説明のお願い",
        "en": "[GENIAC] Request for an explanation",
    },
    "explanation.opening": {
        "ja": "ご提出いただいた資料から、次の点を把握しました。"
        "状況と理由のご説明をお願いします。事実と異なる場合は、その旨をお知らせください。",
        "en": "From what you submitted we noticed the following. "
        "Please explain the situation and the reasons, or tell us if it is not correct.",
    },
    "explanation.item": {"ja": "・{period}{message}", "en": "- {period}{message}"},
}


def say(key: str, language: str, **values: object) -> str:
    """One text in one language. Raises KeyError for an unknown key or a missing value."""
    return CATALOGUE[key][language].format_map(values)

"""Reading what people in Japan write into cells: bytes, dates, periods, numbers and names.

Here: the parsers and their results, which keep the text they came from. Not here: files, sheets
and columns (`geniac_pipelines.intake`), or what a day or month is (`geniac_pipelines.calendar`).
"""

from geniac_pipelines.japanese.dates import (
    Period,
    Precision,
    from_excel_serial,
    parse_date,
    parse_period,
)
from geniac_pipelines.japanese.decoding import Decoded, decode
from geniac_pipelines.japanese.errors import (
    NoValue,
    UndecodableText,
    UnreadableDate,
    UnreadableNumber,
    UnreadableText,
)
from geniac_pipelines.japanese.folding import fold
from geniac_pipelines.japanese.names import check_corporate_number, fold_company
from geniac_pipelines.japanese.numbers import Number, parse_number

__all__ = [
    "Decoded",
    "NoValue",
    "Number",
    "Period",
    "Precision",
    "UndecodableText",
    "UnreadableDate",
    "UnreadableNumber",
    "UnreadableText",
    "check_corporate_number",
    "decode",
    "fold",
    "fold_company",
    "from_excel_serial",
    "parse_date",
    "parse_number",
    "parse_period",
]

"""The business calendar as a table, so that SQL counts business days as Python does."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa

from geniac_pipelines.calendar import fiscal_year, is_business_day

FIRST, LAST = date(2024, 4, 1), date(2029, 3, 31)
"""From the start of GENIAC's year to well past the last clause's end (2027-05-31)."""


def calendar_table() -> pa.Table:
    """Columns day (date, Asia/Tokyo), is_business_day, fiscal_year."""
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    return pa.table(
        {
            "day": pa.array(days, pa.date32()),
            "is_business_day": [is_business_day(d) for d in days],
            "fiscal_year": pa.array([fiscal_year(d) for d in days], pa.int32()),
        }
    )

"""The one polite HTTP client of every collector and of every webhook.

Here: asking and posting over http(s) with pace, patience and limits, and the rule that keeps a
redirect from reaching the inside of our network. Not here: what the bytes mean (each area's
collectors) and when anything is asked (`sensors`).
"""

from geniac_pipelines.http.answers import (
    Attempt,
    Downloaded,
    Fetched,
    HttpAddressRefused,
    HttpError,
    HttpRefused,
    HttpTooLarge,
    HttpTooSlow,
    HttpUnavailable,
    Validators,
)
from geniac_pipelines.http.client import PoliteClient
from geniac_pipelines.http.urls import redact
from geniac_pipelines.http.waits import parse_retry_after

__all__ = [
    "Attempt",
    "Downloaded",
    "Fetched",
    "HttpAddressRefused",
    "HttpError",
    "HttpRefused",
    "HttpTooLarge",
    "HttpTooSlow",
    "HttpUnavailable",
    "PoliteClient",
    "Validators",
    "parse_retry_after",
    "redact",
]

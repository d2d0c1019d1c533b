"""Fixtures that several folders of tests use."""

from tests.ledgers import ledger, ledger_url

__all__ = ["ledger", "ledger_url"]

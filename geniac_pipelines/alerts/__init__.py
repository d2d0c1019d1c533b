"""Telling people: the outbox, its channels, the morning digest, drafts to companies.

Here: what is said to whom on which day, and that it arrives at least once. Not here: what is
found (`geniac_pipelines.findings`) and reports (`geniac_pipelines.reports`).
"""

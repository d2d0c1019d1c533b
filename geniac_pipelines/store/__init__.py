"""What the platform keeps: bytes, state, decisions, Parquet, the published warehouse.

Here: archive, ledger, decisions, people, lake, warehouse, the lock of a night. Not here: what any
of it means; the store knows no area.
"""

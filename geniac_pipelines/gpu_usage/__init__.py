"""Use of compute by model developers: what was planned, contracted, allocated and really used.

Clauses 3-1-a, 3-3-a, 3-7-3. Here: readers of schedulers, telemetry and company workbooks, the
telemetry rollup, the rules of appropriateness. Not here: tables over time (dbt does them).
"""

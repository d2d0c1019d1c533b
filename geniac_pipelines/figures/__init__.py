"""Every number that a report prints: value, unit, clause, audience, and what it was made from.

Here: figures, figure tables, their query and their origin. Not here: pages (that is `reports`).
"""

"""From bytes that somebody sent to typed rows that know where they came from.

Here: contracts, recognition, reading, refusing, landing, workbook templates, whose file it is.
Not here: what any one format looks like (that is the area's), and what rows mean (that is dbt's).
"""

"""Mathematics that areas share: forecasts with their uncertainty.

Here: pure functions of numbers and days, deterministic, numpy at most. Not here: what a number
means to an area, its query, its words.
"""

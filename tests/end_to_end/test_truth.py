"""Marts against the truth of the sample, and against an independent computation in polars."""

import pytest

from tests.truth import COMPARISONS, DAYS


@pytest.mark.parametrize("kind", DAYS)
@pytest.mark.parametrize("name", COMPARISONS)
def test_marts_equal_the_truth_to_the_second_and_the_yen(programme, name, kind):
    expected, found = COMPARISONS[name](programme, kind)
    assert expected
    assert found == expected

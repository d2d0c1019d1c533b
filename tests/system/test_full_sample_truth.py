"""The whole sample as the demonstration runs it: 24 companies, 64 GPUs each, six months.

A closing of 2026-08, a night after it; then every table of the truth against the marts, to the
second and the yen, the verdicts that were planted, and the computation in polars. Some minutes.
"""

import pytest

from tests.end_to_end import programme as programmes
from tests.truth import COMPARISONS, DAYS, verdicts

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def programme(tmp_path_factory) -> programmes.Programme:
    return programmes.run(tmp_path_factory.mktemp("full"), size={})


@pytest.mark.parametrize("kind", DAYS)
@pytest.mark.parametrize("name", COMPARISONS)
def test_marts_equal_the_truth_to_the_second_and_the_yen(programme, name, kind):
    expected, found = COMPARISONS[name](programme, kind)
    assert expected
    assert found == expected


@pytest.mark.parametrize("kind", DAYS)
def test_every_company_gets_the_verdict_that_was_planted(programme, kind):
    expected, found = verdicts(programme, kind)
    assert found == expected
    in_the_last_month = [v for (_, month), v in expected.items() if month == max(expected)[1]]
    assert len(in_the_last_month) == 24
    assert 2 <= in_the_last_month.count("判定不能") <= 4
    assert in_the_last_month.count("適正") > 12

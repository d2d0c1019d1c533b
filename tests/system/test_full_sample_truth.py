"""The demonstration, whole: 24 companies, 64 GPUs each, six months.

A night, people's decisions, the closing of 2026-08, its release, a night after it; then every table
of the truth against the marts, to the second and the yen, the verdicts that were planted, and the
computation in polars. Some minutes.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner

from geniac_pipelines.cli import main
from geniac_pipelines.figures.audience import open_view
from geniac_pipelines.launch import Launched
from geniac_pipelines.store.decisions import decisions_about
from geniac_pipelines.store.warehouse import rows
from tests.end_to_end.programme import Programme
from tests.end_to_end.test_night import contents
from tests.truth import COMPARISONS, DAYS, mart, verdicts

pytestmark = pytest.mark.system


def played(data: Path) -> Programme:
    said = CliRunner().invoke(main, ["demo", "--data", str(data)])
    assert said.exit_code == 0, said.output[-4000:]
    done = Launched(success=True, summary=said.output)
    return Programme(data, data / "sample" / "truth", closing=done, night=done)


@pytest.fixture(scope="module")
def programme(tmp_path_factory) -> Programme:
    return played(tmp_path_factory.mktemp("full"))


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


AUGUST = (
    "select verdict, status, is_explained, count(*) as n from {} "
    "where month = date '2026-08-01' and verdict not in ('適正', '判定不能') "
    "group by all order by all"
)


def states(found: list[dict]) -> dict[tuple, int]:
    return {(r["verdict"], r["status"], r["is_explained"]): r["n"] for r in found}


def test_the_released_month_shows_every_state_of_a_judgement(programme):
    """Six companies have something planted in August: one is confirmed and explained, two are
    confirmed; one is contested and two nobody has looked at, and those read 確認中 outside."""
    inside = mart(programme, "closing", AUGUST.format("marts.fct_gpu_usage__appropriateness"))
    assert states(inside) == {
        ("要指示", "確認済み", True): 1,
        ("要確認", "確認済み", False): 2,
        ("要確認", "異議あり", False): 1,
        ("要確認", "機械判定（未確認）", False): 2,
    }
    with open_view(programme.warehouse("closing"), "meti_nedo") as view:
        outside = rows(view, AUGUST.format("fct_gpu_usage__appropriateness"))
    assert states(outside) == {
        ("要指示", "確認済み", True): 1,
        ("要確認", "確認済み", False): 2,
        ("確認中", "確認中", False): 3,
    }
    page = programme.data / "reports" / "2026-08" / "meti_nedo" / "monthly_report.html"
    text = page.read_text(encoding="utf-8")
    assert all(word in text for word in ("確認済み", "未確認", "確認中", "記録あり"))


def test_played_again_nobody_decides_and_no_report_changes(programme):
    decided = decisions_about(programme.ledger, "finding")
    assert len({d.subject for d in decided}) == 7
    before = contents(programme.data / "reports")
    again = played(programme.data)
    assert "新しい到着はありません" in again.night.summary
    assert decisions_about(programme.ledger, "finding") == decided
    assert contents(programme.data / "reports") == before

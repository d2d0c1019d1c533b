"""What the benchmark says of its pairs."""

import pytest

from tests.bench.measure import Pairs, Usage, compare


def usage(cpu, start=0.0):
    return Usage(wall_s=2 * cpu, cpu_s=cpu, peak_mib=10 * cpu, start_cpu_s=start)


def test_the_ratio_is_the_median_of_the_pairs_ratios_not_the_ratio_of_medians():
    # pairs 2/1, 30/10, 4/4: ratios 2, 3, 1; medians of the sides would give 4/4 = 1
    pairs = Pairs(
        "x", "x", {}, 2.5,
        ours=(usage(2), usage(30), usage(4)), yardstick=(usage(1), usage(10), usage(4)),
    )  # fmt: skip
    assert pairs.ratio("cpu_s") == 2
    assert pairs.median("ours", "cpu_s") == 4
    assert pairs.as_json()["medians"]["yardstick"]["cpu_s"] == 4
    assert "met" in str(pairs)


def test_what_a_child_spends_before_its_work_does_not_count_as_work():
    pairs = Pairs("x", "x", {}, 1.3, ours=(usage(3, start=1),), yardstick=(usage(2, start=1),))
    assert pairs.ratio("work_cpu_s") == 2
    assert pairs.ratio("cpu_s") == pytest.approx(1.5)
    assert "MISSED" in str(pairs)


def test_both_are_run_in_turn_and_the_order_changes_from_pair_to_pair():
    order = []

    def run(name, cpu):
        order.append(name)
        return usage(cpu)

    pairs = compare(
        "x", "x", lambda: run("ours", 2), lambda: run("bare", 1),
        runs=2, goal=2, workload={}, warm_up=False,
    )  # fmt: skip
    assert order == ["ours", "bare", "bare", "ours"]
    assert pairs.ratio("cpu_s") == 2

"""What a person at a terminal is told of a running night."""

import io

from geniac_pipelines.progress import DbtLines, Progress


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def told(total=9, every=8.0):
    lines, clock = [], Clock()
    return Progress(lines.append, total, clock=clock, every=every), lines, clock


def test_a_step_says_its_number_its_time_and_what_it_found():
    progress, lines, clock = told()
    progress.started("arrivals")
    clock.now += 2.5
    progress.found("arrivals", {"new_files": 1255, "inbox": "/somewhere"})
    progress.ended("arrivals")
    assert lines == [
        "[ 1/9] 受信箱の確認 / inbox …",
        "[ 1/9] 完了 2.5秒　新しいファイル1,255件",
    ]


def test_numbers_of_many_tables_are_added_up():
    progress, lines, _ = told()
    progress.started("dbt")
    for passed in (True, True, False):
        progress.found("dbt", {"checks": 1, "failed_checks": int(not passed)})
    progress.found("dbt", {"tables": 1})
    progress.ended("dbt")
    assert lines[-1] == "[ 1/9] 完了 0.0秒　1表、検査3件、うち不合格1件"


def test_a_long_step_says_something_while_it_runs_and_a_short_one_does_not():
    progress, lines, clock = told()
    progress.started("dbt")
    clock.now += 7.9
    progress.tick()
    assert len(lines) == 1
    progress.doing("12/134")
    clock.now += 0.1
    progress.tick()
    progress.tick()
    assert lines[1:] == ["[ 1/9] 実行中 8秒　12/134"]


def test_before_the_first_step_a_wait_is_told_too():
    progress, lines, clock = told()
    clock.now += 9
    progress.tick()
    assert lines == ["      準備中 / getting ready …"]


def test_skipped_steps_count():
    progress, lines, _ = told(total=3)
    progress.skipped("findings")
    progress.started("generation")
    assert lines == ["[ 2/3] 公開 / publishing …"]


def test_a_failure_names_the_step():
    progress, lines, _ = told()
    progress.started("dbt")
    progress.failed("dbt")
    assert lines[-1].startswith("[ 1/9] 失敗 / FAILED: 表の作成と検査 / tables and checks [dbt]")


def test_the_clock_runs_beside_the_work():
    lines = []
    with Progress(lines.append, 1, every=0.0) as progress:
        progress.started("dbt")
        while len(lines) < 2:
            pass
    assert lines[1].startswith("[ 1/1] 実行中")


def test_of_dbt_only_trouble_is_told():
    progress, lines, clock = told()
    progress.started("dbt")
    out = DbtLines(progress, io.StringIO())
    out.write("Unable to do partial parsing because saved manifest not found.\n12 of 134 ")
    out.write("PASS not_null_x ... [\x1b[32mPASS\x1b[0m in 0.04s]\n")
    assert lines == ["[ 1/9] 表の作成と検査 / tables and checks …"]
    clock.now += 10
    progress.tick()
    assert lines[-1] == "[ 1/9] 実行中 10秒　12/134"
    out.write("13 of 134 ERROR creating sql table model marts.x [\x1b[31mERROR\x1b[0m in 0.04s]\n")
    out.write("Done.\nCompleted with 1 error\n\n  Database Error in model x\n")
    assert lines[2:] == [
        "      注意 / warning: 13 of 134 ERROR creating sql table model marts.x [ERROR in 0.04s]",
        "      注意 / warning: Completed with 1 error",
        "      注意 / warning: Database Error in model x",
    ]

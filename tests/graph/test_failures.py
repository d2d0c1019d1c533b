"""Whoever runs the platform is told of a failed run and of a failed check, once."""

import email
import email.policy
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from geniac_pipelines.alerts.channels import channels
from geniac_pipelines.alerts.outbox import drain
from geniac_pipelines.night import open_ledger
from geniac_pipelines.settings import Settings
from sensors.failures import checks_failed, run_failed


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    """An installation without a mail server, as the sensors find it: mails become files."""
    for name in ("GENIAC_MAIL_TO", "GENIAC_SMTP_HOST", "GENIAC_WEBHOOK_URL", "GENIAC_LEDGER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GENIAC_DATA", str(tmp_path / "data"))
    return Settings.from_environment()


@dg.asset(check_specs=[dg.AssetCheckSpec("rows_add_up", asset="table")])
def table():
    return dg.MaterializeResult(
        check_results=[dg.AssetCheckResult(passed=False, check_name="rows_add_up")]
    )


@dg.asset
def broken() -> None:
    raise RuntimeError("the disk is full")


def finished(instance, assets, **tags: str) -> dg.RunStatusSensorContext:
    """What a sensor is given when a run named `nightly` of these assets has ended."""
    definitions = dg.Definitions(assets=assets, jobs=[dg.define_asset_job("nightly")])
    result = definitions.resolve_job_def("nightly").execute_in_process(
        instance=instance, raise_on_error=False, tags=tags
    )
    ended = [e for e in result.all_events if e.is_job_event and (e.is_failure or e.is_job_success)]
    return dg.build_run_status_sensor_context(
        sensor_name="told",
        dagster_instance=instance,
        dagster_run=instance.get_run_by_id(result.run_id),
        dagster_event=ended[-1],
    )


def mails(settings: Settings) -> list[tuple[str, str]]:
    """Subject and body of all that was sent so far."""
    drain(open_ledger(settings), channels(settings).by_name)
    found = []
    for file in sorted(Path(settings.data / "outbox").rglob("*.eml")):
        mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        found.append((mail["Subject"], mail.get_body(("plain",)).get_content()))
    return found


def test_a_failed_run_is_told_once_with_its_step_and_number(instance, settings):
    context = finished(instance, [broken])
    run_failed(context.for_run_failure())
    run_failed(context.for_run_failure())
    [(subject, body)] = mails(settings)
    assert subject == "[GENIAC基盤] 処理 nightly が失敗しました"
    assert f"実行番号: {context.dagster_run.run_id}" in body
    assert "失敗した段: broken" in body
    assert "原因: RuntimeError: the disk is full" in body
    assert "公開中の世代はまだありません" in body


def test_a_retry_of_a_failed_run_is_not_told_again(instance, settings):
    context = finished(instance, [broken], **{"dagster/retry_number": "1"})
    run_failed(context.for_run_failure())
    assert mails(settings) == []


def test_a_check_that_fails_in_a_run_that_succeeds_is_told(instance, settings):
    context = finished(instance, [table])
    assert context.dagster_run.status is dg.DagsterRunStatus.SUCCESS
    checks_failed(context)
    [(subject, body)] = mails(settings)
    assert subject == "[GENIAC基盤] 1件の点検が通りませんでした"
    assert "・table: rows_add_up" in body


def test_a_check_that_only_warns_is_not_told(instance, settings):
    @dg.asset(check_specs=[dg.AssetCheckSpec("coverage", asset="thin")])
    def thin():
        warning = dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)
        return dg.MaterializeResult(check_results=[warning])

    checks_failed(finished(instance, [thin]))
    assert mails(settings) == []


def test_a_night_whose_checks_all_passed_says_nothing(instance, settings):
    @dg.asset(check_specs=[dg.AssetCheckSpec("rows_add_up", asset="sound")])
    def sound():
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])

    checks_failed(finished(instance, [sound]))
    assert mails(settings) == []

"""How dbt is run: nothing parsed twice, nothing of it in our process, never the wrong file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from dbt.adapters.duckdb.credentials import DuckDBCredentials

from geniac_pipelines.settings import DBT_PROJECT, WAREHOUSE_VARIABLE
from resources.dbt import dbt_cli
from resources.dbt_warehouse import Plugin


def credentials(path: str = "warehouse.duckdb") -> DuckDBCredentials:
    return DuckDBCredentials.from_dict({"schema": "main", "path": path, "database": "warehouse"})


def plugin(creds: DuckDBCredentials) -> Plugin:
    return Plugin("warehouse", {}, creds)


def test_dbt_works_on_the_file_that_the_night_names(monkeypatch, tmp_path):
    creds = credentials()
    monkeypatch.setenv(WAREHOUSE_VARIABLE, str(tmp_path / "warehouse.duckdb"))
    plugin(creds).update_connection_config(creds, {})
    assert creds.path == str(tmp_path / "warehouse.duckdb")


@pytest.mark.parametrize("named", ["", "/somewhere/other.duckdb"])
def test_no_file_is_made_where_none_was_named(monkeypatch, named):
    creds = credentials()
    monkeypatch.setenv(WAREHOUSE_VARIABLE, named)
    with pytest.raises(ValueError, match=r"a file called warehouse\.duckdb"):
        plugin(creds).update_connection_config(creds, {})
    assert creds.path == "warehouse.duckdb"


def test_a_night_with_a_file_of_its_own_parses_nothing_again(tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    shutil.copy(DBT_PROJECT / "target" / "partial_parse.msgpack", target)
    folders = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    subprocess.run(
        [str(Path(sys.executable).parent / "dbt"), "ls", "--quiet", *folders],
        env={
            **os.environ,
            WAREHOUSE_VARIABLE: str(tmp_path / "warehouse.duckdb"),
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(tmp_path),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        check=True,
        capture_output=True,
    )
    assert "no changes found, skipping parsing" in (tmp_path / "dbt.log").read_text()


def test_dagster_makes_no_adapter_in_our_process(tmp_path):
    invocation = dbt_cli().cli(["--version"], target_path=tmp_path, raise_on_error=False)
    invocation.process.communicate()
    assert invocation.adapter is None
    assert str(invocation.cli_version) == metadata.version("dbt-core")

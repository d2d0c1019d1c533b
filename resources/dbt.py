"""The dbt project as Dagster sees it. `dagster-dbt project prepare-and-package` reads this file.

The manifest is prepared once by the build step (`make manifest`), never while definitions load.
"""

import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from dagster_dbt import DbtCliResource, DbtProject
from packaging.version import Version

from geniac_pipelines.settings import DBT_PROJECT

dbt_project = DbtProject(project_dir=DBT_PROJECT, profiles_dir=DBT_PROJECT)


class LeanDbt(DbtCliResource):
    """dbt as a child process, and nothing of it in ours.

    dagster-dbt asks the executable for its version, and makes an adapter in this process through
    which row counts and columns could be fetched. Both cost seconds every night, and the night
    counts rows itself when dbt has ended.
    """

    @property
    def _cli_version(self) -> Version:
        return Version(metadata.version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]
        del args


def dbt_cli() -> DbtCliResource:
    """dbt of the environment that runs us, found without a shell's PATH."""
    executable = Path(sys.executable).parent / "dbt"
    return LeanDbt(project_dir=str(DBT_PROJECT), dbt_executable=str(executable))

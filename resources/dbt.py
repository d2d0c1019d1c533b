"""The dbt project as Dagster sees it. `dagster-dbt project prepare-and-package` reads this file.

The manifest is prepared once by the build step (`make manifest`), never while definitions load.
"""

import sys
from pathlib import Path

from dagster_dbt import DbtCliResource, DbtProject

from geniac_pipelines.settings import DBT_PROJECT

dbt_project = DbtProject(project_dir=DBT_PROJECT, profiles_dir=DBT_PROJECT, target="night")


def dbt_cli() -> DbtCliResource:
    """dbt of the environment that runs us, found without a shell's PATH."""
    executable = Path(sys.executable).parent / "dbt"
    return DbtCliResource(project_dir=dbt_project, dbt_executable=str(executable))

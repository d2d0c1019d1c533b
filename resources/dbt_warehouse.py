"""A plugin of dbt-duckdb: the night's own warehouse file, without a word of it in the profile.

dbt keeps what it parsed as long as the profile's connection stays the same. Every night has a
file of its own, so the profile names a constant one, and the file is told when dbt connects.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin

from geniac_pipelines.settings import WAREHOUSE_VARIABLE


class Plugin(BasePlugin):
    """Points the connection at the file that the variable names.

    DuckDB names a database after its file, and dbt qualifies tables by the profile's name for it,
    so both files have the same name. Raises ValueError if they have not, or if no file is named.
    """

    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, Any]) -> None:
        del config
        named = os.environ.get(WAREHOUSE_VARIABLE)
        if not named or Path(named).stem != creds.database:
            raise ValueError(
                f"{WAREHOUSE_VARIABLE} names {named or 'nothing'}; it must name the warehouse to "
                f"work on, a file called {creds.database}.duckdb"
            )
        creds.path = named

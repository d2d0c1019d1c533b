"""Write the reviewed graph anew: `python -m tests.graph.review`, then read the difference."""

import json
from pathlib import Path

from geniac_pipelines.definitions import build_definitions

if __name__ == "__main__":
    specs = sorted(build_definitions().resolve_all_asset_specs(), key=lambda s: s.key)
    graph = {
        s.key.to_user_string(): sorted(d.asset_key.to_user_string() for d in s.deps) for s in specs
    }
    Path(__file__).with_name("graph.json").write_text(json.dumps(graph, indent=1) + "\n")

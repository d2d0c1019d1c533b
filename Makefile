# The commands of the house. Each sets up what it needs, may be repeated, and says what it does.
PYTHON ?= python3.11
VENV   ?= .venv
DATA   ?= .data
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

export DAGSTER_DISABLE_TELEMETRY := yes
export GX_ANALYTICS_ENABLED := false
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
# numeric libraries gain nothing from many threads here and lose much
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1

.PHONY: help setup manifest nightly test system check bench ui clean

help: ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(STAMP) ## make the virtual environment from the lock file

$(STAMP): requirements.lock pyproject.toml
	@echo "== setting up $(VENV) (locked versions, checked by hash; about a minute)"
	@test -x "$(BIN)/python" || $(PYTHON) -m venv "$(VENV)"
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@echo "== compiling bytecode"
	@"$(BIN)/python" -m compileall -q -j 2 "$(VENV)/lib" geniac_pipelines assets resources sensors || true
	@touch "$@"

manifest: $(STAMP) ## prepare dbt's manifest once, so that loading definitions parses nothing
	@"$(BIN)/python" -m geniac_pipelines.manifest

nightly: manifest ## run a night: on INBOX=… if given, else on the sample programme
ifdef INBOX
	@"$(BIN)/geniac" nightly --inbox "$(INBOX)" --data "$(DATA)" $(if $(AS_OF),--as-of $(AS_OF))
else
	@"$(BIN)/geniac" demo --data "$(DATA)/demo"
endif

test: manifest ## run the tests that need no root and no server
	@"$(BIN)/python" -m pytest -q -n 2 -m "not system" tests

system: manifest ## run the tests that need real servers (Debian packages)
	@"$(BIN)/python" -m pytest -q -m system tests
	@"$(BIN)/python" -m pytest -q -m "not system" -k postgresql tests/unit

check: manifest ## style, types, import rules, SQL, definitions
	@echo "== ruff";        "$(BIN)/ruff" check . && "$(BIN)/ruff" format --check .
	@echo "== mypy";        "$(BIN)/mypy"
	@echo "== import-linter"; "$(BIN)/lint-imports"
	@echo "== sqlfluff";    "$(BIN)/sqlfluff" lint dbt_project/models dbt_project/macros --disable-progress-bar
	@echo "== generated files are current"; "$(BIN)/geniac" contracts --check
	@echo "== definitions"; DAGSTER_HOME= "$(BIN)/dagster" definitions validate -w workspace.yaml

bench: manifest ## measure speed as ratios, side by side
	@"$(BIN)/python" -m tests.bench

ui: manifest ## Dagster's pages on http://127.0.0.1:3000, with the daemon
	@echo "== http://127.0.0.1:3000 (end with Ctrl-C)"
	@"$(BIN)/geniac" ui --data "$(DATA)/demo" --inbox "$(DATA)/demo/sample/inbox"

clean: ## remove what the commands made, except data
	rm -rf "$(VENV)" dbt_project/target build *.egg-info

# Needs Python 3.11 or newer, git and make; the rest is fetched into .venv by exact version and hash.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
ARGS ?=
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" build/lock/bin/uv pip compile --no-config \
	--universal --python-version 3.11 --generate-hashes --no-annotate --quiet

# Prefect keeps its state in this folder: no profile of yours is read, no server of yours is asked.
PREFECT_HOME ?= $(CURDIR)/.prefect
PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL ?= WARNING
DO_NOT_TRACK := 1
export PREFECT_HOME PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL DO_NOT_TRACK

.DEFAULT_GOAL := help
.PHONY: help demo slack-preview serve test lint kill-matrix bench pitfalls simulations fuzz lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: .venv/installed ## Run the whole loop on a sample company; no account anywhere
	@$(BIN)/followthrough demo $(ARGS)

slack-preview: .venv/installed ## Click through the loop in a pretended Slack, as anybody of the sample company
	@$(BIN)/python -m inbox.slack_preview $(ARGS)

serve: .venv/installed ## Start the schedules and the inbox on this machine
	@$(BIN)/followthrough serve $(ARGS)

test: lint ## Check as lint does, then run every test (some: make test ARGS=tests/unit)
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadgroup $(ARGS)

kill-matrix: .venv/installed ## Kill workers at every point, under every fault of Slack's, on both databases; minutes
	@$(BIN)/python -m tests.faults $(ARGS)

lint: .venv/installed ## Check style, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: .venv/installed .venv/bench ## Time our engine and ledger beside other ways (one job: make bench ARGS="deciding")
	@$(BIN)/python -m benchmarks $(ARGS)

pitfalls: .venv/installed ## Fool oneself in seven ways, and watch the report refuse (worlds, seed: make pitfalls ARGS="400 1")
	@$(BIN)/python -m benchmarks.pitfalls $(ARGS)

simulations: .venv/installed ## Ask of worlds in a ledger whether intervals and verdicts hold (worlds, seed: make simulations ARGS="600 1")
	@$(BIN)/python -m benchmarks.simulations $(ARGS)

fuzz: .venv/installed ## Send the inbox 100,000 hostile requests (another number: make fuzz ARGS=5000)
	@FUZZ_REQUESTS=$(or $(ARGS),100000) $(BIN)/python -m pytest -q --show-capture=no tests/integration/test_fuzz.py

lock: ## Pin the dependencies of pyproject.toml (to newest releases: make lock ARGS=--upgrade)
	@$(PYTHON) -m venv --clear build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check -qq install uv
	@$(COMPILE) pyproject.toml --group dev --output-file requirements.lock $(ARGS)
	@for group in bench spark; do \
		$(COMPILE) --group $$group --constraint requirements.lock \
			--output-file requirements-$$group.lock $(ARGS) || exit; \
	done

clean: ## Remove what make installed or built; ledgers stay
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The lock is complete, so pip resolves nothing; compiling afterwards uses every core.
.venv/locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Followthrough needs Python 3.11 or newer and found '$$($(PYTHON) --version 2>&1)';" \
			"name one: make PYTHON=python3.12" >&2; exit 2; }
	@echo "Installing the locked packages into .venv: 1.4 GB, once, a minute or two"
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) install --no-compile --no-deps --require-hashes --requirement requirements.lock
	@$(BIN)/python -m compileall -q -j 0 .venv/lib || true
	@touch $@

.venv/installed: .venv/locked pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# What only benchmarks or only Spark's tests need; pip adds it to what is installed.
.venv/bench .venv/spark: .venv/%: requirements-%.lock .venv/locked
	@$(PIP) install --require-hashes --requirement $<
	@touch $@

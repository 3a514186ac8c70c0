# `make run` starts everything, `make test` runs all tests. Both need python3 (3.11 or later) only.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
BIND ?= 127.0.0.1
ARGS ?=

BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
STAMP := $(VENV)/.installed
INSTALL := -r requirements-dev.txt -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup run test check format bench fuzz chaos-long coverage clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(STAMP) ## make the virtual environment, or bring it up to date

$(STAMP): requirements.txt requirements-dev.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "Python 3.11 or later is needed; this is %s. Try: make PYTHON=python3.12" % sys.version.split()[0])'
	@echo "installing into $(VENV) …"
	@if command -v uv >/dev/null 2>&1; then \
	  { [ -x $(BIN)/python ] || uv venv --quiet --python $(PYTHON) $(VENV); } && \
	  uv pip install --quiet --python $(BIN)/python $(INSTALL); \
	else \
	  { [ -x $(BIN)/pip ] || $(PYTHON) -m venv $(VENV); } && \
	  $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check $(INSTALL); \
	fi
	@touch $@

run: setup ## migrate, then run pages, workers and the examples; Ctrl+C stops all
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) ensurelogin
	@exec $(MANAGE) runsystem --demo --bind $(BIND) --port $(PORT)

# Browsers and real processes do not get faster by being many, and two workers fit everywhere.
test: setup ## run all tests; ARGS="-k name" chooses
	@$(BIN)/python -m pytest -n 2 --dist loadscope $(ARGS)

check: setup ## format, lint, types, layers, migrations, system checks
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy .
	PYTHONPATH=queue $(BIN)/lint-imports
	$(MANAGE) makemigrations --check --dry-run
	$(MANAGE) check

format: setup ## put the code into shape
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: setup ## measure speed against a floor of the same run
	$(BIN)/python -m tests.benchmarks $(ARGS)

fuzz: setup ## ten times as many examples for every property
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -n 2 tests/core $(ARGS)

chaos-long: setup ## kill processes at random moments, for long
	SM_CHAOS_ROUNDS=100 $(BIN)/python -m pytest -m chaos --timeout 3600 $(ARGS)

coverage: setup ## run all tests and show which lines none of them reached
	$(BIN)/python -m pytest -n 2 --dist loadscope --cov --cov-report=term --cov-report=html $(ARGS)

clean: ## remove caches and the virtual environment; var/ (the database) stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis \
	  htmlcov .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

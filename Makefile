# Each target sets up what it needs, alone, on a fresh machine with Python 3.11 or newer.
PYTHON ?= python3
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Tests of whole commands and pages, as long as all others together.
WHOLE := tests/commands tests/experiments tests/cluster

.PHONY: help demo test test-whole test-parts test-slow experiments checkpoints notebooks lint update clean

help:
	@echo "make demo       install, then compare detectors on rendered rooms (5 minutes)"
	@echo "make test       install, then lint, types, import contracts and tests"
	@echo "make test-slow  the tests that run for minutes"
	@echo "make experiments NAMES='heads rooms'  measure them again, all without NAMES (hours)"
	@echo "make checkpoints NAMES=rooms  train them again and check what they claim"
	@echo "make notebooks  run the notebooks again, and keep what they show"
	@echo "make update     renew constraints.txt from the package index"
	@echo "make clean      remove the environment and caches; photos and results stay"

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "seentwice needs Python 3.11 or newer: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev]'
	@touch $@

demo: $(INSTALLED)
	$(BIN)/seentwice compare

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Two halves side by side, each in the order of its files.
test: lint
	$(MAKE) --jobs=2 --keep-going test-whole test-parts

test-whole: $(INSTALLED)
	$(BIN)/pytest -q -m "not slow" $(WHOLE)

test-parts: $(INSTALLED)
	$(BIN)/pytest -q -m "not slow" tests $(WHOLE:%=--ignore=%)

# Its last result is committed.
test-slow: $(INSTALLED)
	set -o pipefail; $(BIN)/pytest -m slow -v --no-header --durations=0 -p no:cacheprovider \
	    | tee tests/slow.txt.partial
	mv tests/slow.txt.partial tests/slow.txt

# Of photos and weights in data/raw and checkpoints, as experiments/*/runs.yaml names them.
experiments: $(INSTALLED)
	$(BIN)/python -m experiments.measure $(NAMES)

checkpoints: $(INSTALLED)
	$(BIN)/python -m experiments.checkpoints $(NAMES)

# One whose numbers or checkpoint are not there stays as it is, and ends it with an error.
notebooks: $(INSTALLED)
	$(BIN)/python notebooks/run.py

update: $(INSTALLED)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --upgrade \
	    --no-annotate --custom-compile-command "make update" \
	    --output-file constraints.txt pyproject.toml

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist

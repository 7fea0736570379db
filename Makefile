# Needs git, make and Python 3.11 to 3.13. LOCKED=gpu installs requirements/gpu.txt instead of base.txt.
.DEFAULT_GOAL := help
VENV ?= .venv
LOCKED ?= base
BIN := $(abspath $(VENV))/bin
export PATH := $(BIN):$(PATH)

SUPPORTED = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c "$(SUPPORTED)" 2>/dev/null && echo $$python && break; done)
PYTEST = python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help install repro test test-fast benchmarks results ui lint format hooks schema pictures architecture lock clean-venv

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

repro: $(VENV)/.base ## install the locked packages and run the pipeline
	dvc repro
	@moodring verdict

test: $(VENV)/.dev ## install the packages for tests and run all tests
	$(PYTEST)

test-fast: $(VENV)/.dev ## run the tests that start no pipeline
	$(PYTEST) --ignore tests/pipeline

benchmarks: $(VENV)/.dev ## compare the speed with the notebooks and others (an hour or more, on an idle machine)
	python -m benchmarks --json benchmarks/results.json --markdown docs/performance.md

results: $(VENV)/.base ## train the runs that docs/results.md lacks, and write it (many hours)
	moodring results --run

ui: $(VENV)/.base ## start the MLflow UI and print the address of each dataset's runs
	moodring ui

schema: $(VENV)/.base ## write params.schema.json
	python -m moodring.params.schema

pictures: $(VENV)/.dev ## draw all pictures of docs/
	python -m docs.draw

architecture: $(VENV)/.dev ## draw docs/architecture.svg from the imports in the code
	python -m docs.draw.rooms

lint: $(VENV)/.dev ## run ruff, mypy and the check of imports between rooms
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-cache

format: $(VENV)/.dev ## format the code with ruff
	ruff check --fix .
	ruff format .

hooks: $(VENV)/.dev ## install git hooks: lint before a commit, test-fast before a push
	pre-commit install --hook-type pre-commit --hook-type pre-push

install: $(VENV)/.base ## create .venv with the locked packages and this package

lock: $(VENV)/.dev ## compile requirements/*.txt from pyproject.toml (UPGRADE=1: newest versions)
	$(LOCK) --extra dev -o requirements/dev.txt
	$(LOCK) --constraints requirements/dev.txt -o requirements/base.txt
	$(LOCK) --constraints requirements/dev.txt --extra gpu -o requirements/gpu.txt
	$(LOCK) --constraints requirements/dev.txt --extra benchmarks -o requirements/benchmarks.txt

LOCK = uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

clean-venv: ## remove .venv
	rm -rf $(VENV)

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11, 3.12 or 3.13 found; name one: make PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: requirements/$(LOCKED).txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing requirements/$(LOCKED).txt into $(VENV): about 3 GB on disk, 1 to 5 minutes."
	@$(PIP) --require-hashes -r requirements/$(LOCKED).txt
	@$(PIP) --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing requirements/dev.txt into $(VENV): about 3 GB on disk, 1 to 5 minutes."
	@$(PIP) --require-hashes -r requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation --no-index -e .
	@touch $@ $(VENV)/.base

# The verbs of this repository; CI calls the same ones. They need Python 3.11 or newer, pip and make, nothing else.
PYTHON ?= python3
PROJECT ?=
SECONDS ?= 3600
DEMO ?= sample:breast-cancer
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test quick fuzz lint format types check docs build bench soak clean

help: ## list these verbs
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/ready ## make .venv with kaggle2app in it
.venv/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'error: $(PYTHON) is missing or older than Python 3.11'; \
	  echo 'hint: name another one, e.g. `make PYTHON=python3.12 $(MAKECMDGOALS)`'; exit 2; }
	@$(PYTHON) -m venv .venv || { \
	  echo 'error: $(PYTHON) cannot make a virtual environment'; \
	  echo 'hint: on Debian and Ubuntu, `apt-get install python3-venv`'; exit 2; }
	@echo 'installing kaggle2app and what it needs into .venv (about 1 GB, once)'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/tests: .venv/ready
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

demo: setup ## real data to a trained, tested, served application, offline
	@$(BIN)/python tests/demo.py $(DEMO) --into demo

test: .venv/tests ## every test, the slow ones included
	$(BIN)/python -m pytest

quick: setup ## the tests that train nothing
	$(BIN)/python -m pytest -m 'not slow'

fuzz: setup ## the property tests on new random examples: what `make test` repeats was found here
	HYPOTHESIS_PROFILE=search $(BIN)/python -m pytest -m hypothesis

lint: setup ## style and likely mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup ## mypy, strict
	$(BIN)/mypy

check: lint types test ## everything that CI checks

docs: setup ## write docs/cli.md again
	$(BIN)/python tests/reference.py

build: setup ## the wheel and the source archive, in dist/
	$(BIN)/python -m pip install --quiet --disable-pip-version-check build
	$(BIN)/python -m build

bench: setup ## measure start-up and `new`, print ratios
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/new.py sample:breast-cancer

soak: setup ## an hour of every kind of request at once: make soak PROJECT=folder SECONDS=3600
	$(BIN)/python tests/soak.py $(PROJECT) --seconds $(SECONDS)

clean: ## remove .venv, the demo and caches
	rm -rf .venv demo dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis

# `make run` starts everything, `make test` checks everything. Both need Python 3.11 or newer and nothing else.

PYTHON ?= python3
VENV_PYTHON := .venv/bin/python
# 0 is one process, without xdist's workers.
PYTEST_WORKERS ?= 2
# A process that is done takes over what another has before it: tests take from a millisecond to a minute.
PYTEST := $(VENV_PYTHON) -m pytest -n $(PYTEST_WORKERS) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help run test test-all lint format clean install install-dev

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: install ## Start everything with both sandboxes; Ctrl-C stops it. FRESH=1 empties it and starts at the wizard
	@exec $(VENV_PYTHON) -m syncadmin.embedded run

test: lint ## All checks and tests but the long ones
	$(PYTEST) -m "not long"

test-all: lint ## All checks and all tests
	$(PYTEST) -m "long or not long"

lint: install-dev ## Format, lint, types, import contract, missing migrations
	$(VENV_PYTHON) -m ruff format --check .
	$(VENV_PYTHON) -m ruff check .
	$(VENV_PYTHON) -m mypy
	$(VENV_PYTHON) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	$(VENV_PYTHON) -m syncadmin.embedded exec -- $(VENV_PYTHON) manage.py makemigrations --check --dry-run

format: install-dev ## Format the code and mend what the linter can mend
	$(VENV_PYTHON) -m ruff check --fix .
	$(VENV_PYTHON) -m ruff format .

clean: ## Remove .venv and all caches; the data in .data stays
	rm -rf .venv staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install:
	@$(PYTHON) -m syncadmin.embedded.install requirements.txt

install-dev:
	@$(PYTHON) -m syncadmin.embedded.install requirements-dev.txt

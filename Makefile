# Needs Python 3.11 or newer, make and a network; everything else goes into .venv.

VENV := .venv
BIN := $(VENV)/bin

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run test lint lab clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

run: $(VENV)/.examples ## tune the example notebook on this machine, from an empty store
	@rm -rf .run && mkdir .run
	$(BIN)/hpo-lab run notebooks/digits.ipynb --store .run/hpo_lab.db
	@echo "The record is .run/hpo_lab.db; each trial's notebook is below .run/hpo_lab.trials/"

test: $(VENV)/.test ## run every test and the example notebooks; ARGS="-k store" passes options
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile \
		--nbval-lax --nbval-current-env tests notebooks $(ARGS)

lint: $(VENV)/.dev ## check style, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lab: $(VENV)/.lab $(VENV)/.examples ## open the example notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir notebooks $(ARGS)

clean: ## remove everything the other targets made, .venv included
	rm -rf $(VENV) .run build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp per extra, so that an install is repeated only when pyproject.toml changes.
$(VENV)/.%: pyproject.toml | $(BIN)/pip
	@echo "installing hpo_lab[$*] into $(VENV)"
	@$(BIN)/python -m pip install -qq --editable '.[$*]'
	@touch $@

$(BIN)/pip:
	@test -n "$(PYTHON)" || { echo "hpo_lab needs Python 3.11 or newer;" \
		"none is on PATH (or name one: make PYTHON=/path/to/python)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "hpo_lab needs" \
		"Python 3.11 or newer; PYTHON=$(PYTHON) is not" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

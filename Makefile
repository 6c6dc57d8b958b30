# Every target is enough by itself: it builds .venv first if it must.
#   make demo DATA=../orbits.csv      make test PYTHON=python3.12

PYTHON ?= python3
PYTEST_ARGS ?=
DATA ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
BUILT := $(VENV)/.built

# One thread per worker: on small nets two threads are slower than one, and
# every xdist worker would start as many as there are cores.
PYTEST := OMP_NUM_THREADS=1 MPLBACKEND=Agg $(BIN)/python -m pytest \
	-n auto --maxprocesses 8 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help env demo test lint types docs slow bench bench-env clean

help:  ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' Makefile

env: $(BUILT)  ## Build .venv with everything but the benchmarked competitors.

$(BUILT): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit( \
	"Python 3.11 or newer is needed, this is " + sys.version.split()[0] \
	+ "; name one: make PYTHON=python3.12")'
	@echo "Building $(VENV); this takes a few minutes the first time ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --constraint constraints.txt --editable ".[dev,docs,plot]"
	@touch $@

demo: env  ## Classify space debris; pictures go to build/orbital_debris/.
	MPLBACKEND=Agg $(BIN)/python examples/orbital_debris.py \
		$(if $(DATA),--data "$(DATA)")

test: lint types  ## Lint, check types, run the tests and the doctests.
	$(PYTEST) $(PYTEST_ARGS)

lint: env  ## Check style and formatting.
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: env  ## Check the types of the package.
	$(BIN)/mypy sklearn_ddcl

docs: env  ## Build the documentation into build/docs/.
	@rm -rf docs/generated
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -q -W --keep-going -b html docs build/docs

slow: env  ## Run the tests that `make test` leaves out.
	$(PYTEST) -m slow $(PYTEST_ARGS)

bench-env: env  ## Add the competitors that the benchmarks measure to .venv.
	@$(PIP) install --constraint constraints.txt --editable ".[bench]"

bench:  ## List the benchmark scripts.
	@echo "Run 'make bench-env' once, then any of these:"
	@for script in benchmarks/[a-z]*.py; do \
		[ -f "$$script" ] || continue; \
		printf '  %s %s\n      ' "$(BIN)/python" "$$script"; \
		sed -n '1s/"""//gp' "$$script"; \
	done

clean:  ## Delete everything that these targets made.
	rm -rf $(VENV) build dist docs/generated .hypothesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

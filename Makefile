# Everything here runs in .venv, which the first command makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup services demo test check bench docs clean

setup: $(READY)  ## make the virtual environment and install the package with its tools

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Groundswell needs Python 3.11 or newer: make PYTHON=python3.12')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(READY)  ## flights from table to prediction service, in demo/
	$(BIN)/groundswell demo demo

services:  ## what tests start privately, where it may be installed: Redis, and Java for Spark
	@missing=""; command -v redis-server >/dev/null || missing="redis-server"; \
	command -v java >/dev/null || missing="$$missing default-jre-headless"; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else echo "not installed: $$missing; tests that need them are skipped"; fi

test: $(READY) services  ## all tests
	$(BIN)/python -m pytest -n auto --dist loadfile

check: $(READY)  ## style, types, import layers, changelog, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(READY)  ## measure against the peers; prints JSON lines
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	for script in benchmarks/[!_]*.py; do $(BIN)/python $$script || exit 1; done

docs: $(READY)  ## read the documentation at http://127.0.0.1:8000
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

clean:
	rm -rf $(VENV) demo site

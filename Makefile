# One verb a thing people do. Every verb sets up what it needs; `PYTHON=python3.12 make test` picks another Python.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DISTRIBUTIONS := $(sort $(wildcard providers/*/pyproject.toml plugins/*/pyproject.toml policies/pyproject.toml))
EDITABLES := -e .[dev] $(patsubst %/pyproject.toml,-e ./%,$(DISTRIBUTIONS))
STAMP := $(VENV)/.stamp

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-sheet run test check format bench chaos docs clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: $(STAMP) ## make the environment (the other verbs do it when needed)

$(STAMP): pyproject.toml $(DISTRIBUTIONS) constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; pick one with PYTHON=python3.12 make …"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt hatchling editables
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -c constraints.txt $(EDITABLES)
	@touch $(STAMP)

# One verb a thing people do. Every verb sets up what it needs; `PYTHON=python3.12 make test` picks another Python.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DISTRIBUTIONS := $(sort $(wildcard providers/*/pyproject.toml plugins/*/pyproject.toml policies/pyproject.toml))
EDITABLES := -e .[dev] $(patsubst %/pyproject.toml,-e ./%,$(DISTRIBUTIONS))
STAMP := $(VENV)/.stamp

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-sheet run test check format bench simulate soak chaos mutate docs clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: $(STAMP) ## make the environment (the other verbs do it when needed)

$(STAMP): pyproject.toml $(DISTRIBUTIONS) constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; pick one with PYTHON=python3.12 make …"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt hatchling editables
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -c constraints.txt $(EDITABLES)
	@touch $(STAMP)

demo: $(STAMP) ## a photo becomes a figurine, end to end (PHOTO=path STYLE=chibi); PROFILE=cluster: 200 of them while processes are killed
ifeq ($(PROFILE),cluster)
	@$(BIN)/python -m tests.chaos.demo $(if $(SEED),--seed $(SEED)) $(if $(JOBS),--jobs $(JOBS))
else
	@$(BIN)/python docs/examples/demo.py $(if $(PHOTO),--photo "$(PHOTO)") $(if $(STYLE),--style "$(STYLE)")
endif

demo-sheet: $(STAMP) ## four photos in six styles, as one picture: demo/contact-sheet.png
	@$(BIN)/python -m statuette_sketch.sheet demo/contact-sheet.png

run: $(STAMP) ## serve the demo brand until stopped
	@$(BIN)/statuette quickstart brands/demo.toml --keys-file var/demo-keys.env
	@$(BIN)/statuette serve --keys-file var/demo-keys.env

# Files in their order: else those with few tests come last, among them the longest, and one of the two waits for the other.
test: $(STAMP) ## the whole suite
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

check: $(STAMP) ## format, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP) ## make the code look as `check` wants it
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMP) ## measure, and print each figure beside its bar
	@$(BIN)/python -m tests.bench

simulate: $(STAMP) ## what one machine serves, and what up to 100 times as much needs (FACTOR=n, SEED=n); takes a minute
	@$(BIN)/python -m tests.simulation $(if $(FACTOR),--factor $(FACTOR)) $(if $(SEED),--seed $(SEED))

chaos: $(STAMP) ## kill things at random for minutes (PROFILE=cluster, SEED=n to replay, MINUTES=n, JOBS=n)
	@$(BIN)/python -m tests.chaos $(if $(PROFILE),--profile $(PROFILE)) $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(JOBS),--jobs $(JOBS))

soak: $(STAMP) ## what the suite tries a little of, for as long as it takes: properties, models, storms, large accounts
	@SOAK=1 $(BIN)/python -m pytest -n 2 --dist loadfile $$(grep -rlE 'effort\(|import given|run_state_machine' --include='test_*.py' tests providers)

mutate: $(STAMP) ## take away what carries out each rule of the policy, one by one: a test must go red
	@MUTATE=all $(BIN)/python -m pytest tests/integration/rules/test_mutations.py

docs: $(STAMP) ## write the generated reference pages
	@$(BIN)/python docs/reference/generate.py

clean: ## remove what the verbs made
	rm -rf $(VENV) var demo .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Every target sets itself up in a fresh clone: a virtual environment from the pinned, hashed locks.
# `make serve` installs what the server needs and nothing else; the other targets add the test and check tools.

PYTHON ?= python3
WORKERS ?= 2
SEED := $(or $(HEADWATER_SEED),$(shell date +%s))
BIN := .venv/bin
PIP := $(BIN)/pip --quiet --disable-pip-version-check --no-input

.PHONY: serve test check bench torture docs clean
.DEFAULT_GOAL := serve

serve: .venv/installed  ## start the server; ARGS="--port 8000 --data /srv/headwater" are handed on
	@exec $(BIN)/headwater serve $(ARGS)

test: check  ## checks, laws and every test; fault and fuzz tests at a tenth of their stated counts
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --ignore tests/house -m "not torture"
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --ignore tests/house -m torture

check: .venv/installed-dev  ## style, types, import contracts, house laws, reference pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/pytest --quiet tests/house

bench: .venv/installed-dev  ## measure every promise, or ONLY=http; fails below a bar
	$(BIN)/python -m bench.run $(if $(ONLY),--only $(ONLY))

torture: .venv/installed-dev  ## fault and fuzz tests at their stated counts, with a printed seed (HEADWATER_SEED repeats one)
	HEADWATER_TORTURE=1 HEADWATER_SEED=$(SEED) $(BIN)/pytest -s -m torture --hypothesis-seed=$(SEED)

docs: .venv/installed-dev  ## write docs/reference from the declarations
	$(BIN)/python -m headwater.boot.reference docs/reference

clean:  ## remove what the targets above made; .headwater, where your data is, stays
	rm -rf .venv dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache .schemathesis
	find . -name node_modules -prune -exec rm -rf {} +
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Headwater needs Python 3.11 or newer: name one with PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Headwater needs Python's venv module: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/locked: .venv/made requirements.lock
	$(PIP) install --require-hashes -r requirements.lock
	@touch $@

.venv/installed: .venv/locked pyproject.toml
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

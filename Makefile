# Two commands on a fresh machine: `make demo` and `make test`. Both set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Kills a database in the crash campaign; SEED may be given too, to have a campaign again.
KILLS ?= 1000

# Else each process that the tests start, and each of their workers, compiles all of them anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo demo-clean gallery reference test check crash campaign bench bench-full format lock clean

install: $(VENV)/.installed

# uv comes from the hashed lock too, so that set-up needs nothing but Python.
$(VENV)/.installed: requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-bootstrap.txt
	$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python requirements-dev.txt
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	touch $@

demo: install
	$(BIN)/python -m scripts.demo

demo-clean:
	rm -rf var/demo

# Every kind of letter, with pictures in light and dark, into var/gallery (needs Chromium).
gallery: install
	$(BIN)/python -m tests.emails.gallery var/gallery

# The page of all commands, docs/guide/commandes.md, from the commands themselves.
reference: install
	$(BIN)/python -m scripts.reference

test: install
	$(BIN)/pytest

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

# The crash campaign on both databases, each under 30 minutes, and the mutants that it must catch.
crash: install
	$(BIN)/python -m campaigns.crash --kills $(KILLS) --mutants $(if $(SEED),--seed $(SEED))

# The long figures; each prints a line a database, and fails where a zero is not zero.
campaign: crash
	$(BIN)/python -m campaigns.interleavings --letters 10000
	$(BIN)/python -m campaigns.schedulers --trials 200
	$(BIN)/python -m campaigns.pages
	$(BIN)/python -m campaigns.year --contacts 200 --days 365 $(if $(SEED),--seed $(SEED))

# Every ratio, both sides in turns, into benchmarks/results: within two minutes, or at full size.
bench: install
	$(BIN)/python -m benchmarks

bench-full: install
	$(BIN)/python -m benchmarks --full

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The locks name no index host and carry the hash of each file.
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11
lock:
	$(LOCK) pyproject.toml --output-file requirements.txt
	$(LOCK) pyproject.toml --group dev --constraint requirements.txt --output-file requirements-dev.txt
	awk '/^[a-z]/{keep=/^uv==/} keep' requirements-dev.txt | grep -v '# via' > requirements-bootstrap.txt

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache

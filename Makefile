# Each verb does the set-up it needs. Wants make and Python 3.11; everything else goes into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
ARGS ?=
# Processes that run the tests side by side, a file at a time in the order of the files.
WORKERS ?= 2
BIN := .venv/bin
# Refuses to install anywhere but in the environment, should .venv/bin/python lead elsewhere.
PIP := $(BIN)/python -m pip --require-virtualenv --disable-pip-version-check

# A stamp's name carries the checksum of what it stands for: an older checkout finds its own set-up or makes it.
LOCKED := .venv/.locked-$(shell cat requirements.lock | cksum | tr -c '0-9\n' '-')
INSTALLED := .venv/.installed-$(shell cat requirements.lock pyproject.toml | cksum | tr -c '0-9\n' '-')
BENCH_LOCKED := .venv/.bench-$(shell cat requirements.lock requirements-bench.lock | cksum | tr -c '0-9\n' '-')

say = @printf '\n\033[1m==> %s\033[0m\n' "$(1)"

.PHONY: help
help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# ---------------------------------------------------------------- set-up

# pip comes last when an environment is made, so a creation that was interrupted is taken up again.
.venv/bin/pip:
	$(call say,Creating .venv with $(PYTHON))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Python 3.11 or newer is needed; say which with: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv

$(LOCKED): | .venv/bin/pip
	$(call say,Installing the locked packages into .venv: about 250 MB; one to four minutes the first time)
	$(PIP) install --require-hashes -r requirements.lock
	@rm -f .venv/.locked-* .venv/.bench-*
	@touch $@

$(INSTALLED): $(LOCKED)
	$(call say,Installing headcount itself from this folder)
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@rm -f .venv/.installed-*
	@touch $@

$(BENCH_LOCKED): $(INSTALLED)
	$(call say,Installing the systems that the benchmarks compare with: about 400 MB; two to five minutes the first time)
	$(PIP) install --require-hashes -r requirements-bench.lock
	@rm -f .venv/.bench-*
	@touch $@

.PHONY: setup
setup: $(INSTALLED) ## Create .venv with everything but the benchmarks' peers (the other targets do it)

.PHONY: warm
warm: setup
	$(call say,Compiling the kernels: up to two minutes the first time and seconds from the cache)
	$(BIN)/headcount warm

# ---------------------------------------------------------------- use

.PHONY: run
run: setup ## Start the server on real retail data and show what it answers (ARGS=--exit: and end)
	$(BIN)/headcount demo $(ARGS)

# ---------------------------------------------------------------- check

.PHONY: test
test: warm ## Run the tests (ARGS=... goes to pytest)
	$(call say,Running the tests)
	$(BIN)/python -m pytest -m 'not long' --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: test-long
test-long: warm ## Run the tests that take long
	$(call say,Running the long tests)
	$(BIN)/python -m pytest -m long $(ARGS)

.PHONY: lint
lint: setup ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: format
format: setup ## Bring the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: setup ## Check the types of client, engine and server
	$(BIN)/mypy

.PHONY: contracts
contracts: setup ## Check which package and room may import which
	$(BIN)/lint-imports

# ---------------------------------------------------------------- the gRPC contract

.PHONY: proto
proto: setup ## Make client/headcount/v1 from proto/
	$(BIN)/python proto/generate.py

.PHONY: proto-check
proto-check: setup ## Fail if client/headcount/v1 is not what proto/ says
	$(BIN)/python proto/generate.py --check

.PHONY: proto-lint
proto-lint: setup ## Check the style of proto/
	$(BIN)/buf lint proto

# ---------------------------------------------------------------- benchmarks

.PHONY: bench-small
bench-small: warm ## Benchmarks on 100 thousand profiles, without peers (under 3 minutes)
	$(BIN)/python -m bench.run --tier S $(ARGS)

.PHONY: bench
bench: warm $(BENCH_LOCKED) ## Benchmarks on 1 million profiles, beside other systems (eight to ten minutes)
	$(BIN)/python -m bench.run --tier M $(ARGS)

.PHONY: bench-segments
bench-segments: warm $(BENCH_LOCKED) ## The cost of up to 10,000 live segments of 1 million profiles, for the plot
	$(BIN)/python -m bench.run --tier M --only segment_growth --merge $(ARGS)

.PHONY: bench-large
bench-large: warm $(BENCH_LOCKED) ## Benchmarks on 10 million profiles (wants 24 GB of memory)
	$(BIN)/python -m bench.run --tier L $(ARGS)

.PHONY: bench-check
bench-check: warm $(BENCH_LOCKED) ## Compare the ratios of a new run with the committed ones
	$(BIN)/python -m bench.check $(ARGS)

# ---------------------------------------------------------------- keeping house

# A lock must install anywhere, so it is made from the public registry alone, whatever pip is told on this machine.
COMPILE = PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= PIP_EXTRA_INDEX_URL= PIP_INDEX_URL= PIP_NO_INDEX= \
    CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe \
    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

.PHONY: lock
lock: | .venv/bin/pip ## Renew requirements.lock and requirements-bench.lock (ARGS=--upgrade: to the newest)
	@test -x $(BIN)/pip-compile || $(PIP) install pip-tools
	$(call say,Resolving and hashing requirements.lock: about seven minutes)
	$(COMPILE) $(ARGS) --extra server --extra demo --extra dev -o requirements.lock pyproject.toml
	$(call say,Resolving and hashing requirements-bench.lock: about four minutes)
	$(COMPILE) $(ARGS) --extra bench -c requirements.lock -o requirements-bench.lock pyproject.toml

.PHONY: clean
clean: ## Remove what the other targets made, but not data/
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks .cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

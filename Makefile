# Everything that is done here, one word each. `make help` lists them. PYTHON=... names another interpreter than python3.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test check lint tidy collect unit browser bench soak sanitize sanitize-build dist docs clean setup-run setup-dev setup-test setup-browser
BIN := .venv/bin
# a worker of pytest rewrites all test files, and later ones read what it has written
unexport PYTHONDONTWRITEBYTECODE
# Two processes more than processors, because tests wait for others. WORKERS=1 runs one test after the other. pyproject.toml explains
# the markers.
WORKERS := $(shell echo $$(($$(nproc) + 2)))
PYTEST := $(BIN)/pytest -q -n $(WORKERS)

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: setup-run ## Watch this machine's Docker engine by the shipped rules; without an engine, replay a recording (ARGS="...")
	@tools/run-docker $(ARGS)

# what lint and clang-tidy wait for. The build under the sanitizers needs less, so that it uses the processors while apt and pip wait
# for the network
SETUP := setup-dev

test: setup-run ## Set everything up and pass all tests, those on a real Docker engine too
	@$(MAKE) --no-print-directory -j3 --output-sync=target SETUP=setup-test lint tidy collect sanitize-build
	$(PYTEST)
	tools/sanitize

check: ## Lint, types and unit tests beside each other, in two minutes
	@$(MAKE) --no-print-directory -j2 lint unit

lint: $(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	git ls-files '*.cpp' '*.hpp' '*.c' '*.h' | xargs $(BIN)/clang-format --dry-run --Werror
	$(BIN)/python tools/prose.py
	$(BIN)/mypy

tidy: $(SETUP) ## clang-tidy on the native part (.clang-tidy), in half a minute
	@rm -rf build/tidy && cmake -S . -B build/tidy -DCMAKE_UNITY_BUILD=ON -DPython_EXECUTABLE="$$PWD/$(BIN)/python" >/dev/null
	@find build/tidy -path '*/Unity/*' | xargs -P "$$(nproc)" -n 1 $(BIN)/clang-tidy --quiet -p build/tidy

# pytest rewrites test files for their assertions: once, and not in each worker
collect: $(SETUP)
	@$(BIN)/pytest -qq -n 0 --collect-only >/dev/null

unit: setup-dev
	$(PYTEST) -m "not slow and not bundled and not engine and not soak"

browser: setup-browser ## The console's page in Chromium, which it installs (400 MB)
	$(BIN)/pytest -q -n 0 -m browser tests/console/browser

bench: setup-dev ## Speed, as numbers beside a peer or a limit (benchmarks/README.md)
	$(BIN)/python -m benchmarks

sanitize-build: setup-run
	tools/sanitize build

soak: setup-test ## The long forms of the tests (tools/soak-docker SECONDS is another, for hours)
	$(BIN)/pytest -q -m soak
	$(PYTEST) -m "hypothesis and not engine" --hypothesis-profile=deep --timeout 3600
	LANNER_FUZZ_RUNS=5000000 tools/sanitize

sanitize: setup-dev ## The native part and built plugins under ASan, UBSan and TSan, and fuzzing
	tools/sanitize

dist: setup-dev ## The source distribution and a wheel of Lanner, tried in a new environment, in dist/
	tools/dist

docs: setup-dev ## The documentation as HTML, in build/docs
	@$(BIN)/python -m pip -q --disable-pip-version-check install --group docs
	$(BIN)/sphinx-build -q -W docs build/docs && echo build/docs/index.html

clean: ## Remove all that was made here
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup-run:
	@tools/setup run

setup-dev:
	@tools/setup dev

setup-test:
	@tools/setup test

setup-browser:
	@tools/setup browser

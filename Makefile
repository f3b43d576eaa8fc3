# gridmap: every command a person needs. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help run test lint bench docs-check bundle setup screenshots stop clean lock

PY := .venv/bin/python

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: ## set up what is missing, then serve the demo town on a private PostGIS
	@bash gridmap/deploy/setup.sh run
	@exec .venv/bin/gridmap serve --demo

test: ## set up what is missing (Chromium too), then pass all tests
	@bash gridmap/deploy/setup.sh test
	@$(PY) -m pytest -n 2 --dist loadfile

lint: ## ruff (format and lint) and mypy --strict
	@bash gridmap/deploy/setup.sh test
	@.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy

bench: ## benchmarks beside their peers; tables on screen, build/bench/NAME.json (one: make bench NAME=count ARGS=...)
	@bash gridmap/deploy/setup.sh bench
	@for bench in $(or $(NAME:%=tests/bench/bench_%.py),tests/bench/bench_*.py); do \
		name=$$(basename $$bench .py); $(PY) -m tests.bench.$$name $(ARGS) || exit 1; done

docs-check: ## the docs name every setting, command, error code and route
	@bash gridmap/deploy/setup.sh test
	@$(PY) -m pytest -q tests/architecture

bundle: ## one archive with wheels and assets that installs with the network closed
	@bash gridmap/deploy/setup.sh run
	@bash gridmap/deploy/bundle.sh

screenshots: ## make the screenshots of the README anew
	@bash gridmap/deploy/setup.sh test
	@$(PY) -m tests.browser.screenshots

setup: ## set up only
	@bash gridmap/deploy/setup.sh run

stop: ## stop the private PostGIS
	@.venv/bin/gridmap db stop

clean: ## remove what was built (never data)
	@rm -rf build .mypy_cache .ruff_cache .pytest_cache

lock: ## write the lock files anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-annotate --group setup --group dev -o requirements-dev.lock
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-annotate --group setup -c requirements-dev.lock -o requirements.lock
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-annotate --group setup --group dev --group bench -c requirements-dev.lock \
		-o requirements-bench.lock

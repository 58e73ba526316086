# Everything a person or a machine does with this repository. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test browser check lock bench faults fuzz slow screenshots clean install-base install-dev

PYTHON := .venv/bin/python
# Two workers. Each takes its half from the front, so that what a file shares is made once, and then the end of the other's.
BESIDE := $(PYTHON) -m pytest --numprocesses 2 --dist worksteal
ROWS := 1000000
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-strip-extras

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install-base ## install what is needed, make a lake with the 1,000 demo rows, and serve its portal
	@.venv/bin/lakeport demo

demo-reset: install-base ## the same, after throwing the demo lake away
	@.venv/bin/lakeport demo --reset

test: install-dev ## every test that needs nothing but this machine; those with a browser where there is one
	@$(BESIDE) -m "not bench and not faults and not fuzz and not slow and not stack"

browser: ## install chromium and its driver for the browser tests, where one has the rights
	@sh infra/browser.sh

check: install-dev ## style, types, and who may import whom
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(PYTHON) -m pytest --quiet tests/test_style.py

faults: install-dev ## tests that kill processes at chosen points; minutes
	@$(BESIDE) -m faults

fuzz: install-dev ## rights, the guard and pages under ten thousands of random statements, plans and requests; an hour and more
	@$(PYTHON) -m pytest -m fuzz

slow: install-dev ## many random pages, plans and statements; minutes
	@$(BESIDE) -m slow

bench: install-dev ## figures about speed and memory; they never fail on time (make bench ROWS=10000000)
	@$(PYTHON) -m pytest tests/bench tests/browser -m bench --capture=no --quiet --bench-rows $(ROWS)

# base: what pyproject.toml asks for, and hatchling, so that the project itself is installed without fetching a builder.
# dev: the same versions, and the extra "dev".
lock: ## write requirements/*.txt anew from pyproject.toml (needs uv and a network)
	@command -v uv >/dev/null || { echo "make lock needs uv, and it is not on the PATH. Install uv, then run make lock again." >&2; exit 4; }
	$(LOCK) pyproject.toml requirements/build.in --output-file requirements/base.txt
	$(LOCK) pyproject.toml --extra dev --constraints requirements/base.txt --override requirements/overrides.txt \
		--output-file requirements/dev.txt

screenshots: install-dev ## take the pictures of docs/screenshots anew; needs chromium
	@$(PYTHON) -m tests.browser.screenshots docs/screenshots

clean: ## remove caches and byte code; .venv and every lake stay
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find lakehouse pipelines portal tests -name __pycache__ -type d -prune -exec rm -rf {} +

install-base:
	@sh infra/bootstrap.sh base

install-dev:
	@sh infra/bootstrap.sh dev

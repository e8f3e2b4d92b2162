# Backroom on one machine. Every target does the set-up it needs; the second time that takes a second.
# Your own: make test ARGS="tests/web -k search"   make run ARGS="--port-offset 100"
#           make setup PYTHON=python3.12   make setup TORCH_INDEX=ADDRESS

PYTHON ?= python3
ARGS ?=
export TORCH_INDEX TORCH_CUDA
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup run test check format lock upgrade browser clean

help: ## Show this list
	@echo "Backroom: payments, search and analytics behind an online shop."
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  DATABASE_URL and REDIS_URL, when both are set, are used in place of the embedded servers."
	@echo "  Data, logs and secrets of the local stack are kept in .backroom/."

setup: ## Environment, locked packages, model and Pango checks (the others do it by themselves)
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one:  make setup PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is `$(PYTHON) --version 2>&1`; Backroom needs Python 3.11 or newer. Name one:  make setup PYTHON=python3.12"; exit 1; }
	@$(PYTHON) setup/prepare.py

run: setup ## Start the whole shop, play one day in it, and stay up until Ctrl-C
	@$(BIN)/backroom up --then "backroom day" $(ARGS)

test: setup ## Run the tests on real servers, two to four at a time
	@$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --max-worker-restart 0 $(ARGS)

check: setup ## Formatting, lint, types, imports, migrations, house rules
	@$(BIN)/python setup/check.py

format: setup ## Put the formatting right, and what lint can mend by itself
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: setup ## Make requirements/*.lock again after a change of requirements/*.in
	@$(BIN)/python setup/lock.py

upgrade: setup ## The same with the newest versions of everything
	@$(BIN)/python setup/lock.py --upgrade

browser: setup ## Install Chromium, for the tests that need a browser (Debian's as root, else Playwright's)
	@$(BIN)/python setup/browser.py

clean: ## Remove the environment and caches; the shop's data in .backroom/ stays
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

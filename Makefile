# `make` alone explains itself. Everything lives in .venv and var, nothing is installed outside.

PYTHON ?=
VENV = .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Every core; more than eight workers would only wait for each other. Some machines forbid Python to
# keep what it compiled; the tests start it dozens of times, and then compile everything each time.
PYTEST = env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest -n logical --maxprocesses 8 --dist worksteal

.PHONY: help install install-dev run test check format-check lint types contracts drift format \
	bench chaos clean

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
	@printf '\nSettings come from the environment, see .env.example: PORT=8100 make run\n'

##@ Use

run: $(VENV)/.installed ## Run the mall with its own PostgreSQL; Ctrl-C stops it
	@AIDMALL_SUPERVISOR=$$PPID exec $(BIN)/aidmall run

install: $(VENV)/.installed ## Install what running needs (run does it by itself)

##@ Develop

test: $(VENV)/.installed-dev ## Run all tests, in parallel
	$(PYTEST)

check: format-check lint types contracts drift test ## Everything that must hold, as .ci/run does

format-check: $(VENV)/.installed-dev ## Is the code formatted?
	$(BIN)/ruff format --check .

lint: $(VENV)/.installed-dev ## Does the linter object?
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev ## Do the types fit?
	$(BIN)/mypy

contracts: $(VENV)/.installed-dev ## Does every import go the right way?
	$(BIN)/lint-imports

drift: $(VENV)/.installed-dev ## Do the migrations give what the models say?
	$(BIN)/aidmall migrate --check

format: $(VENV)/.installed-dev ## Format the code and repair what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed-dev ## Measure speed beside a yardstick of the same machine
	$(BIN)/python -m bench

chaos: $(VENV)/.installed-dev ## 2,000 purchases while web and worker are killed, then every book
	$(BIN)/python -m bench.chaos

install-dev: $(VENV)/.installed-dev ## Install what developing needs (the others do it by themselves)

clean: ## Remove what tools left behind; keeps .venv and the data in var
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache \
		.hypothesis .coverage .coverage.*
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# What these files stand for: the packages that pyproject.toml names are installed.

$(VENV)/.installed: pyproject.toml $(VENV)/.made
	@echo 'Installing; this takes a minute the first time.'
	@$(PIP) -e '.[embedded]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml $(VENV)/.made
	@echo 'Installing with the tools for development; this takes a few minutes the first time.'
	@$(PIP) -e '.[embedded,dev]'
	@touch $(VENV)/.installed $@

# A name in PATH may be an empty shell (pyenv), hence the question to each.
$(VENV)/.made:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			if ! $$python -c 'import ensurepip, venv' >/dev/null 2>&1; then \
				echo "$$python cannot make environments: install its venv package" \
					"(Debian: apt install python3-venv)." >&2; \
				exit 1; \
			fi; \
			$$python -m venv $(VENV) && touch $@; \
			exit; \
		fi; \
	done; \
	echo 'Python 3.11 or newer is needed and was not found: install it,' \
		'or name it with make PYTHON=/path/to/python3.' >&2; \
	exit 1

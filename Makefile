.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet
SBOM := PYTHONWARNINGS=ignore $(BIN)/uvx --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py requirements --output-reproducible
IMAGE := web postgres analysis rocksdb
JOBS ?= 4
KAFKAS ?= 3.6.2 3.9.1 4.4.0
PARALLEL := --dist loadscope --no-loadscope-reorder
BESIDE := @$(MAKE) --no-print-directory --jobs=3
# The tests start hundreds of our processes: what Python compiles is kept, also where a container says otherwise.
export PYTHONDONTWRITEBYTECODE :=
QUICK := tests/test_architecture.py tests/schemas tests/streams tests/scenarios tests/renderers tests/agents tests/deploy \
    --ignore tests/agents/web --ignore tests/agents/projection

.PHONY: help setup run check quick test style types warm quick-tests all-tests properties mutations bench profile chaos drill operations two-weeks outage brokers rolling alerts browser graph manifests golden lock sbom wheel release clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: $(READY) ## Make .venv with everything, from the lock file

# Python compiles what it imports when it does: to compile all of it here takes a third of the time.
$(READY): requirements.lock deploy/build.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "afspraakbericht needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv .venv
	$(PIP) install --quiet --require-hashes -r deploy/build.lock
	$(PIP) install --quiet --no-compile --require-hashes --no-build-isolation -r requirements.lock
	$(PIP) install --quiet --no-build-isolation --no-deps -e .
	@touch $@

run: $(READY) ## A real Kafka, the worker, an SMTP server, an SMS gateway and sample events: see the messages
	@$(BIN)/afspraakbericht demo

check: $(READY) ## Lint, types and the layers: all that needs no test
	$(BESIDE) --output-sync=target style types

quick: $(READY) ## The loop: the checks, and beside them the tests that need no broker, browser or server
	$(BESIDE) style types quick-tests

test: $(READY) ## Everything CI runs: the checks, and beside them all tests, with a real Kafka; JOBS=1: one after another
	$(BESIDE) style types warm all-tests

style: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(READY)
	$(BIN)/mypy

warm: $(READY)
	$(BIN)/afspraakbericht broker --warm

quick-tests: $(READY)
	$(BIN)/pytest -n auto -m "not broker" $(PARALLEL) $(QUICK)

all-tests: $(READY)
	$(BIN)/pytest -n $(JOBS) $(PARALLEL)

properties: $(READY) ## The property tests with many more examples, and a million histories of what a client believes (hours)
	HYPOTHESIS_PROFILE=long $(BIN)/pytest tests/model
	$(BIN)/python -m tests.belief --histories $${HISTORIES:-1000000} --jobs $(JOBS)
	BELIEF_LIVES=2000 $(BIN)/pytest -q tests/broker/test_belief.py

mutations: $(READY) ## Spoil the code in one place at a time; the test named for it must fail (minutes)
	$(BIN)/python -m tests.mutations

bench: $(READY) ## Events per second of the full pipeline on this machine
	$(BIN)/python -m tests.benchmarks

profile: $(READY) ## Where a worker's time goes in the full pipeline
	$(BIN)/python -m tests.benchmarks.profile

chaos: $(READY) ## 200 faults of all kinds on three brokers and three workers, and a table of what came of it (an hour)
	$(BIN)/python -m tests.chaos --faults 200 --seed 1

fuzz: $(READY) ## 50,000 hostile events on a real broker and as many hostile requests to the web, with an account of each
	$(BIN)/python -m tests.fuzz --events 50000 --seed 1
	FUZZ_REQUESTS=50000 $(BIN)/pytest tests/fuzz/test_web.py

drill: $(READY) ## Break something for each alert under a real Prometheus; see it fire and end (Debian package prometheus; 20 minutes)
	DRILL=$${DRILL:-1} $(BIN)/pytest -s -q tests/drills/test_alerts.py

operations: $(READY) ## Every operation of the RUNBOOK once, by the test that does it, and a table of what came of it (half an hour)
	$(BIN)/python -m tests.drills.operations

two-weeks: $(READY) ## One installation through every operation of the RUNBOOK under load, from 61a36ae on, and a table (Debian packages nginx, prometheus, prometheus-alertmanager; an hour)
	$(BIN)/python -m tests.drills.two_weeks

outage: $(READY) ## Two minutes without brokers, and a boot before them, under the unit file's own restart rule; back by itself
	OUTAGE=$${OUTAGE:-120} $(BIN)/pytest -q tests/broker/test_supervised.py

brokers: $(READY) ## The worker, status reports and two installations beside each other, on each Kafka that is supported
	for version in $(KAFKAS); do AFSPRAAKBERICHT_TEST_KAFKA=$$version $(BIN)/pytest -q \
	  tests/broker/test_worker.py tests/broker/test_status_reports.py tests/broker/test_topic_prefix.py || exit 1; done

rolling: $(READY) ## Replace three workers under load; nothing lost or doubled, and the longest gap of each partition in seconds
	$(BIN)/python -m tests.drills.rolling

alerts: ## Check the alert rules, and run their tests (Debian package prometheus)
	cd deploy && promtool check rules alerts.yaml && promtool test rules alerts.test.yaml alerts.hours.test.yaml alerts.days.test.yaml

graph: $(READY) ## Draw the topology (Mermaid) from the code
	@$(BIN)/afspraakbericht graph

browser: $(READY) ## Every page and e-mail in Chromium, with axe-core; screenshots in data/screenshots
	BROWSER=shots $(BIN)/pytest tests/agents/web/test_browser.py tests/browser

manifests: $(READY) ## Write the generated files of deploy/ anew; review the diff
	$(BIN)/afspraakbericht settings --example > deploy/env.example
	AFSPRAAKBERICHT_PARTITIONS=24 AFSPRAAKBERICHT_REPLICATION=3 $(BIN)/afspraakbericht topics --manifest > deploy/topics.yaml
	AFSPRAAKBERICHT_PARTITIONS=24 AFSPRAAKBERICHT_REPLICATION=3 $(BIN)/afspraakbericht asyncapi > deploy/asyncapi.json
	$(BIN)/python deploy/grafana/dashboards.py
	$(BIN)/python deploy/privacy.py
	$(BIN)/python deploy/kubernetes/rules.py
	$(BIN)/python deploy/analysis/notebook.py

golden: $(READY) ## Write the golden messages anew; review the diff
	GOLDEN=1 $(BIN)/pytest tests/renderers

lock: $(READY) ## Resolve the dependencies anew
	$(PIP) install --quiet uv
	$(COMPILE) --all-extras --group build --upgrade pyproject.toml -o requirements.lock
	$(COMPILE) --constraint requirements.lock $(IMAGE:%=--extra %) pyproject.toml -o deploy/image.lock
	$(COMPILE) --constraint requirements.lock --group build -o deploy/build.lock

sbom: $(READY) ## The locked packages as CycloneDX, in dist/: all of them, and those of the image (a tool in an environment of its own)
	$(PIP) install --quiet uv
	mkdir -p dist
	$(SBOM) --pyproject pyproject.toml -o dist/requirements.cdx.json requirements.lock
	$(SBOM) --pyproject pyproject.toml -o dist/image.cdx.json deploy/image.lock

wheel: $(READY) ## The wheel, in dist/; it says of which commit it is made
	git describe --always --abbrev=12 --exclude '*' --dirty > agents/REVISION
	$(PIP) wheel --quiet --no-build-isolation --no-deps --wheel-dir dist . ; made=$$?; rm agents/REVISION; exit $$made

release: ## Prepare VERSION=1.2.3: the changelog's heading and the images of deploy/; what is to be done then is printed
	@printf '%s\n' "$(VERSION)" | grep -qxE '[0-9]+\.[0-9]+\.[0-9]+' || { echo 'make release VERSION=1.2.3'; exit 2; }
	sed -i 's/^## \[Unreleased\]$$/&\n\n## [$(VERSION)] - '"$$(date -u +%F)"'/' CHANGELOG.md
	sed -i -E 's/(afspraakbericht:|newTag: |VERSION[:=] ?)[0-9]+\.[0-9]+\.[0-9]+/\1$(VERSION)/' \
	  deploy/Dockerfile deploy/compose.yaml $$(git ls-files 'deploy/kubernetes/*.yaml')
	@echo 'Read the difference, run make test and make drill, commit; then: git tag -a v$(VERSION) -m v$(VERSION)'

clean: ## Remove .venv and the demo's data
	rm -rf .venv data

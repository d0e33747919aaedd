# Two commands do all the set-up, models included: `make demo` or `make test`.
# PYTHON picks the interpreter (3.11 or newer) for the virtual environment in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SERVERS = $(PYTHON) infra/dev/servers.py
HELM_VERSION = v3.22.0
HELM = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/stenocast/dev-servers/helm-$(HELM_VERSION)/helm
export PYTHONUNBUFFERED = 1
export HF_HUB_DISABLE_TELEMETRY = 1
# Where it is set, every process compiles all that it imports once more: the import of pyannote.audio takes 15 s instead
# of 7, a worker's start 1.4 s instead of 0.7 (two cores, 28 November 2026), and the tests start some hundred processes.
unexport PYTHONDONTWRITEBYTECODE

# uv reads the same hash-locked files in seconds; pip, with the user's own settings, is the fallback.
INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1) || $(BIN)/pip install --quiet --require-hashes -r $(1)

.PHONY: help setup setup-dev models demo serve services-up services-down services-status helm image-core images test test-fast chaos lint figures evaluate bench schemas requirements clean

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Stenocast needs Python 3.11 or newer; $(PYTHON) is older. Name another: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "No virtual environment could be made; on Debian: apt-get install python3-venv"; exit 1; }

# pip replaces itself in the middle of the installation: one that was stopped there is begun anew.
$(VENV)/worker.stamp: requirements/installer.txt requirements/worker.txt | $(BIN)/python
	@[ -x $(BIN)/pip ] || $(BIN)/python -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/installer.txt
	@echo "Installing the engines: about 5 GB of packages, a minute on a fast line"
	$(call INSTALL,requirements/worker.txt)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . || $(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/worker.stamp
	$(call INSTALL,requirements/dev.txt)
	@touch $@

models: $(VENV)/worker.stamp
	@$(BIN)/stenocast models pull starter fast

setup: models ## the virtual environment and the model sets starter and fast

setup-dev: setup $(VENV)/dev.stamp

demo: setup ## transcribe the sample episode and print it in four house styles
	@$(BIN)/python examples/demo/run.py

serve: setup ## API, page, worker and publisher in one process on http://127.0.0.1:8080
	@$(BIN)/stenocast serve

services-up: ## start a real Kafka, S3 and PostgreSQL on loopback, for tests; the first time minutes, then seconds
	@$(SERVERS) up

services-down: ## stop them and remove what they wrote
	@$(SERVERS) down

services-status: ## what of them runs, and where
	@$(SERVERS) status

$(HELM):
	@command -v go >/dev/null || { echo "helm is built with Go, which is missing; on Debian: apt-get install golang-go (1.25 or newer)"; exit 1; }
	@echo "Building helm $(HELM_VERSION): a minute or two, once"
	@mkdir -p $(@D) && GOBIN=$(@D) go install helm.sh/helm/v3/cmd/helm@$(HELM_VERSION)

helm: $(HELM) ## fetch helm, which the tests of the chart need

image-core: ## build the image of API, intake, publisher and reconciler; as root, with buildah
	@infra/images/build.sh core

images: image-core setup-dev ## build the CPU worker's image too (6 GB), and have it transcribe the demo
	@BAKE_MODELS=starter infra/images/build.sh worker-cpu
	STENOCAST_REQUIRE_IMAGES=1 $(BIN)/pytest -n 0 -q tests/infra/test_images.py

# OMP_WAIT_POLICY: two files run at a time, and an engine's threads that wait for each other should leave the cores to
# the other file. By default they wait in a loop, which is a sixth of an engine's processor time on two idle cores.
test: setup-dev $(HELM) ## every test: real engines, real servers (its own), real processes, a real browser
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { echo "make test drives a real browser and Chromium is missing; on Debian: apt-get install chromium"; exit 1; }
	STENOCAST_REQUIRE_MODELS=1 STENOCAST_REQUIRE_SERVICES=1 OMP_WAIT_POLICY=PASSIVE $(SERVERS) run -- $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -q

test-fast: $(VENV)/dev.stamp ## the tests without engines, processes, servers, browser and network
	$(BIN)/pytest -q -n 2 -m "not engines and not processes and not services and not browser and not tools and not network"

lint: $(VENV)/dev.stamp ## ruff, mypy and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

RUNS ?= 60
SEED ?= 1
LANES ?= 1
chaos: setup-dev ## kill, freeze and cut off everything: RUNS=1000 SEED=7 LANES=2; OUTCOMES=file goes on, REPORT=1 writes docs/reliability.md
	$(BIN)/python -m tests.chaos.campaign --runs $(RUNS) --seed $(SEED) --lanes $(LANES) $(if $(OUTCOMES),--outcomes $(OUTCOMES)) $(if $(REPORT),--report docs/reliability.md)

figures: setup-dev ## measure words, voices and names on real recordings: docs/quality.md
	$(BIN)/python -m evaluation.figures --write docs/quality.md

$(VENV)/evaluate.stamp: requirements/evaluate.txt $(VENV)/dev.stamp
	@echo "Installing meeteval, which is compiled: about a minute of processor time"
	$(call INSTALL,requirements/evaluate.txt)
	@touch $@

evaluate: setup-dev $(VENV)/evaluate.stamp ## everything with truth, beside the plain tools and without each step: docs/quality.md, names: docs/naming-figures.md; ONLY=name,…
	$(BIN)/pytest -n 0 -q tests/evaluation/test_against_meeteval.py tests/formats/test_scoring.py
	$(BIN)/python -m evaluation.naming --write docs/naming-figures.md
	$(BIN)/python -m evaluation.survey $(if $(ONLY),--only "$(ONLY)") --write docs/quality.md
	$(BIN)/python -m evaluation.survey $(if $(ONLY),--only "$(ONLY)") --models fast --systems ours,steps --write docs/quality.md
	$(if $(ONLY),,$(BIN)/python -m evaluation.perturbed --write docs/quality.md)

bench: setup-dev ## measure speed and memory; prints the tables of docs/benchmarks.md
	$(BIN)/python -m evaluation.job_speed --minutes 10 $(or $(RECORDINGS),examples/demo/episode.mp3)
	$(BIN)/python -m evaluation.diarization_speed $(RECORDINGS)
	$(BIN)/python -m evaluation.ledger_speed $(if $(POSTGRES),--postgres $(POSTGRES))

schemas: $(VENV)/worker.stamp ## write schemas/published and docs/job-states.md from the dataclasses
	$(BIN)/python -m schemas.publish

requirements: $(VENV)/worker.stamp ## lock the requirements files again after changing a .in
	cd requirements && for each in installer core worker gpu dev evaluate; do ../$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url $$each.in -o $$each.txt; done

clean: ## remove the virtual environment and caches; models and data stay
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

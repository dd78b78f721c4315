# Rapport: everything a developer does, by name. `make` alone lists it.
PYTHON ?= python3
BIN := .venv/bin
SERVICES := $(patsubst %/pyproject.toml,%,$(wildcard services/*/pyproject.toml))
PACKAGES := proto chassis identity testing imports tools $(SERVICES)
MODULES := chassis rapport_identity rapport_testing rapport_imports rapport_tools $(notdir $(SERVICES))
export RAPPORT_HOME ?= $(CURDIR)/.rapport
unexport PYTHONDONTWRITEBYTECODE  # what is right for images makes each process here compile everything, for seconds

.DEFAULT_GOAL := help
.PHONY: fairness help setup run demo test check format proto service service-update catalogues release-contracts observability screenshots pictures images images-check bench bench-growth bench-clocks bench-identity bench-queue bench-ledger slow mutants model model-ledger fuzz load chaos requirements clean

##@ Use
run: .venv/.run ## Start the platform and stay up; Ctrl-C stops it, data is kept
	@echo "Starting Rapport..."
	@$(BIN)/rapport up

demo: .venv/.run ## Play the story in four acts, live (starts the platform when it is not up)
	@$(BIN)/rapport demo

clean: ## Remove the platform's data (not the installation)
	@if [ -x $(BIN)/rapport ]; then $(BIN)/rapport clean; else rm -rf .rapport; fi
	@rm -rf build

##@ Develop
setup: .venv/.ready ## Install everything that development needs into .venv, pinned and hashed

test: setup ## Run the whole suite; one part with T=services/cases
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(T)

check: setup ## Lint, types, import law, contracts: what CI runs before the tests
	@echo "== format and lint"; $(BIN)/ruff format --check . && $(BIN)/ruff check .
	@echo "== types"; MYPYPATH=$(subst $(eval) ,:,$(addsuffix /src,$(SERVICES))) $(BIN)/mypy $(addprefix -p ,$(MODULES))
	@echo "== import law"; $(BIN)/lint-imports && for own in $$(grep -l '^.tool.importlinter' services/*/pyproject.toml); do $(BIN)/lint-imports --config $$own || exit 1; done
	@echo "== contracts"; $(BIN)/python proto/check.py

format: setup ## Format the code and mend what the linter can
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

proto: setup ## Generate proto/gen from the contracts
	@$(BIN)/python proto/generate.py

COPIER := $(BIN)/python -W ignore -c 'import sys; sys.tracebacklimit = 0; from copier._cli import CopierApp; CopierApp.run()'
service: setup ## Begin a department's service: make service name=billing resource=invoice owner=@acme/billing
	@$(BIN)/python -c 'import importlib.util, sys; found = importlib.util.find_spec(sys.argv[1] or "-"); \
		sys.exit(found and sys.argv[1] + " is taken: Python imports " + str(found.origin) + " by that name")' '$(name)'
	@$(COPIER) copy --quiet --vcs-ref $$(git rev-parse HEAD) --defaults --data company=rapport --data 'name=$(name)' --data 'resource=$(resource)' \
		--data 'owner=$(owner)' $(if $(plural),--data 'plural=$(plural)') . 'services/$(name)'
	@printf '%s\n' '/services/$(name)/ $(owner)' >> CODEOWNERS
	@$(MAKE) --no-print-directory proto
	@$(MAKE) --no-print-directory setup
	@$(BIN)/python -m deploy.observability.contracts
	@$(BIN)/python -m deploy.observability.assurance
	@$(BIN)/ruff check --quiet --fix services/$(name); $(BIN)/ruff format --quiet services/$(name)
	@echo "services/$(name) is there: read its README.md, then make test T=services/$(name)"

service-update: setup ## Take what has changed in the template since: make service-update name=billing
	@$(COPIER) update --quiet --vcs-ref $$(git rev-parse HEAD) --defaults 'services/$(name)' && $(MAKE) --no-print-directory proto && git --no-pager diff 'services/$(name)'

catalogues: setup ## Bring the desk's message catalogues up to what its source says; begin one for a language with NEW=fr
	@$(BIN)/python services/desk/catalogues.py $(NEW)

observability: setup ## Write docs/metrics.md, docs/contracts.md, counts of docs/assurance.md and the dashboards again, from the code that they are about
	@$(BIN)/python -m deploy.observability.metrics
	@$(BIN)/python -m deploy.observability.contracts
	@$(BIN)/python -m deploy.observability.assurance
	@$(BIN)/python -m deploy.observability.dashboards

release-contracts: setup ## Make today's contracts the baseline that `make check` compares with; part of a release
	@$(BIN)/python proto/generate.py --image proto/released.binpb

screenshots: setup ## Take the pictures in docs/desk: every page in every state, wide and narrow, light and dark
	@RAPPORT_BROWSER_REQUIRED=1 $(BIN)/pytest -q services/desk/tests/browser/screenshots.py

pictures: setup ## Take the pictures in docs/demo: the desk at the moment that decides each act of the story
	@RAPPORT_BROWSER_REQUIRED=1 $(BIN)/pytest -q tests/e2e/pictures.py

fairness: setup ## Draw docs/queue/fairness.svg: what a queue makes late, simulated (seconds)
	@$(BIN)/python -m tests.fairness

images: setup ## Build the images of all services with podman, on this machine's Python
	@$(BIN)/python -m tests.images --build

images-check: setup ## Build the images and run the platform from the rendered charts with podman, as root (some minutes)
	@$(BIN)/python -m tests.images

requirements: setup ## Compile the pinned, hashed requirements files again
	@$(BIN)/python requirements.py

##@ Measure
bench: setup ## Measure each path as a ratio to an empty call; never fails a build
	@$(BIN)/python -m tests.bench

bench-growth: setup ## Measure searches of ten thousand customers and cases, and notices, and of a million, in databases of their own (a quarter of an hour)
	@$(BIN)/python -m tests.bench.growth $(SIZES)
	@$(BIN)/python -m tests.bench.growth_cases $(SIZES)
	@$(BIN)/python -m tests.bench.growth_notices $(SIZES)

bench-identity: setup .venv/bench/.ready ## Measure how well and how fast people are found, beside splink and recordlinkage (a minute)
	@$(BIN)/python -m tests.bench.identity .venv/bench/bin/python

bench-clocks: setup ## Measure how soon two replicas handle 10,000 clocks that are due at once, among 100,000 (a minute)
	@$(BIN)/python -m tests.bench.clocks

bench-queue: setup ## Measure how soon the next work is found among ten thousand that wait, and among a million (some minutes)
	@$(BIN)/python -m tests.bench.queue $(SIZES)

bench-ledger: setup ## Measure transfers through one account, fifty and a hundred thousand, beside pgbench's TPC-B-like (two minutes)
	@$(BIN)/python -m tests.bench.ledger

slow: setup ## Run the tests that take half a minute or more each, which `make test` leaves out (CI runs them)
	@$(BIN)/pytest -n 2 --dist loadfile -m slow $(T)

mutants: setup ## Change the domains in one place at a time and list what the unit tests do not notice (some minutes)
	@$(BIN)/python -m tests.mutants

model: setup ## Many more random histories of a promise, of merges and of a case's work than the suite tries, against reference models; EXAMPLES=1000
	@RAPPORT_MODEL_EXAMPLES=$(or $(EXAMPLES),1000) $(BIN)/pytest -q tests/model

model-ledger: setup ## Random histories of members' points against dictionaries, a million steps: OPERATIONS=1000000 SEED=7 SECONDS=10800
	@$(BIN)/python -m tests.model.points --operations $(or $(OPERATIONS),1000000) --seed $(or $(SEED),1) --seconds $(or $(SECONDS),10800)

fuzz: setup ## Calls that nobody would make, by gRPC, REST and webhook, on a platform of its own; CALLS=100000 SEED=7
	@CALLS=$(CALLS) SEED=$(SEED) $(BIN)/python -m tests.fuzz

load: setup ## Locust with gRPC users against a running platform, 60 s, headless
	@$(BIN)/python -m tests.load

FAILOVERS := chassis/tests/work/test_runner.py::test_a_database_that_fails_over_while_an_outcome_is_recorded_costs_no_repeat \
	services/notifications/tests/component/test_delivery.py::test_a_database_that_fails_over_while_a_message_is_answered_costs_no_second_mail
chaos: setup ## Kill, freeze, cut off and fail over everything, under load; says what that costs (ten minutes). By a seed: FAULTS=1000 SEED=7
ifdef FAULTS
	@RAPPORT_FAULTS=$(FAULTS) RAPPORT_SEED=$(SEED) $(BIN)/pytest -v -s -m chaos tests/chaos/test_storm.py
else
	@RAPPORT_EVERY_MOMENT=1 $(BIN)/pytest -v -m "not chaos" tests/e2e/test_outages.py tests/e2e/test_kill.py \
		chassis/tests/grpc/test_drain.py chassis/tests/db/test_shards.py $(FAILOVERS); short=$$?; \
		$(BIN)/pytest -v -s -m chaos tests/chaos && exit $$short
endif

help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# uv installs in seconds: first with the authorities that it brings, then with the machine's (a company's own);
# where it cannot at all (a mirror that only pip is told of), pip does the same in two minutes. Running needs no uv.
UV = $(BIN)/uv -q $(shell [ -w "$$HOME" ] || echo --no-cache) pip install --python $(BIN)/python
PIP = $(BIN)/python -m pip install -q --disable-pip-version-check
get_uv = $(PIP) --require-hashes --no-deps -r requirements-uv.txt
install = $(UV) $(1) || (echo "... that was with the authorities of the installer: once more with this machine's" && UV_SYSTEM_CERTS=1 $(UV) $(1)) || \
	(echo "... and once more with pip, which takes two minutes" && $(PIP) $(1))

.venv/.run: requirements-run.txt $(addsuffix /pyproject.toml,$(PACKAGES))
	@echo "Installing what running needs into .venv: once, 320 MB, seconds with a fast network, some minutes with a slow one..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rapport needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv .venv
	@echo "... the installer"
	@$(get_uv)
	@echo "... what Rapport stands on"
	@$(call install,--require-hashes -r requirements-run.txt)
	@echo "... Rapport itself"
	@$(call install,--no-deps --no-build-isolation $(addprefix -e ,$(PACKAGES)))
	@$(BIN)/python -m pip uninstall -q -y uv
	@touch $@

.venv/bench/.ready: requirements-bench.txt | .venv/.ready
	@echo "Installing what is measured beside ours into .venv/bench: once, 650 MB..."
	@$(PYTHON) -m venv .venv/bench
	@$(BIN)/uv -q pip install --python .venv/bench/bin/python --require-hashes -r requirements-bench.txt || \
		.venv/bench/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

.venv/.ready: .venv/.run requirements-dev.txt
	@echo "Installing what development needs beside it: once, 620 MB..."
	@$(get_uv)
	@$(call install,--require-hashes -r requirements-dev.txt)
	@touch $@

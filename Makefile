# Every target works alone on a fresh machine with Python 3.11 to 3.13 and make: it installs what it needs into .venv.
# Variables: STRATEGY NODES WORKERS WRITE_PATH SERVER LAUNCHER NODE EDGE_PORT SEED DURATION RATE FAULT SEEDS, e.g. make cluster-up NODES=5 STRATEGY=ttl
.DEFAULT_GOAL := help
SHELL := /bin/sh
CLUSTER := .venv/bin/python -m cluster
NODE ?= random

options = $(if $(STRATEGY),--strategy $(STRATEGY)) $(if $(WRITE_PATH),--write-path $(WRITE_PATH)) \
          $(if $(NODES),--nodes $(NODES)) $(if $(WORKERS),--workers $(WORKERS)) \
          $(if $(LAUNCHER),--launcher $(LAUNCHER)) $(if $(EDGE_PORT),--port $(EDGE_PORT))
server = $(if $(SERVER),--set CATALOG_SERVER=$(SERVER))
chosen = $(if $(SEED),--seed $(SEED))

.PHONY: help install install-dev cluster-up cluster-down cluster-status cluster-logs kill chaos-kill pause resume restart \
        partition heal demo run matrix soak selfcheck recheck report doctor test bench unit integration test-compose simulate check format lock clean

help:  ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+( [a-z-]+)*:.*## / {sub(" .*", "", $$1); printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nSTRATEGY=  no-cache l2-only ttl pubsub pubsub-flush tracking versioned sequenced strict\nWRITE_PATH= cache-aside write-through write-behind\nSERVER=    gunicorn granian\n'

install:
	@requirements/install cluster

install-dev:
	@requirements/install dev

cluster-up: install  ## set up everything on a fresh machine and start the cluster
	@$(CLUSTER) up $(options) $(server)

cluster-down: install  ## stop the cluster
	@$(CLUSTER) down

cluster-status: install  ## what runs, what is paused, cut or dead
	@$(CLUSTER) status

cluster-logs: install  ## the logs of everything (NODE=node-2: of one)
	@$(CLUSTER) logs $(if $(filter-out random,$(NODE)),$(NODE))

kill chaos-kill: install  ## kill -9 a node, worker, redis, edge or flusher (NODE=node-2, NODE=node-2/worker-1; random without)
	@$(CLUSTER) kill $(NODE) $(chosen)

pause: install  ## freeze one (SIGSTOP)
	@$(CLUSTER) pause $(NODE) $(chosen)

resume: install  ## let it run on
	@$(CLUSTER) resume $(NODE) $(chosen)

restart: install  ## start it again, dead or alive
	@$(CLUSTER) restart $(NODE) $(chosen)

partition: install  ## cut a node from Redis (FROM=database or all, MODE=refuse, reset or close instead of a blackhole)
	@$(CLUSTER) partition $(NODE) $(if $(FROM),--from $(FROM)) $(if $(MODE),--mode $(MODE)) $(chosen)

heal: install  ## undo every pause and partition
	@$(CLUSTER) heal

demo: install  ## a first look: 20 s of traffic, a killed node, and what the clients saw (STRATEGY=ttl: the contrast)
	@$(CLUSTER) demo $(options) $(chosen) $(if $(DURATION),--duration $(DURATION)) $(if $(RATE),--rate $(RATE))

run: install  ## examine one strategy under faults, and judge it by its contract (STRATEGY=sequenced FAULT=kill-node)
	@$(CLUSTER) run $(options) $(chosen) $(if $(FAULT),--fault $(FAULT)) $(if $(DURATION),--duration $(DURATION)) $(if $(RATE),--rate $(RATE))

matrix: install  ## a dozen strategies × the main faults, within 15 minutes, and one report
	@$(CLUSTER) matrix $(if $(STRATEGY),--strategy $(STRATEGY)) $(if $(FAULT),--fault $(FAULT))

soak: install  ## every strategy × every fault × many seeds (SEEDS=1-20); Ctrl-C and again goes on with it
	@$(CLUSTER) matrix --strategy $(or $(STRATEGY),all) --fault $(or $(FAULT),all) --seeds $(or $(SEEDS),1-20) --telling --resume

recheck: install  ## judge the newest run again, from its history alone
	@$(CLUSTER) recheck

selfcheck: install  ## plant every known bug and see whether the examiner convicts it, and acquits what is clean (QUICK=1: a few)
	@$(CLUSTER) selfcheck $(if $(QUICK),--quick) $(chosen)

report: install  ## write the report of the newest run or matrix again
	@$(CLUSTER) report

doctor: install  ## what this machine can do, and why not
	@$(CLUSTER) doctor

bench: install-dev  ## the cache library beside named peers, ratios in one run (about 15 minutes; BENCH="l1 l2": some of it)
	@for each in $(or $(BENCH),l1 decorated invalidation delivery l2 batch stampede memory); do \
		echo "== bench.$$each"; .venv/bin/python -m bench.$$each || exit 1; done

test: install-dev  ## every test but the Docker ones
	@.venv/bin/python -m pytest -n 2 --dist loadfile -m "not compose"

unit: install-dev  ## the tests that start no cluster
	@.venv/bin/python -m pytest -m "not compose and not integration"

integration: install-dev  ## the integration tests, on the running cluster, else on one of their own
	@.venv/bin/python -m pytest -m "integration" tests/integration

test-compose: install-dev  ## the same topology under docker compose
	@.venv/bin/python -m pytest -m compose

simulate: install-dev  ## random schedules of the sequenced protocol on virtual time, its promises checked (SCHEDULES=20000 SEED=1)
	@.venv/bin/python -m tests.simulator $(or $(SCHEDULES),20000) $(or $(SEED),1)

check: install-dev  ## ruff, mypy --strict, the import contracts
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

format: install-dev
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

lock: install-dev  ## pin every dependency again, with hashes
	@for lock in services cluster dev; do \
	  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-emit-find-links requirements/$$lock.in --output-file requirements/$$lock.lock \
	    $$([ $$lock = services ] || echo --constraint requirements/services.lock) || exit; done

clean:  ## stop the cluster, remove run folders and caches
	@[ ! -x .venv/bin/python ] || $(CLUSTER) down
	@rm -rf runs .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

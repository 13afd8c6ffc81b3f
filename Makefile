# Two commands matter: `make run` shows it, `make test` proves it. All logic is in deploy/local/.
.DEFAULT_GOAL := help
.PHONY: help run test lint bench openapi services stop clean ci
BIN := $(or $(CARGO_TARGET_DIR),target)/debug/gatehouse

help: ## this list
	@sed -n 's/^\([a-z]*\): .*## /  make \1\t/p' Makefile | expand -t 18

run: ## build and start everything here, with a demo tenant and simulated terminals; Ctrl-C stops it
	@deploy/local/run.sh

test: ## format, build, lints and all tests against real services: what CI runs
	@deploy/local/test.sh

lint: ## format and lints only
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

bench: ## the figures, from an optimised build, each beside its bound
	@deploy/local/bench.sh

openapi: ## write openapi/gatehouse.json from the code
	cargo build --workspace --locked
	$(BIN) openapi > $(BIN).openapi && mv $(BIN).openapi openapi/gatehouse.json

services: ## start PostgreSQL, RabbitMQ, Redis and S3 for this checkout; settings in .run/env
	@deploy/local/services.sh install && deploy/local/models.sh && cargo build --workspace --locked && GATEHOUSE_BIN=$(abspath $(BIN)) deploy/local/services.sh start

stop: ## stop them; the data stays
	@deploy/local/services.sh stop

clean: ## stop them and delete their data (.run); compiled code stays
	@deploy/local/services.sh clean

ci: ## what the CI machine runs
	@.ci/run

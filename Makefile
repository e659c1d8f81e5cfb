# Every recipe of Threadline. `make` alone lists them; CI runs the same ones.
#
# A fresh machine needs Rust (rustup reads rust-toolchain.toml), a C compiler, Node.js 20.19 or newer and make. What else
# a recipe needs, it brings itself. Finished steps leave stamps, so that repeating a recipe does only what is left.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
ARGS ?=
TIME ?= 60

# Pinned, so that the same commit gives the same verdict everywhere.
CARGO_DENY_VERSION := 0.20.2

# --- What is made ----------------------------------------------------------------------------------------------------

LIBRARY := native/lib/.placed
CONSOLE_MODULES := console/node_modules/.placed
CONSOLE := console/dist/index.html
CARGO_DENY := .tools/cargo-deny-$(CARGO_DENY_VERSION)

# Everything that `vite build` reads.
CONSOLE_SOURCES := $(shell find console/src console/public console/index.html console/vite.config.ts \
	console/tsconfig.json console/postcss.config.cjs -type f 2>/dev/null)

$(LIBRARY): native/package.json native/package-lock.json native/place-library.mjs
	@echo "DuckDB library: from npm, locked by hash"
	cd native && npm ci --ignore-scripts --no-audit --no-fund && node place-library.mjs
	@touch $@

$(CONSOLE_MODULES): console/package.json console/package-lock.json
	@echo "Console's packages: from npm, locked by hash"
	cd console && npm ci --no-audit --no-fund
	@touch $@

$(CONSOLE): $(CONSOLE_MODULES) $(CONSOLE_SOURCES)
	cd console && npm run build
	@touch $@

# Unoptimised: 45 seconds to build instead of three minutes, and as fast in use.
$(CARGO_DENY):
	@echo "cargo-deny $(CARGO_DENY_VERSION): from crates.io into .tools"
	CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet cargo-deny --version $(CARGO_DENY_VERSION) --locked --debug --root .tools
	@touch $@

# --- Use it ----------------------------------------------------------------------------------------------------------

.PHONY: help
help: ## Say what can be made
	@awk 'BEGIN { FS = ":.*## "; print "make TARGET [ARGS=…]" } \
		/^# --- / { gsub(/^# --- | -+$$/, ""); section = $$0 } \
		/^[a-z-]+:.*## / { if (section != "") { printf "\n%s\n", section; section = "" } printf "  %-14s %s\n", $$1, $$2 }' \
		$(firstword $(MAKEFILE_LIST))

.PHONY: run
run: deps console ## Build for speed, then start everything with a demo API and simulated clients; Ctrl-C stops (ARGS="--seed 2")
	cargo build --release --locked
	@exec $(TARGET_DIR)/release/threadline demo $(ARGS)

.PHONY: build
build: deps console ## Build the binary for daily use: target/release/threadline
	cargo build --release --locked

.PHONY: dist
dist: deps console ## Build a release archive with everything optimised, into target/dist-archives
	packaging/build.sh

# --- Prepare ---------------------------------------------------------------------------------------------------------

.PHONY: deps
deps: $(LIBRARY) $(CONSOLE_MODULES) ## Bring the DuckDB library and the console's packages (npm, locked by hash)

.PHONY: console
console: $(CONSOLE) ## Build the console's files, which the binary carries inside

.PHONY: test-tools
test-tools: ## Install what the tests need from Debian's packages: Chromium, a C++ compiler (needs root or sudo if missing)
	scripts/install-test-tools.sh tests fuzz

.PHONY: openapi
openapi: deps console ## Write the API's document, the policy's schema (both in openapi/) and the console's client types
	mkdir -p openapi
	cargo run --quiet --locked -- openapi > $(TARGET_DIR)/openapi-v1.json
	mv $(TARGET_DIR)/openapi-v1.json openapi/v1.json
	cargo run --quiet --locked -- policy schema > $(TARGET_DIR)/policy.schema.json
	mv $(TARGET_DIR)/policy.schema.json openapi/policy.schema.json
	cd console && npm run generate

.PHONY: screenshots
screenshots: debug ## Take the pictures in README.md and docs/ again, from the demo
	scripts/install-test-tools.sh tests
	cd console && THREADLINE_BINARY=$(TARGET_DIR)/debug/threadline npm run screenshots

# --- Check -----------------------------------------------------------------------------------------------------------

.PHONY: test
test: ## Install what the tests need, run everything, end with "N passed, N failed"; stops at the first step that fails
	@scripts/test.sh

.PHONY: debug
debug: deps console ## Build the binary for tests: target/debug/threadline
	@# What `make test-rust` builds, with the same features of dependencies: building less would build them once more.
	cargo build --locked --workspace --bins --tests

.PHONY: test-rust
test-rust: deps console ## Unit, property and end-to-end tests with the real binary (ARGS="-p threadline-points json")
	cargo test --locked --no-fail-fast $(if $(ARGS),$(ARGS),--workspace)

.PHONY: test-console
test-console: $(CONSOLE_MODULES) ## The console's type check, lint, generated client and unit tests
	cd console && npm test

.PHONY: test-browser
test-browser: debug ## Playwright in Chromium against the real hub, accessibility included (ARGS="sessions")
	scripts/install-test-tools.sh tests
	cd console && THREADLINE_BINARY=$(TARGET_DIR)/debug/threadline npm run e2e -- $(ARGS)

.PHONY: lint
lint: deps console ## Formatting and clippy, warnings are errors
	cargo fmt --all --check
	cd fuzz && cargo fmt --check
	cargo clippy --locked --workspace -- --deny warnings
	cargo clippy --locked --workspace --all-targets -- --deny warnings --allow clippy::disallowed-methods

.PHONY: check
check: debug ## The repository's own rules: layering, file heads, documents, words, lock files (xtask)
	$(TARGET_DIR)/debug/xtask check --binary $(TARGET_DIR)/debug/threadline

.PHONY: deny
deny: $(CARGO_DENY) ## Licences, bans and sources of all dependencies, the fuzz targets' too (deny.toml)
	for manifest in Cargo.toml fuzz/Cargo.toml; do \
		.tools/bin/cargo-deny --locked --manifest-path $$manifest --config deny.toml check --hide-inclusion-graph \
			--allow duplicate --allow license-exception-not-encountered --allow unused-wrapper licenses bans sources; \
	done

.PHONY: fuzz
fuzz: ## Fuzz every parser, TIME seconds in all (TIME=3600 for an hour)
	scripts/install-test-tools.sh fuzz
	scripts/fuzz.sh $(TIME)

.PHONY: bench
bench: deps console ## Measure: one table with ratios, beside nginx where it applies (ARGS="--help" says what can be chosen)
	scripts/install-test-tools.sh bench
	cargo build --locked --profile dist --package threadline
	cargo run --locked --profile dist --package threadline-bench -- $(ARGS)

.PHONY: clean-clone
clean-clone: ## Time a fresh clone of HEAD: to a running demo, then through all tests
	scripts/clean-clone-test.sh

# --- Tidy ------------------------------------------------------------------------------------------------------------

.PHONY: format
format: ## Format all Rust code
	cargo fmt --all
	cd fuzz && cargo fmt

.PHONY: clean
clean: ## Remove everything that was made, downloaded packages included; threadline-data and threadline-demo-data stay
	cargo clean
	rm -rf console/dist console/node_modules console/test-results console/playwright-report
	rm -rf native/lib native/node_modules fuzz/target fuzz/corpus .tools

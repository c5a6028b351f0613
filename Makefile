# The front door for people: `make` lists what there is. Presets and flags live in CMakePresets.json.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PRESET ?= release
BUILD := build/$(PRESET)
JOBS ?= $(shell nproc)
BINARY := $(BUILD)/cmd/cloudstate-dev/cloudstate-dev

.PHONY: help deps configure build run test asan interop browser bench bench-dashboard screenshots format lint clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

deps: ## Install the Debian packages that are missing (uses sudo when you are not root)
	@tools/deps

configure: deps
	@cmake --preset $(PRESET) --log-level=WARNING >/dev/null

build: configure ## Build the emulator
	@cmake --build $(BUILD) -j $(JOBS) --target cloudstate-dev
	@echo "$(BINARY): $$(stat -c %s $(BINARY) | numfmt --to=iec-i --suffix=B)"

run: build ## Build, then run the emulator on the built-in shopping cart
	@$(BINARY) run $(ARGS)

test: configure ## Run all base tests
	@cmake --build $(BUILD) -j $(JOBS)
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

asan: ## Run all base tests under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory configure
	@cmake --build $(BUILD) -j $(JOBS) --target shared
	@$(MAKE) --no-print-directory test PRESET=asan

interop: build ## Drive user functions written with the published Java, Spring Boot, Node and Python libraries
	@tests/interop/run $(BINARY)

browser: build ## Drive the dashboard and the published gRPC-Web clients in Chromium
	@cmake --build $(BUILD) -j $(JOBS) --target tck-model-user-function
	@tests/browser/run $(BINARY) $(BUILD)/samples/cpp/tck-model-user-function

bench: configure ## Measure throughput, latency, start-up and memory, printed as ratios
	@cmake --build $(BUILD) -j $(JOBS)
	@tests/bench/run $(BUILD)

bench-dashboard: build ## Measure how smooth the dashboard stays under load, and what it costs; ARGS=--check fails on a miss
	@cmake --build $(BUILD) -j $(JOBS) --target load_generator
	@BINARY=$(BINARY) LOAD_GENERATOR=$(BUILD)/tests/bench/load_generator tests/browser/with-chromium node dashboard/load.js $(ARGS)

screenshots: build ## Take pictures of the dashboard's pages into build/screenshots, and renew those in docs/screenshots
	@BINARY=$(BINARY) tests/browser/with-chromium node dashboard/screenshots.js $(CURDIR)/build/screenshots
	@for used in docs/screenshots/*.png; do cp "build/screenshots/$${used##*/}" "$$used"; done

format: ## Format all C++ sources
	@git ls-files '*.cc' '*.h' | xargs clang-format -i

lint: configure ## Check layering, formatting and clang-tidy
	@tools/check-layers
	@git ls-files '*.cc' '*.h' | xargs clang-format --dry-run -Werror
	@git ls-files 'emulator/*.cc' 'cmd/*.cc' | xargs -P $(JOBS) -n 4 clang-tidy -p $(BUILD) --quiet \
	  --extra-arg=-Wno-unknown-warning-option

clean: ## Remove all build trees
	@rm -rf build

# Every target installs what it lacks first, into .tools/ (see scripts/setup.sh).

PORT ?= 8080

export PATH := $(CURDIR)/.tools/bin:$(PATH):$(HOME)/.cargo/bin

# What the page is made of. A newer one of these rebuilds it.
sources := $(shell find Cargo.toml Cargo.lock Trunk.toml index.html app core/Cargo.toml core/build.rs core/src $(wildcard content) \
	-name node_modules -prune -o -type f -print)
# Lies in dist/ so that a build by Trunk alone, which empties dist/, is not taken for ours.
page := dist/.release

.DEFAULT_GOAL := help
.PHONY: help serve build dev test stories shots bench lighthouse size fmt clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: $(page) ## build the page and serve it on http://127.0.0.1:8080 (PORT=… for another port)
	@scripts/setup.sh node
	@node scripts/serve.mjs dist $(PORT)

build: $(page) ## build the release page into dist/, for any static host and any sub-path

$(page): $(sources)
	@scripts/setup.sh page
	@echo "Building the page (2 to 5 minutes the first time, about one after an edit)"
	@trunk --quiet build --release --locked
	@touch $@

dev: ## build a debug page into target/dev, quickly, and serve it (rebuild: run again)
	@scripts/setup.sh node page
	@trunk --quiet build --dist target/dev
	@node scripts/serve.mjs target/dev $(PORT)

test: ## check formatting, lints, native tests, browser tests, stories and accessibility
	@scripts/test.sh

stories: $(page) ## play the browser stories of e2e/ only
	@scripts/setup.sh tests
	@node --test --test-reporter=./e2e/lib/reporter.mjs e2e/stories/*.test.mjs

shots: $(page) ## take pictures of the page (languages, themes, widths) into shots/
	@scripts/setup.sh tests fonts
	@node e2e/shots.mjs

bench: $(page) ## run the benchmarks of the model, and time an edit to its repaint in Chromium
	@scripts/setup.sh tests
	cargo bench --locked -p northsouth
	@node e2e/bench.mjs

lighthouse: $(page) ## have Lighthouse judge the page as a phone sees it; fails below 100 for what doesn't depend on the machine
	@scripts/setup.sh tests lighthouse
	@node e2e/lighthouse.mjs

size: $(page) ## weigh the page; fails when it is over its budget
	@scripts/setup.sh node
	@node scripts/size.mjs dist

fmt: ## format the code
	cargo fmt --all

clean: ## remove what was built (the tools in .tools/ stay)
	rm -rf dist target shots

# Package sets are named here, never a bare ./...: infra/stack imports the CDK, which takes minutes to compile, and must
# stay out of the everyday loop. A folder that is not there yet is left out.
GO_DIRS := shared functions infra/local infra/arrows infra/topology infra/promises infra/bench infra/emulators
GO_PKGS := $(foreach dir,$(wildcard $(GO_DIRS)),./$(dir)/...) $(if $(wildcard web/*.go),./web)

# Packages with tests that need an emulator: those whose tests ask for one.
AWS_PKGS = $(sort $(shell grep -rlE --include='*_test.go' 'NANO_TEST_(DYNAMODB|AWS)|awstest\.' $(wildcard $(GO_DIRS)) | xargs -n 1 dirname | sed 's|^|./|'))

GO ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# The race detector needs a C compiler; without one the tests run all the same.
RACE := $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race)
TEST_TIMEOUT ?= 15m
FUZZ_TIME ?= 10s

FUNCTIONS := $(patsubst functions/%/bootstrap/,%,$(dir $(wildcard functions/*/bootstrap/main.go)))
LAMBDA_BUILD := CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build -trimpath -tags lambda.norpc -ldflags "-s -w"

NPM := $(shell command -v npm)
WEB := $(wildcard web/package.json)
WEB_INSTALLED := web/node_modules/.package-lock.json
WEB_SOURCES := $(if $(wildcard web),$(shell find web -type d \( -name node_modules -o -name dist -o -name e2e \) -prune -o -type f ! -name '*.go' ! -name '*.test.*' -print))
WEB_PAGE := $(wildcard web/index.html)

.DEFAULT_GOAL := help
.PHONY: help dev web test test-go test-web test-aws e2e crash bench fuzz build lint fmt-check vet staticcheck lint-web emulators emulators-stop clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: $(if $(NPM),web) ## Run everything in one process on NANO_ADDR (127.0.0.1:8787)
	$(GO) run ./infra/local/bootstrap

web: $(if $(WEB_PAGE),web/dist/index.html) ## Build the UI, if its sources changed

test: test-go test-web ## Run all tests that need nothing but Go and Node

test-go: fmt-check vet staticcheck
	$(if $(RACE),,@echo "no C compiler: the tests run without the race detector")
	$(GO) test $(RACE) -timeout $(TEST_TIMEOUT) $(GO_PKGS)

test-web: lint-web
	$(if $(WEB),npm --prefix web test)

lint-web: $(if $(WEB),$(WEB_INSTALLED))
	$(if $(WEB),npm --prefix web run typecheck)
	$(if $(WEB),npm --prefix web run lint)

test-aws: ## Run the AWS adapters' tests against emulators (needs Java, Maven and Python)
	infra/emulators/with.sh $(GO) test $(RACE) -count 1 -timeout $(TEST_TIMEOUT) $(AWS_PKGS)

e2e: $(if $(wildcard web/e2e),web) ## Drive the UI in headless Chromium
	$(if $(wildcard web/e2e),npm --prefix web run e2e,@echo "there is no web/e2e yet")

crash: ## Kill the runner 50 times at every fault point and at random (hours)
	NANO_TEST_CRASH_ROUNDS=50 NANO_TEST_CRASH_ALL=1 $(GO) test -count 1 -timeout 6h -run Kill ./infra/promises

bench: ## Measure the runner and print the table that README quotes
	$(GO) run ./infra/bench

fuzz: ## Fuzz every decoder for FUZZ_TIME (10s) each
	@grep -rE --include='*_test.go' '^func Fuzz' $(wildcard $(GO_DIRS)) | \
	sed -E 's|/[^/]*:func (Fuzz[A-Za-z0-9_]*).*| \1|' | while read -r dir target; do \
		echo "$$dir $$target"; \
		$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ_TIME) "./$$dir" </dev/null || exit 1; \
	done

build: $(FUNCTIONS:%=dist/%/bootstrap) web ## Build the Lambda packages (arm64) in dist/ and the web bundle

# Go's own build cache decides what is stale.
.PHONY: $(FUNCTIONS:%=dist/%/bootstrap)
$(FUNCTIONS:%=dist/%/bootstrap): dist/%/bootstrap:
	$(LAMBDA_BUILD) -o $@ ./functions/$*/bootstrap

lint: fmt-check vet staticcheck lint-web ## Run every linter, golangci-lint too (slow the first time)
	$(GO) run $(GOLANGCI_LINT) run $(GO_PKGS)

fmt-check:
	@unformatted=$$(gofmt -l $$(find $(wildcard shared functions infra web) -name node_modules -prune -o -name '*.go' -print)); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w on:"; echo "$$unformatted"; exit 1; fi

vet:
	$(GO) vet $(GO_PKGS)

staticcheck:
	$(GO) run $(STATICCHECK) $(GO_PKGS)

emulators: ## Start the AWS emulators and leave them running; prints the environment for go test
	@infra/emulators/install.sh
	@infra/emulators/start.sh

emulators-stop: ## Stop them
	@infra/emulators/stop.sh

clean: emulators-stop ## Remove everything that was built or installed here (not .nanotype, the data)
	find web/dist -mindepth 1 ! -name .gitkeep -delete
	rm -rf dist web/node_modules .emulators cdk.out

$(WEB_INSTALLED): web/package-lock.json
	npm --prefix web ci --no-audit --no-fund
	@touch $@

web/dist/index.html: $(WEB_INSTALLED) $(WEB_SOURCES)
	npm --prefix web run build
	@touch $@

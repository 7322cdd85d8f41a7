# scripts/tools.sh puts the pinned tools into .cache/bin.
export PATH := $(CURDIR)/.cache/bin:$(PATH)
SHELL       := /usr/bin/env bash
.SHELLFLAGS := -eu -o pipefail -c
# Targets that build and start servers at the same time would only slow each other down.
.NOTPARALLEL:

BINARY := softdelete_exporter
COMMON := github.com/prometheus/common/version
# What the binary says about its build. All of it comes from the commit, except the user.
VERSION    := $(shell cat VERSION)
REVISION   ?= $(shell git rev-parse HEAD 2>/dev/null)
BRANCH     ?= $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null)
BUILD_USER ?= $(shell id -un)@$(shell hostname)
BUILD_DATE ?= $(shell TZ=UTC git log -1 --format=%cd --date=format-local:%Y%m%d-%H:%M:%S 2>/dev/null)
LDFLAGS = -s -w $(foreach value,Version=$(VERSION) Revision=$(REVISION) Branch=$(BRANCH) \
	BuildUser=$(BUILD_USER) BuildDate=$(BUILD_DATE),-X $(COMMON).$(value))

.DEFAULT_GOAL := help
.PHONY: help build release demo test unit e2e busy soak lint generate screenshots bench clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build ./softdelete_exporter
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $(BINARY) .

release: ## make the tarballs, packages, bill of materials and checksums of a release
	scripts/tools.sh release
	scripts/release.sh

demo: ## start a PostgreSQL with a lifelike schema, and the exporter on it
	go build -o .cache/demo ./demo # go run would report Ctrl-C as an error
	exec .cache/demo

test: ## run all tests, with the tools that they need
	scripts/test.sh unit e2e

unit: ## run the tests that need no more than Go and PostgreSQL
	scripts/test.sh unit

e2e: ## run the tests that need Prometheus, Alertmanager, PgBouncer or Chromium
	scripts/test.sh e2e

busy: ## run all tests while four busy loops use the processors
	trap 'kill $$(jobs -p)' EXIT; for i in 1 2 3 4; do while :; do :; done & done; \
	scripts/test.sh unit e2e

soak: ## run five minutes of changes, faults, reloads and scrapes with the race detector
	scripts/tools.sh test
	SOAK=5m go test -race -run TestASoak -timeout 20m -v ./server

lint: ## check Go, Jsonnet and workflows: format, linters, go.mod
	scripts/tools.sh lint jsonnet
	golangci-lint fmt --diff
	golangci-lint run
	go mod tidy -diff
	actionlint
	git ls-files -z '*.jsonnet' '*.libsonnet' | xargs -0 -r jsonnetfmt --test
	git ls-files -z '*.jsonnet' '*.libsonnet' | xargs -0 -r -n 1 jsonnet-lint -J mixin

generate: ## rewrite all generated files
	scripts/tools.sh jsonnet
	go generate ./mixin ./... # the mixin first, because other files are made from it

screenshots: ## draw the dashboards with Grafana's components into .cache/screenshots
	scripts/tools.sh jsonnet test e2e screenshots
	go test -tags 'e2e screenshots' -run Screenshots -timeout 60m ./e2e/monitoring

bench: ## compare the exporter with similar ones, and measure what the mixin's rules read
	scripts/tools.sh jsonnet test e2e bench
	go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./bench/...
	go test -run '^$$' -bench . -benchtime 3x -timeout 10m ./inspect
	go test -run '^$$' -bench . -benchtime 1x -timeout 20m ./queries
	go test -tags e2e -run '^$$' -bench AThousandTables -benchtime 5x -timeout 10m ./e2e
	go test -tags e2e -run '^$$' -bench Rules -benchtime 1x -timeout 30m ./e2e/monitoring
	go test -tags e2e -run '^$$' -bench Month -benchtime 1x -timeout 30m ./mixin

clean: ## remove what the build left here; the cache of tools stays
	rm -rf $(BINARY) .build .tarballs .cache

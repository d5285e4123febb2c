# "make" or "make help" prints what there is to make.

GO      ?= go
LINTER  := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
RIG     := build/rig

# SQLite is C that was translated to Go, with memory of its own, of which the detector
# knows nothing: looked at all the same, it takes five times as long.
SQLITE  := $(foreach translated,sqlite/lib libc,-gcflags="modernc.org/$(translated)=-race=false -d=checkptr=0")
# The race detector needs a C compiler. "make test" sees to one; what else there
# is does without where there is none.
RACE    := $(if $(shell command -v $$($(GO) env CC)),-race $(SQLITE))
# Four tests at a time, since many wait for servers and for each other's locks. With more,
# two slow processors do what is limited to a second too late.
PACKED  := -parallel=4
TESTS   := $(GO) test -race $(SQLITE) -count=1 -timeout=30m $(PACKED)

# The modules: the library, which requires nothing that only tests, examples and
# benchmarks need, and these. go.work joins them; "make lint" sees to it that each
# builds by its own go.mod as well.
PARTS   := examples examples/guide examples/web bench tests
ALL     := ./... $(PARTS:%=./%/...)

.DEFAULT_GOAL := help

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: | build ## Show the race that row locks close, on embedded SQLite; writes build/report.html
	GOWORK=off $(GO) build -C examples -o ../build/tts ./tts
	build/tts -locking=none,skip-locked -voice=tones -report=build/report.html

.PHONY: booking
booking: | build ## Sell the seats of a theatre in a browser, on embedded SQLite; prints the address
	GOWORK=off $(GO) build -C examples -o ../build/booking ./booking
	build/booking

.PHONY: test
test: rig ## Run every test on SQLite, MySQL, MariaDB and PostgreSQL; needs Go and Docker
	@$(RIG) -- sh -c '$(TESTS) $(ALL)'

.PHONY: test-sqlite
test-sqlite: ## Run every test that needs no server; needs Go alone
	@$(if $(RACE),,echo "no C compiler here: without the race detector")
	@HOLDFAST_TEST_ENGINES=sqlite $(GO) test $(RACE) -count=1 -timeout=30m $(ALL)

# Each line is a run of the suites: its servers, and flags for one of them.
VERSIONS := \
	mariadb:10.5,postgres:13= \
	mariadb:10.11,postgres:15= \
	mariadb:11.8,postgres:17= \
	mysql=HOLDFAST_MYSQL_FLAGS=--autocommit=0 \
	mysql=HOLDFAST_MYSQL_FLAGS=--innodb-rollback-on-timeout

.PHONY: test-versions
test-versions: rig ## Run the tests on older servers, and on MySQL with unusual settings
	@failed=; for run in $(VERSIONS); do \
		echo "--- $$run"; \
		env $${run#*=} $(RIG) -servers "$${run%%=*}" -- $(TESTS) $(ALL) || failed="$$failed $$run"; \
	done; if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

# Two clusters at a time, which mostly wait: for an election, for a COMMIT that hangs.
.PHONY: test-clusters
test-clusters: rig ## Run the tests of clusters and poolers; the first time builds their images
	@HOLDFAST_TEST_CLUSTERS=all $(RIG) -servers=none -- $(TESTS) -parallel=2 ./tests/clusters

.PHONY: test-vitess
test-vitess: rig ## Run the tests of Vitess; the first time compiles it, in minutes
	@HOLDFAST_TEST_CLUSTERS=vitess $(RIG) -servers=none -- $(GO) test -race $(SQLITE) -count=1 -timeout=2h -run=Vitess ./tests/clusters

.PHONY: soak-clusters
soak-clusters: rig ## Run them for long: a minute of money on each, 200 lost COMMITs in failovers
	@HOLDFAST_TEST_CLUSTERS=all HOLDFAST_SOAK=1 $(RIG) -servers=none -- $(GO) test -race $(SQLITE) -v -count=1 -timeout=3h -parallel=2 ./tests/clusters

.PHONY: soak
soak: rig ## Run the long tests: 10,000 random programs on each engine; takes hours
	@HOLDFAST_SOAK=1 HOLDFAST_SOAK_PROGRAMS=10000 $(RIG) -- $(GO) test -race $(SQLITE) -count=1 -timeout=24h ./tests/values ./tests ./tests/model ./tests/queries

.PHONY: bench
bench: rig ## Run the benchmarks against other libraries
	@$(RIG) -- $(GO) test -C bench -run='^$$' -bench=. -benchmem -timeout=2h ./...

.PHONY: bench-roundtrips
bench-roundtrips: rig ## Count the round trips of a block, here and in other libraries
	@$(RIG) -servers=mysql,postgres -- $(GO) run -C bench ./roundtrips

.PHONY: bench-contract
bench-contract: rig ## Show who keeps a transaction whole when things go wrong, here and in other libraries
	@$(RIG) -servers=mysql,postgres -- $(GO) run -C bench ./contract

.PHONY: docs
docs: ## Regenerate the tables in README.md and docs/
	$(GO) test $(RACE) -count=1 -run='^(TestL03_TheREADMEIsUpToDate|TestB06_WhatMarksABlock)$$/^page$$' ./dialect ./orm -args -write

.PHONY: lint
lint: ## Run the linters on all modules
	set -e; for part in . $(PARTS); do GOWORK=off $(GO) vet -C $$part ./...; done
	$(GO) run $(LINTER) run $(ALL)

# Built as the tests are, so that what both need is compiled once. So are the docs.
.PHONY: rig
rig: | build
	@$(GO) build $(RACE) -o $(RIG) ./tests/rig

build:
	@mkdir -p build

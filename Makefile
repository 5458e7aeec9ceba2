# Everything a developer or an operator of a checkout does, with only Python 3.11, git and make installed.
# `make` prints this list. Every target makes its own environment in .venv from the lock files when it is missing
# or older than they are; nothing outside the checkout is touched, except that test-postgres, test-browser, tck and
# interop-edc install a Debian package when they run as root and it is absent.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
BIN := .venv/bin
RUN_READY := .venv/.ready-run
DEV_READY := .venv/.ready-dev
FAST_APART := --ignore=tests/real --ignore=tests/conformance --ignore=tests/cluster --ignore=tests/browser
SUITE = @bash .ci/suite $(@:test-%=%) $(BIN)/python
# What Python has read once it need not read again: a suite starts Python some hundred times.
unexport PYTHONDONTWRITEBYTECODE
LIVE ?=
MINUTES ?= 10

.PHONY: help demo test check format test-slow test-postgres test-real test-conformance test-cluster \
	test-browser test-all tck interop-edc coverage bench soak lock clean dev

help: ## Print what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-18s %s\n' "$$name" "$$what"; done

$(RUN_READY): requirements.lock pyproject.toml
	@bash .ci/environment "$(PYTHON)" requirements.lock
	@touch $@

$(DEV_READY): requirements-dev.lock requirements.lock pyproject.toml
	@bash .ci/environment "$(PYTHON)" requirements-dev.lock
	@touch $(RUN_READY) $@

dev: $(DEV_READY) ## Set up .venv with everything a developer needs

demo: $(RUN_READY) ## Two cities on this machine until Ctrl-C (LIVE=1 harvests the real portals)
	@LIVE="$(LIVE)" $(BIN)/python -m demo

test: $(DEV_READY) ## The fast suite, under a minute
	$(SUITE) -n 2 --dist loadfile -m "not slow and not postgres" $(FAST_APART) tests

check: $(DEV_READY) ## The static checks: format, lint, types, imports, dependencies, dead code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/vulture

format: $(DEV_READY) ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test-postgres: $(DEV_READY) ## The suite of the journal and the database on a real PostgreSQL server
	@code=0; bash .ci/packages postgresql must || code=$$?; case $$code in \
		0) bash .ci/suite postgres $(BIN)/python -n 2 -m postgres $(FAST_APART) tests ;; \
		1) ;; *) exit $$code ;; esac

test-real: $(DEV_READY) ## Real portal samples through the adapters (CITYNODE_TEST_DATA, default ../shared)
	$(SUITE) tests/real

test-conformance: $(DEV_READY) ## The standards' own suites (CITYNODE_TEST_DATA, default ../shared)
	$(SUITE) tests/conformance

test-slow: $(DEV_READY) ## What the fast suite leaves out for its time: whole nodes, real engines, great numbers
	$(SUITE) -n 2 --dist loadfile -m "slow and not postgres" $(FAST_APART) tests

test-cluster: $(DEV_READY) ## Real processes: kill -9, restarts, two cities
	$(SUITE) -n 2 --dist loadfile tests/cluster

test-browser: $(DEV_READY) ## The pages in a real browser: no request leaves the node, axe-core finds nothing
	@bash .ci/axe
	@code=0; bash .ci/packages chromium || code=$$?; case $$code in \
		0) bash .ci/suite browser $(BIN)/python -n 2 --dist loadfile tests/browser ;; \
		1) ;; *) exit $$code ;; esac

# With a program in Java: brought by Maven, or skipped in a line where there is no Java and no way to it.
WITH_JAVA = @code=0; bash .ci/java $(1) .$(1) || code=$$?; case $$code in 0) $(BIN)/python -m $(2) ;; 1) ;; *) exit $$code ;; esac

tck: $(DEV_READY) ## The real conformance kit of the Dataspace Protocol (Java 17 and Maven)
	$(call WITH_JAVA,tck,tests.tck)

interop-edc: $(DEV_READY) ## Catalogue, negotiation and transfers with a real EDC, both ways (Java 17 and Maven)
	$(call WITH_JAVA,edc,tests.interop)

test-all: check test test-slow test-postgres test-real test-conformance test-cluster test-browser tck interop-edc ## Everything

coverage: $(DEV_READY) ## Branch coverage; journal and keys must be complete
	$(BIN)/python -m pytest -q -n 2 -m "not postgres" $(FAST_APART) --cov --cov-report= tests
	$(BIN)/coverage report --include='node/journal/*,node/keys/*' --fail-under=100
	$(BIN)/coverage report

bench: $(DEV_READY) ## The benchmarks
	$(BIN)/python -m benchmarks

soak: $(DEV_READY) ## MINUTES=10 each: harvest and read, watching memory; chaos among five cities; 5 GB and chaos of data
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES)

lock: $(DEV_READY) ## Write the lock files anew from pyproject.toml
	@bash .ci/lock $(BIN)/pip-compile

clean: ## Remove what was made
	rm -rf .venv .axe .tck .edc .demo .bench build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.*

# demo · test · test-slow · test-browser · screenshots · check · lint · bench · chaos · kills · lasting · mutate · month · grid · pages · fuzz · docs · site · lock · audit · sbom
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
export DO_NOT_TRACK := 1
# what Python compiled once serves every process after it
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-slow test-browser screenshots check lint bench chaos kills lasting mutate month grid pages fuzz docs site lock audit sbom setup clean

## run the main job against the three provider sandboxes, nothing configured
demo: setup
	@$(BIN)/planrecon demo; code=$$?; [ $$code -le 1 ] || exit $$code

# three processes side by side with one thread of computing each
TEST := POLARS_MAX_THREADS=1 $(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder

## run the tests but for the slow ones; ARGS is for pytest: make test ARGS="-k pauses"
test: setup
	@$(TEST) -m "not slow" $(ARGS)

## run the slow tests: a Prefect server, days and kills in a row, sweeps against a second answer
test-slow: setup
	@$(TEST) -m slow $(ARGS)

## look at the page in a real Chromium, which must be installed: apt-get install --no-install-recommends chromium
test-browser: setup
	@$(BIN)/python -m pytest -q tests/browser $(ARGS)

## take the pictures of the page that the documents show
screenshots: setup
	@$(BIN)/python -m pytest -q tests/browser/screenshots.py

## what CI runs but for the browser: style, types, tests
check: lint test test-slow

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo "planrecon needs Python 3.11, 3.12 or 3.13; none was found on PATH" >&2; exit 2; }
	@echo "installing into .venv (once) ..." >&2
	@$(PYTHON) -m venv .venv
	@if $(BIN)/python -m pip install -q --disable-pip-version-check uv 2>/dev/null; then \
		$(BIN)/uv pip sync -q --compile-bytecode -p $(BIN)/python --require-hashes requirements.lock && \
		$(BIN)/uv pip install -q -p $(BIN)/python --no-deps -e .; \
	else \
		$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock && \
		$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .; \
	fi
	@touch .venv/ready

## resolve the dependencies again; the lock holds hashes and no host
lock: setup
	@$(BIN)/uv pip compile -q pyproject.toml --extra dev --extra scale --extra notebook --extra docs --universal --python-version 3.11 \
		--generate-hashes --no-header -o requirements.lock

## look the locked dependencies up among the known vulnerabilities; needs the network, and fails where nothing was looked up
audit: setup
	@PYTHONPATH=tests $(BIN)/python -m supply.audit

## what is installed, as a bill of materials in build/sbom.json (CycloneDX)
sbom: setup
	@mkdir -p build
	@$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible -o build/sbom.json .venv

## regenerate the documents that are made from the code
docs: setup
	@$(BIN)/python -m checks.docs
	@$(BIN)/python -m flows.commands.reference
	@PYTHONPATH=tests $(BIN)/python -m promises.document
	@PYTHONPATH=tests $(BIN)/python -m supply.licences
	@PLANRECON_WRITE=1 $(BIN)/python -m pytest -q tests/flows/test_readme.py tests/transforms/test_documented_example.py \
		-k "cookbook_prints or worked_example"

## the documents as a site, in build/site; a link or anchor that leads nowhere fails; quiet, it would not count them
site: setup
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -f docs/site/mkdocs.yml

## what each stage costs, row by row, beside the first version and other ways; ARGS="--full" adds the long ones
bench: setup
	@$(BIN)/python -m benchmarks $(ARGS)

## read the providers under fire, then try to make a change at one happen twice, or to lose one: sixty seeds of each kind
chaos: setup
	@PYTHONPATH=tests $(BIN)/python -m storm.reading.reads --seeds 60
	@PYTHONPATH=tests $(BIN)/python -m storm.chaos --seeds 60

## kill run, report, rebuild, replay and every change at a provider at each boundary, resume, and hold what is left; KILLS=9 takes every ninth
kills: setup
	@PLANRECON_KILLS=$(or $(KILLS),1) $(BIN)/python -m pytest -q --timeout 0 -o log_cli=true --log-level=INFO --log-cli-level=INFO \
		tests/flows/steps/test_kills.py tests/storm/test_killed_changes.py tests/storm/test_readers.py

## kill the writer of the database, cut its power and fill its disk, LASTING times 20, 20 and 6; no load that was told of may be lost
lasting: setup
	@PLANRECON_LASTING=$(or $(LASTING),30) $(BIN)/python -m pytest -q --timeout 0 -o log_cli=true --log-level=INFO --log-cli-level=INFO tests/storm/test_database.py

## plant every bug of tests/mutation/bugs and see whether the tests named for it fail; ARGS takes parts of their names
mutate: setup
	@PYTHONPATH=tests nice $(BIN)/python -m mutation.planted $(ARGS)

## live through thirty days at the providers: each is right by a second answer, can be made again, and every restatement adds up
month: setup
	@PLANRECON_MONTH=30 $(BIN)/python -m pytest -q --timeout 0 tests/flows/steps/past/test_month.py

## report on one store in five time zones, two locales and three numbers of threads, its rows in another order each time
grid: setup
	@PLANRECON_GRID=1 $(BIN)/python -m pytest -q --timeout 0 tests/flows/steps/test_determinism.py

## two thousand pages valid by the providers' contracts, with odd texts: every row is accepted or in quarantine
pages: setup
	@PLANRECON_PAGES=2000 $(BIN)/python -m pytest -q --timeout 0 -o log_cli=true --log-level=INFO --log-cli-level=INFO tests/flows/steps/test_generated_pages.py

## a hundred thousand spoiled rows and pages through decode and load; ARGS="--provider payt --seed 17 --count 4000" for others
fuzz: setup
	@PYTHONPATH=tests $(BIN)/python -m storm.spoiling.fuzz $(ARGS)

clean:
	@rm -rf .venv planrecon-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis build/site build/sbom.json

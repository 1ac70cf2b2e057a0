# The one door. `make demo` sets up and measures; `make test` sets up and runs every test.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
STAMP := $(VENV)/.ready-for-tests
STARTED := $(shell date +%s)
TOOK = @echo "make $@ took $$(( $$(date +%s) - $(STARTED) )) s, set-up included"

.PHONY: demo setup test parts lint bench docs drill pins clean

demo: $(READY) ## set up what measuring needs, then one real measurement: a table, a record, a run in MLflow
	$(BIN)/run-parsl-perf.py parsl-configs/local_htex.py --time 5 --reps 3
	$(TOOK)

setup: $(STAMP)

# Looks for pip: a Python without its venv package leaves an environment that has none, and the next try completes it.
$(READY): requirements/base.txt pyproject.toml
	@test -x $(BIN)/pip || command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) on PATH. Install Python 3.11, on Debian 12: apt-get install python3.11 python3.11-venv; or say where it is: make PYTHON=/its/folder/python3.11" >&2; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q perfdb # where PYTHONDONTWRITEBYTECODE is set, nobody else would
	touch $@

$(STAMP): $(READY) requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@

test: setup lint parts ## every test, on real parts
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder --durations=20
	$(TOOK)

parts: ## what the tests need of Debian's or Ubuntu's packages: installed where that is allowed, told where not
	bash tests/real_parts.sh

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## side-by-side measurements; they print ratios
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/registry.py
	$(BIN)/python benchmarks/statistics.py
	$(BIN)/python benchmarks/changepoints.py
	$(BIN)/python benchmarks/report.py
	$(BIN)/python benchmarks/acquisition.py
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/minislurm.py
	$(BIN)/python benchmarks/simulator.py

drill: setup ## the heavy drills, whole
	$(BIN)/python -m pytest -m drill --drill-share 1.0

docs: setup ## the reference from the code, then site/docs/, all pages with a search, and site/, the report of mlruns/
	$(BIN)/python docs/generate.py
	mkdir -p site && touch site/.perfdb-report # so that the report takes the folder for its own, and lets docs/ stay
	rm -rf site/docs
	$(BIN)/python -m sphinx -q -W --keep-going -E -d .perfdb/docs -c docs/site -A report=1 . site/docs
	$(BIN)/perfdb report site

pins: setup
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade pyproject.toml --extra build -o requirements/base.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --extra scaling --extra bench --extra test --extra lint --extra build --extra docs --extra team -c requirements/base.txt -o requirements/dev.txt

clean:
	rm -rf $(VENV)

# `make demo` and `make test` do all the set-up they need; the rest is for developers.
PYTHON ?= python3
# How many processes run the tests; each starts a Kafka of its own
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
GOLD ?= $(addprefix tests/data/gold/,dev.jsonl fresh.jsonl more.jsonl held.jsonl blind.jsonl languages.jsonl languages_held.jsonl) build/own-even.jsonl
FITTED ?= tests/data/gold/dev.jsonl tests/data/gold/own.jsonl:odd tests/data/gold/fresh.jsonl tests/data/gold/more.jsonl tests/data/gold/worded.jsonl tests/data/gold/denied.jsonl tests/data/gold/no_tie.jsonl:odd

.PHONY: demo test check lint chaos alerts-killed bench-alerts kafka lock wheel clean bench-feeds bench-scale bench-push bench-extract evaluate stream fit fit-check

$(VENV)/.ready: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: $(VENV)/.ready  ## the whole service on the bundled feeds and the embedded log, in under a minute
	$(BIN)/tieup demo

test: $(VENV)/.ready check  ## everything, against a real Apache Kafka that it starts itself
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

check: $(VENV)/.ready lint

lint: $(VENV)/.ready
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

chaos: $(VENV)/.ready  ## kill anything at seeded moments, rows in build/chaos.md; again goes on; CHAOS="--seeds 1-3 --controls no" for less
	$(BIN)/python -m tests.chaos $(CHAOS)

alerts-killed: $(VENV)/.ready  ## kill -9 while alerts are delivered, ROUNDS times at moments from SEED
	TIEUP_TEST_ALERT_ROUNDS=$(or $(ROUNDS),200) TIEUP_TEST_SEED=$(or $(SEED),7) $(BIN)/python -m pytest -q tests/integration/test_alerts_killed.py

bench-alerts: $(VENV)/.ready  ## match, deliver beside a bare loop of the same client, delay from event to arrival
	$(BIN)/python -m tests.benchmarks.bench_alerts

kafka: $(VENV)/.ready  ## an Apache Kafka on loopback, until Ctrl-C
	$(BIN)/python -m tests.kafka_broker

bench-feeds: $(VENV)/.ready  ## fetching side by side with reader; FULL=1 is 2,000 feeds and ten rounds
	$(BIN)/uv pip install --quiet --python $(BIN)/python --group bench
	$(BIN)/python -m tests.benchmarks.bench_feeds $(if $(FULL),--full)

bench-push: $(VENV)/.ready  ## from a hub's push to an event that can be read, on both logs
	$(BIN)/python -m tests.benchmarks.bench_push

bench-scale: $(VENV)/.ready  ## 100,000 registered feeds: start, memory, what a poll costs
	$(BIN)/python -m tests.benchmarks.bench_scale

bench-extract: $(VENV)/.ready  ## extraction side by side with a regular-expression union of the same names
	$(BIN)/python -m tests.benchmarks.bench_extract

evaluate: $(VENV)/.ready  ## what extraction finds in the bundled labelled articles, against their labels
	mkdir -p build && awk 'NR % 2 == 0' tests/data/gold/own.jsonl > build/own-even.jsonl  # no weight was fitted to these
	for set in $(GOLD); do echo "$$set"; $(BIN)/tieup evaluate $$set || exit 1; done

stream: $(VENV)/.ready  ## what extraction takes for relevant in a natural stream, mostly other news (STREAM=--show: which)
	mkdir -p build && awk 'NR % 2 == 0' tests/data/gold/own.jsonl > build/own-even.jsonl
	$(BIN)/python -m tests.benchmarks.natural_stream $(STREAM) build/own-even.jsonl tests/data/gold/languages_held.jsonl

fit: $(VENV)/.ready  ## fit the weights and confidences of extraction to the labelled articles that are there for it
	$(BIN)/uv pip install --quiet --python $(BIN)/python --group fit
	$(BIN)/python -m tests.benchmarks.fit --write $(FITTED)

fit-check: $(VENV)/.ready  ## whether the weights and confidences were fitted to the labels and rules that are there
	$(BIN)/python -m tests.benchmarks.fit --check

lock: $(VENV)/.ready  ## renew the locks from pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q pyproject.toml --group dev -o requirements-dev.lock

wheel: $(VENV)/.ready  ## the wheel, in dist/
	$(BIN)/python -m hatchling build -t wheel

clean:
	rm -rf $(VENV) dist build deploy/kafka/target .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

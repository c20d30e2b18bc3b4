# Everything you do with this folder, by one word each. `make help` lists them.

.DEFAULT_GOAL := help
.PHONY: help run demo test stories check bench bench-loop bench-loop-long format docs pictures clean

BIN := .venv/bin
WORKERS ?= 2
# A third of what the tests take is waiting, for processes and for platforms.
TESTERS ?= $(shell echo $$(( $(WORKERS) * 3 / 2 )))
# The tests start some hundred processes: where bytecode isn't kept, each spends most of its start on
# compiling. It is kept here, whatever the environment says.
COMPILED := PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(CURDIR)/.venv/compiled

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## set everything up and start Ratchet here (Ctrl-C stops it)
	@deploy/setup.sh run
	@exec $(BIN)/ratchet up

demo: ## watch a simulated team get better in a minute; no key, no network
	@deploy/setup.sh run
	@exec $(BIN)/ratchet demo

test: ## set everything up and run every check and every test
	@deploy/setup.sh test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(COMPILED) $(BIN)/pytest -n $(TESTERS) --dist worksteal

stories: ## play the stories over local-slack, a Slack that others wrote (needs npm)
	@deploy/setup.sh stories
	unshare -rn $(BIN)/python -m tests.stories.alone $(BIN)/pytest tests/stories/local_slack_story.py

check: ## the fast half: lint, format, types, import contracts
	@deploy/setup.sh dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: ## measure it, beside a bare pass-through
	@deploy/setup.sh dev
	$(BIN)/python -m benchmarks

bench-loop: ## measure the loop in a world with hidden truth: 3 seeds
	@deploy/setup.sh dev
	$(BIN)/python -m benchmarks.loop --seeds 3 --workers $(WORKERS) --check --json .ratchet/bench-loop.json

bench-loop-long: ## the same with 20 seeds; hours, and it goes on where it was stopped
	@deploy/setup.sh dev
	$(BIN)/python -m benchmarks.loop --seeds 20 --workers $(WORKERS) --resume .ratchet/bench-loop \
		--json .ratchet/bench-loop-long.json --doc

format: ## put the code into its form
	@deploy/setup.sh dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: ## write the reference, and the answers in the tutorial, anew
	@deploy/setup.sh dev
	$(BIN)/python -m tests.architecture.reference
	$(BIN)/python -m tests.cli.tutorial

pictures: ## photograph what each platform is sent, into docs/pictures (needs Chromium)
	@deploy/setup.sh dev
	$(BIN)/python -m tests.pictures

clean: ## remove what was built; data in .ratchet stays
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist

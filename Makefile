# The course's commands. `make lab` is for learners, `make test` proves the course, the rest is for maintainers.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python

.PHONY: lab test bench book requirements clean

lab: .venv/lab                ## open JupyterLab on the first chapter
	@$(BIN)/python -m classroom lab

test: .venv/test              ## everything that proves the course works
	@$(BIN)/python -m pytest -n 4 --dist loadscope --no-loadscope-reorder

bench: .venv/lab              ## speed and memory, as ratios within one run; ARGS=--quick or ARGS=--full
	@$(BIN)/python -m tests.bench $(ARGS)

book: .venv/lab               ## every chapter executed, as static pages with working players
	@$(BIN)/python -m classroom book

.venv/lab: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("python: this is %d.%d; the course needs 3.11 or newer (make lab PYTHON=python3.12)" % sys.version_info[:2])'
	@echo "Setting up .venv (once, about a minute) ..."
	@test -x $(BIN)/uv || { $(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9; }
	@$(UV) --require-hashes -r requirements.txt
	@$(UV) --no-deps --no-build-isolation -e .
	@touch $@

.venv/test: .venv/lab requirements-test.txt
	@$(UV) --require-hashes -r requirements-test.txt
	@touch $@

requirements:                 ## pin again, with hashes and without addresses
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --upgrade pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra test -c requirements.txt pyproject.toml -o requirements-test.txt

clean:
	@rm -rf .venv book out

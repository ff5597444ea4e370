# Two commands on a machine with Python, git and make: `make demo` runs the main job, `make test` the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PLUGINS := $(wildcard plugins/*)

.PHONY: demo test lint types slow bench results docs clean

demo: $(VENV)/.installed
	$(BIN)/ksdp demo

test: lint types
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.tests
	$(BIN)/ruff check .

types: $(VENV)/.tests
	$(BIN)/mypy

docs: $(VENV)/.tests
	$(BIN)/mkdocs build --strict

results:
	python3 benchmarks/pages.py

bench: $(VENV)/.tests
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/python benchmarks/direct.py
	$(BIN)/python benchmarks/tree.py
	$(BIN)/python benchmarks/startup.py

slow: $(VENV)/.tests
	$(BIN)/pytest --slow

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.tests: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]' $(PLUGINS:%=-e ./%)
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

# Each target works alone on a fresh clone: it makes the virtual environment when it is missing or out of date.
PYTHON ?= python3
PROFILE ?= digits
VENV := .venv
BIN := $(VENV)/bin

.PHONY: figures test test-browser lab notebooks lint bench install clean

figures: $(VENV)/installed
	$(BIN)/lend figures --profile $(PROFILE) $(ARGS)

test: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest $(ARGS)

# The explorer in JupyterLab and a headless chromium, which is installed where it is missing and this is root.
test-browser: $(VENV)/installed
	command -v chromium || command -v google-chrome || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -qy chromium; } || \
		echo "chromium is missing: apt-get install chromium" >&2
	$(BIN)/python -m pip install --quiet --editable ".[dev,browser]"
	$(BIN)/python -m pytest tests/browser $(ARGS)

lab: $(VENV)/installed
	$(BIN)/jupyter lab notebooks $(ARGS)

# Refresh the outputs of the committed notebooks, each with its own default run.
notebooks: figures
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace notebooks/*.ipynb

lint: $(VENV)/installed
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: $(VENV)/installed
	for name in startup training dilution methods saving opening resume sweep maps neighbors audit scope prior shards explorer; do $(BIN)/python benchmarks/$$name.py || exit 1; done

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lend needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) runs

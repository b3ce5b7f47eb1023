# Each target works alone on a fresh clone: it makes the virtual environment when it is missing or out of date.
PYTHON ?= python3
PROFILE ?= digits
VENV := .venv
BIN := $(VENV)/bin
# one test process per core, each with one thread: threads of several trainings would wait for each other
PARALLEL ?= --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: figures results refresh test test-browser test-integrations attacks docs lab lint bench install clean

# Everything made here goes to output/, which git ignores.
figures: $(VENV)/installed
	$(BIN)/lend figures --profile $(PROFILE) $(ARGS)

# Tables and pictures of results/ from the histories in results/runs/; ARGS=RUNS adds the finished runs of a folder first.
results: $(VENV)/installed
	$(BIN)/lend results $(ARGS)

# The only target that changes committed figures and the outputs of committed notebooks: five trials, from scratch.
refresh: $(VENV)/installed
	rm -rf output/figures
	$(BIN)/lend figures --profile digits --trials 5
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace notebooks/*.ipynb
	cp -r output/figures/digits output/figures/cifar10-thin figures/

test: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PARALLEL) $(ARGS)

# Damaged files, kills, full disks and odd inputs, many more than the tests try: an hour and more.
attacks: $(VENV)/installed
	LEND_ATTACKS=hours OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/attacks -s $(ARGS)

# The explorer in JupyterLab and a headless chromium, which is installed where it is missing and this is root.
test-browser: $(VENV)/installed
	command -v chromium || command -v google-chrome || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -qy chromium; } || \
		echo "chromium is missing: apt-get install chromium" >&2
	$(BIN)/python -m pip install --quiet --editable ".[dev,browser]"
	$(BIN)/python -m pytest tests/browser -m browser $(ARGS)

# Trainings by Lightning, Hugging Face and timm, models of open_clip, what Argilla, FiftyOne and datasets read: in an
# environment of their own of 8 GB, which is made where it is missing.
test-integrations:
	test -d .venv-integrations || $(PYTHON) -m venv .venv-integrations
	.venv-integrations/bin/python -m pip install --quiet --editable ".[dev,integrations]"
	OMP_NUM_THREADS=1 .venv-integrations/bin/python -m pytest -m integrations $(ARGS)

lab: $(VENV)/installed
	$(BIN)/jupyter lab notebooks $(ARGS)

docs: $(VENV)/installed
	$(BIN)/sphinx-build -W --nitpicky --keep-going -b html docs docs/_build/html $(ARGS)
	@echo "the site: docs/_build/html/index.html"

lint: $(VENV)/installed
	$(BIN)/ruff check --fix . && $(BIN)/ruff format . && $(BIN)/mypy

bench: $(VENV)/installed
	for name in startup training dilution graph methods recorder saving opening resume sweep maps neighbors audit scope prior shards explorer; do $(BIN)/python benchmarks/$$name.py || exit 1; done

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lend needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) runs output docs/_build

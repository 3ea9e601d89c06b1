# What the README promises. Every target makes what it needs; a second run does nothing twice.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
VIDEO ?=
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: demo test check bench plugins protos docs clean

demo: $(VENV)/.demo  ## import a clip (VIDEO=path, or the demo clip) through a server into Blender: out/demo
	$(BIN)/python scripts/demo.py --out out/demo $(if $(VIDEO),"$(VIDEO)")

test: $(VENV)/.test check  ## run every test that this machine can run
	$(BIN)/python -m pytest

check: $(VENV)/.test  ## lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file plugins/blender/mypy.ini

bench: $(VENV)/.test  ## speed and accuracy, as ratios side by side: out/bench
	$(BIN)/python tests/benchmarks/run.py --out out/bench

plugins: $(VENV)/.test  ## the add-ons as zips to install: dist/
	$(BIN)/python plugins/blender/build.py --out dist

protos: $(VENV)/.test  ## the Python stubs of protos/
	$(BIN)/python protos/generate.py

docs: $(VENV)/.test  ## what the docs take from the code
	$(BIN)/python scripts/report_schema.py

clean:  ## everything that was made
	rm -rf $(VENV) .venvs .cache out dist

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing; install it, or name another with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "Making a virtual environment failed; on Debian: apt-get install python3.11-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	@scripts/system-packages
	$(PIP) --editable '.[blender]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	@scripts/system-packages
	$(PIP) --editable '.[blender,exr,dev]'
	@touch $@ $(VENV)/.demo

# What the README promises. Every target makes what it needs; a second run does nothing twice.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
VIDEO ?=
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
D2_PIP = .venvs/detectron2/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: demo test test-detectron2 check bench plugins protos docs clean

demo: $(VENV)/.demo  ## import a clip (VIDEO=path, or the demo clip) through a server into Blender: out/demo
	$(BIN)/python scripts/demo.py --out out/demo $(if $(VIDEO),"$(VIDEO)")

test: $(VENV)/.test check  ## run every test that this machine can run
	$(BIN)/python -m pytest

test-detectron2: .venvs/detectron2/.made  ## the tests of that detector, in an environment of its own (5 GB)
	.venvs/detectron2/bin/python -m pytest -m detectron2

check: $(VENV)/.test  ## lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file plugins/blender/mypy.ini
	$(BIN)/mypy --config-file plugins/maya/mypy.ini

bench: $(VENV)/.test  ## speed and accuracy, as ratios side by side: out/bench
	$(BIN)/python tests/benchmarks/run.py --out out/bench

plugins: $(VENV)/.test  ## the add-ons to install, as zips: dist/
	$(BIN)/python plugins/blender/build.py --out dist
	$(BIN)/python plugins/maya/build.py --out dist

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
	$(PIP) --editable '.[blender,exr,usd,c3d,dev]'
	@touch $@ $(VENV)/.demo

# torchvision's wheel runs beside the torch of PyPI, not beside a build for the CPU alone: hence ===.
.venvs/detectron2/.made: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venvs/detectron2
	$(D2_PIP) 'torch===2.13.0' torchvision==0.28.0 setuptools
	$(D2_PIP) --editable '.[dev]'
	$(D2_PIP) --no-build-isolation git+https://github.com/facebookresearch/detectron2
	@touch $@

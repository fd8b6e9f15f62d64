# Two commands do everything: `make run` executes the course into one report, `make test` passes the tests.
# Each target sets up .venv from requirements.lock on first use.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
READY := $(VENV)/.ready
# make run ARGS="02 --mode smoke" OUT=reports/quick
OUT ?= reports/latest
ARGS ?=
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu
export PYTHONUTF8 := 1

.DEFAULT_GOAL := help
.PHONY: help run test lab bench build lint format lock clean

help:
	@echo "make run    execute the course through papermill into reports/latest/index.html"
	@echo "make test   lint, import rules, unit tests, notebooks through nbval, browser tests"
	@echo "make lab    open JupyterLab on notebooks/00_start_here.ipynb"
	@echo "make bench  measure, write benchmarks.json, print the table"
	@echo "make build  build the notebooks that changed from notebooks/src"
	@echo "make lint   check style and import rules;  make format  mend style"
	@echo "make lock   add what is new to requirements.lock (UPGRADE=--upgrade: all anew);  make clean  remove what was built"

run: $(READY)
	$(BIN)/labkit run --out $(OUT) --resume $(ARGS)

test: $(READY) lint
	$(BIN)/python -m tests.run

lab: $(READY)
	@echo "Opening JupyterLab on notebooks/00_start_here.ipynb (Ctrl-C twice to stop)"
	$(BIN)/jupyter lab --ServerApp.ip=127.0.0.1 notebooks/00_start_here.ipynb

bench: $(READY)
	$(BIN)/python -m tests.benchmarks

build: $(READY)
	$(BIN)/labkit build

lint: $(READY)
	$(BIN)/ruff check labkit tests notebooks/src
	$(BIN)/ruff format --check labkit tests notebooks/src
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix labkit tests notebooks/src
	$(BIN)/ruff format labkit tests notebooks/src

# One lock for Linux, macOS and Windows and for Python 3.11 to 3.13. NVIDIA's packages are left out: they come
# with torch itself where there is a GPU, and would cost a CPU machine several gigabytes.
lock: $(READY)
	$(BIN)/python -m pip install -q uv
	cp requirements.lock .lock.tmp
	$(BIN)/uv pip compile $(UPGRADE) --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
	    --no-emit-find-links --extra course --extra dask --extra dev pyproject.toml -o .lock.tmp > /dev/null
	grep -vE '^(nvidia-|cuda-|triton==)' .lock.tmp > requirements.lock && rm .lock.tmp
	$(BIN)/python -m tests.pins

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "The course needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is %d.%d. Run: make PYTHON=python3.12 ..." % v)'
	@echo "[1/3] Making $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "[2/3] Installing torch"
	@torch=$$(grep '^torch==' requirements.lock | cut -d' ' -f1); index=""; \
	if [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi > /dev/null 2>&1; then \
	  if $(BIN)/python -c "import urllib.request as u; u.urlopen('$(TORCH_CPU_INDEX)/torch/', timeout=5)" 2> /dev/null; \
	  then echo "      no NVIDIA GPU: the CPU build from PyTorch's own index"; index="--index-url $(TORCH_CPU_INDEX)"; \
	  else echo "      PyTorch's CPU index does not answer: the plain $$torch"; fi; fi; \
	$(BIN)/python -m pip install -qq --disable-pip-version-check $$index $$torch
	@echo "[3/3] Installing the other packages of requirements.lock (about 2 minutes)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps -e .
	@touch $(READY)

clean:
	rm -rf $(VENV) reports .pytest_cache .ruff_cache .import_linter_cache build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

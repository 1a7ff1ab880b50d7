# Every target creates .venv by itself: uv comes from PyPI, versions from uv.lock.
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; \
  done)
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv

.PHONY: demo test stack lint bench format golden clean
demo: $(VENV)/.ready
	@$(BIN)/python -m examples.quantization.demo

# Servers that a part of the tests needs are built when its first test asks; all of them, before.
test: $(VENV)/.ready
	@$(BIN)/python -m tests.stack $(if $(findstring tests/,$(ARGS)),install,build)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

# Real servers on loopback for trying things out; `$(BIN)/python -m tests.stack down` ends them.
stack: $(VENV)/.ready
	@$(BIN)/python -m tests.stack up

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.ready
	@$(BIN)/python -m compileall -q packer dispatcher sendoff
	@$(BIN)/python -m bench $(ARGS)

format: $(VENV)/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

golden: $(VENV)/.ready
	$(BIN)/python -m pytest tests/golden --update-golden

clean:
	rm -rf $(VENV) .demo

# uv is installed into a venv of its own making, then syncs that venv to the lock. The checkout is
# compiled too: many machines set PYTHONDONTWRITEBYTECODE, and every start would pay for it.
$(VENV)/.ready: pyproject.toml uv.lock
	@test -n "$(PYTHON)" || { echo "sendoff needs Python 3.11 or newer on PATH" >&2; exit 1; }
	@echo "setting up $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(UV) sync --quiet --locked --compile-bytecode --all-extras --python $(BIN)/python
	@$(BIN)/python -m compileall -q packer dispatcher sendoff
	@touch $@

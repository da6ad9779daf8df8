# What a developer runs is what continuous integration runs. `make help` lists the targets.
# Needs Python >= 3.11 and a Rust toolchain; everything else is installed into .venv.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

PYTHON ?= python3
BIN := .venv/bin
# There once the core was built, whose own name depends on the Python.
CORE := target/.core
WHEELS := target/wheels

# The engine reads a list of words that Python has.
RUST := $(shell find rust -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock python/hookseal/_common_words.py
# With the folders, so that a file that went away counts as a change.
PACKAGE := $(shell find python -name __pycache__ -prune -o \
	-type d -print -o -name '*.py' -print -o -name '*.pyi' -print -o -name py.typed -print) \
	pyproject.toml README.md LICENSE-MIT LICENSE-APACHE

# PyO3 asks the Python it builds against, always the same one, so that nothing is built twice.
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/target/hypothesis
# Where tests/test_packaging.py finds what was built.
export HOOKSEAL_WHEEL_DIR := $(CURDIR)/$(WHEELS)

.PHONY: FORCE help demo test test-full emulate sanitize fuzz coverage constant-time lint fmt bench wheel package clean

help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 22

demo: $(CORE) ## Verify a sample queue that was signed by the vendors' own libraries
	@$(BIN)/python examples/verify_queue.py

test: $(CORE) $(WHEELS)/.built ## Run all tests: Rust, then each Python there is (3.11, 3.12, 3.13)
	cargo test --workspace --locked --quiet
	$(BIN)/python tools/emulate.py --quick
	$(BIN)/python tools/other_pythons.py $(WHEELS) $(BIN)/python -m pytest --durations=10

test-full: export HOOKSEAL_TEST_PROFILE := full
test-full: test emulate sanitize constant-time fuzz package ## The same tests with ten times as many examples; emulated, sanitized, fuzzed, packaged

fuzz: $(CORE) ## Fuzz each target for TIME seconds, 20 if nothing is said (a C++ compiler builds libFuzzer)
	$(BIN)/python tools/fuzz.py --time $(or $(TIME),20)

coverage: $(CORE) $(WHEELS)/.built ## Count what the tests reach: Python 100 %, Rust 97 % of the lines (Debian: llvm-22)
	$(BIN)/python tools/coverage.py

emulate: $(CORE) ## Run the Rust tests on emulated processors: without AVX-512, AVX2, SSE4.1, and of ARM (Debian: qemu-user)
	$(BIN)/python tools/emulate.py
	$(BIN)/python -m tools.emulate_arm

sanitize: .venv/.ready ## Run the Rust tests, and the hostile ones in Python, under address sanitizer
	$(BIN)/python tools/sanitize.py

constant-time: ## Look for branches and addresses that depend on a secret (some minutes)
	@$(PYTHON) tools/constant_time.py

lint: $(CORE) ## Check format, lints, types, stubs, dependencies and the rules of the house
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --features hookseal-binding/floor --locked --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy
	MYPYPATH=python $(BIN)/python -m mypy.stubtest hookseal._core --mypy-config-file pyproject.toml
	$(BIN)/zizmor --offline --quiet --persona=auditor .github
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/python tools/check_deny.py
	$(BIN)/python tools/check_house.py

fmt: .venv/.ready ## Format everything, and fix what can be fixed without thought
	cargo fmt --all
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format .

bench: $(CORE) ## Time everything beside its peers; write docs/benchmarks*.md, plots and figures (12 min)
	$(BIN)/python -m pytest benches --benchmark-enable --benchmark-json=target/benchmarks.json
	$(BIN)/python benches/report.py target/benchmarks.json
	$(BIN)/python benches/dropins.py

wheel: .venv-package/.ready ## Build the sdist, and from it wheels (old systems; this Python alone; pure), into dist/
	rm -rf dist
	.venv-package/bin/python -m tools.dist dist

package: wheel $(CORE) ## Check what is published: same bytes twice, audited, installed and used (10 min)
	HOOKSEAL_DIST_DIR=$(CURDIR)/dist HOOKSEAL_PACKAGE_PYTHON=$(CURDIR)/.venv-package/bin/python \
		$(BIN)/python -m pytest tests/dist_checks.py --durations=10

clean: ## Remove all that was built or installed here
	rm -rf target dist .venv .venv-3.1[0-9] .venv-package python/hookseal/_core*.so .benchmarks .hypothesis
	find python tests benches examples tools -name __pycache__ -type d -prune -exec rm -rf {} +

# The tools, once per change of the dependency groups.
.venv/.ready: pyproject.toml tools/venv.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "'$(PYTHON)' is not a Python >= 3.11; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@command -v cargo >/dev/null || { echo "cargo is not on PATH: install a Rust toolchain" >&2; exit 1; }
	@$(PYTHON) tools/venv.py .venv dev
	@touch $@

.venv-package/.ready: pyproject.toml tools/venv.py
	@$(PYTHON) tools/venv.py .venv-package package
	@touch $@

ifeq ($(wildcard python/hookseal/_core.*.so),)
$(CORE): FORCE
endif
FORCE:

# The core, for `import hookseal` from python/ in the source tree: as in the wheel for this Python alone.
$(CORE): .venv/.ready $(RUST)
	rm -f python/hookseal/_core.*.so
	VIRTUAL_ENV=$(CURDIR)/.venv PIP_QUIET=1 \
		$(BIN)/maturin develop --release --locked --quiet --no-default-features
	@touch $@

# The wheels that the tests install: for all Pythons, and for one other alone.
$(WHEELS)/.built: .venv/.ready $(RUST) $(PACKAGE) tools/pure_wheel.py tools/wheel_file.py tools/other_pythons.py
	rm -rf $(WHEELS)
	$(BIN)/maturin build --release --locked --quiet --out $(WHEELS)
	$(BIN)/python tools/other_pythons.py $(WHEELS) --build
	$(BIN)/python -m tools.pure_wheel $(WHEELS)
	@touch $@

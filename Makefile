# pyinit's commands; `make help` lists them. Needs Debian 12, python3 and make; as root it installs the rest itself.
SHELL = /bin/sh
.DEFAULT_GOAL = help
.DELETE_ON_ERROR:

PYTHON = .venv/bin/python
# Debian's own interpreter: the frozen file's bytecode must come from the same one.
BASE_PYTHON = /usr/bin/python3.11

# Debian packages, by who needs them.
BUILD_PACKAGES = python3.11 python3.11-venv python3-dev gcc libc6-dev libcap-dev
RUN_PACKAGES = util-linux
DEMO_PACKAGES = nginx procps
TEST_PACKAGES = util-linux uidmap procps strace gcc libc6-dev libsystemd-shared bash busybox-static mandoc \
	qemu-user-static bash-completion zsh less nano runit s6 sudo supervisor uwsgi-plugin-python3 vim-tiny
DEB_PACKAGES = dpkg-dev
DEB_TEST_PACKAGES = lintian
EXAMPLE_PACKAGES = docker-compose systemd-container util-linux
REAL_PACKAGES = debootstrap iproute2 qemu-system-x86
ENGINE_PACKAGES = runc crun podman docker.io systemd-container bubblewrap debootstrap tini dumb-init catatonit

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | expand -t 14

.PHONY: deps
deps: ## install the Debian packages that building, `make check` and most tests need
	@tools/need $(sort $(BUILD_PACKAGES) $(FREEZE_PACKAGES) $(RUN_PACKAGES) $(TEST_PACKAGES))

# --- Virtual environment ---------------------------------------------------------------------------

PINNED = --quiet --quiet --require-hashes --no-deps

# setuptools first: python-prctl has no wheel, and is built with the pinned one.
.venv/stamp: pyproject.toml requirements/build.txt requirements/dev.txt
	@tools/need $(BUILD_PACKAGES)
	@$(BASE_PYTHON) -m venv --clear .venv
	@$(PYTHON) -m pip install $(PINNED) --requirement requirements/build.txt
	@$(PYTHON) -m pip install $(PINNED) --no-build-isolation --use-pep517 --requirement requirements/dev.txt
	@$(PYTHON) -m pip install --quiet --quiet --no-deps --no-build-isolation --editable .
	@touch $@

COMPILE = CUSTOM_COMPILE_COMMAND='make pins' $(PYTHON) -m piptools compile --quiet --upgrade --generate-hashes \
	--allow-unsafe --strip-extras --no-emit-options

.PHONY: pins
pins: .venv/stamp ## pin the newest versions of the development tools in requirements/*.txt, with hashes
	@$(COMPILE) --all-build-deps --only-build-deps --output-file requirements/build.txt pyproject.toml
	@$(COMPILE) --all-extras --output-file requirements/dev.txt pyproject.toml
	@$(COMPILE) --output-file requirements/run.txt pyproject.toml

# --- Run -------------------------------------------------------------------------------------------

# An environment of its own, with the two packages that pyinit uses and nothing else.
RUN_PYTHON = .work/run/bin/python

.work/run/stamp: requirements/build.txt requirements/run.txt
	@mkdir -p .work
	@echo 'run: installing python-prctl and setproctitle in .work/run' >&2
	@{ $(BASE_PYTHON) -m venv --clear .work/run && \
		$(RUN_PYTHON) -m pip install $(PINNED) --requirement requirements/build.txt && \
		$(RUN_PYTHON) -m pip install $(PINNED) --no-build-isolation --use-pep517 --requirement requirements/run.txt; \
	} >.work/run.log 2>&1 || { \
		echo "run: could not install them: $$(grep -i -m 1 error: .work/run.log); see .work/run.log" >&2; exit 1; }
	@touch $@

# CMD: what to run under pyinit instead of nginx. ARGS: options for pyinit. PYINIT: which pyinit, e.g. dist/pyinit.
CMD =
ARGS =
PYINIT = $(RUN_PYTHON) -m pyinit

# Through the environment and not through a shell, so that quotes and $ arrive as they were typed.
unexport CMD ARGS PYINIT
run: export PYINIT_RUN_CMD = $(value CMD)
run: export PYINIT_RUN_ARGS = $(value ARGS)
run: export PYINIT_RUN_PYINIT = $(PYINIT)

.PHONY: run run-packages
run: run-packages .work/run/stamp ## nginx under pyinit as PID 1 of a namespace; CMD='...' runs that, ARGS='-v' are options
	@$(RUN_PYTHON) -m tools.run

run-packages:
	@tools/need $(RUN_PACKAGES) \
		$(if $(wildcard .work/run/stamp),,$(BUILD_PACKAGES)) $(if $(strip $(value CMD)),,$(DEMO_PACKAGES))

# --- Checks and tests ------------------------------------------------------------------------------

TYPED = $(wildcard pyinit tests tools examples build/freezing benchmarks)
# By find and not by git, because `make fresh` runs in a copy without .git.
C_FILES = $(shell find . -path './.?*' -prune -o -path ./dist -prune -o -name '*.[ch]' -print)

.PHONY: lint
lint: .venv/stamp ## ruff, mypy --strict, clang-format, codespell, and the schema of the forge's files
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m ruff format --check --quiet . || { echo 'lint: format with: make format' >&2; exit 1; }
	@.venv/bin/clang-format --dry-run --Werror $(C_FILES) || { echo 'lint: format with: make format' >&2; exit 1; }
	@.venv/bin/codespell
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/*.yml
	@$(PYTHON) -m mypy --strict $(TYPED)

.PHONY: format
format: .venv/stamp ## lay out the code as `make lint` wants it
	@$(PYTHON) -m ruff check --quiet --fix .
	@$(PYTHON) -m ruff format --quiet .
	@.venv/bin/clang-format -i $(C_FILES)

# What every run of pyinit needs: exit codes, signals, options, orphans, the grace period, a terminal.
SMOKE = $(patsubst %,tests/pid1/test_%.py,exit_codes forwarding options reaping grace terminal)

.PHONY: check
check: lint dist ## before a commit: style, types, unit tests, smoke tests of PID 1; under a minute, installs nothing
	@$(PYTHON) -m pytest -n 4 -q tests/unit $(SMOKE)

# WHOLE: --whole, to run every set of parameters whole.
WHOLE =

.PHONY: test
test: lint dist ## every check and every test, the widest sets of parameters in part; up to 8 minutes
	@tools/need $(TEST_PACKAGES) $(BENCH_PACKAGES) $(DEB_PACKAGES) $(DEB_TEST_PACKAGES) \
		$(EXAMPLE_PACKAGES) $(ENGINE_PACKAGES)
	@$(PYTHON) -m pytest -n 4 --dist loadgroup -q $(WHOLE)

# What is missing is a failure, and no reason to skip. One after the other: some of them count what goes on beside them.
.PHONY: test-all
test-all: export CI = true
test-all: ## everything: the tests with all parameters, then faults, real programs, storms, floods and the soak
	@$(MAKE) --no-print-directory test WHOLE=--whole
	@$(MAKE) --no-print-directory faults
	@$(MAKE) --no-print-directory real
	@$(MAKE) --no-print-directory storm
	@$(MAKE) --no-print-directory flood
	@$(MAKE) --no-print-directory soak

# REAL: what of it, in pytest's words, e.g. 'tests/real/test_node.py'. CI: what is missing is a failure, not a skip.
REAL = tests/real tests/kernels

.PHONY: real
real: dist .venv/stamp ## real servers, databases and shells stopped with work under way, and a machine's own kernel
	@tools/need $(TEST_PACKAGES) $(REAL_PACKAGES)
	@CI=true $(PYTHON) -m pytest -n 4 -q $(REAL)

# MINUTES: how long; SEED: the plan of an earlier run, which prints it; LIFE: only this one, as a failure names it;
# DOCUMENT: a file that gets the line of figures.
MINUTES = 1

.PHONY: soak
soak: dist .venv/stamp ## random lives under a model of what must be true; MINUTES=30, SEED=n repeats a plan
	@tools/need $(TEST_PACKAGES)
	@$(PYTHON) -m tests.long.soak --minutes '$(MINUTES)' $(if $(SEED),--seed '$(SEED)') $(if $(LIFE),--life '$(LIFE)') \
		$(if $(DOCUMENT),--document '$(DOCUMENT)')

# STORM: options, e.g. '--only frozen', '--document docs/reliability.md'.
STORM =

.PHONY: storm
storm: dist .venv/stamp ## 100,000 orphans and 1,000,000 signals, on pyinit and its peers
	@tools/need $(TEST_PACKAGES) $(BENCH_PACKAGES)
	@$(PYTHON) -m tests.long.storms $(STORM)

# FLOOD: options, e.g. '--only frozen', '--document docs/reliability.md'.
FLOOD =

.PHONY: flood
flood: dist .venv/stamp ## how long a stop takes while signals are sent without end, for pyinit and its peers
	@tools/need $(TEST_PACKAGES) $(BENCH_PACKAGES)
	@$(PYTHON) -m tests.long.floods $(FLOOD)

.PHONY: docker-test
docker-test: .venv/stamp ## Dockerfile.test: the file alone in a container, case by case, and the suite in a fresh Debian
	@tools/need debootstrap
	@PYTHONPATH=build $(PYTHON) -m tools.docker_test $(sort $(FREEZE_PACKAGES) $(BUILD_PACKAGES) $(TEST_PACKAGES))

# FRESH: make's words for each of the Debians, separated by commas.
FRESH = dist,run,run CMD=true,lint,wheel,deb,image,order,bench BENCH=--quick

.PHONY: fresh
fresh: .venv/stamp ## README's commands, each as the first one in a Debian of its own
	@tools/need debootstrap util-linux
	@PYTHONPATH=build $(PYTHON) -m tools.fresh '$(FRESH)'

# FAULTS: options, e.g. '--only frozen', or '--document docs/reliability.md', which puts the tables there.
FAULTS =

.PHONY: faults
faults: .venv/stamp dist ## every system call of pyinit and its peers fails once; FAULTS='--document docs/reliability.md'
	@tools/need $(TEST_PACKAGES) $(BENCH_PACKAGES)
	@$(PYTHON) -m tests.long.faults $(FAULTS)

# --- Freezing (dist, wheel, order) -----------------------------------------------------------------

FREEZER = .work/venv/bin/python
FREEZE_PACKAGES = python3.11 python3.11-venv libpython3.11 gcc libc6-dev libcap-dev musl-tools linux-libc-dev make \
	patch dpkg-dev git binutils

.work/venv/stamp: build/requirements.txt
	@tools/need $(FREEZE_PACKAGES)
	@$(BASE_PYTHON) -m venv --clear .work/venv
	@$(FREEZER) -m pip install $(PINNED) --requirement build/requirements.txt
	@touch $@

# All that is in the file, the commit's name too; and when dpkg last wrote what it is made with, musl's libc for one.
FROZEN = $(wildcard .git/HEAD .git/packed-refs) \
	$(subst :,\:,$(wildcard $(FREEZE_PACKAGES:%=/var/lib/dpkg/info/%*.list))) \
	$(shell find pyinit build .git/refs/heads -type f ! -name '*.pyc' 2>/dev/null)

# WITHOUT: optional parts to leave out (build/freezing/optional.py), e.g. 'specialize,heap_layout'.
WITHOUT =

.PHONY: dist
dist: dist/pyinit ## dist/pyinit, the one static file; WITHOUT='specialize,...' leaves out what only makes it quick
	@:

# The words that the last file was made with: it is made anew when they are others.
.work/without: always
	@mkdir -p .work
	@echo '$(WITHOUT)' | cmp -s - $@ || echo '$(WITHOUT)' > $@

.PHONY: always
always:

dist/pyinit: .work/venv/stamp .work/without $(FROZEN)
	@tools/need $(FREEZE_PACKAGES)
	@PYINIT_WITHOUT='$(WITHOUT)' $(FREEZER) -m PyInstaller --log-level WARN --noconfirm --distpath dist --workpath .work build/pyinit.spec

.PHONY: wheel
wheel: dist ## dist/pyinit-*.whl, which installs the static file as bin/pyinit
	@PYTHONPATH=build $(FREEZER) -m freezing.wheel . dist/pyinit dist

.PHONY: order
order: dist ## refresh build/profile/*.order, after which dist/pyinit lays out its code and its heap
	@PYINIT_WITHOUT='$(WITHOUT)' PYTHONPATH=build $(FREEZER) -m freezing.profiling.profile \
		.work/pyinit dist/pyinit build/profile
	@$(MAKE) --no-print-directory dist

# --- Packages ---------------------------------------------------------------------------------------

.PHONY: deb
deb: dist .venv/stamp ## a Debian package of dist/pyinit, with manual page and completions
	@tools/need $(DEB_PACKAGES)
	@$(PYTHON) -m tools.deb

.PHONY: image
image: dist .venv/stamp ## dist/pyinit-oci.tar, a container image of dist/pyinit alone
	@$(PYTHON) -m tools.image

.PHONY: release
release: dist wheel deb image ## all files of a release, and their checksums in dist/SHA256SUMS
	@cd dist && sha256sum pyinit pyinit-*.whl pyinit_*.deb pyinit-oci.tar >SHA256SUMS

# --- Benchmarks (bench) ----------------------------------------------------------------------------

BENCH_PACKAGES = tini dumb-init catatonit gcc libc6-dev musl-tools util-linux

# BENCH: options, e.g. '--rounds 100', '--quick'; `python -m benchmarks.compare --help` lists them.
BENCH =

.PHONY: bench
bench: .venv/stamp dist ## pyinit beside tini, dumb-init and catatonit; writes docs/benchmarks
	@tools/need $(BENCH_PACKAGES)
	@$(PYTHON) -m benchmarks.compare $(BENCH)

# ABLATION: options, e.g. '--rounds 200'; '--again' measures the files of the last time.
ABLATION =

.PHONY: ablation
ablation: .venv/stamp .work/venv/stamp ## what each optional part of the file saves; writes the table in docs/freezing.md
	@tools/need $(FREEZE_PACKAGES) $(BENCH_PACKAGES)
	@PYTHONPATH=build $(PYTHON) -m benchmarks.ablation --document docs/freezing.md $(ABLATION)

# --- Tidying up ------------------------------------------------------------------------------------

.PHONY: clean
clean: ## remove what make has made here (not the cache in ~/.cache/pyinit)
	rm -rf .venv .work dist pyinit.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

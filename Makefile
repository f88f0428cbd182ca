# The commands of the README, for people and for CI. Meson does the building; this file installs what
# Meson itself needs, so it assumes no more than a C toolchain, make and git on Debian 12.
export CC := clang-14
export QUIRE_SHARED ?= $(abspath ../shared)
PYTHON := /usr/bin/python3
BUILD := build
PREFIX ?= /usr/local

.PHONY: all install uninstall deb demo picture check soak bench bench-programs clean
.PHONY: packages packages-demo packages-check packages-bench packages-deb

all: packages $(BUILD)/build.ninja
	ninja -C $(BUILD)

packages:
	tools/install_packages.sh build run
packages-demo:
	tools/install_packages.sh build run demo
packages-check:
	tools/install_packages.sh build run demo check
packages-bench:
	tools/install_packages.sh build run demo check bench
packages-deb:
	tools/install_packages.sh build run demo deb

$(BUILD)/build.ninja: | packages
	meson setup $(BUILD)

# DESTDIR is put before all paths, for those who make packages. The helper's folder is compiled in, so
# the prefix is one of the build. ldconfig makes the linker see the shared library.
install: packages $(BUILD)/build.ninja
	meson configure $(BUILD) --prefix $(abspath $(PREFIX))
	ninja -C $(BUILD)
	DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild --quiet
	[ -n "$(DESTDIR)" ] || [ "$$(id -u)" -ne 0 ] || ldconfig

# Takes away what the last install from this build folder put where it did.
uninstall:
	ninja -C $(BUILD) uninstall

# Debian packages, in build-deb/.
deb: packages-deb
	tools/make_deb.sh build-deb

# Samples made by script, read with progress; results and a summary.
demo: packages-demo all
	tools/demo.sh $(BUILD)/quire demo

# The picture of the documents, which is committed: made anew when what is drawn or read changes.
picture: packages-demo all
	$(PYTHON) tools/draw_view.py $(BUILD)/quire docs/images/view.png

# All tests; the last line is "N passed, N failed".
check: packages-check $(BUILD)/build.ninja
	meson configure $(BUILD) -Dtests=enabled
	ninja -C $(BUILD)
	$(PYTHON) tools/run_tests.py $(BUILD)

# What takes longer: fuzzing, a long run watched for growth, everything against the reference.
soak: packages-bench bench-programs
	tools/soak.sh $(BUILD)

# How fast Quire reads, the reference beside it: tables, and $(BUILD)/speed/speed.json for bench/compare.
# Takes half an hour; nothing else should run.
bench: packages-bench bench-programs
	bench/speed --quire $(BUILD)/quire --json $(BUILD)/speed/speed.json

# Programs that run the reference beside Quire (see docs/benchmarking.md).
bench-programs: packages-bench $(BUILD)/build.ninja
	meson configure $(BUILD) -Dbench=enabled
	ninja -C $(BUILD)

clean:
	rm -rf $(BUILD) build-deb demo

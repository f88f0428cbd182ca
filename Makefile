# The two commands of the README, and what CI calls. Meson does the building.
.PHONY: all
all: build/build.ninja
	ninja -C build

build/build.ninja:
	CC=clang-14 meson setup build

#!/bin/bash
# What takes longer than a test may: each fuzz target for MINUTES with libFuzzer, 10,000 documents
# watched for growth, and everything that is read compared with the reference.
# usage: soak.sh BUILD-DIR; FUZZ_MINUTES (default 10) is for each target.
set -eu
cd "$(dirname "$0")/.."
build=$1
minutes=${FUZZ_MINUTES:-10}
fuzz=$build-fuzz

[ -e "$fuzz/build.ninja" ] || meson setup "$fuzz" -Dfuzzer=true -Dtests=enabled \
    -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
targets=$(cd fuzz && ls fuzz_*.c | sed 's/^fuzz_//; s/\.c$//')
for target in $targets; do
    ninja -C "$fuzz" "fuzz/fuzz_$target"
    # New finds go to the build folder; a crash leaves its input there and stops the soak.
    mkdir -p "$fuzz/corpus/$target"
    "$fuzz/fuzz/fuzz_$target" -max_total_time=$((60 * minutes)) -timeout=20 -rss_limit_mb=2048 \
        -artifact_prefix="$fuzz/crash-$target-" "$fuzz/corpus/$target" "fuzz/corpus/$target"
done

BREAK_STEP=$build/tests/cli/libbreak_step.so QUIRE=$build/quire QUIRE_TEST_STRIDE=3 \
    QUIRE_TEST_KILLS=500 pytest-3 -q -p no:cacheprovider -c tests/pytest.ini tests/serve/test_crashes.py
bench/service --quire "$build/quire"
bench/speed --only memory,memory-pdf
bench/line_parity
bench/languages
tools/check_languages.py
bench/accuracy

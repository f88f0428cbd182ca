#!/bin/sh
# Checks what a reader of the tree sees: C and C++ files are as clang-format-14 writes them, text
# files end with a newline and carry no trailing blanks, no file names the machine it was written
# on. Prints each offence; exit status 1 when there is one.
set -u
cd "$(dirname "$0")/.." || exit 2
status=0

git ls-files -z -- '*.c' '*.h' '*.cpp' | xargs -0 -r clang-format-14 --dry-run -Werror || status=1

text() {
    git ls-files -z -- . ':!fuzz/corpus' ':!tests/*/data' ':!LICENSE' ':!*.png' "$@"
}
text | xargs -0 -r grep -nIE '[[:blank:]]+$' && { echo "^ trailing blanks"; status=1; }
text | xargs -0 -r sh -c 'for f; do [ -z "$(tail -c 1 "$f" | tr -d "\n\000-\011")" ] ||
    { echo "$f: no newline at the end"; exit 1; }; done' sh || status=1
# The one file that names such paths is this one.
text ':!tools/check_format.sh' |
    xargs -0 -r grep -nIE '/work/|/root/|/home/[a-z]|/tmp/[a-z]' | grep -v 'XXXXXX' && { echo "^ path of a machine"; status=1; }
exit $status

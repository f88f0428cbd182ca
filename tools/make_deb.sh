#!/bin/sh
# Builds the Debian packages in FOLDER, from a copy of the tree's files as they are, and checks them
# with lintian. usage: make_deb.sh FOLDER
set -eu
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."

rm -rf "$folder/source"
rm -f "$folder"/*.deb "$folder"/*.changes "$folder"/*.buildinfo
mkdir "$folder/source"
git ls-files -z --cached --others --exclude-standard |
    xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' sh |
    tar --create --null --files-from - | tar --extract --directory "$folder/source"
(cd "$folder/source" && dpkg-buildpackage -b -us -uc)
# A root user's lintian would warn about being one.
lintian --allow-root --fail-on error,warning "$folder"/*.changes
ls "$folder"/*.deb

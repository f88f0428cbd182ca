#!/bin/sh
# Installs schemathesis and what it needs from PyPI, as tools/schemathesis.txt pins them, into a
# virtual environment of its own: install_schemathesis.sh FOLDER. Nothing is done where it is there
# already. Needs python3-venv.
set -eu
list=$(dirname "$0")/schemathesis.txt
folder=$1

cmp -s "$list" "$folder/installed.txt" && exit 0
rm -rf "$folder"
/usr/bin/python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --no-input --disable-pip-version-check --retries 1 --requirement "$list"
cp "$list" "$folder/installed.txt"

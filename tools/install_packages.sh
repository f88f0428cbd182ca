#!/bin/sh
# Installs the Debian packages that tools/packages.txt lists for the groups named as arguments, and
# of these only the missing ones. Works as root or through sudo; says what to do where neither is
# possible. Package lists are fetched only when apt cannot install from those it has.
set -eu
list=$(dirname "$0")/packages.txt

wanted=$(for group in "$@"; do sed -n "s/^$group \+//p" "$list"; done | tr '\n' ' ')
missing=
for package in $wanted; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Installing Debian packages:$missing"
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root=sudo
else
    echo "error: these packages are missing, and there is neither root nor sudo to install them." >&2
    echo "As root, run: apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Use-Pty=0 "$@"
}
# shellcheck disable=SC2086 # the list is split on purpose
apt install -y --no-install-recommends $missing >/dev/null 2>&1 || {
    apt update
    apt install -y --no-install-recommends $missing >/dev/null
}

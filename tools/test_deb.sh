#!/bin/sh
# Installs the Debian packages of FOLDER (see make_deb.sh) with apt into a clean Debian made by
# debootstrap, and reads a sample image there, with the command and with a program that links the
# library. The mirror is that of this machine's apt. Needs root; says so and counts as
# passed where debootstrap cannot run. usage: test_deb.sh FOLDER
set -eu
packages=$(cd "$1" && pwd)
tools=$(cd "$(dirname "$0")" && pwd)

skip() {
    echo "skipped: $1"
    exit 0
}
[ "$(id -u)" -eq 0 ] || skip "debootstrap needs root"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"
unshare --mount --pid --fork chroot / true 2>/dev/null || skip "namespaces or chroot are not allowed here"
# shellcheck disable=SC1091 # of the machine
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
# "URI|RELEASE|COMPONENT" of each source of Debian's own packages.
# shellcheck disable=SC2016 # apt expands the names
sources=$(apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' \
    'Created-By: Packages' | sed -n 's/^Debian|//p' | sort -u)
mirror=$(echo "$sources" | sed -n "s/^\([^|]*\)|$codename|main$/\1/p" | head -n 1)
[ -n "$mirror" ] || skip "apt has no source of $codename's packages"

root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root"' EXIT
echo "debootstrap $codename"
unshare --mount debootstrap --variant=minbase "$codename" "$root" "$mirror" >"$packages/debootstrap.log" 2>&1 || {
    tail -n 20 "$packages/debootstrap.log"
    exit 1
}
echo "$sources" | sed 's/^\([^|]*\)|\([^|]*\)|\(.*\)$/deb \1 \2 \3/' >"$root/etc/apt/sources.list"
apt-config dump | grep -iE '^Acquire::(https?|ftp)::' >"$root/etc/apt/apt.conf.d/99machine" || true
[ ! -e /etc/resolv.conf ] || cp /etc/resolv.conf "$root/etc/resolv.conf"

mkdir "$root/deb"
cp "$packages"/*.deb "$root/deb"
rm -f "$root"/deb/*-dbgsym_*.deb
/usr/bin/python3 "$tools/make_samples.py" "$root/samples" >/dev/null

# in_root COMMAND: in the clean Debian, with its own mounts; what it prints is shown when it fails.
in_root() {
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount --pid --fork sh -c 'mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev" &&
        exec chroot "$1" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 sh -euc "$2"' sh "$root" "$1" \
        >"$packages/test.log" 2>&1 || {
        tail -n 40 "$packages/test.log"
        echo "the packages do not work in a clean $codename"
        exit 1
    }
}
install='apt-get -qq -o Dpkg::Use-Pty=0 -o APT::Sandbox::User=root install -y --no-install-recommends'
in_root "apt-get -qq update; $install /deb/quire_*.deb tesseract-ocr-eng
    quire doctor
    quire run /samples/receipt.jpg | grep . >/deb/command.txt"
in_root "$install /deb/*.deb"

# Built with this machine's compiler, against what was installed there.
flags=$(PKG_CONFIG_PATH=$root/usr/lib/$(uname -m)-linux-gnu/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root \
    pkg-config --cflags --libs quire)
# shellcheck disable=SC2016,SC2086 # the marks of the code, and words
sed -n '/^```c$/,/^```$/{/^```/!p}' "$tools/../docs/api.md" |
    ${CC:-clang-14} -x c - -o "$root/deb/example" $flags
in_root '/deb/example /samples/receipt.jpg >/deb/example.txt
    tail -n +2 /deb/example.txt | cmp - /deb/command.txt
    apt-get -qq -o Dpkg::Use-Pty=0 purge -y quire libquire0 libquire-dev
    [ ! -e /usr/bin/quire ] && [ ! -e /usr/libexec/quire ]'
cat "$root/deb/command.txt"
echo "the packages work in a clean $codename"

"""`quire models list` and `quire doctor`; what `make install` puts where, and that it works there."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESSDATA = pathlib.Path("/usr/share/tesseract-ocr/5/tessdata")


def test_models_are_listed(run):
    models = {m["language"]: m for m in json.loads(run("models", "list", "--json").stdout)}
    english = models["eng"]
    data = (TESSDATA / "eng.traineddata").read_bytes()
    assert english["sha256"] == hashlib.sha256(data).hexdigest()
    assert english["n_bytes"] == len(data) and english["integer"] is True
    assert english["network"].startswith("[1,36,0,1") and english["error"] is None
    assert list(models) == sorted(models)
    text = run("models", "list")
    assert text.returncode == 0 and english["sha256"].encode() in text.stdout


def test_models_that_cannot_be_used_are_listed(run, tmp_path):
    (tmp_path / "script").mkdir()
    shutil.copy(TESSDATA / "eng.traineddata", tmp_path / "script/Latin.traineddata")
    (tmp_path / "bad.traineddata").write_bytes(b"\x01\x00\x00\x00")
    done = run("models", "list", "--json", env={"TESSDATA_PREFIX": str(tmp_path)})
    models = {m["language"]: m for m in json.loads(done.stdout)}
    assert list(models) == ["bad", "script/Latin"]
    assert models["bad"]["error"]["code"] == "model-corrupt" and models["bad"]["sha256"] is None


def test_no_models(run, tmp_path):
    done = run("models", "list", env={"TESSDATA_PREFIX": str(tmp_path)})
    assert done.returncode == 3 and b"apt-get install tesseract-ocr-eng" in done.stderr
    assert run("models").returncode == 1


def test_doctor_finds_all_well(run):
    done = run("doctor")
    assert done.returncode == 0 and done.stderr == b""
    lines = [line.split(None, 2) for line in done.stdout.decode().splitlines()]
    found = {line[1]: line[0] for line in lines}
    for part in ("quire", "processor", "cores", "memory", "helper", "seccomp", "reading"):
        assert found[part] in ("ok", "note"), done.stdout
    assert not [line for line in lines if line[0] == "MISSING"]


def test_doctor_tells_why_pdf_cannot_be_read(run, quire, tmp_path):
    helper = quire.parent / "quire-decode"
    (tmp_path / "quire-decode").symlink_to(helper)  # and no quire-decode-pdf beside it
    done = run("doctor", env={"QUIRE_DECODE": str(tmp_path / "quire-decode")})
    assert done.returncode == 0
    row = next(line for line in done.stdout.decode().splitlines() if " PDF " in line)
    assert row.startswith("note") and "quire-decode-pdf: it cannot be started" in row
    assert "ok       PDF        quire-decode-pdf starts" in run("doctor").stdout.decode()


def test_doctor_names_what_is_missing_and_its_cure(run, tmp_path):
    done = run("doctor", env={"TESSDATA_PREFIX": str(tmp_path)})
    assert done.returncode == 3
    assert b"MISSING  model      eng; install it with: sudo apt-get install tesseract-ocr-eng" in \
        done.stdout
    done = run("doctor", env={"QUIRE_DECODE": str(tmp_path / "none")})
    assert done.returncode == 3 and b"MISSING  helper" in done.stdout


class Installation:
    """What `make install` puts below DESTDIR; prefix is where it is meant to lie, place where it
    does."""

    def __init__(self, build, destination):
        options = subprocess.run(["meson", "introspect", "--buildoptions", build], check=True,
                                 capture_output=True).stdout
        values = {option["name"]: option["value"] for option in json.loads(options)}
        self.prefix = values["prefix"]
        self.destination = destination
        self.place = destination / self.prefix.lstrip("/")
        self.libraries = self.place / values["libdir"]
        self.variables = [f"BUILD={build}", f"PREFIX={self.prefix}", f"DESTDIR={destination}"]

    def make(self, target):
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        done = subprocess.run(["make", "-s", "-C", ROOT, target, *self.variables], env=env,
                              capture_output=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(quire, tmp_path_factory):
    installation = Installation(quire.parent.resolve(), tmp_path_factory.mktemp("destination"))
    installation.make("install")
    return installation


def test_everything_is_installed(installed, files_below):
    library = installed.libraries.relative_to(installed.place)
    zsh = "vendor-completions" if installed.prefix == "/usr" else "site-functions"
    wanted = {"bin/quire", "libexec/quire/quire-decode",
              "libexec/quire/quire-decode-pdf", "libexec/quire/quire-service", "include/quire/quire.h",
              f"{library}/libquire.a", f"{library}/libquire.so", f"{library}/libquire.so.0",
              f"{library}/pkgconfig/quire.pc", "share/man/man1/quire.1",
              "share/bash-completion/completions/quire", f"share/zsh/{zsh}/_quire",
              "share/fish/vendor_completions.d/quire.fish", "share/doc/quire/LICENSE",
              "share/doc/quire/README.md", "share/doc/quire/docs/api.md"}
    files = set(files_below(installed.place))
    assert wanted <= files
    assert all(f in wanted or f.startswith("share/doc/quire/docs/") for f in files)


def test_installed_program_reads_in_its_prefix(installed, inbox):
    """In a mount namespace of its own, where the prefix is what was installed."""
    line = 'mount --bind "$1" "$2" && exec "$2/bin/quire" run -f txt "$3"'
    where = [installed.place, installed.prefix, inbox / "one.png"]
    enter = ["unshare", "--mount", "--map-root-user"]
    if subprocess.run([*enter, "mount", "--bind", *where[:2]], capture_output=True,
                      check=False).returncode:
        pytest.skip(f"{installed.prefix} cannot be mounted over here")
    env = {k: v for k, v in os.environ.items() if not k.startswith("QUIRE_")}
    done = subprocess.run([*enter, "sh", "-c", line, "sh", *where], env=env, capture_output=True,
                          timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"The first page is short.\n"


@pytest.mark.parametrize("static", [[], ["--static"]], ids=["shared", "static"])
def test_example_builds_against_what_is_installed(installed, inbox, tmp_path, static):
    source = tmp_path / "example.c"
    text = (ROOT / "docs" / "api.md").read_text()
    source.write_text(re.search(r"^```c\n(.*?)^```$", text, re.M | re.S)[1])
    env = {**os.environ, "PKG_CONFIG_PATH": str(installed.libraries / "pkgconfig"),
           "PKG_CONFIG_SYSROOT_DIR": str(installed.destination)}
    flags = subprocess.run(["pkg-config", *static, "--cflags", "--libs", "quire"], env=env,
                           capture_output=True, check=True).stdout.decode().split()
    assert ("-lnettle" in flags) == bool(static)
    subprocess.run(["clang-14", *(["-static"] if static else []), source, "-o", tmp_path / "example",
                    *flags], check=True, timeout=120)
    env["LD_LIBRARY_PATH"] = str(installed.libraries)
    env["QUIRE_DECODE"] = str(installed.place / "libexec/quire/quire-decode")
    done = subprocess.run([tmp_path / "example", inbox / "one.png"], env=env, capture_output=True,
                          timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == f"# {inbox}/one.png, page 1\nThe first page is short.\n"


def test_uninstalling_leaves_no_file(installed, files_below):
    installed.make("install")
    installed.make("uninstall")
    assert files_below(installed.destination) == []
    installed.make("install")

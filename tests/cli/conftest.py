"""Fixtures of the command's tests: small pages drawn on the spot, and a way to run the command."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def draw_page(*lines):
    """A grey page of 900 px with lines of text, 60 px apart, between margins of 90 px."""
    page = Image.new("L", (900, 60 * len(lines) + 180), 255)
    draw = ImageDraw.Draw(page)
    face = ImageFont.truetype(FONT, 36)
    for i, line in enumerate(lines):
        draw.text((90, 90 + 60 * i), line, font=face, fill=0)
    return page


@pytest.fixture(scope="session")
def inbox(tmp_path_factory):
    """A folder of good documents: one.png, two.jpg, sub/three.png, and many.tif of three pages."""
    folder = tmp_path_factory.mktemp("good") / "inbox"
    (folder / "sub").mkdir(parents=True)
    draw_page("The first page is short.").save(folder / "one.png")
    draw_page("Another page follows here,", "with a second line.").save(folder / "two.jpg")
    draw_page("Below lies the third page.").save(folder / "sub" / "three.png")
    pages = [draw_page(f"This is sheet {name} of many.") for name in ("one", "two", "three")]
    pages[0].save(folder / "many.tif", save_all=True, append_images=pages[1:])
    return folder


@pytest.fixture
def run(quire, tmp_path):
    """Runs quire with arguments in tmp_path; a CompletedProcess of bytes. Variables named QUIRE_… of
    the caller's environment do not reach it, but for the helper's place."""

    def call(*args, env=None, **options):
        clean = {k: v for k, v in os.environ.items()
                 if not k.startswith("QUIRE_") or k == "QUIRE_DECODE"}
        clean.update(env or {})
        return subprocess.run([quire, *args], env=clean, cwd=options.pop("cwd", tmp_path),
                              stdin=options.pop("stdin", None if "input" in options
                                                else subprocess.DEVNULL),
                              capture_output=options.pop("capture_output", True),
                              timeout=options.pop("timeout", 120), check=False, **options)

    return call


def files_below(folder):
    """Paths of all files below a folder but a run's journal, relative to it, sorted."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*")
                  if p.is_file() and p.name != ".quire-journal")


@pytest.fixture(name="files_below")
def files_below_fixture():
    return files_below


@pytest.fixture(name="draw_page")
def draw_page_fixture():
    return draw_page


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def as_nobody(quire):
    """Runs quire as a user without rights (root's rights know no limits), from copies that this user
    can reach."""
    nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    folder = pathlib.Path(tempfile.mkdtemp(prefix="quire-test-", dir="/tmp"))
    folder.chmod(0o777)
    helper = pathlib.Path(os.environ.get("QUIRE_DECODE", quire.parent / "quire-decode"))
    shutil.copy(quire, folder / "quire")
    shutil.copy(helper, folder / "quire-decode")

    def call(*args):
        return subprocess.run([folder / "quire", *args], cwd=folder, env={"PATH": "/usr/bin:/bin"},
                              capture_output=True, timeout=60, check=False, **nobody)

    yield folder, call
    shutil.rmtree(folder)

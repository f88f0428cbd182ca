"""Fixtures of the command's tests: small pages drawn on the spot, and a way to run the command."""

import os
import subprocess

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
    """Paths of all files below a folder, relative to it, sorted."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.fixture(name="files_below")
def files_below_fixture():
    return files_below


@pytest.fixture(name="draw_page")
def draw_page_fixture():
    return draw_page

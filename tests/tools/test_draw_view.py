"""The picture of the documents can be made, and is as small as a repository likes it."""

import subprocess
import sys

from PIL import Image

from conftest import ROOT


def test_picture_can_be_made_and_is_small(quire, tmp_path):
    subprocess.run([sys.executable, ROOT / "tools" / "draw_view.py", quire, tmp_path / "view.png"], check=True)
    committed = ROOT / "docs" / "images" / "view.png"
    for file in (tmp_path / "view.png", committed):
        assert file.stat().st_size < 150_000
    assert Image.open(tmp_path / "view.png").size == Image.open(committed).size

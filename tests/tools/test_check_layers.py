"""The layer check finds what it is there to find."""

import subprocess
import sys

from conftest import ROOT

CHECK = ROOT / "tools" / "check_layers.py"


def offences(tree, files):
    for name, text in files.items():
        path = tree / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = subprocess.run([sys.executable, CHECK, tree], capture_output=True, text=True, check=False)
    assert done.returncode == (1 if done.stdout else 0), done.stderr
    return done.stdout


def test_the_tree_keeps_its_layers():
    done = subprocess.run([sys.executable, CHECK, ROOT], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_allowed_includes_pass(tmp_path):
    assert offences(tmp_path, {"base/a.h": "", "flow/a.c": '#include "base/a.h"\n#include <stdio.h>\n',
                               "decode/helper/a.c": "#include <jpeglib.h>\n"}) == ""


def test_room_above_is_refused(tmp_path):
    found = offences(tmp_path, {"ocr/a.h": "", "flow/a.c": '#include "ocr/a.h"\n'})
    assert "flow may not include ocr" in found


def test_codec_outside_the_helper_is_refused(tmp_path):
    assert "codec header tiffio.h" in offences(tmp_path, {"decode/a.c": "#include <tiffio.h>\n"})


def test_unknown_room_is_refused(tmp_path):
    assert "not in the list" in offences(tmp_path, {"extra/a.c": ""})

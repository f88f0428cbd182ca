"""tools/float_model.py: a float model made of an int8 one reads the same text."""

import pathlib
import subprocess
import sys

import pytest

INSTALLED = pathlib.Path("/usr/share/tesseract-ocr/5/tessdata")
TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "float_model.py"


def convert(source, target):
    return subprocess.run([sys.executable, TOOL, source, target], capture_output=True, text=True,
                          check=False)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("float")
    done = convert(INSTALLED / "eng.traineddata", folder / "eng.traineddata")
    assert done.returncode == 0, done.stderr
    return {"TESSDATA_PREFIX": str(folder)}


def test_is_listed_as_float(run, models):
    assert b"float" in run("models", "list", env=models).stdout


def test_reads_the_same(run, inbox, models):
    documents = [inbox / "two.jpg", inbox / "many.tif"]
    assert run("run", *documents, env=models).stdout == run("run", *documents).stdout


def test_refuses_what_is_no_int8_model(tmp_path, models):
    made = pathlib.Path(models["TESSDATA_PREFIX"]) / "eng.traineddata"
    done = convert(made, tmp_path / "again")
    assert done.returncode != 0 and "not int8" in done.stderr
    assert not (tmp_path / "again").exists()

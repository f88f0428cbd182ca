"""The formats of one run say the same: the same text by the same scores, valid hOCR and ALTO."""

import json
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "output"))
import check_hocr  # noqa: E402 (a file of that folder)

ENDINGS = ["txt", "json", "hocr", "alto.xml"]


@pytest.fixture(scope="module")
def results(quire, samples, tmp_path_factory):
    """A folder with the results of the samples in all formats."""
    out = tmp_path_factory.mktemp("results")
    names = ("two-columns", "receipt", "skewed-scan", "several-pages")
    subprocess.run([quire, "run", "-o", out, "-f", "txt,json,hocr,alto,md", "--progress", "none",
                    *(next(samples.glob(f"{name}.[!g]*")) for name in names)], check=True, timeout=300)
    return out


def test_scores_agree(quire, samples, results, tmp_path):
    scores = {}
    for ending in ENDINGS:
        (tmp_path / ending).mkdir()
        for path in results.glob(f"*.{ending}"):
            shutil.copy(path, tmp_path / ending)
        done = subprocess.run([quire, "eval", "--json", samples, tmp_path / ending], check=True,
                              capture_output=True, text=True)
        scores[ending] = [{k: v for k, v in d.items() if k != "words_by_box"}
                          for d in json.loads(done.stdout)["documents"]]
    assert len(scores["txt"]) == 4
    for ending in ENDINGS[1:]:
        assert scores[ending] == scores["txt"]


def test_places_agree(quire, results, tmp_path):
    """Places of JSON as truth, those of the others as results."""
    for ending in ENDINGS[1:]:
        (tmp_path / ending).mkdir()
        for path in results.glob(f"*.{ending}"):
            shutil.copy(path, tmp_path / ending)
    for ending in ENDINGS[2:]:
        done = subprocess.run([quire, "eval", "--json", tmp_path / "json", tmp_path / ending],
                              check=True, capture_output=True, text=True)
        overall = json.loads(done.stdout)["overall"]
        assert overall["cer"] == 0
        found = overall["words_by_box"]
        # A word may lie in the box of a neighbour as well as in its own.
        assert found["truth"] == found["result"] and found["matched"] > 0.99 * found["truth"]


def test_hocr_is_valid(results):
    files = sorted(results.glob("*.hocr"))
    assert len(files) == 4
    for path in files:
        assert list(check_hocr.check(path.read_bytes())) == []


def test_alto_is_valid(results, shared):
    schema = shared / "schemas" / "alto-4-4.xsd"
    if not schema.exists():
        pytest.skip(f"no schema at {schema}")
    files = sorted(results.glob("*.alto.xml"))
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", schema, *files],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_markdown_has_the_heading(results):
    text = next(results.glob("two-columns.*.md")).read_text()
    assert text.startswith("# Notes on the Keeping of Records\n\n")

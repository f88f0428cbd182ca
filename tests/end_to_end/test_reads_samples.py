"""What is read is what was written: error rates on documents made by script, each with a bound that
is several times what a good reading has, so that it fails when something breaks."""

import json
import subprocess

import pytest

BOUNDS = {"two-columns": 0.02, "receipt": 0.05, "skewed-scan": 0.03, "several-pages": 0.02}


@pytest.fixture(scope="module")
def scores(quire, samples, tmp_path_factory):
    """What `quire eval` says of each sample."""
    out = tmp_path_factory.mktemp("results")
    run = [quire, "run", "-o", out, "--progress", "none"]
    subprocess.run([*run, *(next(samples.glob(f"{name}.[!g]*")) for name in BOUNDS)], check=True,
                   timeout=300)
    if "deu" in subprocess.run([quire, "models", "list"], capture_output=True, text=True,
                               check=True).stdout:
        subprocess.run([*run, "-l", "deu", samples / "german.png"], check=True, timeout=300)
    done = subprocess.run([quire, "eval", "--json", samples, out], check=True, capture_output=True,
                          text=True)
    return {d["name"]: d for d in json.loads(done.stdout)["documents"]}


@pytest.mark.parametrize("name", BOUNDS)
def test_sample_is_read(scores, name):
    assert scores[name]["cer"] <= BOUNDS[name]


def test_german_is_read_with_its_model(scores):
    if "german" not in scores:
        pytest.skip("the package tesseract-ocr-deu is not installed")
    assert scores["german"]["cer"] <= 0.02


def test_pages_of_a_document_are_separated_by_form_feeds(quire, samples, tmp_path):
    done = subprocess.run([quire, "run", samples / "several-pages.tif"], check=True,
                          capture_output=True, timeout=300)
    assert done.stdout.count(b"\f") == 2

"""Sample documents: the same seed gives the same bytes, and the truth lies beside each document."""

import hashlib
import subprocess
import sys

from conftest import ROOT


def make(folder, *args):
    subprocess.run([sys.executable, ROOT / "tools" / "make_samples.py", folder, *args], check=True)
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_same_seed_gives_same_bytes(tmp_path):
    first = make(tmp_path / "a", "--set", "receipts", "--count", "2", "--seed", "7")
    assert first == make(tmp_path / "b", "--set", "receipts", "--count", "2", "--seed", "7")
    assert first != make(tmp_path / "c", "--set", "receipts", "--count", "2", "--seed", "8")


def test_demo_has_five_documents_with_truth(tmp_path):
    names = set(make(tmp_path / "demo"))
    documents = {"two-columns.jpg", "receipt.jpg", "skewed-scan.jpg", "several-pages.tif", "german.png"}
    assert names == documents | {name.rsplit(".", 1)[0] + ".gt.txt" for name in documents}
    pages = (tmp_path / "demo" / "several-pages.gt.txt").read_text(encoding="utf-8").split("\f")
    assert len(pages) == 3


def test_dense_pages_are_as_dense_as_the_benchmark_says(tmp_path):
    make(tmp_path, "--set", "dense", "--count", "1")
    make(tmp_path, "--set", "varied", "--count", "4")
    truths = [p.read_text(encoding="utf-8") for p in tmp_path.glob("*.gt.txt")]
    assert len(truths) == 5
    for text in truths:
        assert 50 <= text.count("\n") <= 60
        assert 4500 <= len(text) <= 5500


def test_mixed_pages_hold_both_languages(tmp_path):
    make(tmp_path, "--set", "mixed", "--count", "3")
    for truth in tmp_path.glob("*.gt.txt"):
        words = truth.read_text(encoding="utf-8").split()
        assert words.count("the") > 3 and words.count("die") > 1

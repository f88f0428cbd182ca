"""Documents made by script, once for all tests of this folder."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def make_samples(folder, *args):
    """Runs tools/make_samples.py."""
    subprocess.run([sys.executable, ROOT / "tools" / "make_samples.py", folder, *args], check=True)


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    """The documents of the demonstration, with truth."""
    folder = tmp_path_factory.mktemp("samples")
    make_samples(folder)
    return folder


@pytest.fixture(scope="session")
def documents(samples, tmp_path_factory):
    """Documents of several kinds and sizes, without the truth beside them."""
    folder = tmp_path_factory.mktemp("documents")
    make_samples(folder / "more", "--set", "receipts", "--count", "6")
    for source in [*(folder / "more").glob("*.jpg"), samples / "skewed-scan.jpg",
                   samples / "several-pages.tif", samples / "receipt.jpg"]:
        (folder / source.name).write_bytes(source.read_bytes())
    return sorted(p for p in folder.iterdir() if p.is_file())

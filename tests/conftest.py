"""Fixtures of the command-line tests: where the programs and the documents with truth are."""

import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def quire():
    """Path of the command under test: QUIRE, or the one of the normal build."""
    return pathlib.Path(os.environ.get("QUIRE", ROOT / "build" / "quire"))


@pytest.fixture(scope="session")
def shared():
    """Folder of documents with ground truth; tests that need it are skipped where it is absent."""
    path = pathlib.Path(os.environ.get("QUIRE_SHARED", ROOT.parent / "shared"))
    if not (path / "data").is_dir():
        pytest.skip(f"no documents with truth at {path} (set QUIRE_SHARED)")
    return path

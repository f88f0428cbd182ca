"""Real and hostile PDFs of the documents with truth: scanned pages come out as if they were drawn,
and nothing that a file holds ends the helper or lets it run on."""
import collections
import os
import re
import subprocess

import numpy as np
import pytest
from PIL import Image

from pdf_files import pdf_of_pages

SANITIZED = os.environ.get("SANITIZED") == "1"

TIMEOUT_MS = 60000
MAX_DIFFERENCE = 2.0  # levels, in the mean, of pages a quarter as wide: edges may fall elsewhere
SAME_WORDS = 0.95     # F1 of the words read: interpolation changes a letter here and there

SCANS = ("OCRmyPDF__epson", "kreuzberg__ocr_test_rotated_180", "OCRmyPDF__poster",
         "sample-files__imagemagick-images", "OCRmyPDF__hugemono", "OCRmyPDF__graph_ocred")


def drawn_copy(path, tmp_path):
    """The document with a white speck on each page, which makes it more than one image."""
    speck, copy = tmp_path / "speck.pdf", tmp_path / "drawn.pdf"
    speck.write_bytes(pdf_of_pages([b"1 g 0 0 .001 .001 re f"]))
    subprocess.run(["qpdf", path, "--overlay", speck, "--repeat=1", "--", copy], check=True)
    return copy


def reduced(page, width, height):
    image = Image.fromarray(page.pixels)
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), int)


def words(quire, path):
    done = subprocess.run([quire, "run", "-q", "--pages", "1", path], stdout=subprocess.PIPE,
                          check=True, timeout=180)
    return collections.Counter(re.findall(r"\w+", done.stdout.decode()))


@pytest.mark.parametrize("name", SCANS)
def test_scans_are_what_a_viewer_shows(shared, quire, tmp_path, decode_one, name):
    path = shared / "data" / "pdf_good" / f"{name}.pdf"
    copy = drawn_copy(path, tmp_path)
    direct, drawn = decode_one(path), decode_one(copy)
    assert not direct.errors and len(direct.pages) == len(drawn.pages)
    for a, b in zip(direct.pages, drawn.pages):
        size = max(1, a.width // 4), max(1, a.height // 4)
        assert np.abs(reduced(a, *size) - reduced(b, *size)).mean() <= MAX_DIFFERENCE
    ours, theirs = words(quire, path), words(quire, copy)
    common, all_ = (ours & theirs).total(), ours.total() + theirs.total()
    assert not all_ or 2 * common / all_ >= SAME_WORDS


def test_hostile_files_end(shared, decode_files):
    files = sorted((shared / "data" / "pdf_hostile").glob("*.pdf"))
    assert files
    got = decode_files(*files, options=("--timeout-ms", TIMEOUT_MS))
    assert len(got) == len(files)
    for path, document in zip(files, got):
        assert document.pages or document.errors, path
        for code, text in document.errors:
            # A sanitizer makes drawing some ten times slower.
            clear = ("corrupt", "encrypted", "too-large", "unsupported-type")
            assert code in clear or (SANITIZED and code == "timeout"), (path, text)
            assert ";" in text, path  # a remedy

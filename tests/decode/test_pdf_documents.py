"""Real and hostile PDFs of the documents with truth: scanned pages come out as if they were drawn,
and nothing that a file holds ends the helper or lets it run on."""
import collections
import json
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
         "sample-files__imagemagick-images", "OCRmyPDF__hugemono", "OCRmyPDF__graph_ocred",
         "OCRmyPDF__enormous", "sample-files__grayscale-image")

# What a page says where drawing it does not read right: its large letters come out another size.
SAYS = {"OCRmyPDF__enormous": "9000x9000 pixels at 300 DPI 81 megapixels"}


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
    done = subprocess.run([quire, "run", "-q", "--memory", "1g", "--pages", "1", path],
                          stdout=subprocess.PIPE, check=True, timeout=180)
    return collections.Counter(re.findall(r"\w+", done.stdout.decode()))


def listed(shared):
    """What the manifest says of the good documents: name to a dictionary."""
    rows = (shared / "data" / "pdf_good" / "MANIFEST.tsv").read_text("utf-8").splitlines()[1:]
    found = {}
    for row in rows:
        name, kind, expected = row.split("\t")[:3]
        found[name] = dict(part.split("=", 1) for part in expected.split(";") if "=" in part)
        found[name]["kind"] = kind
    return found


def only_layer(quire, path, password=""):
    done = subprocess.run([quire, "run", "-q", "-f", "json", "--text-layer", "only", path],
                          env=dict(os.environ, QUIRE_PASSWORD=password), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120, check=False)
    return done.returncode, json.loads(done.stdout), done.stderr.decode()


def differences(document, is_as):
    """What of a result is not as the manifest says: sizes are those of the first page, unturned."""
    if "pages" in is_as and document["n_pages"] != int(is_as["pages"]):
        yield f"{document['n_pages']} pages"
    if document["n_failed_pages"]:
        yield "pages failed"
    if "size" not in is_as:
        return
    size_pt = [float(v) for v in re.findall(r"[\d.]+", is_as["size"])[:2]]
    if int(is_as["rot"]) % 180:
        size_pt.reverse()
    page = document["pages"][0]
    size_px = page["width_px"], page["height_px"]
    scale = page["dpi"] / 72 or max(size_px) / max(size_pt)  # 0: so little that it tells nothing
    if any(abs(px - pt * scale) > 1 + pt * scale / 1000 for px, pt in zip(size_px, size_pt)):
        yield f"size {size_px} at {page['dpi']} dpi"


def test_documents_are_as_listed(shared, quire):
    wrong = []
    for name, is_as in listed(shared).items():
        status, document, message = only_layer(quire, shared / "data" / "pdf_good" / name,
                                               is_as.get("password", ""))
        wrong += [(name, what) for what in differences(document, is_as)]
        if status or message:
            wrong.append((name, message))
    assert not wrong


def test_encrypted_documents_ask_for_their_password(shared, quire):
    locked = {n: d for n, d in listed(shared).items() if d["kind"] == "encrypted-needs-password"}
    # Two documents in one file, of which the first is not encrypted.
    del locked["pdf.js__issue15893_reduced.pdf"]
    assert locked
    for name in locked:
        path = shared / "data" / "pdf_good" / name
        for password, text in (("", "give its password"), ("wrong", "does not open it")):
            status, _, message = only_layer(quire, path, password)
            assert status == 8 and f"{name}: it is encrypted" in message and text in message


@pytest.mark.parametrize("name", SCANS)
def test_scans_are_what_a_viewer_shows(shared, quire, tmp_path, decode_one, name):
    path = shared / "data" / "pdf_good" / f"{name}.pdf"
    copy = drawn_copy(path, tmp_path)
    direct, drawn = decode_one(path), decode_one(copy)
    assert not direct.errors and len(direct.pages) == len(drawn.pages)
    for a, b in zip(direct.pages, drawn.pages):
        size = max(1, a.width // 4), max(1, a.height // 4)
        assert np.abs(reduced(a, *size) - reduced(b, *size)).mean() <= MAX_DIFFERENCE
    ours = words(quire, path)
    theirs = collections.Counter(SAYS[name].split()) if name in SAYS else words(quire, copy)
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
            clear = ("corrupt", "encrypted", "too-large", "unsupported-type", "no-memory")
            assert code in clear or (SANITIZED and code == "timeout"), (path, text)
            assert ";" in text, path  # a remedy

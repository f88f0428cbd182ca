"""Means of the decoder's tests: run the helper on files, get pixels and errors back."""
import os
import subprocess

import numpy as np
import pytest


class Page:
    def __init__(self, width, height, dpi, decode_bytes, pixels):
        self.width, self.height, self.dpi = width, height, dpi
        self.decode_bytes, self.pixels = decode_bytes, pixels


class Document:
    """One line of output after the other: kind and pages, or an error in place of either."""

    def __init__(self):
        self.media_type = None
        self.n_pages = 0
        self.pages = []
        self.errors = []  # (code, text)


def read_pgm(path):
    data = path.read_bytes()
    magic, size, _, raster = data.split(b"\n", 3)
    width, height = map(int, size.split())
    return np.frombuffer(raster, np.uint8).reshape(height, width)


def decode(tmp_path, *files, options=(), stdin=None):
    """Decodes all files with one helper; one Document for each."""
    out = tmp_path / "pixels"
    out.mkdir(exist_ok=True)
    run = subprocess.run(
        [os.environ["DECODE_PAGES"], *map(str, options), out, *files],
        stdout=subprocess.PIPE, stdin=stdin, timeout=120, check=True)
    documents, n = [], 0
    for line in run.stdout.decode().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "document":
            documents.append(Document())
            documents[-1].media_type, pages = rest.split()
            documents[-1].n_pages = int(pages)
        elif kind == "page":
            w, h, dpi, size = rest.split()
            pixels = read_pgm(out / f"{n}.pgm")
            n += 1
            documents[-1].pages.append(Page(int(w), int(h), float(dpi), int(size), pixels))
        else:
            last = documents[-1] if documents else None
            if not last or len(last.pages) + len(last.errors) >= max(1, last.n_pages):
                documents.append(Document())
            documents[-1].errors.append(tuple(rest.split(" ", 1)))
    return documents


@pytest.fixture
def decode_files(tmp_path):
    return lambda *files, **more: decode(tmp_path, *files, **more)


@pytest.fixture
def decode_one(tmp_path):
    def one(file, **more):
        documents = decode(tmp_path, file, **more)
        assert len(documents) == 1
        return documents[0]
    return one

"""The shared library as its users meet it: its symbols, and the example of docs/api.md on samples."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from conftest import ROOT
from pdf_files import pdf_of_pages, text_content

EXAMPLE = os.environ["API_EXAMPLE"]
LIBRARY = os.environ["LIBQUIRE"]


def run(*paths, **options):
    return subprocess.run([EXAMPLE, *paths], capture_output=True, timeout=300, **options)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run([sys.executable, ROOT / "tools" / "make_samples.py", folder], check=True)
    return folder


def pages_of(stdout):
    """(name, page) -> text."""
    parts = re.split(r"^# (.*), page (\d+)\n", stdout.decode(), flags=re.M)
    return {(n, int(p)): text for n, p, text in zip(parts[1::3], parts[2::3], parts[3::3])}


def test_exports_the_public_functions_and_nothing_else():
    nm = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], capture_output=True, check=True)
    symbols = sorted(line.split()[-1] for line in nm.stdout.decode().splitlines())
    assert symbols == (ROOT / "tests" / "read" / "symbols.txt").read_text().split()
    dynamic = subprocess.run(["readelf", "-d", LIBRARY], capture_output=True, check=True)
    assert b"[libquire.so.0]" in dynamic.stdout


def test_example_prints_the_text(samples):
    done = run(samples / "several-pages.tif", samples / "receipt.jpg")
    assert (done.returncode, done.stderr) == (0, b"")
    pages = pages_of(done.stdout)
    name = str(samples / "several-pages.tif")
    assert list(pages) == [(name, 1), (name, 2), (name, 3), (str(samples / "receipt.jpg"), 1)]
    truth = (samples / "several-pages.gt.txt").read_text(encoding="utf-8").split("\f")
    for number, page in enumerate(truth, 1):
        words = page.split()
        read = set(pages[name, number].split())
        assert sum(word in read for word in words) >= 0.95 * len(words)


def test_bad_files_say_why_and_leave_neighbours_alone(samples, tmp_path):
    good = samples / "receipt.jpg"
    alone = run(good)
    empty = tmp_path / "empty.png"
    empty.touch()
    text = tmp_path / "note\n\udcff.txt"
    text.write_bytes(b"just text\n")
    done = run(tmp_path / "nowhere.tif", good, empty, tmp_path, text)
    assert done.stdout == alone.stdout
    lines = done.stderr.decode().splitlines()
    assert lines[0].startswith(f"{tmp_path}/nowhere.tif: ")
    assert lines[1].startswith(f"{empty}: ")
    assert lines[2].startswith(f"{tmp_path}: ")
    assert lines[3].startswith(f"{tmp_path}/note\\x0A\\xFF.txt: ")
    assert len(lines) == 4
    assert run(tmp_path / "nowhere.tif").returncode == 5
    assert run(empty).returncode == 2
    assert run(text).returncode == 4


def test_stdin_and_pipes_are_read(samples):
    image = (samples / "receipt.jpg").read_bytes()
    want = pages_of(run(samples / "receipt.jpg").stdout)
    assert list(pages_of(run("-", input=image).stdout).values()) == list(want.values())
    assert list(pages_of(run("/dev/stdin", input=image).stdout).values()) == list(want.values())


def children(pid):
    return pathlib.Path(f"/proc/{pid}/task").glob("*/children")


def kill_helpers(pid):
    """Kills what helpers there are; their number."""
    killed = 0
    for listing in children(pid):
        try:
            for child in listing.read_text().split():
                os.kill(int(child), signal.SIGKILL)
                killed += 1
        except (ProcessLookupError, FileNotFoundError):
            pass
    return killed


def test_killed_helpers_cost_their_page_at_most(samples, tmp_path):
    names = []
    for i in range(12):
        names.append(str(tmp_path / f"{i}.tif"))
        shutil.copy(samples / "several-pages.tif", names[-1])
    whole = pages_of(run(*names).stdout)
    assert len(whole) == 36
    with open(tmp_path / "out", "wb") as out, open(tmp_path / "err", "wb") as err:
        process = subprocess.Popen([EXAMPLE, *names], stdout=out, stderr=err)
    killed = 0
    while process.poll() is None and killed < 12:
        killed += kill_helpers(process.pid)
        time.sleep(0.05)
    process.wait(timeout=300)
    stderr = (tmp_path / "err").read_bytes()
    pages = pages_of((tmp_path / "out").read_bytes())
    assert killed > 0
    assert all(whole[key] == text for key, text in pages.items())
    assert len(pages) >= len(whole) - killed * 3  # a document, where it was being opened
    assert all(b"helper" in line for line in stderr.splitlines())


@pytest.mark.skipif(os.environ.get("SANITIZED") == "1",
                    reason="Python cannot load a sanitizer's build of the library")
def test_python_example_prints_lines_and_raises_errors(samples, tmp_path):
    example = tmp_path / "example.py"
    text = (ROOT / "docs" / "api.md").read_text()
    example.write_text(re.search(r"^```python\n(.*?)^```$", text, re.M | re.S)[1])
    env = {**os.environ, "LD_LIBRARY_PATH": os.path.dirname(LIBRARY)}

    def python(*paths):
        return subprocess.run([sys.executable, example, *paths], env=env, capture_output=True,
                              timeout=300, check=False)

    done = python(samples / "several-pages.tif")
    assert (done.returncode, done.stderr) == (0, b"")
    rows = [row.split(" ", 1) for row in done.stdout.decode().splitlines()]
    assert all(0 <= float(confidence) <= 1 for confidence, _ in rows)
    pages = pages_of(run(samples / "several-pages.tif").stdout)
    assert "".join(f"{text}\n" for _, text in rows) == "".join(pages.values())
    done = python(tmp_path / "nowhere.tif")
    assert done.returncode == 1 and done.stdout == b""
    assert f"QuireError: {tmp_path}/nowhere.tif: " in done.stderr.decode()


REQUESTS = """
import sys
from example import *

class Request(Structure):  # what comes after is left as it was made
    _fields_ = [("pages", c_char_p), ("password", c_char_p), ("languages", c_char_p),
                ("rest", c_char * 256)]

def lines(reader, path, languages):
    request, diag, item = Request(), Diag(), Item()
    quire.quire_request_init(byref(request))
    request.languages = languages
    check(quire.quire_reader_check_request(reader, byref(request), byref(diag)), diag.text)
    check(quire.quire_reader_add_file(reader, path, byref(request), None, byref(diag)), diag.text)
    found = []
    while quire.quire_reader_next(reader, byref(item)) or item.kind != IDLE:
        check(item.error, item.diag.text)
        if item.kind == PAGE:
            page = item.page.contents
            found += [(line.text, line.language) for line in page.lines[:page.n_lines]]
        quire.quire_item_done(byref(item))
    return found

def open_reader(languages):
    options, reader, diag = Options(), c_void_p(), Diag()
    quire.quire_options_init(byref(options))
    options.languages = languages
    check(quire.quire_reader_open(byref(options), byref(reader), byref(diag)), diag.text)
    return reader

quire.quire_reader_next.restype = None
path = sys.argv[1].encode()
both, german = open_reader(b"eng+deu"), open_reader(b"deu")
as_german = lines(german, path, None)
assert len(as_german) > 3 and {language for _, language in as_german} == {b"deu"}
for languages in (b"eng", b"deu", None, b"deu", b"eng", b"deu+eng"):
    found = lines(both, path, languages)
    assert len(found) == len(as_german)
    if languages == b"deu":
        assert found == as_german
    if languages == b"eng":
        assert {language for _, language in found} == {b"eng"}
for wrong in (b"fra", b"eng+fra", b"", b"eng++deu"):
    try:
        lines(both, path, wrong)
        raise SystemExit(f"{wrong} was taken")
    except QuireError as e:
        print(e)
quire.quire_reader_close(both)
quire.quire_reader_close(german)
"""


def run_beside_the_example(tmp_path, script, *paths):
    """Runs a script that imports what the Python example of docs/api.md defines."""
    text = (ROOT / "docs" / "api.md").read_text()
    module = re.search(r"^```python\n(.*?)^```$", text, re.M | re.S)[1]
    (tmp_path / "example.py").write_text(module[:module.index("for path in sys.argv")])
    (tmp_path / "script.py").write_text(script)
    env = {**os.environ, "LD_LIBRARY_PATH": os.path.dirname(LIBRARY)}
    return subprocess.run([sys.executable, tmp_path / "script.py", *paths], env=env,
                          capture_output=True, timeout=300, check=False)


@pytest.mark.skipif(os.environ.get("SANITIZED") == "1",
                    reason="Python cannot load a sanitizer's build of the library")
def test_a_request_names_some_of_the_reader_s_languages(samples, tmp_path):
    """Each document is read as by a reader of its languages alone, whatever the same pages were read
    with before."""
    done = run_beside_the_example(tmp_path, REQUESTS, samples / "receipt.jpg")
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode().splitlines()
    assert said[0] == said[1] == "fra is none of the languages that the reader was opened with"
    assert said[2] == said[3] == ("a language of 0 characters is none; give names such as eng or "
                                  "eng+deu")


OF_SEVERAL_OWNERS = """
import glob, time
from example import *

def children():
    paths = glob.glob("/proc/self/task/*/children")
    return [pid for path in paths for pid in open(path).read().split()]

def read_all(one_document_helpers):
    options, reader, diag, item = Options(), c_void_p(), Diag(), Item()
    quire.quire_options_init(byref(options))
    options.jobs, options.one_document_helpers = 2, one_document_helpers
    check(quire.quire_reader_open(byref(options), byref(reader), byref(diag)), diag.text)
    for path in sys.argv[1:] * 3:
        name = path.encode()
        check(quire.quire_reader_add_file(reader, name, None, None, byref(diag)), diag.text)
    found = []
    while quire.quire_reader_next(reader, byref(item)) or item.kind != IDLE:
        check(item.error, item.diag.text)
        if item.kind == PAGE:
            page = item.page.contents
            found += [(line.text, line.confidence) for line in page.lines[:page.n_lines]]
        quire.quire_item_done(byref(item))
    limit = time.monotonic() + 60
    while one_document_helpers and len(children()) > 1 and time.monotonic() < limit:
        time.sleep(0.01)
    if one_document_helpers:
        left = [open(f"/proc/{pid}/cmdline").read() for pid in children()]
        assert left == ["quire-decode\\0template\\0"]
    quire.quire_reader_close(reader)
    assert not children()
    return found

quire.quire_reader_next.restype = None
assert read_all(True) == read_all(False)
"""


@pytest.mark.skipif(os.environ.get("SANITIZED") == "1",
                    reason="Python cannot load a sanitizer's build of the library")
def test_a_helper_for_each_document(samples, tmp_path):
    """The same is read; what remains between documents is what helpers are made of."""
    done = run_beside_the_example(tmp_path, OF_SEVERAL_OWNERS, samples / "receipt.jpg",
                                  samples / "several-pages.tif")
    assert (done.returncode, done.stderr) == (0, b"")


def check_image(path, original, shrink):
    """The image is the page as it was, shrunk: by its size, and nearly by its pixels."""
    with Image.open(path) as image:
        assert image.format == "WEBP"
        got = np.asarray(image.convert("RGB")).astype(int)
    height, width = original.shape
    assert got.shape[:2] == (-(-height // shrink), -(-width // shrink))
    assert np.ptp(got, axis=2).max() <= 2  # grey
    edges = [range(0, n, shrink) for n in original.shape]
    sums = np.add.reduceat(np.add.reduceat(original.astype(int), edges[0], 0), edges[1], 1)
    counts = np.outer(*(np.diff([*e, n]) for e, n in zip(edges, original.shape)))
    difference = np.abs(got[..., 0] - sums / counts)
    assert difference.mean() < 3 and np.percentile(difference, 99) < 25


@pytest.mark.parametrize("max_px", [0, 700])
def test_pages_come_with_images(samples, tmp_path, max_px):
    with Image.open(samples / "receipt.jpg") as image:
        receipt = np.asarray(image.convert("L"))
    bars = np.zeros((90, 256), np.uint8)
    bars[:] = np.arange(256)  # black and white, and all between
    Image.fromarray(bars).save(tmp_path / "bars.png")
    text = tmp_path / "text.pdf"
    text.write_bytes(pdf_of_pages([text_content("Words that are a layer, not pixels.")] * 2))
    files = [samples / "receipt.jpg", samples / "receipt.jpg", tmp_path / "bars.png", text]
    done = subprocess.run([os.environ["PAGE_IMAGES"], tmp_path, str(max_px), *files],
                          capture_output=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = [line.split() for line in done.stdout.decode().splitlines()]
    pages = [list(map(int, line[:4])) for line in lines]
    shrink = [-(-max(page[:2]) // max_px) if max_px else 1 for page in pages]
    assert [page[2:4] for page in pages] == [[-(-page[0] // s), -(-page[1] // s)]
                                             for page, s in zip(pages, shrink)]
    for i, original in enumerate([receipt, receipt, bars]):
        check_image(tmp_path / f"{i}.webp", original, shrink[i])
    for i in (3, 4):
        assert lines[i][4:] == ["layer", "7"]
        with Image.open(tmp_path / f"{i}.webp") as image:
            assert image.size == tuple(pages[i][2:4])
            ink = np.asarray(image.convert("L")) < 100
        assert 0.0005 < ink.mean() < 0.05
        assert ink[:ink.shape[0] // 5].any() and not ink[ink.shape[0] // 2:].any()


def test_symbols_of_the_header_are_all_listed():
    header = (ROOT / "include" / "quire" / "quire.h").read_text()
    declared = set(re.findall(r"^QUIRE_API [^;(]*?\b(quire_\w+)\(", header, flags=re.M))
    assert sorted(declared) == (ROOT / "tests" / "read" / "symbols.txt").read_text().split()

"""What `quire run` does with each kind of bad input: exit status, a message with file, reason and
remedy, and neighbours whose results are the same bytes as without it."""

import io
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import zlib

import json

import pytest
from PIL import Image

TESSDATA = pathlib.Path("/usr/share/tesseract-ocr/5/tessdata")


def encode(page, kind):
    """A page in a format, as bytes."""
    out = io.BytesIO()
    page.save(out, kind)
    return out.getvalue()


def png_of_size(width, height):
    """A PNG of a few hundred bytes that claims to be that large."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 100000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def bad_documents(page):
    """Name to bytes and exit status of documents that cannot be read."""
    png, jpeg, tiff, webp = (encode(page, kind) for kind in ("png", "jpeg", "tiff", "webp"))
    return {
        "empty.png": (b"", 2),
        "cut.png": (png[:60], 2),
        "cut.jpg": (jpeg[:100], 2),
        "cut.tif": (tiff[:100], 2),
        "cut.webp": (webp[:60], 2),
        "cut.bmp": (encode(page, "bmp")[:40], 2),
        "cut.pgm": (encode(page, "ppm")[:30], 2),
        "noise.png": (png[:33] + bytes(range(256)) * 4, 2),
        "bomb.png": (png_of_size(60000, 60000), 9),
        "text.txt": (b"This is no image.\n", 4),
        "a.pdf": (b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n", 2),
        "a.gif": (encode(page, "gif"), 4),
    }


BAD_NAMES = list(bad_documents(Image.new("L", (300, 100), 255)))


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_document_fails_alone(run, inbox, draw_page, tmp_path, files_below, name):
    content, status = bad_documents(draw_page("Some text on a page."))[name]
    (tmp_path / name).write_bytes(content)
    good = ["-f", "txt,json", "--no-timings", inbox / "one.png", inbox / "two.jpg"]
    assert run("run", "-o", "without", *good).returncode == 0
    started = time.monotonic()
    done = run("run", "-o", "with", name, *good)
    assert time.monotonic() - started < 30
    message = done.stderr.decode().splitlines()[0]
    assert done.returncode == status, done.stderr
    assert message.startswith(f"quire: {name}: ") and "; " in message  # reason; remedy
    assert files_below(tmp_path / "with") == files_below(tmp_path / "without")
    for result in files_below(tmp_path / "with"):
        assert (tmp_path / "with" / result).read_bytes() == \
            (tmp_path / "without" / result).read_bytes()
    alone = run("run", name)
    assert (alone.returncode, alone.stdout) == (status, b"")


def test_statuses_that_differ(run, inbox, tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "cut.png").write_bytes((inbox / "one.png").read_bytes()[:60])
    assert run("run", "empty.png", "cut.png", inbox / "one.png").returncode == 2
    done = run("run", "empty.png", "none.png", inbox / "one.png")
    assert done.returncode == 10 and done.stdout == b"The first page is short.\n"


def test_unsupported_file_of_a_folder_is_skipped(run, inbox, tmp_path):
    shutil.copytree(inbox, tmp_path / "in")
    (tmp_path / "in/README").write_text("about these scans\n")
    done = run("run", "-o", "out", "in")
    assert done.returncode == 0 and b"in/README: " in done.stderr and b"1 skipped" in done.stderr
    assert run("run", "-q", "-o", "out2", "in").stderr == b""


def test_missing_file(run):
    done = run("run", "none.png")
    assert (done.returncode, done.stderr) == (
        5, b"quire: none.png: cannot be opened: No such file or directory; "
        b"check its name and place\n")


def test_time_limit(run, inbox):
    done = run("run", "--timeout", "0.001", inbox / "many.tif", inbox / "one.png")
    assert done.returncode == 9 and done.stdout == b""
    assert all(b"limit; raise --timeout" in line for line in done.stderr.splitlines())


def test_limit_of_pixels_and_memory(run, inbox):
    done = run("run", "--max-pixels", "10k", inbox / "one.png")
    assert done.returncode == 9 and b"one.png: 900 x 240 pixels, the limit is 10000" in done.stderr
    done = run("run", "--memory", "10m", inbox / "one.png")
    assert done.returncode == 1 and b"10 MB of memory are too little" in done.stderr


def test_folder_in_a_list(run, inbox, tmp_path):
    done = run("run", "--files-from", "-", "-o", "out",
               input=os.fsencode(inbox) + b"\n" + os.fsencode(inbox / "one.png") + b"\n")
    assert done.returncode != 0 and b"inbox: " in done.stderr
    assert list(tmp_path.rglob("one.png.txt"))


def test_list_that_does_not_exist(run):
    done = run("run", "--files-from", "none.txt")
    assert done.returncode == 5 and b"none.txt: the list of inputs cannot be read" in done.stderr


def test_file_that_vanishes_midway(quire, inbox, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(40):
        shutil.copy(inbox / "one.png", folder / f"{i:02}.png")
    process = subprocess.Popen([quire, "run", "-o", tmp_path / "out", "--jobs", "1", "--anew",
                                "--progress", "json", folder], stderr=subprocess.PIPE, text=True)
    events = []
    for line in process.stderr:
        events.append(json.loads(line))
        if events[-1]["event"] == "done" and (folder / "39.png").exists():
            (folder / "39.png").unlink()
    assert process.wait(60) == 5
    process.stderr.close()
    failed = [e for e in events if e["event"] == "failed"]
    assert [(os.path.basename(e["name"]), e["code"]) for e in failed] == [("39.png", "not-found")]
    assert len(list((tmp_path / "out").glob("*.txt"))) == 39


def test_no_permission(as_nobody, inbox):
    folder, run = as_nobody
    shutil.copytree(inbox, folder / "in")
    (folder / "in/one.png").chmod(0o000)
    done = run("run", "in/one.png", "in/two.jpg")
    assert done.returncode == 5 and done.stderr.startswith(b"quire: in/one.png: ")
    assert done.stdout.startswith(b"Another page")
    (folder / "in/sub").chmod(0o000)
    done = run("run", "-o", "out", "in/two.jpg", "in")
    assert done.returncode == 6  # in/two.jpg twice: refused before anything is read
    done = run("run", "-o", "out", "in")
    assert done.returncode == 5
    assert b"quire: in/sub: the folder cannot be read: Permission denied" in done.stderr
    assert sorted(p.name for p in (folder / "out").glob("*.txt")) == ["many.tif.txt", "two.jpg.txt"]


def test_folder_that_cannot_be_written(as_nobody, inbox):
    folder, run = as_nobody
    shutil.copy(inbox / "one.png", folder / "one.png")
    (folder / "out").mkdir(mode=0o755)
    done = run("run", "-o", "out", "one.png")
    assert done.returncode == 6
    assert done.stderr == (b"quire: out: cannot be written: Permission denied; "
                           b"check the folder given with -o and its permissions\n")
    (folder / "out").chmod(0o777)
    (folder / "out/sub").mkdir(mode=0o755)
    (folder / "in/sub").mkdir(parents=True)
    shutil.copy(inbox / "one.png", folder / "in/sub/one.png")
    shutil.copy(inbox / "two.jpg", folder / "in/two.jpg")
    done = run("run", "-o", "out", "in")
    assert done.returncode == 6 and (folder / "out/two.jpg.txt").exists()
    assert done.stderr.startswith(b"quire: out/sub/one.png.txt: cannot be written: Permission ")


def test_output_that_is_a_file(run, inbox, tmp_path):
    (tmp_path / "out").write_text("here")
    done = run("run", "-o", "out", inbox / "one.png")
    assert done.returncode == 6 and b"out: cannot be written: Not a directory" in done.stderr


@pytest.mark.parametrize("language", ["xyz", "eng+xyz"])
def test_unknown_language(run, inbox, language):
    done = run("run", "-l", language, inbox / "one.png")
    assert done.returncode == 3 and done.stdout == b""
    assert b"xyz" in done.stderr and b"apt-get install tesseract-ocr-xyz" in done.stderr


def test_language_that_is_a_path(run, inbox):
    assert run("run", "-l", "../../etc/passwd", inbox / "one.png").returncode in (1, 3)


@pytest.mark.parametrize("damage", ["cut", "header", "middle", "empty"])
def test_damaged_model(run, inbox, tmp_path, damage):
    data = bytearray((TESSDATA / "eng.traineddata").read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "header":
        data[0:4] = b"\xff\xff\xff\x7f"
    elif damage == "middle":
        data[400:4400] = b"\xff" * 4000
    else:
        data = b""
    (tmp_path / "eng.traineddata").write_bytes(data)
    done = run("run", inbox / "one.png", env={"TESSDATA_PREFIX": str(tmp_path)})
    assert done.returncode == 3 and b"eng.traineddata" in done.stderr and done.stdout == b""


def test_stdout_that_is_full(run, inbox):
    with open("/dev/full", "wb") as full:
        done = run("run", inbox, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 6
    assert done.stderr.startswith(b"quire: standard output: cannot be written: No space left")


def test_stdout_that_is_closed(quire, inbox):
    process = subprocess.Popen([quire, "run", inbox, inbox, inbox], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(30) == 141
    process.stderr.close()


def test_full_disk(run, inbox, tmp_path, small_disk):
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(60):
        shutil.copy(inbox / "many.tif", folder / f"{i:02}.tif")
    done = run("run", "-o", small_disk / "out", "-f", "json", folder)
    assert done.returncode == 6
    assert b"No space left on device; make room and run again with --resume" in done.stderr
    assert done.stderr.count(b"cannot be written") == 1
    results = sorted((small_disk / "out").glob("*.json"))
    assert 0 < len(results) < 60
    for result in results:  # whole ones only, and no leftovers
        assert result.suffix == ".json" and len(json.loads(result.read_bytes())["pages"]) == 3


def many(inbox, folder, count):
    """A folder of copies."""
    folder.mkdir()
    for i in range(count):
        os.link(inbox / "many.tif", folder / f"{i:03}.tif")
    return folder


@pytest.mark.parametrize("number,status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_finishes_what_is_in_flight(quire, inbox, tmp_path, number, status):
    folder = many(inbox, tmp_path / "in", 400)
    process = subprocess.Popen([quire, "run", "-o", tmp_path / "out", "--progress", "json", folder],
                               stderr=subprocess.PIPE, text=True)
    events = []
    for line in process.stderr:
        events.append(json.loads(line))
        if len(events) == 20:
            process.send_signal(number)
    assert process.wait(60) == status
    process.stderr.close()
    summary = events[-1]
    assert summary["event"] == "summary" and summary["exit_status"] == status
    assert summary["documents_cancelled"] > 0
    results = sorted((tmp_path / "out").glob("[!.]*"))
    assert len(results) == summary["documents_done"] > 0
    text = results[0].read_text()
    assert all(result.read_text() == text for result in results)


def test_ignored_signals_stay_ignored(quire, inbox, tmp_path):
    folder = many(inbox, tmp_path / "in", 30)
    process = subprocess.Popen(["nohup", quire, "run", "-o", tmp_path / "out", "--progress", "json",
                                folder], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    while '"done"' not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGHUP)
    rest = process.stderr.read().splitlines()
    process.stderr.close()
    assert process.wait(60) == 0 and json.loads(rest[-1])["documents_done"] == 30


def test_second_signal_ends_at_once(quire, inbox, tmp_path):
    folder = many(inbox, tmp_path / "in", 400)
    process = subprocess.Popen([quire, "run", "-o", tmp_path / "out", folder],
                               stderr=subprocess.DEVNULL)
    while not (tmp_path / "out").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) in (130, 143)
    assert not list((tmp_path / "out").glob(".*.tmp"))


def helpers_of(pid):
    """Processes that a process started."""
    children = pathlib.Path(f"/proc/{pid}/task")
    return [int(child) for task in children.iterdir()
            for child in (task / "children").read_text().split()]


def test_helper_killed_midway(quire, inbox, tmp_path):
    folder = many(inbox, tmp_path / "in", 60)
    process = subprocess.Popen([quire, "run", "-o", tmp_path / "out", "--progress", "json",
                                "--jobs", "1", folder], stderr=subprocess.PIPE, text=True)
    events, killed = [], 0
    for line in process.stderr:
        events.append(json.loads(line))
        if events[-1]["event"] == "done" and killed < 3:
            for helper in helpers_of(process.pid):
                os.kill(helper, signal.SIGKILL)
                killed += 1
    status = process.wait(60)
    process.stderr.close()
    failed = [e for e in events if e["event"] == "failed"]
    assert {e["code"] for e in failed} <= {"helper", "pages-failed"}
    assert status == (7 if {e["code"] for e in failed} == {"helper"} else 0 if not failed else status)
    assert events[-1]["documents_done"] + len(failed) == 60 and events[-1]["documents_done"] >= 50


def test_hostile_images_end_in_a_result_or_an_error(run, shared, tmp_path):
    images = sorted(p for p in (shared / "data/hostile_images").iterdir()
                    if p.suffix != ".tsv")
    started = time.monotonic()
    done = run("run", "-o", "out", "--progress", "json", "--timeout", "20", *images, timeout=300)
    events = [json.loads(line) for line in done.stderr.splitlines()]
    fates = [e for e in events if e["event"] in ("done", "failed", "skipped")]
    assert len(fates) == len(images)
    assert all(e["event"] != "failed" or e["code"] in
               ("corrupt", "empty", "unsupported-type", "too-large", "timeout", "no-memory",
                "pages-failed", "helper") for e in fates)
    assert time.monotonic() - started < 200


@pytest.fixture
def one_bad_page(draw_page, tmp_path):
    """A TIFF of three pages, the second of which is damaged."""
    pages = [draw_page(f"This is sheet {name} of many.") for name in ("one", "two", "three")]
    path = tmp_path / "three.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="tiff_lzw")
    with Image.open(path) as image:
        image.seek(1)
        start, length = image.tag_v2[273][0], image.tag_v2[279][0]
    data = bytearray(path.read_bytes())
    data[start + length // 3:start + length // 3 + 60] = b"\xff" * 60
    path.write_bytes(data)
    return path


def test_bad_page_fails_alone(run, one_bad_page, tmp_path):
    done = run("run", "-o", "out", "-f", "txt,json", one_bad_page.name)
    assert done.returncode == 0
    assert done.stderr.startswith(b"quire: page 2 of three.tif: ")
    assert b"3 pages, 1 of them failed" in done.stderr
    assert (tmp_path / "out/three.tif.txt").read_text().split("\f") == [
        "This is sheet one of many.\n", "", "This is sheet three of many.\n"]
    document = json.loads((tmp_path / "out/three.tif.json").read_bytes())
    assert (document["n_failed_pages"], document["error"]) == (1, None)
    assert [page["error"] and page["error"]["code"] for page in document["pages"]] == [
        None, "corrupt", None]
    assert run("run", one_bad_page.name).stdout.count(b"\f") == 2


def test_strict_makes_the_document_fail(run, inbox, one_bad_page, tmp_path):
    done = run("run", "--strict", "-o", "out", one_bad_page.name, inbox / "one.png")
    assert done.returncode == 2
    assert done.stderr.count(b"page 2 of three.tif: ") == 1
    assert [p.name for p in (tmp_path / "out").glob("[!.]*")] == ["one.png.txt"]

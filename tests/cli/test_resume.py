"""`quire run --resume`: a run that was broken off at any moment goes on where its results were durable,
and comes to the same bytes as one that was not, without reading a durable page twice."""

import hashlib
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import time

import pytest

from pdf_files import pdf_of_pages, stream, text_content

JOURNAL = ".quire-journal"
HEAD, TABLE, COMMIT, DONE, OPEN, PAGE, DROP = range(1, 8)


def checksum(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def records(data):
    """Kind and payload of each sound record of a journal."""
    at = 16
    while at + 16 <= len(data):
        n, kind = struct.unpack_from("<II", data, at)
        if at + 16 + n > len(data):
            return
        if struct.unpack_from("<Q", data, at + 8 + n)[0] != checksum(data[at:at + 8 + n]):
            return
        yield kind, data[at + 8:at + 8 + n]
        at += 16 + n


class Durable:
    """What a journal claims: documents that are done, and pages of others."""

    def __init__(self, out):
        self.done, self.pages = set(), {}
        path = out / JOURNAL
        key, pending = None, []
        for kind, data in records(path.read_bytes() if path.exists() else b""):
            if kind in (COMMIT, OPEN, DROP):
                key = data[:8]
            if kind == TABLE:
                self.done |= {data[i:i + 8] for i in range(0, len(data), 16)}
            elif kind == COMMIT:
                self.pages.pop(key, None)
                pending.append((key, data))
            elif kind == DONE:
                self.done |= {key for key, _ in pending}
                pending = []
            elif kind == OPEN and struct.unpack_from("<I", data, 16)[0] == 0:
                self.pages[key] = set()
            elif kind == PAGE:
                self.pages[key].add(struct.unpack_from("<I", data, 4)[0])
            elif kind == DROP:
                pending = [(k, d) for k, d in pending if k != key]
                self.pages.pop(key, None)
        self.done |= {key for key, data in pending if self.has_files(out, data)}

    @staticmethod
    def has_files(out, data):
        """Whether all results of a document that was about to be done have one of their names."""
        at = 24
        while at < len(data):
            n = struct.unpack_from("<I", data, at + 8)[0]
            result = out / os.fsdecode(data[at + 12:at + 11 + n])
            number = struct.unpack("<Q", hashlib.sha256(os.fsencode(result.name)).digest()[:8])[0]
            if not (result.exists() or (result.parent / f".quire-{number:016x}.tmp").exists()):
                return False
            at += 12 + n
        return True

    @staticmethod
    def key(folder, name):
        return hashlib.sha256(os.fsencode(os.path.relpath(name, folder))).digest()[:8]

    def claims(self, folder, event):
        """Whether the page that an event tells of is durable."""
        key = self.key(folder, event["name"])
        return key in self.done or event["index"] in self.pages.get(key, ())

    def is_midway(self, folder, name):
        """Whether some pages of a document are durable, but not the document."""
        return bool(self.pages.get(self.key(folder, name)))


def results(out):
    """Bytes of all results by name; leftovers of a killed run would be among them."""
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*")
            if p.is_file() and p.name != JOURNAL}


def events(done):
    return [json.loads(line) for line in done.stderr.splitlines()]


def pages(done):
    return [e for e in events(done) if e["event"] == "page"]


ARGUMENTS = ["-f", "txt,json,tsv,pdf", "--no-timings", "--progress", "json"]


@pytest.fixture(scope="session")
def work(tmp_path_factory, draw_sheets, draw_one):
    """A folder of documents: a long TIFF between single pages, one in a folder below, a PDF, one
    damaged."""
    folder = tmp_path_factory.mktemp("work") / "in"
    (folder / "sub").mkdir(parents=True)
    draw_sheets(folder / "long.tif", 150)
    draw_sheets(folder / "sub" / "short.tif", 12)
    for i in range(8):
        draw_one(folder / f"{'akz'[i % 3]}{i}.png", f"Single page number {i}.")
    (folder / "m-damaged.tif").write_bytes(b"II*\0" + bytes(60))
    (folder / "n-mixed.pdf").write_bytes(mixed_pdf(60))
    return folder


def mixed_pdf(count):
    """A PDF of two pages that show images of words by turns, and one with words of its own, whose
    text is not read from pixels and stays as it is."""
    from conftest import draw_page
    images = [draw_page(f"This is a picture, the {name} one.") for name in ("first", "second")]
    extra = [stream(i.tobytes(), b"/Type /XObject /Subtype /Image /Width %d /Height %d "
                    b"/BitsPerComponent 8 /ColorSpace /DeviceGray" % i.size) for i in images]
    contents = [b"q 612 0 0 163 72 600 cm /I0 Do Q", text_content("These are words of its own."),
                b"q 612 0 0 163 0 500 cm /I1 Do Q"]
    return pdf_of_pages([contents[i % 3] for i in range(count)], extra=extra,
                        resources=b"/XObject << /I0 4 0 R /I1 5 0 R >>")


@pytest.fixture(scope="session")
def draw_sheets():
    from conftest import draw_page

    def draw(path, count, lines=1):
        sheets = [draw_page(*[f"This is line {k} of sheet {i}." for k in range(lines)])
                  for i in range(count)]
        sheets[0].save(path, save_all=True, append_images=sheets[1:])

    return draw


@pytest.fixture(scope="session")
def draw_one():
    from conftest import draw_page
    return lambda path, text: draw_page(text).save(path)


@pytest.fixture(scope="session")
def whole(work, quire, tmp_path_factory):
    """Results of a run that was not broken."""
    out = tmp_path_factory.mktemp("whole") / "out"
    done = subprocess.run([quire, "run", "-o", out, *ARGUMENTS, work], check=False,
                          capture_output=True)
    assert done.returncode == 2
    return results(out)


def check_resumed(run, work, out, whole, *more):
    """Resumes, and compares; returns how many pages that took."""
    durable = Durable(out)
    done = run("run", "-o", out, *ARGUMENTS, "--resume", work, *more)
    assert done.returncode == 2, done.stderr
    assert not [e for e in pages(done) if durable.claims(work, e)]
    assert results(out) == whole
    return len(pages(done))


@pytest.mark.parametrize("seed", range(4))
def test_kills_at_any_moment(quire, run, work, whole, tmp_path, seed):
    """One run, killed again and again at random moments."""
    chance = random.Random(seed)
    out = tmp_path / "out"
    durable = Durable(out)
    n_read = n_kills = 0
    while n_kills < 8:
        process = subprocess.Popen([quire, "run", "-o", out, *ARGUMENTS, "--resume", work],
                                   stderr=subprocess.PIPE)
        # After some events and a moment more: from before anything is done to far into the run.
        told = b"".join(process.stderr.readline() for _ in range(chance.randrange(6)))
        time.sleep(chance.uniform(0, 0.1))
        process.kill()
        done = subprocess.CompletedProcess([], 0, stderr=told + process.stderr.read())
        process.stderr.close()
        process.wait()
        done.stderr = done.stderr[:done.stderr.rfind(b"\n") + 1]
        assert not [e for e in pages(done) if durable.claims(work, e)]
        n_read += len(pages(done))
        durable = Durable(out)
        n_kills += 1
    check_resumed(run, work, out, whole)
    assert len([e for e in events(run("run", "-o", out, *ARGUMENTS, "--resume", work))
                if e["event"] == "earlier"]) == 11
    assert n_read > 0


@pytest.fixture(scope="session")
def few(tmp_path_factory, draw_sheets, draw_one):
    """Few documents, one of them long enough for its pages to come into the journal."""
    folder = tmp_path_factory.mktemp("few") / "in"
    (folder / "sub").mkdir(parents=True)
    draw_one(folder / "a.png", "The first one.")
    draw_sheets(folder / "b.tif", 12, lines=30)
    draw_one(folder / "sub" / "c.png", "The last one.")
    return folder


STEPS = ["-f", "txt,json", "--no-timings", "--jobs", "1", "--progress", "json"]


@pytest.fixture(scope="session")
def few_with_pdf(few, tmp_path_factory):
    """The same beside PDFs: one to append to, one that is encrypted and written anew."""
    folder = tmp_path_factory.mktemp("few-with-pdf") / "in"
    shutil.copytree(few, folder)
    (folder / "d.pdf").write_bytes(mixed_pdf(9))
    subprocess.run(["qpdf", "--encrypt", "", "owner", "256", "--", folder / "d.pdf",
                    folder / "e.pdf"], check=True)
    return folder


def broken(quire, folder, out, how, *arguments):
    """A run that is broken at a step, and whether it was."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("QUIRE_") or k == "QUIRE_DECODE"}
    env.update(LD_PRELOAD=os.environ["BREAK_STEP"], QUIRE_BREAK=how)
    done = subprocess.run([quire, "run", "-o", out, *arguments, folder], env=env, check=False,
                          capture_output=True, timeout=60)
    return done, done.returncode != 0


@pytest.fixture
def breakable():
    if "BREAK_STEP" not in os.environ:
        pytest.skip("the library that breaks runs is not built (BREAK_STEP)")


@pytest.mark.parametrize("formats,overwrite,stride", [
    ("txt,json", False, 1), ("txt,json", True, 3), ("pdf", False, 9), ("pdf,txt,json", False, 17)])
def test_kill_at_every_step(quire, run, few, few_with_pdf, tmp_path, breakable, formats, overwrite,
                            stride):
    """The process ends before each step towards the disk, in a run and in the one that resumes."""
    arguments = [*STEPS, "-f", formats, *(["--overwrite"] if overwrite else [])]
    folder = few_with_pdf if "pdf" in formats else few
    assert run("run", "-o", "whole", *arguments, folder).returncode == 0
    whole = results(tmp_path / "whole")
    n_steps = n_kept_pages = 0
    was_broken = True
    while was_broken:
        n_steps += stride
        out = tmp_path / f"out{n_steps}"
        if overwrite:
            shutil.copytree(tmp_path / "whole", out)
            (out / JOURNAL).unlink()
            for path in out.rglob("*.txt"):
                path.write_text("old")
        done, was_broken = broken(quire, folder, out, f"kill:{n_steps}", *arguments)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        if n_steps % 4 == 0:
            broken(quire, folder, out, f"kill:{n_steps // 4}", *arguments, "--resume")
        durable = Durable(out)
        n_kept_pages += sum(len(p) for p in durable.pages.values())
        done = run("run", "-o", out, *arguments, "--resume", folder)
        assert done.returncode == 0, done.stderr
        assert not [e for e in pages(done) if durable.claims(folder, e)]
        assert results(out) == whole
        shutil.rmtree(out)
    assert n_steps > 30 and n_kept_pages > 0


def test_no_room_at_every_step(quire, run, few, tmp_path, breakable):
    """From each step on the disk is full: the run says so once, and goes on when there is room."""
    assert run("run", "-o", "whole", *STEPS, few).returncode == 0
    whole = results(tmp_path / "whole")
    n_steps, was_broken = 0, True
    while was_broken:
        n_steps += 4
        out = tmp_path / f"out{n_steps}"
        done, was_broken = broken(quire, few, out, f"fail:{n_steps}", *STEPS)
        if was_broken:
            assert done.returncode == 6, done.stderr
            assert done.stderr.count(b"No space left on device") == 1, done.stderr
        durable = Durable(out)
        done = run("run", "-o", out, *STEPS, "--resume", few)
        assert done.returncode == 0, done.stderr
        assert not [e for e in pages(done) if durable.claims(few, e)]
        assert results(out) == whole
        shutil.rmtree(out)
    assert n_steps > 30


def test_disk_that_is_full(run, tmp_path, small_disk, draw_one):
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(8):
        draw_one(folder / f"{i}.png", f"Single page number {i}.")
    assert run("run", "-o", "whole", folder).returncode == 0
    (small_disk / "filler").write_bytes(bytes(40 << 10))
    done = run("run", "-o", small_disk / "out", folder)
    assert done.returncode == 6 and b"run again with --resume" in done.stderr
    (small_disk / "filler").unlink()
    assert run("run", "-o", small_disk / "out", "--resume", folder).returncode == 0
    assert results(small_disk / "out") == results(tmp_path / "whole")


def stop_midway(quire, work, out, number=signal.SIGKILL, n_pages=40, arguments=ARGUMENTS):
    """A run that ends after some pages of the long document, of which some are durable, and so is what
    came before: another run where pages were read faster than the disk was told of the first, or all
    of the document was read before the run knew of its end."""
    for _ in range(20):
        status, name = stop_after(quire, work, out, number, n_pages, arguments)
        if name and Durable(out).is_midway(work, name):
            return status
        shutil.rmtree(out)
    pytest.fail("no run came to a durable page, and to no more than some, before it was stopped")


def stop_after(quire, work, out, number, n_pages, arguments):
    """The exit status, and in which document the run was stopped. The pipe holds some 30 events, and
    what writes into it has the lowest priority, so that it does not run far ahead of what is read
    here."""
    process = subprocess.Popen(["nice", "-n", "19", quire, "run", "-o", out, *arguments, work],
                               stderr=subprocess.PIPE, pipesize=4096)
    name = None
    for line in process.stderr:
        event = json.loads(line)
        if event["event"] == "page" and event["index"] == n_pages and not name:
            process.send_signal(number)  # once: another would end it without the pages in flight
            name = event["name"]
    process.wait(60)
    process.stderr.close()
    return process.returncode, name


def test_a_signal_keeps_the_pages_that_were_read(quire, run, work, whole, tmp_path):
    out = tmp_path / "out"
    assert stop_midway(quire, work, out, signal.SIGINT) == 130
    durable = Durable(out)
    assert all(durable.claims(work, {"name": work / "long.tif", "index": i}) for i in range(41))
    assert check_resumed(run, work, out, whole) < 130 + 60


def test_a_long_document_goes_on_in_its_middle(quire, run, work, whole, tmp_path):
    out = tmp_path / "out"
    stop_midway(quire, work, out, n_pages=100)
    done = run("run", "-o", out, *ARGUMENTS, "--resume", work)
    opened = [e for e in events(done) if e["event"] == "document" and "long" in e["name"]]
    assert opened[0]["n_earlier_pages"] > 50
    assert results(out) == whole
    assert events(done)[-1]["pages_earlier"] == opened[0]["n_earlier_pages"]
    assert (out / JOURNAL).stat().st_size < 20000


@pytest.mark.parametrize("kind,formats", [("tif", "pdf"), ("pdf", "json,pdf"), ("encrypted", "pdf")])
def test_pdf_goes_on_in_its_middle(quire, run, tmp_path, draw_sheets, kind, formats):
    """Pages that were read get their part of the PDF again, and are not read again."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    if kind == "tif":
        draw_sheets(folder / "long.tif", 90)
    else:
        (folder / "long.pdf").write_bytes(mixed_pdf(90))
    if kind == "encrypted":
        subprocess.run(["qpdf", "--replace-input", "--encrypt", "", "owner", "256", "--",
                        folder / "long.pdf"], check=True)
    arguments = [*STEPS, "-f", formats, "--pages", "2-80"]
    assert run("run", "-o", tmp_path / "whole", *arguments, folder).returncode == 0
    assert stop_midway(quire, folder, out, signal.SIGINT, 20, arguments) == 130
    [kept] = Durable(out).pages.values()
    done = run("run", "-o", out, *arguments, "--resume", folder)
    assert done.returncode == 0, done.stderr
    assert len(kept) > 20 and kept == set(range(1, 80)) - {e["index"] for e in pages(done)}
    assert results(out) == results(tmp_path / "whole")


def test_page_ranges_and_failed_pages(quire, run, tmp_path, draw_sheets):
    """Pages asked for are those of the unbroken run, and failed ones stay failed."""
    folder = tmp_path / "in"
    folder.mkdir()
    draw_sheets(folder / "long.tif", 150)
    arguments = [*ARGUMENTS, "--pages", "3-20,31-", "--max-pixels", "200k"]
    assert run("run", "-o", "whole", *arguments, folder).returncode in (0, 9)
    arguments[-1] = "200m"
    assert run("run", "-o", "good", *arguments, folder).returncode == 0
    stop_midway(quire, folder, tmp_path / "out", n_pages=60, arguments=arguments)
    durable = Durable(tmp_path / "out")
    assert any(p for p in durable.pages.values())
    done = run("run", "-o", "out", *arguments, "--resume", folder)
    assert done.returncode == 0
    assert results(tmp_path / "out") == results(tmp_path / "good")
    assert not [e for e in pages(done) if durable.claims(folder, e)]


@pytest.mark.parametrize("damage", ["cut", "zeros", "noise", "flip"])
def test_torn_journal(quire, run, work, whole, tmp_path, damage):
    out = tmp_path / "out"
    stop_midway(quire, work, out)
    path = out / JOURNAL
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[:-7]
    elif damage == "zeros":
        data += bytes(5000)
    elif damage == "noise":
        data += random.Random(1).randbytes(300)
    else:
        data[len(data) * 3 // 4] ^= 0x20
    path.write_bytes(data)
    assert check_resumed(run, work, out, whole) > 0


def test_changed_input_is_read_anew(quire, run, work, whole, tmp_path, draw_one):
    folder = tmp_path / "in"
    shutil.copytree(work, folder)
    out = tmp_path / "out"
    stop_midway(quire, folder, out)
    draw_one(folder / "a0.png", "Now it says something else.")
    shutil.copy(folder / "sub" / "short.tif", folder / "long.tif")
    done = run("run", "-o", out, *ARGUMENTS, "--resume", folder)
    assert done.returncode == 2
    assert (out / "a0.png.txt").read_text() == "Now it says something else.\n"
    assert (out / "long.tif.txt").read_bytes() == whole["sub/short.tif.txt"]
    read = {os.path.basename(e["name"]) for e in pages(done)}
    assert "a0.png" in read and "a3.png" not in read


def test_other_options_are_refused(quire, run, work, whole, tmp_path):
    out = tmp_path / "out"
    stop_midway(quire, work, out)
    before = (out / JOURNAL).read_bytes()
    base = ["-f", "txt,json,tsv,pdf", "--no-timings"]
    for other, words in ((["-f", "txt", "--no-timings"], b"--format (txt,json,tsv,pdf, now txt)"),
                         (base[:2], b"--no-timings (yes, now no)"),
                         ([*base, "--pages", "2-"], b"--pages (none, now 2-)"),
                         ([*base, "--strict"], b"--strict (no, now yes)"),
                         ([*base, "--region", "0,0,50%,80"], b"--region (none, now 0")):
        done = run("run", "-o", out, "--resume", *other, work)
        assert done.returncode == 1 and words in done.stderr
        assert b"begin anew without --resume" in done.stderr
    assert (out / JOURNAL).read_bytes() == before
    assert check_resumed(run, work, out, whole, "--jobs", "1", "--memory", "300m") > 0


def test_journals_that_are_none(run, few, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    for data, status, words in ((b"quire-journal 9\n" + bytes(50), 4, b"another version of Quire"),
                                (b"something else entirely", 2, b"is damaged"), (b"", 2, b"damaged")):
        (out / JOURNAL).write_bytes(data)
        done = run("run", "-o", out, "--resume", few)
        assert done.returncode == status and words in done.stderr
        assert b"without --resume" in done.stderr and not results(out)
    assert run("run", "-o", out, few).returncode == 0


def test_without_a_journal_a_run_begins(run, few, tmp_path):
    done = run("run", "-o", "out", "--resume", few)
    assert done.returncode == 0 and b"no journal of a run; this one begins" in done.stderr
    done = run("run", "-o", "out", "--resume", few)
    assert done.returncode == 0 and b"0 documents read, 3 done before; 0 pages" in done.stderr
    assert b"all documents were done before; there was nothing to read" in done.stderr
    assert run("run", "-o", "out", "--resume", "--overwrite", few).returncode == 1
    assert run("run", "--resume", few).returncode == 1


def test_results_that_were_there_before(quire, run, work, whole, tmp_path):
    """--resume replaces no more than the run it goes on with."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "z2.png.txt").write_text("mine")
    stop_midway(quire, work, out)
    done = run("run", "-o", out, *ARGUMENTS, "--resume", work)
    assert (out / "z2.png.txt").read_text() == "mine"
    assert [e["file"] for e in events(done) if e["event"] == "kept"] == [str(out / "z2.png.txt")]
    assert {k: v for k, v in results(out).items() if k != "z2.png.txt"} == {
        k: v for k, v in whole.items() if k != "z2.png.txt"}


def test_result_that_was_deleted_is_written_again(run, few, tmp_path):
    assert run("run", "-o", "out", *STEPS, few).returncode == 0
    before = results(tmp_path / "out")
    (tmp_path / "out" / "b.tif.txt").unlink()
    done = run("run", "-o", "out", *STEPS, "--resume", few)
    assert done.returncode == 0 and results(tmp_path / "out") == before
    assert {os.path.basename(e["name"]) for e in pages(done)} == {"b.tif"}


def test_failed_documents_are_tried_again(run, few, tmp_path, draw_one):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "late.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    draw_one(folder / "good.png", "This one is good.")
    assert run("run", "-o", "out", *STEPS, folder).returncode == 2
    draw_one(folder / "late.png", "It has come at last.")
    done = run("run", "-o", "out", *STEPS, "--resume", folder)
    assert done.returncode == 0
    assert [os.path.basename(e["name"]) for e in pages(done)] == ["late.png"]


def test_two_runs_at_once(quire, run, work, few, tmp_path):
    out = tmp_path / "out"
    os.mkfifo(tmp_path / "pipe")
    first = subprocess.Popen([quire, "run", "-o", out, "--progress", "json", tmp_path / "pipe"],
                             stderr=subprocess.PIPE)
    assert json.loads(first.stderr.readline())["event"] == "start"
    done = run("run", "-o", out, "--resume", few)
    assert done.returncode == 6
    assert b"another run is writing its results there; --resume when it has ended" in done.stderr
    done = run("run", "-o", out, few)
    assert done.returncode == 0 and b"cannot be resumed" in done.stderr
    with open(tmp_path / "pipe", "wb") as pipe:
        pipe.write((few / "a.png").read_bytes())
    assert first.wait(30) == 0
    first.stderr.close()
    assert (out / "pipe.txt").read_text() == (out / "a.png.txt").read_text() == "The first one.\n"


def test_journal_that_may_not_be_read(as_nobody, few):
    folder, run = as_nobody
    shutil.copy(few / "a.png", folder / "a.png")
    assert run("run", "-o", "out", "a.png").returncode == 0
    (folder / "out" / JOURNAL).chmod(0)
    done = run("run", "-o", "out", "--resume", "a.png")
    assert done.returncode == 5
    assert b"out/.quire-journal: the journal cannot be read: Permission denied" in done.stderr

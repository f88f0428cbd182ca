"""The bar on a terminal, plain lines where there is none, the summary, and the report."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import time

import pytest

N_SHEETS = 600  # enough for the bar to be drawn a few times on any machine


@pytest.fixture(scope="session")
def sheets(tmp_path_factory):
    """A long TIFF beside a single page and a file that is no image."""
    from conftest import draw_page
    folder = tmp_path_factory.mktemp("sheets") / "in"
    folder.mkdir()
    pages = [draw_page(f"This is sheet {i}.") for i in range(N_SHEETS)]
    pages[0].save(folder / "long.tif", save_all=True, append_images=pages[1:])
    draw_page("A single page.").save(folder / "one.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    return folder


def on_terminal(quire, *args, columns=80, env=None, resize=None):
    """What a run writes to a terminal of that width, and how long it took."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {k: v for k, v in os.environ.items() if k not in ("CI", "TERM")}
    start = time.monotonic()
    process = subprocess.Popen([quire, "run", *args], stdin=subprocess.DEVNULL, stderr=theirs,
                               stdout=subprocess.PIPE, env={**clean, "TERM": "xterm", **(env or {})})
    if resize:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, resize, 0, 0))
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(ours)
    process.communicate()
    return text.decode(), time.monotonic() - start


def bars(text):
    """What was drawn, one string a drawing."""
    drawn = re.findall(r"\r\x1b\[K([^\r\n\x1b]*)", text)
    return [bar for bar in drawn if bar and not bar.startswith("quire:")]


def test_bar_on_a_terminal(quire, sheets, tmp_path):
    text, seconds = on_terminal(quire, "-o", tmp_path / "out", sheets)
    drawn = bars(text)
    assert drawn[0].startswith("[....") and "0/3 documents" in drawn[0]
    assert 2 < len(drawn) <= seconds * 10 + 3
    assert all(len(bar) < 80 for bar in drawn)
    assert any("#" in bar and "1 failed" in bar for bar in drawn)
    pages = [int(n) for bar in drawn for n in re.findall(r"(?<![.\d])(\d+)(?:/\d+)? pages?(?!/)", bar)]
    assert pages == sorted(pages) and 0 < pages[-1] <= N_SHEETS + 2
    lines = text.replace("\r\x1b[K", "\n").splitlines()
    assert any(line.startswith(f"quire: 2 documents read, 1 failed; {N_SHEETS + 2} pages") for line in lines)


def test_total_pages_are_shown_where_they_are_known(quire, sheets, tmp_path):
    drawn = bars(on_terminal(quire, "-o", tmp_path / "out", sheets / "long.tif", columns=120)[0])
    assert any(re.search(rf"\d+/{N_SHEETS} pages", bar) for bar in drawn)
    drawn = bars(on_terminal(quire, "-o", tmp_path / "some", "--pages", f"2-{N_SHEETS - 50}", columns=120,
                             *[sheets / "long.tif"])[0])
    assert not any(f"/{N_SHEETS} pages" in bar for bar in drawn)


@pytest.mark.parametrize("columns", [10, 25, 40, 60, 200])
def test_bar_fits_the_terminal(quire, sheets, tmp_path, columns):
    drawn = bars(on_terminal(quire, "-o", tmp_path / "out", sheets, columns=200, resize=columns)[0])
    assert len(drawn) > 2
    assert all(len(bar) < columns for bar in drawn[1:])
    if columns == 200:
        assert "pages/s" in drawn[-1] and drawn[-1].startswith("[")
    else:
        assert all("/3 documents"[:columns - 4] in bar for bar in drawn[1:])


@pytest.mark.parametrize("env", [{"CI": "true"}, {"TERM": "dumb"}])
def test_no_bar_where_lines_stay(quire, sheets, tmp_path, env):
    text, _ = on_terminal(quire, "-o", tmp_path / "out", sheets, env=env)
    assert "\x1b" not in text and text.replace("\r\n", "").isprintable()


def test_no_bar_between_text(quire, sheets):
    ours, theirs = pty.openpty()
    subprocess.run([quire, "run", sheets / "one.png"], stdout=theirs, stderr=theirs, check=True)
    assert os.read(ours, 1000) == b"A single page.\r\n"
    os.close(ours)
    os.close(theirs)


def test_plain_lines_elsewhere(quire, sheets, tmp_path):
    """One every ten seconds, and no control characters, even where a bar is asked for."""
    os.mkfifo(tmp_path / "pipe")
    process = subprocess.Popen([quire, "run", "-o", tmp_path / "out", "--progress", "bar",
                                sheets / "one.png", tmp_path / "pipe"], stderr=subprocess.PIPE)
    time.sleep(10.2)
    with open(tmp_path / "pipe", "wb") as pipe:
        pipe.write((sheets / "one.png").read_bytes())
    text = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 0
    lines = text.splitlines()
    assert re.fullmatch(r"quire: 1/2 documents, 1/2 pages, \d+\.\d pages/s, 0:1\d left", lines[0])
    assert lines[1].startswith("quire: 2 documents read; 2 pages") and "\x1b" not in text
    assert text.replace("\n", "").isprintable()


def test_summary_is_aligned(run, inbox):
    lines = run("run", "-o", "out", inbox).stderr.decode().splitlines()
    assert lines[0].startswith("quire: 4 documents read; 6 pages, ")
    labels = [line[:len("quire:   core time/page ")] for line in lines[1:]]
    assert [label[9:].strip() for label in labels] == [
        "page latency", "core time/page", "core seconds", "cores busy"]
    assert all(line[:9] == "quire:   " and line[23] == " " and line[24] != " " for line in lines[1:])
    assert re.search(r"\d\.\d\d of \d+; memory at most \d+ MB$", lines[4])


def report_of(run, path, *args):
    done = run("run", "--report", path, *args)
    return done, json.loads(path.read_text())


def test_report(run, sheets, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("no image at all")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "one.png.txt").write_text("mine")
    done, report = report_of(run, tmp_path / "report.json", "-o", "out", "--jobs", "2", sheets, "in",
                             "missing.png")
    assert done.returncode == 10
    assert list(report) == ["schema", "version", "started", "options", "documents", "models",
                            "summary"]
    assert report["schema"] == "quire-report/1"
    fates = {os.path.basename(d["name"]): d for d in report["documents"]}
    assert {name: d["fate"] for name, d in fates.items()} == {
        "broken.png": "failed", "long.tif": "done", "one.png": "kept", "notes.txt": "skipped",
        "missing.png": "failed"}
    assert fates["long.tif"]["n_pages"] == N_SHEETS and fates["missing.png"]["code"] == "not-found"
    summary = report["summary"]
    assert summary["documents"] == {"done": 1, "earlier": 0, "failed": 2, "kept": 1, "skipped": 1,
                                    "cancelled": 0}
    assert summary["pages"] == {"read": N_SHEETS + 1, "earlier": 0, "failed": 1,
                                "reused": summary["pages"]["reused"]}
    for key in ("page_latency_ms", "page_core_ms"):
        assert 0 < summary[key]["p50"] <= summary[key]["p95"] <= summary[key]["p99"]
    assert summary["page_core_ms"]["mean"] * (N_SHEETS + 1) / 1000 == pytest.approx(
        sum(summary["core_seconds"].values()), rel=0.02)
    assert summary["cores"] == 2 and 0 < summary["cores_busy"] < 3
    assert 5e6 < summary["peak_memory_bytes"] < 1e9
    assert (summary["signal"], summary["exit_status"]) == (None, 10)
    assert report["models"][0]["language"] == "eng" and report["options"]["jobs"] == 2


def test_report_without_a_folder_and_of_a_resumed_run(run, inbox, tmp_path):
    done, report = report_of(run, tmp_path / "report.json", inbox / "one.png")
    assert done.stdout and [d["fate"] for d in report["documents"]] == ["done"]
    assert run("run", "-o", "out", inbox / "one.png").returncode == 0
    done, report = report_of(run, tmp_path / "report.json", "-o", "out", "--resume", inbox)
    assert [(d["fate"], d.get("earlier")) for d in report["documents"]].count(("done", True)) == 1
    assert report["summary"]["documents"]["earlier"] == 1


def test_report_that_cannot_be_written(run, inbox, tmp_path):
    done = run("run", "--report", "nowhere/there/report.json", inbox / "one.png")
    assert done.returncode == 0 and (tmp_path / "nowhere/there/report.json").exists()
    (tmp_path / "file").write_text("")
    done = run("run", "--report", "file/report.json", inbox / "one.png")
    assert done.returncode == 6 and b"file/report.json: the report cannot be written" in done.stderr
    done = run("run", "--report", "/dev/full", inbox / "one.png")
    assert done.returncode == 6 and b"/dev/full: the report cannot be written: No space" in done.stderr
    assert done.stdout == b"The first page is short.\n"


def test_report_of_an_interrupted_run(quire, sheets, tmp_path):
    report = tmp_path / "report.json"
    process = subprocess.Popen([quire, "run", "-o", tmp_path / "out", "--jobs", "1", "--progress",
                                "json", "--report", report, sheets / "long.tif", sheets / "one.png"],
                               stderr=subprocess.PIPE)
    for line in process.stderr:
        if json.loads(line)["event"] == "document":
            process.terminate()
    assert process.wait(60) == 143
    process.stderr.close()
    report = json.loads(report.read_text())
    assert [d["fate"] for d in report["documents"]] == ["cancelled", "cancelled"]
    assert (report["summary"]["signal"], report["summary"]["exit_status"]) == (15, 143)

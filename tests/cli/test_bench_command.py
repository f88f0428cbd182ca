"""`quire bench`: what it measures, tells and keeps, and what it refuses. Speed itself is not judged."""

import json
import os
import re
import signal
import subprocess

import pytest

STAGES = ("decode", "layout", "crop", "recognise", "text", "compose")


@pytest.fixture(scope="module")
def measured(quire, inbox, tmp_path_factory):
    """A measurement of good documents, a damaged one, one that is not there, and a text file: the
    CompletedProcess, the JSON, and the folder it ran in."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "more").mkdir()
    (folder / "more" / "notes.txt").write_text("no image at all")
    (folder / "more" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    done = subprocess.run([quire, "bench", "--rounds", "2", "--jobs", "2", "--json", "bench.json", inbox,
                           "more", "missing.png"], cwd=folder, capture_output=True, text=True,
                          timeout=240, check=False)
    return done, json.loads((folder / "bench.json").read_text()), folder


def test_table(measured):
    done, kept, folder = measured
    rows = {line[:15].strip(): line[15:] for line in done.stdout.splitlines()}
    assert list(rows) == ["documents", "pages", "pages/s", "one job", "page latency", "core-ms/page",
                          "cores busy", "memory", "machine", "quire"]
    assert rows["documents"] == "4, 2 failed, 1 skipped"
    assert re.fullmatch(r"6, 1 failed(, read \d+ times in each round)?", rows["pages"])
    assert re.fullmatch(r"[\d.]+ \(median of 2 rounds; least [\d.]+, most [\d.]+\), 2 jobs", rows["pages/s"])
    assert re.fullmatch(r"[\d.]+; 2 jobs are [\d.]+ times as fast", rows["one job"])
    assert re.fullmatch(r"p50 [\d.]+, p95 [\d.]+, p99 [\d.]+ ms", rows["page latency"])
    assert re.fullmatch(r"[\d.]+: " + ", ".join(rf"{s} [\d.]+" for s in (*STAGES, "rest")),
                        rows["core-ms/page"])
    assert rows["quire"] == "0.1.0, eng (int8)" and kept["machine"]["cpu"] in rows["machine"]
    assert sorted(os.listdir(folder)) == ["bench.json", "more"]


def test_failures_are_told_once_and_are_the_exit_status(measured):
    done, kept, _ = measured
    assert done.returncode == kept["exit_status"] == 10
    lines = done.stderr.splitlines()
    for name in ("broken.png", "missing.png", "notes.txt"):
        assert sum(name in line for line in lines) == 1
    assert any(line.endswith("(skipped)") for line in lines)
    told = [line for line in lines if re.fullmatch(r"quire: [\w -]+: \d+ pages, [\d.]+ s, [\d.]+ pages/s", line)]
    assert [line.split(": ")[1] for line in told] == ["warm-up", "round 1 of 2", "round 2 of 2", "warm-up",
                                                      "one job"]


def test_json(measured):
    _, kept, _ = measured
    assert list(kept) == ["schema", "version", "finished", "machine", "options", "models", "documents",
                          "pages", "passes", "rounds", "pages_per_second", "page_latency_ms",
                          "page_core_ms", "core_ms_per_page", "jobs", "cores_busy", "peak_memory_bytes",
                          "one_job", "exit_status"]
    assert kept["schema"] == "quire-measurement/1"
    assert kept["documents"] == {"done": 4, "failed": 2, "skipped": 1}
    assert kept["pages"] == {"read": 6, "failed": 1}
    assert len(kept["rounds"]) == 2
    for one in (*kept["rounds"], kept["one_job"]):
        assert one["pages_per_second"] == pytest.approx(one["pages"] / one["seconds"], rel=0.01)
    assert all(one["pages"] == 6 * kept["passes"] for one in kept["rounds"])
    rates = sorted(one["pages_per_second"] for one in kept["rounds"])
    speed = kept["pages_per_second"]
    assert [speed["least"], speed["most"]] == rates
    assert speed["median"] == pytest.approx(sum(rates) / 2, abs=1e-5)
    cost = kept["core_ms_per_page"]
    assert sum(cost[stage] for stage in STAGES) + cost["rest"] == pytest.approx(cost["total"], rel=0.1)
    assert kept["page_core_ms"]["mean"] == pytest.approx(sum(cost[stage] for stage in STAGES), rel=0.02)
    latency = kept["page_latency_ms"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"]
    assert kept["jobs"] == kept["options"]["jobs"] == 2 and 0 < kept["cores_busy"] < 3
    assert 5e6 < kept["peak_memory_bytes"] < 1e9
    assert kept["models"][0]["language"] == kept["options"]["language"] == "eng"


def test_short_lists_are_read_several_times(measured):
    """Where they are not read slowly enough to make a round of their own."""
    _, kept, _ = measured
    assert kept["passes"] > 1 or min(one["seconds"] for one in kept["rounds"]) > 0.5


def test_a_plan_takes_the_measurement(measured, run):
    _, kept, folder = measured
    done = run("plan", "--json", "--pages-per-day", "1m", "--from", folder / "bench.json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["measured"]["pages_per_second"] == kept["pages_per_second"]["median"]


def test_one_job_has_no_other_beside_it(run, inbox, tmp_path):
    done = run("bench", "--jobs", "1", "--rounds", "1", "--pages", "2", "--json", "bench.json",
               inbox / "many.tif")
    assert done.returncode == 0 and b"one job" not in done.stdout
    assert re.search(rb"^pages/s +[\d.]+, 1 job$", done.stdout, re.M)
    kept = json.loads((tmp_path / "bench.json").read_text())
    assert kept["one_job"] is None and kept["pages"]["read"] == 1 and kept["options"]["pages"] == "2"


def test_interrupted(quire, inbox, tmp_path):
    process = subprocess.Popen([quire, "bench", "--rounds", "100", "--json", "bench.json", inbox],
                               cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in process.stderr:
        if b"round 1" in line:
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and out == b""
    assert err.endswith(b"quire: interrupted; nothing was measured\n")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_read_several_times(run, inbox, tmp_path):
    done = run("bench", "-", input=b"")
    assert done.returncode == 1 and done.stderr.startswith(b"quire: standard input can be read once")
    os.mkfifo(tmp_path / "pipe")
    done = run("bench", inbox, "pipe")
    assert done.returncode == 1 and b"pipe: no file that can be read several times" in done.stderr


def test_nothing_to_measure(run, tmp_path):
    (tmp_path / "empty").mkdir()
    done = run("bench", "empty")
    assert (done.returncode, done.stderr) == (5, b"quire: the folders hold no documents\n")
    done = run("bench", "--json", "bench.json", "missing.png")
    assert done.returncode == 5 and done.stdout == b""
    assert done.stderr.endswith(b"quire: no page could be read; there is nothing to measure\n")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    assert run("bench", "broken.png").returncode == 2
    assert not (tmp_path / "bench.json").exists()


def test_measurement_that_cannot_be_written(run, inbox, tmp_path):
    """It is told before anything is read."""
    (tmp_path / "file").touch()
    done = run("bench", "--json", "file/bench.json", inbox, timeout=20)
    assert done.returncode == 6 and done.stdout == b""
    assert done.stderr.startswith(b"quire: file/bench.json: the measurement cannot be written: ")


@pytest.mark.parametrize("args,message", [
    ([], "there is nothing to read; name files or folders"),
    ([""], "an input has an empty name"),
    (["--rounds", "0", "x"], '--rounds: "0" is not a number from 1 to 100'),
    (["--rounds", "101", "x"], '--rounds: "101" is not a number from 1 to 100'),
    (["-o", "out", "x"], "-o: no such option; see quire bench --help"),
], ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_wrong_use(run, args, message):
    done = run("bench", *args)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", f"quire: {message}\n")


def test_wrong_request_ends_it(run, inbox):
    done = run("bench", "--pages", "3-x", inbox)
    assert done.returncode == 1 and b"3-x" in done.stderr
    done = run("bench", "-l", "nowhere", inbox)
    assert done.returncode == 3 and b"nowhere" in done.stderr

"""What happens to the service when its surroundings fail: the disk, the database, descriptors, the
helper, the clock. It says so, and goes on when they are well again."""

import contextlib
import os
import pathlib
import resource
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

from conftest import LIMIT_S, clean_environment, wait_for

FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@pytest.fixture
def mounted(tmp_path):
    """Mounts a small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options):
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
        if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("a small file system cannot be mounted here")
        return folder

    yield mount
    if os.path.ismount(folder):
        subprocess.run(["umount", folder], check=True)


def fill(folder, leave_bytes):
    """Fills a file system but for some bytes; the file that does it."""
    path = folder / "filler"
    with open(path, "wb") as f:
        for _ in range(100):  # others may still be writing
            free = os.statvfs(folder)
            with contextlib.suppress(OSError):
                os.posix_fallocate(f.fileno(), 0, max(1, free.f_bavail * free.f_frsize - leave_bytes))
                return path
            time.sleep(0.02)
    return pytest.fail("the file system could not be filled")


def refused(quire, data, *options):
    """The exit status and message of a service that does not start."""
    done = subprocess.run([quire, "serve", "--data", data, "--listen", "127.0.0.1:0", *options],
                          check=False, capture_output=True, text=True, env=clean_environment(),
                          timeout=LIMIT_S)
    return done.returncode, done.stderr


def test_a_full_disk(mounted, serve, page, long_document, read):
    service = serve("--anew", "--jobs", "1", data=mounted("size=64m") / "data")
    first = service.submit(page.read_bytes())["id"]
    service.wait(first)
    filler = fill(service.data.parent, 200000)
    pieces = iter([bytes(100000)] * 10)  # of no size that is known before
    answer = service.post("/v1/documents", pieces)
    assert "room" in answer.problem(507, "write") and "Retry-After" in answer.headers
    assert service.get("/healthz").status == 200
    assert service.get(f"/v1/documents/{first}/result").status == 200
    filler.unlink()
    document = service.hold_midway(long_document)
    fill(service.data.parent, 0)
    service.go_on()
    service.post("/v1/documents", page.read_bytes()).problem(429, "queue_full")
    service.get("/readyz").problem(503, "queue_full")
    wait_for(lambda: service.metric("worker_documents") == 0, "nothing is read any more")
    filler.unlink()
    service.kill()
    service.start()
    assert service.wait(document)["status"] == "done"
    result = service.get(f"/v1/documents/{document}/result?format=txt")
    assert result.body == read(long_document)
    pages = [e["page"] for _, e in service.events(document) if e["event"] == "page"]
    assert sorted(pages) == list(range(1, 61))


def test_a_folder_that_cannot_be_written(quire, mounted):
    folder = mounted("ro")
    status, message = refused(quire, folder)
    assert status == 6 and str(folder) in message and "Read-only file system" in message
    status, message = refused(quire, folder / "below")
    assert status == 6 and "the data folder cannot be made" in message


@pytest.mark.parametrize("damage", ["text", "zeros", "cut", "middle"])
def test_a_damaged_database(quire, serve, page, damage):
    service = serve()
    service.wait(service.submit(page.read_bytes())["id"])
    service.stop()
    path = service.data / "records.db"
    data = path.read_bytes()
    path.write_bytes({"text": b"This is no database at all.\n" * 400, "cut": data[:5000],
                      "zeros": bytes(len(data)),
                      "middle": data[:4096] + b"\xa5" * (len(data) - 4096)}[damage])
    status, message = refused(quire, service.data)
    assert status == 2 and "records.db" in message, message


def test_a_database_that_another_holds(serve, page):
    service = serve()
    first = service.submit(page.read_bytes())["id"]
    service.wait(first)
    database = sqlite3.connect(service.data / "records.db", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(
        service.post("/v1/documents?wait=60&format=txt", page.read_bytes())))
    waiting.start()
    assert service.get("/healthz").status == 200  # reading goes on meanwhile
    assert service.get(f"/v1/documents/{first}/result").status == 200
    waiting.join(1)
    database.execute("ROLLBACK")
    waiting.join()
    assert answers[0].status == 200
    database.execute("BEGIN IMMEDIATE")
    answer = service.post("/v1/documents", page.read_bytes())  # for longer than it is waited
    answer.problem(504, "timeout")
    assert answer.headers["Retry-After"]
    database.execute("ROLLBACK")
    database.close()
    assert service.post("/v1/documents?wait=60", page.read_bytes()).status == 200
    service.stop(errors=True)


def test_out_of_descriptors(serve, page):
    service = serve("--anew", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48)))
    document = service.submit(page.read_bytes())["id"]
    service.wait(document)
    connections = []
    for _ in range(80):
        connections.append(socket.create_connection(("127.0.0.1", service.port), timeout=LIMIT_S))
    for connection in connections:
        connection.close()
    answer = wait_for(lambda: (a := service.post("/v1/documents?wait=60", page.read_bytes())).status
                      == 200 and a, "it serves again")
    assert answer.json["pages"]
    assert service.show(document)["status"] == "done"
    service.stop(errors=True)


def test_helpers_that_are_killed(serve, page, long_document, read):
    """What they were at is tried again."""
    service = serve("--anew", "--jobs", "1")
    document = service.hold_midway(long_document)
    others = [service.submit(page.read_bytes())["id"] for _ in range(3)]
    service.signal_helpers(signal.SIGKILL)
    shown = service.wait(document)
    assert shown.items() >= {"status": "done", "attempt": 2, "pages_failed": 0}.items()
    assert "error" not in shown
    result = service.get(f"/v1/documents/{document}/result?format=txt")
    assert result.body == read(long_document)
    events = [e for _, e in service.events(document)]
    assert [e["error"] for e in events if e["event"] == "retry"] == ["helper"]
    assert sorted(e["page"] for e in events if e["event"] == "page") == list(range(1, 61))
    assert all(service.wait(i).items() >= {"status": "done", "pages_failed": 0}.items()
               for i in others)


def test_a_document_that_kills_its_helper_is_given_up(serve, page):
    """Its attempts are counted, over restarts too; then it waits for somebody to look at it."""
    service = serve("--anew", "--jobs", "1", "--attempts", "1")
    service.wait(service.submit(page.read_bytes())["id"])
    service.signal_helpers(signal.SIGSTOP)
    document = service.submit(page.read_bytes())["id"]
    service.wait(document, "running")
    service.kill()
    service.start()
    shown = service.wait(document)
    assert shown.items() >= {"status": "failed", "dead": True, "attempt": 1}.items()
    assert [d["id"] for d in service.get("/v1/jobs").json["documents"]] == [document]
    assert "dead" not in service.post(f"/v1/jobs/{document}/requeue").json
    assert service.wait(document)["status"] == "done"
    assert service.get("/v1/jobs").json["documents"] == []


@pytest.mark.skipif(not FAKETIME, reason="the package libfaketime is not installed")
@pytest.mark.parametrize("jump", ["+2d", "-2d"])
def test_a_clock_that_jumps(quire, serve, tmp_path, page, long_document, read, jump):
    if b"__asan_init" in (quire.parent / "quire-service").read_bytes():
        pytest.skip("libfaketime does not go together with the address sanitizer")
    helper = tmp_path / "helper"
    helper.write_text('#!/bin/sh\nunset LD_PRELOAD\nexec "%s" "$@"\n' % os.environ.get(
        "QUIRE_DECODE", quire.parent / "quire-decode"))
    helper.chmod(0o755)
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    service = serve("--anew", "--jobs", "1", environment={
        "LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1", "QUIRE_DECODE": str(helper)})
    document = service.hold_midway(long_document)
    clock.write_text(f"{jump}\n")
    other = service.submit(page.read_bytes(), "?deadline=3600")["id"]
    assert service.get("/readyz").status == 200
    service.go_on()
    for i in (document, other):
        assert service.wait(i).items() >= {"status": "done", "attempt": 1}.items()
    result = service.get(f"/v1/documents/{document}/result?format=txt")
    assert result.body == read(long_document)

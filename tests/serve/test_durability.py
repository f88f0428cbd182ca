"""What the service has accepted outlives it: restarts, kills, a drain, and a reload; and what was
erased is gone from the disk. Keys are in test_keys.py, kills at any moment in test_crashes.py."""

import random
import re
import signal
import subprocess
import threading

import pytest

from conftest import LIMIT_S, clean_environment, draw_page, form, wait_for


def page_events(service, document):
    return [e["page"] for _, e in service.events(document) if e["event"] == "page"]


def test_a_restart_keeps_everything(serve, page, short_document, read):
    service = serve()
    done = service.submit(short_document.read_bytes(), "?name=short.tif", Idempotency_Key="once")
    service.wait(done["id"])
    failed = service.submit(b"no picture")["id"]
    service.wait(failed)
    batch = service.post("/v1/batches?name=b", *form(("file", page.read_bytes(), "p"))).json["id"]
    service.wait(service.get(f"/v1/documents?batch={batch}").json["documents"][0]["id"])

    def everything():
        return [[service.get(f"/v1/documents/{i}{path}").body for path in ("", "/events", "/result")]
                for i in (done["id"], failed)] + [
                    service.get(path).json for path in ("/v1/documents", "/v1/jobs",
                                                        f"/v1/batches/{batch}")]

    before = everything()
    service.stop()
    service.start()
    assert everything() == before
    again = service.submit(short_document.read_bytes(), "?name=short.tif", Idempotency_Key="once")
    assert again["id"] == done["id"]
    service.post("/v1/documents", b"other", Idempotency_Key="once").problem(409, "conflict")
    assert service.submit(short_document.read_bytes())["reused"] is True
    answer = service.get(f"/v1/documents/{done['id']}/result?format=json")
    assert answer.body == read(short_document, "json")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_in_the_middle_of_a_long_document(serve, long_document, read, jobs):
    """It goes on after the pages that it had."""
    service = serve("--anew", "--jobs", jobs)
    document = service.hold_midway(long_document)
    n = service.show(document)["pages_done"]
    before = service.get(f"/v1/documents/{document}/pages/1").body
    service.kill()
    service.start()
    shown = service.wait(document)
    assert shown.items() >= {"status": "done", "attempt": 2, "pages_done": 60}.items() and n > 0
    assert service.get(f"/v1/documents/{document}/pages/1").body == before
    for kind in ("txt", "json"):
        result = service.get(f"/v1/documents/{document}/result?format={kind}")
        assert result.body == read(long_document, kind)
    assert sorted(page_events(service, document)) == list(range(1, 61))
    assert [e["event"] for _, e in service.events(document)].count("running") == 2


def test_what_is_being_read_is_finished_before_the_end(serve, page, long_document, read):
    service = serve("--anew", "--jobs", "1")
    document = service.hold_midway(long_document)
    stopping = threading.Thread(target=service.stop)
    stopping.start()
    wait_for(lambda: "stopping" in service.log, "it is being stopped")
    with pytest.raises(OSError):
        service.post("/v1/documents", page.read_bytes())
    assert service.process.poll() is None
    service.go_on()
    stopping.join()
    assert service.process.returncode == 0 and f"{document} done" in service.log
    service.start()
    assert service.show(document).items() >= {"status": "done", "attempt": 1}.items()
    result = service.get(f"/v1/documents/{document}/result?format=txt")
    assert result.body == read(long_document)


def test_what_takes_too_long_goes_on_after_the_restart(serve, page, long_document, read):
    service = serve("--anew", "--jobs", "1", "--drain", "0.2")
    document = service.hold_midway(long_document)
    queued = [service.submit(page.read_bytes())["id"] for _ in range(6)]
    stream = iter(service.events(document))
    assert next(stream)[1]["event"] == "queued"
    service.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "stopping" in service.log, "it is being stopped")
    assert all(e["event"] in ("running", "page") for _, e in stream)  # it ends with the service
    service.go_on()
    assert service.process.wait(LIMIT_S) == 0, service.log
    service.start()
    assert service.wait(document).items() >= {"status": "done", "attempt": 1}.items()
    result = service.get(f"/v1/documents/{document}/result?format=txt")
    assert result.body == read(long_document)
    assert sorted(page_events(service, document)) == list(range(1, 61))
    assert all(service.wait(i)["status"] == "done" for i in queued)


def test_a_second_signal_ends_at_once(serve, long_document):
    service = serve("--anew", "--jobs", "1")
    document = service.hold_midway(long_document)
    service.process.send_signal(signal.SIGINT)
    wait_for(lambda: "stopping" in service.log, "it is being stopped")
    service.process.send_signal(signal.SIGINT)
    assert service.process.wait(LIMIT_S) == 130
    service.start()
    assert service.wait(document)["status"] == "done"


def test_reload(serve, page):
    service = serve()
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "reloaded" in service.log, "it has reloaded")
    assert service.post("/v1/documents?wait=60", page.read_bytes()).status == 200


def test_a_second_service_on_the_folder_is_refused(quire, serve, page):
    service = serve()
    second = subprocess.run([quire, "serve", "--data", service.data, "--listen", "127.0.0.1:0"],
                            capture_output=True, text=True, env=clean_environment(), check=False,
                            timeout=LIMIT_S)
    assert second.returncode == 6
    assert f"a service (process {service.process.pid}) runs on this folder" in second.stderr
    assert service.post("/v1/documents?wait=60", page.read_bytes()).status == 200


def test_an_address_in_use(quire, serve, tmp_path):
    service = serve()
    second = subprocess.run([quire, "serve", "--data", tmp_path / "other", "--listen",
                             f"127.0.0.1:{service.port}"], capture_output=True, text=True,
                            env=clean_environment(), check=False, timeout=LIMIT_S)
    assert second.returncode == 5 and f"127.0.0.1:{service.port}" in second.stderr
    assert "in use" in second.stderr


def files_with(folder, *needles):
    """Files below a folder that hold one of the byte strings, in any case."""
    return [path for path in folder.rglob("*") if path.is_file()
            and any(needle.lower() in path.read_bytes().lower() for needle in needles)]


@pytest.mark.parametrize("state", ["done", "queued", "running"])
def test_what_is_erased_is_gone(serve, tmp_path, long_document, state):
    """A word in the file's name, another on the page, and the file's own bytes."""
    letters = random.Random(7)
    name, word = ("".join(letters.choices("abdeghkmnoprstuz", k=14)) for _ in range(2))
    path = tmp_path / "secret.png"
    draw_page(f"The word is {word} here.").save(path)
    upload = path.read_bytes()
    service = serve("--jobs", "1")
    kept = service.submit(long_document.read_bytes(), "?name=kept")["id"]
    service.wait(kept)
    if state == "queued":
        service.signal_helpers(signal.SIGSTOP)
        for i in range(4):
            service.submit(f"Filler {i}".encode())
    elif state == "running":
        service.signal_helpers(signal.SIGSTOP)
    document = service.submit(upload, f"?name={name}", Idempotency_Key=name)["id"]
    service.wait(document, state)
    assert files_with(service.data, upload[40:200]) and files_with(service.data, name.encode())
    if state == "done":
        text = service.get(f"/v1/documents/{document}/result?format=txt").text
        word = re.search(r"word is (\S+)", text)[1]  # as it was read
        assert files_with(service.data, word.encode())
    assert service.delete(f"/v1/documents/{document}").status == 204
    service.go_on()
    wait_for(lambda: not files_with(service.data, name.encode(), word.encode(), upload[40:200],
                                    document.encode()), "its traces are gone")
    assert service.show(kept)["status"] == "done"
    assert service.get(f"/v1/documents/{kept}/result").status == 200


def test_documents_are_erased_when_their_time_is_over(serve, page):
    service = serve("--keep", "1s")
    document = service.submit(page.read_bytes())["id"]
    wait_for(lambda: service.get(f"/v1/documents/{document}").status == 404, "it is erased")
    wait_for(lambda: not files_with(service.data, page.read_bytes()), "its file is gone")

"""quire submit: what goes to a service comes back as quire run would write it, whatever breaks."""

import json
import signal
import socket
import ssl
import subprocess
import time

import pytest

from conftest import tiny, wait_for


def results(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*"))
            if p.is_file() and p.name != ".quire-journal"}


def many(folder, n):
    folder.mkdir()
    for i in range(n):
        (folder / f"{i:05}.pgm").write_bytes(tiny(i))
    return folder


# ---- a real service ----

def test_prints_ids(service, run, inbox):
    done = run("submit", "--server", service.url, inbox)
    assert done.returncode == 0, done.stderr
    ids = dict(line.split("\t") for line in done.stdout.splitlines())
    assert {v: k for k, v in ids.items()} == {d["name"]: d["id"] for d in service.documents()}
    assert len(ids) == 15
    assert "15 documents submitted" in done.stderr


def test_json_lines(service, run, inbox):
    done = run("submit", "--json", "--server", service.url, inbox / "page00.png", "nowhere.png")
    lines = sorted((json.loads(line) for line in done.stdout.splitlines()), key=lambda o: o["status"])
    assert [o["status"] for o in lines] == ["accepted", "failed"]
    assert lines[0]["id"].startswith("d_") and lines[0]["name"] == str(inbox / "page00.png")
    assert lines[1]["id"] is None and lines[1]["code"] == "not-found"
    assert done.returncode == 5
    assert "nowhere.png: cannot be opened: No such file or directory" in done.stderr


def test_results_are_those_of_run(service, run, inbox, tmp_path):
    formats = "txt,json,tsv,hocr,alto,md,jsonl"
    local = run("run", "-o", "local", "-f", formats, "--no-timings", inbox)
    sent = run("submit", "--wait", "-o", "sent", "-f", formats, inbox, env={"QUIRE_SERVER": service.url})
    assert local.returncode == sent.returncode == 0, sent.stderr
    assert results(tmp_path / "sent") == results(tmp_path / "local")
    assert "(skipped)" in sent.stderr and "14 documents read, 1 skipped" in sent.stderr
    # What exists is kept, and not sent.
    again = run("submit", "--wait", "-o", "sent", "--skip-existing", inbox / "page00.png",
                env={"QUIRE_SERVER": service.url})
    assert again.returncode == 0 and "0 documents read, 1 kept" in again.stderr
    assert len(service.documents()) == 15


@pytest.mark.parametrize("form", ["txt", "json", "hocr"])
def test_stdout_is_that_of_run(service, run, inbox, form):
    documents = [*sorted(inbox.glob("*.png")), inbox / "many.tif", inbox / "sub"]
    local = run("run", "-f", form, "--no-timings", *documents)
    sent = run("submit", "--wait", "-f", form, "--parallel", "3", "--server", service.url,
               *documents)
    assert sent.returncode == 0, sent.stderr
    assert sent.stdout == local.stdout


def test_standard_input_and_a_list(service, run, inbox, tmp_path):
    local = run("run", inbox / "page03.png", inbox / "page04.png")
    (tmp_path / "list").write_text(str(inbox / "page04.png"), encoding="utf-8")
    with open(inbox / "page03.png", "rb") as page:
        sent = run("submit", "--wait", "--server", service.url, "-", "--files-from", "list",
                   stdin=page)
        assert (sent.returncode, sent.stdout) == (0, local.stdout)
        page.seek(0)
        piped = subprocess.run(f"cat {inbox}/page03.png | {run.quire} submit --server {service.url} -",
                               shell=True, capture_output=True, text=True, check=True, timeout=60)
    assert piped.stdout.endswith("\t-\n")
    assert service.documents()[0]["bytes"] == (inbox / "page03.png").stat().st_size


def test_failures_have_the_status_of_run(service, run, inbox, tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    for names in (["bad.png"], [inbox / "notes.txt"], ["empty.png"], ["bad.png", inbox / "notes.txt"]):
        local = run("run", *names, inbox / "page00.png")
        sent = run("submit", "--wait", "--server", service.url, *names, inbox / "page00.png")
        assert sent.returncode == local.returncode != 0
        assert sent.stdout == local.stdout
        said = [line for line in sent.stderr.splitlines() if "document" not in line]
        assert sorted(said) == sorted(local.stderr.splitlines())


def test_options_reach_the_service(service, run, inbox):
    done = run("submit", "--wait", "--pages", "2", "--priority", "high", "--deadline", "60",
               "-l", "eng", "--server", service.url, inbox / "many.tif")
    assert done.stdout == "This is sheet two of many.\n"
    shown = service.documents()[0]
    assert shown["priority"] == "high" and shown["pages_done"] == 1
    wrong = run("submit", "-l", "xyz", "--server", service.url, inbox)
    assert wrong.returncode == 1 and "xyz" in wrong.stderr
    assert len(wrong.stderr.splitlines()) == 2


def test_thousands(service, run, tmp_path):
    many(tmp_path / "in", 3000)
    done = run("submit", "--wait", "-o", "out", "in", "--server", service.url, timeout=600)
    assert done.returncode == 0, done.stderr
    assert len(results(tmp_path / "out")) == 3000
    assert len({d["id"] for d in service.documents()}) == 3000


def test_service_that_is_started_anew(service, start, tmp_path):
    many(tmp_path / "in", 1500)
    client = start("submit", "--wait", "-o", "out", "in", "--server", service.url)
    for _ in range(2):
        before = len(list((tmp_path / "out").glob("*.txt"))) if (tmp_path / "out").exists() else 0
        wait_for(lambda: len(list((tmp_path / "out").glob("*.txt"))) > before + 50
                 or client.poll() is not None)
        service.process.kill()
        service.process.wait()
        service.start()
    assert client.wait(600) == 0, client.said()
    assert len(results(tmp_path / "out")) == 1500
    assert len(service.documents()) == 1500


# ---- a false one ----

def test_no_room_for_now(false_service, run, tmp_path):
    many(tmp_path / "in", 6)
    refused, early, not_before = set(), [], [0.0]

    def answer(handler, request):
        if time.monotonic() < not_before[0]:
            early.append(request["name"])
        if len(refused) < 3 and request["name"] not in refused:
            refused.add(request["name"])
            handler.problem(429, "queue_full", "the queue is full", Retry_After="1")
            not_before[0] = time.monotonic() + 0.9
        else:
            handler.accept(request)

    false_service.answer = answer
    done = run("submit", "--parallel", "1", "--server", false_service.url, "in")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 6
    assert done.stderr.count("the queue is full") >= 1
    assert not early  # nothing was sent before the service wanted it
    assert len(false_service.posts()) == 9


def test_gives_up_when_told(false_service, run, tmp_path):
    many(tmp_path / "in", 1)
    false_service.answer = lambda handler, request: handler.problem(429, "queue_full", "full")
    done = run("submit", "--give-up", "1", "--server", false_service.url, "in")
    assert done.returncode == 9 and "in/00000.pgm: full" in done.stderr


@pytest.mark.parametrize("how", ["hang up", "503", "half an answer"])
def test_what_breaks_is_sent_again_with_its_key(false_service, run, tmp_path, how):
    many(tmp_path / "in", 20)
    seen = set()

    def answer(handler, request):
        if request["name"] in seen:
            handler.accept(request)
            return
        seen.add(request["name"])
        if how == "503":
            handler.send(503, b"a proxy's page")
        elif how == "hang up":
            handler.hang_up()
        else:
            handler.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 500\r\n\r\n{\"id\"")
            handler.hang_up()

    false_service.answer = answer
    done = run("submit", "--server", false_service.url, "in")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 20
    keys = {}
    for request in false_service.posts():
        assert request["body"] == (tmp_path / request["name"]).read_bytes()
        keys.setdefault(request["name"], set()).add(request["key"])
    assert all(len(k) == 1 for k in keys.values())
    assert len(set.union(*keys.values())) == 20


def test_long_documents_are_followed(false_service, run, tmp_path):
    many(tmp_path / "in", 1)
    asked = []

    def answer(handler, request):
        if request["method"] == "POST":
            handler.accept(request)
            return
        asked.append(request["path"].split("/", 4)[-1].split("?")[0])
        if request["path"].endswith("/events"):
            handler.send(200, b": alive\n\n")
        elif "/result" in request["path"]:
            if asked.count(asked[-1]) < 2:  # breaks off in the middle
                handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf of a lo")
                handler.hang_up()
                return
            handler.send_response(200)
            handler.send_header("Content-Length", "5")
            handler.end_headers()
            for letter in b"text\n":
                handler.wfile.write(bytes([letter]))
                handler.wfile.flush()
                time.sleep(0.02)
        else:
            handler.document(200, request, "done" if len(asked) > 3 else "running")

    false_service.answer = answer
    done = run("submit", "--wait", "-o", "out", "--server", false_service.url, "in")
    assert done.returncode == 0, done.stderr
    assert results(tmp_path / "out") == {"00000.pgm.txt": b"text\n"}
    assert len(false_service.posts()) == 1


def test_a_document_that_fails_late(false_service, run, tmp_path):
    many(tmp_path / "in", 1)

    def answer(handler, request):
        if request["method"] == "POST":
            handler.accept(request)
        elif request["path"].endswith("/events"):
            handler.send(200, b"")
        else:
            handler.document(200, request, "failed",
                             error={"code": "encrypted", "detail": "in/00000.pgm: it is encrypted"})

    false_service.answer = answer
    done = run("submit", "--wait", "-o", "out", "--server", false_service.url, "in")
    assert done.returncode == 8 and "quire: in/00000.pgm: it is encrypted\n" in done.stderr
    assert not results(tmp_path / "out")


@pytest.mark.parametrize("status,body,exit_status,text", [
    (404, b"<html>nothing here</html>", 5, "does not answer as Quire's service does"),
    (202, b"[" * 100000, 5, "does not answer as Quire's service does"),
    (202, b'{"id":"../../x","status":"queued"}', 5, "does not answer as Quire's service does"),
    (202, b'{"id":"d_1","status":"queued","x":"' + b"y" * 9000000 + b'"}', 5,
     "does not answer as Quire's service does"),
    (401, b'{"code":"unauthorized","detail":"a key is needed"}', 5, "a key is needed"),
    (413, b'{"code":"too_large","detail":"larger than 1 MB"}', 9, "larger than 1 MB"),
], ids=["another server", "deep", "false id", "endless", "no key", "too large"])
def test_answers_that_are_errors(false_service, run, tmp_path, status, body, exit_status, text):
    many(tmp_path / "in", 50)
    false_service.answer = lambda handler, request: handler.send(status, body)
    done = run("submit", "--server", false_service.url, "in")
    assert done.returncode == exit_status
    assert text in done.stderr
    # What would meet all others ends it with one message.
    if status != 413:
        assert len(done.stderr.splitlines()) == 2
        assert len(false_service.posts()) < 50


def test_key_is_sent(false_service, run, tmp_path):
    many(tmp_path / "in", 1)
    assert run("submit", "--server", false_service.url + "/", "in", env={"QUIRE_KEY": "qk_abc"}).returncode == 0
    assert false_service.posts()[0]["headers"]["Authorization"] == "Bearer qk_abc"
    assert false_service.posts()[0]["path"].startswith("/v1/documents?")
    bad = run("submit", "--server", false_service.url, "in", env={"QUIRE_KEY": "a\r\nX-Other: b"})
    assert bad.returncode == 1 and "--key" in bad.stderr


def test_nobody_is_there(run, tmp_path):
    many(tmp_path / "in", 40)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        done = run("submit", "--give-up", "1", "--server", url, "in")
    assert done.returncode == 5
    assert "trying again" in done.stderr and "quire serve" in done.stderr
    assert len(done.stderr.splitlines()) == 3


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8080x", "http://", "http://a/?q", "nonsense"])
def test_wrong_url(run, url):
    done = run("submit", "--server", url, "x.png")
    assert done.returncode == 1 and "http://127.0.0.1:8080" in done.stderr


def test_wrong_options(run, tmp_path):
    for args, text in [([], "an input is missing"), (["-o", "out", "x"], "--wait"),
                       (["--wait", "-f", "txt,json", "x"], "-o DIR"),
                       (["--wait", "-f", "pdf", "x"], "pdf"), (["--json", "--wait", "x"], "-o DIR")]:
        done = run("submit", *args)
        assert done.returncode == 1 and text in done.stderr, args


def test_two_inputs_with_one_result(false_service, run, tmp_path):
    many(tmp_path / "a", 1)
    many(tmp_path / "b", 1)
    done = run("submit", "--wait", "-o", "out", "--server", false_service.url, "a", "b")
    assert done.returncode == 6 and not false_service.posts()


def test_a_signal_ends_it(false_service, start, tmp_path):
    many(tmp_path / "in", 100)
    held = []

    def answer(handler, request):
        if request["n"] < 10:
            handler.accept(request)
        else:
            held.append(request)
            time.sleep(5)

    false_service.answer = answer
    client = start("submit", "--parallel", "4", "--server", false_service.url, "in")
    wait_for(lambda: len(held) >= 4)
    client.send_signal(signal.SIGINT)
    assert client.wait(60) == 130
    assert "interrupted; 10 documents submitted, 4 not submitted" in client.said()
    assert len(client.printed().splitlines()) == 10


def test_a_full_disk_ends_it(false_service, run, tmp_path):
    """Here a folder that results cannot be written to, as a file has its name."""
    many(tmp_path / "in", 3)
    (tmp_path / "out").write_text("in the way")
    done = run("submit", "--wait", "-o", "out", "--server", false_service.url, "in")
    assert done.returncode == 6 and "out: " in done.stderr


def test_a_certificate_of_ones_own(false_service, run, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    false_service.server.socket = context.wrap_socket(false_service.server.socket, server_side=True)
    url = false_service.url.replace("http://127.0.0.1", "https://localhost")
    many(tmp_path / "in", 3)
    trusted = run("submit", "--cacert", "cert.pem", "--server", url, "in")
    assert trusted.returncode == 0 and len(trusted.stdout.splitlines()) == 3, trusted.stderr
    unknown = run("submit", "--server", url, "in")
    assert unknown.returncode == 5 and "--cacert" in unknown.stderr
    assert len(false_service.posts()) == 3

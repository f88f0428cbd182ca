"""The HTTP API does what docs/http.md tells: submitting, asking, listing, batches, refusals."""

import hashlib
import io
import json
import re
import subprocess
import urllib.parse

import pytest
from PIL import Image

from conftest import Service, draw_page, form, wait_for

FORMATS = ("json", "txt", "jsonl", "tsv", "hocr", "alto", "md")
MEDIA_TYPES = {"json": "application/json", "txt": "text/plain; charset=utf-8",
               "jsonl": "application/x-ndjson", "tsv": "text/tab-separated-values; charset=utf-8",
               "hocr": "application/xhtml+xml", "alto": "application/xml",
               "md": "text/markdown; charset=utf-8"}


@pytest.fixture(scope="module")
def service(quire, tmp_path_factory):
    """One service for all tests that leave it as it was for others."""
    service = Service(quire, tmp_path_factory.mktemp("serve") / "data", "--anew")
    yield service
    service.stop()


def test_a_body_is_a_document(service, page, read):
    answer = service.post("/v1/documents?wait=60&name=page.png", page.read_bytes(), "image/png")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    assert answer.body == read(page, "json")
    document = service.get(answer.headers["Location"]).json
    sha256 = hashlib.sha256(page.read_bytes()).hexdigest()
    assert document.items() >= {
        "status": "done", "name": "page.png", "batch": None, "bytes": page.stat().st_size,
        "sha256": sha256, "media_type": "image/png", "priority": "normal", "pages": 1,
        "pages_done": 1, "pages_failed": 0, "attempt": 1, "reused": False}.items()
    assert not {"position", "error", "not_before", "dead"} & document.keys()
    times = [document[name] for name in ("created", "started", "ended")]
    assert times == sorted(times)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", t) for t in times)
    assert document["timings"].keys() == {"queued_ms", "running_ms"}


@pytest.mark.parametrize("kind", FORMATS)
def test_results_are_those_of_quire_run(service, page, short_document, read, kind):
    for path in (page, short_document):
        body, media_type = form(("file", path.read_bytes(), path.name), ("format", kind))
        answer = service.post("/v1/documents?wait=60", body, media_type)
        assert answer.status == 200 and answer.headers["Content-Type"] == MEDIA_TYPES[kind]
        assert answer.body == read(path, kind)
        document = answer.headers["Location"]
        again = service.get(f"{document}/result?format={kind}")
        assert (again.status, again.body) == (200, read(path, kind))
        assert again.headers["Content-Type"] == MEDIA_TYPES[kind]
        first = service.get(f"{document}/pages/1?format={kind}")
        assert first.status == 200 and first.headers["Content-Type"] == MEDIA_TYPES[kind]
    assert service.get(f"{document}/result").body == read(short_document, "json")


def test_a_page_alone(service, short_document, read):
    answer = service.post("/v1/documents?wait=60", short_document.read_bytes())
    pages = answer.headers["Location"] + "/pages/"
    told = json.loads(read(short_document, "json"))["pages"][1]
    assert service.get(f"{pages}2").json.items() >= told.items()
    assert service.get(f"{pages}2?format=txt").body == read(short_document).split(b"\f")[1]
    assert "3 of 3 pages" in service.get(f"{pages}4").problem(404, "not_found", "n")
    for wrong in ("0", "-1", "1.5", "x", "4294967296", "99999999999999999999"):
        service.get(pages + wrong).problem(400, "bad_parameter", "n")


def test_options_in_query_and_form(service, short_document, read):
    expected = read(short_document, "txt", "--pages", "1,3")
    answer = service.post("/v1/documents?wait=60&pages=1,3&format=txt&languages=eng",
                          short_document.read_bytes())
    assert answer.body == expected
    for fields in ([("pages", "1,3"), ("file", short_document.read_bytes(), "a")],
                   [("file", short_document.read_bytes(), "a"), ("pages", "1,3")]):
        answer = service.post("/v1/documents?wait=60&format=txt", *form(*fields))
        assert answer.body == expected
    document = service.get(answer.headers["Location"]).json
    assert document.items() >= {"name": "a", "pages_done": 2}.items()


def test_a_page_as_an_image(serve, page, short_document):
    """Stored ones where that is asked for; else a document that is one image is its page's."""
    plain, storing = serve(), serve("--page-images", "--image-px", "200", data="storing")
    id = plain.submit(page.read_bytes())["id"]
    plain.wait(id)
    found = plain.get(f"/v1/documents/{id}/pages/1/image")
    assert (found.status, found.headers["Content-Type"], found.body) == (200, "image/png", page.read_bytes())
    id = plain.submit(short_document.read_bytes())["id"]
    plain.wait(id)
    plain.get(f"/v1/documents/{id}/pages/1/image").problem(404, "no_image", "n")
    plain.get(f"/v1/documents/{id}/pages/99/image").problem(404, "not_found", "n")
    id = storing.submit(short_document.read_bytes())["id"]
    storing.wait(id)
    for number in (1, 2):
        found = storing.get(f"/v1/documents/{id}/pages/{number}/image")
        assert (found.status, found.headers["Content-Type"]) == (200, "image/webp")
        image = Image.open(io.BytesIO(found.body))
        assert max(image.size) <= 200 and image.format == "WEBP"


def test_wrong_options_name_their_field(service, page):
    for query, field in (("languages=xyz", "languages"), ("pages=3-1", "pages"),
                         ("pages=%0A", "pages"), ("format=pdf", "format"),
                         ("priority=urgent", "priority"), ("deadline=0", "deadline"),
                         ("deadline=2592001", "deadline"), ("deadline=1e3", "deadline"),
                         ("wait=601", "wait"), ("wait=-1", "wait"), ("wait=", "wait"),
                         ("colour=blue", "colour"), ("pages=1&pages=2", "pages"),
                         (f"name={'n' * 256}", "name"), (f"languages={'e' * 5000}", "languages")):
        answer = service.post(f"/v1/documents?{query}", page.read_bytes())
        assert answer.problem(400, "bad_parameter", field)
    for fields, field in (([("pages", "3-1")], "pages"), ([("wait", "1")], "wait"),
                          ([("name", b"\xff")], "name"), ([("name", b"a\0b")], "name"),
                          ([("pages", "1"), ("pages", "2")], "pages"),
                          ([("file", b"one", "1"), ("file", b"two", "2")], "file")):
        body = form(*fields, *([] if field == "file" else [("file", page.read_bytes(), "a")]))
        assert service.post("/v1/documents", *body).problem(400, "bad_parameter", field)
    service.post("/v1/documents?pages=1", *form(("file", b"a", "a"), ("pages", "2"))).problem(
        400, "bad_parameter", "pages")
    service.post("/v1/documents").problem(400, "bad_parameter", "file")
    service.post("/v1/documents", *form(("pages", "1"))).problem(400, "bad_parameter", "file")
    service.post("/v1/documents?batch=b_none", page.read_bytes()).problem(404, "not_found", "batch")
    assert service.get("/v1/documents?limit=200").json["documents"][0]["name"] != "nobody's"


@pytest.mark.parametrize("name,shown", [("Grüße & <Äpfel>.png", None), ("\\\\\"quoted\\\"", None),
                                        ("..", None), ("ä" * 200, "ä" * 127), ("x" * 256, "x" * 255),
                                        ("a\tb", None), ("", "document")])
def test_names_come_back_as_they_are(service, page, name, shown):
    """Up to 255 bytes, and never half a character."""
    if "\t" not in name:
        in_form = name.replace("\\", "\\\\").replace('"', '\\"')
        body, media_type = form(("file", page.read_bytes(), in_form))
        document = service.post("/v1/documents", body, media_type).json
        assert document["name"] == (shown or name)
    if len(name.encode()) <= 255:
        document = service.submit(page.read_bytes(), f"?name={urllib.parse.quote(name)}")
        assert document["name"] == (shown or name)
        service.wait(document["id"])
        for kind in FORMATS:
            result = service.get(f"/v1/documents/{document['id']}/result?format={kind}")
            assert result.status == 200 and result.text


def test_a_name_given_beside_the_file(service, page):
    body = form(("file", page.read_bytes(), "scan.png"), ("name", "invoice 7"))
    assert service.post("/v1/documents", *body).json["name"] == "invoice 7"


def test_what_is_not_there(service):
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/result"),
                         ("GET", "/pages/1"), ("GET", "/events")):
        for name in ("d_none", "%E2%82%AC", "x" * 200):
            service.ask(method, f"/v1/documents/{name}{path}").problem(404, "not_found", "id")
    service.get("/v1/batches/b_none").problem(404, "not_found", "id")
    service.post("/v1/jobs/d_none/requeue").problem(404, "not_found", "id")
    service.get("/v1/nothing").problem(404, "no_such_path")
    answer = service.ask("PUT", "/v1/documents")
    answer.problem(405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST, GET, HEAD"
    service.get("/v1/documents/%FF").problem(400, "bad_target")


def test_lists(service, page):
    ids = [service.submit(page.read_bytes(), f"?name={i}&priority=low")["id"] for i in range(5)]
    for i in ids:
        assert service.wait(i)["priority"] == "low"
    seen, cursor = [], ""
    while len(seen) < 5:
        answer = service.get(f"/v1/documents?limit=2{cursor}").json
        assert len(answer["documents"]) == 2
        seen += [d["id"] for d in answer["documents"]]
        cursor = f"&cursor={answer['next_cursor']}"
    assert seen[:5] == ids[::-1]
    shown = service.get("/v1/documents?limit=1").json["documents"][0]
    assert shown == service.show(ids[4])
    bad = service.submit(b"no picture")["id"]
    assert service.wait(bad)["status"] == "failed"
    failed = service.get("/v1/documents?status=failed").json["documents"]
    assert failed[0]["id"] == bad and all(d["status"] == "failed" for d in failed)
    done = service.get("/v1/documents?status=done&limit=200").json["documents"]
    assert set(ids) < {d["id"] for d in done} and all(d["status"] == "done" for d in done)
    assert service.get("/v1/documents?status=running").json == {"documents": [],
                                                               "next_cursor": None}
    assert service.get("/v1/jobs").json["documents"] == []
    for path in ("documents", "jobs"):
        for query, field in (("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"),
                             ("cursor=0", "cursor"), ("cursor=99999999999999999999", "cursor")):
            service.get(f"/v1/{path}?{query}").problem(400, "bad_parameter", field)
    service.get("/v1/documents?status=odd").problem(400, "bad_parameter", "status")


def test_batches(service, page):
    files = [("file", page.read_bytes(), f"{i}.png") for i in range(3)] + [("file", b"bad", "bad")]
    answer = service.post("/v1/batches?name=in+one", *form(*files, ("priority", "high")))
    assert answer.status == 202
    batch = answer.json
    assert answer.headers["Location"] == f"/v1/batches/{batch['id']}"
    assert [d["name"] for d in batch["documents"]] == ["0.png", "1.png", "2.png", "bad"]
    late = service.submit(page.read_bytes(), f"?batch={batch['id']}&name=late")
    assert late["batch"] == batch["id"]
    for document in [*batch["documents"], late]:
        service.wait(document["id"])
    told = service.get(f"/v1/batches/{batch['id']}").json
    assert told.pop("created").endswith("Z")
    assert told == {"id": batch["id"], "name": "in one", "status": "done", "documents": {
        "all": 5, "queued": 0, "running": 0, "done": 4, "failed": 1, "cancelled": 0}}
    listed = service.get(f"/v1/documents?batch={batch['id']}").json["documents"]
    assert [d["name"] for d in listed] == ["late", "bad", "2.png", "1.png", "0.png"]
    assert {d["priority"] for d in listed[1:]} == {"high"}


def test_batches_that_are_refused(service, page):
    one = ("file", page.read_bytes(), "a")
    service.post("/v1/batches?wait=1", *form(one)).problem(400, "bad_parameter", "wait")
    service.post("/v1/batches", *form(one), Idempotency_Key="k").problem(
        400, "bad_parameter", "Idempotency-Key")
    service.post("/v1/batches", page.read_bytes(), "image/png").problem(
        415, "media_type_unsupported", "Content-Type")
    many = [("file", b"", "a")] * 1100
    service.post("/v1/batches", *form(*many)).problem(400, "bad_parameter", "file")


def test_idempotency(service, page):
    first = service.submit(page.read_bytes(), Idempotency_Key="order 17")
    again = service.submit(page.read_bytes(), Idempotency_Key="order 17")
    assert again["id"] == first["id"]
    service.wait(first["id"])
    again = service.post("/v1/documents?wait=30", page.read_bytes(), Idempotency_Key="order 17")
    assert again.status == 200 and again.headers["Location"].endswith(first["id"])
    detail = service.post("/v1/documents", b"other", Idempotency_Key="order 17").problem(
        409, "conflict")
    assert "order 17" in detail or "idempotency" in detail.lower()
    service.post("/v1/documents?pages=2", page.read_bytes(), Idempotency_Key="order 17").problem(
        409, "conflict")
    assert service.submit(page.read_bytes(), Idempotency_Key="order 18")["id"] != first["id"]
    for key in ("", "k" * 256):
        service.post("/v1/documents", page.read_bytes(), Idempotency_Key=key).problem(
            400, "bad_parameter", "Idempotency-Key")
    assert service.delete(f"/v1/documents/{first['id']}").status == 204
    assert service.submit(b"other", Idempotency_Key="order 17")["id"] != first["id"]


def test_a_damaged_document_fails_and_says_why(service, page):
    for body, status, code in ((b"no picture at all", 415, "unsupported_type"),
                               (page.read_bytes()[:60], 422, "corrupt")):
        answer = service.post("/v1/documents?wait=60", body)
        detail = answer.problem(status, code)
        document = service.get(answer.headers["Location"]).json
        assert document["status"] == "failed" and document["attempt"] == 1
        error = document["error"]
        assert error == {"code": code, "detail": detail, "stage": error["stage"]}
        assert error["stage"] in ("open", "read")
        assert detail in service.get(f"{answer.headers['Location']}/result").problem(409, "failed")
        events = list(service.events(document["id"]))
        assert [e["event"] for _, e in events][-1] == "failed" and events[-1][1]["error"] == code


def test_a_failed_document_is_requeued(service):
    document = service.submit(b"no picture")["id"]
    service.wait(document)
    assert service.post(f"/v1/jobs/{document}/requeue").status == 200
    assert service.wait(document)["status"] == "failed"
    names = [e["event"] for _, e in service.events(document)]
    assert names.count("queued") == 2 and names.count("failed") == 2


def test_what_has_ended_cannot_be_changed(service, page):
    done = service.submit(page.read_bytes())["id"]
    service.wait(done)
    service.post(f"/v1/documents/{done}/cancel").problem(409, "conflict")
    service.post(f"/v1/jobs/{done}/requeue").problem(409, "conflict")
    service.post(f"/v1/documents/{done}/cancel", b"x").problem(400, "body_not_allowed")


def test_erasing(service, page):
    document = service.submit(page.read_bytes())["id"]
    service.wait(document)
    answer = service.delete(f"/v1/documents/{document}")
    assert (answer.status, answer.body) == (204, b"")
    for path in ("", "/result", "/pages/1", "/events"):
        service.get(f"/v1/documents/{document}{path}").problem(404, "not_found", "id")
    service.delete(f"/v1/documents/{document}").problem(404, "not_found", "id")


def test_events_are_continued(service, long_document):
    document = service.submit(long_document.read_bytes())["id"]
    every = list(service.events(document))
    assert [e["event"] for _, e in every][:2] == ["queued", "running"]
    assert every[-1][1]["event"] == "done"
    pages = [e["page"] for _, e in every if e["event"] == "page"]
    assert sorted(pages) == list(range(1, 61))
    assert all(e["document"] == document and e["at"].endswith("Z") for _, e in every)
    numbers = [n for n, _ in every]
    assert numbers == sorted(set(numbers))
    for at in (0, 1, 30, len(every) - 2):
        assert list(service.events(document, Last_Event_ID=str(numbers[at]))) == every[at + 1:]
    assert list(service.events(document, Last_Event_ID=str(2**63 - 1))) == []
    for wrong in ("x", "-1", str(2**63)):
        service.get(f"/v1/documents/{document}/events", Last_Event_ID=wrong).problem(
            400, "bad_parameter", "Last-Event-ID")
    connection, response = service.open("GET", f"/v1/documents/{document}/events")
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    connection.close()


def test_how_the_service_is(quire, service):
    for path in ("/healthz", "/readyz"):
        answer = service.get(path)
        assert (answer.status, answer.text) == (200, "ok\n")
    version = service.get("/version").json
    told = subprocess.run([quire, "--version"], capture_output=True, text=True, check=True).stdout
    assert version["version"] in told and version["cpu_level"]
    assert [m["language"] for m in version["models"]] == ["eng"]
    answer = service.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line for line in answer.text.splitlines() if line[0] != "#"]
    assert all(re.fullmatch(r'quire_\w+(\{\w+="[^"]+"(,le="[^"]+")?\})? [-+.\de]+', line) for line in lines), lines
    values = dict(line.rsplit(" ", 1) for line in lines)
    for state in ("queued", "running", "done", "failed", "cancelled"):
        assert f'quire_documents{{state="{state}"}}' in values
    assert float(values['quire_http_requests_total{status="2xx"}']) >= 2
    pages = float(values["quire_pages_total"])
    for histogram in ('core_seconds_%s{stage="recognise"%s}', 'seconds_%s{stage="page"%s}'):
        counts = [float(values["quire_" + histogram % ("bucket", f',le="{bound}"')])
                  for bound in ("0.001", "0.1", "10", "3000", "+Inf")]
        assert counts == sorted(counts) and counts[-1] == float(values["quire_" + histogram % ("count", "")])
        assert counts[-1] >= pages > 0 and float(values["quire_" + histogram % ("sum", "")]) > 0
    assert float(values['quire_errors_total{code="unsupported_type"}']) >= 0
    assert "quire_core_seconds_per_page" in values and "quire_cost_per_1000_pages" not in values
    status = service.get("/v1/status").json
    assert status["reading"]["documents_max"] == 4 * status["reading"]["jobs"]
    names = [name for name in ("none", "cores", "store", "memory", "reading")
             if float(values[f'quire_bottleneck{{name="{name}"}}'])]
    assert len(names) == 1 and status["bottleneck"]["advice"]


def test_cost_at_a_price(serve, page):
    service = serve("--core-hour-price", "0.36", "--anew")
    service.wait(service.submit(page.read_bytes())["id"])
    each = wait_for(lambda: service.metric("core_seconds_per_page"), "the load is sampled")
    assert service.metric("cost_per_1000_pages") == pytest.approx(each * 0.1, rel=0.5)


def test_head_is_get_without_a_body(service, page):
    answer = service.post("/v1/documents?wait=60", page.read_bytes())
    for path in ("/healthz", "/v1/documents", answer.headers["Location"],
                 answer.headers["Location"] + "/result"):
        head = service.ask("HEAD", path)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Type"] == service.get(path).headers["Content-Type"]


def test_the_largest_request(serve):
    service = serve("--max-upload", "10k")
    service.post("/v1/documents", bytes(10241)).problem(413, "body_too_large")
    assert service.submit(bytes(10240))["bytes"] == 10240


def test_reuse(serve, page, read):
    service = serve()
    first = service.submit(page.read_bytes(), "?name=page.png")
    assert service.wait(first["id"])["reused"] is False
    answer = service.post("/v1/documents", page.read_bytes())
    document = answer.json
    assert document.items() >= {"status": "done", "reused": True, "pages_done": 1}.items()
    result = service.get(f"/v1/documents/{document['id']}/result?format=txt")
    assert result.body == read(page)
    assert service.submit(page.read_bytes(), "?pages=1")["reused"] is False
    service.delete(f"/v1/documents/{first['id']}")  # the result is the other's too
    assert service.get(f"/v1/documents/{document['id']}/result?format=txt").body == read(page)
    draw_page("Another one.").save(service.data.parent / "b.png")
    assert service.submit((service.data.parent / "b.png").read_bytes())["reused"] is False

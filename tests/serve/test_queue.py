"""Documents that wait and that are being read: pages before the end, cancelling, erasing, order,
deadlines, and what is refused when there is too much. Decoding is held by stopping the helper."""

import json
import re
import threading

import pytest

from conftest import Service, form, wait_for

AT_A_TIME = 4  # documents that one job works at


@pytest.fixture(scope="module")
def one_job(quire, tmp_path_factory):
    service = Service(quire, tmp_path_factory.mktemp("serve") / "data", "--anew", "--jobs", "1")
    yield service
    service.stop()


@pytest.fixture
def service(one_job):
    """A service that has nothing to do, and decodes again after the test."""
    yield one_job
    one_job.go_on()
    wait_for(lambda: not one_job.get("/v1/documents?status=queued").json["documents"] and
             not one_job.get("/v1/documents?status=running").json["documents"], "all is read")


@pytest.fixture
def held(service, long_document):
    return service.hold_midway(long_document)


def fill(service, page):
    """Submits what the worker takes beside the document that is held; then others wait."""
    taken = [service.submit(page.read_bytes())["id"] for _ in range(AT_A_TIME - 1)]
    wait_for(lambda: service.metric("worker_documents") == AT_A_TIME, "the worker is full")
    return taken


def text_of(service, document):
    answer = service.get(f"/v1/documents/{document}/result?format=txt")
    assert answer.status == 200, answer.body
    return answer.body


def page_events(service, document):
    return [e["page"] for _, e in service.events(document) if e["event"] == "page"]


def test_pages_are_there_before_the_document(service, held, long_document, read):
    document = service.show(held)
    assert document["status"] == "running" and document["ended"] is None
    assert document["pages"] == 60 and 1 <= document["pages_done"] < 60
    events = iter(service.events(held))
    there = next(event["page"] for _, event in events if event["event"] == "page")
    answer = service.get(f"/v1/documents/{held}/pages/{there}?format=txt")
    assert (answer.status, answer.body) == (200, read(long_document).split(b"\f")[there - 1])
    assert re.search(r"running and has \d+ of 60 pages", service.get(
        f"/v1/documents/{held}/pages/60").problem(404, "not_found", "n"))
    service.get(f"/v1/documents/{held}/result").problem(409, "not_finished")
    service.post(f"/v1/jobs/{held}/requeue").problem(409, "conflict")
    assert service.get("/v1/documents?status=running").json["documents"][0]["id"] == held
    service.go_on()
    *_, (_, last) = events
    assert last["event"] == "done"
    assert text_of(service, held) == read(long_document)
    assert sorted(page_events(service, held)) == list(range(1, 61))


def test_waiting_ends_with_the_time(service, held, page):
    answer = service.post("/v1/documents?wait=1", page.read_bytes())
    assert answer.status == 202 and answer.json["status"] in ("queued", "running")
    assert service.show(answer.json["id"])["ended"] is None


def test_a_result_is_waited_for(service, held, page, read):
    """It comes as soon as it is there; what takes longer is told, and so is a failure."""
    id = service.submit(page.read_bytes())["id"]
    path = f"/v1/documents/{id}/result?format=txt"
    service.get(f"{path}&wait=1").problem(409, "not_finished")
    service.get(f"{path}&wait=x").problem(400, "bad_parameter", "wait")
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(service.get(f"{path}&wait=60")))
    waiting.start()
    wait_for(lambda: service.metric("http_connections") > 1, "it waits")
    service.go_on()
    waiting.join()
    assert (answers[0].status, answers[0].body) == (200, read(page))
    failing = service.submit(b"GIF89a" + bytes(50))["id"]
    service.get(f"/v1/documents/{failing}/result?wait=60").problem(409, "failed")


def test_what_is_waited_for_is_cancelled(service, held, page):
    fill(service, page)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(
        service.post("/v1/documents?wait=600&name=waited", page.read_bytes())))
    waiting.start()
    [document] = wait_for(lambda: service.get("/v1/documents?status=queued").json["documents"],
                          "it is queued")
    assert document["name"] == "waited"
    service.post(f"/v1/documents/{document['id']}/cancel")
    waiting.join()
    answers[0].problem(409, "cancelled")


def test_a_running_document_is_cancelled(service, held, long_document, read):
    """Its pages stay; it goes on after them when it is queued again."""
    assert service.post(f"/v1/documents/{held}/cancel").status == 200
    service.go_on()  # the page that is being decoded is finished
    document = service.wait(held)
    assert document["status"] == "cancelled" and document["ended"]
    n = document["pages_done"]
    assert 1 <= n < 60 and text_of(service, held) == b"\f".join(
        read(long_document).split(b"\f")[:n])
    result = service.get(f"/v1/documents/{held}/result").json
    assert len(result["pages"]) == n and result["error"]["code"] == "cancelled"
    assert [e["event"] for _, e in service.events(held)][-1] == "cancelled"
    service.post(f"/v1/documents/{held}/cancel").problem(409, "conflict")
    assert service.post(f"/v1/jobs/{held}/requeue").json["status"] in ("queued", "running")
    assert service.wait(held)["pages_done"] == 60
    assert text_of(service, held) == read(long_document)
    assert sorted(page_events(service, held)) == list(range(1, 61))


def test_a_queued_document_is_cancelled(service, held, page):
    fill(service, page)
    document = service.submit(page.read_bytes())
    assert document["status"] == "queued" and document["position"] == 0
    cancelled = service.post(f"/v1/documents/{document['id']}/cancel").json
    assert cancelled["status"] == "cancelled" and cancelled["started"] is None
    service.get(f"/v1/documents/{document['id']}/result").problem(409, "cancelled")
    assert [e["event"] for _, e in service.events(document["id"])] == ["queued", "cancelled"]


def test_documents_are_erased_at_any_time(service, held, page):
    taken = fill(service, page)
    queued = service.submit(page.read_bytes())["id"]
    stream = iter(service.events(queued))
    assert next(stream)[1]["event"] == "queued"
    for document in (queued, held, taken[0]):
        assert service.delete(f"/v1/documents/{document}").status == 204
        service.get(f"/v1/documents/{document}").problem(404, "not_found", "id")
    assert list(stream) == []  # it ends, with nothing to tell
    service.go_on()
    assert service.wait(taken[1])["status"] == "done"
    wait_for(lambda: service.metric("worker_documents") == 0, "the worker is free")
    for document in (queued, held, taken[0]):
        service.get(f"/v1/documents/{document}").problem(404, "not_found", "id")


def test_order(service, held, page):
    fill(service, page)
    ids = {p: service.submit(page.read_bytes(), f"?priority={p}")["id"]
           for p in ("low", "normal", "high")}
    positions = {p: service.show(i)["position"] for p, i in ids.items()}
    assert positions == {"high": 0, "normal": 1, "low": 2}
    service.go_on()
    began = {p: next(number for number, e in service.events(i) if e["event"] == "running")
             for p, i in ids.items()}
    assert began["high"] < began["normal"] < began["low"]


def test_deadlines(service, held, page):
    running = fill(service, page)
    late = service.submit(page.read_bytes(), "?deadline=1")
    assert late["deadline"] > late["created"]
    early = service.submit(page.read_bytes(), "?deadline=2592000")["id"]
    document = service.wait(late["id"])
    assert document["status"] == "failed" and document["error"]["code"] == "timeout"
    assert "deadline" in document["error"]["detail"]
    service.go_on()
    assert all(service.wait(i)["status"] == "done" for i in (*running, early))


def test_the_deadline_of_what_is_being_read(service, held, long_document):
    document = service.submit(long_document.read_bytes(), "?deadline=1")["id"]
    deadline = service.wait(document, "running")["deadline"]
    wait_for(lambda: service.submit(b"to see the time", "?priority=high")["created"] > deadline,
             "the deadline has passed")
    service.go_on()
    shown = service.wait(document)
    assert shown["status"] == "failed" and shown["error"]["code"] == "timeout"
    assert "deadline" in shown["error"]["detail"]


def test_a_batch_while_it_is_read(service, held, page):
    fill(service, page)
    files = [("file", page.read_bytes(), str(i)) for i in range(2)]
    batch = service.post("/v1/batches", *form(*files)).json
    told = service.get(f"/v1/batches/{batch['id']}").json
    assert told["status"] == "queued" and told["documents"]["queued"] == 2
    service.post(f"/v1/documents/{batch['documents'][0]['id']}/cancel")
    assert service.get(f"/v1/batches/{batch['id']}").json["status"] == "running"
    service.go_on()
    service.wait(batch["documents"][1]["id"])
    told = service.get(f"/v1/batches/{batch['id']}").json
    assert told["status"] == "done"
    assert told["documents"].items() >= {"done": 1, "cancelled": 1}.items()


def test_too_many_documents(serve, page, long_document):
    service = serve("--anew", "--max-queued", "1")
    held = service.hold_midway(long_document)
    answer = service.post("/v1/documents", page.read_bytes())
    assert "too many documents" in answer.problem(429, "queue_full")
    assert 1 <= int(answer.headers["Retry-After"]) <= 30
    service.post("/v1/batches", *form(("file", b"a", "a"))).problem(429, "queue_full")
    service.get("/readyz").problem(503, "queue_full")
    assert service.get("/healthz").status == 200
    service.go_on()
    service.wait(held)
    assert service.get("/readyz").status == 200
    assert service.submit(page.read_bytes())["status"] in ("queued", "running", "done")


def test_too_many_bytes(serve, page, long_document):
    service = serve("--anew", "--max-queued-bytes", "10k")
    service.hold_midway(long_document)  # a single one may be of any size
    assert "too large together" in service.post("/v1/documents", page.read_bytes()).problem(
        429, "queue_full")
    service.go_on()


def test_too_little_room(serve, page):
    service = serve("--min-free", "1000000g")
    answer = service.post("/v1/documents", page.read_bytes())
    assert "disk" in answer.problem(429, "queue_full") and answer.headers["Retry-After"]
    service.get("/readyz").problem(503, "queue_full")
    assert json.loads(service.get("/v1/documents").body)["documents"] == []

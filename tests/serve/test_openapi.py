"""openapi.json is the API: the same routes as the program and docs/http.md have, answers that hold to
it whatever is asked (schemathesis asks), and each documented status can be had."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from conftest import LIMIT_S, Service, form

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
API = json.loads((ROOT / "src" / "server" / "openapi.json").read_text(encoding="ascii"))
OPERATIONS = {(method.upper(), path): operation for path, operations in API["paths"].items()
              for method, operation in operations.items()}
NO_ID, NO_BATCH = "d_" + "0" * 26, "b_" + "0" * 26


def test_routes_are_those_of_the_program():
    code = (ROOT / "src" / "server" / "api.c").read_text(encoding="utf-8")
    routes = re.findall(r'^ +\{"([A-Z]+)", "(/[^"]*)", &qi_api_\w+\},$', code, re.M)
    assert len(routes) == len(set(routes)) and set(routes) == OPERATIONS.keys()


def test_routes_are_those_of_the_manual():
    text = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    rows = [row.split("|")[1] for row in text.splitlines() if row.startswith("| `")]
    told = {(method, path) for row in rows if re.match(r" `(GET|POST|DELETE) ", row)
            for method in re.findall(r"GET|POST|DELETE", row) for path in re.findall(r"/[^`]+", row)}
    assert told == OPERATIONS.keys()


def test_examples_and_names_are_sound():
    """Each operation has a name of its own; each reference leads somewhere."""
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(names) == len(set(names))
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(API)):
        value = API
        for part in reference.split("/"):
            value = value[part]


class Caller:
    """Asks services, and notes the status of each answer with its operation."""

    def __init__(self):
        self.seen = set()

    def ask(self, service, method, path, body=None, media_type=None, key=None, **headers):
        service.key = key
        answer = service.ask(method, path, body, media_type, **headers)
        self.note(method, path.split("?")[0], answer.status)
        return answer

    def note(self, method, path, status):
        for known, pattern in OPERATIONS:
            if known == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path):
                self.seen.add((method, pattern, str(status)))


@pytest.fixture(scope="module")
def service(quire, tmp_path_factory):
    """A service with keys, by their scope."""
    service = Service(quire, tmp_path_factory.mktemp("serve") / "data", "--anew", "--jobs", "1",
                      "--max-upload", "1m")
    service.scoped = {scope: service.keys("add", scope, "--scopes", scope).strip()
                      for scope in ("read", "write", "admin")}
    yield service
    service.stop()


def test_it_is_served_as_it_is(service):
    service.key = None
    answer = service.get("/openapi.json")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.body == (ROOT / "src" / "server" / "openapi.json").read_bytes()


def ask_all(caller, service, page):
    """One request for each status that an operation has on a service that is not full."""
    admin = service.scoped["admin"]

    def ask(method, path, *args, **more):
        return caller.ask(service, method, path, *args, key=admin, **more)

    one = form(("file", page, "page.png"))
    answer = ask("POST", "/v1/documents?wait=60", page)
    document = answer.headers["Location"]
    name = document.split("/")[-1]
    batch = ask("POST", "/v1/batches", *one).headers["Location"]
    failed = ask("POST", "/v1/documents?wait=60", b"no picture").headers["Location"]
    for args in (("", page), ("?batch=" + NO_BATCH, page), ("", bytes(2 << 20)), ("?wait=0x", page),
                 ("?wait=60", page[:60])):
        ask("POST", f"/v1/documents{args[0]}", args[1])
    for body in (b"1", b"2"):
        ask("POST", "/v1/documents", body, Idempotency_Key="key")
    for args in ((None, None), (page, "image/png"), form(("file", b"", "x" * 5000))):
        ask("POST", "/v1/batches", *args)
    ask("POST", "/v1/batches?pages=x", *one)
    for query in ("", "?limit=0"):
        ask("GET", f"/v1/documents{query}")
        ask("GET", f"/v1/jobs{query}")
    for path in (document, "/v1/documents/%FF", f"/v1/documents/{NO_ID}"):
        for more in ("", "/events", "/result", "/pages/1", "/pages/1/image"):
            ask("GET", path + more)
    ask("GET", f"{failed}/result")
    for path in (batch, "/v1/batches/%FF", f"/v1/batches/{NO_BATCH}"):
        ask("GET", path)
    for change in ("documents/{}/cancel", "jobs/{}/requeue"):
        for id_ in (name, NO_ID, "%FF"):
            ask("POST", "/v1/" + change.format(id_))
    ask("POST", f"/v1/jobs/{failed.split('/')[-1]}/requeue")
    for path in ("/healthz", "/readyz", "/metrics", "/version", "/openapi.json", "/v1/status"):
        ask("GET", path)
    for method, pattern in OPERATIONS:
        path = pattern.format(id=NO_BATCH if "batches" in pattern else NO_ID, n=1)
        ask(method, f"{path}?{'x' * 8192}")
        ask(method, path, **{f"x{i}": "x" for i in range(100)})
        if path.startswith("/v1/"):
            wrong = service.scoped["write" if method == "GET" else "read"]
            body = one if path in ("/v1/documents", "/v1/batches") and method == "POST" else ()
            caller.ask(service, method, path, *body, key=wrong)
            caller.ask(service, method, path, *body)
    for path in (document, "/v1/documents/%FF"):
        ask("DELETE", path)
    ask("DELETE", document)


def ask_when_full(caller, quire, folder, page, long_document):
    """What is refused when too much waits, and the cancelling of what is being read."""
    full = Service(quire, folder / "full", "--anew", "--jobs", "1", "--max-queued", "1")
    held = full.hold_midway(long_document)
    caller.ask(full, "POST", "/v1/documents", page)
    caller.ask(full, "POST", "/v1/batches", *form(("file", page, "page.png")))
    caller.ask(full, "GET", "/readyz")
    caller.ask(full, "POST", f"/v1/documents/{held}/cancel")
    full.go_on()
    full.stop()


def ask_from_elsewhere(caller, quire, folder, address):
    other = Service(quire, folder / "other", "--jobs", "1")
    keys = {scope: other.keys("add", scope, "--scopes", scope).strip() for scope in ("read", "write")}
    other.stop()
    other.start("--listen", f"127.0.0.1:0,{address}:0")
    other.listen_elsewhere(address)
    for path in ("/metrics", "/openapi.json"):
        for key in (None, keys["write"], keys["read"]):
            caller.ask(other, "GET", path, key=key)
    other.stop()


def test_each_documented_status_can_be_had(quire, service, page, long_document, tmp_path, elsewhere):
    caller = Caller()
    ask_all(caller, service, page.read_bytes())
    ask_when_full(caller, quire, tmp_path, page.read_bytes(), long_document)
    ask_from_elsewhere(caller, quire, tmp_path, elsewhere)
    documented = {(method, path, status) for (method, path), operation in OPERATIONS.items()
                  for status in operation["responses"] if status != "5XX"}
    assert caller.seen == documented


@pytest.fixture(scope="module")
def schemathesis():
    """Path of the program, installed from PyPI below the build folder."""
    folder = pathlib.Path(os.environ.get("QUIRE_BUILD", ROOT / "build")) / "schemathesis"
    done = subprocess.run([ROOT / "tools" / "install_schemathesis.sh", folder], check=False,
                          capture_output=True, text=True)
    if done.returncode:
        pytest.skip("schemathesis cannot be installed from PyPI: " + done.stderr.strip()[-200:])
    return folder / "bin" / "schemathesis"


def test_answers_hold_to_the_document_whatever_is_asked(schemathesis, service, page, tmp_path):
    service.key = service.scoped["admin"]
    service.wait(service.submit(page.read_bytes())["id"])
    done = subprocess.run(
        [schemathesis, "--config-file", ROOT / "tests" / "serve" / "schemathesis.toml", "run",
         ROOT / "src" / "server" / "openapi.json", "--url", f"http://127.0.0.1:{service.port}",
         "--header", f"Authorization: Bearer {service.key}", "--no-color", "--report-dir", tmp_path],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=5 * LIMIT_S)
    assert done.returncode == 0, done.stdout[:20000] + done.stderr
    [report] = tmp_path.glob("*.ndjson")
    asked = set()
    for line in report.read_text(encoding="utf-8").splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for case, exchange in recorder.get("interactions", {}).items():
            value = recorder["cases"][case]["value"]
            assert exchange["response"]["status_code"] < 500, (value, exchange)
            asked.add((value["method"], value["path"]))
    assert not OPERATIONS.keys() - asked

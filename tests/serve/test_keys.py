"""Who may do what: keys with their scopes and tenants, and nobody from elsewhere without one."""

import subprocess

import pytest

from conftest import LIMIT_S, Service, clean_environment, form


@pytest.fixture(scope="module")
def service(quire, tmp_path_factory):
    """A service for two tenants, and an administrator; keys were added while it runs."""
    service = Service(quire, tmp_path_factory.mktemp("serve") / "data")
    assert service.get("/v1/documents").status == 200  # without any key, from this machine
    service.known = {name: service.keys("add", name, "--tenant", name[0], "--scopes", scopes).strip()
                     for name, scopes in (("a-1", "read,write"), ("b-1", "read,write"),
                                          ("b-read", "read"), ("b-write", "write"),
                                          ("root", "admin"))}
    yield service
    service.stop()


@pytest.fixture
def ask(service):
    """Asks as the one who has a key of that name."""

    def call(name, method, path, *body, **headers):
        service.key = service.known.get(name, name)
        return service.ask(method, path, *body, **headers)

    return call


def test_a_key_is_needed_from_the_first_on(service, ask):
    for key in (None, "qk_" + "a" * 32, "x", "a-1"):
        service.key = key
        answer = service.get("/v1/documents")
        answer.problem(401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        for path in ("/healthz", "/readyz", "/version", "/metrics", "/openapi.json"):
            assert service.get(path).status == 200
    service.key = None
    assert service.get("/v1/documents", X_Api_Key=service.known["a-1"]).status == 200
    assert service.get("/v1/documents", Authorization=f"bearer {service.known['a-1']}").status == 200
    service.get("/v1/documents", Authorization=f"Basic {service.known['a-1']}").problem(
        401, "unauthorized")


def test_scopes(ask, page):
    ask("b-read", "POST", "/v1/documents", page.read_bytes()).problem(403, "forbidden")
    assert ask("b-write", "POST", "/v1/documents", page.read_bytes()).status == 202
    ask("b-write", "GET", "/v1/documents").problem(403, "forbidden")
    assert ask("b-read", "GET", "/v1/documents").status == 200
    document = ask("b-read", "GET", "/v1/documents").json["documents"][0]["id"]
    for method, path in (("DELETE", ""), ("POST", "/cancel")):
        ask("b-read", method, f"/v1/documents/{document}{path}").problem(403, "forbidden")
    assert ask("root", "DELETE", f"/v1/documents/{document}").status == 204


def test_tenants_do_not_meet(service, ask, page):
    answer = ask("a-1", "POST", "/v1/documents?wait=60&name=mine", page.read_bytes(),
                 Idempotency_Key="same")
    mine = answer.headers["Location"].split("/")[-1]
    batch = ask("a-1", "POST", "/v1/batches", *form(("file", page.read_bytes(), "p"))).json["id"]
    failed = ask("a-1", "POST", "/v1/documents?wait=60", b"bad").headers["Location"].split("/")[-1]
    for document in (mine, failed):
        for method, path in (("GET", ""), ("GET", "/result"), ("GET", "/pages/1"), ("GET", "/events"),
                             ("POST", "/cancel"), ("DELETE", "")):
            ask("b-1", method, f"/v1/documents/{document}{path}").problem(404, "not_found", "id")
        ask("b-1", "POST", f"/v1/jobs/{document}/requeue").problem(404, "not_found", "id")
    ask("b-1", "GET", f"/v1/batches/{batch}").problem(404, "not_found", "id")
    ask("b-1", "POST", f"/v1/documents?batch={batch}", page.read_bytes()).problem(
        404, "not_found", "batch")
    assert ask("b-1", "GET", f"/v1/documents?batch={batch}").json["documents"] == []
    ids = {d["id"] for d in ask("b-1", "GET", "/v1/documents?limit=200").json["documents"]}
    assert not ids & {mine, failed}
    theirs = ask("b-1", "POST", "/v1/documents", page.read_bytes(), Idempotency_Key="same").json
    assert theirs["id"] != mine  # neither keys of requests nor results are shared
    assert theirs["reused"] is False and theirs["name"] != "mine"
    every = {d["id"] for d in ask("root", "GET", "/v1/documents?limit=200").json["documents"]}
    assert {mine, failed, theirs["id"]} <= every
    assert ask("a-1", "GET", f"/v1/documents/{mine}").status == 200


def test_a_revoked_key_opens_nothing(service, ask):
    key = service.keys("add", "short-lived").strip()
    assert key.startswith("qk_") and len(key) == 35
    assert ask(key, "GET", "/v1/documents").status == 200
    service.keys("revoke", "short-lived")
    ask(key, "GET", "/v1/documents").problem(401, "unauthorized")
    listed = [line.split("\t") for line in service.keys("list").splitlines()]
    assert ["short-lived", "default", "read,write", "revoked"] in [
        [*line[:3], line[4]] for line in listed]
    assert ["root", "r", "admin", "valid"] in [[*line[:3], line[4]] for line in listed]


def test_keys_are_kept_as_hashes(service):
    for path in service.data.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(key.encode() in data for key in service.known.values())


@pytest.mark.parametrize("arguments,words", [
    (["add", "a b"], "a name has"), (["add", "x", "--scopes", "all"], "--scopes"),
    (["add", "x", "--tenant", "a/b"], "a tenant has"), (["revoke", "nobody"], "no such key"),
    (["add", "a-1"], "revoke it or choose another name"), (["add"], "NAME"), ([], "NAME")])
def test_keys_that_cannot_be(quire, service, arguments, words):
    done = subprocess.run([quire, "keys", *arguments, "--data", service.data], check=False,
                          capture_output=True, text=True, env=clean_environment(), timeout=LIMIT_S)
    assert done.returncode in (1, 5, 6) and words in done.stderr and not done.stdout


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", ":0", "127.0.0.1:0,0.0.0.0:0"])
def test_nobody_from_elsewhere_without_keys(quire, tmp_path, address):
    done = subprocess.run([quire, "serve", "--data", tmp_path / "data", "--listen", address],
                          check=False, capture_output=True, text=True, env=clean_environment(),
                          timeout=LIMIT_S)
    assert done.returncode == 1
    assert "others would be served without a key" in done.stderr and "quire keys add" in done.stderr


def test_from_elsewhere_with_a_key(serve, page, elsewhere):
    service = serve()
    key = service.keys("add", "k").strip()
    service.stop()
    service.start("--listen", f"127.0.0.1:0,{elsewhere}:0")
    service.listen_elsewhere(elsewhere)
    for path in ("/v1/documents", "/metrics", "/openapi.json"):
        service.get(path).problem(401, "unauthorized")
    for path in ("/healthz", "/readyz"):
        assert service.get(path).status == 200
    service.key = key
    assert service.post("/v1/documents?wait=60", page.read_bytes()).status == 200
    service.keys("revoke", "k")  # the last one: this machine alone is served from now on
    service.key = None
    service.get("/v1/documents").problem(401, "unauthorized")

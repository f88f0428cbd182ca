"""The HTTP layer: routes, targets, answers, waiting, stopping."""

import os
import re
import socket
import subprocess

import pytest

from conftest import LIMIT_S, read_answer, read_to_end, wait_until


def test_path_and_query_are_decoded(server):
    value = server.ask("GET", "/echo/a%20b%2Fc?x=1&x=2&y=%C3%A9+z&flag&&e=").json()
    assert value["word"] == "a b/c"
    assert value["query"] == [["x", "1"], ["x", "2"], ["y", "é z"], ["flag", ""], ["e", ""]]
    assert value["loopback"] is True and value["peer"] == "127.0.0.1"


def test_header_is_found_in_any_case(server):
    assert server.ask("GET", "/echo/a", headers={"X-API-KEY": "k e y"}).json()["key"] == "k e y"


def test_target_with_scheme_and_host(server):
    answer = server.send(b"GET http://elsewhere/echo/x?a=b HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.json()["query"] == [["a", "b"]]


@pytest.mark.parametrize("target", [
    "/echo/%", "/echo/%4", "/echo/%zz", "/echo/%00", "/echo/a%0Ab", "/echo/%ff", "/echo/%c0%80",
    "/echo/..", "/echo/%2e%2e", "/echo/.", "/" + "a/" * 30, "/echo/" + "a" * 300,
    "/echo/a?x=%", "/echo/a?%00=1", "/echo/a?x=%ff", "/echo/a?" + "x&" * 100, "*", "echo",
    "/echo/a#b", "/echo/a?b#c"])
def test_bad_target_is_refused(server, target):
    answer = server.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert (answer.status, answer.problem()) == (400, "bad_target")


@pytest.mark.parametrize("path", ["/none", "/echo", "/echo/a/b", "/echo/", "/upload/", "//", "/Echo/a"])
def test_unknown_path(server, path):
    answer = server.ask("GET", path)
    assert (answer.status, answer.problem()) == (404, "no_such_path")


def test_other_method_is_told_what_is_allowed(server):
    answer = server.ask("DELETE", "/upload")
    assert (answer.status, answer.problem()) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST, PUT"
    assert server.ask("OPTIONS", "/echo/a").headers["Allow"] == "GET, HEAD"
    assert server.ask("A-METHOD-OF-AN-UNUSUAL-LENGTH", "/echo/a").status == 405


def test_head_has_the_length_of_get_and_no_body(server):
    s = server.connect()
    s.sendall(b"HEAD /file?bytes=1000 HTTP/1.1\r\nHost: a\r\n\r\n")
    head = read_answer(s, "HEAD")
    assert (head.status, head.headers["Content-Length"], head.body) == (200, "1000", b"")
    s.sendall(b"HEAD /echo/a HTTP/1.1\r\nHost: a\r\n\r\nHEAD /none HTTP/1.1\r\nHost: a\r\n\r\n"
              b"HEAD /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    text = read_to_end(s)
    assert re.findall(rb"HTTP/1.[01] (\d+)", text) == [b"200", b"404", b"200"]
    assert text.count(b"\r\n\r\n") == 3 and text.endswith(b"\r\n\r\n")
    assert b"\r\n\r\n0\r\n" not in text


def test_header_of_a_handler_cannot_add_another(server):
    answer = server.ask("GET", "/echo/a?header=x%0D%0ASet-Cookie:%20a%0D%0A%0D%0Abody")
    assert answer.headers["X-Echo"] == "x  Set-Cookie: a    body"
    assert answer.headers["Set-Cookie"] is None
    assert answer.json()["word"] == "a"


def test_request_id_is_kept_when_harmless_and_made_when_not(server):
    assert server.ask("GET", "/echo/a", headers={"X-Request-Id": "my-id_1.x"}).headers["X-Request-Id"] == "my-id_1.x"
    made = {server.ask("GET", "/none", headers={"X-Request-Id": given}).headers["X-Request-Id"]
            for given in ("a b", "x" * 65, "<a>", "")}
    assert len(made) == 4 and all(len(i) == 32 for i in made)


def test_every_answer_names_the_server(server):
    for path in "/echo/a", "/none", "/events", "/file":
        assert server.ask("GET", path).headers["Server"] == "quire"


def test_connection_is_kept_between_requests(server):
    s = server.connect()
    for i in range(5):
        s.sendall(f"GET /echo/{i} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert read_answer(s).json()["word"] == str(i)
    s.sendall(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read_answer(s).status == 404
    s.sendall(b"GET /echo/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert read_to_end(s).startswith(b"HTTP/1.1 200")
    assert server.counts()["accepted"] == 1


def test_pipelined_requests_are_answered_in_order(server):
    s = server.connect()
    s.sendall(b"GET /echo/1 HTTP/1.1\r\nHost: a\r\n\r\n"
              b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
              b"GET /deferred?ms=20 HTTP/1.1\r\nHost: a\r\n\r\n"
              b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n"
              b"GET /events?steps=2 HTTP/1.1\r\nHost: a\r\n\r\n"
              b"GET /echo/2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    text = read_to_end(s)
    assert re.findall(rb"HTTP/1.1 (\d+)", text) == [b"200", b"200", b"202", b"404", b"200", b"200"]
    assert text.index(b'"1"') < text.index(b'"bytes": 3') < text.index(b"deferred") \
        < text.index(b"no_such_path") < text.index(b"id: 2") < text.index(b'"2"')


def test_http_1_0(server):
    s = server.connect()
    s.sendall(b"GET /events?steps=3 HTTP/1.0\r\n\r\n")
    head, body = read_to_end(s).split(b"\r\n\r\n", 1)
    assert b"chunked" not in head
    assert body == b"".join(b"id: %d\ndata: step\n\n" % i for i in (1, 2, 3))


def test_answer_of_another_thread(server):
    answer = server.ask("GET", "/deferred?steps=5")
    assert (answer.status, answer.json()) == (202, {"deferred": True})
    assert server.wait("closed") == "deferred"


def test_resumed_before_the_body_is_there(server):
    s = server.connect()
    s.sendall(b"POST /deferred?ms=0 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
    server.alive()  # by now the work is done, and told, or about to be
    s.sendall(b"cd")
    assert read_answer(s).status == 202


def test_events_come_as_they_happen(server):
    s = server.connect()
    s.sendall(b"GET /events?steps=1000000&ms=1 HTTP/1.1\r\nHost: a\r\n\r\n")
    text = b""
    while b"id: 20\n" not in text:  # long before the last
        piece = s.recv(4096)
        assert piece
        text += piece


def test_client_that_leaves_is_noticed(server):
    for path, name in (("/never", "never"), ("/events?ms=1000000", "events"), ("/flood", "flood")):
        s = server.connect()
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        if name in ("events", "flood"):
            s.recv(10)
        if name == "never":
            server.wait("begun")
        wait_until(lambda: server.counts()["open"] == 1)
        s.close()
        server.wait("closed", lambda closed, name=name: closed == name)
        wait_until(lambda: server.counts()["open"] == 0)
    server.wait("log", lambda record: record["path"] == "/never" and record["status"] == 0)
    server.wait("log", lambda record: record["path"] == "/flood" and record["broken"])
    server.alive()


def test_file(server):
    for n in 0, 1, 4097, 3_000_000:
        answer = server.ask("GET", f"/file?bytes={n}")
        assert answer.headers["Content-Length"] == str(n)
        assert answer.body == (b"abcdefghijklmnopqrstuvwxyz" * (n // 26 + 1))[:n]


def test_answer_that_found_no_memory(server):
    answer = server.ask("GET", "/broken")
    assert (answer.status, answer.problem()) == (503, "no_memory")


def test_log_and_counts(server):
    server.ask("POST", "/upload?token=secret", b"x" * 100, {"X-Request-Id": "me"})
    server.ask("GET", "/none")
    wait_until(lambda: len(server.records()) == 2)
    assert server.records()[0] == {"request_id": "me", "peer": "127.0.0.1", "method": "POST", "path": "/upload",
                                   "status": 200, "in": 100, "out": server.records()[0]["out"], "broken": False}
    wait_until(lambda: server.counts()["open"] == 0)
    counts = server.counts()
    assert counts["requests"] == [0, 0, 1, 0, 1, 0]
    assert counts["in"] == 100
    assert counts["out"] == sum(record["out"] for record in server.records()) > 0
    assert counts["accepted"] == 2


def test_two_hundred_connections_at_once(server):
    clients = [server.connect() for _ in range(200)]
    for i, s in enumerate(clients):
        s.sendall(f"GET /deferred?ms={i % 7} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert [read_answer(s).status for s in clients] == [202] * 200
    for i, s in enumerate(clients):
        s.sendall(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n" + b"x" * 25000)
    for s in clients:
        s.sendall(b"y" * 25000)
    assert [read_answer(s).json()[0]["bytes"] for s in clients] == [50000] * 200
    assert server.counts()["open"] == 200


# ---- addresses ---------------------------------------------------------------------------------


def test_addresses_of_both_kinds(serve):
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    server = serve("address=[::1]:0")
    assert server.wait("address") == f"[::1]:{server.port}"
    with socket.create_connection(("::1", server.port)) as s:
        s.sendall(b"GET /echo/a HTTP/1.1\r\nHost: a\r\n\r\n")
        value = read_answer(s).json()
    assert (value["peer"], value["loopback"]) == ("::1", True)
    everywhere = serve("address=:0")
    value = everywhere.ask("GET", "/echo/a").json()
    assert (value["peer"], value["loopback"]) == ("127.0.0.1", True)


@pytest.mark.parametrize("options, told", [
    (["address=localhost:80"], "not an address in numbers"),
    (["address=127.0.0.1"], "no port"),
    (["address=127.0.0.1:70000"], "no port"),
    (["address=::1:80"], "not an address in numbers"),
    (["address=[127.0.0.1]:80"], "not an address in numbers"),
    (["address=127.0.0.1:0", "certificate=x"], "one of them is not given"),
    ([], "no address"),
])
def test_options_without_sense(options, told):
    done = subprocess.run([os.environ["HTTP_PROBE"], *options], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    assert told in done.stderr
    assert done.returncode == 1  # QUIRE_ERR_USAGE


def test_port_that_is_taken(server):
    done = subprocess.run([os.environ["HTTP_PROBE"], f"address=127.0.0.1:{server.port}"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert f"127.0.0.1:{server.port}: it cannot be listened at" in done.stderr
    assert done.returncode > 0


# ---- stopping ----------------------------------------------------------------------------------


def test_stopping_lets_running_requests_end(server):
    idle, unused = server.connect(), server.connect()
    idle.sendall(b"GET /echo/a HTTP/1.1\r\nHost: a\r\n\r\n")
    read_answer(idle)
    running = server.connect()
    running.sendall(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n")
    assert b"100 Continue" in running.recv(100)
    running.sendall(b"abc")
    wait_until(lambda: server.counts()["open"] == 3)
    server.command("stop 100000")
    assert read_to_end(idle) == b"" and read_to_end(unused) == b""
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port)).close()
    running.sendall(b"def")
    answer = read_answer(running)
    assert answer.json()[0]["bytes"] == 6
    assert answer.headers["Connection"] == "close"
    assert read_to_end(running) == b""
    assert server.process.wait(LIMIT_S) == 0


def test_stopping_does_not_wait_for_ever(server):
    waiting = [server.connect() for _ in range(3)]
    for s, path in zip(waiting, ("never", "flood", "events?ms=100000000")):
        s.sendall(f"GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    server.wait("begun")
    for s in waiting[1:]:
        s.recv(1)
    server.command("stop 50")
    for s in waiting:
        read_to_end(s)
    for name in "never", "flood", "events":
        server.wait("closed", lambda closed, name=name: closed == name)

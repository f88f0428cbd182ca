"""The HTTP layer: clocks, and limits on connections and descriptors."""

import http.client
import os
import resource
import time

from conftest import read_answer, read_to_end, wait_until

SLOW = 100_000  # a clock that does not end anything here


def test_head_that_does_not_come(serve):
    server = serve("head_ms=1500")
    begun = []
    for sent in b"G", b"GET /echo/a HTTP/1.1\r\n", b"GET /echo/a HTTP/1.1\r\nHost: a\r\nX: ":
        begun.append(server.connect())
        begun[-1].sendall(sent)
    silent = server.connect()
    for s in begun:
        answer = read_answer(s)
        assert (answer.status, answer.problem()) == (408, "request_timeout")
        assert answer.headers["Connection"] == "close"
        assert read_to_end(s) == b""
    assert read_to_end(silent) == b""
    assert server.counts()["timeouts"] == 4
    wait_until(lambda: len(server.records()) == 3)
    assert [record["status"] for record in server.records()] == [408, 408, 408]
    server.alive()


def trickle(s, head):
    """Sends a byte now and then, for ever, until the other side has had enough; what it said."""
    s.sendall(head)
    s.settimeout(0.02)
    data = b""
    while True:
        try:
            s.sendall(b"x")
            piece = s.recv(65536)
            if not piece:
                return data
            data += piece
        except TimeoutError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            return data


def test_head_that_trickles(serve):
    server = serve("head_ms=1500")
    assert trickle(server.connect(), b"GET /echo/a HTTP/1.1\r\nX: ").startswith(b"HTTP/1.1 408 ")
    s = server.connect()  # and the second of a connection
    s.sendall(b"GET /echo/a HTTP/1.1\r\nHost: a\r\n\r\n")
    read_answer(s)
    assert trickle(s, b"GET /echo/a HTTP/1.1\r\nX: ").startswith(b"HTTP/1.1 408 ")
    server.alive()


def test_body_that_does_not_come(serve):
    server = serve("body_window_ms=200", "min_body_rate_bps=1000")
    for sent in (b"Content-Length: 100\r\n\r\n", b"Content-Length: 100\r\n\r\nabc",
                 b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n",
                 b"Transfer-Encoding: chunked\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                 b"Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer: "):
        s = server.connect()
        s.sendall(b"POST /upload HTTP/1.1\r\nHost: a\r\n" + sent)
        data = read_to_end(s).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert data.startswith(b"HTTP/1.1 408 ") and b"request_timeout" in data
    wait_until(lambda: len(server.records()) == 6)
    assert [record["status"] for record in server.records()] == [408] * 6
    assert len([line for line in server.lines if line.get("closed") == "upload"]) == 6
    server.alive()


def test_body_that_trickles(serve):
    server = serve("body_window_ms=300", "min_body_rate_bps=100000")
    data = trickle(server.connect(), b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
    assert data.startswith(b"HTTP/1.1 408 ")
    server.alive()


def test_slow_but_steady_body_is_taken(serve):
    server = serve("body_window_ms=1500", "min_body_rate_bps=1")
    s = server.connect()
    s.sendall(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 80\r\n\r\n")
    for _ in range(80):  # over several windows, which see many bytes each
        time.sleep(0.05)
        s.sendall(b"x")
    assert read_answer(s).status == 200


def test_idle_connection_is_closed(serve):
    server = serve("idle_ms=200", f"head_ms={SLOW}")
    s = server.connect()
    s.sendall(b"GET /echo/a HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read_answer(s).status == 200
    assert read_to_end(s) == b""
    server.alive()


def test_waiting_for_a_handler_is_not_idle(serve):
    server = serve("idle_ms=50", "body_window_ms=50", "write_stall_ms=50")
    s = server.connect()
    s.sendall(b"GET /deferred?ms=500 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read_answer(s).status == 202
    s = server.connect()
    s.sendall(b"GET /events?steps=2&ms=300 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"id: 2" in read_answer(s).body


def test_client_that_does_not_read_is_dropped(serve):
    server = serve("write_stall_ms=300")
    for path in "flood", "file?bytes=50000000":
        s = server.connect(receive_bytes=4096)
        s.sendall(f"GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        server.wait("log", lambda record, path=path: record["path"] == "/" + path.split("?")[0] and record["broken"])
    assert server.counts()["timeouts"] == 2
    server.wait("closed", lambda closed: closed == "flood")
    server.alive()


def test_client_that_reads_slowly_gets_all(serve):
    server = serve("write_stall_ms=20000")
    s = server.connect(receive_bytes=4096)
    s.sendall(b"GET /file?bytes=2000000 HTTP/1.1\r\nHost: a\r\n\r\n")
    response = http.client.HTTPResponse(s)
    response.begin()
    n = 0
    while piece := response.read(50_000):
        n += len(piece)
        time.sleep(0.002)
    assert n == 2_000_000


def test_as_many_connections_as_allowed(serve):
    server = serve("max_connections=5")
    held = [server.connect() for _ in range(5)]
    for s in held:
        s.sendall(b"GET /echo/a HTTP/1.1\r\nHost: a\r\n\r\n")
        read_answer(s)
    answer = server.ask("GET", "/echo/a")
    assert (answer.status, answer.problem()) == (503, "too_many_connections")
    assert answer.headers["Retry-After"] == "1"
    answer = server.ask("POST", "/upload", b"x" * 3_000_000)  # though nobody wants its body
    assert answer.status == 503
    held[0].sendall(b"GET /echo/a HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read_answer(held[0]).status == 200
    held[1].close()
    wait_until(lambda: server.counts()["open"] == 4)
    server.alive()
    assert server.counts()["refused"] == 2


def test_connections_of_one_address(serve):
    server = serve("per_address=2")
    held = [server.connect() for _ in range(2)]
    for s in held:
        s.sendall(b"GET /echo/a HTTP/1.1\r\nHost: a\r\n\r\n")
        read_answer(s)
    assert server.ask("GET", "/echo/a").status == 503


def cpu_seconds(server):
    fields = open(f"/proc/{server.process.pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_out_of_descriptors(serve):
    n_all = 60
    server = serve(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)))
    clients = [server.connect() for _ in range(n_all)]
    for s in clients:
        s.sendall(b"GET /echo/a HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read_answer(clients[0]).status == 200
    wait_until(lambda: server.counts()["open"] >= 20)
    before, start = cpu_seconds(server), time.monotonic()
    time.sleep(1)
    assert cpu_seconds(server) - before < 0.25 * (time.monotonic() - start)  # it does not spin
    assert server.counts()["open"] < 40
    for s in clients[1:]:  # those left out come in as others go
        clients.pop(0).close()
        assert read_answer(s).status == 200
    server.alive()


def test_chunk_head_without_end_does_not_keep_the_loop_busy(serve):
    server = serve("body_window_ms=3000")
    s = server.connect()
    s.sendall(b"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 200_000)
    wait_until(lambda: server.counts()["open"] == 1)
    before, start = cpu_seconds(server), time.monotonic()
    time.sleep(1)
    assert cpu_seconds(server) - before < 0.5 * (time.monotonic() - start)
    server.alive()
    assert read_to_end(s).startswith(b"HTTP/1.1 4")

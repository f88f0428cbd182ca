"""The HTTP layer: bodies, raw, chunked, multipart and JSON, whole and malformed."""

import random

import pytest

from conftest import read_answer, read_to_end, wait_until

BOUNDARY = "XyZ-b"
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def checksum(data):
    value = 0
    for byte in data:
        value = (value * 31 + byte) % 2**64
    return str(value)


def field(name, data, file_name="", media_type=""):
    return {"name": name, "file_name": file_name, "media_type": media_type, "bytes": len(data),
            "sum": checksum(data)}


def part(head, data=b""):
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + data + b"\r\n"


def form(name, data=b"", more=""):
    return part(f'Content-Disposition: form-data; name="{name}"{more}', data)


END = f"--{BOUNDARY}--\r\n".encode()


def head(path, n_bytes, more=""):
    return (f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {n_bytes}\r\n"
            f"{more}\r\n").encode()


MULTIPART_HEAD = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"


def chunked(pieces):
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


# ---- raw ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_bytes", [0, 1, 1000, 3_000_000])
def test_raw_body(server, n_bytes):
    data = random.Random(1).randbytes(n_bytes)
    assert server.ask("POST", "/upload", data).json() == ([field("", data)] if data else [])


def test_chunked_body(server):
    data = random.Random(2).randbytes(100_000)
    pieces = [data[:1], data[1:5000], data[5000:70000], data[70000:]]
    answer = server.send(b"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(pieces))
    assert answer.json() == [field("", data)]


def test_body_comes_byte_by_byte(server):
    s = server.connect()
    for i in range(0, 4):
        data = b"abc"[:i]
        for byte in head("/upload", i) + data:
            s.sendall(bytes([byte]))
        assert read_answer(s).json() == ([field("", data)] if data else [])


def test_route_without_body_refuses_one(server):
    answer = server.ask("GET", "/echo/a", b"body")
    assert (answer.status, answer.problem()) == (400, "body_not_allowed")
    assert server.ask("GET", "/echo/a", headers={"Content-Length": "0"}).status == 200


# ---- too much ----------------------------------------------------------------------------------


def test_body_that_is_too_large(serve):
    server = serve("max_body_bytes=1000")
    assert server.ask("POST", "/upload", b"x" * 1000).status == 200
    answer = server.ask("POST", "/upload", b"x" * 1001)
    assert (answer.status, answer.problem()) == (413, "body_too_large")
    answer = server.send(b"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                         + chunked([b"x" * 600, b"x" * 600]))
    assert (answer.status, answer.problem()) == (413, "body_too_large")
    server.alive()


def test_announced_body_is_refused_before_any_of_it(serve):
    server = serve("max_body_bytes=1000")
    answer = server.send(head("/upload", 10**18, "Expect: 100-continue\r\n"))
    assert (answer.status, answer.problem()) == (413, "body_too_large")


def test_answer_reaches_a_client_that_still_sends(serve):
    server = serve("max_body_bytes=1000")
    for more in head("/upload", 8_000_000), b"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n":
        s = server.connect()
        s.sendall(more)
        if b"chunked" in more:
            s.sendall(b"7a1200\r\n")
        s.sendall(b"x" * 8_000_000)  # all of it: the server reads on, though it has answered
        assert read_answer(s).status == 413
        assert read_to_end(s) == b""
    server.alive()


# ---- 100 Continue ------------------------------------------------------------------------------


def test_continue_is_sent_only_when_the_body_is_wanted(server):
    s = server.connect()
    s.sendall(head("/upload", 3, "Expect: 100-continue\r\n"))
    line = s.recv(1000)
    assert line == b"HTTP/1.1 100 Continue\r\n\r\n"
    s.sendall(b"abc")
    assert read_answer(s).json() == [field("", b"abc")]
    s.sendall(head("/upload", 3, "Expect: 100-continue\r\nX-Deny: 1\r\n"))
    assert read_to_end(s).startswith(b"HTTP/1.1 403 ")


def test_refusal_with_the_head(server):
    for data in b"", b"x" * 5_000_000:
        answer = server.ask("POST", "/upload", data, {"X-Deny": "1"})
        assert (answer.status, answer.problem()) == (403, "denied")
        assert answer.json()["detail"] == 'not "this" one'
    s = server.connect()  # without a body the connection is kept
    for _ in range(2):
        s.sendall(head("/upload", 0, "X-Deny: 1\r\n"))
        assert read_answer(s).status == 403


# ---- JSON --------------------------------------------------------------------------------------


def test_json(server):
    for n in 1, 65536:
        answer = server.ask("POST", "/json", b"{" * n, {"Content-Type": "Application/JSON; charset=utf-8"})
        assert answer.json() == {"bytes": n}
    assert server.ask("POST", "/json").json() == {"bytes": 0}
    for data in b"x" * 65537, iter([b"x" * 40000, b"x" * 40000]):
        answer = server.ask("POST", "/json", data, {"Content-Type": "application/json"})
        assert (answer.status, answer.problem()) == (413, "body_too_large")
    for kind in "text/plain", "application/jsonx", "multipart/form-data; boundary=a":
        answer = server.ask("POST", "/json", b"{}", {"Content-Type": kind})
        assert (answer.status, answer.problem()) == (415, "media_type_unsupported")
    assert server.ask("POST", "/json", b"{}").status == 415


# ---- multipart ---------------------------------------------------------------------------------


def test_multipart(server):
    data = random.Random(3).randbytes(300_000) + b"\r\n--" + BOUNDARY.encode()[:-1] + b"\r\r\n-\r\n--" + b"\r\n"
    body = (form("a", b"1") + form("empty")
            + part('content-disposition:form-data; filename="f \\"1\\".pdf"; name=file\r\n'
                   "X-Other: x\r\nContent-Type: application/pdf", data)
            + form("ü", "ä".encode(), '; filename="C:\\dir\\é.txt"') + form("f", b"", '; filename=""') + END)
    expected = [field("a", b"1"), field("empty", b""), field("file", data, 'f "1".pdf', "application/pdf"),
                field("ü", "ä".encode(), "C:\\dir\\é.txt"), field("f", b"")]
    assert server.ask("POST", "/upload", body, MULTIPART).json() == expected
    assert server.ask("POST", "/upload", b"\r\n" + body + b"epilogue\r\n--" + BOUNDARY.encode(),
                      MULTIPART).json() == expected
    quoted = {"Content-Type": f'multipart/form-data; charset=utf-8; boundary="{BOUNDARY}"; x=y'}
    assert server.ask("POST", "/upload", body, quoted).json() == expected


def test_multipart_cut_anywhere(server):
    content = b"\r\n--X\r\r\n-\r\n--XyZ-\r\n--XyZ-c--XyZ-b\r\n"
    body = form("a", content) + form("b", b"\r\n\r\n") + END
    expected = [field("a", content), field("b", b"\r\n\r\n")]
    s = server.connect()
    for cut in range(1, len(body)):
        pieces = [body[:cut], body[cut:]]
        s.sendall(b"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                  + MULTIPART_HEAD.encode() + b"\r\n" + chunked(pieces))
        assert read_answer(s).json() == expected
    s.sendall(b"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
              + MULTIPART_HEAD.encode() + b"\r\n" + chunked([bytes([byte]) for byte in body]))
    assert read_answer(s).json() == expected


GOOD = form("a", b"1")

MALFORMED = {
    "nothing": b"",
    "no boundary at all": b"just some text",
    "preamble": b"preamble\r\n" + GOOD + END,
    "dashes": b"-" * 100_000,
    "another boundary": GOOD.replace(b"XyZ", b"xyz") + END,
    "no end": GOOD,
    "end of the last boundary is missing": GOOD + END[:-4],
    "no end in content": GOOD[:-2],
    "cut in a head": GOOD[:30],
    "no parts, no end": f"--{BOUNDARY}\r\n".encode(),
    "boundary goes on": GOOD + f"--{BOUNDARY}x\r\n".encode() + END,
    "no disposition": part("Content-Type: text/plain", b"1") + END,
    "no headers": f"--{BOUNDARY}\r\n\r\nabc\r\n".encode() + END,
    "disposition twice": part('Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"')
    + END,
    "not form-data": part('Content-Disposition: attachment; name="a"') + END,
    "no name": part("Content-Disposition: form-data") + END,
    "name without end": part('Content-Disposition: form-data; name="a') + END,
    "name with control character": form("a\x01") + END,
    "name with NUL": form("a\0b") + END,
    "name that is not UTF-8": form("a").replace(b'"a"', b'"\xff"') + END,
    "long name": form("a" * 300) + END,
    "long file name": form("a", b"", '; filename="' + "f" * 2000 + '"') + END,
    "header without colon": part('Content-Disposition: form-data; name="a"\r\nfoo') + END,
    "folded header": part('Content-Disposition: form-data;\r\n name="a"') + END,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_multipart(server, name):
    answer = server.ask("POST", "/upload", MALFORMED[name], MULTIPART)
    assert (answer.status, answer.problem()) == (400, "bad_multipart")
    server.alive()


@pytest.mark.parametrize("kind", [
    "multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary=""',
    "multipart/form-data; boundary=" + "x" * 71, 'multipart/form-data; boundary="a',
    'multipart/form-data; boundary="a\tb"', 'multipart/form-data; boundary="a "', "multipart/form-data; bound=a",
    "multipart/form-data boundary=a"])
def test_content_type_without_boundary(server, kind):
    answer = server.ask("POST", "/upload", GOOD + END, {"Content-Type": kind})
    assert (answer.status, answer.problem()) == (400, "bad_multipart")


def test_too_many_parts_and_too_large_heads(server):
    assert len(server.ask("POST", "/upload", GOOD * 1024 + END, MULTIPART).json()) == 1024
    for body in (GOOD * 1025 + END, GOOD * 50_000 + END,
                 part('Content-Disposition: form-data; name="a"\r\n' + "X: y\r\n" * 1000) + END,
                 part("X: " + "y" * 5_000_000) + END):
        answer = server.ask("POST", "/upload", body, MULTIPART)
        assert (answer.status, answer.problem()) == (413, "multipart_too_large")
    server.alive()


def test_handler_refuses_a_part(server):
    answer = server.ask("POST", "/upload", form("a", b"1") + form("forbidden", b"1") + form("b", b"x" * 5_000_000),
                        MULTIPART)
    assert (answer.status, answer.problem()) == (422, "forbidden_field")
    assert answer.json()["field"] == "forbidden"
    server.wait("closed", lambda closed: closed == "upload")
    server.wait("log", lambda record: record["status"] == 422 and not record["broken"])


def test_client_that_leaves_within_its_body(server):
    for sent in (head("/upload", 1000), head("/upload", 1000) + b"abc",
                 head("/upload", 1000, MULTIPART_HEAD) + form("a", b"1"),
                 b"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"):
        s = server.connect()
        s.sendall(sent)
        wait_until(lambda: server.counts()["open"] == 1)
        s.close()
        wait_until(lambda: server.counts()["open"] == 0)
    wait_until(lambda: len(server.records()) == 4)
    assert [record["status"] for record in server.records()] == [0, 0, 0, 0]
    server.alive()

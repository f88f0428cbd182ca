"""The HTTP layer: requests that no honest client sends. Each is refused, or its connection closed,
and the server goes on."""

import random

import pytest

from conftest import read_to_end, wait_until

GET = b"GET /echo/a HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /upload HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# What is sent, the status that answers it, and the code of the problem; None where libmicrohttpd answers
# by itself, because it did not find a request in it.
REFUSED = {
    "length and encoding": (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                            400, "ambiguous_body"),
    "encoding and length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
                            400, "ambiguous_body"),
    "two lengths": (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, "ambiguous_body"),
    "two equal lengths": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, "ambiguous_body"),
    "two encodings": (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                      400, "ambiguous_body"),
    "two types": (POST + b"Content-Type: text/plain\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\na",
                  400, "ambiguous_body"),
    "encoding in HTTP/1.0": (CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n", 400, "ambiguous_body"),
    "other encoding": (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501, "transfer_encoding_unsupported"),
    "list of encodings": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                          501, "transfer_encoding_unsupported"),
    "encoding with a tab": (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
                            501, "transfer_encoding_unsupported"),
    "space before a colon": (POST + b"Content-Length : 3\r\n\r\nabc", 400, "bad_header"),
    "space before the encoding's colon": (POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, "bad_header"),
    "control character in a name": (GET + b"X\x01: x\r\n\r\n", 400, "bad_header"),
    "first header folded": (b"GET /echo/a HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n", 400, "bad_header"),
    "no host": (b"GET /echo/a HTTP/1.1\r\n\r\n", 400, "bad_host"),
    "two hosts": (GET + b"Host: b\r\n\r\n", 400, "bad_host"),
    "space in the target": (b"GET /echo/a b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400, "bad_target"),
    "other expectation": (POST + b"Expect: much\r\nContent-Length: 3\r\n\r\nabc", 417, "expectation_failed"),
    "long target": (b"GET /echo/a?x=" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "uri_too_long"),
    "large head": (GET + b"X: " + b"x" * 17_000 + b"\r\n\r\n", 431, "head_too_large"),
    "many headers": (GET + b"".join(b"X%d: a\r\n" % i for i in range(100)) + b"\r\n", 431, "head_too_large"),
    "huge length": (POST + b"Content-Length: 18446744073709551615\r\n\r\n", 413, "body_too_large"),
    "length past 64 bits": (POST + b"Content-Length: 18446744073709551616\r\n\r\n", 413, None),
    "negative length": (POST + b"Content-Length: -1\r\n\r\n", 400, None),
    "length with sign": (POST + b"Content-Length: +3\r\n\r\nabc", 400, None),
    "length in hexadecimal": (POST + b"Content-Length: 0x3\r\n\r\nabc", 400, None),
    "list of lengths": (POST + b"Content-Length: 3, 3\r\n\r\nabc", 400, None),
    "no chunk size": (CHUNKED + b"\r\nabc", 400, None),
    "bad chunk size": (CHUNKED + b"xyz\r\nabc", 400, None),
    "negative chunk size": (CHUNKED + b"-3\r\nabc", 400, None),
    "chunk size past 64 bits": (CHUNKED + b"fffffffffffffffff\r\nabc", 413, None),
    "chunk longer than it says": (CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n", 400, None),
    "header without colon": (GET + b"nonsense\r\n\r\n", 400, None),
    "NUL in a header": (GET + b"X\0Y: a\r\n\r\n", 400, None),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, None),
    "HTTP/0.9": (b"GET /echo/a\r\n\r\n", 400, None),
    "very long target": (b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, None),
    "very large head": (GET + b"X: " + b"x" * 200_000 + b"\r\n\r\n", 431, None),
    "thousands of headers": (GET + b"a: b\r\n" * 20_000 + b"\r\n", 431, None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(server, name):
    sent, status, code = REFUSED[name]
    s = server.connect()
    try:
        s.sendall(sent)
    except OSError:
        pass  # refused while it was sent
    text = read_to_end(s)
    assert text.startswith(b"HTTP/1.1 %d " % status)
    if code:
        assert text.count(b"HTTP/1.1 ") == 1  # nothing of it was taken for a second request
        assert b'"code":"%s"' % code.encode() in text
        assert b"Content-Type: application/problem+json\r\n" in text
        server.wait("log", lambda record: record["status"] == status)
    server.alive()


@pytest.mark.parametrize("sent", [b"\r\n\r\n\r\n", b"\0" * 1000, b"nonsense\r\n\r\n", b"GET\r\n\r\n", b" \r\n\r\n",
                                  b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500])
def test_what_is_no_request_gets_no_page(server, sent):
    s = server.connect()
    s.sendall(sent)
    s.shutdown(1)
    assert b" 200 " not in read_to_end(s)
    server.alive()


def test_request_inside_a_refused_body_is_not_served(server):
    inner = b"GET /echo/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    for head in (POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                 POST + b"X-Deny: 1\r\nContent-Length: %d\r\n\r\n" % len(inner),
                 b"GET /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(inner)):
        s = server.connect()
        s.sendall(head + inner)
        assert read_to_end(s).count(b"HTTP/1.1 ") == 1
    assert not any("smuggled" in record["path"] for record in server.records())


def damaged(random_source):
    """A request with some of its bytes changed, dropped or doubled."""
    data = bytearray(random_source.choice([
        GET + b"X-Request-Id: a\r\n\r\n", CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", POST + b"Content-Length: 3\r\n\r\nabc",
        POST + b'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 64\r\n\r\n--b\r\n'
        b'Content-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n',
        b"POST /json?a=%20 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"]))
    for _ in range(random_source.randrange(1, 6)):
        at = random_source.randrange(len(data))
        match random_source.randrange(4):
            case 0:
                data[at] = random_source.randrange(256)
            case 1:
                del data[at:at + random_source.randrange(1, 10)]
            case 2:
                data[at:at] = data[at:at + random_source.randrange(1, 40)]
            case 3:
                data[at:at] = random_source.choice([b"\r\n", b"\n", b"\0", b":", b"%", b" ", b"\r\n\r\n", b"\xff"])
        data = data or bytearray(b" ")
    return bytes(data)


def test_damaged_requests(serve):
    server = serve("head_ms=3000", "body_window_ms=1000")
    random_source = random.Random(5)
    for _ in range(60):
        batch = [server.connect() for _ in range(20)]
        for s in batch:
            s.sendall(damaged(random_source))
            if random_source.randrange(2):
                s.shutdown(1)
        for s in batch:
            if random_source.randrange(3) == 0:
                s.close()
        for s in batch:
            s.close()
    wait_until(lambda: server.counts()["open"] == 0)
    server.alive()

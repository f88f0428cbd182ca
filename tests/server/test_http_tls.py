"""The HTTP layer over TLS, with certificates made here."""

import os
import ssl
import subprocess

import pytest

from conftest import LIMIT_S, read_answer, read_to_end, wait_until


def make_certificate(folder, name):
    """Paths of a new certificate for 127.0.0.1 and of its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


class Files:
    """Where the server finds certificate and key, and what lies there."""

    def __init__(self, folder):
        self.folder = folder
        self.certificate, self.key = folder / "now.pem", folder / "now.key"

    def put(self, name):
        certificate, key = make_certificate(self.folder, name)
        self.certificate.write_bytes(certificate.read_bytes())
        self.key.write_bytes(key.read_bytes())

    def options(self):
        return f"certificate={self.certificate}", f"key={self.key}"


@pytest.fixture
def files(tmp_path):
    made = Files(tmp_path)
    made.put("first")
    return made


def connect(server, certificate):
    """A connection that has checked the server's certificate to be that one."""
    context = ssl.create_default_context(cafile=certificate)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(server.connect(), server_hostname="127.0.0.1")


def test_requests(serve, files):
    server = serve(*files.options())
    s = connect(server, files.certificate)
    for i in range(3):
        s.sendall(f"GET /echo/{i} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert read_answer(s).json()["word"] == str(i)
    s.sendall(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000)
    assert read_answer(s).json()[0]["bytes"] == 2_000_000
    s.sendall(b"GET /file?bytes=2000000 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert len(read_answer(s).body) == 2_000_000
    s.sendall(b"GET /deferred?steps=3 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read_answer(s).status == 202
    s.sendall(b"GET /events?steps=3 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"id: 3" in read_answer(s).body
    s.sendall(b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
    server.wait("begun")
    s.close()
    server.wait("closed", lambda closed: closed == "never")


def test_forty_connections_at_once(serve, files):
    server = serve(*files.options())
    clients = [connect(server, files.certificate) for _ in range(40)]
    for s in clients:
        s.sendall(b"GET /deferred?ms=3 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert [read_answer(s).status for s in clients] == [202] * 40


def test_answers_while_the_client_sends(serve, files):
    server = serve(*files.options(), "max_body_bytes=1000")
    for more, status in ((b"Content-Length: 4000000\r\n\r\n", 413),
                         (b"Transfer-Encoding: chunked\r\n\r\n3d0900\r\n", 413),
                         (b"X-Deny: 1\r\nContent-Length: 900\r\n\r\n", 403)):
        s = connect(server, files.certificate)
        s.sendall(b"POST /upload HTTP/1.1\r\nHost: a\r\n" + more)
        try:
            s.sendall(b"x" * (4_000_000 if status == 413 else 900))
        except ssl.SSLError:
            pass  # the server has said that it is over
        assert read_answer(s).status == status


def test_slow_body_is_told(serve, files):
    server = serve(*files.options(), "body_window_ms=200")
    s = connect(server, files.certificate)
    s.sendall(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
    assert read_answer(s).status == 408


def test_handshake_that_does_not_come(serve, files):
    server = serve(*files.options(), "head_ms=1500")
    silent, plain, stuck = (server.connect() for _ in range(3))
    plain.sendall(b"GET /echo/a HTTP/1.1\r\nHost: a\r\n\r\n")
    stuck.sendall(b"\x16\x03\x01\x02\x00\x01\x00")  # a handshake begun and not gone on with
    for s in silent, plain, stuck:
        assert b"HTTP" not in read_to_end(s)
    s = connect(server, files.certificate)
    assert read_answer(s).status == 408  # the handshake alone is no head
    wait_until(lambda: server.counts()["open"] == 0)


def test_certificate_is_read_again(serve, files):
    server = serve(*files.options())
    old_certificate = files.certificate.read_bytes()
    old = connect(server, files.certificate)
    files.put("second")
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(server, files.certificate)  # not yet
    server.command("reload")
    assert server.wait("reloaded") == "ok"
    s = connect(server, files.certificate)
    for each in s, old:
        each.sendall(b"GET /echo/a HTTP/1.1\r\nHost: a\r\n\r\n")
        assert read_answer(each).status == 200
    files.key.write_text("nonsense")
    server.command("reload")
    assert str(files.key) in server.wait("reloaded", lambda value: value != "ok")
    connect(server, files.certificate)  # as before
    assert old_certificate != files.certificate.read_bytes()


@pytest.mark.parametrize("break_it, told", [
    (lambda files: files.certificate.unlink(), "now.pem: it cannot be read"),
    (lambda files: files.key.write_text(""), "now.key: not a PEM file"),
    (lambda files: files.certificate.write_text("nonsense"), "not a certificate in PEM and its key"),
    (lambda files: files.key.write_bytes(make_certificate(files.folder, "other")[1].read_bytes()),
     "not a certificate in PEM and its key")])
def test_files_that_cannot_be_used(serve, files, break_it, told):
    break_it(files)
    done = subprocess.run([os.environ["HTTP_PROBE"], "address=127.0.0.1:0", *files.options()],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    assert done.returncode > 0
    assert told in done.stderr


def test_too_many_connections_are_closed(serve, files):
    server = serve(*files.options(), "max_connections=1")
    held = connect(server, files.certificate)
    with pytest.raises((ssl.SSLError, OSError)):
        connect(server, files.certificate)
    held.sendall(b"GET /echo/a HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read_answer(held).status == 200

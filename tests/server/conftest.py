"""A server of the HTTP layer alone (http_probe) for the tests, and what a client needs."""

import http.client
import json
import os
import socket
import subprocess
import threading
import time

import pytest

LIMIT_S = 120  # for what must happen at all; the machine may be slow


class Server:
    """http_probe, running; its lines of output are collected as they come."""

    def __init__(self, *options, preexec=None):
        if not any(option.startswith("address=") for option in options):
            options = ("address=127.0.0.1:0", *options)
        self.process = subprocess.Popen([os.environ["HTTP_PROBE"], *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        preexec_fn=preexec)
        self.lines = []
        self.arrived = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.port = self.wait("port")
        self.sockets = []

    def _read(self):
        for line in self.process.stdout:
            with self.arrived:
                self.lines.append(json.loads(line))
                self.arrived.notify_all()

    def wait(self, key, matches=lambda value: True):
        """The value of the first line with that key that matches."""
        def found():
            return next((line[key] for line in self.lines if key in line and matches(line[key])), None)
        with self.arrived:
            assert self.arrived.wait_for(lambda: found() is not None, LIMIT_S), \
                f"no {key} among {self.lines[-20:]}"
            return found()

    def records(self):
        with self.arrived:
            return [line["log"] for line in self.lines if "log" in line]

    def command(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def counts(self):
        """The counters as they are now."""
        with self.arrived:
            self.lines = [line for line in self.lines if "counts" not in line]
        self.command("counts")
        return self.wait("counts")

    def connect(self, receive_bytes=None):
        """A connected socket; closed with the server."""
        s = socket.socket()
        if receive_bytes:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        s.settimeout(LIMIT_S)
        s.connect(("127.0.0.1", self.port))
        self.sockets.append(s)
        return s

    def ask(self, method, path, body=None, headers=None):
        """One request on a connection of its own."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        client.request(method, path, body, headers or {})
        answer = Answer(client.getresponse())
        client.close()
        return answer

    def send(self, data):
        """Raw bytes on a connection of their own, and the answer to them."""
        s = self.connect()
        s.sendall(data)
        answer = read_answer(s)
        s.close()
        return answer

    def alive(self):
        """It still serves, and nothing has been left behind."""
        assert self.ask("GET", "/echo/alive").json()["word"] == "alive"

    def end(self):
        for s in self.sockets:
            s.close()
        if self.process.poll() is None:
            self.command("stop 0")
        self.process.wait(LIMIT_S)
        self.reader.join(LIMIT_S)
        errors = self.process.stderr.read()
        assert (self.process.returncode, errors) == (0, "")


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def problem(self):
        """The code of an answer that is a problem, which must be whole."""
        assert self.headers["Content-Type"] == "application/problem+json"
        value = self.json()
        assert value["status"] == self.status
        assert value["type"] == "urn:quire:problem:" + value["code"]
        assert value["title"] and value["detail"]
        return value["code"]


def read_answer(s, method="GET"):
    """The next answer on a socket, on which nothing else comes yet; http.client.HTTPException or
    OSError when there is none."""
    response = http.client.HTTPResponse(s, method=method)
    response.begin()
    return Answer(response)


def read_to_end(s):
    """All that comes until the other side closes, in order or by a reset."""
    data = b""
    try:
        while piece := s.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    return data


def wait_until(condition):
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def serve():
    """Starts servers with options; each must end well."""
    servers = []

    def start(*options, **more):
        servers.append(Server(*options, **more))
        return servers[-1]
    yield start
    for server in servers:
        server.end()


@pytest.fixture
def server(serve):
    return serve()

"""Fixtures of the service's tests: a service of their own on a free port, what asks it, and small
documents drawn on the spot."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
LIMIT_S = 60  # for what must happen; on a slow machine it takes a while


def draw_page(*lines):
    """A small grey page with lines of text."""
    page = Image.new("L", (700, 50 * len(lines) + 60), 255)
    draw = ImageDraw.Draw(page)
    face = ImageFont.truetype(FONT, 30)
    for i, line in enumerate(lines):
        draw.text((40, 30 + 50 * i), line, font=face, fill=0)
    return page


def clean_environment():
    """Variables named QUIRE_… of the caller do not reach the programs, but for the helper's place."""
    return {k: v for k, v in os.environ.items()
            if not k.startswith("QUIRE_") or k.startswith("QUIRE_DECODE")}


def wait_for(condition, what, limit_s=LIMIT_S):
    """What condition() returns, once that is true."""
    end = time.monotonic() + limit_s
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {limit_s} s: {what}"
        time.sleep(0.02)
    return value


class Answer:
    """Status, headers and body of an answer."""

    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.text)

    def problem(self, status, code, field=None):
        """Asserts that it is this problem; its detail."""
        assert (self.status, self.headers["Content-Type"]) == (status, "application/problem+json")
        told = self.json
        assert (told["status"], told["code"], told.get("field")) == (status, code, field), told
        assert told["title"] and told["detail"]
        return told["detail"]


def form(*fields):
    """Body and Content-Type of a form: (name, value), or (name, bytes, file name)."""
    body = b""
    for name, value, *file_name in fields:
        more = b'; filename="%s"' % file_name[0].encode() if file_name else b""
        value = value if isinstance(value, bytes) else value.encode()
        body += (b'--XyZ\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
                 % (name.encode(), more, value))
    return body + b"--XyZ--\r\n", "multipart/form-data; boundary=XyZ"


class Events:
    """The stream of a document's events: (id, data) one after the other."""

    def __init__(self, connection, response):
        self.connection, self.response = connection, response

    def __iter__(self):
        number = None
        for line in self.response:
            if line.startswith(b"id: "):
                number = int(line[4:])
            elif line.startswith(b"event: "):
                name = line[7:].strip().decode()
            elif line.startswith(b"data: "):
                data = json.loads(line[6:])
                assert data["event"] == name
                yield number, data

    def close(self):
        self.response.close()
        self.connection.close()


class Service:
    """A service on a data folder; started at once, and again by start()."""

    def __init__(self, quire, data, *options, command=(), environment=None, **process_options):
        self.quire, self.data, self.options = quire, pathlib.Path(data), options
        self.command, self.process_options = command, process_options
        self.environment = clean_environment() | (environment or {})
        self.log_path = self.data.parent / f"{self.data.name}.log"
        self.host, self.key, self.process = "127.0.0.1", None, None
        self.start()

    def start(self, *options):
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [*self.command, self.quire, "serve", "--data", self.data, "--listen", "127.0.0.1:0",
                 "--min-free", "1", *self.options, *options], env=self.environment,
                stdin=subprocess.DEVNULL, stderr=log, **self.process_options)

        def port():
            assert self.process.poll() is None, self.log
            return re.search(r"listening on https?://127\.0\.0\.1:(\d+)\n", self.log)

        self.port = int(wait_for(port, "the service listens")[1])

    def listen_elsewhere(self, address):
        """From now on it is asked at another of its addresses."""
        self.host = address
        self.port = int(re.search(rf"listening on http://{re.escape(address)}:(\d+)\n", self.log)[1])

    @property
    def log(self):
        return self.log_path.read_text(encoding="utf-8")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, errors=False):
        """Stops it as an operator does; it must end well, and have logged no error."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(LIMIT_S)
        finally:
            self.process.kill()
        assert status == 0, self.log
        assert errors or not re.search(r"^\S+ error ", self.log, re.M), self.log

    def open(self, method, path, body=None, media_type=None, **headers):
        """Connection and response."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if media_type:
            headers["Content-Type"] = media_type
        connection = http.client.HTTPConnection(self.host, self.port, timeout=LIMIT_S)
        connection.request(method, path, body, headers)
        return connection, connection.getresponse()

    def ask(self, method, path, body=None, media_type=None, **headers):
        connection, response = self.open(method, path, body, media_type, **headers)
        try:
            return Answer(response, response.read())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, body=b"", media_type=None, **headers):
        return self.ask("POST", path, body, media_type, **headers)

    def delete(self, path):
        return self.ask("DELETE", path)

    def submit(self, body, query="", **headers):
        """The document that came of it."""
        answer = self.post(f"/v1/documents{query}", body, "application/octet-stream", **headers)
        assert answer.status == 202, answer.body
        assert answer.headers["Location"] == f"/v1/documents/{answer.json['id']}"
        return answer.json

    def show(self, document):
        answer = self.get(f"/v1/documents/{document}")
        assert answer.status == 200, answer.body
        return answer.json

    def wait(self, document, *states):
        """The document, once it is in one of the states: by default, in one of the last."""
        states = states or ("done", "failed", "cancelled")
        return wait_for(lambda: (d := self.show(document))["status"] in states and d,
                        f"{document} is {' or '.join(states)}")

    def events(self, document, **headers):
        connection, response = self.open("GET", f"/v1/documents/{document}/events", **headers)
        assert response.status == 200, response.read()
        return Events(connection, response)

    def helpers(self):
        """Processes that decode for it."""
        children = []
        for path in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            children += map(int, path.read_text().split())
        return children

    def signal_helpers(self, number):
        """SIGSTOP holds all documents where they are, until SIGCONT."""
        for pid in self.helpers():
            with contextlib.suppress(ProcessLookupError):  # it has served its document
                os.kill(pid, number)

    def hold_midway(self, path):
        """Submits a long document and stops decoding when some of its pages are there; its id."""
        for _ in range(20):
            document = self.submit(path.read_bytes(), f"?name={path.name}")["id"]
            events = self.events(document)
            next(number for number, event in events if event["event"] == "page")
            self.signal_helpers(signal.SIGSTOP)
            events.close()
            # Pages that were decoded are still finished, and may be counted here twice.
            coming = self.metric("pages_in_flight") + self.metric("changes_waiting")
            if self.show(document)["pages_done"] + coming < 50:
                return document
            self.signal_helpers(signal.SIGCONT)
            self.wait(document)
        return pytest.fail("a long document was always read before it could be stopped")

    def go_on(self):
        self.signal_helpers(signal.SIGCONT)

    def metric(self, name):
        return float(re.search(rf"^quire_{re.escape(name)} (\S+)$", self.get("/metrics").text, re.M)[1])

    def keys(self, *arguments):
        return subprocess.run([self.quire, "keys", *arguments, "--data", self.data], check=True,
                              capture_output=True, text=True, env=self.environment,
                              timeout=LIMIT_S).stdout


@pytest.fixture
def serve(quire, tmp_path):
    """Starts services; what still runs at the end is stopped, and must end well."""
    services = []

    def start(*options, data="data", **more):
        services.append(Service(quire, tmp_path / data, *options, **more))
        return services[-1]

    yield start
    for service in services:
        if service.process.poll() is None:
            service.stop()


@pytest.fixture(scope="session")
def elsewhere():
    """An address of this machine that is not its loopback's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no address but its loopback's")
        return s.getsockname()[0]


@pytest.fixture(scope="session")
def page(tmp_path_factory):
    """A document of one page: its path."""
    path = tmp_path_factory.mktemp("page") / "page.png"
    draw_page("The only page has", "two lines of text.").save(path)
    return path


def draw_sheets(path, n_pages, n_lines):
    """A document of pages none of which is like another; its path."""
    pages = [draw_page(*[f"Line {k} of sheet {i} has words {i * 7 + k}." for k in range(n_lines)])
             for i in range(1, n_pages + 1)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    return path


@pytest.fixture(scope="session")
def short_document(tmp_path_factory):
    """A document of three pages."""
    return draw_sheets(tmp_path_factory.mktemp("short") / "short.tif", 3, 2)


@pytest.fixture(scope="session")
def long_document(tmp_path_factory):
    """A document that takes a while: 60 pages of 12 lines."""
    return draw_sheets(tmp_path_factory.mktemp("long") / "long.tif", 60, 12)


@pytest.fixture(scope="session")
def read(quire, tmp_path_factory):
    """What `quire run` makes of a file, in a format, as it is named there."""
    known = {}

    def call(path, form="txt", *options):
        key = (path, form, options)
        if key not in known:
            out = tmp_path_factory.mktemp("read")
            subprocess.run([quire, "run", "-o", out, "-f", form, "--no-timings", "--progress", "none",
                            *options, path.name], cwd=path.parent, check=True,
                           env=clean_environment(), timeout=300)
            name = f"{path.name}.{form}" + (".xml" if form == "alto" else "")
            known[key] = (out / name).read_bytes()
        return known[key]

    return call

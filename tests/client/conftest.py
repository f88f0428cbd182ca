"""A service to send documents to, a false one that misbehaves as it is told, and documents."""

import contextlib
import http.server
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
LIMIT_S = 120  # for what is waited for


def environment(**more):
    """Without variables that the command would take for options."""
    clean = {k: v for k, v in os.environ.items()
             if not k.startswith("QUIRE_") or k == "QUIRE_DECODE"}
    clean.update(more)
    return clean


def wait_for(condition):
    """Returns what condition() does, once that is true."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("it did not come about")


class Service:
    """A quire serve of its own."""

    def __init__(self, quire, folder):
        self.quire, self.folder, self.process, self.address = quire, folder, None, "127.0.0.1:0"

    def start(self):
        self.log = open(self.folder.with_suffix(".log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [self.quire, "serve", "--data", self.folder, "--listen", self.address,
             "--min-free", "1m"], stderr=self.log, env=environment())
        self.address = wait_for(self._listening)
        self.url = f"http://{self.address}"

    def _listening(self):
        text = self.folder.with_suffix(".log").read_text(encoding="utf-8")
        assert self.process.poll() is None, text
        found = re.search(r"listening on http://(\S+)\n", text)
        return found and found[1]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(LIMIT_S)
        self.log.close()

    def call(self, path):
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return json.load(answer)

    def documents(self):
        """All that it has."""
        found, cursor = [], ""
        while cursor is not None:
            page = self.call("/v1/documents?limit=200" + (f"&cursor={cursor}" if cursor else ""))
            found += page["documents"]
            cursor = page.get("next_cursor") or page.get("next")
        return found


@pytest.fixture
def service(quire, tmp_path):
    one = Service(quire, tmp_path / "data")
    one.start()
    yield one
    one.stop()


class FalseService:
    """Answers as `answer` says, a function of (handler, request); keeps all requests."""

    def __init__(self):
        self.requests, self.lock = [], threading.Lock()
        self.answer = lambda handler, request: handler.accept(request)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _take(self):
                n = int(self.headers.get("Content-Length") or 0)
                request = {"method": self.command, "path": self.path, "body": self.rfile.read(n),
                           "key": self.headers.get("Idempotency-Key"), "headers": self.headers,
                           "name": urllib.parse.parse_qs(
                               urllib.parse.urlsplit(self.path).query).get("name", [None])[0]}
                with outer.lock:
                    request["n"] = len(outer.requests)
                    outer.requests.append(request)
                outer.answer(self, request)

            do_GET = do_POST = _take

            def log_message(self, *_):
                pass

            def send(self, status, body, **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def document(self, status, request, state="queued", **more):
                self.send(status, json.dumps({"id": "d_" + (request["key"] or "x")[:20],
                                              "status": state, **more}).encode())

            def accept(self, request):
                self.document(202, request)

            def problem(self, status, code, detail, **headers):
                self.send(status, json.dumps({"status": status, "code": code,
                                              "detail": detail}).encode(), **headers)

            def hang_up(self):
                self.close_connection = True
                self.connection.close()

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def posts(self):
        with self.lock:
            return [r for r in self.requests if r["method"] == "POST"]


@pytest.fixture
def false_service():
    one = FalseService()
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
def run(quire, tmp_path):
    """Runs quire with arguments in tmp_path; a CompletedProcess of text."""

    def call(*args, env=None, timeout=LIMIT_S, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([quire, *args], env=environment(**(env or {})), cwd=tmp_path,
                              capture_output=True, text=True, timeout=timeout, check=False,
                              **options)

    call.quire = quire
    return call


@pytest.fixture
def start(quire, tmp_path):
    """Starts quire with arguments in tmp_path; what it prints is in .out and .err, files."""
    with contextlib.ExitStack() as stack:
        started = []

        def call(*args):
            out = stack.enter_context(open(tmp_path / f"out{len(started)}", "w+", encoding="utf-8"))
            err = stack.enter_context(open(tmp_path / f"err{len(started)}", "w+", encoding="utf-8"))
            process = subprocess.Popen([quire, *args], env=environment(), cwd=tmp_path, stdout=out,
                                       stderr=err, stdin=subprocess.DEVNULL)
            started.append(process)
            process.printed = lambda: open(out.name, encoding="utf-8").read()
            process.said = lambda: open(err.name, encoding="utf-8").read()
            return process

        yield call
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()


def draw_page(*lines):
    page = Image.new("L", (700, 60 * len(lines) + 120), 255)
    draw = ImageDraw.Draw(page)
    for i, line in enumerate(lines):
        draw.text((60, 60 + 60 * i), line, font=ImageFont.truetype(FONT, 36), fill=0)
    return page


def tiny(number):
    """A small image file, different for each number."""
    return b"P5 16 16 255\n" + number.to_bytes(4, "little").rjust(256, b"\xff")


@pytest.fixture(scope="session")
def inbox(tmp_path_factory):
    """A folder of good documents, one of three pages, and a text file."""
    folder = tmp_path_factory.mktemp("good") / "inbox"
    (folder / "sub").mkdir(parents=True)
    for i in range(12):
        draw_page(f"Page number {i} is short.").save(folder / f"page{i:02}.png")
    draw_page("Below lies another page.").save(folder / "sub" / "ünder & over.png")
    pages = [draw_page(f"This is sheet {name} of many.") for name in ("one", "two", "three")]
    pages[0].save(folder / "many.tif", save_all=True, append_images=pages[1:])
    (folder / "notes.txt").write_text("no image\n", encoding="utf-8")
    return folder

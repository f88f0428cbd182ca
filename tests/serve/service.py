"""A service for tests: `quire serve` on a free port, and a client that waits for what it says."""

import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time


class Service:
    """A running `quire serve` on a data folder. Its log is read by a thread, into `log`."""

    def __init__(self, quire, data, *options, env=None):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("QUIRE_") or k == "QUIRE_DECODE"}
        self.process = subprocess.Popen(
            [quire, "serve", "--data", data, "--listen", "127.0.0.1:0", *options],
            env={**clean, **(env or {})}, stderr=subprocess.PIPE, text=True)
        self.log, self.port = [], None
        self.started = threading.Event()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.started.wait(60)

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"listening on https?://\S+:(\d+)", line)
            if found:
                self.port = int(found[1])
                self.started.set()
        self.started.set()

    def request(self, method, path, body=None, headers=None, timeout=60):
        """Status, headers and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def json(self, method, path, body=None, headers=None):
        status, _, text = self.request(method, path, body, headers)
        return status, json.loads(text)

    def wait_for(self, id, seconds=120):
        """The document once it has ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            status, document = self.json("GET", f"/v1/documents/{id}")
            assert status == 200, document
            if document["status"] not in ("queued", "running"):
                return document
            time.sleep(0.02)
        raise AssertionError(f"{id} has not ended: {document}")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        status = self.process.wait(120)
        self.reader.join(10)
        self.process.stderr.close()
        return status

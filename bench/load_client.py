"""Clients of a service, many at once, in one thread: each sends a document, waits for its text, and
begins again. Told to come back later, it does."""

import asyncio
import dataclasses
import time
import urllib.parse


@dataclasses.dataclass
class Load:
    """What the clients have seen."""
    accepted: int = 0
    refused: int = 0  # 429
    wrong: list = dataclasses.field(default_factory=list)
    latencies: list = dataclasses.field(default_factory=list)  # seconds from sending to the text
    health: list = dataclasses.field(default_factory=list)


class Connection:
    """HTTP/1.1, kept alive."""

    def __init__(self, port):
        self.port, self.reader, self.writer = port, None, None

    async def request(self, method, path, body=b"", headers=()):
        if not self.writer or self.writer.is_closing():
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers]
        self.writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        status = int((await self.reader.readline()).split()[1])
        fields = {}
        while (line := await self.reader.readline()) not in (b"\r\n", b""):
            name, value = line.decode().split(":", 1)
            fields[name.lower()] = value.strip()
        text = await self.body(fields)
        if fields.get("connection") == "close":
            self.close()
        return status, fields, text

    async def body(self, fields):
        if fields.get("transfer-encoding") != "chunked":
            return await self.reader.readexactly(int(fields.get("content-length", 0)))
        pieces = []
        while n := int(await self.reader.readline(), 16):
            pieces.append(await self.reader.readexactly(n))
            await self.reader.readexactly(2)
        await self.reader.readline()
        return b"".join(pieces)

    def close(self):
        if self.writer:
            self.writer.close()
        self.writer = None


async def send_one(connection, load, name, document, truth):
    began = time.monotonic()
    while True:
        status, fields, _ = await connection.request(
            "POST", "/v1/documents?name=" + urllib.parse.quote(name), document,
            ["Content-Type: application/octet-stream"])
        if status != 429:
            break
        load.refused += 1
        await asyncio.sleep(float(fields["retry-after"]))
    if status != 202:
        load.wrong.append(f"{name}: status {status}")
        return
    load.accepted += 1
    place = fields["location"]
    status, _, text = await connection.request("GET", place + "/result?format=txt&wait=60")
    if status != 200 or text != truth:
        load.wrong.append(f"{place}: status {status}, the text of {name} differs")
    load.latencies.append(time.monotonic() - began)


async def run_client(port, load, documents, first, step, until):
    connection, number = Connection(port), first
    while time.monotonic() < until:
        name, document, truth = documents[number % len(documents)]
        await send_one(connection, load, name, document, truth)
        number += step
    connection.close()


async def watch_health(port, load, until):
    while time.monotonic() < until:
        began = time.monotonic()
        connection = Connection(port)
        status, _, _ = await connection.request("GET", "/healthz")
        connection.close()
        load.health.append(time.monotonic() - began)
        if status != 200:
            load.wrong.append(f"/healthz: status {status}")
        await asyncio.sleep(0.1)


async def run_clients(port, documents, n_clients, seconds):
    """documents: names, bytes, and the text that is to come. A Load."""
    load, until = Load(), time.monotonic() + seconds
    clients = [run_client(port, load, documents, k, n_clients, until) for k in range(n_clients)]
    await asyncio.gather(*clients, watch_health(port, load, until))
    return load

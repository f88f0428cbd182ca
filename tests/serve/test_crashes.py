"""A service that is killed at any moment: what it has accepted is read once and comes to one result,
and what it has not accepted can be sent again without coming twice."""

import io
import os
import random
import signal
import threading
import time

import pytest
from PIL import Image, ImageDraw, ImageFont

from service import Service

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
WORDS = ("harbour", "lantern", "meadow", "copper", "window", "thunder", "garden", "silver", "mountain",
         "river", "candle", "bridge", "forest", "island", "market", "winter")


def words_of(number):
    """Words that tell a document from all others."""
    return " ".join(WORDS[(number >> (4 * i)) % 16] for i in range(4))


def draw(number):
    page = Image.new("L", (900, 160), 255)
    ImageDraw.Draw(page).text((40, 50), words_of(number), font=ImageFont.truetype(FONT, 36), fill=0)
    out = io.BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def submit(service, number):
    """The id, or None where the service did not say that it has the document."""
    try:
        status, answer = service.json("POST", f"/v1/documents?name={number}", draw(number),
                                      {"Content-Type": "image/png", "Idempotency-Key": f"key {number}"})
    except (OSError, ValueError, TypeError):
        return None
    except Exception as e:  # http.client's own
        assert type(e).__module__ == "http.client", e
        return None
    assert status == 202, answer
    return answer["id"]


def check_all(service, ids):
    """Each document is there once, done, with its own words, and nothing else is."""
    for number, id in ids.items():
        document = service.wait_for(id)
        assert document["status"] == "done", document
        status, _, text = service.request("GET", f"/v1/documents/{id}/result?format=txt")
        assert (status, text.decode()) == (200, words_of(number) + "\n")
        status, _, events = service.request("GET", f"/v1/documents/{id}/events")
        names = [line[7:] for line in events.decode().splitlines() if line.startswith("event: ")]
        assert names.count("page") == 1 and names.count("done") == 1 and names[-1] == "done", names
    seen, cursor = [], ""
    while cursor is not None:
        _, answer = service.json("GET", f"/v1/documents?limit=200{cursor and '&cursor=' + cursor}")
        seen += [document["id"] for document in answer["documents"]]
        cursor = answer["next_cursor"]
    assert sorted(seen) == sorted(ids.values())


@pytest.mark.skipif("BREAK_STEP" not in os.environ, reason="the library that breaks steps is not built")
@pytest.mark.parametrize("first", range(3))
def test_killed_at_every_durable_step(quire, tmp_path, first):
    """Before each write, sync and new name, from the first start on; what was written is there by half."""
    for step in range(first + 1, 1000, int(os.environ.get("QUIRE_TEST_STRIDE", "15"))):
        data = tmp_path / f"data-{step}"
        env = {"LD_PRELOAD": os.environ["BREAK_STEP"], "QUIRE_BREAK": f"kill:{step}"}
        service, ids = Service(quire, data, env=env), {}
        for number in (100, 200, 300):
            ids[number] = service.port and submit(service, number)
        died = service.port is None
        if not died:
            until = time.monotonic() + 3
            while time.monotonic() < until and service.process.poll() is None:
                time.sleep(0.02)
                if all(ids.values()) and all_ended(service, ids.values()):
                    break
            died = service.process.poll() is not None
        service.stop(signal.SIGKILL)
        again = Service(quire, data)
        assert again.port, again.log
        for number, id in ids.items():
            assert id in (None, submit(again, number))
            ids[number] = submit(again, number)
        check_all(again, ids)
        assert again.stop() == 0
        if not died:
            assert step > 40
            return
    pytest.fail("the service has too many steps")


def all_ended(service, ids):
    try:
        return all(service.json("GET", f"/v1/documents/{id}")[1]["ended"] for id in ids)
    except Exception:
        return False


def test_killed_at_random_under_load(quire, tmp_path):
    """Clients go on sending while the service is killed and started again."""
    n_kills = int(os.environ.get("QUIRE_TEST_KILLS", "15"))
    random.seed(7)
    data, ids, lock = tmp_path / "data", {}, threading.Lock()
    current, over = [Service(quire, data)], threading.Event()

    def send(worker):
        number, id = worker << 12, None
        while id is None or not over.is_set():  # what was sent may have been taken: its id is asked for
            id = submit(current[0], number)
            if id is None:
                time.sleep(0.01)
                continue
            with lock:
                ids[number] = id
            number += 1

    workers = [threading.Thread(target=send, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for _ in range(n_kills):
        time.sleep(random.random() * 0.6)
        current[0].stop(signal.SIGKILL)
        current[0] = Service(quire, data)
    over.set()
    for worker in workers:
        worker.join()
    assert len(ids) > n_kills
    check_all(current[0], ids)
    assert current[0].stop() == 0

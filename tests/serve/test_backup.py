"""`quire backup` beside a running service, and a service on the copy."""

import signal
import subprocess
import threading

from service import Service
from test_crashes import draw, submit, words_of


def test_copy_is_served(quire, tmp_path):
    """All that was accepted before the backup is in the copy, read or still to be read."""
    data, ids, over = tmp_path / "data", {}, threading.Event()
    service = Service(quire, data, "--page-images")
    for number in range(30):
        ids[number] = submit(service, number)

    def go_on():
        number = 1000
        while not over.is_set():
            submit(service, number)
            number += 1

    busy = threading.Thread(target=go_on)
    busy.start()
    try:
        done = subprocess.run([quire, "backup", "--data", data, tmp_path / "copy"], check=False,
                              capture_output=True, text=True)
    finally:
        over.set()
        busy.join()
    assert done.returncode == 0 and "objects" in done.stderr, done.stderr
    service.stop(signal.SIGKILL)
    again = Service(quire, tmp_path / "copy")
    for number, id in ids.items():
        assert again.wait_for(id)["status"] == "done"
        status, _, text = again.request("GET", f"/v1/documents/{id}/result?format=txt")
        assert (status, text.decode()) == (200, words_of(number) + "\n")
    assert again.stop() == 0


def test_what_cannot_be_backed_up(quire, tmp_path):
    Service(quire, tmp_path / "data").stop()
    (tmp_path / "there").mkdir()
    for data, copy, status, words in (
            (tmp_path / "data", tmp_path / "there", 6, "File exists"),
            (tmp_path / "none", tmp_path / "copy", 5, "no records"),
            (tmp_path / "data", tmp_path / "no" / "such" / "folder", 6, "cannot be made")):
        done = subprocess.run([quire, "backup", "--data", data, copy], check=False,
                              capture_output=True, text=True)
        assert done.returncode == status and words in done.stderr, done.stderr
    assert not (tmp_path / "none").exists()

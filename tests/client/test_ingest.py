"""quire ingest: each file is sent once, whatever is killed, and none is forgotten."""

import os
import random
import signal
import time

from conftest import tiny, wait_for


def put(folder, name, number):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tiny(number))
    return path


def names(service):
    return sorted(d["name"] for d in service.documents())


def fill(folder, n):
    folder.mkdir()
    for i in range(n):
        put(folder, f"{i % 7}/{i:05}.pgm", i)


def test_once_and_no_more(service, run, tmp_path):
    fill(tmp_path / "in", 30)
    put(tmp_path / "in", ".hidden.pgm", 100)
    put(tmp_path / "in", ".folder/x.pgm", 101)
    put(tmp_path / "in", "half.pgm.part", 102)
    put(tmp_path / "in", "x.tmp", 103)
    put(tmp_path / "in", "x~", 104)
    (tmp_path / "in" / "empty.pgm").write_bytes(b"")
    first = run("ingest", "in", "--server", service.url)
    assert first.returncode == 0, first.stderr
    assert len(first.stdout.splitlines()) == 30 and "30 documents submitted" in first.stderr
    assert names(service) == sorted(f"{i % 7}/{i:05}.pgm" for i in range(30))
    again = run("ingest", "in", "--server", service.url, "--settle", "0.1", "--priority", "low")
    assert again.returncode == 0 and again.stdout == ""
    # Files that are new or have changed, and only these.
    put(tmp_path / "in", "0/00000.pgm", 200)
    put(tmp_path / "in", "empty.pgm", 201)
    third = run("ingest", "./in/", "--server", service.url, "--settle", "0.1")
    assert sorted(line.split("\t")[1] for line in third.stdout.splitlines()) == ["0/00000.pgm", "empty.pgm"]
    assert len(service.documents()) == 32


def test_watch(service, start, tmp_path):
    folder = tmp_path / "in"
    fill(folder, 5)
    client = start("ingest", "--watch", folder, "--server", service.url, "--settle", "0.2")
    wait_for(lambda: len(service.documents()) == 5)
    put(folder, "written.pgm", 10)
    put(tmp_path, "aside.pgm", 11).rename(folder / "moved.pgm")
    put(folder, "late.pgm.tmp", 12).rename(folder / "late.pgm")
    put(folder, "new/deep/er/one.pgm", 13)
    put(tmp_path / "tree", "a/b.pgm", 14)
    (tmp_path / "tree").rename(folder / "tree")
    put(folder, ".hidden.pgm", 15)
    put(folder, "x.part", 16)
    os.link(put(tmp_path, "other.pgm", 17), folder / "linked.pgm")
    os.symlink(put(tmp_path, "third.pgm", 18), folder / "symlink.pgm")
    expected = ["late.pgm", "linked.pgm", "moved.pgm", "new/deep/er/one.pgm", "symlink.pgm",
                "tree/a/b.pgm", "written.pgm"]
    wait_for(lambda: len(service.documents()) == 12)
    put(folder, "new/deep/er/two.pgm", 19)
    put(folder, "tree/a/c.pgm", 20)
    wait_for(lambda: len(service.documents()) == 14)
    assert names(service)[5:] == sorted(expected + ["new/deep/er/two.pgm", "tree/a/c.pgm"])
    client.send_signal(signal.SIGTERM)
    assert client.wait(60) == 0
    assert "14 documents submitted" in client.said()
    assert len(client.printed().splitlines()) == 14


def test_a_file_is_whole_before_it_is_sent(false_service, start, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    with open(folder / "slow.pgm", "wb") as slow:  # there at the start, and being written
        slow.write(b"first half, ")
        slow.flush()
        start("ingest", "--watch", folder, "--server", false_service.url, "--settle", "0.2")
        put(folder, "other.pgm", 1)
        wait_for(lambda: false_service.posts())
        with open(folder / "slower.pgm", "wb") as slower:  # and one that comes
            slower.write(b"begun, ")
            slower.flush()
            time.sleep(1)
            assert [r["name"] for r in false_service.posts()] == ["other.pgm"]
            slower.write(b"ended")
        slow.write(b"second half")
    wait_for(lambda: len(false_service.posts()) == 3)
    bodies = {r["name"]: r["body"] for r in false_service.posts()}
    assert bodies["slow.pgm"] == b"first half, second half"
    assert bodies["slower.pgm"] == b"begun, ended"


def test_killed_before_the_answer(false_service, start, run, tmp_path):
    """The service has the document, the journal does not: the key is the same the next time."""
    fill(tmp_path / "in", 1)
    false_service.answer = lambda handler, request: time.sleep(30)
    client = start("ingest", "in", "--server", false_service.url, "--settle", "0.1")
    wait_for(false_service.posts)
    client.kill()
    client.wait()
    false_service.answer = lambda handler, request: handler.accept(request)
    assert run("ingest", "in", "--server", false_service.url, "--settle", "0.1").returncode == 0
    keys = [r["key"] for r in false_service.posts()]
    assert len(keys) == 2 and len(set(keys)) == 1
    assert run("ingest", "in", "--server", false_service.url, "--settle", "0.1").stdout == ""
    assert len(false_service.posts()) == 2


def test_killed_at_any_moment(service, start, run, tmp_path):
    fill(tmp_path / "in", 400)
    chance = random.Random(5)
    for _ in range(12):
        client = start("ingest", "in", "--server", service.url, "--settle", "0.1", "--parallel", "2")
        before = len(client.printed())
        wait_for(lambda: client.poll() is not None or len(client.printed()) > before)
        time.sleep(chance.random() * 0.05)
        client.kill()
        client.wait()
    last = run("ingest", "in", "--server", service.url, "--settle", "0.1")
    assert last.returncode == 0, last.stderr
    assert names(service) == sorted(f"{i % 7}/{i:05}.pgm" for i in range(400))


def test_torn_journal(false_service, run, tmp_path):
    fill(tmp_path / "in", 20)
    args = ("ingest", "in", "--server", false_service.url, "--settle", "0.1", "--state", "state")
    assert run(*args).returncode == 0
    journal = tmp_path / "state" / "journal"
    whole = journal.read_bytes()
    for cut in (len(whole) - 1, len(whole) - 30, 3):
        journal.write_bytes(whole[:cut])
        n_before = len(false_service.posts())
        done = run(*args)
        assert done.returncode == 0, done.stderr
        n_again = len(false_service.posts()) - n_before
        assert n_again == (20 if cut == 3 else 1)
        assert len(journal.read_bytes()) == len(whole)
        assert run(*args).stdout == ""
    journal.write_bytes(b"something else altogether")
    done = run(*args)
    assert done.returncode == 2 and "--state" in done.stderr


def test_journal_stays_small(false_service, run, tmp_path):
    """Of files that are gone nothing is kept when the journal has grown."""
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(3500):
        put(folder, f"{i:05}{'x' * 240}", i)
    args = ("ingest", "in", "--server", false_service.url, "--settle", "0.1", "--parallel", "32")
    assert run(*args).returncode == 0
    journal = folder / ".quire-ingest" / "journal"
    assert len(false_service.posts()) == 3500
    for i in range(3490):
        (folder / f"{i:05}{'x' * 240}").unlink()
    before = journal.stat().st_size
    put(folder, "new", 9999)
    assert run(*args).stdout.count("\n") == 1
    assert before > 1 << 20 and journal.stat().st_size < before / 100
    assert run(*args).stdout == ""
    assert len(false_service.posts()) == 3501


def test_service_comes_later(service, start, tmp_path):
    fill(tmp_path / "in", 10)
    service.stop()
    client = start("ingest", "--watch", "in", "--server", service.url, "--settle", "0.1")
    wait_for(lambda: "trying again" in client.said())
    put(tmp_path / "in", "meanwhile.pgm", 50)
    service.start()
    wait_for(lambda: len(service.documents()) == 11)
    service.process.kill()
    service.process.wait()
    for i in range(30):
        put(tmp_path / "in", f"more{i}.pgm", 60 + i)
    service.start()
    wait_for(lambda: len(service.documents()) == 41)
    client.send_signal(signal.SIGTERM)
    assert client.wait(60) == 0


def test_two_at_a_time_are_refused(false_service, start, run, tmp_path):
    fill(tmp_path / "in", 1)
    client = start("ingest", "--watch", "in", "--server", false_service.url, "--settle", "0.1")
    wait_for(client.printed)
    second = run("ingest", "in", "--server", false_service.url)
    assert second.returncode == 6 and "another quire ingest" in second.stderr


def test_refused_files_are_told_once(false_service, start, run, tmp_path):
    fill(tmp_path / "in", 3)
    false_service.answer = lambda handler, request: handler.problem(413, "too_large", "too large")
    client = start("ingest", "--watch", "in", "--server", false_service.url, "--settle", "0.1")
    wait_for(lambda: client.said().count("too large") == 3)
    put(tmp_path / "in", "more.pgm", 7)
    wait_for(lambda: client.said().count("too large") == 4)
    client.send_signal(signal.SIGTERM)
    assert client.wait(60) == 9
    false_service.answer = lambda handler, request: handler.accept(request)
    assert run("ingest", "in", "--server", false_service.url).stdout.count("\n") == 4


def test_the_folder_goes_away(false_service, start, run, tmp_path):
    fill(tmp_path / "in", 1)
    client = start("ingest", "--watch", "in", "--server", false_service.url, "--settle", "0.1",
                   "--state", "state")
    wait_for(client.printed)
    (tmp_path / "in").rename(tmp_path / "elsewhere")
    for path in sorted((tmp_path / "elsewhere").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "elsewhere").rmdir()
    assert client.wait(60) == 5 and "the folder is gone" in client.said()
    missing = run("ingest", "in", "--server", false_service.url)
    assert missing.returncode == 5 and "in: the folder cannot be read" in missing.stderr


def test_more_comes_than_is_heard(false_service, start, tmp_path):
    """The system's queue of events overflows while the client does not listen."""
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as limit:
        n = int(limit.read()) // 2 + 500  # files: each is made and closed
    fill(tmp_path / "in", 1)
    client = start("ingest", "--watch", "in", "--server", false_service.url, "--settle", "0.5",
                   "--parallel", "32")
    wait_for(client.printed)
    client.send_signal(signal.SIGSTOP)
    for i in range(n):
        put(tmp_path / "in", f"{i % 7}/more{i}.pgm", i)
    client.send_signal(signal.SIGCONT)
    wait_for(lambda: len(client.printed().splitlines()) == n + 1)
    assert len(false_service.posts()) == len({r["name"] for r in false_service.posts()}) == n + 1

"""`quire run` on good documents: where results go, formats, lists, existing results, progress."""

import json
import os
import subprocess
from xml.etree import ElementTree

import pytest


def test_text_goes_to_stdout(run, inbox):
    done = run("run", inbox / "two.jpg")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"Another page follows here,\nwith a second line.\n"


@pytest.mark.parametrize("margin", [8, 20, 60])
def test_picture_of_one_line(run, draw_page, tmp_path, margin):
    page = draw_page("Only this one line is here.")
    page.crop((90 - margin, 96 - margin, 620, 136 + margin)).save(tmp_path / "line.png")
    assert run("run", "line.png").stdout == b"Only this one line is here.\n"


def test_texts_and_pages_are_separated_by_form_feeds(run, inbox):
    done = run("run", inbox / "many.tif", inbox / "one.png")
    assert done.stdout.decode().split("\f") == [
        "This is sheet one of many.\n", "This is sheet two of many.\n",
        "This is sheet three of many.\n", "The first page is short.\n"]


def test_standard_input_is_a_document(run, inbox):
    done = run("run", "-", stdin=open(inbox / "one.png", "rb"))
    assert done.stdout == b"The first page is short.\n"
    done = run("run", "-", "-o", "out", input=(inbox / "one.png").read_bytes())
    assert done.returncode == 0


def test_files_get_the_documented_names(run, inbox, tmp_path, files_below):
    os.link(inbox / "one.png", tmp_path / "x.png")
    done = run("run", "-o", "out", "-f", "txt,json,tsv", f"{inbox}/", "x.png", "-",
               stdin=open(inbox / "two.jpg", "rb"))
    assert done.returncode == 0
    names = ["many.tif", "one.png", "stdin", "sub/three.png", "two.jpg", "x.png"]
    assert files_below(tmp_path / "out") == sorted(
        f"{name}.{ending}" for name in names for ending in ("json", "tsv", "txt"))
    assert (tmp_path / "out/sub/three.png.txt").read_text() == "Below lies the third page.\n"


def test_folder_without_recursion(run, inbox, tmp_path, files_below):
    assert run("run", "-o", "out", "--recursive=no", inbox).returncode == 0
    assert files_below(tmp_path / "out") == ["many.tif.txt", "one.png.txt", "two.jpg.txt"]


def test_folder_is_read_in_order_and_hidden_files_are_not(run, draw_page, tmp_path):
    folder = tmp_path / "in"
    (folder / "b").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name, word in (("c.png", "third"), ("a.png", "first"), ("b/x.png", "second"),
                       (".hidden.png", "hidden"), (".git/y.png", "hidden")):
        draw_page(f"This is the {word} one.").save(folder / name)
    (folder / "loop").symlink_to(folder)
    done = run("run", "in")
    assert done.stdout.decode().split("\f") == [f"This is the {w} one.\n"
                                                for w in ("first", "second", "third")]


def test_output_folder_is_no_input(run, inbox, tmp_path):
    os.link(inbox / "one.png", tmp_path / "one.png")
    assert run("run", "-o", "out", ".").returncode == 0
    done = run("run", "-o", "out", "--skip-existing", ".")
    assert done.returncode == 0 and b"skipped" not in done.stderr


@pytest.mark.parametrize("separator", ["\n", "\0"])
def test_list_of_inputs(run, inbox, tmp_path, files_below, separator):
    names = [str(inbox / "one.png"), "", str(inbox / "sub/../two.jpg")]
    done = run("run", "--files-from", "-", "-o", "out", input=separator.join(names).encode())
    assert done.returncode == 0
    place = str(inbox).lstrip("/")
    assert files_below(tmp_path / "out") == [f"{place}/one.png.txt", f"{place}/two.jpg.txt"]


def test_list_cannot_climb_out_of_the_folder(run, inbox, tmp_path, files_below):
    (tmp_path / "work").mkdir()
    os.link(inbox / "one.png", tmp_path / "one.png")
    done = run("run", "--files-from", "-", "-o", "out", input=b"../one.png\n", cwd=tmp_path / "work")
    assert done.returncode == 0
    assert files_below(tmp_path / "work") == ["out/one.png.txt"]


def test_two_inputs_with_one_output_are_refused(run, inbox, tmp_path):
    done = run("run", "-o", "out", inbox / "one.png", inbox / "sub", inbox / "sub/../one.png")
    assert done.returncode == 6
    assert b"one.png and " in done.stderr and b"would both write" in done.stderr
    assert not (tmp_path / "out").exists()


def test_list_with_a_name_twice_is_refused(run, inbox, tmp_path):
    names = "".join(f"/nowhere/{i}.tif\n" for i in range(2000)) + "/nowhere/77.tif\n"
    done = run("run", "--files-from", "-", "-o", "out", input=names.encode())
    assert (done.returncode, done.stderr) == (
        6, b"quire: /nowhere/77.tif: listed twice; leave one of them out\n")


def test_existing_results_are_kept(run, inbox, tmp_path):
    result = tmp_path / "out/one.png.txt"
    result.parent.mkdir()
    result.write_text("mine")
    done = run("run", "-o", "out", inbox / "one.png")
    assert done.returncode == 0 and result.read_text() == "mine"
    assert b"out/one.png.txt: exists already and was kept; --overwrite replaces it" in done.stderr
    done = run("run", "-o", "out", "--skip-existing", inbox / "one.png")
    assert done.returncode == 0 and result.read_text() == "mine"
    assert b"exists" not in done.stderr
    done = run("run", "-o", "out", "-f", "txt,tsv", inbox / "one.png")
    assert result.read_text() == "mine" and (tmp_path / "out/one.png.tsv").exists()
    done = run("run", "-o", "out", inbox / "one.png", "--overwrite")
    assert done.returncode == 0 and result.read_text() == "The first page is short.\n"
    assert run("run", "-o", "out", inbox / "one.png", "--overwrite=no",
               env={"QUIRE_OVERWRITE": "1"}).returncode == 0


def test_pages_and_region(run, inbox):
    done = run("run", "--pages", "2-", inbox / "many.tif")
    assert done.stdout == b"This is sheet two of many.\n\fThis is sheet three of many.\n"
    done = run("run", "--region", "0,0,100%,148", inbox / "two.jpg")
    assert done.stdout == b"Another page follows here,\n"


def test_json_is_what_the_documentation_says(run, inbox):
    done = run("run", "-f", "json", inbox / "many.tif")
    document = json.loads(done.stdout)
    assert list(document) == ["schema", "name", "media_type", "n_pages", "models", "pages",
                              "n_failed_pages", "error"]
    assert (document["schema"], document["media_type"], document["n_pages"]) == (
        "quire/1", "image/tiff", 3)
    assert document["models"][0]["language"] == "eng" and len(document["models"][0]["sha256"]) == 64
    assert [page["index"] for page in document["pages"]] == [0, 1, 2]
    page = document["pages"][0]
    assert (page["width_px"], page["height_px"], page["error"]) == (900, 240, None)
    assert set(page["timings_ms"]) == {"decode", "layout", "crop", "recognise", "text", "compose"}
    line = page["blocks"][0]["lines"][0]
    assert line["text"] == "This is sheet one of many."
    assert [word["text"] for word in line["words"]] == line["text"].split()
    for item in [page["blocks"][0], line, *line["words"]]:
        x0, y0, x1, y1 = item["box"]
        assert 0 <= x0 < x1 <= 900 and 0 <= y0 < y1 <= 240
    assert all(0 <= word["confidence"] <= 1 for word in line["words"])
    assert 100 <= line["baseline"][1] <= 140


def test_jsonl_and_tsv(run, inbox):
    records = [json.loads(line) for line in
               run("run", "-f", "jsonl", inbox / "many.tif", inbox / "one.png").stdout.splitlines()]
    assert [r["record"] for r in records] == ["page"] * 3 + ["document", "page", "document"]
    rows = [row.split("\t") for row in
            run("run", "-f", "tsv", inbox / "two.jpg").stdout.decode().splitlines()]
    assert [row[11] for row in rows if row[0] == "5"] == \
        "Another page follows here, with a second line.".split()
    assert all(len(row) == 12 for row in rows)


def test_formats_have_endings_of_their_own(run, inbox, tmp_path, files_below):
    done = run("run", "-o", "out", "-f", "hocr,alto,md,txt", inbox / "one.png")
    assert done.returncode == 0
    assert files_below(tmp_path / "out") == [f"one.png.{e}" for e in ("alto.xml", "hocr", "md", "txt")]


@pytest.mark.parametrize("form, tag", [("hocr", "span"), ("alto", "String")])
def test_markup_to_stdout(run, inbox, form, tag):
    done = run("run", "-f", form, "--pages", "2-3", inbox / "many.tif")
    words = [e.get("CONTENT") or e.text for e in ElementTree.fromstring(done.stdout).iter()
             if e.tag.endswith("}" + tag)]
    assert [w for w in words if w in ("one", "two", "three")] == ["two", "three"]
    done = run("run", "-f", form, "nowhere.png")
    assert done.returncode == 5
    assert "page_1" in [e.get("id") or e.get("ID") for e in ElementTree.fromstring(done.stdout).iter()]


def test_markdown_to_stdout(run, inbox):
    done = run("run", "-f", "md", inbox / "two.jpg", "nowhere.png", inbox / "many.tif")
    assert done.stdout.decode() == (
        "Another page follows here, with a second line.\n\n* * *\n\nThis is sheet one of many.\n\n"
        "This is sheet two of many.\n\nThis is sheet three of many.\n")


def test_text_by_paragraphs(run, inbox):
    joined = b"Another page follows here, with a second line.\n"
    assert run("run", "--text", "paragraphs", inbox / "two.jpg").stdout == joined
    assert run("run", inbox / "two.jpg", env={"QUIRE_TEXT": "paragraphs"}).stdout == joined
    assert run("run", "--text=lines", inbox / "two.jpg",
               env={"QUIRE_TEXT": "paragraphs"}).stdout.count(b"\n") == 2


def test_the_same_bytes_whatever_the_jobs(run, inbox):
    outputs = {run("run", "-f", "json", "--no-timings", "--jobs", jobs, inbox).stdout
               for jobs in ("1", "2", "5")}
    assert len(outputs) == 1


def test_json_progress_is_json(run, inbox, tmp_path):
    done = run("run", "-o", "out", "--progress", "json", inbox, "missing.png")
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert events[0]["event"] == "start" and events[0]["documents"] == 5
    assert [e["event"] for e in events].count("page") == 6
    failed = [e for e in events if e["event"] == "failed"]
    assert [(e["name"], e["code"]) for e in failed] == [("missing.png", "not-found")]
    summary = events[-1]
    assert summary["event"] == "summary" and summary["exit_status"] == done.returncode == 5
    assert (summary["documents_done"], summary["documents_failed"], summary["pages_done"]) == (4, 1, 6)


def test_summary_verbose_and_quiet(run, inbox):
    done = run("run", "-o", "a", inbox)
    assert b"quire: 4 documents read; 6 pages, " in done.stderr and b"recognise" in done.stderr
    assert b"one.png: done, 1 page, 0 failed" in run("run", "-o", "b", "--verbose", inbox).stderr
    assert run("run", "-o", "c", "-q", inbox).stderr == b""
    assert run("run", inbox).stderr == b""


def test_names_of_any_bytes(run, inbox, tmp_path, files_below):
    names = [b"two words.png", b"new\nline.png", b"not utf-8 \xff.png", "\u00fcber.png".encode(),
             b"-dash.png"]
    folder = os.fsencode(tmp_path) + b"/in"
    os.mkdir(folder)
    for name in names:
        os.link(os.fsencode(inbox / "one.png"), folder + b"/" + name)
    done = run("run", "-o", "out", "-f", "txt,json", "in")
    assert done.returncode == 0
    for name in names:
        result = os.fsencode(tmp_path) + b"/out/" + name
        with open(result + b".txt", "rb") as file:
            assert file.read() == b"The first page is short.\n"
        with open(result + b".json", encoding="utf-8") as file:
            assert json.load(file)["name"] == \
                "in/" + name.decode("utf-8", "backslashreplace").replace("\\xff", "\\xFF")
    done = run("run", "-o", "again", *[folder + b"/" + name for name in names])
    assert done.returncode == 0 and len(files_below(tmp_path / "again")) == 5


def test_list_that_trickles_in_is_read_as_it_comes(quire, inbox):
    process = subprocess.Popen([quire, "run", "--files-from", "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    process.stdin.write(os.fsencode(inbox / "one.png") + b"\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"The first page is short.\n"
    process.stdin.write(os.fsencode(inbox / "two.jpg") + b"\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"\fAnother page follows here,\n"
    process.stdin.close()
    assert process.wait(30) == 0
    process.stdout.close()

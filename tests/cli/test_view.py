"""`quire view`: the picture of a page with what was read drawn over it, and what it refuses."""

import io
import json
import os
import subprocess

import pytest
from PIL import Image
from pdf_files import pdf_of_pages, text_content

RED, AMBER, GREEN, BLUE = (196, 22, 42), (240, 160, 0), (0, 150, 115), (0, 90, 181)


def word(text, box, confidence):
    return {"text": text, "box": box, "confidence": confidence, "space_before": True}


def line(box, *words):
    x0, _, x1, y1 = box
    return {"text": " ".join(w["text"] for w in words), "box": box, "confidence": 0.9,
            "baseline": [x0, y1 - 10, x1, y1 - 10], "x_height_px": 20, "language": "eng",
            "reader": "lstm", "words": list(words)}


def page_of(index, size, *blocks):
    return {"index": index, "error": None, "width_px": size[0], "height_px": size[1], "dpi": 300,
            "dpi_estimated": False, "rotation": 0, "skew_degrees": 0, "confidence": 0.9,
            "blocks": [{"box": box, "lines": lines} for box, lines in blocks]}


def result_of(name, *pages, **more):
    return {"schema": "quire/1", "name": str(name), "media_type": "image/png",
            "n_pages": len(pages), "models": [], "pages": list(pages), "n_failed_pages": 0,
            "error": None, **more}


SIZE = (800, 600)
PAGE = page_of(0, SIZE,
               ([100, 100, 400, 200], [line([100, 100, 400, 200],
                                            word("sure", [110, 110, 190, 190], 0.99),
                                            word("half", [210, 110, 290, 190], 0.8),
                                            word("none", [310, 110, 390, 190], 0.2))]),
               ([100, 400, 400, 500], [line([100, 400, 400, 500],
                                            word("next", [110, 410, 390, 490], 0.95))]))


@pytest.fixture
def view(run, tmp_path):
    """Writes a result and views it; the picture, or the CompletedProcess where there is none."""

    def call(result, *options, **more):
        text = result if isinstance(result, str) else json.dumps(result)
        (tmp_path / "result.json").write_text(text)
        (tmp_path / "view.png").unlink(missing_ok=True)
        done = run("view", "-o", "view.png", *options, "result.json", **more)
        if done.returncode:
            assert done.stdout == b"" and not (tmp_path / "view.png").exists()
            return done
        assert (done.stdout, done.stderr) == (b"", b"")
        with Image.open(tmp_path / "view.png") as picture:
            assert (picture.format, picture.mode) == ("PNG", "RGB")
            picture.load()
            return picture

    return call


@pytest.fixture
def grey_page(tmp_path):
    """A page of one grey, as page.png beside the result."""
    Image.new("L", SIZE, 155).save(tmp_path / "page.png")
    return "page.png"


def near(picture, place, colour, tolerance=30):
    return all(abs(a - b) <= tolerance for a, b in zip(picture.getpixel(place), colour))


def test_layers_have_their_places_and_colours(view, grey_page):
    picture = view(result_of(grey_page, PAGE))
    assert picture.size == SIZE
    assert picture.getpixel((700, 300)) == (195, 195, 195)  # 60 % of the page's blackness
    for place, colour in (((110, 150), GREEN), ((289, 150), AMBER), ((310, 150), RED),
                          ((389, 450), GREEN), ((399, 450), (195, 195, 195)),
                          ((98, 150), BLUE), ((401, 150), BLUE), ((250, 499), (195, 195, 195)),
                          ((250, 501), BLUE)):
        assert near(picture, place, colour), place
    fill = [picture.getpixel(place) for place in ((150, 130), (350, 130))]
    assert fill[1][1] < fill[0][1] < 195  # the less sure the fuller
    assert near(picture, (200, 190), (143, 106, 163), 40)  # the baseline
    assert picture.getpixel((250, 300))[2] > picture.getpixel((250, 300))[0]  # the arrow


@pytest.mark.parametrize("layers, there", [
    ("blocks", {"block"}), ("words", {"word"}), ("lines", {"line"}), ("order", {"order"}),
    ("words,order", {"word", "order"}), ("text", {"text"})])
def test_layers_are_chosen(view, grey_page, layers, there):
    picture = view(result_of(grey_page, PAGE), "--layers", layers)
    paper = 235 if layers == "text" else 195
    plain = (paper,) * 3
    seen = {name for name, place in (("block", (98, 170)), ("word", (110, 115)),
                                     ("line", (105, 190)), ("order", (250, 300)))
            if picture.getpixel(place) != plain}
    dark = picture.crop((310, 150, 390, 192)).convert("L").point(lambda v: 255 * (v < 60))
    if dark.getbbox():
        seen.add("text")
    assert seen == there


def test_width_scales_page_and_marks(view, grey_page):
    picture = view(result_of(grey_page, PAGE), "--width", "400")
    assert picture.size == (400, 300)
    assert near(picture, (55, 75), GREEN) and near(picture, (155, 75), RED)
    assert view(result_of(grey_page, PAGE), "--width=1201").size == (1201, 901)


def test_picture_holds_the_page(view, tmp_path):
    page = Image.linear_gradient("L").resize(SIZE)
    page.save(tmp_path / "page.png")
    picture = view(result_of("page.png", page_of(0, SIZE)))
    for y in range(0, 600, 50):
        want = round(255 - 0.6 * (255 - page.getpixel((5, y))))
        assert near(picture, (400, y), (want,) * 3, 1)


def test_views_what_run_wrote(run, inbox, tmp_path):
    result = run("run", "-f", "json", inbox / "many.tif").stdout
    words = json.loads(result)["pages"][1]["blocks"][0]["lines"][0]["words"]
    done = run("view", "-o", "-", "--page", "2", "-", input=result)
    assert (done.returncode, done.stderr) == (0, b"")
    picture = Image.open(io.BytesIO(done.stdout))
    assert picture.size == (900, 240)
    for one in words:
        x0, y0, _, y1 = one["box"]
        assert near(picture, (x0, (y0 + y1) // 2), GREEN, 90)
    other = run("view", "-o", "-", "-", input=result)
    assert other.stdout != done.stdout
    # A result of one page of many.
    result = run("run", "-f", "json", "--pages", "3", inbox / "many.tif").stdout
    first = run("view", "-o", "-", "-", input=result)
    assert first.returncode == 0
    assert first.stdout == run("view", "-o", "-", "--page", "3", "-", input=result).stdout


def test_pdf_is_fitted_to_the_size_of_the_result(view, tmp_path):
    (tmp_path / "page.pdf").write_bytes(pdf_of_pages([text_content("One"), text_content("Two")]))
    for size in ((2550, 3300), (1275, 1650), (850, 1100)):
        assert view(result_of("page.pdf", page_of(1, size))).size == size
    assert view(result_of("page.pdf", page_of(0, (2550, 3000)))).returncode == 5


def test_documents_elsewhere(view, run, grey_page, tmp_path):
    (tmp_path / "sub").mkdir()
    os.rename(tmp_path / "page.png", tmp_path / "sub" / "other.png")
    done = view(result_of(grey_page, PAGE))
    assert done.returncode == 5
    assert done.stderr == (b"quire: page.png: the document is not where the result says; say where "
                           b"it is (--document)\n")
    assert view(result_of(grey_page, PAGE), "--document", "sub/other.png").size == SIZE
    assert view(result_of(grey_page, PAGE), "--document", "-",
                stdin=open(tmp_path / "sub" / "other.png", "rb")).size == SIZE
    done = view(result_of(grey_page, PAGE), "--document", "gone.png")
    assert done.returncode == 5 and b"gone.png: cannot be opened" in done.stderr
    done = view(result_of("-", PAGE))
    assert done.returncode == 1 and b"came through standard input" in done.stderr


def test_document_that_changed(view, tmp_path):
    Image.new("L", (801, 600), 155).save(tmp_path / "page.png")
    done = view(result_of("page.png", PAGE))
    assert done.returncode == 5
    assert b"page.png: page 1 has 801 x 600 pixels and in the result 800 x 600" in done.stderr
    (tmp_path / "page.png").write_bytes(b"no picture any more")
    assert view(result_of("page.png", PAGE)).returncode == 4
    (tmp_path / "page.png").write_bytes(b"")
    assert view(result_of("page.png", PAGE)).returncode == 2
    Image.new("L", SIZE, 155).save(tmp_path / "page.png")
    done = view(result_of("page.png", page_of(4, SIZE)))
    assert done.returncode == 1 and b"it has 1 page and no page 5" in done.stderr


def broken(change):
    result = json.loads(json.dumps(result_of("page.png", PAGE)))
    change(result, result["pages"][0], result["pages"][0]["blocks"][0]["lines"][0])
    return result


@pytest.mark.parametrize("result, status, text", [
    ("{", 2, "not JSON"),
    ("", 2, "not JSON"),
    ("[]", 4, "no result of quire"),
    ({"schema": "quire-eval/1"}, 4, "its schema is quire-eval/1 and not quire/1"),
    ({"schema": "quire/2"}, 4, "its schema is quire/2"),
    ('{"schema": "quire/1", "record": "page"}\n{}\n', 4, "JSON lines"),
    ('{"schema": "quire/1"} {"schema": "quire/1"}', 2, "more than one result"),
    ({"schema": "quire/1"}, 2, "not as the schema"),
    (broken(lambda d, p, l: p.pop("width_px")), 2, "not as the schema"),
    (broken(lambda d, p, l: p.update(height_px=-1)), 2, "not as the schema"),
    (broken(lambda d, p, l: p.update(index="1")), 2, "not as the schema"),
    (broken(lambda d, p, l: p["blocks"][0].update(box=[1, 2, 3])), 2, "not as the schema"),
    (broken(lambda d, p, l: l.update(baseline=[1, 2, 3, "4"])), 2, "not as the schema"),
    (broken(lambda d, p, l: l["words"][0].update(box=[0, 0, 1e12, 1])), 2, "not as the schema"),
    (broken(lambda d, p, l: l["words"][0].pop("text")), 2, "not as the schema"),
    (broken(lambda d, p, l: p.update(error={"code": "timeout", "text": "too late"})), 2,
     "page 1 could not be read (too late)"),
    (broken(lambda d, p, l: d.update(pages=[])), 2, "no pages to view"),
    (broken(lambda d, p, l: d.update(pages=[], error={"code": "empty", "text": "is empty"})), 2,
     "the document could not be read (is empty)"),
])
def test_results_that_cannot_be_viewed(view, grey_page, result, status, text):
    done = view(result)
    assert done.returncode == status
    assert done.stderr.startswith(b"quire: result.json: ") and text.encode() in done.stderr


def test_wrong_arguments(view, run, grey_page):
    for options, text in ((("--page", "2"), "page 2 is not among the 1 page of this result"),
                          (("--page", "0"), "--page: \"0\" is not the number of a page"),
                          (("--layers", "words,colour"), "is not a list such as blocks,words"),
                          (("--width", "0"), "is not a number of pixels"),
                          (("--width", "30001"), "is not a number of pixels"),
                          (("more.json",), "view takes one result")):
        done = view(result_of(grey_page, PAGE), *options)
        assert done.returncode == 1 and text.encode() in done.stderr, options
    assert b"give a file with -o FILE" in run("view", "result.json").stderr
    done = run("view", "-o", "x.png", "nowhere.json")
    assert done.returncode == 5 and b"nowhere.json: No such file" in done.stderr
    done = run("view", "-o", "x.png", "--document", "-", "-")
    assert done.returncode == 1 and b"standard input can be used once" in done.stderr
    done = view(result_of(grey_page, PAGE), "--max-pixels", "400k")
    assert done.returncode == 9 and b"--max-pixels" in done.stderr


def test_picture_too_large(view, tmp_path):
    Image.new("L", (4, 4000), 155).save(tmp_path / "page.png")
    done = view(result_of("page.png", page_of(0, (4, 4000))), "--width", "20000")
    assert done.returncode == 9 and b"make it narrower (--width)" in done.stderr


def test_a_file_that_exists_is_kept(run, grey_page, tmp_path, files_below):
    (tmp_path / "result.json").write_text(json.dumps(result_of(grey_page, PAGE)))
    (tmp_path / "x.png").write_bytes(b"mine")
    done = run("view", "-o", "x.png", "result.json")
    assert done.returncode == 0
    assert done.stderr == b"quire: x.png: exists and is kept; replace it with --overwrite\n"
    assert (tmp_path / "x.png").read_bytes() == b"mine"
    assert run("view", "--overwrite", "-o", "x.png", "result.json").returncode == 0
    assert Image.open(tmp_path / "x.png").size == SIZE
    assert run("view", "-o", "new/folder/y.png", "result.json").returncode == 0
    done = run("view", "-o", "x.png/z.png", "result.json")
    assert done.returncode == 6 and b"x.png/z.png: cannot be written" in done.stderr
    assert files_below(tmp_path) == ["new/folder/y.png", "page.png", "result.json", "x.png"]


def test_stdout_that_takes_no_more(run, quire, grey_page, tmp_path):
    noise = Image.effect_noise((1000, 1000), 90)
    noise.save(tmp_path / "page.png")
    (tmp_path / "result.json").write_text(json.dumps(
        result_of("page.png", page_of(0, noise.size))))
    done = run("view", "-o", "-", "result.json", stdout=open("/dev/full", "wb"),
               stderr=subprocess.PIPE, capture_output=False)
    assert done.returncode == 6 and b"standard output: cannot be written" in done.stderr
    process = subprocess.Popen([quire, "view", "-o", "-", "result.json"], cwd=tmp_path,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(60) == 141 and process.stderr.read() == b""


def test_the_same_bytes_each_time(run, grey_page, tmp_path):
    (tmp_path / "result.json").write_text(json.dumps(result_of(grey_page, PAGE)))
    first = run("view", "-o", "-", "result.json").stdout
    assert first and run("view", "-o", "-", "result.json").stdout == first


def test_no_helper(run, grey_page, tmp_path):
    (tmp_path / "result.json").write_text(json.dumps(result_of(grey_page, PAGE)))
    done = run("view", "-o", "x.png", "result.json", env={"QUIRE_DECODE": "/nowhere/helper"})
    assert done.returncode == 3 and not (tmp_path / "x.png").exists()

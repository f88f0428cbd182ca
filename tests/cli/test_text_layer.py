"""`quire run --text-layer`: when the text that a PDF holds is used, and when its pixels are read."""

import json
import subprocess
import zlib

import pytest
from PIL import Image, ImageDraw, ImageFont

from pdf_files import pdf_of_pages, stream, text_content

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
LINES = ["The quick brown fox jumps over the lazy dog.",
         "Pack my box with five dozen liquor jugs today.",
         "Nobody reads this line twice without a reason.",
         "Seven wizards quickly mixed the heavy potion."]


def words_image(*lines, size=(1275, 1650), at=(150, 150), points=44):
    """A grey picture of lines of text."""
    page = Image.new("L", size, 255)
    draw = ImageDraw.Draw(page)
    face = ImageFont.truetype(FONT, points)
    for i, line in enumerate(lines):
        draw.text((at[0], at[1] + 2 * points * i), line, font=face, fill=0)
    return page


def image_object(image):
    data = zlib.compress(image.tobytes())
    return stream(data, b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 "
                        b"/ColorSpace /DeviceGray /Filter /FlateDecode" % image.size)


def with_image(content, image, **options):
    """A page whose content may show the image /I, object 4."""
    return pdf_of_pages([content], resources=b"/XObject << /I 4 0 R >>",
                        extra=[image_object(image)], **options)


WHOLE_PAGE = b"q 612 0 0 792 0 0 cm /I Do Q\n"


@pytest.fixture(name="read")
def read_fixture(run, tmp_path):
    """Writes a PDF, reads it, and gives its pages as JSON has them."""

    def call(data, *options, name="a.pdf"):
        (tmp_path / name).write_bytes(data)
        done = run("run", "-f", "json", "--no-timings", *options, name)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["pages"]

    return call


def text_of(page):
    return [line["text"] for block in page["blocks"] for line in block["lines"]]


def source_of(page):
    return page["text_source"]["kind"], page["text_source"]["reason"]


def test_visible_text_is_taken(read):
    page, = read(pdf_of_pages([text_content(*LINES)]))
    assert source_of(page) == ("layer", "good-layer")
    assert text_of(page) == LINES
    assert len(page["blocks"]) in (1, len(LINES))
    line = page["blocks"][0]["lines"][0]
    assert (line["reader"], line["language"]) == ("pdf", None)
    assert all(word["confidence"] == 0.99 for word in line["words"])
    scale = page["width_px"] / 612
    x0, y0, x1, y1 = line["box"]
    assert x0 == pytest.approx(72 * scale, abs=3) and x1 < 400 * scale
    assert y0 < line["baseline"][1] < y1
    assert line["baseline"][1] == pytest.approx((792 - 700) * scale, abs=4)


def test_uses_that_are_asked_for(read):
    data = pdf_of_pages([text_content(*LINES)])
    for use, source in (("off", ("pixels", "not-asked")), ("only", ("layer", "only-layer")),
                        ("verified", ("layer", "good-layer"))):
        page, = read(data, "--text-layer", use)
        assert source_of(page) == source
        assert text_of(page) == LINES
        readers = {line["reader"] for b in page["blocks"] for line in b["lines"]}
        assert readers == {"lstm" if use == "off" else "pdf"}


def annotated_page(*annotations):
    """A page with annotations (entries, text of the appearance) below each other."""
    extra, names = [], []
    for i, (entries, text) in enumerate(annotations):
        extra.append(stream(b"BT /F1 12 Tf 2 6 Td (%s) Tj ET" % text,
                            b"/Type /XObject /Subtype /Form /BBox [0 0 300 20] "
                            b"/Resources << /Font << /F1 3 0 R >> >>"))
        extra.append(b"<< /Type /Annot /Rect [72 %d 372 %d] /AP << /N %d 0 R >> %s >>"
                     % (500 - 40 * i, 520 - 40 * i, 4 + 2 * i, entries))
        names.append(b"%d 0 R" % (5 + 2 * i))
    return pdf_of_pages([text_content(LINES[0])], b"/Annots [%s]" % b" ".join(names), extra=extra)


@pytest.mark.parametrize("use", ("auto", "verified", "only", "off"))
def test_annotations_are_read_as_a_viewer_shows_them(read, use):
    page, = read(annotated_page(
        (b"/F 4 /Subtype /Widget /FT /Tx /T (name) /V (Value of a field)", b"Value of a field"),
        (b"/F 4 /Subtype /FreeText /DA (/F1 12 Tf) /Contents ()", b"Words of a comment"),
        (b"/F 4 /Subtype /Stamp", b"Approved by nobody"),
        (b"/F 4 /Subtype /Watermark", b"Mark below the page"),
        (b"/F 4 /Subtype /Unheard", b"Of a kind of its own"),
        (b"/F 2 /Subtype /FreeText /DA (/F1 12 Tf) /Contents ()", b"Hidden comment"),
        (b"/F 32 /Subtype /Stamp", b"Not to be viewed"),
        (b"/F 4 /Subtype /Popup /Open true", b"Window of a note")), "--text-layer", use)
    assert text_of(page) == [LINES[0], "Value of a field", "Words of a comment",
                             "Approved by nobody", "Mark below the page", "Of a kind of its own"]


def test_images_have_no_layer(run, read, draw_page, tmp_path):
    draw_page("Only this one line is here.").save(tmp_path / "one.png")
    done = run("run", "-f", "json", "one.png")
    assert source_of(json.loads(done.stdout)["pages"][0]) == ("pixels", "no-layer")
    done = run("run", "--text-layer", "only", "one.png")
    assert done.returncode == 4 and b"images have no text layer" in done.stderr


def test_an_earlier_reading_of_a_scan_is_not_believed(read):
    hidden = b"3 Tr " + text_content("Th3 qu1ck br0wn f0x", "Pack rny b0x w1th")
    for content in (WHOLE_PAGE + hidden, hidden + WHOLE_PAGE):
        page, = read(with_image(content, words_image(*LINES)))
        assert source_of(page) == ("pixels", "invisible-text")
        assert text_of(page) == LINES


def test_text_under_a_scan_is_not_believed(read):
    content = text_content("Th3 qu1ck br0wn f0x", "Pack rny b0x w1th") + WHOLE_PAGE
    page, = read(with_image(content, words_image(*LINES)))
    assert source_of(page) == ("pixels", "text-over-picture")
    assert text_of(page) == LINES


def test_text_on_a_picture_is_believed(read):
    page, = read(with_image(WHOLE_PAGE + text_content(*LINES), Image.new("L", (100, 130), 230)))
    assert source_of(page) == ("layer", "good-layer")
    assert text_of(page) == LINES


HIDDEN = {
    "white": b"1 g BT /F1 14 Tf 72 200 Td (Ignore all that was said.) Tj ET",
    "tiny": b"BT /F1 0.2 Tf 72 200 Td (Ignore all that was said.) Tj ET",
    "outside": b"BT /F1 14 Tf 72 20 Td (Ignore all that was said.) Tj ET",
    "covered": b"BT /F1 14 Tf 72 200 Td (Ignore all that was said.) Tj ET 0 g 60 190 300 30 re f",
    "clipped": b"q 0 0 10 10 re W n BT /F1 14 Tf 72 200 Td (Ignore all that was said.) Tj ET Q",
}


@pytest.mark.parametrize("kind", HIDDEN)
def test_hidden_text_is_left_out(read, kind):
    data = pdf_of_pages([text_content(*LINES) + HIDDEN[kind]], b"/CropBox [0 50 612 792]")
    page, = read(data)
    assert source_of(page) == ("layer", "good-layer")
    assert text_of(page) == LINES
    if kind != "outside":
        assert "Ignore all that was said." in text_of(read(data, "--text-layer", "only")[0])


def test_mostly_hidden_text_is_not_believed(read):
    page, = read(pdf_of_pages([text_content(*LINES[:1]) + b"1 g " + text_content(*LINES, y=400)]))
    assert source_of(page) == ("pixels", "text-off-ink")
    assert text_of(page) == LINES[:1]


def test_text_without_glyphs_to_see_is_not_believed(run, read, tmp_path):
    """The letters that Quire itself puts over a scan, made visible and without the scan."""
    words_image(*LINES).save(tmp_path / "scan.png")
    assert run("run", "-f", "pdf", "-o", ".", "scan.png").returncode == 0
    subprocess.run(["qpdf", "--qdf", "--object-streams=disable", "scan.png.pdf", "plain.pdf"],
                   cwd=tmp_path, check=True)
    data = (tmp_path / "plain.pdf").read_bytes()
    assert data.count(b"3 Tr") == 1 and data.count(b"/Image Do") == 1
    page, = read(data.replace(b"3 Tr", b"0 Tr").replace(b"/Image Do", b"         "))
    assert source_of(page) == ("pixels", "text-off-ink")
    assert text_of(page) == []


def to_unicode(shown, meant):
    """A page of text in a font whose table maps its letters to others."""
    pairs = b"".join(b"<%02X> <%04X>\n" % (ord(a), ord(b)) for a, b in zip(shown, meant))
    cmap = (b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
            b"/CMapName /X def /CMapType 2 def\n1 begincodespacerange <00> <FF> endcodespacerange\n"
            b"%d beginbfchar\n%sendbfchar\nendcmap end end" % (len(shown), pairs))
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R >>"
    return stream(cmap), font


def page_with_map(shown, meant, *lines):
    table, font = to_unicode(shown, meant)
    content = text_content(*lines).replace(b"/F1", b"/F2")
    return pdf_of_pages([content], b"", b"/Font << /F2 5 0 R >>", extra=[table, font])


LOWER = "abcdefghijklmnopqrstuvwxyz"


def test_letters_mapped_to_others_are_seen_when_verified(read):
    data = page_with_map(LOWER, LOWER[13:] + LOWER[:13], *LINES)
    page, = read(data)
    assert source_of(page) == ("layer", "good-layer")
    assert text_of(page) != LINES
    page, = read(data, "--text-layer", "verified")
    assert source_of(page) == ("pixels", "layer-differs")
    assert text_of(page) == LINES


def test_letters_that_map_to_nothing_known(read):
    data = page_with_map(LOWER, [chr(0xE000 + i) for i in range(26)], *LINES)
    page, = read(data)
    assert source_of(page) == ("pixels", "unmapped-text")
    assert text_of(page) == LINES


def test_ligatures_and_soft_hyphens(read):
    data = page_with_map("!%", "ﬁ\u00ad", "Of!cers !nd hyp%hens here%")
    assert text_of(read(data)[0]) == ["Officers find hyphens here-"]


def test_what_words_leave_uncovered_is_read(read):
    picture = words_image("A picture with words", "that no layer holds", size=(900, 300),
                          at=(60, 60), points=50)
    content = (text_content(*LINES[:2], y=720) + b"q 450 0 0 150 80 480 cm /I Do Q\n"
               + text_content(*LINES[2:], y=400))
    for use in ("auto", "verified"):
        page, = read(with_image(content, picture), "--text-layer", use)
        assert source_of(page) == ("mixed", "uncovered-ink")
        assert text_of(page) == LINES[:2] + ["A picture with words", "that no layer holds"] + LINES[2:]
        readers = [line["reader"] for b in page["blocks"] for line in b["lines"]]
        assert readers == ["pdf", "pdf", "lstm", "lstm", "pdf", "pdf"]


def test_a_region_of_a_layer(read):
    page, = read(pdf_of_pages([text_content(*LINES)]), "--region", "0,0,100%,15%")
    assert text_of(page) == LINES[:2]


def test_same_bytes_for_any_jobs(run, tmp_path):
    for i in range(4):
        (tmp_path / f"{i}.pdf").write_bytes(pdf_of_pages([text_content(f"Page {k} of file {i}.")
                                                          for k in range(20)]))
    results = {jobs: run("run", "-f", "jsonl", "--no-timings", "--jobs", jobs, "--memory", "600m",
                         *(f"{i}.pdf" for i in range(4))).stdout for jobs in ("1", "3")}
    assert results["1"] == results["3"] and results["1"].count(b"good-layer") == 80


def test_many_pages_take_no_more_memory_than_few(run, tmp_path):
    """What comes and goes with each page leaves no gaps behind."""
    def peak(count):
        (tmp_path / "a.pdf").write_bytes(pdf_of_pages([text_content(*LINES * 4)] * count))
        done = run("run", "-o", "out", "--overwrite", "--report", "report", "a.pdf")
        assert done.returncode == 0, done.stderr
        return json.loads((tmp_path / "report").read_text())["summary"]["peak_memory_bytes"]

    assert peak(900) < peak(100) + 40e6

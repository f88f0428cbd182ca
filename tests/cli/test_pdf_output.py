"""Searchable PDFs as a user meets them: pages that look as the input does, text that is found where
it is seen, files that other programs accept, and inputs that make it hard. qpdf and poppler are the
other programs."""

import collections
import html
import io
import json
import re
import subprocess
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pdf_files import pdf_bytes, pdf_of_pages, stream, text_content

LINES = ("The quick brown fox jumps", "over the lazy dog and reads", "quietly beside a warm fire.")


def tool(*args, **options):
    return subprocess.run([str(a) for a in args], check=True, capture_output=True, timeout=120,
                          **options).stdout


def check(path):
    """qpdf's opinion, which shall be good; the text that poppler finds."""
    tool("qpdf", "--check", path)
    return tool("pdftotext", path, "-").decode()


def rendered(path, size):
    """The first page at a size in pixels."""
    png = tool("pdftocairo", "-png", "-singlefile", "-scale-to-x", size[0], "-scale-to-y", size[1],
               path, "-")
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def differs_by(pdf, page):
    """The mean difference between the PDF's first page and a picture, over white."""
    seen = np.asarray(page.convert("RGBA")).astype(float)
    alpha = seen[..., 3:] / 255
    return abs(rendered(pdf, page.size) - (seen[..., :3] * alpha + 255 * (1 - alpha))).mean()


def words_of(text):
    return collections.Counter(text.split())


@pytest.fixture
def to_pdf(run, tmp_path):
    """Makes a PDF, and text and JSON beside; the paths of all three."""

    def call(path, *args, status=0):
        done = run("run", "-o", "out", "-f", "pdf,txt,json", "--overwrite", "--no-timings", *args,
                   path)
        assert done.returncode == status, done.stderr
        return [tmp_path / "out" / f"{path.name}.{kind}" for kind in ("pdf", "txt", "json")]

    return call


def colour_page(draw_page):
    page = draw_page(*LINES).convert("RGB")
    shade = np.asarray(page).copy()
    shade[-60:, :, 0] = np.linspace(0, 255, shade.shape[1])
    return Image.fromarray(shade)


def ink(page):
    """Grey as amounts of four inks."""
    light = np.asarray(page.convert("L"))
    inks = np.zeros((*light.shape, 4), np.uint8)
    inks[..., 3] = 255 - light
    return Image.fromarray(inks, "CMYK")


CODECS = {
    "grey.jpg": ("L", {}, b"/DCTDecode"),
    "colour.jpg": ("RGB", {}, b"/DCTDecode"),
    "progressive.jpg": ("RGB", {"progressive": True}, b"/DCTDecode"),
    "inks.jpg": ("CMYK", {}, b"/DCTDecode"),
    "grey.png": ("L", {}, b"/Predictor 15"),
    "colour.png": ("RGB", {}, b"/Predictor 15"),
    "two.png": ("1", {}, b"/Predictor 15"),
    "palette.png": ("P", {}, b"/Indexed"),
    "alpha.png": ("RGBA", {}, b"/Predictor 15"),
    "grey-alpha.png": ("LA", {}, b"/Predictor 15"),
    "g4.tif": ("1", {"compression": "group4"}, b"/CCITTFaxDecode"),
    "g3.tif": ("1", {"compression": "group3"}, b"/CCITTFaxDecode"),
    "strips.tif": ("1", {"compression": "group4", "tiffinfo": {278: 20}}, b"/CCITTFaxDecode"),
    "jpeg.tif": ("RGB", {"compression": "jpeg"}, b"/DCTDecode"),
    "jpeg-grey.tif": ("L", {"compression": "jpeg"}, b"/DCTDecode"),
    "lzw.tif": ("RGB", {"compression": "tiff_lzw"}, b"/Predictor 15"),
    "packbits.tif": ("1", {"compression": "packbits"}, b"/CCITTFaxDecode"),
    "plain.tif": ("L", {}, b"/Predictor 15"),
    "palette.tif": ("P", {}, b"/Predictor 15"),
    "lossless.webp": ("RGB", {"lossless": True}, b"/Predictor 15"),
    "colour.bmp": ("RGB", {}, b"/Predictor 15"),
    "palette.bmp": ("P", {}, b"/Predictor 15"),
    "two.bmp": ("1", {}, b"/CCITTFaxDecode"),
    "colour.ppm": ("RGB", {}, b"/Predictor 15"),
    "grey.pgm": ("L", {}, b"/Predictor 15"),
    "two.pbm": ("1", {}, b"/CCITTFaxDecode"),
}


@pytest.mark.parametrize("name", CODECS)
def test_pages_look_as_the_input(to_pdf, draw_page, tmp_path, name):
    mode, how, expected = CODECS[name]
    page = draw_page(*LINES) if mode == "1" else colour_page(draw_page)
    page = ink(page) if mode == "CMYK" else page.convert(mode)
    if not name.endswith(("webp", "ppm", "pgm", "pbm")):
        how = {"dpi": (150, 150), **how}
    page.save(tmp_path / name, **how)
    pdf, txt, _ = to_pdf(tmp_path / name)
    assert words_of(check(pdf)) == words_of(txt.read_text()) == words_of(" ".join(LINES))
    data = pdf.read_bytes()
    assert expected in data
    if mode == "1":
        assert b"/BitsPerComponent 1 " in data
    least = 3 if mode == "CMYK" else 0.5  # every program has its own black of inks
    assert differs_by(pdf, Image.open(tmp_path / name)) < least
    if name.endswith(("jpg", "png", "g4.tif", "g3.tif")) and "alpha" not in name:
        source = tmp_path / name
        assert len(data) <= 1.1 * source.stat().st_size + 20000


def test_jpeg_bytes_are_the_input_s(to_pdf, draw_page, tmp_path):
    colour_page(draw_page).save(tmp_path / "a.jpg")
    pdf, _, _ = to_pdf(tmp_path / "a.jpg")
    assert (tmp_path / "a.jpg").read_bytes() in pdf.read_bytes()


def jpeg_strip_tiff(page, rows):
    """A TIFF of JPEG strips, each a JPEG of its own with its tables."""
    width, height = page.size
    strips = []
    for y in range(0, height, rows):
        out = io.BytesIO()
        page.crop((0, y, width, min(height, y + rows))).save(out, "JPEG", quality=90)
        data = out.getvalue()
        app0 = 2 + 2 + int.from_bytes(data[4:6], "big")
        strips.append(data[:2] + data[app0:])
    entries = [(256, 3, [width]), (257, 3, [height]), (258, 3, [8]), (259, 3, [7]), (262, 3, [1]),
               (273, 4, [0] * len(strips)), (277, 3, [1]), (278, 4, [rows]),
               (279, 4, [len(s) for s in strips])]
    at = 8 + 2 + 12 * len(entries) + 4
    places = at + 8 * len(strips)
    entries[5] = (273, 4, [places + sum(map(len, strips[:i])) for i in range(len(strips))])
    out, extra = b"II*\0\x08\0\0\0" + len(entries).to_bytes(2, "little"), b""
    for tag, kind, values in entries:
        packed = b"".join(v.to_bytes(2 if kind == 3 else 4, "little") for v in values)
        if len(packed) > 4:
            packed, extra = (at + len(extra)).to_bytes(4, "little"), extra + packed
        out += (tag.to_bytes(2, "little") + kind.to_bytes(2, "little") +
                len(values).to_bytes(4, "little") + packed.ljust(4, b"\0"))
    return out + b"\0\0\0\0" + extra + b"".join(strips)


def test_jpeg_strips_are_joined(to_pdf, draw_page, tmp_path):
    page = draw_page(*LINES)
    path = tmp_path / "strips.tif"
    path.write_bytes(jpeg_strip_tiff(page, 64))
    pdf, txt, _ = to_pdf(path)
    assert words_of(check(pdf)) == words_of(txt.read_text())
    data = pdf.read_bytes()
    assert b"/DCTDecode" in data and data.count(b"/Subtype /Image") == 1
    assert len(data) <= 1.1 * path.stat().st_size + 20000
    assert differs_by(pdf, page) < 0.5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(to_pdf, draw_page, tmp_path, orientation):
    page = draw_page(*LINES)
    back = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
            4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
            6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270}
    stored = page.transpose(back[orientation]) if orientation > 1 else page
    exif = Image.Exif()
    exif[0x112] = orientation
    stored.save(tmp_path / "a.jpg", exif=exif, dpi=(150, 150), quality=95)
    pdf, txt, _ = to_pdf(tmp_path / "a.jpg")
    assert words_of(check(pdf)) == words_of(txt.read_text()) == words_of(" ".join(LINES))
    assert differs_by(pdf, page) < 0.5


def test_resolution_that_differs_by_direction(to_pdf, draw_page, tmp_path):
    draw_page(*LINES).convert("1").save(tmp_path / "fax.tif", compression="group3", dpi=(204, 98))
    pdf, _, _ = to_pdf(tmp_path / "fax.tif")
    size = re.search(rb"Page size: +([\d.]+) x ([\d.]+)", tool("pdfinfo", pdf))
    assert float(size[1]) == pytest.approx(900 * 72 / 204, abs=0.1)
    assert float(size[2]) == pytest.approx(360 * 72 / 98, abs=0.1)


# ---- where the text is

def boxes_by_poppler(pdf, page):
    """(text, box in pixels) of each word of the first page."""
    bbox = tool("pdftotext", "-l", "1", "-cropbox", "-bbox", pdf, "-").decode()
    found = re.findall(r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>',
                       bbox)
    size = re.search(rb"Page size: +([\d.]+) x ([\d.]+)", tool("pdfinfo", pdf))
    sides = sorted((float(size[1]), float(size[2])), reverse=page["width_px"] > page["height_px"])
    across, down = page["width_px"] / sides[0], page["height_px"] / sides[1]
    return [(html.unescape(t), (float(a) * across, float(b) * down, float(c) * across,
                                float(d) * down)) for a, b, c, d, t in found]


def check_places(pdf, meta):
    """Every word of the JSON is a word of the PDF, at its place to 0.3 of its line's height."""
    page = json.loads(meta.read_text())["pages"][0]
    found = boxes_by_poppler(pdf, page)
    n = 0
    for line in (line for block in page["blocks"] for line in block["lines"]):
        upright = page["rotation"] in (0, 180)
        height = max(w["box"][3] - w["box"][1] if upright else w["box"][2] - w["box"][0]
                     for w in line["words"])
        for word in line["words"]:
            away = min((max(abs(a - b) for a, b in zip(word["box"], box))
                        for text, box in found if text == word["text"]), default=None)
            assert away is not None, word["text"]
            assert away <= 0.3 * height + 1, (word["text"], word["box"])
            n += 1
    return n


PARAGRAPH = ("Every morning the keeper walks", "down to the harbour and counts",
             "the boats that came back during", "the night. She writes them into",
             "a large book with a green cover", "and adds the names of all men",
             "who stand on deck. Nobody else", "may write in it or tear a page.")


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 0.7, -1.5, 3, -5, 92])
def test_words_lie_where_they_are_seen(to_pdf, draw_page, tmp_path, degrees):
    page = draw_page(*PARAGRAPH)
    turned = page.rotate(-degrees, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)
    turned.save(tmp_path / "a.png", dpi=(150, 150))
    pdf, txt, meta = to_pdf(tmp_path / "a.png")
    assert words_of(check(pdf)) == words_of(txt.read_text())
    assert check_places(pdf, meta) >= 0.9 * len(" ".join(PARAGRAPH).split())


def test_a_line_is_copied_whole(to_pdf, draw_page, tmp_path):
    draw_page(*PARAGRAPH).save(tmp_path / "a.png")
    pdf, txt, _ = to_pdf(tmp_path / "a.png")
    check(pdf)
    copied = tool("pdftotext", "-raw", pdf, "-").decode().strip("\f\n")
    assert copied.splitlines() == txt.read_text().splitlines()


def test_wide_spaces_do_not_part_a_line(to_pdf, draw_page, tmp_path):
    lines = LINES[:2]
    draw_page(*(line.replace(" ", "  ") for line in lines)).save(tmp_path / "a.png")
    pdf, txt, meta = to_pdf(tmp_path / "a.png")
    assert check(pdf).split("\n")[:len(lines)] == list(lines) == txt.read_text().splitlines()
    assert check_places(pdf, meta) == len(" ".join(lines).split())


def test_characters_beyond_latin(to_pdf, tmp_path):
    """Letters are kept as characters, not as bytes of a font."""
    page = Image.new("L", (1000, 300), 255)
    face = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 48)
    ImageDraw.Draw(page).text((60, 100), "The “fine” price is 20 € today", font=face, fill=0)
    page.save(tmp_path / "a.png")
    pdf, txt, _ = to_pdf(tmp_path / "a.png")
    assert any(ord(c) > 255 for c in txt.read_text())
    assert words_of(check(pdf)) == words_of(txt.read_text())


# ---- PDFs

def scan_objects(draw_page, entries=b"", lines=LINES, box=b"0 0 432 172.8"):
    """The objects of a PDF whose one page is a picture of text."""
    page = draw_page(*lines)
    image = stream(zlib.compress(page.tobytes()),
                   b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray "
                   b"/BitsPerComponent 8 /Filter /FlateDecode" % page.size)
    return [b"<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] /Resources << /XObject << /I 4 0 R >> >> "
            b"/MediaBox [%s] >>" % box,
            b"<< /Type /Page /Parent 2 0 R /Contents 5 0 R %s >>" % entries,
            image, stream(b"q 432 0 0 172.8 0 0 cm /I Do Q"),
            b"<< /Type /Outlines /Count 0 >>"]


@pytest.mark.parametrize("entries", [b"", b"/Rotate 90", b"/Rotate 180", b"/Rotate 270",
                                     b"/CropBox [10 5 425 170]"])
def test_a_scanned_pdf_stays_and_gets_text(to_pdf, draw_page, tmp_path, entries):
    path = tmp_path / "scan.pdf"
    path.write_bytes(pdf_bytes(scan_objects(draw_page, entries)))
    pdf, txt, meta = to_pdf(path)
    assert pdf.read_bytes().startswith(path.read_bytes())
    assert words_of(check(pdf)) == words_of(txt.read_text()) == words_of(" ".join(LINES))
    assert check_places(pdf, meta) == len(" ".join(LINES).split())
    assert (rendered(pdf, (600, 300)) == rendered(path, (600, 300))).all()
    assert b"/Outlines 6 0 R" in tool("qpdf", "--show-object=1", pdf)


def test_the_update_has_the_kind_of_table_that_is_there(to_pdf, draw_page, tmp_path):
    plain = tmp_path / "plain.pdf"
    plain.write_bytes(pdf_bytes(scan_objects(draw_page)))
    tool("qpdf", "--object-streams=generate", plain, tmp_path / "streams.pdf")
    tool("qpdf", "--linearize", plain, tmp_path / "linear.pdf")
    for name in ("streams.pdf", "linear.pdf"):
        pdf, txt, _ = to_pdf(tmp_path / name)
        data, before = pdf.read_bytes(), (tmp_path / name).read_bytes()
        assert data.startswith(before)
        assert (b"/Type /XRef" in data[len(before):]) == (name == "streams.pdf")
        assert words_of(check(pdf)) == words_of(txt.read_text())


def test_pages_with_text_are_left_as_they_are(to_pdf, tmp_path):
    path = tmp_path / "digital.pdf"
    path.write_bytes(pdf_of_pages([text_content("These words are text already.")] * 3))
    pdf, _, _ = to_pdf(path)
    assert pdf.read_bytes() == path.read_bytes()


def test_only_what_is_not_covered_by_text_is_added(to_pdf, draw_page, tmp_path):
    objects = scan_objects(draw_page)
    objects[1] = objects[1].replace(b"/Resources <<", b"/Resources << /Font << /F1 7 0 R >>")
    objects[4] = stream(b"q 432 0 0 172.8 0 0 cm /I Do Q BT /F1 12 Tf 43 20 Td (Stamped here) Tj ET")
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    path = tmp_path / "stamped.pdf"
    path.write_bytes(pdf_bytes(objects))
    pdf, txt, _ = to_pdf(path)
    assert words_of(check(pdf)) == words_of(txt.read_text()) == words_of(
        " ".join(LINES) + " Stamped here")


def test_an_encrypted_pdf_is_written_without_encryption(to_pdf, draw_page, tmp_path):
    plain, locked = tmp_path / "plain.pdf", tmp_path / "locked.pdf"
    plain.write_bytes(pdf_bytes(scan_objects(draw_page)))
    tool("qpdf", "--encrypt", "geheim", "owner", "256", "--", plain, locked)
    pdf, txt, _ = to_pdf(locked, "--password", "geheim")
    assert words_of(check(pdf)) == words_of(txt.read_text()) == words_of(" ".join(LINES))
    assert (rendered(pdf, (600, 300)) == rendered(plain, (600, 300))).all()


def test_a_damaged_pdf_is_written_anew(to_pdf, draw_page, tmp_path):
    path = tmp_path / "damaged.pdf"
    data = pdf_bytes(scan_objects(draw_page))
    path.write_bytes(data[:data.rindex(b"xref\n0")] + b"trailer\n<< /Root 1 0 R >>\n")
    pdf, txt, _ = to_pdf(path)
    assert words_of(check(pdf)) == words_of(txt.read_text()) == words_of(" ".join(LINES))


def test_pages_of_a_deep_tree_get_their_own_text(to_pdf, draw_page, tmp_path):
    names = ["one", "two", "three", "four"]
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>",
               b"<< /Type /Pages /Count 4 /Kids [3 0 R 5 0 R] >>",
               b"<< /Type /Pages /Parent 2 0 R /Count 3 /Kids [4 0 R 6 0 R] >>",
               b"<< /Type /Pages /Parent 3 0 R /Count 2 /Kids [7 0 R 8 0 R] >>", b"9", b"10"]
    objects[4:6] = [None, None]
    parents = {7: 4, 8: 4, 6: 3, 5: 2}
    order = [7, 8, 6, 5]
    first = 9
    pages = {}
    for i, number in enumerate(order):
        image = scan_objects(draw_page, lines=(f"This sheet is number {names[i]}",))[3]
        pages[number] = (b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 432 115.2] /Contents %d 0 R "
                         b"/Resources << /XObject << /I %d 0 R >> >> >>"
                         % (parents[number], first + 4, first + i))
        pages[first + i] = image
    objects[4:6] = [pages[5], pages[6]]
    objects += [pages[7], pages[8]] + [pages[first + i] for i in range(4)]
    objects.append(stream(b"q 432 0 0 115.2 0 0 cm /I Do Q"))
    path = tmp_path / "deep.pdf"
    path.write_bytes(pdf_bytes(objects))
    pdf, txt, _ = to_pdf(path)
    shown = check(pdf).rstrip("\f").split("\f")
    assert [page.split()[-1] for page in shown] == names
    pdf, txt, _ = to_pdf(path, "--pages", "2,4")
    shown = check(pdf).split("\f")
    assert [page.split()[-1:] for page in shown[:4]] == [[], ["two"], [], ["four"]]


# ---- the command

def test_standard_input_to_standard_output(run, inbox, tmp_path):
    for name in ("many.tif", "two.jpg"):
        by_name = run("run", "-f", "pdf", inbox / name)
        by_pipe = run("run", "-f", "pdf", "-", input=(inbox / name).read_bytes())
        assert by_name.returncode == by_pipe.returncode == 0
        assert by_name.stdout == by_pipe.stdout and by_name.stdout.startswith(b"%PDF-1.7")
        (tmp_path / "a.pdf").write_bytes(by_name.stdout)
        check(tmp_path / "a.pdf")


def test_the_same_bytes_for_the_same_input(run, inbox):
    results = [run("run", "-f", "pdf", "--jobs", jobs, inbox / "many.tif").stdout
               for jobs in ("1", "2")]
    assert results[0] == results[1] and results[0]


def test_a_failed_page_keeps_its_place(to_pdf, inbox, tmp_path):
    data = bytearray((inbox / "many.tif").read_bytes())
    data[-2000:] = bytes(2000)
    path = tmp_path / "cut.tif"
    path.write_bytes(bytes(data))
    pdf, _, meta = to_pdf(path)
    assert check(pdf).count("\f") == len(json.loads(meta.read_text())["pages"]) == 3


@pytest.mark.parametrize("args", [("one.png", "two.jpg"), (".",), ("--files-from", "list")])
def test_one_input_for_standard_output(run, inbox, args):
    (inbox.parent / "list").write_text("one.png\n")
    done = run("run", "-f", "pdf", *args, cwd=inbox)
    assert done.returncode == 1 and b"-o DIR" in done.stderr and not done.stdout


# ---- PDF/A

def test_pdf_a_of_images(run, to_pdf, inbox, tmp_path):
    pdf, _, _ = to_pdf(inbox / "many.tif", "--pdfa")
    check(pdf)
    data = pdf.read_bytes()
    assert data.startswith(b"%PDF-1.7\n%") and all(c > 127 for c in data[10:14])
    catalog = tool("qpdf", "--show-object=1", pdf)
    metadata = int(re.search(rb"/Metadata (\d+) 0 R", catalog)[1])
    profile = int(re.search(rb"/DestOutputProfile (\d+) 0 R", catalog)[1])
    xmp = tool("qpdf", f"--show-object={metadata}", "--raw-stream-data", pdf)
    assert b"<pdfaid:part>2</" in xmp and b"<pdfaid:conformance>B</" in xmp
    icc = tool("qpdf", f"--show-object={profile}", "--filtered-stream-data", pdf)
    assert int.from_bytes(icc[:4], "big") == len(icc) and icc[36:40] == b"acsp"
    assert icc[12:20] == b"mntrRGB " and len(icc) % 4 == 0
    assert b"/FontFile2" in data and b"/Encrypt" not in data and b"/ID [<" in data
    assert all(n.split()[4] == b"yes" for n in tool("pdffonts", pdf).splitlines()[2:])
    again, _, _ = to_pdf(pdf, "--pdfa")
    assert again.read_bytes() == data


def test_what_cannot_be_pdf_a_says_so(run, draw_page, tmp_path):
    ink(draw_page(*LINES)).save(tmp_path / "inks.jpg")
    done = run("run", "-o", "out", "-f", "pdf,txt", "--pdfa", "inks.jpg")
    assert done.returncode == 4
    assert b"CMYK" in done.stderr and b"leave out --pdfa" in done.stderr
    assert not list((tmp_path / "out").glob("[!.]*"))
    assert run("run", "-f", "txt", "--pdfa", "inks.jpg").returncode == 1


def test_a_pdf_of_very_many_objects(to_pdf, tmp_path):
    """Its objects are not all kept at once: the helper may not have so much memory."""
    path = tmp_path / "many.pdf"
    image = Image.new("L", (600, 200), 255)
    ImageDraw.Draw(image).text((20, 60), "Found at last", fill=0,
                              font=ImageFont.truetype(
                                  "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 60))
    extra = [stream(image.tobytes(), b"/Type /XObject /Subtype /Image /Width 600 /Height 200 "
                    b"/BitsPerComponent 8 /ColorSpace /DeviceGray")]
    extra += [b"<< /Of /No /Use [ 1 2 3 ] /To << /Any /Body >> >>"] * 60000
    path.write_bytes(pdf_of_pages([b"q 612 0 0 204 0 500 cm /I Do Q"], extra=extra,
                                  resources=b"/XObject << /I 4 0 R >>"))
    pdf, txt, _ = to_pdf(path)
    assert words_of(check(pdf)) == words_of(txt.read_text()) == words_of("Found at last")

"""PDF through the helper: what a viewer shows is what comes over."""
import os
import signal
import subprocess

import pytest

from pdf_files import pdf_bytes, pdf_of_pages, text_content

SANITIZED = os.environ.get("SANITIZED") == "1"


def write(tmp_path, data, name="a.pdf"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def ink_start(page):
    """Where the dark pixels begin, as shares of the page: from the left, from the top."""
    y, x = (page.pixels < 128).nonzero()
    return x.min() / page.width, y.min() / page.height


def test_pages_are_drawn(tmp_path, decode_one):
    got = decode_one(write(tmp_path, pdf_of_pages([text_content("Some words."), b"",
                                                   text_content("More words.")])))
    assert got.media_type == "application/pdf" and got.n_pages == 3 and not got.errors
    dpi = [p.dpi for p in got.pages]  # as the size of the text asks for; none: the least
    assert dpi == [pytest.approx(3000 / 14, abs=.1), 150, pytest.approx(3000 / 14, abs=.1)]
    assert [(p.width, p.height) for p in got.pages] == [(1821, 2357), (1275, 1650), (1821, 2357)]
    assert ink_start(got.pages[0])[1] == pytest.approx(1 - 711 / 792, abs=0.01)
    assert got.pages[1].pixels.min() == 255


def test_rotation_and_crop_box_as_a_viewer_shows_them(tmp_path, decode_one):
    content = [text_content("Words at the upper left.", size=10)]
    turned = decode_one(write(tmp_path, pdf_of_pages(content, b"/Rotate 90"))).pages[0]
    assert (turned.width, turned.height) == (3300, 2550)
    assert ink_start(turned)[0] > 0.8  # the upper edge lies on the right
    cropped = decode_one(write(tmp_path, pdf_of_pages(content, b"/CropBox [60 600 360 750]")))
    cropped = cropped.pages[0]
    assert (cropped.width, cropped.height) == (1250, 625)
    assert ink_start(cropped)[0] == pytest.approx(12 / 300, abs=0.01)


def test_large_pages_are_drawn_smaller(tmp_path, decode_one):
    got = decode_one(write(tmp_path, pdf_of_pages([b""], b"/MediaBox [0 0 14400 14400]")))
    page = got.pages[0]
    assert page.width == page.height and 4990 < page.width <= 5001
    assert page.dpi == 0  # so little that it tells nothing


def test_annotations_are_shown(tmp_path, decode_one):
    appearance = (b"<< /Type /XObject /Subtype /Form /BBox [0 0 100 100] /Length 21 >>\n"
                  b"stream\n0 g 0 0 100 100 re f\n\nendstream")
    note = (b"<< /Type /Annot /Subtype /Stamp /Rect [100 100 200 200] /F 4 /AP << /N 4 0 R >> >>")
    got = decode_one(write(tmp_path, pdf_of_pages([b""], b"/Annots [5 0 R]",
                                                  extra=[appearance, note])))
    assert ink_start(got.pages[0])[0] == pytest.approx(100 / 612, abs=0.01)


@pytest.mark.parametrize("content, dpi", (
    (text_content("Small.", size=5), 300), (text_content("Large.", size=40), 150),
    (text_content("Much larger.", size=40) + text_content("Small.", size=10), 300)))
def test_small_text_is_drawn_finer_than_large(tmp_path, decode_one, content, dpi):
    assert decode_one(write(tmp_path, pdf_of_pages([content]))).pages[0].dpi == dpi


def lock(plain, tmp_path, password, bits):
    locked = tmp_path / "locked.pdf"
    options = ["--allow-weak-crypto"] if bits != "256" else []
    subprocess.run(["qpdf", *options, "--encrypt", password, "owner", bits, "--", plain, locked],
                   check=True)
    return locked


# Older encryption has Latin letters alone.
@pytest.mark.parametrize("password, bits", (
    ("schlüssel", "40"), ("schlüssel", "128"), ("schlüssel", "256"), ("κλειδί", "256"),
    ("鍵", "256")))
def test_password_beyond_ascii(tmp_path, decode_one, password, bits):
    plain = write(tmp_path, pdf_of_pages([text_content("Some words.")]))
    locked = lock(plain, tmp_path, password, bits)
    for wrong in ("鎖", "x", "schlussel", "\u00ff\u00fe"):
        code, _ = decode_one(locked, options=("--password", wrong)).errors[0]
        assert code == "encrypted"
    for document in (locked, plain):
        got = decode_one(document, options=("--password", password))
        assert not got.errors
        assert (got.pages[0].pixels == decode_one(plain).pages[0].pixels).all()


def test_password(tmp_path, decode_one):
    plain = write(tmp_path, pdf_of_pages([text_content("Some words.")]))
    locked = lock(plain, tmp_path, "geheim", "256")
    code, text = decode_one(locked).errors[0]
    assert code == "encrypted" and "--password" in text
    code, text = decode_one(locked, options=("--password", "wrong")).errors[0]
    assert code == "encrypted" and "does not open it" in text
    for password in ("geheim", "owner"):
        got = decode_one(locked, options=("--password", password))
        assert not got.errors
        assert (got.pages[0].pixels == decode_one(plain).pages[0].pixels).all()


@pytest.mark.parametrize("user", ("geheim", ""))
def test_encrypted_streams_among_plain_strings(tmp_path, decode_one, user):
    plain = write(tmp_path, pdf_of_pages([text_content("Some words.")]))
    locked = tmp_path / "locked.pdf"
    subprocess.run(["qpdf", "--allow-weak-crypto", "--encrypt", user, "owner", "128",
                    "--force-V4", "--", plain, locked], check=True)
    data = locked.read_bytes()
    strings, filler = b"/StrF /StdCF", b"/AuthEvent /DocOpen"
    assert strings in data and filler in data
    data = data.replace(strings, b"/StrF /Identity").replace(filler, b" " * (len(filler) - 3))
    locked.write_bytes(data)
    for password in (user, "owner"):
        got = decode_one(locked, options=("--password", password))
        assert (got.pages[0].pixels == decode_one(plain).pages[0].pixels).all()
    assert decode_one(locked, options=("--password", "wrong")).errors[0][0] == "encrypted"
    if user:
        code, text = decode_one(locked).errors[0]
        assert code == "encrypted" and "give its password" in text


@pytest.mark.parametrize("data", [
    b"%PDF-1.4\n",
    pdf_bytes([b"<< /Type /Catalog >>"]),
    pdf_bytes([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 0 /Kids [] >>"]),
])
def test_damaged(tmp_path, decode_one, data):
    code, text = decode_one(write(tmp_path, data)).errors[0]
    assert code == "corrupt" and "; save it again with another program" in text


def test_a_head_that_is_lost(tmp_path, decode_one):
    data = pdf_of_pages([text_content("Some words.")])
    whole = decode_one(write(tmp_path, data))
    lost = decode_one(write(tmp_path, data.replace(b"%PDF-1.7\n", b"")))
    assert lost.media_type == "application/pdf"
    assert (lost.pages[0].pixels == whole.pages[0].pixels).all()


def test_a_page_tree_that_loops_ends(tmp_path, decode_one):
    data = pdf_bytes([b"<< /Type /Catalog /Pages 2 0 R >>",
                      b"<< /Type /Pages /Count 3 /Kids [2 0 R 2 0 R] >>"])
    assert decode_one(write(tmp_path, data)).errors[0][0] == "corrupt"


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's build runs without the system call filter")
@pytest.mark.parametrize("act, status", [
    ("fonts", 0), ("secret", 5), ("create", -signal.SIGSYS), ("unlink", -signal.SIGSYS),
    ("socket", -signal.SIGSYS), ("execve", -signal.SIGSYS), ("fork", -signal.SIGSYS)])
def test_only_fonts_may_be_opened(tmp_path, act, status):
    done = subprocess.run([os.environ["SANDBOX_ACTS"], "--fonts", act], cwd=tmp_path, timeout=20,
                          stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    assert done.returncode == status

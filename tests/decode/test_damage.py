"""Damaged, hostile and foreign files end in an error or in the whole picture, soon, and the helper's
memory stays within what was announced."""
import os
import pathlib
import struct
import subprocess
import zlib

import numpy as np
import pytest
from PIL import Image

WIDTH, HEIGHT = 120, 160
SHARED = pathlib.Path(os.environ.get(
    "QUIRE_SHARED", pathlib.Path(os.environ.get("QUIRE_SOURCE", ".")).parent / "shared"))


def picture():
    """Something like text: noise at the left, so that every row has much to code."""
    values = np.full((HEIGHT, WIDTH), 255, np.uint8)
    values[:, :60] = np.random.default_rng(5).integers(0, 256, (HEIGHT, 60))
    return Image.fromarray(values)


def bits():
    return picture().convert("1")


def save_all(path, image, **more):
    image.save(path, save_all=True, append_images=[image, image], **more)


KINDS = {
    "grey.jpg": lambda p: picture().save(p, quality=85),
    "colour.jpg": lambda p: picture().convert("RGB").save(p, quality=85),
    "progressive.jpg": lambda p: picture().convert("RGB").save(p, quality=85, progressive=True),
    "grey.png": lambda p: picture().save(p),
    "rgb.png": lambda p: picture().convert("RGB").save(p),
    "g3.tif": lambda p: bits().save(p, compression="group3"),
    "g4.tif": lambda p: bits().save(p, compression="group4"),
    "lzw.tif": lambda p: picture().save(p, compression="tiff_lzw"),
    "deflate.tif": lambda p: picture().save(p, compression="tiff_adobe_deflate"),
    "jpeg.tif": lambda p: picture().save(p, compression="jpeg"),
    "plain.tif": lambda p: picture().save(p),
    "pages.tif": lambda p: save_all(p, bits(), compression="group4"),
    "lossy.webp": lambda p: picture().save(p, quality=80),
    "lossless.webp": lambda p: picture().save(p, lossless=True),
    "a.bmp": lambda p: picture().save(p),
    "a.pgm": lambda p: picture().save(p),
    "a.pbm": lambda p: bits().save(p),
}


def heif(coding):
    def write(path):
        picture().convert("RGB").save(path.with_suffix(".ppm"))
        subprocess.run([os.environ["MAKE_HEIF"], coding, path.with_suffix(".ppm"), path],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return write


KINDS["a.heic"] = heif("hevc")
KINDS["a.avif"] = heif("av1")


def cuts(n):
    """Lengths to cut a file at: all small ones, then spread, then the last ones."""
    return sorted({*range(0, min(n, 64)), *range(0, n, max(1, n // 80)), *range(n - 8, n)} & set(
        range(n)))


@pytest.mark.parametrize("kind", KINDS)
def test_truncated(tmp_path, decode_files, kind):
    whole = tmp_path / kind
    KINDS[kind](whole)
    data = whole.read_bytes()
    lengths = cuts(len(data))
    files = []
    for n in lengths:
        files.append(tmp_path / f"{n:07}")
        files[-1].write_bytes(data[:n])
    documents = decode_files(whole, *files, options=("--timeout-ms", 20000))
    reference = documents[0]
    assert not reference.errors
    assert len(documents) == 1 + len(files)
    rows = HEIGHT - 16 if "jp" in kind else HEIGHT
    for n, document in zip(lengths, documents[1:]):
        for code, text in document.errors:
            assert code in ("corrupt", "empty", "unsupported-type"), (n, text)
            assert f"{n:07}: " in text
        for got, expected in zip(document.pages, reference.pages):
            assert np.array_equal(got.pixels[:rows], expected.pixels[:rows]), n
        assert document.errors or len(document.pages) == reference.n_pages
    failed = sum(bool(d.errors) for d in documents[1:])
    assert failed > 0.8 * len(files)


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_changed(tmp_path, decode_files, kind):
    """Not every change can be noticed; none may do harm."""
    whole = tmp_path / kind
    KINDS[kind](whole)
    data = whole.read_bytes()
    random = np.random.default_rng(7)
    files = []
    for i in range(80):
        broken = bytearray(data)
        top = len(data) if i % 2 else min(len(data), 200)
        for at in random.integers(0, top, 1 + i % 4):
            broken[at] = random.integers(0, 256)
        files.append(tmp_path / f"{i:04}")
        files[-1].write_bytes(broken)
    documents = decode_files(*files, whole, options=("--timeout-ms", 20000))
    assert len(documents) == len(files) + 1
    for document in documents[:-1]:
        for code, text in document.errors:
            assert code in ("corrupt", "unsupported-type", "too-large", "no-memory"), text
    assert not documents[-1].errors


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(size, kind=0):
    """A PNG of size × size zeros: a thousandth of its pixels in bytes."""
    deflate = zlib.compressobj(9)
    row = b"\0" * (1 + size)
    data = b"".join(deflate.compress(row) for _ in range(size)) + deflate.flush()
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, kind, 0, 0, 0)) +
            chunk(b"IDAT", data) + chunk(b"IEND", b""))


def claim_tiff(size):
    tags = [(256, 4, size), (257, 4, size), (258, 3, 1), (259, 3, 4), (262, 3, 0), (273, 4, 8),
            (277, 3, 1), (278, 4, size), (279, 4, 4)]
    return (b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) +
            b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in tags) + b"\0" * 4)


CLAIMS = {
    "png": bomb(60000)[:100000],
    "tif": claim_tiff(60000),
    "bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 100, 0, 0, 54, 40, 60000, 60000, 1, 24, 0, 0, 0,
                               0, 0, 0) + b"\0" * 46,
    "pnm": b"P5 60000 60000 255\n" + b"\0" * 100,
    "jpg": b"\xff\xd8\xff\xc0\0\x0b\x08" + struct.pack(">HH", 60000, 60000) + b"\1\1\x11\0" +
           b"\xff\xda\0\x08\1\1\0\0\x3f\0" + b"\0" * 100,
}


@pytest.mark.parametrize("kind", CLAIMS)
def test_bomb(tmp_path, decode_one, kind):
    path = tmp_path / f"bomb.{kind}"
    path.write_bytes(CLAIMS[kind])
    code, text = decode_one(path).errors[0]
    assert code == "too-large"
    assert f"bomb.{kind}: 60000 x 60000 pixels" in text
    assert "limit is 200000000" in text and "--max-pixels" in text


def test_pixels_limit_is_exact(tmp_path, decode_one):
    path = tmp_path / "a.png"
    Image.new("L", (100, 100)).save(path)
    assert not decode_one(path, options=("--max-pixels", 10000)).errors
    assert decode_one(path, options=("--max-pixels", 9999)).errors[0][0] == "too-large"


def test_pages_limit(tmp_path, decode_one):
    path = tmp_path / "a.tif"
    save_all(path, bits(), compression="group4")
    assert not decode_one(path, options=("--max-pages", 3)).errors
    code, text = decode_one(path, options=("--max-pages", 2)).errors[0]
    assert code == "too-large" and "3 pages" in text


@pytest.mark.parametrize("name, data, expected", [
    ("a.gif", b"GIF89a\1\0\1\0\0\0\0;", "GIF images"),
    ("a.jp2", b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000 images"),
    ("a.psd", b"8BPS\0\1", "Photoshop files"),
    ("a.ico", b"\0\0\1\0\1\0", "icons"),
    ("a.svg", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG drawings"),
    ("a.txt", b"Just text.\n", "text files"),
    ("a.png", b"Just text.\n", "text files"),
    ("a.mp4", b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "videos"),
    ("a.bin", bytes(range(128, 256)), "not a type that quire reads"),
])
def test_foreign(tmp_path, decode_one, name, data, expected):
    path = tmp_path / name
    path.write_bytes(data)
    code, text = decode_one(path).errors[0]
    assert code == "unsupported-type"
    assert f"{name}: " in text and expected in text and "convert it to PNG" in text


def test_empty(tmp_path, decode_one):
    path = tmp_path / "a.png"
    path.write_bytes(b"")
    code, text = decode_one(path).errors[0]
    assert code == "empty" and "a.png: " in text


def test_folder(tmp_path, decode_one):
    code, text = decode_one(tmp_path).errors[0]
    assert code == "io" and "folder" in text


def test_tiff_circle(tmp_path, decode_one):
    """Three pages, the last of which leads back to the second."""
    path = tmp_path / "a.tif"
    save_all(path, bits(), compression="group4")
    data = bytearray(path.read_bytes())
    at, seen = struct.unpack_from("<I", data, 4)[0], []
    while at:
        seen.append(at)
        link = at + 2 + 12 * struct.unpack_from("<H", data, at)[0]
        at = struct.unpack_from("<I", data, link)[0]
    struct.pack_into("<I", data, link, seen[1])
    path.write_bytes(data)
    code, text = decode_one(path).errors[0]
    assert code == "corrupt" and "circle" in text


def test_tiff_broken_page_spares_the_others(tmp_path, decode_one):
    path = tmp_path / "a.tif"
    pages = [picture() for _ in range(3)]
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="tiff_adobe_deflate")
    with Image.open(path) as image:
        image.seek(1)
        at = image.tag_v2[273][0]
    data = bytearray(path.read_bytes())
    data[at:at + 100] = b"\xff" * 100
    path.write_bytes(data)
    document = decode_one(path)
    assert document.n_pages == 3
    assert len(document.pages) == 2 and [c for c, _ in document.errors] == ["corrupt"]


def test_tiff_jpeg_damaged_inside(tmp_path, decode_one):
    """The file's directory is sound, its JPEG data ends early."""
    path = tmp_path / "a.tif"
    picture().save(path, compression="jpeg")
    with Image.open(path) as image:
        at, n = image.tag_v2[273][0], image.tag_v2[279][0]
    data = bytearray(path.read_bytes())
    data[at + n // 2:at + n] = b"\xff\xd9" * ((n - n // 2) // 2) + b"\xd9" * ((n - n // 2) % 2)
    path.write_bytes(data)
    assert decode_one(path).errors[0][0] == "corrupt"


def noise_image(mode, width, height):
    """Few colours in large patches: quick to write, no cheaper to hold."""
    small = np.random.default_rng(1).integers(0, 256, (height // 64 + 1, width // 64 + 1, 4))
    return Image.fromarray(small.astype(np.uint8), "RGBA").resize(
        (width, height), Image.Resampling.NEAREST).convert(mode)


LARGE = {
    "progressive.jpg": lambda p: noise_image("RGB", 5000, 4000).save(p, progressive=True,
                                                                     subsampling=0),
    "inks.jpg": lambda p: noise_image("CMYK", 5000, 4000).save(p, progressive=True),
    "turned.jpg": lambda p: noise_image("L", 5000, 4000).save(
        p, exif=b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"),
    "rgba.png": lambda p: noise_image("RGBA", 5000, 4000).save(p, compress_level=1),
    "rgb.tif": lambda p: noise_image("RGB", 5000, 4000).save(p, compression="tiff_lzw"),
    "alpha.webp": lambda p: noise_image("RGBA", 5000, 4000).save(p, lossless=True, quality=0,
                                                                 method=0),
    "lossy.webp": lambda p: noise_image("RGB", 5000, 4000).save(p, quality=50, method=0),
}


@pytest.mark.parametrize("kind", LARGE)
def test_announced_memory_suffices(tmp_path, decode_one, kind):
    """The helper is held to what it said it needs; 20 million pixels are well above the margin."""
    path = tmp_path / kind
    LARGE[kind](path)
    document = decode_one(path)
    assert not document.errors
    assert document.pages[0].pixels.size == 20000000


def test_large_remarks_in_png(tmp_path, decode_one):
    """A picture with megabytes of other chunks is read for all that."""
    remark = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"x" * 6000000)
    plain = tmp_path / "plain.png"
    picture().save(plain)
    data = plain.read_bytes()
    path = tmp_path / "a.png"
    path.write_bytes(data[:33] + remark + data[33:])
    document = decode_one(path)
    assert not document.errors
    assert np.array_equal(document.pages[0].pixels, np.asarray(picture()))


def test_hostile_images(decode_files):
    folder = SHARED / "hostile_images"
    if not folder.is_dir():
        folder = SHARED / "data" / "hostile_images"
    if not folder.is_dir():
        pytest.skip(f"no hostile images: {SHARED} is not there")
    files = sorted(p for p in folder.iterdir() if p.suffix != ".tsv")
    documents = decode_files(*files, options=("--timeout-ms", 20000))
    assert len(documents) == len(files)
    for path, document in zip(files, documents):
        assert document.pages or document.errors
        for code, text in document.errors:
            assert code in ("corrupt", "unsupported-type", "too-large"), text
            assert path.name in text

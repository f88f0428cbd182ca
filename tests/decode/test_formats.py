"""Every type and kind of image gives the pixels that it holds, as grey."""
import os
import struct
import subprocess
import zlib

import numpy as np
import pytest
from PIL import Image

WIDTH, HEIGHT = 61, 47  # odd, so that rows end within bytes


def luma(rgb):
    rgb = rgb.astype(np.uint32)
    return ((19595 * rgb[..., 0] + 38470 * rgb[..., 1] + 7471 * rgb[..., 2] + 32768) >> 16)


def noise(*shape, top=256, seed=1):
    return np.random.default_rng(seed).integers(0, top, (HEIGHT, WIDTH, *shape))


GREY = noise().astype(np.uint8)
RGB = noise(3).astype(np.uint8)
RGBA = noise(4).astype(np.uint8)
BITS = noise(top=2).astype(bool)


def over_white(grey, alpha):
    alpha = alpha.astype(np.uint32)
    return (grey * alpha + 255 * (255 - alpha) + 127) // 255


def save(tmp_path, image, name, **more):
    path = tmp_path / name
    image.save(path, **more)
    return path


def check(decode_one, path, expected, media_type, tolerance=0):
    document = decode_one(path)
    assert not document.errors
    assert document.media_type == media_type
    assert len(document.pages) == 1
    got = document.pages[0].pixels.astype(int)
    assert got.shape == expected.shape
    assert np.abs(got - expected.astype(int)).max() <= tolerance
    return document.pages[0]


# ---- PNG

PNG_GREY = {
    "grey": (Image.fromarray(GREY), GREY),
    "bits": (Image.fromarray(BITS), BITS * 255),
    "rgb": (Image.fromarray(RGB), luma(RGB)),
    "rgba": (Image.fromarray(RGBA), over_white(luma(RGBA), RGBA[..., 3])),
    "grey-alpha": (Image.fromarray(RGBA[..., :2].copy(), "LA"),
                   over_white(RGBA[..., 0].astype(np.uint32), RGBA[..., 1])),
}


@pytest.mark.parametrize("kind", PNG_GREY)
def test_png(tmp_path, decode_one, kind):
    image, expected = PNG_GREY[kind]
    page = check(decode_one, save(tmp_path, image, "a.png", dpi=(300, 300)), expected, "image/png")
    assert abs(page.dpi - 300) < 0.1


def png(width, height, depth, color, rows, extra=b"", interlace=0):
    """A PNG written by hand: what the library cannot write."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(
            ">I", zlib.crc32(kind + data))
    raw = b"".join(b"\0" + row for row in rows)
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)) +
            extra + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def pack(rows, depth):
    """Samples to bytes, high bits first."""
    bits = np.unpackbits(rows.astype(">u2").view(np.uint8).reshape(*rows.shape, 2), axis=2)
    bits = bits[:, :, 16 - depth:].reshape(rows.shape[0], -1)
    return [row.tobytes() for row in np.packbits(bits, axis=1)]


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_png_depths(tmp_path, decode_one, depth):
    top = (1 << depth) - 1
    values = noise(top=top + 1)
    path = tmp_path / "a.png"
    path.write_bytes(png(WIDTH, HEIGHT, depth, 0, pack(values, depth)))
    check(decode_one, path, (values * 255 + top // 2) // top, "image/png")


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_png_palette_with_transparency(tmp_path, decode_one, depth):
    n = 1 << depth
    colours = np.random.default_rng(2).integers(0, 256, (n, 3)).astype(np.uint8)
    values = noise(top=n)
    trns = bytes([0, 128])
    extra = b""
    for kind, data in ((b"PLTE", colours.tobytes()), (b"tRNS", trns)):
        extra += struct.pack(">I", len(data)) + kind + data + struct.pack(
            ">I", zlib.crc32(kind + data))
    path = tmp_path / "a.png"
    path.write_bytes(png(WIDTH, HEIGHT, depth, 3, pack(values, depth), extra))
    alpha = np.full(n, 255)
    alpha[:2] = [0, 128]
    check(decode_one, path, over_white(luma(colours), alpha)[values], "image/png")


def test_png_rgb_16_bit(tmp_path, decode_one):
    values = noise(3, top=65536)
    path = tmp_path / "a.png"
    path.write_bytes(png(WIDTH, HEIGHT, 16, 2,
                         [row.astype(">u2").tobytes() for row in values]))
    check(decode_one, path, luma((values * 255 + 32767) // 65535), "image/png")


def test_png_interlaced(tmp_path, decode_one):
    """Adam7, written by hand."""
    raw = b""
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                           (1, 0, 2, 2), (0, 1, 1, 2)):
        for row in GREY[y0::dy, x0::dx]:
            raw += b"\0" + row.tobytes()

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(
            ">I", zlib.crc32(kind + data))
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" +
                     chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 1)) +
                     chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
    check(decode_one, path, GREY, "image/png")


# ---- JPEG

def smooth():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([x * 4, y * 5, (x + y) * 2], axis=2).astype(np.uint8)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg(tmp_path, decode_one, mode, progressive):
    image = Image.fromarray(smooth()).convert(mode)
    path = save(tmp_path, image, "a.jpg", quality=95, progressive=progressive, dpi=(200, 200))
    with Image.open(path) as stored:
        expected = np.asarray(stored.convert("RGB").convert("L"))
    page = check(decode_one, path, expected, "image/jpeg", tolerance=3)
    assert page.dpi == 200


def exif(orientation):
    return (b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" +
            struct.pack(">HH", orientation, 0) + b"\0\0\0\0")


TURNED = {  # how the picture is stored, for the upright one to come out
    1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud,
    5: lambda a: a.T, 6: lambda a: np.rot90(a, 1), 7: lambda a: np.rot90(a, 2).T,
    8: lambda a: np.rot90(a, 3),
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", ["jpg", "tif", "webp", "png"])
def test_orientation(tmp_path, decode_one, kind, orientation):
    upright = np.zeros((48, 64), np.uint8)
    upright[:24, :32], upright[:24, 32:], upright[24:, :32] = 250, 170, 90
    image = Image.fromarray(np.ascontiguousarray(TURNED[orientation](upright)))
    more = {"exif": exif(orientation)} if kind != "tif" else {"tiffinfo": {274: orientation}}
    if kind == "webp":
        more["lossless"] = True
    if kind == "jpg":
        more["quality"] = 95
    path = save(tmp_path, image, f"a.{kind}", **more)
    document = decode_one(path)
    assert (document.pages[0].width, document.pages[0].height) == (64, 48)
    assert np.abs(document.pages[0].pixels.astype(int) - upright).max() <= 4


# ---- TIFF

@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits",
                                         "group3", "group4"])
def test_tiff_bits(tmp_path, decode_one, compression):
    path = save(tmp_path, Image.fromarray(BITS), "a.tif", compression=compression, dpi=(400, 400))
    page = check(decode_one, path, BITS * 255, "image/tiff")
    assert page.dpi == 400


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "I;16", "CMYK"])
def test_tiff_samples(tmp_path, decode_one, mode, compression):
    if mode == "L":
        image, expected = Image.fromarray(GREY), GREY
    elif mode == "I;16":
        values = noise(top=65536).astype(np.uint16)
        image = Image.fromarray(values)
        expected = (values.astype(np.uint32) * 255 + 32767) // 65535
    elif mode == "RGBA":
        image, expected = Image.fromarray(RGBA), over_white(luma(RGBA), RGBA[..., 3])
    elif mode == "CMYK":
        image = Image.fromarray(RGBA, "CMYK")
        inks = 255 - RGBA.astype(np.uint32)
        expected = luma((inks[..., :3] * inks[..., 3:] + 127) // 255)
    else:
        image = Image.fromarray(RGB).convert(mode)
        expected = luma(np.asarray(image.convert("RGB")))
    path = save(tmp_path, image, "a.tif", compression=compression)
    check(decode_one, path, expected, "image/tiff")


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_tiff_jpeg(tmp_path, decode_one, mode):
    image = Image.fromarray(smooth()).convert(mode)
    path = save(tmp_path, image, "a.tif", compression="jpeg", quality=95)
    check(decode_one, path, np.asarray(image.convert("L")), "image/tiff", tolerance=8)


def test_tiff_pages(tmp_path, decode_one):
    pages = [Image.fromarray(noise(seed=i).astype(np.uint8)) for i in range(7)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    document = decode_one(tmp_path / "a.tif")
    assert document.n_pages == 7 and not document.errors
    for got, put in zip(document.pages, pages):
        assert np.array_equal(got.pixels, np.asarray(put))


def tiff(tags, data, endian="<"):
    """A TIFF written by hand: tags {number: (type, values)}; strip or tile data come last."""
    sizes = {1: "B", 3: "H", 4: "I"}
    n = len(tags)
    body, entries = b"", b""
    at = 8 + 2 + n * 12 + 4
    for tag in sorted(tags):
        kind, values = tags[tag]
        packed = struct.pack(endian + sizes[kind] * len(values), *values)
        if len(packed) <= 4:
            field = packed.ljust(4, b"\0")
        else:
            field = struct.pack(endian + "I", at + len(body))
            body += packed + b"\0" * (len(packed) % 2)
        entries += struct.pack(endian + "HHI", tag, kind, len(values)) + field
    start = b"II*\0" if endian == "<" else b"MM\0*"
    head = start + struct.pack(endian + "I", 8) + struct.pack(endian + "H", n)
    return head + entries + b"\0" * 4 + body, at + len(body)


def plain_tiff(values, bits, photometric, endian="<", n_samples=1, planar=1, strips=None, **more):
    data = b"".join(strips) if strips else b"".join(pack(values, bits))
    if bits == 16 and not strips:
        data = values.astype(endian + "u2").tobytes()
    counts = [len(s) for s in strips] if strips else [len(data)]

    def build(offsets):
        tags = {256: (3, [WIDTH]), 257: (3, [HEIGHT]), 258: (3, [bits] * n_samples), 259: (3, [1]),
                262: (3, [photometric]), 273: (4, offsets), 277: (3, [n_samples]),
                278: (3, [HEIGHT]), 279: (4, counts), 284: (3, [planar])}
        tags.update({int(k[1:]): v for k, v in more.items()})
        return tiff(tags, data, endian)
    _, at = build([0] * len(counts))
    offsets = [at + sum(counts[:i]) for i in range(len(counts))]
    return build(offsets)[0] + data


@pytest.mark.parametrize("bits, endian", [(bits, ">") for bits in range(1, 17)] +
                         [(1, "<"), (8, "<"), (16, "<")])
@pytest.mark.parametrize("photometric", [0, 1])
def test_tiff_depths(tmp_path, decode_one, bits, photometric, endian):
    top = (1 << bits) - 1
    values = noise(top=top + 1)
    path = tmp_path / "a.tif"
    path.write_bytes(plain_tiff(values, bits, photometric, endian))
    expected = (values * 255 + top // 2) // top
    check(decode_one, path, expected if photometric else 255 - expected, "image/tiff")


def test_tiff_planes(tmp_path, decode_one):
    planes = [RGB[..., i].tobytes() for i in range(3)]
    path = tmp_path / "a.tif"
    path.write_bytes(plain_tiff(None, 8, 2, n_samples=3, planar=2, strips=planes))
    check(decode_one, path, luma(RGB), "image/tiff")


def test_tiff_tiles(tmp_path, decode_one):
    padded = np.zeros((48, 64), np.uint8)
    padded[:HEIGHT, :WIDTH] = GREY
    tiles = [padded[y:y + 16, x:x + 32].tobytes() for y in (0, 16, 32) for x in (0, 32)]

    def build(offsets):
        return tiff({256: (3, [WIDTH]), 257: (3, [HEIGHT]), 258: (3, [8]), 259: (3, [1]),
                     262: (3, [1]), 277: (3, [1]), 322: (3, [32]), 323: (3, [16]),
                     324: (4, offsets), 325: (4, [512] * 6)}, b"")
    _, at = build([0] * 6)
    path = tmp_path / "a.tif"
    path.write_bytes(build([at + 512 * i for i in range(6)])[0] + b"".join(tiles))
    check(decode_one, path, GREY, "image/tiff")


# ---- WebP, BMP, PNM

@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_webp_lossless(tmp_path, decode_one, mode):
    rgba = RGBA.copy()
    rgba[..., 3] |= 1  # colours under full transparency are not kept
    image = Image.fromarray(rgba if mode == "RGBA" else RGB)
    expected = over_white(luma(rgba), rgba[..., 3]) if mode == "RGBA" else luma(RGB)
    check(decode_one, save(tmp_path, image, "a.webp", lossless=True), expected, "image/webp")


def test_webp_lossy(tmp_path, decode_one):
    path = save(tmp_path, Image.fromarray(smooth()), "a.webp", quality=95)
    with Image.open(path) as stored:
        expected = np.asarray(stored.convert("L"))
    check(decode_one, path, expected, "image/webp", tolerance=4)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_bmp(tmp_path, decode_one, mode):
    image = Image.fromarray(RGBA if mode == "RGBA" else RGB).convert(mode)
    expected = luma(np.asarray(image.convert("RGB")))  # the fourth byte means nothing
    path = save(tmp_path, image, "a.bmp", dpi=(300, 300))
    page = check(decode_one, path, expected, "image/bmp")
    assert abs(page.dpi - 300) < 0.5


def bmp(bits, compression, data, palette=b"", masks=b"", height=HEIGHT):
    at = 14 + 40 + len(masks) + len(palette)
    return (b"BM" + struct.pack("<IHHI", at + len(data), 0, 0, at) +
            struct.pack("<IiiHHIIiiII", 40, WIDTH, height, 1, bits, compression, len(data), 0, 0,
                        len(palette) // 4, 0) + masks + palette + data)


def padded(row):
    return row + b"\0" * (-len(row) % 4)


GREYS = b"".join(bytes([i, i, i, 0]) for i in range(256))


def test_bmp_top_down(tmp_path, decode_one):
    path = tmp_path / "a.bmp"
    path.write_bytes(bmp(8, 0, b"".join(padded(r.tobytes()) for r in GREY), GREYS,
                         height=-HEIGHT))
    check(decode_one, path, GREY, "image/bmp")


@pytest.mark.parametrize("masks", [(0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F), None])
def test_bmp_16_bit(tmp_path, decode_one, masks):
    values = noise(top=65536)
    data = b"".join(padded(r.astype("<u2").tobytes()) for r in values[::-1])
    packed = struct.pack("<III", *masks) if masks else b""
    path = tmp_path / "a.bmp"
    path.write_bytes(bmp(16, 3 if masks else 0, data, masks=packed))

    def field(mask):
        shift = (mask & -mask).bit_length() - 1
        top = mask >> shift
        return (((values & mask) >> shift) * 255 + top // 2) // top
    expected = luma(np.stack([field(m) for m in masks or (0x7C00, 0x3E0, 0x1F)], axis=2))
    check(decode_one, path, expected, "image/bmp")


def test_bmp_rle8(tmp_path, decode_one):
    """Runs, literals of odd length, ends of rows, a skip."""
    runs = noise(top=4)[:, :1].repeat(WIDTH, axis=1).astype(np.uint8)
    runs[:, 10:15] = noise(seed=3)[:, 10:15]
    data = b""
    for row in runs[::-1]:
        data += bytes([10, row[0], 0, 5]) + row[10:15].tobytes() + b"\0"
        data += bytes([WIDTH - 15, row[15], 0, 0])
    path = tmp_path / "a.bmp"
    path.write_bytes(bmp(8, 1, data[:-2] + b"\0\1", GREYS))
    check(decode_one, path, runs, "image/bmp")


def test_bmp_rle4(tmp_path, decode_one):
    data, expected = b"", np.zeros((HEIGHT, WIDTH), np.uint8)
    for y in range(HEIGHT - 1, -1, -1):
        expected[y, 0::2], expected[y, 1::2] = y % 16, (y + 5) % 16
        expected[y, 40:] = 0
        data += bytes([40, (y % 16) << 4 | (y + 5) % 16, 0, 0])
    path = tmp_path / "a.bmp"
    path.write_bytes(bmp(4, 2, data, GREYS[:64]))
    check(decode_one, path, expected, "image/bmp")


PNM = {
    "P4": (b"P4\n# a comment\n%d %d\n" % (WIDTH, HEIGHT) + b"".join(pack(BITS.astype(int), 1)),
           255 - BITS * 255),
    "P1": (b"P1 %d %d\n" % (WIDTH, HEIGHT) + b"".join(
        b"".join(b"%d" % v for v in row) + b"\n" for row in BITS), 255 - BITS * 255),
    "P5": (b"P5 %d %d 255\n" % (WIDTH, HEIGHT) + GREY.tobytes(), GREY),
    "P5 of 100": (b"P5 %d %d 100\n" % (WIDTH, HEIGHT) + (GREY % 101).tobytes(),
                  ((GREY % 101).astype(int) * 255 + 50) // 100),
    "P5 of 16 bits": (b"P5 %d %d 65535\n" % (WIDTH, HEIGHT) +
                      noise(top=65536).astype(">u2").tobytes(),
                      (noise(top=65536) * 255 + 32767) // 65535),
    "P2": (b"P2\n%d %d\n255\n" % (WIDTH, HEIGHT) + b"\n".join(
        b" ".join(b"%d" % v for v in row) for row in GREY), GREY),
    "P3": (b"P3\n%d %d\n255\n" % (WIDTH, HEIGHT) + b"\n".join(
        b" ".join(b"%d" % v for v in row.ravel()) for row in RGB), luma(RGB)),
    "P6": (b"P6 %d %d 255\n" % (WIDTH, HEIGHT) + RGB.tobytes(), luma(RGB)),
    "P7": (b"P7\nWIDTH %d\nHEIGHT %d\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n" %
           (WIDTH, HEIGHT) + RGBA.tobytes(), over_white(luma(RGBA), RGBA[..., 3])),
}


@pytest.mark.parametrize("kind", PNM)
def test_pnm(tmp_path, decode_one, kind):
    data, expected = PNM[kind]
    path = tmp_path / "a.pnm"
    path.write_bytes(data)
    check(decode_one, path, expected, "image/x-portable-anymap")


# ---- HEIC, AVIF

@pytest.mark.parametrize("coding, media_type", [("hevc", "image/heic"), ("av1", "image/avif")])
def test_heif(tmp_path, decode_one, coding, media_type):
    image = Image.fromarray(smooth()).resize((320, 200))
    image.save(tmp_path / "a.ppm")
    path = tmp_path / "a.heif"
    subprocess.run([os.environ["MAKE_HEIF"], coding, tmp_path / "a.ppm", path], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    check(decode_one, path, np.asarray(image.convert("L")), media_type, tolerance=6)


# ---- the way in

def test_a_helper_for_each_document_decodes_the_same(tmp_path, decode_files):
    image = Image.fromarray(RGB)
    image.save(tmp_path / "a.ppm")
    subprocess.run([os.environ["MAKE_HEIF"], "hevc", tmp_path / "a.ppm", tmp_path / "a.heic"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    files = [tmp_path / "a.heic", save(tmp_path, image, "a.png"), tmp_path / "nothing.png",
             save(tmp_path, image, "a.pdf"), save(tmp_path, image, "a.webp"),
             save(tmp_path, image, "b.tif", save_all=True, append_images=[image] * 4)]
    files[2].write_bytes(b"nothing")
    files *= 2
    one, many = decode_files(*files, options=("--one-document", 1)), decode_files(*files)
    assert len(one) == len(many) == len(files)
    for a, b in zip(one, many):
        assert (a.media_type, a.errors, len(a.pages)) == (b.media_type, b.errors, len(b.pages))
        assert all(np.array_equal(p.pixels, q.pixels) for p, q in zip(a.pages, b.pages))
    assert [len(document.pages) for document in one] == [1, 1, 0, 1, 1, 5] * 2


def test_name_does_not_decide(tmp_path, decode_one):
    path = save(tmp_path, Image.fromarray(GREY), "a.png")
    path.rename(tmp_path / "a.jpg")
    check(decode_one, tmp_path / "a.jpg", GREY, "image/png")


def test_pipe(tmp_path, decode_one):
    path = save(tmp_path, Image.fromarray(GREY), "a.png")
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        document = decode_one("-", stdin=cat.stdout)
    assert np.array_equal(document.pages[0].pixels, GREY)


def test_file_from_where_it_stands(tmp_path, decode_one):
    """Of a file half read already, the rest is the document."""
    path = tmp_path / "a"
    save(tmp_path, Image.fromarray(GREY), "a.png")
    path.write_bytes(b"skipped" + (tmp_path / "a.png").read_bytes())
    with open(path, "rb", buffering=0) as f:
        f.seek(7)
        document = decode_one("-", stdin=f)
    assert np.array_equal(document.pages[0].pixels, GREY)

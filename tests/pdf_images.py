"""Pages that are one image, as scanners and their programs make them: one PDF for each coding."""
import io
import zlib

from PIL import Image, ImageCms, ImageDraw, ImageFont, TiffImagePlugin

from pdf_files import pdf_of_pages, stream

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def picture(mode="L", width=850, height=1100, lines=12):
    """Dark words on light paper; in colours where the mode has them."""
    image = Image.new("RGB", (width, height), (250, 246, 230) if mode in ("RGB", "P") else "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(FONT, height // 40)
    for i in range(lines):
        ink = (20, 30, 120) if mode == "RGB" and i % 2 else (0, 0, 0)
        draw.text((width // 12, height // 12 + i * height // 16),
                  f"Line {i + 1} holds some words to read", ink, font=font)
    if mode == "P":
        return image.quantize(64)
    return image.convert(mode, dither=Image.Dither.NONE)


def image_object(data, image, entries):
    return stream(data, b"/Type /XObject /Subtype /Image /Width %d /Height %d %s"
                  % (image.width, image.height, entries))


def png_rows(raw, row):
    """Rows with PNG's predictor "up"."""
    out, above = bytearray(), bytes(row)
    for at in range(0, len(raw), row):
        line = raw[at:at + row]
        out.append(2)
        out += bytes((a - b) & 255 for a, b in zip(line, above))
        above = line
    return bytes(out)


def tiff_strip(image, compression):
    """The fax data that libtiff makes of a bitonal image."""
    file = io.BytesIO()
    TiffImagePlugin.STRIP_SIZE = 1 << 30
    image.save(file, "TIFF", compression=compression)
    with Image.open(io.BytesIO(file.getvalue())) as tiff:
        (at,), (n,) = tiff.tag_v2[273], tiff.tag_v2[279]
        return file.getvalue()[at:at + n], tiff.tag_v2[262]


def jpeg(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


def jpeg2000(image):
    file = io.BytesIO()
    image.save(file, "JPEG2000", irreversible=False)
    return file.getvalue()


def coded(kind, size=(850, 1100)):
    """(image, image object) of a coding."""
    mode = {"rgb": "RGB", "pal": "P", "bit": "1", "g3": "1", "g4": "1"}.get(kind.split("-")[0], "L")
    image = picture(mode, *size)
    raw = image.tobytes()
    grey = b"/ColorSpace /DeviceGray /BitsPerComponent 8 "
    if kind == "grey-jpeg":
        return image, image_object(jpeg(image), image, grey + b"/Filter /DCTDecode")
    if kind == "grey-flate-jpeg":
        return image, image_object(zlib.compress(jpeg(image)), image,
                                   grey + b"/Filter [/FlateDecode /DCTDecode]")
    if kind == "rgb-jpeg":
        return image, image_object(jpeg(image), image, b"/ColorSpace /DeviceRGB /BitsPerComponent "
                                   b"8 /Filter /DCTDecode")
    if kind == "grey-jpx":
        return image, image_object(jpeg2000(image), image, b"/Filter /JPXDecode")
    if kind == "rgb-jpx":
        return image, image_object(jpeg2000(image), image,
                                   b"/ColorSpace /DeviceRGB /Filter /JPXDecode")
    if kind == "grey-plain":
        return image, image_object(raw, image, grey)
    if kind == "grey-calibrated":
        return image, image_object(zlib.compress(raw), image, b"/BitsPerComponent 8 /ColorSpace "
                                   b"[/CalGray << /WhitePoint [.95 1 1.09] >>] "
                                   b"/Filter /FlateDecode")
    if kind == "rgb-calibrated":
        return image, image_object(zlib.compress(raw), image, b"/BitsPerComponent 8 /ColorSpace "
                                   b"[/CalRGB << /WhitePoint [.95 1 1.09] >>] "
                                   b"/Filter /FlateDecode")
    if kind == "grey-flate":
        return image, image_object(zlib.compress(raw), image, grey + b"/Filter /FlateDecode")
    if kind == "rgb-predicted":
        rows = png_rows(raw, 3 * image.width)
        return image, image_object(
            zlib.compress(rows), image, b"/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter "
            b"/FlateDecode /DecodeParms << /Predictor 15 /Colors 3 /Columns %d >>" % image.width)
    if kind == "grey-turned-round":
        return image, image_object(zlib.compress(bytes(255 - v for v in raw)), image,
                                   grey + b"/Filter /FlateDecode /Decode [1 0]")
    if kind == "pal-flate":
        table = bytes(image.getpalette()[:64 * 3])
        return image, image_object(
            zlib.compress(raw), image, b"/ColorSpace [/Indexed /DeviceRGB 63 <%s>] "
            b"/BitsPerComponent 8 /Filter /FlateDecode" % table.hex().encode())
    if kind == "bit-flate":
        return image, image_object(zlib.compress(raw), image, b"/ColorSpace /DeviceGray "
                                   b"/BitsPerComponent 1 /Filter /FlateDecode")
    data, photometric = tiff_strip(image, "group4" if kind.startswith("g4") else "group3")
    parms = b"/K -1" if kind.startswith("g4") else b"/K 0 /EndOfLine true"
    return image, image_object(
        data, image, b"/ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /CCITTFaxDecode "
        b"/DecodeParms << %s /Columns %d /Rows %d /BlackIs1 %s >>"
        % (parms, image.width, image.height, b"true" if photometric == 1 else b"false"))


KINDS = ("grey-jpeg", "grey-flate-jpeg", "rgb-jpeg", "grey-jpx", "rgb-jpx", "grey-plain",
         "grey-calibrated", "rgb-calibrated", "grey-flate", "rgb-predicted", "grey-turned-round",
         "pal-flate", "bit-flate", "g3-fax", "g4-fax")


def profiled():
    """An image in a space with the profile of sRGB, object 5."""
    image = picture("RGB", 850, 1100)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return image, image_object(
        zlib.compress(image.tobytes()), image, b"/BitsPerComponent 8 /ColorSpace [/ICCBased 5 0 R] "
        b"/Filter /FlateDecode"), stream(profile, b"/N 3 /Alternate /DeviceRGB")


def page_of(image_object_, content=b"612 0 0 792 0 0 cm /I Do", entries=b"", more=()):
    """A page that shows the image /I by this content."""
    return pdf_of_pages([content], entries, b"/XObject << /I 4 0 R >>", [image_object_, *more])

"""Checks who includes whom and who links what.

usage: check_layers.py SOURCE-ROOT [PROGRAM ...]

A room (a folder of src/) may include only the rooms listed for it, its own files and the public
header. Codecs are included and linked only by the helper program, so that a hostile file meets them
in the sandbox and nowhere else; of zlib the command may call what compresses alone. Prints each offence; exit status 1 when there is one."""

import pathlib
import re
import subprocess
import sys

# docs/architecture.md draws this list. "base" is open to all.
MAY_INCLUDE = {
    "base": set(),
    "kernels": {"base"},
    "nn": {"base", "kernels"},
    "model": {"base", "nn"},
    "image": {"base", "kernels"},
    "flow": {"base"},
    "decode": {"base", "image"},
    "decode/helper": {"base", "image", "decode"},
    "ocr": {"base", "nn", "model", "image", "flow"},
    "read": {"base", "kernels", "nn", "model", "image", "flow", "decode", "ocr"},
    "output": {"base"},
    "store": {"base"},
    "service": {"base", "store", "output"},
    "server": {"base", "store", "service", "output"},
    "serve": {"base", "store", "service", "server", "output", "cli", "client"},
    "client": {"base", "output", "cli"},
    "cli": {"base", "output"},
}
CODEC_HEADER = re.compile(r"(jpeglib|turbojpeg|spng|png|tiffio|tiff|heif|allheaders)\.h"
                          r"|(webp|libheif|leptonica|tesseract|poppler|qpdf|fontconfig)/.*"
                          r"|(poppler|cairo|openjpeg|ft2build)[-\w]*\.h")
CODEC_LIBRARY = re.compile(r"lib(jpeg|turbojpeg|spng|png|tiff|webp\w*|sharpyuv|heif|lept|tesseract|poppler[-\w]*|cairo|freetype|fontconfig|qpdf|openjp2)\b")
NEEDED_BY_QUIRE = re.compile(r"(libc|libm|libpthread|libnettle|libcjson|libexpat|libz|ld-linux-x86-64)\.so\.\d+")
# What the service needs besides takes longer to load than a small image takes to be read.
NEEDED_BY_SERVICE = re.compile(r"(libsqlite3|libmicrohttpd|libgnutls|libcurl-gnutls)\.so\.\d+")
# zlib is there to compress what Quire made: nothing that reads compressed data may be called.
INFLATE = re.compile(r"\b(inflate\w*|uncompress2?|gz(open|dopen|read)\w*)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def room_of(path):
    """The room of a path below src/; the helper program is a room of its own."""
    parts = path.parts
    if parts[:2] == ("decode", "helper"):
        return "decode/helper"
    return parts[0]


def check_includes(source):
    """Offences among the #include lines of src/."""
    for path in sorted(source.rglob("*.[ch]")):
        room = room_of(path.relative_to(source))
        if room not in MAY_INCLUDE:
            yield f"{path}: the room {room} is not in the list of tools/check_layers.py"
            continue
        for quote, name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if quote == "<" or not (source / name).exists():
                if quote == '"' and not name.startswith("quire/") and not (source / name).exists():
                    yield f"{path}: \"{name}\" is not a path below src/"
                if CODEC_HEADER.fullmatch(name) and room != "decode/helper":
                    yield f"{path}: includes the codec header {name}; only decode/helper may"
                continue
            other = room_of(pathlib.PurePath(name))
            if other != room and other not in MAY_INCLUDE[room]:
                yield f"{path}: {room} may not include {other} ({name})"


def check_links(program):
    """Offences among the libraries a program needs."""
    dynamic = subprocess.run(["readelf", "-d", program], check=True, capture_output=True, text=True)
    for library in re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic.stdout):
        is_known = NEEDED_BY_QUIRE.fullmatch(library) or (
            pathlib.Path(program).name == "quire-service" and NEEDED_BY_SERVICE.fullmatch(library))
        if CODEC_LIBRARY.match(library) or not is_known:
            yield f"{program}: links {library}, which is not in the list of tools/check_layers.py"


def check_zlib(program):
    """Offences among the functions of zlib that a program calls."""
    symbols = subprocess.run(["nm", "-D", "--undefined-only", program], check=True,
                             capture_output=True, text=True)
    for name in INFLATE.findall(symbols.stdout):
        yield f"{program}: calls zlib's {name[0]}; only decode/helper may decompress"


def main():
    offences = list(check_includes(pathlib.Path(sys.argv[1]) / "src"))
    for program in sys.argv[2:]:
        offences += check_links(program)
        offences += check_zlib(program)
    for offence in offences:
        print(offence)
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())

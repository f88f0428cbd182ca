"""Checks hOCR files against version 1.2 of the format: well-formed XHTML, the metadata it requires,
classes, properties and their values, nesting, boxes within boxes, unique ids, no character that is
forbidden.

usage: check_hocr.py FILE...

Prints each offence; exit status 1 when there is one."""

import re
import sys
import xml.etree.ElementTree as ET

XHTML = "{http://www.w3.org/1999/xhtml}"
UINT, INT, FLOAT = r"\d+", r"-?\d+", r"-?\d+(\.\d+)?"
STRING = r'"[^"]*"'

# Class: the tag it stands on, the class it must be in, properties it must have, and may have.
CLASSES = {
    "ocr_page": ("div", None, {"bbox"}, {"image", "ppageno", "scan_res"}),
    "ocr_carea": ("div", "ocr_page", {"bbox"}, set()),
    "ocr_par": ("p", "ocr_carea", {"bbox"}, set()),
    "ocr_line": ("span", "ocr_par", {"bbox"}, {"baseline", "textangle"}),
    "ocrx_word": ("span", "ocr_line", {"bbox", "x_wconf"}, set()),
}
VALUES = {
    "bbox": rf"{UINT} {UINT} {UINT} {UINT}",
    "image": STRING,
    "ppageno": UINT,
    "scan_res": rf"{UINT} {UINT}",
    "baseline": rf"{FLOAT} {INT}",
    "textangle": FLOAT,
    "x_wconf": FLOAT,
}
CAPABILITIES = {"ocrp_lang", "ocrp_dir", "ocrp_wconf"}
FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\ufffe\uffff]")


def properties(title):
    """[(name, value)] of a title; a semicolon in a string ends nothing."""
    parts = re.findall(r'(?:[^;"]|"[^"]*")+', title)
    return [tuple((part.strip().split(None, 1) + [""])[:2]) for part in parts]


def check_element(element, parent, ids):
    """Offences of one element; parent is the nearest element around it that has a class, or None."""
    kind = element.get("class")
    if kind not in CLASSES:
        yield f"the class {kind} is not one of those expected"
        return
    tag, inside, required, allowed = CLASSES[kind]
    if element.tag != XHTML + tag:
        yield f"{kind} is a {element.tag}, not a {tag}"
    if (parent.get("class") if parent is not None else None) != inside:
        yield f"{kind} is not in {inside}"
    identity = element.get("id")
    if not identity or identity in ids:
        yield f"the id {identity} is missing or not the only one"
    ids.add(identity)
    found = properties(element.get("title", ""))
    names = [name for name, _ in found]
    if len(set(names)) < len(names) or not required <= set(names) <= required | allowed:
        yield f"{identity}: properties {names}"
    for name, value in found:
        if not re.fullmatch(VALUES.get(name, ""), value):
            yield f"{identity}: {name} has the value {value}"
    yield from check_numbers(identity, dict(found), parent)
    if element.get("dir") not in (None, "ltr", "rtl"):
        yield f"{identity}: dir {element.get('dir')}"
    lang = element.get("lang")
    if lang != element.get("{http://www.w3.org/XML/1998/namespace}lang") or \
            (lang and not re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?", lang)):
        yield f"{identity}: lang {lang}"


def check_numbers(identity, found, parent):
    """Offences of values that have the right form."""
    box = [int(v) for v in found.get("bbox", "0 0 0 0").split()]
    if box[0] > box[2] or box[1] > box[3]:
        yield f"{identity}: the box {box} is upside down"
    around = dict(properties(parent.get("title"))).get("bbox") if parent is not None else None
    if around:
        outer = [int(v) for v in around.split()]
        if box[0] < outer[0] or box[1] < outer[1] or box[2] > outer[2] or box[3] > outer[3]:
            yield f"{identity}: the box {box} is not within {outer}"
    if not 0 <= float(found.get("x_wconf", 0)) <= 100:
        yield f"{identity}: the confidence is none of 0 to 100"


def walk(element, parent, ids):
    """Offences of an element and all below it."""
    if element.get("class"):
        yield from check_element(element, parent, ids)
        parent = element
    for child in element:
        yield from walk(child, parent, ids)


def check(data):
    """Offences of a file's bytes."""
    try:
        text = data.decode()
        root = ET.fromstring(data)
    except (UnicodeDecodeError, ET.ParseError) as error:
        yield f"not well-formed: {error}"
        return
    if root.tag != XHTML + "html":
        yield f"the root is {root.tag}"
    for match in FORBIDDEN.finditer(text):
        yield f"the character {match.group()!r} at {match.start()}"
    meta = {m.get("name"): m.get("content") for m in root.iter(XHTML + "meta")}
    if not re.fullmatch(r"\S+ \S+", meta.get("ocr-system", "")):
        yield "ocr-system is missing or not a name and a version"
    if not root.findtext(f"{XHTML}head/{XHTML}title"):
        yield "the title is missing"
    capabilities = set(meta.get("ocr-capabilities", "").split())
    used = {e.get("class") for e in root.iter() if e.get("class")}
    if not used <= capabilities <= set(CLASSES) | CAPABILITIES:
        yield f"ocr-capabilities are {sorted(capabilities)}"
    if "ocr_page" not in used:
        yield "there is no ocr_page"
    yield from walk(root, None, set())


def main():
    bad = False
    for name in sys.argv[1:]:
        with open(name, "rb") as file:
            for offence in check(file.read()):
                print(f"{name}: {offence}")
                bad = True
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

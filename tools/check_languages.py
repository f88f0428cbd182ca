#!/usr/bin/python3
"""Does every language that Debian has load, and read as the reference reads it?

usage: check_languages.py [--work FOLDER] [--lines N] [--languages a,b,...]

Fetches all tesseract-ocr-* packages with apt-get into the work folder and unpacks them there, so that
the machine's own models stay what they are. Prints for each model how its network is stored and what
it consists of, or why it does not load; then whether lines typeset from words of its own dictionary
read as the reference reads them (page segmentation mode 13), without dictionaries on either side,
byte for byte. The font is the installed one, by fontconfig, that can set most of the words; where none
can set enough of them, that is said. Last line: "N load, N read alike, N differ, N refused". Exit
status 1 when a model that should load does not, or a line differs.

Needs the programs reference_lines and read_lines (make bench-programs)."""

import argparse
import json
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import numpy as np  # noqa: E402
from PIL import ImageFont  # noqa: E402

import reference  # noqa: E402
import typeset_lines  # noqa: E402

WORK = ROOT / "build" / "languages"
UNPACKED = "usr/share/tesseract-ocr/5/tessdata"
# Models that no LSTM reader can use, and that are to be refused by name.
NOT_LSTM = ("equ", "osd")
WORDS_A_LINE = 5
FEWEST_WORDS = 5
SIZES_PX = (40, 30, 52, 24)
# Scripts whose words are set without spaces between them.
UNSPACED = ("chi_sim", "chi_tra", "jpn", "HanS", "HanT", "Japanese")


def fetch(work):
    """All language packages, each downloaded and unpacked once."""
    search = subprocess.run(["apt-cache", "search", "--names-only", "^tesseract-ocr-"], check=True,
                            capture_output=True, text=True).stdout
    packages = [line.split()[0] for line in search.splitlines()]
    packages = [p for p in packages if p != "tesseract-ocr-all"]
    if not packages:
        sys.exit("apt knows no tesseract-ocr-* packages; run apt-get update first")
    done = work / "packages"
    done.mkdir(parents=True, exist_ok=True)
    missing = [p for p in packages if not (done / p).exists()]
    if missing:
        print(f"fetching {len(missing)} packages", flush=True)
        subprocess.run(["apt-get", "-qq", "download", *missing], check=True, cwd=done,
                       stderr=subprocess.DEVNULL)
    for package in missing:
        for archive in done.glob(f"{package}_*.deb"):
            subprocess.run(["dpkg-deb", "-x", archive, work], check=True)
            archive.unlink()
        (done / package).touch()
    return len(packages)


def fonts():
    """(file, index, is regular, ranges of characters) of each font that is installed."""
    listed = subprocess.run(["fc-list", "-f", "%{file}\t%{index}\t%{style}\t%{variable}\t%{charset}\n"],
                            check=True, capture_output=True, text=True).stdout
    found = []
    for line in sorted(listed.splitlines()):
        file, index, style, variable, charset = line.split("\t")
        if variable == "True" or not file.endswith((".ttf", ".otf", ".ttc")):
            continue
        ranges = [tuple(int(v, 16) for v in (r.split("-") * 2)[:2]) for r in charset.split()]
        found.append((file, int(index) & 0xffff, "Regular" in style or "Book" in style, ranges))
    return found


def can_set(font, words):
    """Those of the words of which the font has all letters."""
    has = {c for c in set("".join(words)) if any(a <= ord(c) <= b for a, b in font[3])}
    return [w for w in words if has.issuperset(w)]


def write_lines(language, args, installed):
    """Pictures of lines of the language; ([files], the font), or ([], why there are none)."""
    words = reference.words_of(language, args.work / "words", 4 * WORDS_A_LINE * args.lines)
    if not words:
        return [], "its dictionary holds no words"
    font = max(installed, key=lambda f: (len(can_set(f, words)), f[2]), default=None)
    settable = can_set(font, words) if font else []
    if len(settable) < FEWEST_WORDS:
        return [], f"no installed font has the letters of {' '.join(words[:3])}"
    name = pathlib.Path(font[0]).name
    paths = []
    for i in range(args.lines):
        rng = np.random.default_rng([73, i])
        text = ("" if language.startswith(UNSPACED) else " ").join(rng.choice(settable, WORDS_A_LINE))
        face = ImageFont.truetype(font[0], SIZES_PX[i % len(SIZES_PX)], index=font[1])
        path = args.work / "lines" / f"{language}-{i}.pgm"
        path.parent.mkdir(parents=True, exist_ok=True)
        typeset_lines.draw(text, face, rng, scanned=i % 2 == 1).save(path)
        paths.append(path)
    return paths, name


def load(args, language):
    """None when the model loads, else what Quire says."""
    done = subprocess.run([args.programs / "read_lines", reference.MODEL_DIR, language], input="",
                          text=True, capture_output=True, check=False)
    return None if done.returncode == 0 else done.stderr.strip()


def compare(args, language, installed):
    """(lines, [differences], what they were set in or why there are none)."""
    paths, note = write_lines(language, args, installed)
    if not paths:
        return 0, [], note
    models = args.work / "without"
    reference.without_dictionaries(language, models)
    theirs, ours = (reference.run_line_program(args.programs / program, models, language, paths)
                    for program in ("reference_lines", "read_lines"))
    differing = [f"  {path.name}\n    reference {a}\n    quire     {b}"
                 for path, (a,), (b, _) in zip(paths, theirs, ours) if a != b]
    if not any(a for a, in theirs):
        note += ", reads as nothing"
    return len(paths), differing, note


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--work", type=pathlib.Path, default=WORK,
                        help="folder for packages, models, words and pictures")
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build" / "bench")
    parser.add_argument("--quire", type=pathlib.Path, default=ROOT / "build" / "quire")
    parser.add_argument("--lines", type=int, default=2, help="lines of each language")
    parser.add_argument("--languages", help="only these, joined by commas")
    args = parser.parse_args()
    for program in ("reference_lines", "read_lines"):
        if not (args.programs / program).exists():
            parser.error(f"{args.programs / program} is not there; run `make bench-programs` first")
    n_packages = fetch(args.work)
    reference.MODEL_DIR = args.work / UNPACKED
    installed = fonts()
    listed = subprocess.run([args.quire, "models", "list", "--json"], check=True, capture_output=True,
                            text=True, env={**os.environ, "TESSDATA_PREFIX": reference.MODEL_DIR})
    networks = {m["language"]: m for m in json.loads(listed.stdout)}
    languages = args.languages.split(",") if args.languages else \
        sorted(p.stem for p in reference.MODEL_DIR.glob("*.traineddata"))
    print(f"{n_packages} packages, {len(languages)} models, {len(installed)} fonts")

    loaded = alike = refused = wrong = 0
    differing = []
    for language in languages:
        why_not = load(args, language)
        if why_not:
            refused += 1
            wrong += language not in NOT_LSTM
            print(f"{language:20} refused: {why_not}")
            continue
        loaded += 1
        n, differences, note = compare(args, language, installed)
        if differences:
            differing.append(language)
        elif n:
            alike += 1
        result = f"{n - len(differences)} of {n} lines alike" if n else "not compared"
        model = networks[language]
        kind = "int8" if model["integer"] else "float"
        print(f"{language:20} {kind:5} {model['network']:54} {result} ({note})", flush=True)
        if differences:
            print("\n".join(differences))
    print(f"{loaded} load, {alike} read alike, {len(differing)} differ, {refused} refused")
    return 1 if differing or wrong else 0


if __name__ == "__main__":
    sys.exit(main())

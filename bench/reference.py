"""The reference (Tesseract as Debian ships it) and the documents with truth, for the benchmarks:
where they are, what the reference reads, kept in a cache folder so that it reads once."""

import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("QUIRE_SHARED", ROOT.parent / "shared"))
MODEL_DIR = pathlib.Path(os.environ.get("TESSDATA_PREFIX", "/usr/share/tesseract-ocr/5/tessdata"))
IMAGE_ENDINGS = (".tif", ".png", ".jpg")


def version():
    """'5.3.0'."""
    done = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[1]


def images(folder):
    """Image files of a folder of documents, sorted by name."""
    return sorted(p for p in folder.iterdir() if p.suffix in IMAGE_ENDINGS)


def read(image, out_base, language="eng", mode=3):
    """Has the reference read an image into out_base.txt and .tsv, unless it has already."""
    tsv = pathlib.Path(f"{out_base}.tsv")
    if not tsv.exists():
        tsv.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["nice", "tesseract", image, out_base, "--psm", str(mode), "-l", language,
                        "txt", "tsv"], check=False, stderr=subprocess.DEVNULL,
                       env={**os.environ, "OMP_THREAD_LIMIT": "1"})
        if not tsv.exists():  # it refused the image
            pathlib.Path(f"{out_base}.txt").write_text("")
            tsv.write_text("")
    return pathlib.Path(f"{out_base}.txt").read_text(encoding="utf-8")


def line_boxes(tsv_file):
    """(left, top, width, height) of the lines in a TSV in which at least one word was read."""
    boxes, read_something = [], []
    for row in tsv_file.read_text(encoding="utf-8").splitlines()[1:]:
        cells = row.split("\t")
        if cells[0] == "4":
            boxes.append(tuple(map(int, cells[6:10])))
            read_something.append(False)
        elif cells[0] == "5" and cells[11].strip() and boxes:
            read_something[-1] = True
    return [box for box, keep in zip(boxes, read_something) if keep]


# Components of a .traineddata file that hold its dictionaries (word, punctuation, number), by
# their place in its table of offsets.
DICTIONARY_COMPONENTS = (18, 19, 20)


def without_dictionaries(language, folder):
    """Writes LANGUAGE.traineddata without dictionaries into folder. (The reference's switches for
    them do not reach its LSTM reader, so a file without them is the way to read without.)"""
    data = (MODEL_DIR / f"{language}.traineddata").read_bytes()
    n = struct.unpack_from("<i", data)[0]
    offsets = struct.unpack_from(f"<{n}q", data, 4)
    starts = sorted(o for o in offsets if o >= 0) + [len(data)]
    parts, new_offsets, at = [], [], 4 + 8 * n
    for i, offset in enumerate(offsets):
        if offset < 0 or i in DICTIONARY_COMPONENTS:
            new_offsets.append(-1)
            continue
        part = data[offset:starts[starts.index(offset) + 1]]
        parts.append(part)
        new_offsets.append(at)
        at += len(part)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{language}.traineddata"
    target.write_bytes(struct.pack(f"<i{n}q", n, *new_offsets) + b"".join(parts))
    return target


def words_of(language, folder, count):
    """count words of a model's own dictionary, every k-th of those that are words of one script
    (no digits, two to fourteen letters): unpacked by the reference's tools into folder."""
    listing = folder / f"{language}.words"
    if not listing.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as parts:
            prefix = pathlib.Path(parts) / f"{language}."
            subprocess.run(["combine_tessdata", "-u", MODEL_DIR / f"{language}.traineddata", prefix],
                           check=True, capture_output=True)
            subprocess.run(["dawg2wordlist", f"{prefix}lstm-unicharset", f"{prefix}lstm-word-dawg",
                            listing], check=True, capture_output=True)
    words = [w for w in listing.read_text(encoding="utf-8").split("\n")
             if 2 <= len(w) <= 14 and all(unicodedata.category(c)[0] in "LM" for c in w)]
    words.sort()
    return words[::max(1, len(words) // count)][:count]


def run_line_program(program, models, language, paths, steps=False):
    """The lines that reference_lines or read_lines prints for each picture; one process for all."""
    args = [program, models, language] + (["--steps"] if steps else [])
    done = subprocess.run(["nice", *args], input="".join(f"{p}\n" for p in paths), text=True,
                          capture_output=True, check=False,
                          env={**os.environ, "OMP_THREAD_LIMIT": "1"})
    out = done.stdout.split("\n")[:-1]
    if done.returncode or not out or len(out) % len(paths):
        sys.exit(f"{' '.join(map(str, args))}: exit status {done.returncode}\n{done.stderr}")
    n = len(out) // len(paths)
    return [out[i:i + n] for i in range(0, len(out), n)]

"""Writes a C source that holds a file's bytes.

usage: embed_file.py FILE NAME OUT.c

NAME becomes `const char NAME[]`, with a NUL after the bytes, and `const size_t NAME_bytes`."""

import pathlib
import sys

source, name, out = sys.argv[1:]
data = pathlib.Path(source).read_bytes() + b"\0"
lines = [", ".join(str(b if b < 128 else b - 256) for b in data[i:i + 24]) for i in range(0, len(data), 24)]
pathlib.Path(out).write_text(
    f"#include <stddef.h>\nextern const char {name}[];\nextern const size_t {name}_bytes;\n"
    f"const char {name}[] = {{\n" + ",\n".join(lines) +
    f"}};\nconst size_t {name}_bytes = {len(data) - 1};\n", encoding="ascii")

"""Writes the C source of act.h's tables: tanh and the logistic function at x = i / 256, each with what
it rises by to the next.

usage: make_tables.py OUT.c

Double precision rounded to single: the same values that the reference holds. The last entry is 1
and does not rise: arguments past the end."""

import math
import struct
import sys


def single(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def table(name, function):
    values = [single(function(i / 256)) for i in range(4096)]
    entries = [(values[i], single(values[i + 1] - values[i])) for i in range(4095)] + [(1.0, 0.0)]
    rows = ",\n    ".join("{(float)%s, (float)%s}" % (v.hex(), rise.hex()) for v, rise in entries)
    return f"_Alignas(64) const float {name}[QI_ACT_ENTRIES][2] = {{\n    {rows}}};\n"


with open(sys.argv[1], "w", encoding="utf-8") as out:
    out.write('#include "kernels/act/act.h"\n\n')
    out.write(table("qi_tanh_table", math.tanh))
    out.write(table("qi_logistic_table", lambda x: 1 / (1 + math.exp(-x))))

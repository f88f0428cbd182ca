"""Writes the C source of act.h's tables: tanh and the logistic function at x = i / 256.

usage: make_tables.py OUT.c

Double precision rounded to single: the same 4,096 values that the reference holds. Two more entries
of 1.0 serve arguments past the end."""

import math
import sys


def table(name, function):
    values = [function(i / 256) for i in range(4096)] + [1.0, 1.0]
    rows = (", ".join(f"(float){v.hex()}" for v in values[i:i + 4]) for i in range(0, 4098, 4))
    return f"_Alignas(64) const float {name}[QI_ACT_ENTRIES] = {{\n    " + ",\n    ".join(rows) + "};\n"


with open(sys.argv[1], "w", encoding="utf-8") as out:
    out.write('#include "kernels/act/act.h"\n\n')
    out.write(table("qi_tanh_table", math.tanh))
    out.write(table("qi_logistic_table", lambda x: 1 / (1 + math.exp(-x))))

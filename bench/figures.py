"""Figures of a benchmark: what was measured, in which unit, every round's value. Kept as JSON for
bench/compare and printed as tables."""

import json
import statistics

SCHEMA = "quire-bench/1"
# Unit: whether more of it is better.
UNITS = {"pages/s": True, "core-ms/page": False, "cores busy": True, "ratio": True, "ms": False,
         "MB": False, "CER": False}
OF_A_READER = ("pages/s", "core-ms/page", "cores busy", "CER")


class Figures:
    """Values by (work, subject, unit): such as ("dense", "Quire", "pages/s")."""

    def __init__(self, on):
        self.on = on
        self.values = {}

    def add(self, work, subject, unit, values):
        assert unit in UNITS
        self.values[work, subject, unit] = values

    def median(self, *key):
        return statistics.median(self.values[key])

    def save(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [{"work": work, "subject": subject, "unit": unit, "values": values}
                for (work, subject, unit), values in self.values.items()]
        path.write_text(json.dumps({"schema": SCHEMA, "on": self.on, "figures": rows}, indent=1,
                                   ensure_ascii=False) + "\n", encoding="utf-8")

    def tables(self):
        """Two Markdown tables: readers (speed, with the CER of what they read), and all else."""
        readers, others = {}, []
        for (work, subject, unit), values in self.values.items():
            if unit in OF_A_READER and all((work, subject, u) in self.values for u in OF_A_READER):
                readers.setdefault((work, subject), {})[unit] = values
            else:
                others.append((work, subject, unit, values))
        lines = ["| work | reader | pages/s | least–most | core-ms/page | cores busy | CER |",
                 "|---|---|---:|---:|---:|---:|---:|"]
        for (work, subject), of in readers.items():
            speed, core_ms, busy, (cer,) = (of[unit] for unit in OF_A_READER)
            lines.append(f"| {work} | {subject} | {show(statistics.median(speed))} | {extent(speed)} | "
                         f"{show(statistics.median(core_ms))} | {show(statistics.median(busy))} | "
                         f"{show(cer, 'CER')} |")
        lines += ["", "| work | figure | median | least–most | unit |", "|---|---|---:|---:|---|"]
        lines += [f"| {work} | {subject} | {show(statistics.median(values), unit)} | "
                  f"{extent(values)} | {unit} |" for work, subject, unit, values in others]
        return "\n".join(lines)


def load(path):
    """Figures of a file that was saved; ValueError when it is none."""
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ValueError(f"{path}: no figures of schema {SCHEMA}")
    figures = Figures(data["on"])
    for row in data["figures"]:
        figures.values[row["work"], row["subject"], row["unit"]] = row["values"]
    return figures


def show(value, unit=""):
    """Three significant digits, without an exponent; of a CER four digits after the point."""
    if unit == "CER":
        return f"{value:.4f}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


def extent(values):
    return f"{show(min(values))}–{show(max(values))}" if len(values) > 1 else ""

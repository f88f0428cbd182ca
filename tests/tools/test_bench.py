"""What the benchmarks conclude: which changes count as more than noise, and what flame graphs show."""

import json
import subprocess
import sys
import xml.etree.ElementTree

from conftest import ROOT

sys.path.append(str(ROOT / "bench"))
import figures  # noqa: E402
import flame_graph  # noqa: E402

SPEED = ("dense", "Quire", "pages/s")


def compared(folder, key, old, new):
    """The last cell of the figure's row in what bench/compare prints."""
    for name, values in (("old", old), ("new", new)):
        kept = figures.Figures({"cpu": "a cpu"})
        kept.add(*key, values)
        kept.save(folder / f"{name}.json")
    done = subprocess.run([sys.executable, ROOT / "bench" / "compare", folder / "old.json",
                           folder / "new.json"], capture_output=True, text=True, check=True)
    rows = [row for row in done.stdout.splitlines() if row.startswith(f"| {key[0]} | {key[1]} |")]
    assert len(rows) == 1
    return rows[0].split("|")[-2].strip()


def test_values_that_lie_apart_are_a_change(tmp_path):
    assert compared(tmp_path, SPEED, [9.1, 9.2, 9.3, 9.4, 9.5], [10.1, 10.2, 9.6, 9.9, 10.0]) == "better"
    assert compared(tmp_path, SPEED, [10.1, 10.2, 9.6, 9.9, 10.0], [9.1, 9.2, 9.3, 9.4, 9.5]) == "worse"


def test_less_time_is_better(tmp_path):
    assert compared(tmp_path, ("start", "Quire", "ms"), [50, 51, 52, 53, 54], [40, 41, 42, 43, 44]) == "better"


def test_values_that_mingle_are_noise(tmp_path):
    assert compared(tmp_path, SPEED, [9.0, 9.2, 9.4, 9.6, 9.8], [9.3, 9.5, 9.7, 9.9, 10.1]) == ""
    assert compared(tmp_path, SPEED, [9.0] * 5, [9.0] * 5) == ""


def test_few_rounds_give_no_verdict(tmp_path):
    assert compared(tmp_path, SPEED, [5.0, 5.1, 5.2, 5.3], [9.0, 9.1, 9.2, 9.3]) == "too few rounds"


def test_any_other_character_error_rate_counts(tmp_path):
    assert compared(tmp_path, ("dense", "Quire", "CER"), [0.001], [0.002]) == "worse"
    assert compared(tmp_path, ("dense", "Quire", "CER"), [0.001], [0.001]) == ""


def test_other_json_is_refused(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps({"schema": "quire/1"}))
    done = subprocess.run([sys.executable, ROOT / "bench" / "compare", tmp_path / "x.json",
                           tmp_path / "x.json"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "no figures" in done.stderr


SCRIPT = """quire \n
\t           95f2b run_s8 (/opt/quire)
\t           91c36 work (/opt/quire)
\t           89144 start_thread (/usr/lib/x86_64-linux-gnu/libc.so.6)

quire \n
\tffffffff8168baa7 fifth ([kernel.kallsyms])
\tffffffff815fe00d fourth ([kernel.kallsyms])
\tffffffff815ff7be third ([kernel.kallsyms])
\tffffffff815e9e79 second ([kernel.kallsyms])
\tffffffff81000c82 first ([kernel.kallsyms])
\t           91c36 work (/opt/quire)

quire-decode \n
\t            3981 [unknown] (/usr/lib/libjpeg.so.62.3.0)
\t            3982 [unknown] (/usr/lib/libjpeg.so.62.3.0)
\t            3983 main (/opt/quire-decode)
""".replace(" \n\n", " \n")


def test_flame_graph_folds_stacks():
    stacks = {";".join(name for name, _ in stack): n for stack, n in flame_graph.fold(SCRIPT).items()}
    assert stacks == {"quire;work;run_s8": 1, "quire;work;first;second;third;fourth": 1,
                      "quire-decode;main;[libjpeg.so.62.3.0]": 1}


def test_flame_graph_is_a_picture_with_shares():
    picture = flame_graph.svg(flame_graph.fold(SCRIPT), "a < title", 90, "core-ms/page")
    titles = [e.text for e in xml.etree.ElementTree.fromstring(picture).iter()
              if e.tag.endswith("title")]
    assert "work: 66.7 %, 60.00 core-ms/page" in titles
    assert "main: 33.3 %, 30.00 core-ms/page" in titles

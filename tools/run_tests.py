"""Runs the tests of a build folder and counts them one by one.

usage: run_tests.py BUILD-DIR [ARGUMENT OF meson test ...]

Meson counts programs; a reader wants tests. Counts what cmocka and pytest report inside each
program, a program that reports nothing counting as one. Prints what was skipped and why, what
failed with the end of its output, and as last line "N passed, N failed". Exit status 0 when nothing
failed."""

import json
import pathlib
import re
import subprocess
import sys

CMOCKA = {"passed": r"\[  PASSED  \] (\d+) test", "failed": r"\[  FAILED  \] (\d+) test",
          "skipped": r"\[  SKIPPED \] (\d+) test"}
PYTEST = {"passed": r"\b(\d+) passed", "failed": r"\b(\d+) (?:failed|errors?)\b",
          "skipped": r"\b(\d+) skipped"}


def count(result):
    """Numbers of tests of one program, from its output; one of them at least is not zero."""
    text = result.get("stdout", "") + result.get("stderr", "")
    last_lines = "\n".join(text.strip().splitlines()[-3:])
    counts = {}
    for patterns, where in ((CMOCKA, text), (PYTEST, last_lines)):
        counts = {key: sum(map(int, re.findall(p, where))) for key, p in patterns.items()}
        if any(counts.values()):
            break
    ok = result["result"] in ("OK", "EXPECTEDFAIL")
    if not ok and result["result"] != "SKIP" and not counts["failed"]:
        counts["failed"] = 1  # it crashed, hung, or leaked after its tests
    if not any(counts.values()):
        counts["passed" if ok else "skipped"] = 1
    return counts


def failure(result):
    """What to say of a program that failed: its name, and the lines that tell why."""
    text = (result.get("stdout", "") + result.get("stderr", "")).splitlines()
    why = r"E  |FAILED |ERROR |\[  (ERROR|FAILED) |.*[Ss]anitizer"
    told = [line for line in text if re.match(why, line)]
    lines = told[:20] + text[-20:]
    return "\n".join(f"FAILED {result['name']}: {line}"[:300]
                     for line in [f"{result['result']} after {result['duration']:.1f} s", *lines])


def main():
    build = pathlib.Path(sys.argv[1])
    log = build / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", *sys.argv[2:]],
                   check=False)
    if not log.exists():
        print("0 passed, 1 failed")
        return 1
    total = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        result = json.loads(line)
        counts = count(result)
        for key, n in counts.items():
            total[key] += n
        if counts["failed"]:
            failures.append(failure(result))
        for reason in re.findall(r"^SKIPPED \[\d+\] .*$", result.get("stdout", ""), re.M):
            print(reason)
    if total["skipped"]:
        print(f"{total['skipped']} skipped")
    for text in failures:
        print(text)
    print(f"{total['passed']} passed, {total['failed']} failed")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())

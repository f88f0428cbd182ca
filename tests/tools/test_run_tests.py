"""The count of tests: what cmocka and pytest say of each program, a crash always as a failure."""

import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import run_tests  # noqa: E402


@pytest.mark.parametrize("result, output, expected", [
    ("OK", "[==========] 3 test(s) run.\n[  PASSED  ] 3 test(s).\n", (3, 0, 0)),
    ("FAIL", "[  PASSED  ] 2 test(s).\n[  FAILED  ] 1 test(s), listed below:\n", (2, 1, 0)),
    ("OK", "....s\n4 passed, 1 skipped in 0.10s\n", (4, 0, 1)),
    ("FAIL", "1 failed, 4 passed in 0.10s\n", (4, 1, 0)),
    ("FAIL", "", (0, 1, 0)),
    ("FAIL", "[  PASSED  ] 2 test(s).\nSUMMARY: AddressSanitizer: leak\n", (2, 1, 0)),
    ("TIMEOUT", "", (0, 1, 0)),
    ("OK", "18 variants run, 0 checks failed\n", (1, 0, 0)),
    ("SKIP", "", (0, 0, 1)),
])
def test_counts(result, output, expected):
    counts = run_tests.count({"result": result, "stdout": output, "stderr": ""})
    assert (counts["passed"], counts["failed"], counts["skipped"]) == expected


def test_a_failure_is_told_with_its_reason():
    """What CI keeps of a failure is this: the program, how it ended, and why, however much it printed."""
    output = "E   assert 1 == 2\n" + "noise\n" * 1000 + "1 failed, 3 passed in 1.00s\n"
    told = run_tests.failure({"name": "cli / x", "result": "FAIL", "duration": 1.0, "stdout": output})
    lines = told.splitlines()
    assert all(line.startswith("FAILED cli / x: ") for line in lines) and len(lines) < 50
    assert "assert 1 == 2" in told and "FAIL after 1.0 s" in told and "1 failed, 3 passed" in told

"""`quire plan`: its arithmetic, its table, and what it refuses."""

import copy
import json
import math

import pytest

MEASUREMENT = {
    "schema": "quire-measurement/1", "version": "0.1.0",
    "machine": {"cpu": "Abacus 9000", "level": "avx2", "cores": 8, "memory_bytes": 16 << 30},
    "options": {"language": "eng+deu"}, "pages": {"read": 1200, "failed": 0},
    "pages_per_second": {"median": 20.0, "least": 19.5, "most": 20.25}, "jobs": 8, "cores_busy": 7.8,
    "peak_memory_bytes": 200_000_000, "one_job": {"pages_per_second": 2.75}}

TABLE = """\
measured
  Abacus 9000, avx2, 8 cores
  quire 0.1.0, eng+deu, 1,200 pages
  pages/s                       20.00       8 jobs; least 19.50, most 20.25
  pages/s, one job               2.75       8 jobs are 7.27 times as fast
  cores busy                     7.80       of 8

wanted
  pages a day               1,000,000       --pages-per-day
  pages/s on average            11.57       1,000,000 / 86,400 s
  pages/s at the peak           34.72       11.57 x 3 (--peak)

cores
  pages/s of a core              2.50       20.00 / 8, as measured
  busy at the peak              13.89       34.72 / 2.50
  cores                         27.78       13.89 / 0.5 (--utilisation)

machines
  cores of a machine                8       as measured (--cores-per-machine)
  machines                          5       27.78 / 8, rounded up, and 1 spare (--spare)
  busy at the peak                 43 %     13.89 of 32 cores, the spare aside
  busy on average                  14 %     4.63 of 32 cores, the spare aside
  memory of a machine             200 MB    for Quire, the most that was measured

power
  power                          1.00 kW    5 x 200 W (--watts)
  energy a day                  24.00 kWh   1.00 kW x 24 h

cost
  machines a day                60.00       5 x 0.5 (--price) x 24 h
  energy a day                   7.20       24.00 kWh x 0.3 (--kwh-price)
  a day                         67.20       60.00 + 7.20
  a year                    24,528.00       67.20 x 365
  a million pages               67.20       67.20 / 1,000,000 pages

assumed
  pages like those measured, on cores like those measured
  pages that come all day and night, at the peak --peak times the mean
  machines, the spare ones too, that run day and night
"""


@pytest.fixture
def plan(run, tmp_path):
    """Plans from a measurement, MEASUREMENT with changes; the CompletedProcess."""

    def call(*args, changes=None, **more):
        measurement = copy.deepcopy(MEASUREMENT)
        measurement.update(changes or {})
        (tmp_path / "bench.json").write_text(json.dumps(measurement))
        return run("plan", "--from", "bench.json", *args, **more)

    return call


def numbers(done):
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)


def test_table(plan):
    done = plan("--pages-per-day", "1m", "--peak", "3", "--utilisation", "0.5", "--watts", "200", "--price",
                "0.50", "--kwh-price", "0.30")
    assert (done.returncode, done.stderr, done.stdout.decode()) == (0, b"", TABLE)


def test_table_has_what_was_asked_for(plan):
    text = plan("--pages-per-day", "1000", "--spare", "0", changes={"one_job": None}).stdout.decode()
    for absent in ("power", "cost", "one job", "spare aside", "note:", "day and night\n  machines"):
        assert absent not in text
    assert "0.0116       1,000 / 86,400 s" in text


def test_json(plan):
    done = plan("--json", "--pages-per-day", "5m", "--utilisation", "0.8", "--spare", "2", "--watts", "150",
                "--price", "0.25", "--kwh-price", "0.4", "--cores-per-machine", "4")
    p = numbers(done)
    rate = 5e6 / 86400
    cores = rate * 2 / 2.5 / 0.8
    machines = math.ceil(cores / 4) + 2
    assert p["schema"] == "quire-plan/1"
    assert p["inputs"] == {"pages_per_day": 5_000_000, "peak": 2, "utilisation": 0.8, "cores_per_machine": 4,
                           "spare": 2, "watts": 150, "price": 0.25, "kwh_price": 0.4}
    assert p["measured"] == {"version": "0.1.0", "language": "eng+deu", "cpu": "Abacus 9000",
                             "level": "avx2", "cores": 8, "jobs": 8, "pages": 1200, "pages_per_second": 20,
                             "pages_per_second_of_one_job": 2.75, "cores_busy": 7.8,
                             "peak_memory_bytes": 200_000_000}
    expected = {"busy_cores": rate * 2 / 2.5, "cores": cores, "machines": machines,
                "peak_load": rate * 2 / 2.5 / 4 / (machines - 2), "mean_load": rate / 2.5 / 4 / (machines - 2),
                "machine_memory_bytes": 200_000_000, "kilowatts": machines * 0.15,
                "kwh_per_day": machines * 0.15 * 24, "machines_cost_per_day": machines * 6,
                "energy_cost_per_day": machines * 0.15 * 24 * 0.4}
    expected["cost_per_day"] = expected["machines_cost_per_day"] + expected["energy_cost_per_day"]
    expected["cost_per_year"] = 365 * expected["cost_per_day"]
    expected["cost_per_million_pages"] = expected["cost_per_day"] / 5
    for key, value in expected.items():
        assert p[key] == pytest.approx(value, rel=1e-5), key
    assert p["pages_per_second"] == pytest.approx({"mean": rate, "peak": 2 * rate, "per_core": 2.5})
    assert p["notes"] == []


def test_what_was_not_given_is_null(plan):
    p = numbers(plan("--json", "--pages-per-day", "1m", changes={"peak_memory_bytes": None}))
    assert [key for key, value in p.items() if value is None] == [
        "machine_memory_bytes", "kilowatts", "kwh_per_day", "machines_cost_per_day", "energy_cost_per_day",
        "cost_per_day", "cost_per_year", "cost_per_million_pages"]
    p = numbers(plan("--json", "--pages-per-day", "1m", "--watts", "100"))
    assert p["kilowatts"] and p["cost_per_day"] is None


def test_load_that_fits_exactly_needs_no_machine_more(plan):
    """86,400 pages a day are one a second; a core reads 2.5."""
    p = numbers(plan("--json", "--pages-per-day", "1728000", "--peak", "1", "--utilisation", "1", "--spare", "0"))
    assert (p["cores"], p["machines"], p["peak_load"]) == (8, 1, 1)


def test_large_sums_are_whole(plan):
    p = numbers(plan("--json", "--pages-per-day", "10g", "--price", "1000"))
    assert p["cost_per_year"] == pytest.approx(p["machines"] * 24000 * 365) and p["cost_per_year"] > 1e9


def test_larger_machines_take_more_memory_and_are_noted(plan):
    p = numbers(plan("--json", "--pages-per-day", "1m", "--cores-per-machine", "64"))
    assert p["machine_memory_bytes"] == 1_600_000_000
    assert len(p["notes"]) == 1 and p["notes"][0].startswith("64 cores of a machine are taken to read 8.0 times")


def test_disturbed_measurements_are_noted(plan):
    changes = {"cores_busy": 4.0, "pages_per_second": {"median": 20, "least": 15, "most": 20}}
    done = plan("--pages-per-day", "864000", "--peak", "1", "--utilisation", "0.5", changes=changes)
    notes = [line for line in done.stdout.decode().splitlines() if line.startswith("note: ")]
    assert len(notes) == 2
    assert "only 4.00 of 8 cores were busy" in notes[0] and notes[0].endswith("it would be 4.00 cores")
    assert "differ by 25 %" in notes[1]


def test_measurement_from_standard_input(run):
    done = run("plan", "--from", "-", "--json", "--pages-per-day", "1m", input=json.dumps(MEASUREMENT).encode())
    assert numbers(done)["machines"] > 1


@pytest.mark.parametrize("args,message", [
    ([], "how many pages are to be read? Say it with --pages-per-day N"),
    (["--pages-per-day", "1m"],
     "a plan needs a measurement; make one of documents of yours with quire bench --json bench.json FOLDER, and "
     "give it with --from bench.json"),
    (["bench.json"], "plan takes options alone; see quire plan --help"),
    (["--pages-per-day", "0"], '--pages-per-day: "0" is not a number such as 1000000 or 1m'),
    (["--pages-per-day", "-5"], '--pages-per-day: "-5" is not a number such as 1000000 or 1m'),
    (["--pages-per-day", "1e6"], '--pages-per-day: "1e6" is not a number such as 1000000 or 1m'),
    (["--peak", "0.5"], '--peak: "0.5" is not a number from 1 to 1000'),
    (["--peak", "nan"], '--peak: "nan" is not a number from 1 to 1000'),
    (["--utilisation", "0"], '--utilisation: "0" is not a share from 0.01 to 1'),
    (["--utilisation", "60"], '--utilisation: "60" is not a share from 0.01 to 1'),
    (["--cores-per-machine", "0"], '--cores-per-machine: "0" is not a number from 1 to 512'),
    (["--spare", "-1"], '--spare: "-1" is not a number from 0 to 1000'),
    (["--watts", "0"], '--watts: "0" is not a number of watts from 0.1 to 100000'),
    (["--watts", "inf"], '--watts: "inf" is not a number of watts from 0.1 to 100000'),
    (["--price", "0"], '--price: "0" is not a price above 0, up to 100000'),
    (["--price", "-1"], '--price: "-1" is not a price above 0, up to 100000'),
    (["--price", "1.2.3"], '--price: "1.2.3" is not a price above 0, up to 100000'),
    (["--kwh-price", "1e9"], '--kwh-price: "1e9" is not a price above 0, up to 100000'),
    (["--from", "x", "--pages-per-day", "1m", "--kwh-price", "0.3"],
     "--kwh-price is about energy; say what a machine draws with --watts W"),
], ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_wrong_use(run, args, message):
    done = run("plan", *args)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", f"quire: {message}\n")


def test_absurd_numbers_of_machines(plan):
    done = plan("--pages-per-day", "1000000g")
    assert done.returncode == 1 and done.stdout == b""
    assert b"that takes 1.93e+09 machines of 8 cores; more than a million are not planned" in done.stderr


@pytest.mark.parametrize("text,status,message", [
    ("", 2, "not JSON"),
    ("{", 2, "not JSON"),
    ("[]", 4, "no measurement of quire"),
    ('{"schema": "quire-bench/1"}', 4, "its schema is quire-bench/1 and not quire-measurement/1"),
    ('{"schema": "quire-measurement/1"}', 2, "a number of the measurement is missing or cannot be"),
])
def test_other_files_are_refused(run, tmp_path, text, status, message):
    (tmp_path / "x.json").write_text(text)
    done = run("plan", "--pages-per-day", "1m", "--from", "x.json")
    assert done.returncode == status and done.stdout == b""
    assert done.stderr.startswith(f"quire: x.json: {message}".encode())


@pytest.mark.parametrize("changes", [
    {"jobs": 0}, {"jobs": None}, {"jobs": 513}, {"jobs": "8"}, {"machine": {}}, {"machine": None},
    {"pages_per_second": {"median": 0, "least": 0, "most": 0}},
    {"pages_per_second": {"median": -1, "least": 1, "most": 1}},
    {"pages_per_second": {"median": 1e300, "least": 1, "most": 1}},
    {"cores_busy": -1}, {"peak_memory_bytes": -1}, {"peak_memory_bytes": 1e300}, {"pages": {"read": 0}},
    {"one_job": {}}, {"one_job": 1}, {"options": []}, {"version": 1},
], ids=json.dumps)
def test_numbers_of_the_measurement_are_checked(plan, changes):
    done = plan("--pages-per-day", "1m", changes=changes)
    assert done.returncode == 2 and b"a number of the measurement is missing or cannot be" in done.stderr


def test_missing_measurement(run):
    done = run("plan", "--pages-per-day", "1m", "--from", "nowhere.json")
    assert (done.returncode, done.stderr) == (5, b"quire: nowhere.json: No such file or directory\n")

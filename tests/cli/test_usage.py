"""Options: help, wrong uses with their exact messages, environment twins."""

import pytest

WRONG = [
    ([], "a command is missing, such as run; see quire --help"),
    (["walk"], "walk: no such command; see quire --help"),
    (["run"], "there is nothing to read; name files or folders, or - for standard input"),
    (["run", "--bogus", "x"], "--bogus: no such option, or not a clear one; see quire run --help"),
    (["run", "-z", "x"], "-z: no such option; see quire run --help"),
    (["run", "x", "-o"], "-o: a value is missing; see quire run --help"),
    (["run", "--jobs", "0", "x"], '--jobs: "0" is not a number from 1 to 512'),
    (["run", "--jobs=2k", "x"], '--jobs: "2k" is not a number from 1 to 512'),
    (["run", "--memory", "lots", "x"],
     '--memory: "lots" is not a number of bytes such as 400m or 2g'),
    (["run", "--timeout", "-1", "x"], '--timeout: "-1" is not a time such as 90, 1.5s, 2m or 1h'),
    (["run", "--max-pixels", "99999999999999999999", "x"],
     '--max-pixels: "99999999999999999999" is not a number such as 200m'),
    (["run", "-f", "doc", "x"],
     '--format: "doc" is not a list of formats such as txt,json; there are txt, json, jsonl, tsv, hocr, '
     'alto, md and pdf'),
    (["run", "--text", "words", "x.png"], '--text: "words" is not lines or paragraphs'),
    (["run", "-f", "txt,json", "x"],
     "several formats need a folder for their files; give one with -o DIR"),
    (["run", "--progress", "loud", "x"], '--progress: "loud" is not auto, bar, json or none'),
    (["run", "--region", "1,2,3", "x"], '--region: "1,2,3" is not a region such as 0,0,50%,300: '
     "left, top, width, height in pixels or %"),
    (["run", "--region", "0,0,101%,1", "x"], '--region: "0,0,101%,1" is not a region such as '
     "0,0,50%,300: left, top, width, height in pixels or %"),
    (["run", "--strict=maybe", "x"], '--strict: "maybe" is not yes or no'),
    (["run", "--overwrite", "--skip-existing", "-o", "d", "x"],
     "--overwrite and --skip-existing exclude each other; give one of them"),
    (["run", "-", "-"], "standard input can be used once, as an input or by --files-from -"),
    (["run", "-", "--files-from", "-"],
     "standard input can be used once, as an input or by --files-from -"),
    (["run", ""], "an input has an empty name"),
    (["eval", "one"], "eval takes two folders, TRUTH-DIR and RESULT-DIR; see quire eval --help"),
]


@pytest.mark.parametrize("args,message", WRONG, ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_wrong_use(run, args, message):
    done = run(*args)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", f"quire: {message}\n")


@pytest.mark.parametrize("args", [["--help"], ["run", "--help"], ["run", "-h"], ["eval", "--help"],
                                  ["bench", "--help"], ["plan", "--help"], ["doctor", "--help"],
                                  ["models", "--help"]])
def test_help_goes_to_stdout(run, args):
    done = run(*args)
    assert done.returncode == 0 and done.stderr == b""
    assert done.stdout.startswith(b"usage: quire ")


def test_help_names_every_option_and_wins_over_errors(run):
    done = run("run", "--help", env={"QUIRE_JOBS": "none"})
    assert done.returncode == 0
    for name in ("output", "format", "language", "pages", "region", "files-from", "recursive", "jobs",
                 "memory", "timeout", "max-pixels", "progress", "overwrite", "skip-existing", "strict",
                 "no-timings", "quiet", "verbose", "version", "help"):
        assert f"--{name}".encode() in done.stdout


@pytest.mark.parametrize("args", [["--version"], ["run", "--version"]])
def test_version(run, args):
    done = run(*args)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"quire 0.1.0\n", b"")


def test_environment_sets_what_no_flag_sets(run, inbox):
    plain = run("run", inbox / "one.png").stdout
    tsv = run("run", inbox / "one.png", env={"QUIRE_FORMAT": "tsv"}).stdout
    assert tsv.startswith(b"level\t")
    assert run("run", "-f", "txt", inbox / "one.png", env={"QUIRE_FORMAT": "tsv"}).stdout == plain


def test_environment_is_checked(run, inbox):
    done = run("run", inbox / "one.png", env={"QUIRE_MAX_PIXELS": "many"})
    assert done.returncode == 1
    assert done.stderr == b'quire: QUIRE_MAX_PIXELS: "many" is not a number such as 200m\n'


def test_flags_take_yes_and_no(run, inbox):
    with_timings = run("run", "-f", "json", "--no-timings=no", inbox / "one.png",
                       env={"QUIRE_NO_TIMINGS": "1"})
    assert b"timings_ms" in with_timings.stdout
    without = run("run", "-f", "json", inbox / "one.png", env={"QUIRE_NO_TIMINGS": "yes"})
    assert without.returncode == 0 and b"timings_ms" not in without.stdout


def test_wrong_request_ends_the_run_before_reading(run, inbox, tmp_path):
    done = run("run", "--pages", "3-x", "-o", "out", inbox)
    assert done.returncode == 1 and b"3-x" in done.stderr
    assert not list(tmp_path.rglob("*.txt"))

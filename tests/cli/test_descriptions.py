"""The man page and the completions: all of them name every option, and each shell completes."""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

TESSDATA = pathlib.Path("/usr/share/tesseract-ocr/5/tessdata")
COMMANDS = ("run", "view", "eval", "bench", "plan", "doctor", "models", "serve", "keys",
            "backup", "submit", "ingest")


@pytest.fixture(scope="module")
def folder(quire):
    return quire.parent / "src" / "cli" / "describe"


@pytest.fixture(scope="module")
def shell(quire, folder, tmp_path_factory):
    """Environment and folder of a shell in which quire is to be completed: files, a folder and
    three model files, one of them damaged, one with a name that a shell must not evaluate."""
    place = tmp_path_factory.mktemp("shell")
    (place / "scans").mkdir()
    (place / "scan.png").touch()
    models = place / "models"
    models.mkdir()
    for name in ("eng", "engels", "$(touch hacked)"):
        shutil.copy(TESSDATA / "eng.traineddata", models / f"{name}.traineddata")
    (models / "endless.traineddata").write_bytes(b"\x01\x00\x00\x00")
    env = {"PATH": f"{quire.parent}:/usr/bin:/bin", "HOME": str(place), "TERM": "vt100",
           "TESSDATA_PREFIX": str(models), "LC_ALL": "C.UTF-8"}
    return {"env": env, "cwd": place}


def options_of(run, command):
    """[(letter or "", name, argument or "")] as the help lists them."""
    help_text = run(command, "--help").stdout.decode()
    return re.findall(r"^  (?:-(\w),|   ) --([\w-]+) ?([A-Z]\S*)?", help_text, re.M)


def test_commands_are_those_of_the_help(run):
    listed = re.findall(r"^  (\w+) ", run("--help").stdout.decode(), re.M)
    assert tuple(listed) == COMMANDS


def test_man_page_is_clean_and_complete(run, folder):
    page = folder / "quire.1"
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], capture_output=True,
                          env={**os.environ, "MANWIDTH": "1000", "LC_ALL": "C.UTF-8",
                               "MANROFFSEQ": "", "MAN_KEEP_FORMATTING": ""}, check=True)
    assert done.stderr == b""
    text = done.stdout.decode()
    for command in COMMANDS:
        section = text.split(f"\n   quire {command}\n")[1].split("\n   quire ")[0]
        for letter, name, argument in options_of(run, command):
            shown = (f"-{letter}, " if letter else "") + f"--{name}"
            common = name in ("help", "version")
            assert re.search(rf"^ +{shown}{f' {argument}' if argument else ''}\b",
                             text if common else section, re.M), name
            assert common or f"QUIRE_{name.upper().replace('-', '_')}\n" in section
    for part in ("NAME", "SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"):
        assert f"\n{part}\n" in text
    statuses = dict(re.findall(r"^ +(\d+) +(\S.*)$", text.split("EXIT STATUS")[1]
                               .split("ENVIRONMENT")[0], re.M))
    header = (pathlib.Path(__file__).parents[2] / "include/quire/quire.h").read_text()
    for name, status in re.findall(r'^    X\(\w+, "([\w-]+)", (\d+),', header, re.M):
        assert status == "0" or f"({name})" in statuses[status]
    assert {"0", "10", "129", "130", "141", "143"} < set(statuses)


def test_completions_name_every_option(run, folder):
    bash = (folder / "quire").read_text()
    zsh = (folder / "_quire").read_text()
    fish = (folder / "quire.fish").read_text()
    for command in COMMANDS:
        of_bash = re.search(rf"^ +{command}:-\*\) .*$", bash, re.M)[0]
        of_zsh = zsh.split(f"\n        {command})\n")[1].split(";;\n")[0]
        for letter, name, _ in options_of(run, command):
            assert re.search(rf"--{name}[ \"]", of_bash)
            assert re.search(rf"--{name}[=\[}}']", of_zsh)
            wanted = rf"^complete -c quire -n '__quire_command {command}' -l {name} "
            assert re.search(wanted + (f"-s {letter} " if letter else ""), fish, re.M)


@pytest.mark.parametrize("program,name", [("bash", "quire"), ("zsh", "_quire"),
                                          ("fish", "quire.fish")])
def test_completions_are_well_formed(folder, program, name):
    done = subprocess.run([program, "-n", folder / name], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def by_bash(folder, shell, *words):
    """What bash offers for the last of the words, split as bash splits them."""
    script = f'source "{folder}/quire"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _quire; ' \
             'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script, "bash", "quire", *words], capture_output=True,
                          check=True, timeout=60, **shell)
    assert done.stderr == b""
    return sorted(done.stdout.decode().split())


def by_fish(folder, shell, *words):
    """The same of fish, which takes the line as typed."""
    line = "quire " + " ".join(words).replace(" = ", "=").replace(" =", "=")
    done = subprocess.run(["fish", "--no-config", "-c", 'source $argv[1]; complete -C $argv[2]',
                           folder / "quire.fish", line], capture_output=True, check=True,
                          timeout=60, **shell)
    assert done.stderr == b""
    start = re.match(r"--[\w-]+=", line.split()[-1])
    return sorted(row.split("\t")[0][len(start[0]) if start else 0:]
                  for row in done.stdout.decode().splitlines())


@pytest.mark.parametrize("complete", [by_bash, by_fish])
@pytest.mark.parametrize("words,offers", [
    (["r"], ["run"]),
    (["run", "--fo"], ["--format"]),
    (["eval", "--ex"], ["--exact-marks"]),
    (["eval", "--fo"], []),
    (["run", "-f", "j"], ["json", "jsonl"]),
    (["run", "--format", "=", "txt,t"], ["txt,tsv", "txt,txt"]),
    (["run", "--progress", ""], ["auto", "bar", "json", "none"]),
    (["run", "--progress", "="], ["auto", "bar", "json", "none"]),
    (["run", "-l", "eng+en"], ["eng+eng", "eng+engels"]),
    (["run", "--jobs", ""], []),
    (["bench", "--text-layer", "o"], ["off", "only"]),
    (["plan", "--pe"], ["--peak"]),
    (["models", "l"], ["list"]),
    (["doctor", "s"], []),
], ids=lambda v: " ".join(v) if isinstance(v, list) else None)
def test_shells_offer_values(folder, shell, complete, words, offers):
    assert complete(folder, shell, *words) == offers
    assert not (shell["cwd"] / "hacked").exists()


@pytest.mark.parametrize("complete,slash", [(by_bash, ""), (by_fish, "/")])
def test_shells_offer_files_and_folders(folder, shell, complete, slash):
    assert complete(folder, shell, "run", "sc") == ["scan.png", f"scans{slash}"]
    assert complete(folder, shell, "run", "--output", "sc") == [f"scans{slash}"]
    assert complete(folder, shell, "eval", "sc") == [f"scans{slash}"]


def test_bash_offers_yes_and_no_after_a_flag(folder, shell):
    assert by_bash(folder, shell, "run", "--recursive", "=") == ["no", "yes"]
    assert by_bash(folder, shell, "run", "--recursive", "sc") == ["scan.png", "scans"]


class Terminal:
    """An interactive shell at a terminal of its own."""

    PROMPT = "READY:"

    def __init__(self, args, env, cwd):
        self.cwd = cwd
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execvpe(args[0], args, env)

    def wait(self, until):
        """Reads what the shell prints, without what moves the cursor, until a condition of it."""
        seen, end = "", time.monotonic() + 20
        while not until(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\0", "", seen).rstrip()):
            assert select.select([self.fd], [], [], max(0, end - time.monotonic()))[0], seen
            seen += os.read(self.fd, 4096).decode(errors="replace")

    def run(self, line):
        os.write(self.fd, line.encode() + b"\n")
        self.wait(lambda seen: seen.endswith(self.PROMPT))

    def complete(self, line):
        """The line after TAB, read from a file that it is echoed to."""
        typed = self.cwd / "typed"
        typed.unlink(missing_ok=True)
        os.write(self.fd, f"{line}\t\x01echo '\x05' >typed\n".encode())
        self.wait(lambda seen: typed.exists() and typed.read_text().endswith("\n"))
        return typed.read_text().strip()

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


@pytest.fixture(params=["bash", "zsh"])
def terminal(request, folder, shell):
    env = {**shell["env"], "PS1": Terminal.PROMPT}
    args = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}
    setup = {"bash": f"bind 'set enable-bracketed-paste off'; source {folder}/quire",
             "zsh": f"unset zle_bracketed_paste; unsetopt prompt_sp; fpath=({folder} $fpath); "
                    "autoload -Uz compinit; compinit -u -D"}
    t = Terminal(args[request.param], env, shell["cwd"])
    t.wait(lambda seen: seen.endswith(Terminal.PROMPT))
    t.run(setup[request.param])
    yield t
    t.close()


@pytest.mark.parametrize("line,whole", [
    ("quire ru", "quire run"),
    ("quire run --progr", "quire run --progress"),
    ("quire run --progress n", "quire run --progress none"),
    ("quire run --progress=n", "quire run --progress=none"),
    ("quire run -f txt,ts", "quire run -f txt,tsv"),
    ("quire run -l enge", "quire run -l engels"),
    ("quire run --recursive=n", "quire run --recursive=no"),
    ("quire run -o s", "quire run -o scans"),
    ("quire run scan.", "quire run scan.png"),
    ("quire eval --case", "quire eval --case-fold"),
    ("quire models l", "quire models list"),
])
def test_lines_are_completed_at_a_terminal(terminal, shell, line, whole):
    typed = terminal.complete(line)
    # zsh may take away the "=", "," or "/" that would follow.
    assert typed.rstrip("=,/") == whole
    assert not (shell["cwd"] / "hacked").exists()

"""The system service's unit: systemd takes it, it gives few rights, and those are enough for what a
service does."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
from PIL import Image, ImageDraw, ImageFont

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy" / "quire.service"



def draw_page(text):
    page = Image.new("L", (700, 110), 255)
    face = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 30)
    ImageDraw.Draw(page).text((40, 30), text, font=face, fill=0)
    return page


@pytest.fixture(scope="module")
def analyze():
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")

    def call(*arguments):
        return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)

    return call


def test_systemd_takes_it(analyze, tmp_path):
    unit = tmp_path / "quire.service"
    unit.write_text(re.sub(r"^(ExecStart=)\S+", r"\1/bin/true", UNIT.read_text(), flags=re.M)
                    .replace("Documentation=man:quire(1)\n", ""))
    done = analyze("verify", unit)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_it_gives_few_rights(analyze):
    done = analyze("security", "--offline=true", "--threshold=30", UNIT)
    assert done.returncode == 0, done.stdout
    level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)[1])
    assert level <= 3.0


def allowed_calls(analyze):
    """Names of the system calls that the unit's filter allows."""
    sets, name = {}, None
    for line in analyze("syscall-filter").stdout.splitlines():
        if line.startswith("@"):
            name = line.split()[0]
            sets[name] = []
        elif line.startswith("    ") and name and not line.strip().startswith("#"):
            sets[name].append(line.strip())

    def expand(entry):
        if not entry.startswith("@"):
            return {entry}
        return set().union(*(expand(e) for e in sets[entry])) if sets[entry] else set()

    allowed = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", UNIT.read_text(), re.M):
        named = set().union(*(expand(e) for e in line.lstrip("~").split()))
        allowed = allowed - named if line.startswith("~") else allowed | named
    return allowed


def test_its_calls_are_enough(analyze, quire, tmp_path):
    """What a service and its helpers call while images and PDFs are read is what the filter allows."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    draw_page("A page for the unit.").save(tmp_path / "page.png")
    draw_page("A page of a PDF.").save(tmp_path / "page.pdf")
    env = {k: v for k, v in os.environ.items() if not k.startswith("QUIRE_") or k == "QUIRE_DECODE"}
    trace = tmp_path / "trace"
    server = subprocess.Popen(
        ["strace", "-f", "-o", trace, quire, "serve", "--data", tmp_path / "data", "--listen",
         "127.0.0.1:0", "--page-images"], stderr=subprocess.PIPE, text=True, env=env)
    port = None
    for line in server.stderr:
        if found := re.search(r"listening on \S+:(\d+)", line):
            port = found[1]
            break
    for name in ("page.png", "page.pdf"):
        done = subprocess.run([quire, "submit", "--server", f"http://127.0.0.1:{port}", "--wait",
                               tmp_path / name], capture_output=True, text=True, env=env, check=False,
                              timeout=300)
        assert done.returncode == 0 and "page" in done.stdout.lower(), done.stderr
    [traced] = pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    os.kill(int(traced), 15)
    server.stderr.close()
    assert server.wait(120) == 0
    called = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)[( ]", trace.read_text(errors="replace"), re.M))
    assert len(called) > 50
    # SQLite gives its log to the database's owner where it runs as root, which the unit's user is not.
    assert called - allowed_calls(analyze) - {"fchown"} == set()

"""Runs programs for the benchmarks and measures them: wall time, processor time, time to the first
byte, memory of the process tree; and what the figures depend on."""

import dataclasses
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time

import reference

SAMPLE_PERIOD_S = 0.25


@dataclasses.dataclass(frozen=True)
class Run:
    """Seconds of wall time, from start to end, and of processor time, of all processes."""
    wall: float
    cpu: float


def environment(**more):
    """This program's environment and more."""
    return {**os.environ, **more}


def cpu_seconds():
    """Processor time of all child processes that have ended, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(commands, env):
    """Runs commands, all at once; ends the benchmark, with what was said, when one of them fails."""
    with tempfile.TemporaryFile() as said:
        start, used = time.monotonic(), cpu_seconds()
        running = [subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=said)
                   for command in commands]
        statuses = [process.wait() for process in running]
        taken = Run(time.monotonic() - start, cpu_seconds() - used)
        if any(statuses):
            said.seek(0)
            print(said.read().decode(errors="replace")[-2000:], file=sys.stderr)
            sys.exit(f"{commands[0][0]}: exit status {', '.join(map(str, statuses))}")
    return taken


def first_byte_ms(command, env):
    """Milliseconds from the start of a command to the first byte on its standard output; it is ended
    then."""
    start = time.monotonic()
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        byte = process.stdout.read(1)
        taken = time.monotonic() - start
        process.kill()
    if not byte:
        sys.exit(f"{command[0]}: no output")
    return 1000 * taken


def tree(pid):
    """The process and all its descendants."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rsplit(")", 1)[1].split()[1])
    members = {pid}
    while True:
        more = {p for p, parent in parents.items() if parent in members} - members
        if not more:
            return members
        members |= more


def pss_mb(pid):
    """Proportional set size of a process tree."""
    total = 0
    for member in tree(pid):
        try:
            text = pathlib.Path(f"/proc/{member}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(map(int, re.findall(r"^Pss:\s+(\d+)", text, re.M)))
    return total * 1024 / 1e6


def watch(command, env, handle_line=lambda line: None):
    """Runs a command, each line of its standard error given to handle_line as it comes, and returns
    samples of the memory (PSS) of its process tree in MB."""
    samples = []
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True) as process:
        def sample():
            while process.poll() is None:
                samples.append(pss_mb(process.pid))
                time.sleep(SAMPLE_PERIOD_S)

        sampler = threading.Thread(target=sample)
        sampler.start()
        for line in process.stderr:
            handle_line(line)
        status = process.wait()
        sampler.join()
    if status:
        sys.exit(f"{command[0]}: exit status {status}")
    return samples


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=reference.ROOT)
    return done.stdout.strip()


def level_of(quire):
    """The CPU level that a quire program runs at here, QUIRE_CPU's cap included."""
    found = re.search(r"\b(scalar|avx2|avx512vnni|amx)\b", output_of(quire, "doctor"))
    return found.group(1) if found else "unknown"


def surroundings(quire):
    """What the figures depend on."""
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    # Start-up files are always gcc's, so clang comes first.
    comment = output_of("readelf", "-p", ".comment", quire)
    compiler = re.search(r"clang version [\d.]+", comment) or re.search(r"GCC: .*", comment)
    return {"cpu": cpu.group(1) if cpu else "unknown", "cores": len(os.sched_getaffinity(0)), "level": level_of(quire),
            "compiler": compiler.group(0) if compiler else "unknown",
            "quire": output_of(quire, "--version").splitlines()[0],
            "commit": output_of("git", "describe", "--always", "--dirty"),
            "kernel": os.uname().release,
            "load": round(os.getloadavg()[0], 2)}

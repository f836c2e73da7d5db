"""What programs cost, and the table that says so."""

import json
import os
import pathlib
import statistics
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OCTODNS = ["octodns==1.22.0", "octodns-bind==1.1.0"]


class Cost:
    """What one execution took."""

    def __init__(self, command, cwd=None, environment=None):
        self.output = pathlib.Path(cwd or ".", "output.txt")
        with self.output.open("wb") as out:
            child = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
            )
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        self.status = child.returncode
        self.cpu = usage.ru_utime + usage.ru_stime
        self.rss = usage.ru_maxrss / 1024

    def text(self):
        return self.output.read_text(errors="replace")


class Bars:
    """The table that is printed, and whether all of it is as it should be."""

    def __init__(self):
        self.kept = True
        print(f"{'workload':34} {'what':30} {'value':>11} {'bar':>11}")

    def show(self, workload, what, value, unit="", bar=None):
        verdict = ""
        if bar is not None:
            verdict = f"{f'<= {bar:.4g}{unit}':>11} {'kept' if value <= bar else 'MISSED'}"
            self.kept &= value <= bar
        print(f"{workload:34} {what:30} {f'{value:.4g}{unit}':>11} {verdict}".rstrip(), flush=True)

    def agree(self, workload, program, found, expected):
        if found != expected:
            self.kept = False
            print(f"{workload:34} {program} found {found}, not {expected}", flush=True)


def build(*targets):
    """Builds everything for release; returns the programs by name."""
    built = subprocess.run(
        ["cargo", "build", "--release", "--locked", "--workspace", "--bins", "--lib", *targets,
         "--message-format=json-render-diagnostics"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE,
    )
    messages = map(json.loads, built.stdout.splitlines())
    return {
        message["target"]["name"]: message["executable"]
        for message in messages if message.get("executable")
    }


def zones(work, kind, count):
    """The directory of zones that `generate` makes up; once made, they stay."""
    directory = work / f"{kind}-{count}"
    if not (directory / "done").exists():
        subprocess.run([HERE / "generate", kind, str(count), directory], check=True)
        (directory / "done").touch()
    return directory


def found_by_janitor(cost):
    """Additions, updates and deletions out of the last line of a plan."""
    totals = cost.text().strip().rsplit("\n", 1)[-1].rpartition(": ")[2]
    words = totals.replace(",", "").split()
    numbers = {noun.rstrip("s"): int(number) for number, noun in zip(words[::2], words[1::2]) if number.isdigit()}
    return tuple(numbers.get(noun, 0) for noun in ("addition", "update", "deletion"))


def found_by_octodns(cost):
    counts = [0, 0, 0]
    for line in cost.text().splitlines():
        if "Summary: " in line:
            pairs = dict(pair.split("=") for pair in line.partition("Summary: ")[2].split(", "))
            for index, name in enumerate(("Creates", "Updates", "Deletes")):
                counts[index] += int(pairs[name])
    return tuple(counts)


def medians(costs):
    return statistics.median(cost.cpu for cost in costs), max(cost.rss for cost in costs)


def ratio(ours, theirs):
    return statistics.median(our.cpu / their.cpu for our, their in zip(ours, theirs))

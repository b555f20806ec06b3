"""Runs both libraries in turn, workload by workload, and prints the ratio of their medians: over 1, Rushlight is faster."""

import argparse
import json
import math
import platform
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.chart import chart
from benchmarks.footprint import import_seconds, installed_size
from benchmarks.workloads import WORKLOADS

WORKER = Path(__file__).parent / "worker.py"
# How many threads a group of workloads gets.
THREADS = {"overhead": 1, "training": 1, "replays": 1, "transforms": 1, "small layers": 1, "pieces": 1, "kernels": 2, "layers": 2}


class Worker:
    """A process that has one of the libraries imported and waits for requests."""

    def __init__(self, python, library):
        self.process = subprocess.Popen([python, str(WORKER), library], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.version = json.loads(self.process.stdout.readline() or "{}").get("version")
        if self.version is None:
            raise SystemExit(f"{python} cannot import {library}")

    def ask(self, **request):
        print(json.dumps(request), file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["times"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(theirs, ours, name, *, turns, seconds):
    """The medians of both, in seconds per call, from turns that alternate so that a slow moment of the machine falls on both."""
    request = dict(workload=name, threads=THREADS[name.split(":")[0]], seconds=seconds)
    samples = ([], [])
    for turn in range(turns):
        for side, worker in ((0, theirs), (1, ours)) if turn % 2 == 0 else ((1, ours), (0, theirs)):
            samples[side].extend(worker.ask(**request))
    return tuple(map(statistics.median, samples))


def duration(seconds):
    for unit, scale in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def measure(options, names):
    theirs, ours = Worker(options.torch_python, "torch"), Worker(options.python, "rushlight")
    print(f"PyTorch {theirs.version}, Rushlight {ours.version}, {platform.python_implementation()} {platform.python_version()}")
    print(f"{'workload':44}{'PyTorch':>10}{'Rushlight':>11}{'ratio':>8}")
    results = {}
    for name in names:
        try:
            a, b = compare(theirs, ours, name, turns=options.turns, seconds=options.seconds)
        except RuntimeError as error:
            print(f"{name:44} {error}")
            continue
        results[name] = {"torch": a, "rushlight": b, "ratio": a / b}
        print(f"{name:44}{duration(a):>10}{duration(b):>11}{a / b:8.2f}", flush=True)
    theirs.close()
    ours.close()
    for group in THREADS:
        ratios = [result["ratio"] for name, result in results.items() if name.startswith(group + ":")]
        if ratios:
            print(f"{group + ', geometric mean of ' + str(len(ratios)):44}{geometric_mean(ratios):29.2f}")
    return results


def measure_footprint(options):
    pairs = {"torch": options.torch_python, "rushlight": options.python}
    result = {}
    for library, python in pairs.items():
        sizes = installed_size(python, library)
        result[library] = {"import": import_seconds(python, library), "bytes": sizes}
        parts = ", ".join(f"{name} {size / 1e6:.1f}" for name, size in sizes.items())
        print(f"{library}: import {duration(result[library]['import'])}, installed {sum(sizes.values()) / 1e6:.1f} MB ({parts})")
    return result


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--torch-python", default=sys.executable, help="the interpreter that has PyTorch (this one by default)")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has Rushlight (this one by default)")
    parser.add_argument("--only", default="", help="only the workloads whose names contain this (`footprint` is one)")
    parser.add_argument("--turns", type=int, default=6, help="turns of each library at each workload")
    parser.add_argument("--seconds", type=float, default=0.1, help="length of a turn")
    parser.add_argument("--json", type=Path, help="writes the numbers to this file")
    parser.add_argument("--picture", type=Path, help="writes a chart of the ratios to this file (SVG)")
    options = parser.parse_args()

    names = [name for name in WORKLOADS if options.only in name]
    result = {"workloads": measure(options, names) if names else {}}
    if options.only in "footprint":
        result["footprint"] = measure_footprint(options)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.picture and result["workloads"]:
        ratios = {name: entry["ratio"] for name, entry in result["workloads"].items()}
        for group, each in (("small layers", "one small layer"), ("pieces", "one piece"), ("overhead", "one small op")):
            many = {name: ratio for name, ratio in ratios.items() if name.startswith(f"{group}:")}
            if many:
                # The picture shows what is small as the one number that sums it up.
                mean = {f"{group}: {each}, mean of {len(many)}": geometric_mean(many.values())}
                ratios = mean | {name: ratio for name, ratio in ratios.items() if name not in many}
        options.picture.write_text(chart(ratios), encoding="utf-8")


if __name__ == "__main__":
    main()

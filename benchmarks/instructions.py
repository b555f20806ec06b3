"""How many instructions one call of each workload takes, counted by callgrind: counts do not mind a busy machine, and see one in a thousand.

    python -m benchmarks.instructions --only pieces --json before.json
    python -m benchmarks.instructions --only pieces --against before.json
    python -m benchmarks.instructions --only "overhead: mul" --functions 30

What a call of an empty function takes is taken off. Needs valgrind with its headers, and a C compiler. The names of functions are there in
builds that are not stripped (a developer's; its core is as users have it with `-Csetup-args=-Dcore_optimization=2`).
"""

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from benchmarks.workloads import WORKLOADS

COUNTER = Path(__file__).with_name("counter.py")
COUNTED = ("overhead", "training", "pieces")
NOTHING = "nothing"
CALLS = 40


def build(folder):
    """Compiles the module that switches counting on and off."""
    include = sysconfig.get_path("include")
    source = Path(__file__).with_name("callgrind.c")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", f"-I{include}", source, "-o", Path(folder) / "callgrind.so"], check=True)


def counts(python, library, names, functions=0):
    """Instructions of one call of each workload; with `functions`, prints the costliest of each besides."""
    with tempfile.TemporaryDirectory() as folder:
        build(folder)
        out = Path(folder) / "out"
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no", f"--callgrind-out-file={out}"]
        command += [python, COUNTER, folder, str(CALLS), library, *names]
        environment = {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise SystemExit(done.stderr)
        found = {}
        for file in Path(folder).glob("out.*"):
            name = total = None
            for line in file.read_text(errors="replace").splitlines():
                if line.startswith("desc: Trigger: Client Request: "):
                    name = line.removeprefix("desc: Trigger: Client Request: ")
                elif line.startswith(("summary:", "totals:")):
                    total = int(line.split()[1])
            if name is not None:
                found[name] = total / CALLS
                if functions and name != NOTHING:
                    print_functions(name, file, functions)
    base = found.pop(NOTHING)
    return {name: round(found[name] - base) for name in names}


def print_functions(name, file, most):
    """Instructions a call of the functions of one workload that take most, their own alone."""
    report = subprocess.run(
        ["callgrind_annotate", "--threshold=100", file], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    start = next(i for i, line in enumerate(report) if "file:function" in line) + 2
    print(name)
    for line in report[start : start + most]:
        amount, _, where = line.strip().partition(" ")
        print(f"{float(amount.replace(',', '')) / CALLS:10.0f}  {where.split(')', 1)[-1].strip()}")


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="workloads (all of the small groups by default)")
    parser.add_argument("--only", default="", help="only the workloads whose names contain this")
    parser.add_argument("--library", default="rushlight", help="rushlight or torch")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has it (this one by default)")
    parser.add_argument(
        "--functions", type=int, default=0, metavar="N", help="prints the N costliest functions of each workload too"
    )
    parser.add_argument("--json", type=Path, help="writes the counts to this file")
    parser.add_argument("--against", type=Path, help="prints those of this file beside")
    options = parser.parse_args()
    names = options.names or [n for n in WORKLOADS if n.startswith(tuple(f"{g}:" for g in COUNTED)) and options.only in n]
    before = json.loads(options.against.read_text()) if options.against else {}
    found = counts(options.python, options.library, names, options.functions)
    for name, count in found.items():
        print(f"{name:44}{count:12,}" + (f"{before[name]:12,}{count / before[name]:8.3f}" if name in before else ""))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

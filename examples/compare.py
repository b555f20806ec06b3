"""Runs the examples with Rushlight and with PyTorch in turn, and prints the table of README.md: medians of the times of their loops.
Each has one thread: threads that wait for each other would be compared as well, and these tensors are small.

    python examples/compare.py --torch-python PYTHON [--rounds 3] [NAME …]

PYTHON is an interpreter that has PyTorch, Matplotlib and tqdm; Rushlight is run by the one that runs this.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
NAMES = ("logistic_regression", "lotka_volterra", "pinn", "pole", "hmc", "maml", "per_sample_gradients")

ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1"}


def run(command, name, picture):
    """Seconds of the example's loop, and the line with its result."""
    command = [*command, str(FOLDER / f"{name}.py"), "--picture", picture]
    out = subprocess.run(command, capture_output=True, text=True, check=True, env=ONE_THREAD).stdout.splitlines()
    (seconds,) = (float(found[1]) for line in out if (found := re.match(r"Took (\S+) s", line)))
    return seconds, next(line for line in out if not line.startswith(("Took", "Picture")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch-python", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("names", nargs="*", default=NAMES)
    options = parser.parse_args()
    print("| example | PyTorch 2.13 | Rushlight | ratio | result with PyTorch | with Rushlight |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.names:
            theirs, ours = [], []
            for _ in range(options.rounds):
                theirs.append(run([options.torch_python], name, f"{folder}/theirs.png"))
                ours.append(run([sys.executable, "-m", "rushlight"], name, f"{folder}/ours.png"))
            theirs, ours = (sorted(times)[len(times) // 2] for times in (theirs, ours))
            ratio = theirs[0] / ours[0]
            row = f"| [{name}]({name}.py) | {theirs[0]:.2f} s | {ours[0]:.2f} s | {ratio:.1f} | {theirs[1]} | {ours[1]} |"
            print(row, flush=True)


if __name__ == "__main__":
    main()

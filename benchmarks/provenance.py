"""What remembering the user's line costs: its share of the instructions of a recorded multiplication, counted by valgrind.

    python -m benchmarks.provenance

Counts are exact where times are noise. The names of functions are needed: measure a developer's build, which is not stripped. What is
multiplied are results, so that nothing is made for leaves; making the product and freeing it again is the whole.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# The function of the core that finds the user's line, which each recorded op calls once.
RECORDER = "rl_user_code"
LIMIT = 0.05
PROGRAM = """
import sys
import rushlight as torch
x, y = (torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True) * 1 for _ in range(2))
for _ in range(int(sys.argv[1])):
    x * y
"""


def count(calls):
    """Instructions of the whole program with so many multiplications, and of the recorder with all that it calls."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind.out"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", sys.executable, "-c", PROGRAM, str(calls)]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        report = subprocess.run(
            ["callgrind_annotate", "--inclusive=yes", "--threshold=100", str(out)], check=True, capture_output=True, text=True
        ).stdout
    rows = {}
    for line in report.splitlines():
        found = re.match(r"\s*([\d,]+)\s.*?(?:PROGRAM TOTALS|:(\w+)\b)", line)
        if found:
            rows.setdefault(found[2], int(found[1].replace(",", "")))
    if RECORDER not in rows:
        raise SystemExit(f"valgrind saw no function {RECORDER}: is this build stripped?")
    return rows[None], rows[RECORDER]


def main():
    # Once for nothing, so that no run counted compiles Python files.
    subprocess.run([sys.executable, "-c", PROGRAM, "1"], check=True)
    few, many = 2000, 12000
    (total_few, recorder_few), (total_many, recorder_many) = count(few), count(many)
    total, recorder = (total_many - total_few) / (many - few), (recorder_many - recorder_few) / (many - few)
    print(f"x * y with recording: {total:.0f} instructions, {recorder:.0f} of them for the line: {recorder / total:.1%}")
    if recorder > LIMIT * total:
        raise SystemExit(f"more than {LIMIT:.0%}")


if __name__ == "__main__":
    main()

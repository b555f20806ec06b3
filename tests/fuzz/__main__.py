"""Random programs, or random wrong calls, beside PyTorch, with the counts of what differs that may only fall.

python -m tests.fuzz programs             compares with PyTorch, counts, and fails where more differ than tests/fuzz/limits.json says
python -m tests.fuzz calls
python -m tests.fuzz calls --alone        without PyTorch: looks for crashes alone, say under the sanitizers
python -m tests.fuzz replays              programs as compiled functions, called with other values, beside themselves as they are written
"""

import argparse
import collections
import faulthandler
import json
import resource
import sys
from pathlib import Path

from tqdm import tqdm

import rushlight

from .compare import difference, run, same_exception
from .grammar import Program, WrongCall, templates
from .replays import check as replays_of

LIMITS = Path(__file__).parent / "limits.json"


def parsed():
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("programs", "calls", "replays"))
    parser.add_argument("--first", type=int, help="the first seed (default: as in limits.json)")
    parser.add_argument("--count", type=int, help="how many (default: as in limits.json)")
    parser.add_argument("--alone", action="store_true", help="run on Rushlight alone")
    parser.add_argument("--show", type=int, default=20, help="how many differences to print")
    parser.add_argument("--current", type=Path, help="a file that has the program that runs now, for what a crash leaves behind")
    return parser.parse_args()


def replayed(first, count, options):
    every, calls, differ = templates(), 0, 0
    for seed in tqdm(range(first, first + count), disable=None, unit="program"):
        lines = Program(seed, every).lines
        if options.current:
            options.current.write_text("\n".join(lines))
        replays, difference = replays_of(lines)
        calls += bool(replays)
        if difference is not None:
            differ += 1
            if differ <= options.show:
                tqdm.write(f"seed {seed}: {difference}")
    print(f"replays {first} to {first + count - 1}: {calls} programs were replayed, {differ} differ")
    return bool(differ) or 2 * calls < count


def main():
    options = parsed()
    limits = json.loads(LIMITS.read_text())[options.what]
    as_recorded = options.first is None and options.count is None
    first = limits["first"] if options.first is None else options.first
    count = limits["count"] if options.count is None else options.count
    faulthandler.enable()
    torch = None
    if options.what == "replays":
        return replayed(first, count, options)
    if not options.alone:
        import torch

        torch.set_num_threads(1)
        # Some calls ask for gigabytes: both sides are to refuse. (Sanitizers reserve more than that.)
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    make = Program if options.what == "programs" else WrongCall
    every = templates()
    counts, shown = collections.Counter(), 0
    for seed in tqdm(range(first, first + count), disable=None, unit=options.what[:-1]):
        lines = make(seed, every).lines
        if options.current:
            options.current.write_text("\n".join(lines))
        found = run(rushlight, lines)
        if torch is None:
            continue
        wanted = run(torch, lines)
        if options.what == "programs":
            differs = difference(lines, found, wanted)
            counts["same" if differs is None else differs[0]] += 1
            text = differs and f"{differs[0]}, seed {seed}: {differs[1]}\n    {differs[2]}"
        else:
            same = same_exception(found, wanted)
            counts["accepted" if same is None else "same" if same else "differ"] += 1
            text = (
                same is False
                and f"seed {seed}: {lines[-1]}\n    PyTorch {wanted[-1][0]} {wanted[-1][2]}, Rushlight {found[-1][0]} {found[-1][2]}"
            )
        if text and shown < options.show:
            shown += 1
            tqdm.write(text)
    print(f"{options.what} {first} to {first + count - 1}: {dict(counts) or 'no crash'}")
    if torch is None or not as_recorded:
        return 0
    grown = {kind: (counts[kind], most) for kind, most in limits["most"].items() if counts[kind] > most}
    for kind, (now, most) in grown.items():
        print(f"{kind}: {now}, at most {most} before: see tests/fuzz/limits.json")
    for kind, most in limits["most"].items():
        if counts[kind] < most:
            print(f"{kind}: {counts[kind]}, fewer than the {most} in tests/fuzz/limits.json: write that there")
    return bool(grown)


if __name__ == "__main__":
    sys.exit(main())

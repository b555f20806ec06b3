"""What the examples share: their options, a progress bar that is timed, and where pictures go."""

import argparse
import time
from pathlib import Path

import matplotlib
from tqdm import tqdm

matplotlib.use("Agg")
from matplotlib import pyplot

pyplot.rcParams["svg.hashsalt"] = "rushlight"  # the same picture is the same file


def options(program, text):
    """The options of an example: `steps` is None unless it was given."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, help="how long it runs")
    default = Path(program).parent / "pictures" / f"{Path(program).stem}.png"
    parser.add_argument("--picture", type=Path, default=default, help="where the picture goes")
    return parser.parse_args()


def steps(count):
    """Counts with a progress bar, and tells how long it took."""
    start = time.perf_counter()
    yield from tqdm(range(count))
    print(f"Took {time.perf_counter() - start:.3f} s")


def save(figure, path):
    """Writes a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, dpi=80, metadata={"Software": None})
    print(f"Picture: {path}")

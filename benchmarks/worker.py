"""One side of the comparison: imports the library named by its argument, then times what each line on stdin asks for.

A request is a JSON object {"workload", "threads", "seconds"}; the answer is {"times"}, the seconds per call of each sample, or
{"error"}.
The process lives through the whole run, so that both sides keep their caches and pools from workload to workload.
"""

import gc
import importlib
import json
import sys
import time

from workloads import WORKLOADS

SAMPLE = 0.004


class Side:
    """The library under test and the calls that it has prepared."""

    def __init__(self, name):
        self.library = importlib.import_module(name)
        self.name = None

    def prepare(self, name):
        """Makes the call ready, dropping that of the last workload, and finds how often a sample repeats it."""
        self.run, self.name = None, None
        self.run = WORKLOADS[name](self.library)
        self.repeats = 1
        for _ in range(3):
            self.run()
        while (elapsed := self.sample()) < SAMPLE:
            self.repeats = max(2 * self.repeats, int(self.repeats * SAMPLE / max(elapsed, 1e-9) / 2))
        self.name = name

    def sample(self):
        run, repeats = self.run, range(self.repeats)
        start = time.perf_counter()
        for _ in repeats:
            run()
        return time.perf_counter() - start

    def times(self, request):
        """Seconds per call, sample by sample, until the time of this turn is over."""
        self.library.set_num_threads(request["threads"])
        if self.name != request["workload"]:
            self.prepare(request["workload"])
        gc.collect()
        gc.disable()
        end, samples = time.perf_counter() + request["seconds"], []
        while not samples or time.perf_counter() < end:
            samples.append(self.sample() / self.repeats)
        gc.enable()
        return samples


def main():
    side = Side(sys.argv[1])
    print(json.dumps({"version": side.library.__version__}), flush=True)
    for line in sys.stdin:
        try:
            answer = {"times": side.times(json.loads(line))}
        except Exception as error:  # told to the other end, which reports the workload and goes on
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

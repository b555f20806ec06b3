"""Under callgrind, in place of `worker.py`: counts the calls of the workloads named by its arguments, each into a file of its own.

Arguments: the folder that has the compiled `callgrind.c`, how many calls to count, the library, the names of workloads.
"""

import gc
import importlib
import sys

from workloads import WORKLOADS


def main():
    folder, calls, library, *names = sys.argv[1:]
    sys.path.append(folder)
    count = importlib.import_module("callgrind").count
    library = importlib.import_module(library)
    library.set_num_threads(1)
    gc.disable()
    count(lambda: None, int(calls), "nothing")
    for name in names:
        run = WORKLOADS[name](library)
        for _ in range(16):  # (the interpreter specialises what runs often)
            run()
        count(run, int(calls), name)
        del run
        gc.collect()


if __name__ == "__main__":
    main()

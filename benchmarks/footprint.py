"""What a library costs before it computes: the time of its import and the size of its files, with those of what it requires."""

import json
import statistics
import subprocess

SIZE = """
import importlib.metadata as metadata, json, re, sys
seen, waiting = {}, [sys.argv[1]]
while waiting:
    name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
    if name in seen:
        continue
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        continue
    paths = [file.locate() for file in distribution.files or ()]
    seen[name] = sum(path.stat().st_size for path in paths if path.is_file() and path.suffix != ".pyc")
    for line in distribution.requires or ():
        if "extra ==" not in line:
            waiting.append(re.match(r"[\\w.-]+", line)[0])
print(json.dumps(seen))
"""


def installed_size(python, library):
    """Bytes of the files of the distribution and of each one that it requires, by name."""
    run = subprocess.run([python, "-c", SIZE, library], capture_output=True, text=True, check=True, cwd="/")
    return json.loads(run.stdout)


def import_seconds(python, library, *, rounds=7):
    """The median time of a new interpreter that imports the library, less that of one that imports nothing."""

    def run(code):
        program = f"import time; s = time.perf_counter(); {code}; print(time.perf_counter() - s)"
        return float(subprocess.run([python, "-c", program], capture_output=True, text=True, check=True, cwd="/").stdout)

    run(f"import {library}")  # writes bytecode, fills the page cache
    return statistics.median(run(f"import {library}") for _ in range(rounds))

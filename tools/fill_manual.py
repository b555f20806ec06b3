"""Fills in what PyTorch prints for the examples of the manual, and which dtypes its functions take. Needs PyTorch.

    python tools/fill_manual.py

In `rushlight/ops/manual/*.txt` the code of an example is written by hand; the lines below are what PyTorch prints, and so is the line `dtypes:` where
PyTorch's own tests know it.
"""

import contextlib
import io
import re
import warnings
from pathlib import Path

import torch
from torch.testing._internal.common_methods_invocations import op_db

MANUAL = Path(__file__).parents[1] / "rushlight" / "ops" / "manual"
GROUPS = {
    "bool": {torch.bool},
    "integers": {torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64},
    "floats": {torch.float32, torch.float64},
    "halves": {torch.float16, torch.bfloat16},
    "complex": {torch.complex64, torch.complex128},
}


def words_of(dtypes):
    """The groups that are among some dtypes; of what is not there as a whole the dtypes."""
    for word, group in GROUPS.items():
        if group <= dtypes:
            yield word
        else:
            yield from sorted(str(dtype).removeprefix("torch.") for dtype in group & dtypes)


def dtypes():
    """Name -> the dtypes that a function takes, in words."""
    found = {}
    for info in op_db:
        words = " ".join(words_of(set(info.dtypes)))
        for name in (info.name, *(alias.name for alias in info.aliases)):
            found.setdefault(name.replace("_refs.", ""), words)
    return found


def printed(code, names):
    """What the interpreter prints for a statement."""
    with contextlib.redirect_stdout(io.StringIO()) as out, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(code + "\n", "<example>", "single"), names)
        except Exception as error:
            print(f"Traceback (most recent call last):\n{type(error).__name__}: {str(error).splitlines()[0]}")
    # (An empty line would end the example.)
    return [line or "<BLANKLINE>" for line in out.getvalue().rstrip("\n").split("\n")] if out.getvalue() else []


def filled(name, lines, known):
    """The lines of an entry with what is found out."""
    count = next((i for i, line in enumerate(lines) if line.startswith(">>>")), len(lines))
    words = [
        line for line in lines[:count] if re.match(r"\w+: ", line) and (name not in known or not line.startswith("dtypes: "))
    ]
    if known.get(name):
        words.insert(0, f"dtypes: {known[name]}")
    statements = re.findall(r"^>>> .*(?:\n\.\.\. .*)*", "\n".join(lines[count:]), re.MULTILINE)
    names = {"torch": torch}
    out = [
        line for each in statements for line in (each, *printed(re.sub(r"^(>>>|\.\.\.) ", "", each, flags=re.MULTILINE), names))
    ]
    return [f"# {name}", *words, *out]


def main():
    known = dtypes()
    for path in sorted(MANUAL.glob("*.txt")):
        blocks = re.split(r"^# ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        entries = [block.rstrip().split("\n") for block in blocks]
        text = "\n\n".join("\n".join(filled(name, lines, known)) for name, *lines in entries)
        path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

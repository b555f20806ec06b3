"""Runs a text on a package line by line, and says where two packages differ.

A difference is hard where values, dtypes, shapes, kinds of exceptions or what requires gradients differ, or one side refuses; soft where names of
nodes, strides, view-ness, texts or warnings do.
"""

import math
import re
import signal
import warnings

from .values import names_for

TOLERANCE = {"float64": 1e-9, "complex128": 1e-9, "float32": 2e-4, "complex64": 2e-4, "float16": 1e-2, "bfloat16": 5e-2}
SECONDS = 20


class TooSlow(BaseException):
    """A line took too long."""


def stop(*_):
    raise TooSlow


def described(torch, value, depth=0):
    if isinstance(value, torch.Tensor):
        node = value.grad_fn
        soft = (type(node).__name__, value.stride() if value.numel() else (), value._is_view())
        elements = value.detach().flatten().tolist() if value.numel() <= 400 else []
        return ("tensor", str(value.dtype), tuple(value.shape), value.requires_grad), elements, soft
    if isinstance(value, (tuple, list)) and depth < 3:
        items = [described(torch, item, depth + 1) for item in value]
        return ("sequence", *(item[0] for item in items)), [e for item in items for e in item[1]], tuple(i[2] for i in items)
    if isinstance(value, (bool, int, float, complex, str, type(None))):
        return (type(value).__name__, value if isinstance(value, (str, type(None))) else None), [value], ()
    return ("object", type(value).__name__), [], ()


def run(torch, lines):
    """What each line gives: (hard, elements, soft) of what it assigns, or of the error; and its warnings."""
    names = names_for(torch)
    torch.manual_seed(0)
    signal.signal(signal.SIGALRM, stop)
    results = []
    for line in lines:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            signal.alarm(SECONDS)
            try:
                exec(line, names)
                target = re.match(r"\w+", line)[0]
                result = described(torch, names[target])
            except TooSlow:
                result = ("slow",), [], ()
            except Exception as error:
                result = ("error", type(error).__name__), [], (first_line(error),)
            finally:
                signal.alarm(0)
        results.append((*result, sorted({(w.category.__name__, str(w.message)[:50]) for w in warned})))
    return results


def first_line(error):
    return " ".join(re.sub(r"0x[0-9a-f]+", "0x", str(error)).replace("rushlight", "torch").partition("\n")[0].split())


def near(a, b, tolerance, scale):
    if a == b or (a != a and b != b):
        return True
    if isinstance(a, complex) or isinstance(b, complex):
        a, b = complex(a), complex(b)
        return near(a.real, b.real, tolerance, scale) and near(a.imag, b.imag, tolerance, scale)
    if isinstance(a, float) and isinstance(b, float) and math.isfinite(a) and math.isfinite(b):
        return abs(a - b) <= tolerance * (scale + 1e-3)
    return False


def tolerance_of(hard):
    return max((TOLERANCE.get(name, 0) for name in re.findall(r"torch\.(\w+)", str(hard))), default=1e-9)


def same_elements(found, wanted, tolerance):
    scale = max((abs(e) for e in wanted if isinstance(e, (float, complex)) and abs(e) < math.inf), default=0)
    return len(found) == len(wanted) and all(near(a, b, tolerance, scale) for a, b in zip(found, wanted))


def difference(lines, found, wanted):
    """(hardness, line, what) of the first hard difference, else of the first soft one, else None."""
    soft, rough = None, {}
    for line, ours, theirs in zip(lines, found, wanted):
        # What was made of rougher numbers is as rough, whatever its dtype.
        given = [TOLERANCE.get(name, 0) for name in re.findall(r"'(\w+)'", line)]
        given += [rough.get(name, 0) for name in re.findall(r"\w+", line)]
        tolerance = max((tolerance_of(theirs[0]), *given))
        target = re.match(r"\w+", line)[0]
        rough[target] = tolerance
        if ours[0] != theirs[0] or not same_elements(ours[1], theirs[1], tolerance):
            return "hard", line, f"PyTorch {theirs[0]} {theirs[1][:4]} {theirs[2]}, Rushlight {ours[0]} {ours[1][:4]} {ours[2]}"
        if soft is None and (ours[2] != theirs[2] or ours[3] != theirs[3]):
            soft = "soft", line, f"PyTorch {theirs[2]} {theirs[3]}, Rushlight {ours[2]} {ours[3]}"
    return soft


def same_exception(found, wanted):
    """Do the last lines raise the same kind of exception? None where PyTorch raises nothing and neither do we."""
    ours, theirs = found[-1][0], wanted[-1][0]
    ours, theirs = (kind[1] if kind[0] == "error" else None for kind in (ours, theirs))
    return None if ours is None and theirs is None else ours == theirs

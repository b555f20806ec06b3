"""Why a tensor does not require grad."""

import ast

from rushlight import core
from rushlight.core import Tensor
from rushlight.explain import _guess, _source, _watch
from rushlight.explain._causes import CUTS, Answer, cut_details
from rushlight.explain._graph import address_of, is_parameter, living_tensors

WATCH = "(Run the code inside `with explain.watch():` to see the line.)"


def answer(x, name, frame):
    """The Answer for a tensor that does not require grad."""
    found = cut_answer(x, name, frame)
    bound = _source.rebinds(found.line) if found.cause == "no_grad" else None
    if bound is None:
        return found
    likely = "" if found.certain else "most likely "
    details = [
        f"{likely}the name {bound} stands for a new tensor, which this line made with grad mode off; the leaf is the {bound} before it:",
        f"    {_source.shown(found.line)}",
        *found.details[2:],
    ]
    fix = f"write into the leaf instead of giving its name to a new tensor: {bound} -= …, inside the same block"
    return Answer("rebound", found.headline, found.line, details, found.certain, fix)


def cut_answer(x, name, frame):
    """The Answer as the operation shows it that made a tensor."""
    headline = f"{name} does not require grad."
    known = _watch.made(x)
    frozen = [event for event in _watch.events(x) if event.what in ("frozen", "asked for gradients")]
    if frozen and frozen[-1].what == "frozen":
        return Answer("frozen", headline, frozen[-1].line, cut_details("frozen", frozen[-1].line))
    if known is not None and known.op:
        cause, record = cut_in(known)
        return Answer(cause, headline, record.line, cut_details(cause, record.line))
    guess = _guess.cut_of(name, frame) or made_plainly(name, frame) or _guess.asked_late(name, frame)
    if not (x.dtype.is_floating_point or x.dtype.is_complex):
        cause = guess.cause if guess is not None and guess.cause in ("integer", "comparison", "indices") else "integer"
        line = guess.line if guess is not None and guess.cause == cause else None
        headline = f"{name} has dtype {x.dtype.name} and does not require grad: only floating point and complex tensors can."
        return Answer(cause, headline, line, cut_details(cause, line, certain=False) if line else (), not line)
    if is_parameter(x):
        return Answer("frozen", headline, None, cut_details("frozen", None))
    certain = known_to_core(x)
    if certain is not None:
        line = guess.line if guess is not None and guess.cause == certain else None
        details = [CUTS[certain] + (":" if line else "")]
        details += [f"    {_source.shown(line)}"] if line else [WATCH, *filter(None, [_source.without_source(frame)])]
        return Answer(certain, headline, line, details)
    if guess is not None:
        details = cut_details(guess.cause, guess.line, certain=False)
        return Answer(guess.cause, headline, guess.line, [*details[:2], *filter(None, [guess.detail]), *details[2:]], False)
    details = [
        "It was made without requires_grad=True, or from tensors that do not require grad, or with grad mode off,",
        "or cut off by detach(), .data or .item(). Nothing was recorded, so more is not known.",
        WATCH,
        *filter(None, [_source.without_source(frame)]),
    ]
    if not core.is_grad_enabled():
        details.insert(0, "Grad mode is off at this line.")
    return Answer("unknown", headline, None, details, certain=False)


def known_to_core(x):
    """The cause that the tensor itself shows, or None."""
    if x.is_inference():
        return "inference_mode"
    if core.view_creation(x) == "no_grad":
        return "no_grad"
    address = address_of(x)
    if x.numel() == 0:
        return None
    for other in living_tensors():
        if other is not x and other.requires_grad and other.numel() and address_of(other) == address:
            if core.shares_version(other, x):
                return "detached"
            return "data"
    return None


def made_plainly(name, frame):
    """A Guess for a tensor that nobody asked a gradient for: a leaf, or computed from such."""
    found = _source.assignment_of(name, frame)
    if found is None:
        return None
    values = {n: _guess.value_of(n, frame) for n in _guess.names_in(found.value) if n != name}
    tensors = {n: value for n, value in values.items() if isinstance(value, Tensor)}
    if not tensors and isinstance(found.value, ast.Call):
        called = ast.unparse(found.value.func).rpartition(".")[2]
        return _guess.Guess("leaf", found.line) if called in _watch.FACTORIES or called in _guess.COPIES else None
    if tensors and not any(t.requires_grad for t in tensors.values()):
        return _guess.Guess("no_input", found.line, f"That is: {', '.join(tensors)}.")
    return None


def cut_in(record):
    """(cause, the record whose line is to blame) for a watched tensor that does not require grad."""
    seen = set()
    while True:
        seen.add(id(record))
        cause = cause_of(record)
        if cause != "no_input":
            return cause, record
        inner = [r for r in record.inputs if r.op and not r.tracked and id(r) not in seen and cause_of(r) != "leaf"]
        if not inner:
            return cause, record
        record = max(inner, key=depth)


def depth(record):
    """Records that have a cut behind them come before those that have none."""
    waiting, seen = [record], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if cause_of(one) not in ("leaf", "no_input"):
            return 1
        waiting += one.inputs
    return 0


def cause_of(record):
    """Why one watched operation gave a tensor without a graph."""
    if record.op in ("detach", "detach_"):
        return "detached"
    if record.op == "data":
        return "data"
    tracked = any(r.tracked for r in record.inputs)
    if record.op in _watch.FACTORIES:
        return "copied" if record.inputs or record.line in lines_read() else "leaf"
    if not record.op:
        return "leaf"
    if not (record.dtype.is_floating_point or record.dtype.is_complex):
        if record.op in _guess.GIVES:
            return _guess.GIVES[record.op]
        return "integer" if any(r.dtype.is_floating_point for r in record.inputs) else "no_input"
    if tracked and record.inference:
        return "inference_mode"
    if tracked and not record.grad:
        return "no_grad"
    if _guess.GIVES.get(record.op) == "indices":
        return "indices"
    return "no_input"


def lines_read():
    """The lines at which values of watched tensors were read out."""
    return {read.line for read in _watch._reads}

"""When calls of a compiled function are recorded, and done again.

A call that is not known (its arguments are of other kinds, or something that the function reads has changed) runs as it is written, while the core
writes down the kernels that it runs, and `Watch` what Python code. If two such calls did the same, the next one is a replay. What cannot be done
again runs as it is written, always; `explain` says why.
"""

import os
import weakref

import rushlight as torch
from rushlight import core
from rushlight.compiler._reading import Reading, Unreadable, Watch, by_dict

STANCES = ("default", "force_eager", "eager_on_recompile", "fail_on_recompile")
_stance = "default"
_all: weakref.WeakSet = weakref.WeakSet()

LIMIT = 8
"""Recorded calls of a function; what comes after them runs as it is written."""

CHECKED = os.environ.get("RUSHLIGHT_CHECK_REPLAY") == "1"
"""Whether each recorded call is done again at once, and compared with what ran."""

PATIENCE = 5
"""Calls of one kind that are tried."""


class Attempts:
    """What is known of the calls of a function that are not recorded."""

    def __init__(self):
        self.codes: set = set()
        self.counts: dict[core.Key, int] = {}
        self.candidates: dict[core.Key, core.Recorded] = {}
        self.reasons: list[tuple[str, tuple[str, int] | None]] = []
        self.recorded = 0

    def refuse(self, key, reason, place=None, at_once=False):
        """Notes why a call cannot be done again."""
        self.counts[key] = PATIENCE if at_once else self.counts.get(key, 0) + 1
        self.candidates.pop(key, None)
        if (reason, place) not in self.reasons:
            self.reasons.append((reason, place))


def compiled(function):
    """A callable that does what `function` does, by recorded calls where it can."""
    attempts = Attempts()

    def missed(itself, args, keywords, tensors, key):
        return _call(itself, attempts, args, keywords, tensors, key)

    made = core.Compiled(function, missed)
    made.attempts = attempts
    _all.add(made)
    return made


def forget_all():
    """Forgets every recorded call of every function."""
    for each in _all:
        each.forget()
        each.enabled = True
        each.attempts.__init__()


def take_stance(stance):
    """Sets how compiled functions run; returns how they did."""
    global _stance
    before, _stance = _stance, stance
    core.allow_replays(stance != "force_eager")
    return before


def _call(itself, attempts, args, keywords, tensors, key):
    function = itself.function
    if _stance == "fail_on_recompile":
        raise RuntimeError(f"{itself.function} is called as it was not before, and the stance is 'fail_on_recompile'")
    if _stance == "eager_on_recompile":
        return function(*args, **keywords)
    if attempts.counts.get(key, 0) >= PATIENCE or attempts.recorded >= LIMIT or len(attempts.counts) > 4 * LIMIT:
        if not itself.recorded and len(attempts.counts) > LIMIT:
            itself.enabled = False
        return function(*args, **keywords)
    try:
        reading = Reading(attempts.codes, function, args, keywords)
        guards = core.Guards(*by_dict(reading.guards))
    except Unreadable as error:
        attempts.refuse(key, str(error), at_once=True)
        return function(*args, **keywords)
    given = set(map(id, tensors))
    fixed = [x for x in reading.tensors if id(x) not in given]
    before = _kept(tensors + fixed) if CHECKED and key in attempts.candidates else None
    contents = [*map(_contents, args), _contents(keywords)]
    with Watch() as watch:
        result, recorded = core.write_down(function, args, keywords, tensors, fixed)
    if not watch.codes <= attempts.codes:
        # What code runs was not known before: what it reads has been looked at by nobody.
        attempts.codes |= watch.codes
        attempts.counts[key] = attempts.counts.get(key, 0) + 1
    elif watch.codes - reading.read:
        code = min(watch.codes - reading.read, key=lambda code: code.co_firstlineno)
        attempts.refuse(
            key,
            f"it runs {code.co_qualname}, which was not found among what it can reach",
            (code.co_filename, code.co_firstlineno),
        )
    elif watch.reason:
        attempts.refuse(key, *watch.reason)
    elif isinstance(recorded, tuple):
        attempts.refuse(key, *recorded)
    elif not guards.hold():
        attempts.refuse(key, f"it changes what it reads: {_shown(guards.failed)}")
    elif [*map(_contents, args), _contents(keywords)] != contents:
        attempts.refuse(key, "it changes a list or dict that it was given")
    elif _returns_known(result, reading):
        attempts.refuse(key, "it returns a list or dict that was there before")
    elif key in attempts.candidates and recorded.same_as(attempts.candidates.pop(key)):
        if before is not None:
            _check(recorded, args, keywords, tensors, fixed, before, result)
        attempts.counts.pop(key, None)
        attempts.recorded += 1
        itself.add(key, recorded, guards)
    else:
        attempts.counts[key] = attempts.counts.get(key, 0) + 1
        attempts.candidates[key] = recorded
        if attempts.counts[key] >= PATIENCE:
            attempts.refuse(key, "no two of its calls do the same")
    return result


def _returns_known(result, reading):
    """Whether a container in a result is one that the caller knows: a replay makes new ones."""
    if type(result) is list or type(result) is dict:
        if reading.reaches(result):
            return True
    elif type(result) is not tuple:
        return False
    return any(_returns_known(item, reading) for item in (result.values() if type(result) is dict else result))


def _contents(value):
    """Which objects containers have, as something that can be compared."""
    if type(value) in (tuple, list):
        return [id(value), *map(_contents, value)]
    if type(value) is dict:
        return [id(value), *((key, _contents(item)) for key, item in value.items())]
    return id(value)


def _shown(guard):
    kind, owner, key, _ = guard
    return f"{type(owner).__name__} {key if key is not None else kind}"


def _kept(tensors):
    """What a call may change, as it is now: elements and gradients of tensors, the state of the generator."""
    with torch.no_grad():
        grads = [x.grad if x.is_leaf else None for x in tensors]
        return torch.get_rng_state(), [(x.clone(), g, None if g is None else g.clone()) for x, g in zip(tensors, grads)]


def _check(recorded, args, keywords, tensors, fixed, before, result):
    """Does a recorded call again from the state `before` it, and raises where it does not do the same."""
    after = _kept(tensors + fixed)
    _put_back(tensors + fixed, before)
    found = recorded.replay(args, keywords, tensors)
    again = _kept(tensors + fixed)
    _put_back(tensors + fixed, after)
    same = _same(found, result) and _same(again[0], after[0])
    for (x, _, grad), (y, _, wanted) in zip(again[1], after[1]):
        same = same and _same(x, y) and _same(grad, wanted)
    if not same:
        raise AssertionError(f"a replay of {recorded.function} does not do what the function does")


def _put_back(tensors, state):
    torch.set_rng_state(state[0])
    for tensor, (elements, grad, grad_elements) in zip(tensors, state[1]):
        if not core.is_expanded(tensor):
            core.copy_elements(tensor, elements)
        if tensor.is_leaf:
            tensor.grad = grad
            if grad is not None:
                core.copy_elements(grad, grad_elements)


def _same(a, b):
    if isinstance(b, torch.Tensor):
        return (
            isinstance(a, torch.Tensor)
            and (a.dtype, a.shape, a.requires_grad) == (b.dtype, b.shape, b.requires_grad)
            and a.detach().contiguous().view(-1).view(torch.uint8).equal(b.detach().contiguous().view(-1).view(torch.uint8))
        )
    if isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(b, dict):
        return list(a) == list(b) and all(_same(a[key], b[key]) for key in b)
    return a == b or a is b

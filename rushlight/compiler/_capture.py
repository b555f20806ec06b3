"""When calls of a compiled function are recorded, and done again.

A call that is not known (its arguments are of other kinds, or something that the function reads has changed) runs as it is written, while the core
writes down the kernels that it runs, and `Watch` what Python code. If two such calls did the same, the next one is a replay. What cannot be done
again runs as it is written, always; `explain` says why.
"""

import os

from rushlight import core
from rushlight.compiler._reading import Reading, Unreadable, Watch

LIMIT = 8
"""Recorded calls of a function; what comes after them runs as it is written."""

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
    return made


def _call(itself, attempts, args, keywords, tensors, key):
    function = itself.function
    if attempts.counts.get(key, 0) >= PATIENCE or attempts.recorded >= LIMIT or len(attempts.counts) > 4 * LIMIT:
        if not itself.recorded and len(attempts.counts) > LIMIT:
            itself.enabled = False
        return function(*args, **keywords)
    try:
        reading = Reading(attempts.codes, function, args, keywords)
        guards = core.Guards(reading.guards)
    except Unreadable as error:
        attempts.refuse(key, str(error), at_once=True)
        return function(*args, **keywords)
    given = set(map(id, tensors))
    contents = [*map(_contents, args), _contents(keywords)]
    with Watch(attempts.codes) as watch:
        result, recorded = core.write_down(function, args, keywords, tensors, [x for x in reading.tensors if id(x) not in given])
    if watch.codes != attempts.codes:
        # What code runs was not known before: what it reads has been looked at by nobody.
        attempts.codes = watch.codes
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
    elif key in attempts.candidates and recorded.same_as(attempts.candidates.pop(key)):
        attempts.counts.pop(key, None)
        attempts.recorded += 1
        itself.add(key, recorded, reading.guards)
    else:
        attempts.counts[key] = attempts.counts.get(key, 0) + 1
        attempts.candidates[key] = recorded
        if attempts.counts[key] >= PATIENCE:
            attempts.refuse(key, "no two of its calls do the same")
    return result


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


CHECKED = os.environ.get("RUSHLIGHT_CHECK_REPLAY") == "1"

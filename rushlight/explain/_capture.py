"""What a compiled function replays, and why it does not replay the rest."""

import linecache
from collections import Counter
from pathlib import Path

from rushlight.explain._report import Report
from rushlight.nn import Module


def listing(recorded):
    """What runs: (name of the kernel, its operands, line) of each step. An operand is a letter and a number: of `a` those of arguments, of `k` what is
    known besides, of `r` results, of `t` what is in between; `c` are constants."""
    names = {0: "t", 1: "c", -1: "-", -2: "t"}
    for number, (slot, of_gradient) in enumerate(zip(recorded.slots, recorded.grad_slots, strict=True)):
        known = number - recorded.argument_total
        if slot >= 0:
            names[slot] = f"a{number}" if known < 0 else f"k{known}"
        if of_gradient >= 0:
            names[of_gradient] = f"grad of {names[slot]}"
    return [(name, [names.get(slot, f"r{slot}") for slot in slots], line) for name, slots, line in recorded.listing()]


class Capture(Report):
    """The recorded calls of a compiled function, and the reasons for which others were not recorded."""

    def __init__(self, function):
        compiled = function.__dict__.get("compiled") if isinstance(function, Module) else function
        if not hasattr(compiled, "attempts"):
            raise TypeError(f"explain.capture is asked about what torch.compile returns, not about a {type(function).__name__}")
        self.name = getattr(compiled.function, "__name__", type(function).__name__)
        self.replays = compiled.replays
        self.programs = [listing(entry.recorded) for entry in compiled.recorded]
        self.guards = [len(entry.guards) for entry in compiled.recorded]
        self.reasons = list(compiled.attempts.reasons)

    def __str__(self):
        lines = [f"{self.name}: {len(self.programs)} recorded, replayed {self.replays} times"]
        for number, (program, guards) in enumerate(zip(self.programs, self.guards)):
            lines.append(f"call {number}: {len(program)} steps, if {guards} things are as they were")
            before = None
            for name, operands, place in program:
                if place != before:
                    before = place
                    lines.append(f"  {shown(place)}")
                to, *given = operands
                lines.append(f"    {to} = {name}({', '.join(given)})")
        for reason, place in self.reasons:
            lines.append(f"not recorded: {reason}" + (f"\n  {shown(place)}" if place else ""))
        return "\n".join(lines)

    def counts(self):
        """How often each kernel runs, of all recorded calls."""
        return Counter(name for program in self.programs for name, _, _ in program)


def shown(place):
    """A line of the program."""
    if place is None:
        return "(in between)"
    source = linecache.getline(*place).strip()
    return f"{Path(place[0]).name}:{place[1]}" + (f"  {source}" if source else "")


def capture(function):
    """What `torch.compile` made of a function: the kernels that are run again, with the lines that they come from, and why what is not recorded is not.

    Operands are `a0`, `a1`, … of the arguments, `k0`, … of tensors that the function knows besides, `r` of results, `t` in between, and `c` of
    constants.

    >>> import rushlight as torch
    >>> from rushlight import explain
    >>> double = torch.compile(lambda x: 2 * x + 1)
    >>> for _ in range(4):
    ...     _ = double(torch.ones(3))
    >>> sorted(explain.capture(double).counts())
    ['add', 'mul']
    """
    return Capture(function)

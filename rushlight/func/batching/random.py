"""Random numbers under vmap: an error, the same for all examples, or others for each."""

import rushlight as torch
from rushlight import core
from rushlight.core import lined_up, run
from rushlight.func.batching._table import repeated, short_way
from rushlight.func.batching.elementwise import places_of_tensors

IN_ERROR_MODE = (
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' randomness flags on vmap "
    "or perform the randomness operation out of vmap"
)
SAME_OF_BATCH = "Vmap does not currently support same randomness with a batched tensor input. Please file an issue with functorch"
DIFFERENT_IN_PLACE = (
    "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will appear like same randomness. If this is "
    "necessary for your usage, please file an issue with functorch."
)


def check_mode(level):
    if level.randomness == "error":
        raise RuntimeError(IN_ERROR_MODE)


@short_way("draws")
def drawn(op, arguments, batched, size):
    """Stands for the rule of an op that draws: what it does depends on the level, and is up to `call`."""
    raise NotImplementedError(op.name)


def call(level, op, arguments, values, batched, any_batched, mode):
    """An op that draws."""
    check_mode(level)
    if mode == core.MODE_IN_PLACE:
        return call_in_place(level, op, arguments, values, batched)
    if level.randomness == "same":
        if any_batched:
            raise RuntimeError(SAME_OF_BATCH)
        return run(op, tuple(values))
    return core.wrap(level, different(level, op, values, batched), 0)


def different(level, op, values, batched):
    """Other numbers for each example: those of one draw of the whole batch."""
    operands = places_of_tensors(values)
    ndim = max([values[i].ndim - batched[i] for i in operands], default=0)
    if op.declaration.draws == "rows":
        rows = repeated(values[0], batched[0], level.size)
        made = run(op, (rows.reshape(-1, rows.shape[-1]), *values[1:]))
        return made.view(*rows.shape[:-1], made.shape[-1])
    for i in operands:
        if i == 0 or values[i].ndim > batched[i] or batched[i]:
            values[i] = repeated(lined_up(values[i], batched[i], ndim), batched[i], level.size)
    return run(op, tuple(values))


def call_in_place(level, op, arguments, values, batched):
    """Draws into the batch; the same numbers are drawn once and copied."""
    target, others = values[0], any(batched[1:])
    if level.randomness == "same" and others:
        raise RuntimeError(SAME_OF_BATCH)
    if not batched[0]:
        if others:
            from rushlight.func._vmap_level import not_writable

            raise RuntimeError(not_writable(f"inplace {op.name}"))
        if level.randomness == "different":
            raise RuntimeError(DIFFERENT_IN_PLACE)
        run(op, tuple(values), core.IN_PLACE)
        return arguments[0]
    if level.randomness == "same":
        one = core.empty_tensor(target.shape[1:], target.dtype)
        run(op, (one, *values[1:]), core.IN_PLACE)
        target.copy_(one)
        return arguments[0]
    rest = [lined_up(x, flag, target.ndim - 1) if flag else x for x, flag in zip(values[1:], batched[1:], strict=True)]
    run(op, (target, *rest), core.IN_PLACE)
    return arguments[0]


def draw(level, out, kernel, generator, first, second):
    """Draws into a new tensor, of this level or (as no example has been looked at yet) of none."""
    check_mode(level)
    ours = core.is_at(out, level) and out.aspect is not None
    if level.randomness == "same":
        if not ours:
            return core.draw(out, kernel, generator, first, second)
        one = core.empty_like_layout(out.value.select(0, 0)) if level.size else core.empty_tensor(out.shape, out.dtype)
        return core.draw(one, kernel, generator, first, second)
    if kernel.name == "randperm":
        made = [core.draw(core.empty_tensor(out.shape, out.dtype), kernel, generator, first, second) for _ in range(level.size)]
        return core.wrap(level, torch.stack(made), 0)
    if not ours:
        out = core.wrap(level, core.empty_tensor((level.size, *out.shape), out.dtype), 0)
    drawn = core.draw(out.value, kernel, generator, first, second)
    return out if drawn is out.value else core.wrap(level, drawn, 0)

"""Convolutions: a batch of inputs is more samples, a batch of weights more channels, and of both more groups."""

from rushlight.func.batching._table import NoRule, examples, repeated, samples, side_by_side, torch

run = torch.core.run


def convolution(op, arguments, batched, size):
    x, weight, bias, *numbers = arguments
    if bias is not None and batched[2]:
        made = convolution(op, (x, weight, None, *numbers), [*batched[:2], False], size)
        return made + bias.reshape(size, 1, bias.shape[1], *(1,) * (made.dim() - 3))
    if not batched[1]:
        return samples(op, arguments, batched, size) if batched[0] else repeated(run(op, arguments), False, size)
    groups, transposed = numbers[5], numbers[3]
    check(x, batched[0], weight, transposed, groups)
    if not batched[0] and groups == 1:
        # Side by side where the channels of results are.
        weight = side_by_side(weight) if transposed else weight.flatten(0, 1)
    else:
        x, weight, numbers[5] = side_by_side(repeated(x, batched[0], size)), weight.flatten(0, 1), groups * size
    made = run(op, (x, weight, None if bias is None else bias.repeat(size), *numbers))
    return made.unflatten(1, (size, made.shape[1] // size)).movedim(1, 0)


def check(x, is_batched, weight, transposed, groups):
    """Channels that do not fit are the op's to refuse, on an example."""
    channels = examples(x, is_batched)[1:2]
    shape = weight.shape[1:]
    if len(shape) < 3 or channels != (shape[0] if transposed else shape[1] * groups,) or shape[0] % groups:
        raise RuntimeError("the input does not fit the weight")


def weight_gradient(op, arguments, batched, size):
    cotangent, x, kernel, *numbers, groups = arguments
    cotangent, x = repeated(cotangent, batched[0], size), repeated(x, batched[1], size)
    made = run(op, (side_by_side(cotangent), side_by_side(x), kernel, *numbers, groups * size))
    return made.unflatten(0, (size, -1))


def of_steps(op, arguments, batched, size):
    """More samples, where they have the weights in common."""
    x, weight, bias, pad = arguments
    if batched[1] or batched[2]:
        raise NoRule
    return run(op, (side_by_side(x), weight, bias, pad)).unflatten(1, (size, -1)).movedim(1, 0)

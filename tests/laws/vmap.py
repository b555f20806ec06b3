"""vmap of one op against a loop over the batch, on the samples of the laws."""

import rushlight as torch
from rushlight import core
from rushlight.core import run

SIZE = 3


def places_of(arguments):
    """Where tensors stand among the arguments: (parameter, place in a list or None)."""
    found = []
    for index, value in enumerate(arguments):
        if isinstance(value, torch.Tensor):
            found.append((index, None))
        elif isinstance(value, (list, tuple)):
            found += [(index, i) for i, item in enumerate(value) if isinstance(item, torch.Tensor)]
    return found


def get(arguments, place):
    index, item = place
    return arguments[index] if item is None else arguments[index][item]


def put(arguments, places, values):
    """The arguments with some tensors exchanged."""
    changed = [list(value) if isinstance(value, (list, tuple)) and places_of([value]) else value for value in arguments]
    for (index, item), value in zip(places, values, strict=True):
        if item is None:
            changed[index] = value
        else:
            changed[index][item] = value
    return tuple(changed)


def batch_of(tensor, dim):
    """A batch of tensors with the same elements in another order, so that they stay where the op is defined."""
    if tensor.ndim == 0:
        examples = [tensor * (1 - 0.01 * i) if tensor.is_floating_point() else tensor.clone() for i in range(SIZE)]
    else:
        examples = [tensor.flatten().roll(i).reshape(tensor.shape) for i in range(SIZE)]
    return torch.stack(examples, dim)


def results_of(op, arguments):
    result = run(op, arguments)
    return [result] if isinstance(result, torch.Tensor) else list(result)


def looped(op, arguments, places, batches, dim):
    """The results of each example, stacked."""
    examples = zip(*[batch.unbind(dim) for batch in batches], strict=True)
    results = [results_of(op, put(arguments, places, values)) for values in examples]
    return [torch.stack(parts) for parts in zip(*results, strict=True)]


def batched(op, arguments, places, batches, dim):
    """The results of vmap."""

    def of_example(*values):
        return tuple(results_of(op, put(arguments, places, values)))

    return list(torch.vmap(of_example, in_dims=dim)(*batches))


def weights(tensor, salt):
    """Numbers to contract a result with."""
    made = (torch.arange(tensor.numel(), dtype=torch.float64) * 0.7548776662466927 + salt) % 1 - 0.4
    return made.reshape(tensor.shape).to(tensor.dtype)


def contracted(results):
    """A number that depends on every differentiable result; None where there is none."""
    total = None
    for i, result in enumerate(results):
        if result.requires_grad:
            part = (result * weights(result, 0.3 + i)).sum()
            part = part.real + part.imag if part.is_complex() else part
            total = part if total is None else total + part
    return total


def inner_gradient(op, arguments, places):
    """The gradient of an op as a function of one example."""

    def of_example(*values):
        tracked = [core.require_grad_of_new(value.detach()) for value in values]
        total = contracted(results_of(op, put(arguments, places, tracked)))
        return tuple(torch.autograd.grad(total, tracked))

    return of_example

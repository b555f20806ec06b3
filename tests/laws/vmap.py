"""vmap of one op against a loop over the batch, on the samples of the laws."""

import rushlight as torch
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


def put(arguments, place, value):
    index, item = place
    changed = list(arguments)
    if item is None:
        changed[index] = value
    else:
        changed[index] = [value if i == item else kept for i, kept in enumerate(arguments[index])]
    return changed


def examples_of(tensor):
    """Tensors with the same elements in another order, so that they stay where the op is defined."""
    if tensor.ndim == 0:
        if not tensor.is_floating_point():
            return [tensor.clone() for _ in range(SIZE)]
        return [tensor * (1 - 0.01 * i) for i in range(SIZE)]
    return [tensor.flatten().roll(i).reshape(tensor.shape) for i in range(SIZE)]


def tensors_of(result):
    return [result] if isinstance(result, torch.Tensor) else list(result)


def looped(op, arguments, place, examples):
    """The results of each example, stacked."""
    results = [tensors_of(run(op, tuple(put(arguments, place, example)))) for example in examples]
    return [torch.stack(parts) for parts in zip(*results, strict=True)]


def batched(op, arguments, place, batch, dim):
    """The results of vmap."""

    def of_example(example):
        return tuple(tensors_of(run(op, tuple(put(arguments, place, example)))))

    return list(torch.func.vmap(of_example, in_dims=dim)(batch))


def weights(tensor, salt):
    """Numbers to contract a result with."""
    count = tensor.numel()
    made = ((torch.arange(count, dtype=torch.float64) * 0.7548776662466927 + salt) % 1 - 0.4).reshape(tensor.shape)
    return made.to(tensor.dtype)


def contracted(results):
    """A number that depends on every differentiable result."""
    total = None
    for i, result in enumerate(results):
        if result.requires_grad:
            part = (result * weights(result, 0.3 + i)).sum()
            part = part.real + part.imag if part.is_complex() else part
            total = part if total is None else total + part
    return total

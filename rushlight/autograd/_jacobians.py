"""Jacobians for gradcheck: by differences and by differentiation, whole or as products with random vectors.

All of them have a row for each element of an input and a column for each element of an output. For a complex input with real and imaginary
parts x and y, an entry is d/dx + i d/dy of a real output, which is what backward gives.
"""

import itertools

import rushlight as torch
from rushlight.autograd import forward_ad
from rushlight.autograd.engine import grad


def as_tuple(value):
    """One thing or several, as a tuple."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def is_number_tensor(value):
    """Is it a tensor of floating point or complex numbers?"""
    return isinstance(value, torch.Tensor) and (value.is_floating_point() or value.is_complex())


def tracked(inputs):
    """The inputs that require grad."""
    return tuple(x for x in inputs if isinstance(x, torch.Tensor) and x.requires_grad)


def recorded(outputs):
    """The outputs that require grad."""
    return tuple(out for out in as_tuple(outputs) if out.requires_grad)


# ---------------------------------------------------------------------------------------------------------------- by differences
def check_same_kind(before, after, eps, index=None):
    """A function may not return another shape or dtype for slightly different inputs."""
    where = "" if index is None else f" on index {index}"
    start = f"Expected `func` to return outputs with the same {{}} when inputs are perturbed{where} by {eps}, but got: {{}}s {{}} and {{}}."
    if before.shape != after.shape:
        raise AssertionError(start.format("shape", "shape", before.shape, after.shape))
    if before.dtype != after.dtype:
        raise AssertionError(start.format("dtype", "dtype", before.dtype, after.dtype))


def values_of(function, inputs):
    """What a function returns, as copies that the next call cannot overwrite."""
    return tuple(out.detach().clone() for out in as_tuple(function(*inputs)))


def differences(function, inputs, change, eps, index=None):
    """Central differences of all outputs; `change(sign)` moves the inputs, `change(0)` puts them back."""
    change(-1)
    below = values_of(function, inputs)
    change(1)
    above = values_of(function, inputs)
    change(0)
    for a, b in zip(below, above):
        check_same_kind(a, b, eps, index)
    return tuple((b - a) / (2 * eps) for a, b in zip(below, above))


def directions(x):
    """1, and for complex inputs i too: what an element is moved along."""
    return (1, 1j) if x.is_complex() else (1,)


def numerical_jacobian(function, inputs, x, outputs, eps):
    """For each output the Jacobian with respect to the input `x`, by central differences element by element."""
    memory = x.data
    rows = [[] for _ in outputs]
    for index in itertools.product(*map(range, x.shape)):
        value = memory[index].item()

        def change(sign, direction, index=index, value=value):
            memory[index] = value + sign * eps * direction if sign else value

        found = [differences(function, inputs, lambda s, d=d: change(s, d), eps, index) for d in directions(x)]
        for place in range(len(outputs)):
            slope = found[0][place] if len(found) == 1 else found[0][place] + 1j * found[1][place]
            rows[place].append(slope.reshape(-1))
    return tuple(
        torch.stack(row) if row else torch.zeros((0, out.numel()), dtype=jacobian_dtype(x, out))
        for row, out in zip(rows, outputs)
    )


def jacobian_dtype(x, out):
    """Complex if the input is."""
    return torch.promote_types(x.dtype, out.dtype) if x.is_complex() else out.dtype


def numerical_product(function, inputs, x, u, eps):
    """For each output the Jacobian times the vector `u`; of a complex input, times u[0] and times i·u[1], separately."""
    memory, value = x.data, x.data.clone()
    found = []
    for vector, direction in zip(u if isinstance(u, tuple) else (u,), (1, 1j)):
        step = (vector * direction).reshape(x.shape)
        found.append(
            differences(function, inputs, lambda s, step=step: memory.copy_(value + s * eps * step if s else value), eps)
        )
    if len(found) == 1:
        return tuple(slope.reshape(-1) for slope in found[0])
    return tuple((a.reshape(-1), b.reshape(-1)) for a, b in zip(*found))


# ---------------------------------------------------------------------------------------------------------------- by backward
def backward_rows(inputs, out, cotangents):
    """For each input the gradients for each cotangent of one output."""
    wanted = tracked(inputs)
    rows = [[] for _ in wanted]
    for cotangent in cotangents:
        for row, g, x in zip(rows, grad(out, wanted, cotangent, retain_graph=True, allow_unused=True), wanted):
            row.append(torch.zeros_like(x) if g is None else g.detach().clone())
    return rows


def unit_cotangents(out):
    """One cotangent for each element of an output."""
    for place in range(out.numel()):
        cotangent = torch.zeros(out.shape, dtype=out.dtype)
        cotangent.view(-1)[place] = 1
        yield cotangent


def analytical_jacobian(inputs, out, nondet_tol):
    """For each input the Jacobian of one output by backward, and whether a second backward gave the same within `nondet_tol`."""
    first = backward_rows(inputs, out, unit_cotangents(out))
    again = backward_rows(inputs, out, unit_cotangents(out))
    same = not any(a.numel() and (a - b).abs().max().item() > nondet_tol for x, y in zip(first, again) for a, b in zip(x, y))
    jacobians = tuple(
        torch.stack([g.reshape(-1) for g in row], dim=1) if row else torch.zeros((x.numel(), 0), dtype=x.dtype)
        for row, x in zip(first, tracked(inputs))
    )
    sizes = all(g.shape == x.shape for row, x in zip(first, tracked(inputs)) for g in row)
    dtypes = all(g.dtype == x.dtype for row, x in zip(first, tracked(inputs)) for g in row)
    return jacobians, same, sizes, dtypes


# ---------------------------------------------------------------------------------------------------------------- by forward mode
def as_duals(inputs, tangents):
    """The inputs with tangents for those that require grad: {place: tangent}, zeros for the others. A tangent of None is none at all."""
    return tuple(
        x
        if not (isinstance(x, torch.Tensor) and x.requires_grad)
        else x.detach()
        if (tangent := tangents[place] if place in tangents else torch.zeros_like(x)) is None
        else forward_ad.make_dual(x.detach(), tangent)
        for place, x in enumerate(inputs)
    )


def tangents_of(outputs):
    """For each output of floating point or complex numbers its tangent, or None."""
    return tuple(forward_ad.unpack_dual(out).tangent for out in as_tuple(outputs) if is_number_tensor(out))


def forward_product(function, inputs, wanted, tangent):
    """For each output its tangent (zeros if it has none), for a tangent of the one input `wanted`."""
    with forward_ad.dual_level():
        duals = as_duals(inputs, {place: tangent for place, x in enumerate(inputs) if x is wanted})
        pairs = [forward_ad.unpack_dual(out) for out in as_tuple(function(*duals)) if is_number_tensor(out)]
        return tuple(torch.zeros_like(p.primal) if p.tangent is None else p.tangent for p in pairs)


def forward_jacobian(function, inputs, x, outputs):
    """For each output the Jacobian with respect to the input `x` by forward mode."""
    rows = [[] for _ in outputs]
    for place in range(x.numel()):
        tangent = torch.zeros(x.shape, dtype=x.dtype)
        tangent.view(-1)[place] = 1
        for row, slope in zip(rows, forward_product(function, inputs, x, tangent)):
            row.append(slope.reshape(-1).clone())
    return tuple(torch.stack(row) if row else torch.zeros((0, out.numel()), dtype=out.dtype) for row, out in zip(rows, outputs))


# ---------------------------------------------------------------------------------------------------------------- random vectors
def unit_vector(x, generator, real=False):
    """A random vector of norm 1 with an element for each of x's."""
    if x.is_complex() and not real:
        vector = torch.complex(unit_vector(x, generator, True), unit_vector(x, generator, True))
    else:
        dtype = {torch.complex64: torch.float32, torch.complex128: torch.float64}.get(x.dtype, x.dtype)
        vector = torch.rand(x.numel(), generator=generator).to(dtype)
    return vector / vector.norm()


def random_vectors(inputs, outputs, forward):
    """For each input the vector(s) to move it along, and for each output (in reverse mode) the cotangent."""
    generator = torch.Generator()
    moves = []
    for x in inputs:
        move = unit_vector(x, generator, True)
        moves.append((move, unit_vector(x, generator, True)) if x.is_complex() and not forward else move)
    return moves, None if forward else [unit_vector(out, generator) for out in outputs]

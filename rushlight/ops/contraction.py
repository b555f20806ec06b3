"""Sums of products over named dimensions: einsum, tensordot, cross and Kronecker products."""

import functools
import math

import rushlight as torch
from rushlight import core
from rushlight.core import Tensor
from rushlight.ops._declare import composite, op
from rushlight.ops._matrices import check_number_kind
from rushlight.ops._rules import not_implemented
from rushlight.ops.matmul import conjugate, into
from rushlight.ops.shape import _unsafe_view

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ELLIPSIS = "..."


# ---------------------------------------------------------------------------------------------------------------- the equation
def read_subscripts(text, start, place):
    """The labels of one operand or of the output: letters, at most one of them ELLIPSIS. `start` is where `text` begins in
    the equation, `place` says whose labels they are in errors."""
    labels, i = [], 0
    while i < len(text):
        character = text[i]
        if character == ".":
            if ELLIPSIS in labels:
                raise RuntimeError(f"einsum(): found '.' for {place} for which an ellipsis was already found")
            if text[i : i + 3] != ELLIPSIS:
                remark = " (...)" if place == "output" else ""
                raise RuntimeError(f"einsum(): found '.' for {place} that is not part of any ellipsis{remark}")
            labels.append(ELLIPSIS)
            i += 3
            continue
        if character != " ":
            if character not in LETTERS:
                raise RuntimeError(
                    f"einsum(): invalid subscript given at index {start + i} in the equation string, subscripts must be in "
                    "[a-zA-Z]"
                )
            labels.append(character)
        i += 1
    return labels


def read_equation(equation, count):
    """The labels of each of `count` operands, and those of the output (None where the equation does not say)."""
    left, arrow, right = equation.partition("->")
    pieces, inputs, start = left.split(","), [], 0
    for place, piece in enumerate(pieces):
        if place >= count:
            raise RuntimeError("einsum(): fewer operands were provided than specified in the equation")
        inputs.append(read_subscripts(piece, start, f"operand {place}"))
        start += len(piece) + 1
    if len(pieces) < count:
        raise RuntimeError("einsum(): more operands were provided than specified in the equation")
    output = read_subscripts(right, len(left) + 2, "output") if arrow else None
    return inputs, output


def from_lists(arguments):
    """The equation and operands of einsum(x, [0, 1], y, [1, 2], [0, 2])."""

    def text(labels):
        parts = []
        for label in labels:
            if label is Ellipsis:
                parts.append(ELLIPSIS)
            elif 0 <= label < len(LETTERS):
                parts.append(LETTERS[label])
            else:
                raise ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)")
        return "".join(parts)

    pairs = len(arguments) // 2
    equation = ",".join(text(arguments[2 * i + 1]) for i in range(pairs))
    if len(arguments) % 2:
        equation += "->" + text(arguments[-1])
    return equation, [arguments[2 * i] for i in range(pairs)]


def hidden_dims(labels, rank, place):
    """How many dimensions of an operand its ellipsis stands for."""
    named = len(labels) - (ELLIPSIS in labels)
    if ELLIPSIS in labels:
        if named > rank:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({named}) is more than the number of dimensions ({rank}) "
                f"for operand {place}"
            )
    elif named != rank:
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({named}) does not match the number of dimensions ({rank}) for "
            f"operand {place} and no ellipsis was given"
        )
    return rank - named


def output_labels(inputs, output):
    """The labels of the result; by default those that occur once, in alphabetical order, behind the ellipsis."""
    every = [label for labels in inputs for label in labels]
    if output is None:
        once = sorted(label for label in set(every) if label != ELLIPSIS and every.count(label) == 1)
        return ([ELLIPSIS] if ELLIPSIS in every else []) + once
    for place, label in enumerate(output):
        if label == ELLIPSIS:
            continue
        if label in output[:place]:
            raise RuntimeError(f"einsum(): output subscript {label} appears more than once in the output")
        if label not in every:
            raise RuntimeError(f"einsum(): output subscript {label} does not appear in the equation for any input operand")
    return output


def alignment(labels, rank, positions, width, total):
    """How an operand gets every dimension of the whole problem: (label, dim, dim) of diagonals to take, how many dimensions of
    size 1 to append, and the permutation after that. `width` is how many dimensions an ellipsis stands for at most."""
    order, diagonals, seen, dim = [-1] * total, [], {}, 0
    hidden = rank - len(labels) + 1
    for label in labels:
        if label == ELLIPSIS:
            first = positions[ELLIPSIS] + width - hidden
            for k in range(hidden):
                order[first + k] = dim + k
            dim += hidden
        elif label in seen:
            diagonals.append((label, seen[label], dim))
        else:
            seen[label] = order[positions[label]] = dim
            dim += 1
    missing = [position for position in range(total) if order[position] < 0]
    for k, position in enumerate(missing):
        order[position] = dim + k
    return diagonals, len(missing), order


@functools.lru_cache(maxsize=512)
def plan(equation, ranks):
    """What einsum does, as far as it depends on the equation and the operands' numbers of dimensions: how to align each operand,
    how many dimensions stay, how many there are, and the label of each."""
    inputs, output = read_equation(equation, len(ranks))
    width = max(hidden_dims(labels, rank, place) for place, (labels, rank) in enumerate(zip(inputs, ranks)))
    output = output_labels(inputs, output)
    positions, total = {}, 0
    for label in output:
        positions[label] = total
        total += width if label == ELLIPSIS else 1
    kept = total
    # In ASCII the ellipsis comes before the letters, and capitals before small ones, as is wanted.
    for label in sorted({label for labels in inputs for label in labels} - positions.keys()):
        positions[label] = total
        total += width if label == ELLIPSIS else 1
    names = {position: label for label, position in positions.items()}
    steps = [alignment(labels, rank, positions, width, total) for labels, rank in zip(inputs, ranks)]
    return steps, kept, total, names


def align(x, place, diagonals, missing, order):
    """An operand in the form that `alignment` says."""
    for label, first, dim in diagonals:
        if x.size(first) != x.size(dim):
            raise RuntimeError(
                f"einsum(): subscript {label} is repeated for operand {place} but the sizes don't match, {x.size(dim)} != "
                f"{x.size(first)}"
            )
        x = x.diagonal(0, first, dim).movedim(-1, first)
    for _ in range(missing):
        x = x.unsqueeze(-1)
    return x.permute(order)


def one_form(args):
    """The arguments of einsum as (equation, operand, operand, …), whether the operands came in a list or with lists of numbers for labels."""
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts list"
        )
    if isinstance(args[0], Tensor):
        equation, operands = from_lists(args)
    else:
        equation, operands = args[0], args[1:]
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = operands[0]
    return equation, *operands


@composite(method=False)
def einsum(*args):
    """Sum of products by Einstein's convention: labels that the output lacks are summed over.

    `einsum("ij,jk->ik", a, b)` is the product of two matrices; "..." stands for dimensions that broadcast; without "->" the
    output has the labels that occur once, in alphabetical order. Operands are multiplied from left to right, each pair as a
    batch of matrix products.

    >>> import rushlight
    >>> rushlight.einsum("ii", rushlight.eye(3))
    tensor(3.)
    """
    equation, *operands = one_form(args)
    for place, x in enumerate(operands):
        if not isinstance(x, Tensor):
            handled = core.dispatch_torch_function(einsum, operands, (equation, *operands), {}, True)
            if handled is not NotImplemented:
                return handled
            raise TypeError(f"expected Tensor as element {place} in argument 1, but got {type(x).__name__}")
    if len(operands) == 2 and not core.is_recorded(operands):
        made = product_of_two(equation, *operands)
        if made is not None:
            return made
    steps, kept, total, names = plan(equation, tuple([x.dim() for x in operands]))
    aligned = [align(x, place, *steps[place]) for place, x in enumerate(operands)]
    shapes = [x.shape for x in aligned]
    if shapes.count(shapes[0]) != len(shapes):
        check_broadcast(shapes, names)
    return contract(aligned, kept, total)


einsum.as_handed = one_form  # (subclasses, and what traces a program, see the one form)


# ---------------------------------------------------------------------------------------------------------------- the short way
def product_of_two(equation, a, b):
    """einsum of two operands of which nothing is recorded, where that is one batch of matrix products; None where it is not."""
    batched = core.batch_of((a, b))
    if batched is not None:
        level, values, flags = batched
        try:
            made = core.outside_of(level, einsum_of_batch, equation, values, flags, level.size)
        except RuntimeError:
            return None  # the error speaks of an example
        return core.wrap(level, made, 0)
    found = recipe(equation, tuple(a.shape), tuple(b.shape))
    if found is None:
        return None
    swapped, order_a, matrices_a, order_b, matrices_b, sizes, back = found
    if swapped:
        a, b = b, a
    made = a.permute(order_a).reshape(matrices_a).bmm(b.permute(order_b).reshape(matrices_b)).view(sizes)
    return made if back is None else made.permute(back)


def einsum_of_batch(equation, values, flags, size):
    """einsum of the examples of a batch; `flags` says which operands have one."""
    spread = [x if flag else x.expand((size, *x.shape)) for x, flag in zip(values, flags, strict=True)]
    return einsum(with_batch(equation, len(flags)), *spread)


@functools.lru_cache(maxsize=512)
def with_batch(equation, count):
    """The equation of a batch: a label more in front of every operand and of the result."""
    inputs, output = read_equation(equation, count)
    label = next((letter for letter in LETTERS if letter not in equation), None)
    if label is None:
        raise RuntimeError("every label is in use")
    return ",".join([label + "".join(labels) for labels in inputs]) + "->" + label + "".join(output_labels(inputs, output))


def swaps(only_a, only_b):
    """Whether the product comes out in order if its factors change places."""
    return only_a and only_b and only_b[-1] < only_a[0]


def swapped_equation(equation):
    """The equation with its two operands exchanged."""
    inputs, output = read_equation(equation, 2)
    return ",".join(["".join(labels) for labels in reversed(inputs)]) + "->" + "".join(output_labels(inputs, output))


@functools.lru_cache(maxsize=512)
def recipe(equation, shape_a, shape_b):
    """The permutations and sizes by which two operands of these shapes become matrices, and their product the result."""
    steps, kept, _, _ = plan(equation, (len(shape_a), len(shape_b)))
    orders, sizes = [], []
    for shape, (diagonals, missing, order) in zip((shape_a, shape_b), steps, strict=True):
        if diagonals:
            return None
        padded = shape + (1,) * missing
        orders.append(order)
        sizes.append([padded[d] for d in order])
    both, only_a, only_b, summed = [], [], [], []
    for d, (m, n) in enumerate(zip(*sizes, strict=True)):
        if 1 not in (m, n) and m != n:
            return None
        if d >= kept:
            if (m == 1) != (n == 1):
                return None
            summed.append(d)
        else:
            (both if m != 1 and n != 1 else only_a if m != 1 else only_b).append(d)
    if not summed:
        return None
    if swaps(only_a, only_b):
        return (True, *recipe(swapped_equation(equation), shape_b, shape_a)[1:])
    batch, m = math.prod([sizes[0][d] for d in both]), math.prod([sizes[0][d] for d in only_a])
    k, n = math.prod([sizes[0][d] for d in summed]), math.prod([sizes[1][d] for d in only_b])
    result = both + only_a + only_b
    back = [result.index(d) for d in range(kept)]
    return (
        False,
        [d for d in [orders[0][d] for d in both + only_a + summed + only_b] if d < len(shape_a)],
        (batch, m, k),
        [d for d in [orders[1][d] for d in both + summed + only_b + only_a] if d < len(shape_b)],
        (batch, k, n),
        [max(sizes[0][d], sizes[1][d]) if 0 not in (sizes[0][d], sizes[1][d]) else 0 for d in result],
        None if back == list(range(kept)) else back,
    )


def check_broadcast(shapes, names):
    """Sizes of one label are equal, or 1."""
    for d, sizes in enumerate(zip(*shapes)):
        size = 1
        for place, other in enumerate(sizes):
            if other != 1:
                if size not in (1, other):
                    label = names.get(d, ELLIPSIS)
                    subject = f"dimension {d}" if label == ELLIPSIS else f"subscript {label}"
                    raise RuntimeError(
                        f"einsum(): {subject} has size {other} for operand {place} which does not broadcast with previously seen "
                        f"size {size}"
                    )
                size = other


def contract(operands, kept, total):
    """The product of aligned operands, summed over the dimensions from `kept` on, each as soon as no later operand has it."""
    if len(operands) == 1:
        return operands[0].sum(list(range(kept, total))) if kept < total else operands[0]
    waiting = [sum([size != 1 for size in sizes]) for sizes in zip(*[x.shape for x in operands])]
    result = operands[0]
    for x in operands[1:]:
        together, alone_a, alone_b = [], [], []
        sizes_a, sizes_b = result.shape, x.shape
        for d in range(kept, total):
            if sizes_a[d] != 1 and sizes_b[d] != 1:
                waiting[d] -= 1
                if waiting[d] == 1:
                    together.append(d)
                    waiting[d] = 0
            elif waiting[d] == 1 and sizes_a[d] != sizes_b[d]:
                (alone_a if sizes_a[d] != 1 else alone_b).append(d)
                waiting[d] = 0
        if alone_a:
            result = result.sum(alone_a, True)
        if alone_b:
            x = x.sum(alone_b, True)
        result = sum_of_products(result, x, together)
    return result.view(result.shape[:kept]) if kept < total else result


def sum_of_products(a, b, summed):
    """a * b summed over dimensions that both have, as a batch of matrix products; the dimensions stay, of size 1."""
    if not summed:
        return a * b
    sizes_a, sizes_b = a.shape, b.shape
    both, only_a, only_b = [], [], []
    batch = m = k = n = 1
    for d, (p, q) in enumerate(zip(sizes_a, sizes_b)):
        if d in summed:
            k *= p
        elif p != 1 and q != 1:
            both.append(d)
            batch *= p
        elif p != 1:
            only_a.append(d)
            m *= p
        else:
            only_b.append(d)
            n *= q
    if swaps(only_a, only_b):
        return sum_of_products(b, a, summed)
    order = both + only_a + summed + only_b
    left = a.permute(order).reshape(batch, m, k)
    right = b.permute(both + summed + only_b + only_a).reshape(batch, k, n)
    back = [0] * len(order)
    for place, d in enumerate(order):
        back[d] = place
    sizes = [1 if d in summed else sizes_b[d] if sizes_a[d] == 1 else sizes_a[d] for d in order]
    return left.bmm(right).view(sizes).permute(back)


# ---------------------------------------------------------------------------------------------------------------- tensordot
@composite(method=False, signature=None)
def tensordot(a, b, dims=2, out=None):
    """Sums of products over pairs of dimensions: the last `dims` of `a` with the first of `b`, or dims=(those of a, those of b).

    Args:
        a: the first tensor.
        b: the second.
        dims: how many dimensions, or which of each.
        out: the tensor that the result is written into.

    >>> import rushlight
    >>> rushlight.tensordot(rushlight.ones(2, 3), rushlight.ones(3, 4), 1).shape
    torch.Size([2, 4])
    """
    if not (isinstance(a, Tensor) and isinstance(b, Tensor)):
        handled = core.dispatch_torch_function(tensordot, (a, b), (a, b), {"dims": dims, "out": out}, True)
        if handled is not NotImplemented:
            return handled
    if isinstance(dims, Tensor):
        if dims.numel() > 1 and dims.size(0) != 2:
            raise AssertionError(f"dims tensor must have size 2 in first dimension, got {dims.size(0)}")
        dims = dims.tolist() if dims.numel() > 1 else int(dims.item())
    if isinstance(dims, (tuple, list)):
        dims_a, dims_b = ([d] if isinstance(d, int) else list(d) for d in dims)
    else:
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims_a, dims_b = list(range(-dims, 0)), list(range(dims))
    if len(dims_a) != len(dims_b):
        raise RuntimeError("both dimension lists should have same length")
    if a.dtype is not b.dtype:
        raise RuntimeError("both inputs should have same dtype")
    for m, n in zip(dims_a, dims_b):
        size_a, size_b = a.size(m), b.size(n)
        if size_b == 1 and size_a != 1:
            a = a.sum(m, True, dtype=a.dtype)
        elif size_a == 1 and size_b != 1:
            b = b.sum(n, True, dtype=b.dtype)
        elif size_a != size_b:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {size_a} in dim {m} and second has size {size_b} in "
                f"dim {n}"
            )
    dims_a, dims_b = distinct(dims_a, a), distinct(dims_b, b)
    free_a = [d for d in range(a.dim()) if d not in dims_a]
    free_b = [d for d in range(b.dim()) if d not in dims_b]
    inner = math.prod(a.size(d) for d in dims_a)
    sizes_a, sizes_b = [a.size(d) for d in free_a], [b.size(d) for d in free_b]
    left = a.permute(free_a + dims_a).reshape(math.prod(sizes_a), inner)
    right = b.permute(dims_b + free_b).reshape(inner, math.prod(sizes_b))
    made = left.mm(right).reshape(sizes_a + sizes_b)
    return made if out is None else into("tensordot", out, made)


def distinct(dims, x):
    """Non-negative dimensions, each named once."""
    found = []
    for d in dims:
        d = d % x.dim()
        if d in found:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
        found.append(d)
    return found


# ---------------------------------------------------------------------------------------------------------------- cross products
def check_cross(a, b, dim):
    """Both are vectors of three elements along `dim`."""
    if a.dim() != b.dim():
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if a.size(dim) != 3 or b.size(dim) != 3:
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got {a.size(dim)} and {b.size(dim)}")
    if a.dtype.name == "bool":
        raise not_implemented("cross", a.dtype)
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected scalar type {a.dtype.legacy_name} but found {b.dtype.legacy_name}")


def cross_tangent(a_t, b_t, a, b, dim):
    """The jvp of a product of vectors."""
    if a_t is None:
        return linalg_cross(a, b_t, dim=dim)
    return linalg_cross(a_t, b, dim=dim) if b_t is None else linalg_cross(a_t, b, dim=dim) + linalg_cross(a, b_t, dim=dim)


@op(
    vjp={
        "a": lambda g, b, dim: linalg_cross(conjugate(b), g, dim=dim),
        "b": lambda g, a, dim: linalg_cross(g, conjugate(a), dim=dim),
    },
    jvp=cross_tangent,
    method=False,
    namespace="internal",
    batch="reduction.along_two",
)
def linalg_cross(a, b, *, dim=-1):
    """Cross products of the vectors along `dim`; the other dimensions broadcast."""
    check_cross(a, b, dim)
    (a1, a2, a3), (b1, b2, b3) = a.unbind(dim), b.unbind(dim)
    return torch.stack([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1], dim)


@composite(namespace="linalg", method=False, name="cross")
def cross_along(input, other, *, dim=-1, out=None):
    """Cross products of the vectors along `dim`; the other dimensions broadcast.

    >>> import rushlight
    >>> rushlight.linalg.cross(rushlight.tensor([1, 0, 0]), rushlight.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    return linalg_cross(input, other, dim=dim) if out is None else linalg_cross(input, other, dim=dim, out=out)


@composite
def cross(input, other, dim=None, *, out=None):
    """Cross products along `dim`: by default the first dimension of size 3 (linalg.cross takes the last dimension)."""
    if dim is None:
        core.warn_once(
            "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or simply use "
            "torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross in a future release."
        )
        dim = next((d for d, size in enumerate(input.shape) if size == 3), None)
        if dim is None:
            raise RuntimeError("no dimension of size 3 in input")
    return cross_along(input, other, dim=dim, out=out)


@composite(namespace="linalg", method=False)
def vecdot(x, y, *, dim=-1, out=None):
    """Sums over `dim` of products of the elements of two tensors, the first one's conjugated.

    >>> import rushlight
    >>> rushlight.linalg.vecdot(rushlight.ones(2, 3), rushlight.ones(3))
    tensor([3., 3.])
    """
    check_number_kind("linalg.vecdot", x)
    if x.dtype is not y.dtype:
        raise RuntimeError(
            f"linalg.vecdot: Expected x and y to have the same dtype, but found x of type {x.dtype.legacy_name} and y of type "
            f"{y.dtype.legacy_name} instead"
        )
    made = torch.vdot(x, y) if x.dim() == 1 and y.dim() == 1 else (conjugate(x) * y).sum(dim)
    return made if out is None else into("linalg_vecdot", out, made)


@composite
def kron(input, other, *, out=None):
    """The Kronecker product."""
    ndim = max(input.ndim, other.ndim)
    a, b = ((1,) * (ndim - x.ndim) + tuple(x.shape) for x in (input, other))
    product = input.reshape([size for n in a for size in (n, 1)]) * other.reshape([size for n in b for size in (1, n)])
    sizes = [m * n for m, n in zip(a, b)]
    made = _unsafe_view(product if core.can_view(product, sizes) else product.contiguous(), sizes)
    return made if out is None else core.written_out("kron", out, made)

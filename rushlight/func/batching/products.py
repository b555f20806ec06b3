"""Products of matrices and vectors: a batched factor makes one larger product where it can, and a batch of products else."""

import rushlight.ops.matmul as products
from rushlight.core import lined_up
from rushlight.func.batching._table import refusal, repeated, samples, short_way, torch

run = torch.core.run
scaled = products.scaled


def require(condition, text):
    """Errors are raised here in any words: the op itself then says its own on an example."""
    if not condition:
        raise RuntimeError(text)


def require_dims(name, a, a_batched, b, b_batched, wanted):
    """The factors of a product have as many dimensions as it wants; PyTorch's text of it speaks of a batch."""
    found = (a.ndim - a_batched, b.ndim - b_batched)
    if found != wanted:
        raise refusal(
            f"Shape mismatch: Got incorrect dims for {name}(a, b). a has dim {found[0]}and b has dim {found[1]}but expected them to have "
            f"dim {wanted[0]} and dim {wanted[1]}"
        )


@short_way("product")
def mm(op, arguments, batched, size):
    a, b = arguments
    require_dims("mm", a, batched[0], b, batched[1], (2, 2))
    require(a.shape[-1] == b.shape[-2] and a.dtype is b.dtype, "matrices of other shapes or dtypes")
    return torch.core.product_of_batch(a, b, batched[0] | batched[1] << 1, size)


def bmm(op, arguments, batched, size):
    a, b = arguments
    require_dims(op.name, a, batched[0], b, batched[1], (3, 3))
    require(a.shape[-3] == b.shape[-3] and a.shape[-1] == b.shape[-2], "batches of other shapes")
    return samples(op, arguments, batched, size, (0, 1))


@short_way("vectors")
def mv(op, arguments, batched, size):
    matrix, vector = arguments
    require_dims(op.name, matrix, batched[0], vector, batched[1], (2, 1))
    if not batched[0]:
        return vector.mm(matrix.t())
    if not batched[1]:
        return mm(op, (matrix, vector.unsqueeze(1)), batched, size).squeeze(2)
    return matrix.bmm(vector.unsqueeze(2)).squeeze(2)


def dot(op, arguments, batched, size):
    a, b = arguments
    if a.ndim - batched[0] != 1 or b.ndim - batched[1] != 1:
        raise refusal("Got wrong shapes for dot")
    require(a.shape[-1] == b.shape[-1], "no vectors of one length")
    require(a.dtype is b.dtype, "other dtypes")
    if batched[0] and batched[1]:
        return a.unsqueeze(1).bmm(b.unsqueeze(2)).view(size)
    return a.mv(b) if batched[0] else b.mv(a)


def vdot(op, arguments, batched, size):
    return dot(op, (products.conjugate(arguments[0]), arguments[1]), batched, size)


def added(x, x_batched, product, ndim, beta, alpha, size):
    """beta * x + alpha * product, for products whose examples have `ndim` dimensions."""
    product = scaled(product, alpha)
    if beta == 0:
        return repeated(product, product.ndim > ndim, size)
    return scaled(lined_up(x, x_batched, ndim), beta) + product


def plus(rule, alone, ndim, summed=False):
    """The rule of an op that adds a product (that of `alone`, by its `rule`), whose examples have `ndim` dimensions, to something."""

    def of_sum(op, arguments, batched, size):
        x, a, b, beta, alpha = arguments
        # (The product may have no batch, where only the other term has one.)
        product = rule(alone, (a, b), batched[1:3], size) if batched[1] or batched[2] else alone(a, b)
        product = product.sum(-3, dtype=a.dtype) if summed else product
        require(x.dtype is product.dtype and x.ndim - batched[0] <= ndim, "other dtypes or dimensions")
        return added(x, batched[0], product, ndim, beta, alpha, size)

    return of_sum


baddbmm, addbmm = plus(bmm, products.bmm, 3), plus(bmm, products.bmm, 2, summed=True)
addmm = short_way("added product")(plus(mm, products.mm, 2))
addmv = short_way("added vectors")(plus(mv, products.mv, 1))


def addr(op, arguments, batched, size):
    x, a, b, beta, alpha = arguments
    require(a.ndim - batched[1] == 1 and b.ndim - batched[2] == 1, "no vectors")
    pairs = a.unsqueeze(-1) * b.unsqueeze(-2)
    if pairs.dtype is torch.bool:
        pairs = pairs if alpha else torch.zeros_like(pairs)
        return pairs | lined_up(x, batched[0], 2) if beta else repeated(pairs, pairs.ndim > 2, size)
    return added(x, batched[0], pairs, 2, beta, alpha, size)


def trilinear(op, arguments, batched, size):
    x1, weight, x2 = arguments
    if not batched[1]:
        return samples(op, arguments, batched, size, (0, 2))
    x1, x2 = repeated(x1, batched[0], size), repeated(x2, batched[2], size)
    return torch.einsum("bni,boij,bnj->bno", x1, weight, x2)

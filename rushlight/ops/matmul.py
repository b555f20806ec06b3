"""Products of matrices and vectors."""

import math

import rushlight as torch
from rushlight import core
from rushlight.ops._declare import Declaration, composite, namespaces, op, register
from rushlight.ops._outputs import check_out
from rushlight.ops._rules import c_name, in_place
from rushlight.ops.broadcasting import broadcast_two


def product(kernel, kind, *, adds=False, vjp, fused=None, **facts):
    """Declares a product: `kind` is what core/drivers/product.pxi computes, `adds` whether a multiple of a tensor is added to it, `fused` what
    computes rules of `vjp` for plain real numbers."""

    def declare(body):
        declared = Declaration(body, **facts)
        rules = [declared.rule(parameter, rule) for parameter, rule in vjp.items()]
        for rule, parameter in zip(rules, vjp):
            if fused is not None and parameter in fused:
                rule.fuse(fused[parameter], True)
        made = declared.make(core.ProductOp, rules, tuple(range(3 if adds else 2)))
        made.configure(kernel, kind, adds)
        return register(made, **{"inplace": adds, **declared.placement})

    return declare


def plus_product(factors, more=""):
    """The signatures of a multiple of a tensor plus one of the product of `factors`."""
    return (
        f"deprecated Number beta, Tensor input, Number alpha, {factors}, *, out | deprecated Number beta, Tensor input, {factors}, *, out | "
        f"Tensor input, {factors}, *, Number beta=1, Number alpha=1, out{more}"
    )


# ---------------------------------------------------------------------------------------------------------------- rules
def adjoint(x):
    """The conjugate transpose of a matrix or of a batch of them."""
    x = x.t() if x.dim() == 2 else x.transpose(1, 2)
    return x.conj() if x.is_complex() else x


def conjugate(x):
    """The conjugate; a real tensor itself."""
    return x.conj() if x.is_complex() else x


def scaled(x, factor):
    """factor * x, without work where the factor is 1."""
    return x if type(factor) is int and factor == 1 else x * factor


def conjugate_scaled(g, factor):
    """The cotangent of what was multiplied by a number."""
    return scaled(g, factor.conjugate() if isinstance(factor, complex) else factor)


def mat1_gradient(g, mat1_column_major, mat2, alpha):
    """The cotangent of mat1, column-major where mat1 is: what was transposed for the product leaves row-major."""
    factor = mat2.conj() if mat2.is_complex() else mat2
    made = factor.mm(g.t()).t() if mat1_column_major else g.mm(factor.t())
    return made if alpha == 1 else conjugate_scaled(made, alpha)


def mat2_gradient(g, mat1, mat2_column_major, alpha):
    """The cotangent of mat2, column-major where mat2 is (say, a layer's weight, transposed)."""
    factor = mat1.conj() if mat1.is_complex() else mat1
    made = g.t().mm(factor).t() if mat2_column_major else factor.t().mm(g)
    return made if alpha == 1 else conjugate_scaled(made, alpha)


def two_factors(multiply):
    """The jvp of a product of two tensors, of which one may have no tangent."""

    def tangent(a_t, b_t, a, b):
        if a_t is None:
            return multiply(a, b_t)
        return multiply(a_t, b) if b_t is None else multiply(a_t, b) + multiply(a, b_t)

    return tangent


def sum_of_tangents(terms):
    """The sum of the terms that are there."""
    terms = [term for term in terms if term is not None]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def added_tangent(multiply):
    """The jvp of beta * x + alpha * (a @ b)."""

    def tangent(x_t, a_t, b_t, x, a, b, beta, alpha):
        shape = multiply(a, b).shape if x_t is not None else None
        return sum_of_tangents(
            [
                None if x_t is None else scaled(x_t, beta).expand(shape),
                None if a_t is None else scaled(multiply(a_t, b), alpha),
                None if b_t is None else scaled(multiply(a, b_t), alpha),
            ]
        )

    return tangent


# ---------------------------------------------------------------------------------------------------------------- products
@product(
    "gemm",
    "matrices",
    vjp={
        "x": lambda g, x_column_major, mat2: mat1_gradient(g, x_column_major, mat2, 1),
        "mat2": lambda g, x, mat2_column_major: mat2_gradient(g, x, mat2_column_major, 1),
    },
    fused={"x": core.mat1_gradient, "mat2": core.mat2_gradient},
    jvp=lambda x_t, mat2_t, x, mat2: two_factors(torch.mm)(x_t, mat2_t, x, mat2),
    batch="products.mm",
    flat="product",
    signature="Tensor input, Tensor mat2, *, out | function Tensor input, Tensor mat2, dtype out_dtype, *, out",
)
def mm(x, mat2):
    """Product of two matrices.

    >>> import rushlight
    >>> rushlight.mm(rushlight.tensor([[1., 2.]]), rushlight.tensor([[3.], [4.]]))
    tensor([[11.]])
    """


namespaces["torch"].update(spmm=mm, dsmm=mm)  # mm itself, in errors too


@product(
    "bgemm",
    "batches",
    vjp={
        "x": lambda g, mat2: g.bmm(adjoint(mat2)),
        "mat2": lambda g, x: adjoint(x).bmm(g),
    },
    jvp=lambda x_t, mat2_t, x, mat2: two_factors(torch.bmm)(x_t, mat2_t, x, mat2),
    batch="products.bmm",
    flat="product",
    signature="Tensor input, Tensor mat2, *, out | function Tensor input, Tensor mat2, dtype out_dtype, *, out",
)
def bmm(x, mat2):
    """Products of the matrices of two batches, pair by pair."""


@product(
    "gemm",
    "matrix_vector",
    vjp={
        "x": lambda g, vec: g.outer(conjugate(vec)),
        "vec": lambda g, x: adjoint(x).mv(g),
    },
    jvp=lambda x_t, vec_t, x, vec: two_factors(torch.mv)(x_t, vec_t, x, vec),
    batch="products.mv",
    flat="product",
)
def mv(x, vec):
    """Product of a matrix and a vector."""


@product(
    "dot",
    "dot",
    vjp={
        "x": lambda g, tensor: g * conjugate(tensor),
        "tensor": lambda g, x: g * conjugate(x),
    },
    jvp=lambda x_t, tensor_t, x, tensor: two_factors(torch.dot)(x_t, tensor_t, x, tensor),
    batch="products.dot",
    flat="product",
    out_text="result dtype {out} does not match input dtype {result}",
)
def dot(x, tensor):
    """Sum of the products of two vectors' elements."""


@product(
    "vdot",
    "dot",
    vjp={
        "x": lambda g, other: conjugate(g) * other,
        "other": lambda g, x: g * x,
    },
    jvp=lambda x_t, other_t, x, other: two_factors(torch.vdot)(x_t, other_t, x, other),
    batch="products.vdot",
    out_text="result dtype {out} does not match input dtype {result}",
)
def vdot(x, other):
    """Sum of the products of two vectors' elements, the first one's conjugated."""


@product(
    "gemm",
    "matrices",
    adds=True,
    vjp={
        "x": lambda g, beta: g if beta == 1 else conjugate_scaled(g, beta),
        "mat1": mat1_gradient,
        "mat2": mat2_gradient,
    },
    fused={"mat1": core.mat1_gradient, "mat2": core.mat2_gradient},
    jvp=lambda x_t, mat1_t, mat2_t, x, mat1, mat2, beta, alpha: added_tangent(torch.mm)(
        x_t, mat1_t, mat2_t, x, mat1, mat2, beta, alpha
    ),
    batch="products.addmm",
    flat="product",
    signature=plus_product(
        "Tensor mat1, Tensor mat2",
        " | function Tensor input, Tensor mat1, Tensor mat2, dtype out_dtype, *, Number beta=1, Number alpha=1, out",
    ),
)
def addmm(x, mat1, mat2, *, beta=1, alpha=1):
    """beta * x + alpha * (mat1 @ mat2); `x` broadcasts. Where beta is 0, `x` is not read (its NaN does not matter)."""


@product(
    "bgemm",
    "batches",
    adds=True,
    vjp={
        "x": lambda g, beta: conjugate_scaled(g, beta),
        "batch1": lambda g, batch2, alpha: conjugate_scaled(g.bmm(adjoint(batch2)), alpha),
        "batch2": lambda g, batch1, alpha: conjugate_scaled(adjoint(batch1).bmm(g), alpha),
    },
    jvp=lambda x_t, batch1_t, batch2_t, x, batch1, batch2, beta, alpha: added_tangent(torch.bmm)(
        x_t, batch1_t, batch2_t, x, batch1, batch2, beta, alpha
    ),
    batch="products.baddbmm",
    flat="product",
    signature=plus_product(
        "Tensor batch1, Tensor batch2",
        " | function Tensor input, Tensor batch1, Tensor batch2, dtype out_dtype, *, Number beta=1, Number alpha=1, out",
    ),
)
def baddbmm(x, batch1, batch2, *, beta=1, alpha=1):
    """beta * x + alpha * bmm(batch1, batch2); `x` broadcasts."""


@product(
    "gemm",
    "matrix_vector",
    adds=True,
    vjp={
        "x": lambda g, beta: conjugate_scaled(g, beta),
        "mat": lambda g, vec, alpha: conjugate_scaled(g.outer(conjugate(vec)), alpha),
        "vec": lambda g, mat, alpha: conjugate_scaled(adjoint(mat).mv(g), alpha),
    },
    jvp=lambda x_t, mat_t, vec_t, x, mat, vec, beta, alpha: added_tangent(torch.mv)(x_t, mat_t, vec_t, x, mat, vec, beta, alpha),
    batch="products.addmv",
    flat="product",
    inplace="function",
    signature=plus_product("Tensor mat, Tensor vec"),
)
def addmv(x, mat, vec, *, beta=1, alpha=1):
    """beta * x + alpha * (mat @ vec)."""


def batches_summed(x, batch1, batch2, beta, alpha):
    """beta * x + alpha * (the sum of bmm(batch1, batch2) over the batches), as one product of matrices."""
    # What the result's size is read from (IndexError for missing dimensions), and `x` is expanded to first.
    x.expand((batch1.size(1), batch2.size(2)))
    for name, batch in (("batch1", batch1), ("batch2", batch2)):
        if batch.dim() != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    if batch1.size(0) != batch2.size(0):
        raise RuntimeError(f"batch1 and batch2 must have same number of batches, got {batch1.size(0)} and {batch2.size(0)}")
    if batch1.size(2) != batch2.size(1):
        raise RuntimeError(
            f"Incompatible matrix sizes for bmm ({batch1.size(1)}x{batch1.size(2)} and {batch2.size(1)}x{batch2.size(2)})"
        )
    if x.dtype.itemsize == 2 and x.is_floating_point() and batch1.size(0):
        # Halves are rounded after each product, as PyTorch's are.
        for one, other in zip(batch1, batch2):
            x, beta = torch.addmm(x, one, other, beta=beta, alpha=alpha), 1
        return x
    left = batch1.transpose(0, 1).reshape(batch1.size(1), -1) if batch1.numel() else batch1.new_zeros((batch1.size(1), 0))
    right = batch2.reshape(-1, batch2.size(2)) if batch2.numel() else batch2.new_zeros((0, batch2.size(2)))
    return torch.addmm(x, left, right, beta=beta, alpha=alpha)


@op(
    vjp={
        "x": lambda g, beta: conjugate_scaled(g, beta),
        "batch1": lambda g, batch2, alpha: conjugate_scaled(
            g.unsqueeze(0).expand(batch2.size(0), *g.shape).bmm(adjoint(batch2)), alpha
        ),
        "batch2": lambda g, batch1, alpha: conjugate_scaled(
            adjoint(batch1).bmm(g.unsqueeze(0).expand(batch1.size(0), *g.shape)), alpha
        ),
    },
    jvp=lambda x_t, batch1_t, batch2_t, x, batch1, batch2, beta, alpha: added_tangent(lambda a, b: torch.bmm(a, b).sum(0))(
        x_t, batch1_t, batch2_t, x, batch1, batch2, beta, alpha
    ),
    inplace=True,
    batch="products.addbmm",
    signature=plus_product("Tensor batch1, Tensor batch2"),
)
def addbmm(x, batch1, batch2, *, beta=1, alpha=1):
    """beta * x + alpha * (the sum of bmm(batch1, batch2) over the batches); `x` broadcasts."""
    return batches_summed(x, batch1, batch2, beta, alpha)


def addr_tangent(x_t, vec1_t, vec2_t, x, vec1, vec2, beta, alpha):
    """The jvp of addr."""
    return added_tangent(torch.outer)(x_t, vec1_t, vec2_t, x, vec1, vec2, beta, alpha)


@op(
    vjp={
        "x": lambda g, beta: conjugate_scaled(g, beta),
        "vec1": lambda g, vec2, alpha: conjugate_scaled(g.mv(conjugate(vec2)), alpha),
        "vec2": lambda g, vec1, alpha: conjugate_scaled(g.t().mv(conjugate(vec1)), alpha),
    },
    jvp=addr_tangent,
    batch="products.addr",
    out_text=None,
    signature=plus_product("Tensor vec1, Tensor vec2"),
)
def addr(x, vec1, vec2, *, beta=1, alpha=1):
    """beta * x + alpha * outer(vec1, vec2); `x` broadcasts."""
    for name, vector in (("vec1", vec1), ("vec2", vec2)):
        if vector.dim() != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {vector.dim()}-D")
    dtype = core.promote_types(core.promote_types(x.dtype, vec1.dtype), vec2.dtype)
    if not dtype.is_floating_point and not dtype.is_complex:
        for name, value in (("beta", beta), ("alpha", alpha)):
            if isinstance(value, (float, complex)):
                raise RuntimeError(f"For integral input tensors, argument {name} must not be a floating point number.")
    if dtype is not torch.bool:
        for name, value in (("beta", beta), ("alpha", alpha)):
            if isinstance(value, bool):
                raise RuntimeError(f"Boolean {name} only supported for Boolean results.")
    beta, alpha = (value.real if isinstance(value, complex) and not value.imag else value for value in (beta, alpha))
    for value in (beta, alpha):
        core.check_number_fits(value, dtype)
    if dtype.name == "bool":
        pairs = vec1.unsqueeze(1) & vec2
        pairs = pairs if alpha else torch.zeros_like(pairs)
        return pairs | x.expand(pairs.shape) if beta else pairs
    pairs = scaled(vec1.to(dtype).unsqueeze(1) * vec2.to(dtype), alpha)
    x = x.expand(pairs.shape)
    return pairs if beta == 0 else scaled(x.to(dtype), beta) + pairs


@composite(function=False)
def addr_(self, vec1, vec2, *, beta=1, alpha=1):
    """In-place version of `addr`."""
    if self.dim() != 2 and vec1.dim() == vec2.dim() == 1:
        raise RuntimeError(f"2D tensor expected, got {self.dim()}D tensor for input")
    if vec1.dim() == vec2.dim() == 1 and tuple(self.shape) != (vec1.numel(), vec2.numel()):
        raise RuntimeError(f"size mismatch, input: {list(self.shape)}, v1: {list(vec1.shape)}, v2: {list(vec2.shape)}")
    return in_place(addr)(self, vec1, vec2, beta=beta, alpha=alpha)


@composite(aliases=("ger",))
def outer(input, vec2, *, out=None):
    """All products of an element of `input` and one of `vec2`."""
    for name, vector in (("self", input), ("vec2", vec2)):
        if vector.dim() != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {vector.dim()}-D")
    column = input.reshape(input.size(0), 1)
    return column * vec2 if out is None else torch.mul(column, vec2, out=out)


@composite
def inner(input, other, *, out=None):
    """Sums of products over the last dimensions of `input` and `other`."""
    if input.dim() == 0 or other.dim() == 0:
        return input * other if out is None else torch.mul(input, other, out=out)
    if input.size(-1) != other.size(-1):
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    made = torch.tensordot(input, other, dims=([-1], [-1]))
    return made if out is None else into("inner", out, made)


# ---------------------------------------------------------------------------------------------------------------- matmul
def may_fold(a, b):
    """Whether a batch of matrices times one matrix (or vector) is one product of matrices: where that needs no copy of the batch,
    or where it saves the backward from making a batch of gradients of the one matrix."""
    larger, smaller = (a, b) if a.dim() >= b.dim() else (b, a)
    if larger.dim() < 3 or smaller.dim() > 2:
        return False
    if smaller.requires_grad:
        return True
    if a.dim() == 2:
        return False
    if larger.numel() == 0:
        return True
    shape, stride = larger.shape, larger.stride()
    if larger is b:
        shape, stride = (*shape[:-2], shape[-1], shape[-2]), (*stride[:-2], stride[-1], stride[-2])
    return all(stride[d] == stride[d + 1] * shape[d + 1] for d in range(len(shape) - 2))


def fold(a, b):
    """The product of a batch of matrices and one matrix or vector, as one product."""
    transposed = a.dim() < b.dim()
    batch = b.mT if transposed else a
    one = (a.t() if a.dim() == 2 else a) if transposed else b
    sizes = batch.shape[:-1]
    folded = batch.reshape(math.prod(sizes), batch.size(-1))
    if one.dim() == 1:
        return torch._unsafe_view(folded.mv(one), sizes)
    out = torch._unsafe_view(folded.mm(one), (*sizes, one.size(1)))
    return out.mT.contiguous() if transposed else out


def batched_product(a, b):
    """The product of batches of matrices that broadcast against each other."""
    m, k = (a.size(-2) if a.dim() > 1 else 1), a.size(-1)
    k2, n = (b.size(-2), b.size(-1)) if b.dim() > 1 else (b.size(-1), 1)
    batch_a, batch_b = a.shape[:-2], b.shape[:-2]
    if a.dim() == b.dim() == 3 and batch_a != batch_b:
        # One matrix against a batch: folded, so that its gradient is not made for each batch.
        if batch_a[0] == 1 and a.requires_grad:
            return matmul(a.squeeze(0), b)
        if batch_b[0] == 1 and b.requires_grad:
            return matmul(a, b.squeeze(0))
    batch = broadcast_two(batch_a, batch_b)
    count = math.prod(batch)
    left = a.expand(*batch, m, k).reshape(count, m, k)
    sizes = (*batch, *([m] if a.dim() > 1 else []), *([n] if b.dim() > 1 else []))
    if b.dim() == 1:
        right = b.expand(*batch, k2).reshape(count, k2).unsqueeze(2)
        return torch._unsafe_view(left.bmm(right).squeeze(-1), sizes)
    right = b.expand(*batch, k2, n).reshape(count, k2, n)
    return torch._unsafe_view(left.bmm(right), sizes)


def general_matmul(a, b, *, out=None):
    """The product by the rules of the @ operator: vectors, matrices, and batches of them that broadcast.

    >>> import rushlight
    >>> (rushlight.ones(2, 3) @ rushlight.ones(3)).shape
    torch.Size([2])
    """
    m, n = a.dim(), b.dim()
    if m == 0 or n == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {m}D and {n}D")
    if out is not None:
        core.refuse_tracked_out("matmul", a, b, out)
        return into("dot" if m == n == 1 else "matmul", out, general_matmul(a, b))
    if m == 1 and n == 1:
        return torch.dot(a, b)
    if m == 2 and n == 1:
        return torch.mv(a, b)
    if m == 1 and n == 2:
        return torch.mm(a.unsqueeze(0), b).squeeze_(0)
    if m == 2 and n == 2:
        return torch.mm(a, b)
    return fold(a, b) if may_fold(a, b) else batched_product(a, b)


def into(name, out, made):
    """A finished product in `out=`."""
    check_out(name, out, made.dtype)
    return core.written_out(name, out, made)


def declare_matmul():
    """The op behind @; it chooses the usual products without a look at Python."""
    general_matmul.__name__ = "matmul"
    declared = Declaration(general_matmul)
    made = core.MatmulOp(
        "matmul",
        general_matmul,
        ("a", "b"),
        declared.defaults[:2],
        {k: i for k, i in declared.keywords.items() if k != "out"},
        2,
        -1,
        (None,),
        [],
    )
    made.declaration = declared
    return register(made)


matmul = declare_matmul()


@composite(namespace="linalg", method=False, name="matmul")
def linalg_matmul(input, other, *, out=None):
    """As rushlight.matmul."""
    return matmul(input, other) if out is None else matmul(input, other, out=out)


# ---------------------------------------------------------------------------------------------------------------- chains
def best_order(sizes):
    """Where to split each chain of matrices so that multiplying costs least (the classic dynamic program)."""
    count = len(sizes) - 1
    cost = [[0] * count for _ in range(count)]
    split = [[0] * count for _ in range(count)]
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            cost[i][j] = None
            for k in range(i, j):
                candidate = cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1]
                if cost[i][j] is None or candidate < cost[i][j]:
                    cost[i][j], split[i][j] = candidate, k
    return split


def multiply_chain(matrices):
    """The product of several matrices in the cheapest order."""
    sizes = [matrix.size(0) for matrix in matrices] + [matrices[-1].size(1)]
    if len(matrices) == 3:
        first_pair = sizes[0] * sizes[2] * (sizes[1] + sizes[3])
        last_pair = sizes[1] * sizes[3] * (sizes[0] + sizes[2])
        a, b, c = matrices
        return (a @ b) @ c if first_pair < last_pair else a @ (b @ c)
    split = best_order(sizes)

    def multiply(i, j):
        return matrices[i] if i == j else multiply(i, split[i][j]) @ multiply(split[i][j] + 1, j)

    return multiply(0, len(matrices) - 1)


@composite(namespace="linalg", method=False)
def multi_dot(tensors, *, out=None):
    """The product of two or more matrices (the first and last may be vectors) in the cheapest order."""
    tensors = list(tensors)
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    for place, x in enumerate(tensors):
        if place in (0, len(tensors) - 1):
            if x.dim() not in (1, 2):
                raise RuntimeError(f"multi_dot(): the {'last' if place else 'first'} tensor must be 1D or 2D but got {x.dim()}D")
        elif x.dim() != 2:
            raise RuntimeError(f"multi_dot(): tensor {place} must be 2D but got {x.dim()}D")
        if x.dtype is not tensors[0].dtype:
            names = [c_name(d) for d in (tensors[0].dtype, x.dtype)]
            raise RuntimeError(
                f"multi_dot(): all tensors must have be the same dtype but tensor 0 is {names[0]} and tensor {place} {names[1]}"
            )
    if out is not None and out.dtype is not tensors[0].dtype:
        names = [c_name(d) for d in (tensors[0].dtype, out.dtype)]
        raise RuntimeError(f"multi_dot(): expected out tensor to have dtype {names[0]} but got {names[1]}")
    first_is_vector, last_is_vector = tensors[0].dim() == 1, tensors[-1].dim() == 1
    matrices = tensors[:]
    if first_is_vector:
        matrices[0] = tensors[0].unsqueeze(0)
    if last_is_vector:
        matrices[-1] = tensors[-1].unsqueeze(-1)
    for place in range(len(matrices) - 1):
        if matrices[place].size(-1) != matrices[place + 1].size(0):
            raise RuntimeError(
                f"multi_dot(): tensors {place} and {place + 1} with shapes {list(tensors[place].shape)} and "
                f"{list(tensors[place + 1].shape)} cannot be multiplied"
            )
    made = multiply_chain(matrices)
    made = made.view(made.shape[int(first_is_vector) : 2 - int(last_is_vector)])
    return made if out is None else into("linalg_multi_dot", out, made)


check_chain = core.Parser("chain_matmul", "tensors matrices, *, out")


@composite(method=False)
def chain_matmul(*matrices, out=None):
    """The product of matrices in the cheapest order (linalg.multi_dot is the newer name).

    Args:
        matrices: two or more matrices, one by one.
        out: the tensor that the result is written into.

    >>> import rushlight as torch
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.chain_matmul(torch.ones(2, 3), torch.ones(3, 4), torch.ones(4, 1))
    tensor([[12.],
            [12.]])
    """
    if len(matrices) == 1 and isinstance(matrices[0], (list, tuple)):
        matrices = matrices[0]
    check_chain(matrices, out=out)
    core.warn_once(
        "torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use torch.linalg.multi_dot instead, which accepts "
        "a list of two or more tensors rather than multiple parameters."
    )
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for matrix in matrices:
        if matrix.dim() != 2:
            raise RuntimeError(f"Tensor dimension is {matrix.dim()}, expected 2 instead.")
    if len(matrices) == 1:
        return matrices[0] if out is None else core.written_out("chain_matmul", out, matrices[0])
    return multi_dot(matrices, out=out)

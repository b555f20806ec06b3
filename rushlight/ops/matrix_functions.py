"""Powers, exponentials and pseudoinverses of matrices, and what follows from inverses and singular values."""

import math

import rushlight as torch
from rushlight.core import written_out
from rushlight.ops._declare import composite, op
from rushlight.ops._matrices import adjoint, check_matrices, check_ndim, check_square, real_dtype
from rushlight.ops._rules import require_tensors


# ------------------------------------------------------------------------------------------------------------------- powers
def power(A, n):
    """A to the n-th by squaring."""
    check_square("linalg.matrix_power", A)
    if n == 0:
        return A.clone(memory_format=torch.contiguous_format).copy_(torch.eye(A.shape[-1], dtype=A.dtype))
    if n < 0:
        inverse = torch.linalg.inv(A)
        return inverse if n == -1 else power(inverse, -n)
    if n == 1:
        return A.clone(memory_format=torch.contiguous_format)
    if n == 3:
        return (A @ A) @ A
    made, square = None, A
    while True:
        if n & 1:
            made = square if made is None else made @ square
        n >>= 1
        if not n:
            return made
        square = square @ square


def check_exponent(name, n, position):
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"{name}(): argument 'n' (position {position}) must be int, not {type(n).__name__}")
    return n.__index__()


@composite(namespace="linalg", method=False, name="matrix_power")
def linalg_matrix_power(input, n, *, out=None):
    """The `n`-th powers of square matrices; of their inverses where `n` is negative.

    >>> import rushlight
    >>> rushlight.linalg.matrix_power(rushlight.tensor([[1, 1], [0, 1]]), 5)
    tensor([[1, 5],
            [0, 1]])
    """
    require_tensors("linalg_matrix_power", input=input)
    made = power(input, check_exponent("linalg_matrix_power", n, 2))
    return made if out is None else written_out("linalg_matrix_power", out, made)


@composite
def matrix_power(input, n, *, out=None):
    """The `n`-th powers of square matrices; `torch.linalg.matrix_power`."""
    require_tensors("matrix_power", input=input)
    made = power(input, check_exponent("matrix_power", n, 1))
    return made if out is None else written_out("matrix_power", out, made)


# -------------------------------------------------------------------------------------------------------------- exponential
DEGREE, REACH = 18, 1.09
"""Up to this norm the Taylor polynomial of this degree is exact to double precision (Bader, Blanes and Casas 2019)."""


def taylor(A):
    """The Taylor polynomial of exp, from the powers up to the sixth."""
    identity = torch.eye(A.shape[-1], dtype=A.dtype).expand(A.shape)
    powers = [identity, A]
    for k in range(2, 7):
        powers.append(powers[k // 2] @ powers[k - k // 2])
    made = powers[6] / math.factorial(18)
    for first in (12, 6, 0):
        block = sum(powers[k] / math.factorial(first + k) for k in range(6))
        made = block + (made if first == 12 else powers[6] @ made)
    return made


def exponential(A):
    """exp(A), by squaring exp(A / 2ˢ)."""
    given = A.dtype
    if given.name in ("float16", "bfloat16"):
        A = A.float()
    norm = A.abs().sum(-2).amax(-1)
    halvings = (norm / REACH).log2().ceil().clamp(min=0)
    halvings = torch.where(halvings.isfinite(), halvings, 0).unsqueeze(-1).unsqueeze(-1)
    made = taylor(A * torch.exp2(-halvings))
    for step in range(int(max(halvings.flatten().tolist()))):
        made = torch.where(halvings > step, made @ made, made)
    return made.to(given)


def derivative_of_exponential(A, direction):
    """The derivative of exp at A in a direction: the corner of the exponential of a block matrix."""
    n = A.shape[-1]
    zero = torch.zeros_like(A)
    block = torch.cat([torch.cat([A, direction], -1), torch.cat([zero, A], -1)], -2)
    return torch.linalg.matrix_exp(block)[..., :n, n:]


@op(
    vjp=lambda g, A: derivative_of_exponential(adjoint(A), g),
    jvp=lambda A_t, A: derivative_of_exponential(A, A_t),
    name="LinalgMatrixExpBackward0",
    function=False,
    method=False,
    batch="decompositions.of_matrices",
)
def _linalg_matrix_exp(A):
    """The exponentials of square matrices."""
    check_square("linalg.matrix_exp", A)
    if A.numel() == 0:
        return torch.empty_like(A)
    return A.exp() if A.shape[-1] == 1 or A.is_meta else exponential(A)


@composite(namespace="linalg", method=False, name="matrix_exp")
def linalg_matrix_exp(input):
    """The exponentials of square matrices.

    >>> import rushlight
    >>> rushlight.linalg.matrix_exp(rushlight.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    require_tensors("linalg_matrix_exp", input=input)
    return exponential_of(input)


@composite
def matrix_exp(input):
    """The exponentials of square matrices; `torch.linalg.matrix_exp`."""
    require_tensors("matrix_exp", input=input)
    return exponential_of(input)


def exponential_of(A):
    check_square("linalg.matrix_exp", A)
    check_matrices("linalg.matrix_exp", A)
    return _linalg_matrix_exp(A)


# ------------------------------------------------------------------------------------------------------------ pseudoinverses
def tolerances(A, atol, rtol):
    """The absolute and the relative tolerance: what is not given depends on the dtype and on what is."""
    if rtol is None:
        relative = torch.finfo(real_dtype(A.dtype)).eps * max(A.shape[-2:])
        if atol is None:
            rtol = relative
        elif isinstance(atol, torch.Tensor):
            rtol = torch.where(atol > 0, 0.0, relative)
        else:
            rtol = 0.0 if atol > 0 else relative
    return 0.0 if atol is None else atol, rtol


def least_value(sizes, atol, rtol):
    """Below what a singular value counts as 0."""
    atol, rtol = (t.unsqueeze(-1) if isinstance(t, torch.Tensor) else t for t in (atol, rtol))
    largest = sizes.amax(-1, keepdim=True) * rtol
    return largest.maximum(atol) if isinstance(atol, torch.Tensor) else largest.clamp(min=atol)


def pinv_vjp(g, A, result):
    # (In the order in which what lies between is never larger than A.)
    P, gh = result, adjoint(g)
    Ph = adjoint(P)
    if A.shape[-2] >= A.shape[-1]:
        tall, wide = gh @ (P @ Ph), Ph @ (P @ gh)
        return -(Ph @ (g @ Ph)) + (tall - A @ (P @ tall)) + (wide - wide @ (P @ A))
    tall, wide = (gh @ P) @ Ph, (Ph @ P) @ gh
    return -((Ph @ g) @ Ph) + (tall - (A @ P) @ tall) + (wide - (wide @ P) @ A)


def pinv_jvp(A_t, A, result):
    P, At = result, adjoint(A_t)
    Ph = adjoint(P)
    if A.shape[-2] >= A.shape[-1]:
        first, second = (P @ Ph) @ At, (At @ Ph) @ P
        return -((P @ A_t) @ P) + (first - (first @ A) @ P) + (second - (P @ A) @ second)
    first, second = P @ (Ph @ At), At @ (Ph @ P)
    return -(P @ (A_t @ P)) + (first - first @ (A @ P)) + (second - P @ (A @ second))


@op(
    vjp=pinv_vjp,
    jvp=pinv_jvp,
    outputs=("result",),
    name="LinalgPinvBackward0",
    function=False,
    method=False,
    batch="decompositions.of_matrices",
)
def _linalg_pinv(A, atol, rtol, hermitian):
    """Pseudoinverses, without the directions whose singular values are small."""
    if A.numel() == 0:
        return torch.empty((*A.shape[:-2], A.shape[-1], A.shape[-2]), dtype=A.dtype)
    if hermitian:
        L, V = torch.linalg.eigh(A)
        kept = L.abs() > least_value(L.abs(), atol, rtol)
        return (V * torch.where(kept, 1 / L, 0).unsqueeze(-2)) @ adjoint(V)
    U, S, Vh = torch.linalg.svd(A, False)
    kept = least_value(S, atol, rtol) < S
    return (adjoint(Vh) * torch.where(kept, 1 / S, 0).unsqueeze(-2)) @ adjoint(U)


def described(A):
    return f"{A.dtype.legacy_name}{{{list(A.shape)}}}"


@composite(
    namespace="linalg",
    method=False,
    signature=(
        "Tensor input, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False, out | "
        "Tensor input, *, float? atol=None, float? rtol=None, bool hermitian=False, out | "
        "Tensor input, Tensor|float rcond, bool hermitian=False, *, out"
    ),
)
def pinv(input, rcond=None, hermitian=False, *, atol=None, rtol=None, out=None):
    """Pseudoinverses (Moore's and Penrose's); singular values up to `atol`, or `rtol` times the largest, count as 0.

    >>> import rushlight
    >>> rushlight.linalg.pinv(rushlight.tensor([[2., 0.], [0., 0.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    require_tensors("linalg_pinv", input=input)
    return pseudoinverse(input, atol, rtol if rcond is None else rcond, rcond is not None, hermitian, out)


@composite
def pinverse(input, rcond=1e-15):
    """Pseudoinverses; singular values up to `rcond` times the largest count as 0."""
    require_tensors("pinverse", input=input)
    return pseudoinverse(input, 0.0, rcond, True, False, None)


def pseudoinverse(A, atol, rtol, relative, hermitian, out):
    if A.dim() < 2 or A.dtype.name not in ("float32", "float64", "complex64", "complex128"):
        raise RuntimeError(
            f"linalg.pinv({described(A)}): expected a tensor with 2 or more dimensions of float, double, cfloat or cdouble types"
        )
    if relative:
        atol = 0.0
    atol, rtol = tolerances(A, atol, rtol)
    made = _linalg_pinv(A, atol, rtol, hermitian)
    return made if out is None else written_out("linalg_pinv", out, made)


@composite(
    namespace="linalg",
    method=False,
    signature=(
        "Tensor input, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False, out | "
        "Tensor input, *, float? atol=None, float? rtol=None, bool hermitian=False, out | "
        "Tensor input, Tensor|float tol, bool hermitian=False, *, out"
    ),
)
def matrix_rank(input, tol=None, hermitian=False, *, atol=None, rtol=None, out=None):
    """How many singular values (absolute eigenvalues, for `hermitian` matrices) are greater than the tolerance.

    >>> import rushlight
    >>> rushlight.linalg.matrix_rank(rushlight.tensor([[1., 2.], [2., 4.]]))
    tensor(1)
    """
    require_tensors("linalg_matrix_rank", input=input)
    check_ndim("torch.linalg.matrix_rank", input, "input")
    if tol is None and input.dtype.name not in ("float32", "float64", "complex64", "complex128"):
        raise RuntimeError("This function doesn't handle types other than float and double")
    if input.numel() == 0:
        made = torch.zeros(input.shape[:-2], dtype=torch.int64)
    else:
        with torch.no_grad():
            sizes = torch.linalg.eigvalsh(input).abs() if hermitian else torch.linalg.svdvals(input)
            limits = tolerances(input, atol, rtol) if tol is None else (tol, 0.0)
            made = (sizes > least_value(sizes, *limits)).sum(-1)
    return made if out is None else written_out("linalg_matrix_rank", out, made)


# ------------------------------------------------------------------------------------------------------------------- others
ORDERS = (None, 2, -2, 1, -1, math.inf, -math.inf)


@composite(namespace="linalg", method=False, signature="Tensor input, Number? p=None, *, out | Tensor input, str p, *, out")
def cond(input, p=None, *, out=None):
    """Condition numbers: the norm of a matrix times that of its inverse; `p` names the norm (2 where it is None).

    >>> import rushlight
    >>> rushlight.linalg.cond(rushlight.tensor([[2., 0.], [0., 8.]]))
    tensor(4.)
    """
    require_tensors("linalg_cond", input=input)
    made = condition(input, p)
    return made if out is None else written_out("linalg_cond", out, made)


def condition(A, p):
    if isinstance(p, str):
        check_square(f"linalg.cond(ord={p})", A)
        if p not in ("fro", "nuc"):
            raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    if A.dim() < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    if not isinstance(p, str) and p not in ORDERS:
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p:g}")
    if A.numel() == 0:
        return torch.zeros(A.shape[:-2], dtype=real_dtype(A.dtype))
    if p is None or (not isinstance(p, str) and abs(p) == 2):
        values = torch.linalg.svdvals(A)
        first, last = values[..., :1], values[..., -1:]
        return (last / first if p == -2 else first / last).squeeze(-1)
    shown = p if isinstance(p, str) else f"{p:g}"
    check_square(f"linalg.cond(ord={shown})", A)
    if p == "nuc":
        values = torch.linalg.svdvals(A)
        return values.sum(-1) * values.reciprocal().sum(-1)
    inverse, info = torch.linalg.inv_ex(A)
    inverse = inverse.masked_fill((info != 0).unsqueeze(-1).unsqueeze(-1), math.inf)
    made = torch.linalg.matrix_norm(A, p) * torch.linalg.matrix_norm(inverse, p)
    return made.nan_to_num(math.inf, math.inf, -math.inf)


@composite(namespace="linalg", method=False)
def tensorinv(input, ind=2, *, out=None):
    """The inverse of A as a matrix whose rows are its first `ind` dimensions.

    >>> import rushlight
    >>> rushlight.linalg.tensorinv(rushlight.eye(4).reshape(4, 2, 2), ind=1).shape
    torch.Size([2, 2, 4])
    """
    require_tensors("linalg_tensorinv", input=input)
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    if ind > input.dim():
        raise RuntimeError(f"ArrayRef: invalid slice, N = {ind}; size = {input.dim()}")
    above, below = tuple(input.shape[:ind]), tuple(input.shape[ind:])
    if math.prod(above) != math.prod(below):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{math.prod(below)} != {math.prod(above)}"
        )
    made = torch.linalg.inv(input.reshape(math.prod(below), math.prod(above))).reshape(below + above)
    return made if out is None else written_out("linalg_tensorinv", out, made)


@composite(namespace="linalg", method=False)
def tensorsolve(input, other, dims=None, *, out=None):
    """X with tensordot(input, X, X.ndim) = other; `dims` are dimensions of `input` that are moved to its end first.

    >>> import rushlight
    >>> rushlight.linalg.tensorsolve(rushlight.eye(4).reshape(2, 2, 4), rushlight.ones(2, 2))
    tensor([1., 1., 1., 1.])
    """
    require_tensors("linalg_tensorsolve", input=input, other=other)
    if dims is not None:
        input = input.movedim(tuple(dims), tuple(range(input.dim() - len(dims), input.dim())))
    above, below = tuple(input.shape[: other.dim()]), tuple(input.shape[other.dim() :])
    if math.prod(above) != math.prod(below):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but got "
            f"{math.prod(below)} != {other.numel()}"
        )
    made = torch.linalg.solve(input.reshape(math.prod(above), math.prod(below)), other.flatten()).reshape(below)
    return made if out is None else written_out("linalg_tensorsolve", out, made)

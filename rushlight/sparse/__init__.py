"""Sparse tensors as far as programs with dense tensors meet them: made, multiplied, summed, and turned into dense ones."""

import functools

import rushlight as torch
from rushlight import core
from rushlight._tensor_types import tensor_types as _tensor_types
from rushlight.core import Tensor
from rushlight.sparse._functions import added, product, summed
from rushlight.sparse._functions import softmax as _softmax
from rushlight.sparse._invariants import check_compressed, check_order, check_places
from rushlight.sparse._tensor import COMPRESSED, SparseTensor, coalesced, compressed, dense, sparse

__all__ = [
    "addmm",
    "as_sparse_gradcheck",
    "check_sparse_tensor_invariants",
    "log_softmax",
    "mm",
    "sampled_addmm",
    "softmax",
    "spdiags",
    "sum",
]


def _as_indices(indices):
    return indices.long() if isinstance(indices, Tensor) else torch.tensor(indices, dtype=torch.int64)


def _as_values(values, dtype):
    values = values if isinstance(values, Tensor) else torch.tensor(values, dtype=dtype)
    return values if dtype is None else values.to(dtype)


def _checked(asked):
    return check_sparse_tensor_invariants.is_enabled() if asked is None else asked


def _finished(made, requires_grad):
    if requires_grad:
        made._entries = made._entries.detach().requires_grad_()
    return made


def _asking_modes(function):
    """The function, about which modes are asked first."""

    @functools.wraps(function)
    def asking(*args, **kwargs):
        handled = core.dispatch_torch_function(asking, (), args, kwargs) if core.function_modes() else NotImplemented
        return function(*args, **kwargs) if handled is NotImplemented else handled

    return asking


@_asking_modes
def sparse_coo_tensor(
    indices=None, values=None, size=None, *, dtype=None, device=None, pin_memory=False, requires_grad=False, check_invariants=None,
    is_coalesced=None,
):  # fmt: skip
    """A sparse tensor of the values that stand at the given places.

    Args:
        indices: The places, of shape (sparse dimensions, n), or their size alone for a tensor without entries.
        values: The values, of shape (n, *).
        size: The shape (default: the smallest that has all places).
        dtype: That of the values (default: theirs).
        device: Where they are: on the CPU.
        check_invariants: Whether places are checked now rather than where they are used.
        is_coalesced: Whether the places are in order and occur once.
        requires_grad, pin_memory: As for any tensor.

    >>> import rushlight as torch
    >>> torch.sparse_coo_tensor([[0, 1], [1, 0]], [2.0, 3.0], (2, 2)).to_dense()
    tensor([[0., 2.],
            [3., 0.]])
    """
    if values is None and (size is None or indices is None):
        size = indices if size is None else size
        indices, values = torch.empty(len(size), 0, dtype=torch.int64), torch.empty(0, dtype=dtype)
    indices, values = _as_indices(indices), _as_values(values, dtype)
    if indices.dim() != 2:
        raise RuntimeError(f"indices must be sparse_dim x nnz, but got: {list(indices.shape)}")
    if size is None:
        size = (*((int(row.max()) + 1) if row.numel() else 0 for row in indices), *values.shape[1:])
        check_places(indices, size)
    if len(size) != indices.shape[0] + values.dim() - 1:
        raise RuntimeError(
            f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, sparse_dim = {indices.shape[0]}, dense_dim = "
            f"{values.dim() - 1}"
        )
    if indices.shape[1] != values.shape[0]:
        raise RuntimeError(
            f"indices and values must have same nnz, but got nnz from indices: {indices.shape[1]}, nnz from values: {values.shape[0]}"
        )
    if list(values.shape[1:]) != list(size[indices.shape[0] :]):
        raise RuntimeError(
            f"values has incorrect size, expected {[values.shape[0], *size[indices.shape[0] :]]}, got {list(values.shape)}"
        )
    if _checked(check_invariants):
        check_places(indices, size)
        if is_coalesced:
            check_order(indices, size)
    return _finished(SparseTensor(indices, values, size, is_coalesced), requires_grad)


@_asking_modes
def sparse_compressed_tensor(
    compressed_indices, plain_indices, values, size=None, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False,
    check_invariants=None,
):  # fmt: skip
    """A sparse matrix of `layout` `torch.sparse_csr` or `torch.sparse_csc`.

    Args:
        compressed_indices: Where each row (or column) begins, and where the last one ends: (rows + 1).
        plain_indices: The columns (or rows) of the values (n).
        values: The values (n).
        size: The shape (default: the smallest that has all places).
        check_invariants, requires_grad, pin_memory, dtype, device: As in `sparse_coo_tensor`.

    >>> import rushlight as torch
    >>> matrix = torch.sparse_compressed_tensor([0, 1, 2], [1, 0], [2.0, 3.0], layout=torch.sparse_csr)
    >>> matrix.to_dense()
    tensor([[0., 2.],
            [3., 0.]])
    """
    if layout not in COMPRESSED:
        raise RuntimeError(f"sparse_compressed_tensor: expected layout sparse_csr or sparse_csc, got {layout}")
    dim = COMPRESSED[layout][2]
    starts, others, values = _as_indices(compressed_indices), _as_indices(plain_indices), _as_values(values, dtype)
    if size is not None and _checked(check_invariants):
        given = (part if isinstance(part, Tensor) else torch.tensor(part) for part in (compressed_indices, plain_indices))
        check_compressed(layout, *given, values, size)
    lines = torch.repeat_interleave(torch.arange(starts.numel() - 1), starts.diff())
    if lines.numel() != others.numel() or others.numel() != values.shape[0]:
        raise RuntimeError(
            f"sparse_compressed_tensor: offsets end at {int(starts[-1])}, for {others.numel()} indices and {values.shape[0]} values"
        )
    if size is None:
        other = int(others.max()) + 1 if others.numel() else 0
        size = (starts.numel() - 1, other) if dim == 0 else (other, starts.numel() - 1)
    places = torch.stack([lines, others] if dim == 0 else [others, lines])
    return _finished(SparseTensor(places, values, size, True, layout), requires_grad)


@_asking_modes
def sparse_csr_tensor(crow_indices, col_indices, values, size=None, **options):
    """A sparse matrix in the order of its rows.

    Args:
        crow_indices: Where each row begins, and where the last one ends: (rows + 1).
        col_indices: The columns of the values (n).
        values, size: The values (n), and the shape.
        options: Those of `sparse_compressed_tensor`.

    >>> import rushlight as torch
    >>> torch.sparse_csr_tensor([0, 1, 2], [1, 0], [2.0, 3.0]).to_dense()
    tensor([[0., 2.],
            [3., 0.]])
    """
    return sparse_compressed_tensor(crow_indices, col_indices, values, size, **options | {"layout": torch.sparse_csr})


@_asking_modes
def sparse_csc_tensor(ccol_indices, row_indices, values, size=None, **options):
    """A sparse matrix in the order of its columns.

    Args:
        ccol_indices: Where each column begins, and where the last one ends: (columns + 1).
        row_indices: The rows of the values (n).
        values, size: The values (n), and the shape.
        options: Those of `sparse_compressed_tensor`.

    >>> import rushlight as torch
    >>> torch.sparse_csc_tensor([0, 1, 2], [1, 0], [2.0, 3.0]).to_dense()
    tensor([[0., 3.],
            [2., 0.]])
    """
    return sparse_compressed_tensor(ccol_indices, row_indices, values, size, **options | {"layout": torch.sparse_csc})


def mm(sparse, dense, reduce=None):
    """The product of a sparse matrix and a dense one, or of two sparse ones (which is sparse).

    Args:
        sparse: Of shape (m, k).
        dense: Of shape (k, n).

    >>> import rushlight as torch
    >>> torch.sparse.mm(torch.eye(2).to_sparse(), torch.ones(2, 1))
    tensor([[1.],
            [1.]])
    """
    if reduce not in (None, "sum"):
        raise NotImplementedError(f"sparse.mm: reduce={reduce!r} is not supported")
    return (
        product(sparse, dense) if isinstance(sparse, SparseTensor) or isinstance(dense, SparseTensor) else torch.mm(sparse, dense)
    )


def addmm(mat, mat1, mat2, *, beta=1.0, alpha=1.0):
    """`beta` mat + `alpha` mat1 @ mat2, where mat1 may be sparse.

    >>> import rushlight as torch
    >>> torch.sparse.addmm(torch.ones(2, 2), torch.eye(2).to_sparse(), torch.ones(2, 2))
    tensor([[2., 2.],
            [2., 2.]])
    """
    return torch.add(beta * dense(mat), mm(mat1, mat2), alpha=alpha)


def sampled_addmm(input, mat1, mat2, *, beta=1.0, alpha=1.0, out=None):
    """`beta` input + `alpha` mat1 @ mat2, at the places of a sparse matrix alone."""
    input = input if isinstance(input, SparseTensor) else sparse(input)
    rows, columns = input._places
    values = (mat1[rows] * mat2.t()[columns]).sum(-1)
    return input.like(beta * input._entries + alpha * values)


def sum(input, dim=None, dtype=None):
    """The sum of a sparse tensor `input`: a number, or with `dim` a sparse tensor of what dimensions are left (dense if no sparse
    one is).

    `dtype` is that of the result.

    >>> import rushlight as torch
    >>> x = torch.tensor([[0.0, 2.0], [3.0, 4.0]]).to_sparse()
    >>> torch.sparse.sum(x), torch.sparse.sum(x, dim=0).to_dense()
    (tensor(9.), tensor([3., 6.]))
    """
    return summed(input, dim, dtype=dtype)


def softmax(input, dim, *, dtype=None):
    """softmax of `input` over the dimension `dim`, in which places without a value count as minus infinity.

    `dtype` is what the input is converted to first.

    >>> import rushlight as torch
    >>> torch.sparse.softmax(torch.tensor([[0.0, 2.0], [2.0, 2.0]]).to_sparse(), dim=1).to_dense()
    tensor([[0.0000, 1.0000],
            [0.5000, 0.5000]])
    """
    return _softmax(input, dim, dtype)


def log_softmax(input, dim, *, dtype=None):
    """The logarithm of `torch.sparse.softmax`, at the places of `input` that have a value; arguments are the same.

    >>> import rushlight as torch
    >>> torch.sparse.log_softmax(torch.tensor([[0.0, 2.0], [2.0, 2.0]]).to_sparse(), dim=1).to_dense()
    tensor([[ 0.0000,  0.0000],
            [-0.6931, -0.6931]])
    """
    return _softmax(input, dim, dtype, True)


def spdiags(diagonals, offsets, shape, layout=None):
    """A sparse matrix with the given rows on its diagonals.

    Args:
        diagonals: Of shape (count, n): element j of a row goes into column j.
        offsets: How far above the main diagonal each row goes.
        shape: That of the matrix.
        layout: `torch.sparse_coo` (default), `sparse_csr` or `sparse_csc`.
    """
    diagonals, offsets = torch.atleast_2d(diagonals), torch.atleast_1d(offsets)
    columns = torch.arange(diagonals.shape[1]).expand_as(diagonals)
    rows = columns - offsets.unsqueeze(1)
    inside = (rows >= 0) & (rows < shape[0]) & (columns < shape[1])
    made = sparse_coo_tensor(torch.stack([rows[inside], columns[inside]]), diagonals[inside], shape)
    return made if layout in (None, torch.sparse_coo) else compressed(made, layout)


class check_sparse_tensor_invariants:
    """Whether places are checked where a sparse tensor is made: a context manager and a decorator, or `enable()` and `disable()`.

    `enable=False` switches it off within.

    >>> import rushlight as torch
    >>> with torch.sparse.check_sparse_tensor_invariants():
    ...     torch.sparse.check_sparse_tensor_invariants.is_enabled()
    True
    """

    _enabled = False

    def __init__(self, enable=True):
        self.state, self.saved = enable, None

    @staticmethod
    def is_enabled():
        return check_sparse_tensor_invariants._enabled

    @staticmethod
    def enable():
        check_sparse_tensor_invariants._enabled = True

    @staticmethod
    def disable():
        check_sparse_tensor_invariants._enabled = False

    def __enter__(self):
        self.saved, check_sparse_tensor_invariants._enabled = check_sparse_tensor_invariants._enabled, self.state

    def __exit__(self, *exception):
        check_sparse_tensor_invariants._enabled = self.saved

    def __call__(self, function):
        def wrapped(*args, **kwargs):
            with type(self)(self.state):
                return function(*args, **kwargs)

        return wrapped


def as_sparse_gradcheck(gradcheck):
    """A `gradcheck` of functions of sparse tensors: it varies their values.

    >>> import rushlight as torch
    >>> check = torch.sparse.as_sparse_gradcheck(torch.autograd.gradcheck)
    >>> x = torch.eye(2, dtype=torch.float64).to_sparse().requires_grad_()
    >>> check(lambda x: x.to_dense(masked_grad=False).sin(), (x,))
    True
    """

    def checked(function, inputs, **options):
        inputs = inputs if isinstance(inputs, tuple | list) else (inputs,)
        made = [x._entries if isinstance(x, SparseTensor) else x for x in inputs]

        def of_values(*values):
            again = [x.like(v) if isinstance(x, SparseTensor) else v for x, v in zip(inputs, values)]
            return dense(function(*again))

        return gradcheck(of_values, tuple(made), **options)

    return checked


def _legacy(name, dtype):
    """`torch.sparse.FloatTensor(indices, values, size)` and its kin."""

    def make(*args):
        if len(args) == 1 or all(isinstance(n, int) for n in args):
            size = args if args and isinstance(args[0], int) else tuple(args[0]) if args else ()
            return sparse_coo_tensor(size, dtype=dtype) if size else sparse_coo_tensor([[]], [], (0,), dtype=dtype)
        return sparse_coo_tensor(*args, dtype=dtype)

    make.__name__ = make.__qualname__ = name
    return make


for _dtype in (
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
):
    _name = _tensor_types[_dtype].__name__
    globals()[_name] = _legacy(_name, _dtype)

"""Methods by which dense tensors become sparse ones (`rushlight.sparse`), and what those of sparse tensors say of dense ones."""

import rushlight as torch
from rushlight import core
from rushlight.ops._declare import composite, namespaces


def made():
    from rushlight.sparse import _tensor

    return _tensor


@composite(function=False, method="*, layout layout=None, ints blocksize=None, int dense_dim=None | int sparse_dim")
def to_sparse(self, sparse_dim=None, *, layout=None, blocksize=None, dense_dim=None):
    """A sparse tensor of what is not zero.

    Args:
        sparse_dim: How many leading dimensions are sparse (default: all).
        layout: `torch.sparse_coo` (default), or for matrices `sparse_csr` or `sparse_csc`.

    >>> import rushlight as torch
    >>> torch.eye(2).to_sparse()
    tensor(indices=tensor([[0, 1],
                           [0, 1]]),
           values=tensor([1., 1.]),
           size=(2, 2), nnz=2, layout=torch.sparse_coo)
    """
    if layout in (None, torch.sparse_coo):
        if dense_dim is not None:
            sparse_dim = self.dim() - dense_dim
        if sparse_dim is not None and not 0 <= sparse_dim <= self.dim():
            raise RuntimeError(
                f"dense_to_sparse: sparse_dim argument must be in [0,{self.dim()}] range, but {sparse_dim} is given"
            )
        if sparse_dim == 0 and self.dim():
            raise RuntimeError("dense_to_sparse: sparse_dim argument must be in >0 when self.dim()>0")
        return made().sparse(self, sparse_dim)
    return compressed(self, layout, dense_dim)


def compressed(x, layout, dense_dim):
    """Of a matrix; what else PyTorch takes or refuses is refused."""
    most = max(x.dim() - 2, 0)
    if dense_dim is not None and not 0 <= dense_dim <= most:
        name = f"dense_to_{repr(layout).removeprefix('torch.')}"
        raise RuntimeError(f"{name}: dense_dim argument must be in [0,{most}] range, but {dense_dim} is given")
    return made().compressed(x, layout)


@composite(function=False, signature=None)
def to_sparse_coo(self):
    """A sparse tensor of what is not zero.

    >>> import rushlight as torch
    >>> torch.tensor([0., 5.]).to_sparse_coo().indices()
    tensor([[1]])
    """
    return made().sparse(self)


def require(name, argument, kind, value):
    if not isinstance(value, kind):
        raise TypeError(f"{name}(): argument '{argument}' (position 1) must be {kind.__name__}, not {type(value).__name__}")


@composite(function=False, method="int dense_dim=None")
def to_sparse_csr(self, dense_dim=None):
    """A sparse matrix in the order of its rows."""
    return compressed(self, torch.sparse_csr, dense_dim)


@composite(function=False, method="int dense_dim=None")
def to_sparse_csc(self, dense_dim=None):
    """A sparse matrix in the order of its columns."""
    return compressed(self, torch.sparse_csc, dense_dim)


@composite(function=False, method="dtype dtype=None, *, bool masked_grad=None")
def to_dense(self, dtype=None, *, masked_grad=None):
    """This tensor, which is dense; that which a sparse one stands for."""
    return self if dtype is None else self.to(dtype)


@composite(function=False, signature=None)
def sparse_mask(self, mask):
    """The values at the places of a sparse tensor.

    Args:
        mask: the sparse tensor, of the same shape.

    >>> import rushlight as torch
    >>> torch.tensor([[1., 2.], [3., 4.]]).sparse_mask(torch.eye(2).to_sparse()).to_dense()
    tensor([[1., 0.],
            [0., 4.]])
    """
    require("sparse_mask", "mask", torch.Tensor, mask)
    if mask.layout is torch.strided:
        raise NotImplementedError("Could not run 'aten::sparse_mask' with arguments from the 'CPU' backend: the mask is sparse")
    from rushlight.sparse._functions import masked

    return masked(self, mask)


@composite(signature=None)
def smm(input, mat):
    """The product of a sparse matrix and a dense one, as a sparse one.

    Args:
        input: the sparse matrix [n, m].
        mat: the dense one [m, p].

    >>> import rushlight as torch
    >>> torch.smm(torch.eye(2).to_sparse(), torch.ones(2, 1)).to_dense()
    tensor([[1.],
            [1.]])
    """
    raise RuntimeError("tensor.sspaddmm(...) can only be called on sparse tensors")


@composite(
    signature="Tensor input, Tensor mat1, Tensor mat2, *, Number beta=1, Number alpha=1, out",
    method="Tensor mat1, Tensor mat2, *, Number beta=1, Number alpha=1",
)
def sspaddmm(input, mat1, mat2, *, beta=1, alpha=1, out=None):
    """beta·input + alpha·mat1·mat2 of two sparse matrices and the dense `mat2`, as a sparse one that is not coalesced.

    Args:
        input: the sparse matrix [n, p] to add to.
        mat1: the sparse matrix [n, m].
        mat2: the dense one [m, p].

    >>> import rushlight as torch
    >>> eye = torch.eye(2).to_sparse()
    >>> torch.sspaddmm(eye, eye, torch.ones(2, 2)).to_dense()
    tensor([[2., 1.],
            [1., 2.]])
    """
    raise RuntimeError("tensor.sspaddmm(...) can only be called on sparse tensors")


@composite(signature="Tensor mat1, Tensor mat2, *, out", method=False)
def hspmm(mat1, mat2, *, out=None):
    """The product of a sparse matrix and a dense one, as a sparse tensor of whole rows."""
    if not mat1.is_sparse:
        raise NotImplementedError("Could not run 'aten::hspmm' with arguments from the 'CPU' backend: the first matrix is sparse")
    return made().of_rows(mat1, mat2)


namespaces["torch"].update(hsmm=hspmm, saddmm=sspaddmm)  # (the same functions, in errors too)


@composite(function=False, signature=None)
def coalesce(self):
    """A sparse tensor in which each place stands once.

    >>> import rushlight as torch
    >>> x = torch.sparse_coo_tensor([[0, 0, 1]], [1., 2., 3.], (2,))
    >>> x.coalesce().values()
    tensor([3., 3.])
    """
    raise RuntimeError("coalesce expected sparse coordinate tensor layout but got Strided")


@composite(function=False, signature=None)
def is_coalesced(self):
    """Whether each place of a sparse tensor stands once, in order.

    >>> import rushlight as torch
    >>> torch.sparse_coo_tensor([[0, 0]], [1., 2.], (2,)).is_coalesced()
    False
    """
    raise RuntimeError("is_coalesced expected sparse coordinate tensor layout but got Strided")


@composite(function=False, signature="bool coalesced")
def _coalesced_(self, coalesced):
    """Marks a sparse tensor as one in which each place stands once, in order, or as none."""
    raise NotImplementedError("Could not run 'aten::_coalesced_' with arguments from the 'CPU' backend: the tensor is not sparse")


@composite(function=False, signature=None)
def sparse_dim(self):
    """How many dimensions are sparse.

    >>> import rushlight as torch
    >>> torch.eye(2).to_sparse().sparse_dim()
    2
    """
    return 0


@composite(function=False, signature=None)
def dense_dim(self):
    """How many dimensions are dense.

    >>> import rushlight as torch
    >>> torch.eye(2).to_sparse().dense_dim()
    0
    """
    return self.dim()


SHOWN = {
    "indices": "torch.tensor([0., 5.]).to_sparse().coalesce().indices()\ntensor([[1]])",
    "values": "torch.tensor([0., 5.]).to_sparse().coalesce().values()\ntensor([5.])",
    "crow_indices": "torch.eye(2).to_sparse_csr().crow_indices()\ntensor([0, 1, 2])",
    "col_indices": "torch.eye(2).to_sparse_csr().col_indices()\ntensor([0, 1])",
    "ccol_indices": "torch.eye(2).to_sparse_csc().ccol_indices()\ntensor([0, 1, 2])",
    "row_indices": "torch.eye(2).to_sparse_csc().row_indices()\ntensor([0, 1])",
}
"""The parts of sparse tensors, each at work."""


def asking(name, body, text=None):
    """A method of tensors, of which subclasses are asked first."""

    def method(self):
        handled = core.dispatch_torch_function(getattr(core.Tensor, name), (self,), (self,), {})
        return body(self) if handled is NotImplemented else handled

    method.__name__ = method.__qualname__ = name
    method.__doc__ = text
    return composite(function=False, signature=None)(method)


def part(name):
    """A method that gives a part of sparse tensors."""
    text = f"The {name.replace('_', ' ')} of a sparse tensor.\n\n>>> import rushlight as torch\n>>> {SHOWN[name]}\n"
    return asking(name, lambda x: made().part(name, x), text)


PARTS = [part(name) for name in SHOWN]


def hidden(name):
    """A method that only sparse tensors have."""

    def refuse(x):
        raise NotImplementedError(
            f"Could not run 'aten::{name}' with arguments from the 'CPU' backend: the tensor is not sparse."
        )

    return asking(name, refuse)


HIDDEN = [hidden(name) for name in ("_indices", "_values", "_nnz")]

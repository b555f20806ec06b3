"""Sparse tensors: where values stand, and the values. What is computed with them is written in ops of dense tensors, so derivatives follow."""

import copy

import rushlight as torch
from rushlight import core
from rushlight._printing import _contents, _with_notes
from rushlight._tensor import refuse_result
from rushlight.core import DisableTorchFunction, Tensor

INDICES, VALUES = "indices", "values"

COMPRESSED = {
    torch.sparse_csr: ("crow_indices", "col_indices", 0),
    torch.sparse_csc: ("ccol_indices", "row_indices", 1),
}
"""What a compressed layout calls its offsets and its indices, and which dimension is compressed."""

HANDLERS: dict = {}
"""What functions and methods of torch do with sparse arguments, by their names."""


class SparseTensor(Tensor):
    """A tensor that keeps its `indices`, of shape (sparse dimensions, n), and the n `values` that stand there; all else is zero.

    Places may occur several times until `coalesce()`: their values count together. The matrix of layout `sparse_csr` or `sparse_csc`
    is kept in the same way, in the order of its rows or columns. It is made by `torch.sparse_coo_tensor`, `x.to_sparse()` and their kin.
    Functions that know nothing of sparse tensors refuse them.
    """

    asks_when_made = True  # (programs that make none keep the short ways of calls)

    @staticmethod
    def __new__(cls, indices, values, size, coalesced=None, layout=torch.sparse_coo):
        # (Less than two entries are in order, unless somebody says that they are not.)
        core.ask_subclasses()
        with DisableTorchFunction():
            # It has the shape and dtype of what it stands for, over the memory of one zero.
            made = Tensor._make_subclass(cls, torch.zeros((), dtype=values.dtype).expand(size))
        made._places, made._entries, made._order = indices, values, layout
        made._sorted = indices.shape[-1] < 2 if coalesced is None else bool(coalesced)
        return made

    def like(self, values, coalesced=None):
        """The same places with other values."""
        return SparseTensor(self._places, values, self.shape, self._sorted if coalesced is None else coalesced, self._order)

    def _take(self, other):
        """Makes this tensor the one that `other` is, as `data = other` does."""
        if not isinstance(other, SparseTensor) or other._order is not self._order:
            raise RuntimeError(
                "Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have incompatible tensor type."
            )
        with DisableTorchFunction():
            core.show_memory(self, other)
        self._places, self._sorted, self._entries.data = other._places, other._sorted, other._entries

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        handler = HANDLERS.get(name)
        if handler is not None:
            return handler(*args, **(kwargs or {}))
        if name in ("__get__", "__set__"):
            with DisableTorchFunction():
                return func(*args, **(kwargs or {}))
        raise NotImplementedError(
            f"Could not run 'aten::{name.strip('_')}' with arguments from the 'SparseCPU' backend: sparse tensors are computed with in few "
            "functions; .to_dense() gives one that all of them take."
        )

    layout = property(lambda self: self._order)
    is_sparse = property(lambda self: self._order is torch.sparse_coo)
    is_sparse_csr = property(lambda self: self._order is torch.sparse_csr)
    requires_grad = property(lambda self: self._entries.requires_grad, lambda self, flag: self._entries.requires_grad_(flag))
    grad_fn = property(lambda self: self._entries.grad_fn)
    is_leaf = property(lambda self: self._entries.is_leaf)
    T = property(lambda self: permuted(self, tuple(reversed(range(self.dim())))))
    mT = property(lambda self: transposed(self, -2, -1))
    data = property(lambda self: self.detach(), lambda self, value: self._take(value))

    def new(self, *given, size=None, device=None):
        """An old-style constructor: nothing, sizes, or indices and values (and the shape), in this tensor's dtype."""
        if size is not None:
            given = (size,)
        if len(given) in (2, 3) and all(isinstance(x, Tensor) for x in given[:2]):
            return torch.sparse_coo_tensor(*given)
        if len(given) == 1 and isinstance(given[0], list | tuple):
            if not isinstance(given[0], torch.Size):
                raise TypeError(
                    "SparseTensor.new(sequence) only accepts sizes.  Please use torch.sparse_coo_tensor() or construct a strided tensor and "
                    "convert it to sparse via to_sparse."
                )
            given = given[0]
        if not all(isinstance(n, int) for n in given):
            raise TypeError(
                f"new() received an invalid combination of arguments - got ({', '.join(type(x).__name__ for x in given)})"
            )
        return torch.sparse_coo_tensor(size=given or (0,), dtype=self.dtype)

    def is_inference(self):
        """Whether the values were made in inference mode."""
        return self._entries.is_inference()

    @property
    def grad(self):
        grad = None if self._entries.grad is None else self.like(self._entries.grad)
        with DisableTorchFunction():
            given = Tensor.grad.__get__(self)
        return grad if given is None else given if grad is None else given + grad

    @grad.setter
    def grad(self, value):
        if isinstance(value, Tensor) and value.layout is not self.layout:
            raise RuntimeError("attempting to assign a gradient to a tensor that has data of a different type")
        with DisableTorchFunction():
            Tensor.grad.__set__(self, value)  # (which may have other places than the tensor)
        self._entries.grad = None

    def __repr__(self, *, tensor_contents=None):
        start = "tensor("
        text = start + f",\n{' ' * len(start)}".join(
            [described_part(name, x.detach(), len(start)) for name, x in named_parts(self)]
        )
        notes = [f"size={tuple(self.shape)}", f"nnz={self._nnz()}"]
        default = torch.get_default_dtype() if self.dtype.is_floating_point else None
        if self.dtype not in (default, torch.int64, torch.bool):
            notes.append(f"dtype={self.dtype}")
        notes.append(f"layout={self._order}")
        if self.grad_fn is not None:
            notes.append(f"grad_fn=<{self.grad_fn.name()}>")
        elif self.requires_grad:
            notes.append("requires_grad=True")
        if self._order is torch.sparse_coo:  # (which begins a line)
            text += f",\n{' ' * len(start)}{notes.pop(0)}"
        return _with_notes(text, notes, len(start)) + ")"

    def __reduce_ex__(self, protocol):
        from rushlight._utils import _rebuild_sparse_tensor

        if self._order is torch.sparse_coo:
            data = (self._places, self._entries.detach(), self.shape, self._sorted)
        else:
            data = (*(x.detach() for _, x in named_parts(self)), self.shape)
        return _rebuild_sparse_tensor, (self._order, data)

    def __deepcopy__(self, memo):
        refuse_result(self)
        if id(self) in memo:
            return memo[id(self)]
        made = memo[id(self)] = self.clone() if not self.requires_grad else self.detach().clone().requires_grad_()
        if self.grad is not None:
            made.grad = copy.deepcopy(self.grad, memo)
        return made

    def __len__(self):
        return self.shape[0]


def described_part(name, x, indent):
    """The text of a part; the dtype is told once, of the whole."""
    start = f"{name}=tensor("
    return f"{start}{_contents(x, indent + len(start)) if x.numel() else f'[], size={tuple(x.shape)}'})"


def named_parts(x):
    """What a sparse tensor is made of, by the names of its layout."""
    if x._order is torch.sparse_coo:
        return [(INDICES, x._places), (VALUES, x._entries)]
    offsets, others, dim = COMPRESSED[x._order]
    counts = torch.bincount(x._places[dim], minlength=x.shape[dim])
    starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return [(offsets, starts), (others, x._places[1 - dim]), (VALUES, x._entries)]


def part(name, x):
    """One of the parts, with PyTorch's errors where the layout has none of that name."""
    found = dict(named_parts(x)).get(name) if isinstance(x, SparseTensor) else None
    if found is None:
        kind = {INDICES: "sparse coordinate", VALUES: "sparse"}.get(
            name, f"sparse {'row' if name in COMPRESSED[torch.sparse_csr] else 'column'} compressed"
        )
        raise RuntimeError(f"{name} expected {kind} tensor layout but got {layout_name(x)}")
    if x._order is torch.sparse_coo and not x._sorted:
        raise RuntimeError(f"Cannot get {name} on an uncoalesced tensor, please call .coalesce() first")
    return found


def layout_name(x):
    return {torch.sparse_coo: "Sparse", torch.sparse_csr: "SparseCsr", torch.sparse_csc: "SparseCsc"}.get(x.layout, "Strided")


def flat_places(indices, sizes):
    """Where places are in the order of memory of a dense tensor; errors for those outside."""
    for row, size in zip(indices, sizes):
        if row.numel() and not 0 <= int(row.min()) <= int(row.max()) < size:
            raise RuntimeError(f"sparse tensors: an index is out of range of a dimension of size {size}")
    flat = torch.zeros(indices.shape[1], dtype=torch.int64)
    for row, size in zip(indices, sizes):
        flat = flat * size + row
    return flat


def coalesced(x):
    """Each place once, in order, with the sum of its values."""
    sparse = x._places.shape[0]
    if x._sorted and x._nnz() > 1:
        return x
    flat = flat_places(x._places, x.shape[:sparse])  # (which looks at the places: of one entry nobody has)
    if x._sorted:
        return x
    order, inverse = torch.unique(flat, return_inverse=True)
    values = x._entries.new_zeros((order.numel(), *x._entries.shape[1:])).index_add(0, inverse, x._entries)
    rows = []
    for size in reversed(x.shape[:sparse]):
        rows.append(order % size)
        order = order // size
    places = torch.stack(rows[::-1]) if rows else x._places[:, : values.shape[0]]
    return SparseTensor(places, values, x.shape, True)


def dense(x):
    """What a sparse tensor stands for; others as they are."""
    if not isinstance(x, SparseTensor):
        return x
    sparse = x._places.shape[0]
    flat = flat_places(x._places, x.shape[:sparse])
    rest = x.shape[sparse:]
    lead = core.Size(x.shape[:sparse]).numel()
    return x._entries.new_zeros((lead, *rest)).index_add(0, flat, x._entries).reshape(x.shape)


def sparse(x, sparse_dim=None):
    """A dense tensor as a sparse one, of as many dimensions; the others stay whole in the values."""
    if isinstance(x, SparseTensor):
        return x if x._order is torch.sparse_coo else SparseTensor(*sorted_by(x, 0), x.shape, True)
    sparse_dim = x.dim() if sparse_dim is None else sparse_dim
    nonzero = x.detach() != 0
    if sparse_dim < x.dim():
        nonzero = nonzero.flatten(sparse_dim).any(-1)
    places = nonzero.nonzero().t()
    return SparseTensor(places, at_places(x, places), x.shape, True)


def at_places(x, places):
    """The values of a dense tensor at places of its leading dimensions: of none of these, all of it for each place."""
    return x[tuple(places)] if len(places) else x.expand(places.shape[1], *x.shape).contiguous()


def sorted_by(x, dim):
    """Places and values in the order of the rows (dim 0) or columns of a matrix."""
    x = coalesced(x)
    if dim == 0:
        order = torch.argsort(x._places[0] * x.shape[1] + x._places[1], stable=True)
    else:
        order = torch.argsort(x._places[1] * x.shape[0] + x._places[0], stable=True)
    return x._places[:, order], x._entries[order]


def compressed(x, layout):
    x = sparse(x)
    if x.dim() != 2 or x._places.shape[0] != 2:
        raise RuntimeError(f"to_sparse: layout {layout} is that of matrices here, got a tensor of {x.dim()} dimensions")
    return SparseTensor(*sorted_by(x, COMPRESSED[layout][2]), x.shape, True, layout)


def transposed(x, dim0, dim1):
    order = list(range(x.dim()))
    dim0, dim1 = core.wrap_dim(dim0, x.dim()), core.wrap_dim(dim1, x.dim())
    sparse_dim = x._places.shape[0]
    if max(dim0, dim1) >= sparse_dim:
        raise RuntimeError(
            f"sparse transpose: transposed dimensions must be sparse Got sparse_dim: {sparse_dim}, d0: {dim0}, d1: {dim1}"
        )
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return permuted(x, order[:sparse_dim])


def permuted(x, *dims):
    dims = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    order = [dim % x.dim() for dim in dims]
    if max(order, default=0) >= x._places.shape[0]:
        raise RuntimeError("sparse tensors: only sparse dimensions can be permuted")
    order += range(len(order), x.dim())
    places = x._places[order[: x._places.shape[0]]]
    layout = {torch.sparse_csr: torch.sparse_csc, torch.sparse_csc: torch.sparse_csr}.get(x._order, x._order)
    made = SparseTensor(places, x._entries, [x.shape[dim] for dim in order])
    return made if layout is torch.sparse_coo else compressed(made, layout)


def become(x, made, name):
    """`x` with the entries of what was made of it, in its own dtype."""
    if not core.can_cast(made.dtype, x.dtype):
        raise RuntimeError(
            f"Can't convert result type {made.dtype.legacy_name} to output {x.dtype.legacy_name} in {name} operation"
        )
    x._places, x._entries, x._sorted = made._places, made._entries.to(x.dtype), made._sorted
    return x


def copied_into(x, source, non_blocking=False):
    if isinstance(x, SparseTensor):
        source = sparse(source, x._places.shape[0])
        x._places, x._entries, x._sorted = source._places.clone(), source._entries.clone(), source._sorted
        return x
    return x.copy_(dense(source))


def written_to(out, made):
    """What was made; where `out` is given, that tensor, with its shape and elements."""
    if out is None:
        return made
    if not isinstance(out, SparseTensor):
        raise RuntimeError("_internal_get_SparseTensorImpl: not a sparse tensor")
    with DisableTorchFunction():
        out.set_(torch.zeros((), dtype=made.dtype).expand(made.shape))
    return copied_into(out, made)

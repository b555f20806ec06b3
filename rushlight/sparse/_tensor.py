"""Sparse tensors: where values stand, and the values. What is computed with them is written in ops of dense tensors, so derivatives follow."""

import re

import rushlight as torch
from rushlight import core
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
    def __new__(cls, indices, values, size, coalesced=False, layout=torch.sparse_coo):
        core.ask_subclasses()
        with DisableTorchFunction():
            # It has the shape and dtype of what it stands for, over the memory of one zero.
            made = Tensor._make_subclass(cls, torch.zeros((), dtype=values.dtype).expand(size))
        made._places, made._entries, made._sorted, made._order = indices, values, bool(coalesced), layout
        return made

    def like(self, values, coalesced=None):
        """The same places with other values."""
        return SparseTensor(self._places, values, self.shape, self._sorted if coalesced is None else coalesced, self._order)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        handler = HANDLERS.get(name)
        if handler is not None:
            return handler(*args, **(kwargs or {}))
        if name == "__get__":
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
    T = property(lambda self: transposed(self, 0, 1))
    mT = property(lambda self: transposed(self, -2, -1))
    data = property(lambda self: self.detach())

    @property
    def grad(self):
        grad = self._entries.grad
        return None if grad is None else self.like(grad)

    @grad.setter
    def grad(self, value):
        self._entries.grad = None if value is None else value._entries

    def __repr__(self, *, tensor_contents=None):
        parts = [f"{name}={indented(name, x.detach())}" for name, x in named_parts(self)]
        notes = [f"size={tuple(self.shape)}", f"nnz={self._nnz()}"]
        default = torch.get_default_dtype() if self.dtype.is_floating_point else None
        if self.dtype not in (default, torch.int64, torch.bool):
            notes.append(f"dtype={self.dtype}")
        notes.append(f"layout={self._order}")
        if self.grad_fn is not None:
            notes.append(f"grad_fn=<{self.grad_fn.name()}>")
        elif self.requires_grad:
            notes.append("requires_grad=True")
        return "tensor(" + ",\n       ".join([*parts, ", ".join(notes)]) + ")"

    def __reduce_ex__(self, protocol):
        from rushlight._utils import _rebuild_sparse_tensor

        if self._order is torch.sparse_coo:
            data = (self._places, self._entries.detach(), self.shape, self._sorted)
        else:
            data = (*(x.detach() for _, x in named_parts(self)), self.shape)
        return _rebuild_sparse_tensor, (self._order, data)

    def __deepcopy__(self, memo):
        return self.clone()

    def __len__(self):
        return self.shape[0]


def indented(name, x):
    """The text of a part; the dtype is told once, of the whole."""
    text = re.sub(r", dtype=torch\.\w+\)$", ")", str(x)) if x.numel() else f"tensor([], size={tuple(x.shape)})"
    return text.replace("\n", "\n" + " " * (len(name) + 8))


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
    if x._sorted:
        return x
    sparse = x._places.shape[0]
    flat = flat_places(x._places, x.shape[:sparse])
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
    return SparseTensor(places, x[tuple(places)] if sparse_dim else x.unsqueeze(0), x.shape, True)


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
    dim0, dim1 = order[dim0], order[dim1]
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return permuted(x, order)


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


def product(a, b):
    """The matrix product where one of both is sparse, or both."""
    if isinstance(a, SparseTensor) and isinstance(b, SparseTensor):
        return sparse(product(a, dense(b)))
    if isinstance(b, SparseTensor):
        if a.dim() == 1:
            return product(transposed(b, 0, 1), a)
        return product(transposed(b, 0, 1), a.transpose(0, 1)).transpose(0, 1)
    if a.dim() != 2 or a._places.shape[0] != 2:
        raise RuntimeError(
            f"sparse tensors: a product of matrices has two sparse dimensions, got a tensor of shape {tuple(a.shape)}"
        )
    if b.dim() not in (1, 2) or a.shape[1] != b.shape[0]:
        shapes = " and ".join(f"{x.shape[0]}x{x.shape[1] if x.dim() > 1 else 1}" for x in (a, b))
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({shapes})")
    if a.dtype is not b.dtype:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {a.dtype.legacy_name.lower()} != {b.dtype.legacy_name.lower()}"
        )
    rows, columns = a._places
    flat_places(a._places, a.shape)
    picked = b.index_select(0, columns)
    values = a._entries.reshape(-1, *(1,) * (b.dim() - 1))
    return picked.new_zeros((a.shape[0], *b.shape[1:])).index_add(0, rows, values * picked)


def added(a, b, *, alpha=1):
    if not isinstance(a, SparseTensor):
        return torch.add(a, dense(b), alpha=alpha)
    if not isinstance(b, SparseTensor):
        raise RuntimeError("add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
    if a.shape != b.shape:
        raise RuntimeError(f"add: expected sizes of 'self' and 'other' to match, but {list(a.shape)} != {list(b.shape)}")
    other = b._entries * alpha if alpha != 1 else b._entries
    layout = a._order
    both = coalesced(SparseTensor(torch.cat([a._places, b._places], 1), torch.cat([a._entries, other]), a.shape))
    return both if layout is torch.sparse_coo else compressed(both, layout)


def added_in_place(a, b, *, alpha=1):
    if not isinstance(a, SparseTensor):
        return a.add_(dense(b), alpha=alpha)
    made = added(a, b, alpha=alpha)
    a._places, a._entries, a._sorted = made._places, made._entries, made._sorted
    return a


def emptied(x):
    """Without entries: zero everywhere."""
    x._places, x._entries, x._sorted = x._places[:, :0], x._entries[:0].detach(), True
    return x


def subtracted(a, b, *, alpha=1):
    return added(a, b, alpha=-alpha)


def multiplied(a, b):
    if isinstance(a, SparseTensor) and isinstance(b, SparseTensor):
        a, b = coalesced(a), coalesced(b)
        return a.like(a._entries * dense(b)[tuple(a._places)])
    if not isinstance(a, SparseTensor):
        a, b = b, a
    if not isinstance(b, Tensor) or b.dim() == 0:
        return a.like(a._entries * b)
    return a.like(a._entries * b.broadcast_to(a.shape)[tuple(a._places)])


def divided(a, b, *, rounding_mode=None):
    if not isinstance(a, SparseTensor) or isinstance(b, SparseTensor) or (isinstance(b, Tensor) and b.dim()):
        raise RuntimeError("Sparse division requires a scalar or zero-dim dense tensor divisor")
    return a.like(torch.div(a._entries, b, rounding_mode=rounding_mode))


def summed(x, dim=None, keepdim=False, dtype=None):
    """Over all of it, a number; over some dimensions a sparse tensor of the others, dense where no sparse one is left."""
    values = x._entries if dtype is None else x._entries.to(dtype)
    if dim is None or dim == ():
        return values.sum()
    dims = {d % x.dim() for d in ((dim,) if isinstance(dim, int) else dim)}
    inner = [d - x._places.shape[0] + 1 for d in dims if d >= x._places.shape[0]]
    if inner:
        values = values.sum(inner)
    kept = [d for d in range(x._places.shape[0]) if d not in dims]
    size = [n for d, n in enumerate(x.shape) if d not in dims]
    return coalesced(SparseTensor(x._places[kept], values, size)) if kept else values.sum(0)


def softmax(x, dim, dtype=None, log=False):
    """Over the entries that stand in a line of the dimension; places without an entry count as minus infinity."""
    x = coalesced(x)
    dim %= x.dim()
    values = x._entries if dtype is None else x._entries.to(dtype)
    if dim >= x._places.shape[0]:
        values = torch.softmax(values, dim - x._places.shape[0] + 1)
        return x.like(values.log() if log else values)
    others = [d for d in range(x._places.shape[0]) if d != dim]
    lines = flat_places(x._places[others], [x.shape[d] for d in others])
    _, lines = torch.unique(lines, return_inverse=True)
    count = int(lines.max()) + 1 if lines.numel() else 0
    spread = lines.reshape(-1, *(1,) * (values.dim() - 1)).expand_as(values)
    highest = values.detach().new_full((count, *values.shape[1:]), -torch.inf).scatter_reduce(0, spread, values.detach(), "amax")
    shifted = values - highest[lines]
    total = torch.zeros_like(highest).index_add(0, lines, shifted.exp())[lines]
    return x.like(shifted - total.log() if log else shifted.exp() / total)


def selected(x, dim, index):
    """The slice at a place of a dimension."""
    dim %= x.dim()
    if not -x.shape[dim] <= index < x.shape[dim]:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(x.shape)} at dimension {dim}")
    size = [n for d, n in enumerate(x.shape) if d != dim]
    if dim >= x._places.shape[0]:
        return SparseTensor(x._places, x._entries.select(dim - x._places.shape[0] + 1, index), size, x._sorted)
    here = (x._places[dim] == index % x.shape[dim]).nonzero().reshape(-1)
    kept = [d for d in range(x._places.shape[0]) if d != dim]
    values = x._entries[here]
    return SparseTensor(x._places[kept][:, here], values, size, x._sorted) if kept else values.sum(0)


def index_selected(x, dim, index):
    return sparse(dense(x).index_select(dim, index), x._places.shape[0])


def picked(x, index):
    """x[index], for places of leading dimensions, whole slices, and what is left for dense tensors."""
    for at in index if isinstance(index, tuple) else (index,):
        if not (isinstance(at, int) or (isinstance(at, slice) and at == slice(None))):
            raise NotImplementedError(
                "sparse tensors are indexed by integers and whole slices; .to_dense() gives one that takes others"
            )
    dim = 0
    for at in index if isinstance(index, tuple) else (index,):
        if isinstance(at, int):
            x = selected(x, dim, at)
        else:
            dim += 1
    return x


def joined(tensors, dim=0):
    dim %= tensors[0].dim()
    places, start = [], 0
    for x in tensors:
        shift = torch.zeros(x._places.shape[0], 1, dtype=torch.int64)
        shift[dim] = start
        places.append(x._places + shift)
        start += x.shape[dim]
    size = [start if d == dim else n for d, n in enumerate(tensors[0].shape)]
    return SparseTensor(torch.cat(places, 1), torch.cat([x._entries for x in tensors]), size)


def stacked(tensors, dim=0):
    dim %= tensors[0].dim() + 1
    places = [torch.cat([x._places[:dim], torch.full_like(x._places[:1], i), x._places[dim:]]) for i, x in enumerate(tensors)]
    size = [*tensors[0].shape[:dim], len(tensors), *tensors[0].shape[dim:]]
    return SparseTensor(torch.cat(places, 1), torch.cat([x._entries for x in tensors]), size)


def masked(x, mask):
    """The values of a dense tensor at the places of a sparse one."""
    mask = coalesced(mask)
    return mask.like(x[tuple(mask._places)])


def converted(x, *args, **kwargs):
    layout = kwargs.pop("layout", None)
    made = x.like(x._entries.to(*args, **kwargs))
    return made if layout in (None, x._order) else sparse(made) if layout is torch.sparse_coo else compressed(made, layout)


def by_values(name, keeps_sums=False):
    """A function that makes zero of zero, applied to the values."""

    def applied(x, *args, **kwargs):
        x = x if keeps_sums else coalesced(x)
        return x.like(getattr(x._entries, name)(*args, **kwargs))

    return applied


def require_grad(x, requires_grad=True):
    x._entries.requires_grad_(requires_grad)
    return x


def mark_coalesced(x, coalesced):
    x._sorted = coalesced
    return x


def detached(x):
    return x.like(x._entries.detach())


def copied_into(x, source, non_blocking=False):
    if isinstance(x, SparseTensor):
        source = sparse(source, x._places.shape[0])
        x._places, x._entries, x._sorted = source._places.clone(), source._entries.clone(), source._sorted
        return x
    return x.copy_(dense(source))


ZERO_AT_ZERO = [
    "abs",
    "absolute",
    "asin",
    "arcsin",
    "asinh",
    "arcsinh",
    "atan",
    "arctan",
    "atanh",
    "arctanh",
    "ceil",
    "erf",
    "erfinv",
    "expm1",
    "floor",
    "frac",
    "isinf",
    "isnan",
    "log1p",
    "nan_to_num",
    "relu",
    "round",
    "sgn",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
    "fix",
    "pow",
    "__pow__",
    "isposinf",
    "isneginf",
    "signbit",
]
LINEAR = [
    "neg",
    "negative",
    "__neg__",
    "conj",
    "conj_physical",
    "positive",
    "__pos__",
    "double",
    "float",
    "half",
    "bfloat16",
    "int",
    "long",
    "short",
    "bool",
    "cpu",
]

HANDLERS.update(
    {
        **{name: by_values(name) for name in ZERO_AT_ZERO},
        **{name: by_values(name, True) for name in LINEAR},
        **dict.fromkeys(("mm", "matmul", "__matmul__", "mv", "spmm", "_sparse_mm", "smm"), product),
        **dict.fromkeys(("__rmatmul__",), lambda a, b: product(b, a)),
        **dict.fromkeys(("add", "__add__"), added),
        "add_": added_in_place,
        "__iadd__": added_in_place,
        "zero_": emptied,
        "__radd__": lambda a, b: added(b, a),
        **dict.fromkeys(("sub", "subtract", "__sub__"), subtracted),
        "__rsub__": lambda a, b: added(b, a, alpha=-1),
        **dict.fromkeys(("mul", "multiply", "__mul__", "__rmul__"), multiplied),
        **dict.fromkeys(("div", "divide", "true_divide", "__truediv__"), divided),
        "addmm": lambda x, a, b, *, beta=1, alpha=1: torch.add(beta * dense(x), product(a, b), alpha=alpha),
        "linear": lambda x, weight, bias=None: product(x, transposed(weight, 0, 1)) + (0 if bias is None else bias),
        "coalesce": coalesced,
        "is_coalesced": lambda x: x._sorted,
        "_coalesced_": mark_coalesced,
        "indices": lambda x: part(INDICES, x),
        "values": lambda x: part(VALUES, x),
        "_indices": lambda x: x._places,
        "_values": lambda x: x._entries,
        "_nnz": lambda x: x._places.shape[1],
        "sparse_dim": lambda x: x._places.shape[0],
        "dense_dim": lambda x: x.dim() - x._places.shape[0],
        **{name: lambda x, name=name: part(name, x) for names in COMPRESSED.values() for name in names[:2]},
        "to_dense": lambda x, dtype=None, *, masked_grad=None: dense(x if dtype is None else converted(x, dtype)),
        "to_sparse": lambda x, sparse_dim=None, *, layout=None, blocksize=None, dense_dim=None: (
            sparse(x) if layout in (None, torch.sparse_coo) else compressed(x, layout)
        ),
        "to_sparse_coo": sparse,
        "to_sparse_csr": lambda x, dense_dim=None: compressed(x, torch.sparse_csr),
        "to_sparse_csc": lambda x, dense_dim=None: compressed(x, torch.sparse_csc),
        "sparse_mask": masked,
        "t": lambda x: transposed(x, 0, 1),
        **dict.fromkeys(("transpose", "swapaxes", "swapdims"), transposed),
        "permute": permuted,
        "sum": summed,
        **dict.fromkeys(("softmax", "_sparse_softmax"), softmax),
        **dict.fromkeys(("log_softmax", "_sparse_log_softmax"), lambda x, dim, dtype=None: softmax(x, dim, dtype, True)),
        "linalg_vector_norm": lambda x, ord=2, *_, **__: torch.linalg.vector_norm(coalesced(x)._entries, ord),
        "norm": lambda x, p="fro", dim=None, keepdim=False, dtype=None: coalesced(x)._entries.norm(p),
        "select": selected,
        "index_select": index_selected,
        "__getitem__": picked,
        "unbind": lambda x, dim=0: tuple(selected(x, dim, i) for i in range(x.shape[dim])),
        "__iter__": lambda x: iter([selected(x, 0, i) for i in range(x.shape[0])]),
        **dict.fromkeys(("cat", "concat", "concatenate"), joined),
        "stack": stacked,
        "to": converted,
        "type_as": lambda x, other: converted(x, other.dtype),
        "clone": lambda x, *, memory_format=None: SparseTensor(
            x._places.clone(), x._entries.clone(), x.shape, x._sorted, x._order
        ),
        "detach": detached,
        "requires_grad_": require_grad,
        "copy_": copied_into,
        "zeros_like": lambda x, **_: SparseTensor(x._places[:, :0], x._entries[:0].detach(), x.shape, True, x._order),
        "_is_view": lambda x: False,
        "is_floating_point": lambda x: x.dtype.is_floating_point,
        "is_complex": lambda x: x.dtype.is_complex,
    }
)

GEOMETRY = [
    "size",
    "dim",
    "numel",
    "nelement",
    "ndimension",
    "stride",
    "element_size",
    "get_device",
    "is_contiguous",
    "storage_offset",
]
"""Questions that the tensor of zeros answers, which it is to the core."""

for _name, _handler in HANDLERS.items():
    if hasattr(Tensor, _name):
        setattr(SparseTensor, _name, _handler)


def _of_zeros(name):
    def ask(x, *args, **kwargs):
        with DisableTorchFunction():
            return getattr(Tensor, name)(x, *args, **kwargs)

    return ask


HANDLERS.update({name: _of_zeros(name) for name in GEOMETRY})

"""What functions and methods of torch do with sparse tensors: `TABLE`, by their names."""

import rushlight as torch
from rushlight.core import DisableTorchFunction, Tensor, documented
from rushlight.sparse._parts import cut, flipped, index_selected, joined, lifted, masked, picked, selected, stacked
from rushlight.sparse._products import of_rows, product, product_as_sparse, sparse_sum
from rushlight.sparse._tensor import (
    COMPRESSED,
    HANDLERS,
    INDICES,
    VALUES,
    SparseTensor,
    become,
    coalesced,
    compressed,
    copied_into,
    dense,
    flat_places,
    layout_name,
    part,
    permuted,
    sparse,
    transposed,
    written_to,
)


def added(a, b, *, alpha=1):
    if not isinstance(a, SparseTensor):
        return torch.add(a, dense(b), alpha=alpha)
    if not isinstance(b, SparseTensor):
        raise RuntimeError("add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
    if a.shape != b.shape:
        raise RuntimeError(f"add: expected sizes of 'self' and 'other' to match, but {list(a.shape)} != {list(b.shape)}")
    dtype, layout = torch.promote_types(a.dtype, b.dtype), a._order
    other = b._entries.to(dtype)
    other = torch.add(torch.zeros_like(other), other, alpha=alpha) if alpha != 1 else other
    both = SparseTensor(torch.cat([a._places, b._places], 1), torch.cat([a._entries.to(dtype), other]), a.shape)
    if layout is not torch.sparse_coo or (a._sorted and b._sorted):
        both = coalesced(both)
        return both if layout is torch.sparse_coo else compressed(both, layout)
    # (Places that occur several times still may; where values have no gaps PyTorch goes through both in their order.)
    return in_step(both, a._entries.shape[0]) if a._entries.is_contiguous() and b._entries.is_contiguous() else both


def in_step(both, count):
    """The first `count` entries and those behind them, always that of the two which stands first; one where both stand in one place."""
    places = flat_places(both._places, both.shape).tolist()
    left, right = iter(places[:count]), iter(places[count:])
    first, second, to, taken = next(left, None), next(right, None), ([], []), []
    while first is not None or second is not None:
        place = min(each for each in (first, second) if each is not None)
        goes = first == place, second == place
        for side in (0, 1):
            if goes[side]:
                to[side].append(len(taken))
        taken.append(len(to[0]) - 1 if goes[0] else count + len(to[1]) - 1)
        first = next(left, None) if goes[0] else first
        second = next(right, None) if goes[1] else second
    values = both._entries.new_zeros((len(taken), *both._entries.shape[1:]))
    values = values.index_add(0, torch.tensor(to[0] + to[1], dtype=torch.int64), both._entries)
    return SparseTensor(both._places[:, taken], values, both.shape)


def added_in_place(a, b, *, alpha=1):
    if not isinstance(a, SparseTensor):
        return a.add_(dense(b), alpha=alpha)
    return become(a, added(a, b, alpha=alpha), "add")


def emptied(x):
    """Without entries: zero everywhere."""
    x._places, x._entries, x._sorted = x._places[:, :0], x._entries[:0].detach(), True
    return x


def replacing(made_of, name, of_dense=None):
    """The form in place of a function: the tensor becomes what that makes of it. Dense ones have `of_dense`."""

    def write(x, *args, **kwargs):
        if not isinstance(x, SparseTensor):
            return getattr(x, of_dense)(*(dense(value) for value in args), **kwargs)
        if x.requires_grad and x.is_leaf and torch.is_grad_enabled():
            raise documented(
                RuntimeError("a leaf Variable that requires grad is being used in an in-place operation."), "leaf_in_place"
            )
        return become(x, made_of(x, *args, **kwargs), name)

    return write


def written_by_number(name, made_of):
    """Division in place: by a number the values themselves are written."""

    def write(x, other, **options):
        if isinstance(x, SparseTensor) and not (isinstance(other, Tensor) and (other.dim() or isinstance(other, SparseTensor))):
            getattr(x._entries, name)(other, **options)
            return x
        return replacing(made_of, "div")(x, other, **options) if isinstance(x, SparseTensor) else made_of(x, other, **options)

    return write


def values_written(name):
    """What makes zero of zero, in place: the values are written, of places that occur once."""
    once = name.removesuffix("_") not in LINEAR.split()

    def write(x, *args, **kwargs):
        if once and not x._sorted:
            raise RuntimeError(f"{name} requires coalesced input")
        getattr(x._entries, name)(*args, **kwargs)
        return x

    return write


def turned(made_of):
    """The form in place of a transposition: the sizes are exchanged too."""
    write = replacing(made_of, "transpose")

    def turn(x, *dims):
        if x._order is not torch.sparse_coo:
            name = layout_name(x)
            raise RuntimeError(f"torch.transpose_: in-place transposition is not supported for {name} layout")
        write(x, *dims)
        if x.dim() > 1:
            with DisableTorchFunction():
                Tensor.transpose_(x, *(dims or (0, 1)))
        return x

    return turn


def resized_as(x, other, *, memory_format=None):
    """A sparse tensor without elements takes the shape of another; one with elements keeps its own."""
    if not isinstance(x, SparseTensor) or not isinstance(other, SparseTensor):
        raise RuntimeError("resize_as_sparse_: self and other must both be sparse")
    if x.shape == other.shape:
        return x
    if x._entries.shape[0]:
        raise NotImplementedError("resize_as_: a sparse tensor with elements keeps its shape")
    return written_to(x, without_entries(other, dtype=x.dtype))


def without_entries(x, size=None, dtype=None, requires_grad=False):
    """A tensor of zeros alone, of x's layout."""
    size, dtype = x.shape if size is None else size, x.dtype if dtype is None else dtype
    made = torch.sparse_coo_tensor(size, dtype=dtype, requires_grad=requires_grad)
    return made if x._order is torch.sparse_coo else compressed(made, x._order)


def without_format(make):
    def like(x, *, memory_format=None, **options):
        if memory_format is not None:
            raise RuntimeError("memory format option is only supported by strided tensors")
        return make(x, **options)

    return like


def as_array(x, *args, **kwargs):
    kind = "Sparse" + x._order.__repr__().removeprefix("torch.sparse_").removeprefix("coo").capitalize()
    raise TypeError(f"can't convert {kind} layout tensor to numpy. Use Tensor.to_dense() first.")


def refusing(error):
    """A method that dense tensors alone have."""

    def refuse(*args, **kwargs):
        raise error

    return refuse


def subtracted(a, b, *, alpha=1):
    if a.dtype is torch.bool or (isinstance(b, Tensor) and b.dtype is torch.bool):
        torch.empty(0, dtype=a.dtype) - (torch.empty(0, dtype=b.dtype) if isinstance(b, Tensor) else b)
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
        shape = f" (got shape {list(b.shape)} for divisor)" if isinstance(b, Tensor) else ""
        raise RuntimeError(f"Sparse division requires a scalar or zero-dim dense tensor divisor{shape}")
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


def made_dense(x, dtype=None, *, masked_grad=None):
    if dtype is not None:
        if not isinstance(dtype, torch.dtype):
            raise TypeError(f"to_dense(): argument 'dtype' (position 1) must be torch.dtype, not {type(dtype).__name__}")
        raise RuntimeError("dtype argument is not supported by sparse_to_dense")
    return dense(x)


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


def grad_by(outputs, inputs, *given, **options):
    """torch.autograd.grad of dense outputs: the gradient by a sparse input stands where its values do."""
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    found = torch.autograd.grad(outputs, [x._entries if isinstance(x, SparseTensor) else x for x in inputs], *given, **options)
    pairs = zip(inputs, found, strict=True)
    return tuple(x.like(g) if isinstance(x, SparseTensor) and g is not None else g for x, g in pairs)


def mark_coalesced(x, coalesced):
    x._sorted = coalesced
    return x


def replaced_entries(x, values):
    x._entries = values
    return x


def detached(x):
    return x.like(x._entries.detach())


def of_strides(name):
    """The same, which tensors of compressed layouts do not have."""

    def ask(x, *args, **kwargs):
        if x._order in COMPRESSED:
            raise RuntimeError(f"Sparse CSR tensors do not have {name}")
        return of_zeros(name[:-1] if name == "strides" else name)(x, *args, **kwargs)

    return ask


def of_zeros(name):
    """A question that the tensor of zeros answers, which it is to the core."""

    def ask(x, *args, **kwargs):
        with DisableTorchFunction():
            return getattr(Tensor, name)(x, *args, **kwargs)

    return ask


ZERO_AT_ZERO = """
abs absolute asin arcsin asinh arcsinh atan arctan atanh arctanh ceil erf erfinv expm1 floor frac isinf isnan log1p nan_to_num relu round sgn sign
sin sinh sqrt square tan tanh trunc fix deg2rad rad2deg pow __pow__ isposinf isneginf signbit
"""
LINEAR = "neg negative __neg__ conj conj_physical positive __pos__ double float half bfloat16 int long short bool cpu"
IN_PLACE = """
abs absolute asin arcsin asinh arcsinh atan arctan atanh arctanh ceil erf erfinv expm1 floor frac log1p nan_to_num relu round sgn sign sin sinh sqrt
square tan tanh trunc fix deg2rad rad2deg neg negative conj_physical
"""
GEOMETRY = "size dim numel nelement ndimension element_size get_device storage_offset"

TABLE = {
    "mm matmul __matmul__ mv spmm dsmm _sparse_mm": product,
    "hspmm hsmm": of_rows,
    "smm": product_as_sparse,
    "sspaddmm saddmm": sparse_sum,
    "__rmatmul__": lambda a, b: product(b, a),
    "add __add__": added,
    "add_ __iadd__": added_in_place,
    "zero_": emptied,
    "resize_as_ resize_as_sparse_": resized_as,
    "sub_ subtract_ __isub__": replacing(lambda a, b, *, alpha=1: subtracted(a, b, alpha=alpha), "add", "sub_"),
    "mul_ multiply_ __imul__": replacing(lambda a, b: multiplied(a, b), "mul", "mul_"),
    "div_ divide_ true_divide_ __itruediv__": written_by_number("div_", lambda a, b, **options: divided(a, b, **options)),
    "floor_divide __floordiv__": lambda a, b: divided(a, b, rounding_mode="floor"),
    "floor_divide_ __ifloordiv__": written_by_number("floor_divide_", lambda a, b: divided(a, b, rounding_mode="floor")),
    "detach_": lambda x: replaced_entries(x, x._entries.detach()),
    "unsqueeze": lifted,
    "narrow_copy": cut,
    "any": lambda x: coalesced(x)._entries.any(),
    "empty_like": without_format(lambda x, dtype=None, **_: without_entries(x, dtype=dtype)),
    "new_zeros new_empty": lambda x, *size, dtype=None, requires_grad=False, **_: without_entries(
        x, size[0] if len(size) == 1 and not isinstance(size[0], int) else size, dtype, requires_grad
    ),
    "new_tensor": lambda x, data, *, dtype=None, **options: torch.tensor(data, dtype=dtype or x.dtype, **options),
    "item": lambda x: dense(x).item(),
    "is_nonzero": lambda x: dense(x).is_nonzero(),
    "__dlpack__": refusing(BufferError("Can't export tensors with layout other than torch.strided")),
    "numpy __array__": as_array,
    "reshape": refusing(RuntimeError("reshape is not implemented for sparse tensors")),
    "data_ptr tolist": refusing(RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")),
    "storage untyped_storage share_memory_": refusing(NotImplementedError("Cannot access storage of SparseTensorImpl")),
    "cuda": refusing(AssertionError("Torch not compiled with CUDA enabled")),
    "pin_memory": refusing(RuntimeError("Cannot access accelerator device when none is available.")),
    "is_conj": lambda x: x._entries.is_conj(),
    "is_neg": lambda x: x._entries.is_neg(),
    "stride": of_strides("strides"),
    "is_contiguous": of_strides("is_contiguous"),
    "__radd__": lambda a, b: added(b, a),
    "sub subtract __sub__": subtracted,
    "__rsub__": lambda a, b: subtracted(b, a),
    "mul multiply __mul__ __rmul__": multiplied,
    "div divide true_divide __truediv__": divided,
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
    "to_dense": made_dense,
    "to_sparse": lambda x, sparse_dim=None, *, layout=None, blocksize=None, dense_dim=None: (
        sparse(x) if layout in (None, torch.sparse_coo) else compressed(x, layout)
    ),
    "to_sparse_coo": sparse,
    "to_sparse_csr": lambda x, dense_dim=None: compressed(x, torch.sparse_csr),
    "to_sparse_csc": lambda x, dense_dim=None: compressed(x, torch.sparse_csc),
    "sparse_mask": masked,
    "t": flipped,
    "t_": turned(lambda x: flipped(x, "t_")),
    "transpose swapaxes swapdims": transposed,
    "transpose_ swapaxes_ swapdims_": turned(transposed),
    "permute": permuted,
    "sum": summed,
    "softmax _sparse_softmax": softmax,
    "log_softmax _sparse_log_softmax": lambda x, dim, dtype=None: softmax(x, dim, dtype, True),
    "linalg_vector_norm": lambda x, ord=2, *_, **__: torch.linalg.vector_norm(coalesced(x)._entries, ord),
    "norm": lambda x, p="fro", dim=None, keepdim=False, dtype=None: coalesced(x)._entries.norm(p),
    "select": selected,
    "index_select": index_selected,
    "__getitem__": picked,
    "unbind": lambda x, dim=0: tuple(selected(x, dim, i) for i in range(x.shape[dim])),
    "__iter__": lambda x: iter([selected(x, 0, i) for i in range(x.shape[0])]),
    "cat concat concatenate": joined,
    "stack": stacked,
    "to": converted,
    "type_as": lambda x, other: converted(x, other.dtype),
    "clone": lambda x, *, memory_format=None: SparseTensor(x._places.clone(), x._entries.clone(), x.shape, x._sorted, x._order),
    "detach": detached,
    "requires_grad_": require_grad,
    "copy_": copied_into,
    "zeros_like": without_format(lambda x, **_: SparseTensor(x._places[:, :0], x._entries[:0].detach(), x.shape, True, x._order)),
    "_is_view": lambda x: False,
    "is_floating_point": lambda x: x.dtype.is_floating_point,
    "is_complex": lambda x: x.dtype.is_complex,
    **{name: by_values(name) for name in ZERO_AT_ZERO.split()},
    **{name: by_values(name, True) for name in LINEAR.split()},
    **{f"{name}_": values_written(f"{name}_") for name in IN_PLACE.split()},
}
"""Functions and methods of the names in a key do what stands behind it; those of GEOMETRY are asked of the zeros."""

for _names, _handler in TABLE.items():
    for _name in _names.split():
        HANDLERS[_name] = _handler
        if hasattr(Tensor, _name):
            setattr(SparseTensor, _name, _handler)
HANDLERS["grad"] = grad_by
HANDLERS.update({name: of_zeros(name) for name in GEOMETRY.split()})

"""A tensor with a mask, and what the functions of the package make of one."""

import functools

import rushlight as torch
from rushlight import core, masked
from rushlight.core import Tensor
from rushlight.ops import declare_all, namespaces, table

__all__ = ["MaskedTensor", "is_masked_tensor"]

words = str.split

REDUCTIONS = frozenset(words("sum mean amin amax argmin argmax prod all norm var std"))
MOVED = frozenset(
    words(
        "select transpose split t view reshape expand unsqueeze unfold clone contiguous detach cat stack narrow chunk unflatten flatten "
        "__getitem__ __deepcopy__"
    )
)
OPERATORS = {
    **{f"__{name}__": name for name in words("add sub mul pow neg abs eq ne lt le gt ge")},
    **{f"__r{name}__": name for name in words("add sub mul")},
    **dict.fromkeys(words("__truediv__ __rtruediv__"), "div"),
    "__invert__": "bitwise_not",
}
CONVERTED = frozenset(words("to to_dense float double half int long bool type type_as bfloat16"))


def is_masked_tensor(obj, /) -> bool:
    """Whether `obj` is a tensor with a mask.

    >>> import rushlight as torch
    >>> torch.masked.is_masked_tensor(torch.ones(2))
    False
    """
    return isinstance(obj, MaskedTensor)


def equal_masks(a, b):
    return a.shape == b.shape and torch.equal(a, b)


def _tensors_match(a, b, exact=True, rtol=1e-05, atol=1e-08):
    """Whether ordinary tensors of one layout have the same elements, or nearly those."""
    if is_masked_tensor(a) or is_masked_tensor(b):
        raise ValueError("Neither `a` nor `b` can be a MaskedTensor.")
    if a.layout != b.layout:
        raise ValueError(f"`a` and `b` must have the same layout. Got {a.layout} and {b.layout}")
    b = b.to(a.dtype)
    if a.layout is not torch.strided:
        a, b = a.to_dense(), b.to_dense()
    if exact:
        return a.dim() == b.dim() and bool(torch.eq(a, b).all())
    return a.dim() == b.dim() and torch.allclose(a, b, rtol=rtol, atol=atol)


def _masks_match(a, b):
    """Whether tensors with masks have the same one; others match."""
    return not (is_masked_tensor(a) and is_masked_tensor(b)) or _tensors_match(a.get_mask(), b.get_mask(), exact=True)


class MaskedTensor(Tensor):
    """A tensor of which only those elements count where a mask is True: reductions leave the others out.

    Functions that know nothing of masks raise a TypeError. `masked_tensor` and `as_masked_tensor` make one.

    Args:
        data: The elements.
        mask: Booleans of its shape.
        requires_grad: Whether gradients are recorded.

    >>> import rushlight as torch
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     x = torch.masked.MaskedTensor(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([True, False, True]))
    >>> x
    MaskedTensor(
      [  1.0000,       --,   3.0000]
    )
    """

    def __new__(cls, data, mask, requires_grad=False):
        if is_masked_tensor(data) or not isinstance(data, Tensor):
            raise TypeError("data must be a Tensor")
        if is_masked_tensor(mask) or not isinstance(mask, Tensor):
            raise TypeError("mask must be a Tensor")
        core.warn_user(
            "The PyTorch API of MaskedTensors is in prototype stage and will change in the near future. Please open a Github issue for "
            "features requests and see our documentation on the torch.masked module for further information about the project.",
            UserWarning,
        )
        if data.requires_grad:
            core.warn_user(
                "It is not recommended to create a MaskedTensor with a tensor that requires_grad. To avoid this, you can use data.detach().clone()",
                UserWarning,
            )
        if data.layout != mask.layout:
            raise TypeError("data and mask must have the same layout.")
        if data.layout is not torch.strided:
            raise TypeError(f"data layout of {data.layout} is not supported.")
        if mask.dtype is not torch.bool:
            raise TypeError("mask must have dtype bool.")
        if data.is_complex():
            raise TypeError(f"{data.dtype} is not supported in MaskedTensor.")
        if data.dim() != mask.dim():
            raise ValueError("data.dim() must equal mask.dim()")
        if data.size() != mask.size():
            raise ValueError("data.size() must equal mask.size()")
        if requires_grad and not (data.is_floating_point() or data.is_complex()):
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        made = made_of(data, mask)
        with core.DisableTorchFunction():
            return made.requires_grad_() if requires_grad else made

    @property
    def _masked_data(self):
        return self.as_subclass(Tensor)

    def get_data(self):
        """The elements, those that do not count among them."""
        return self._masked_data

    def get_mask(self):
        """Which elements count."""
        return self._masked_mask

    def to_tensor(self, value):
        """The elements as an ordinary tensor, with `value` where none counts."""
        return self._masked_data.masked_fill(~self._masked_mask, value)

    def __repr__(self):
        with core.DisableTorchFunction():
            return text_of(self._masked_data.detach(), self._masked_mask)

    __str__ = __repr__

    def __format__(self, spec):
        return repr(self)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        with core.DisableTorchFunction():
            if func in (Tensor.grad.__get__, Tensor._grad.__get__):
                grad = func(*args)
                return grad if grad is None else made_of(grad, args[0]._masked_mask)
            if name == "__get__" or func in (
                Tensor._is_view,
                Tensor.data_ptr,
                Tensor.is_contiguous,
                Tensor.requires_grad_,
                Tensor.size,
                Tensor.dim,
                Tensor.stride,
                Tensor.numel,
                Tensor.backward,
                Tensor.as_subclass,
            ):
                return func(*args, **kwargs)
            made = answer(func, name, args, kwargs)
        if made is NotImplemented:
            raise TypeError(
                f"Multiple dispatch failed for 'torch._ops.aten.{name}.default'; all __torch_dispatch__ handlers returned NotImplemented:\n\n"
                f"  - tensor subclass {cls}\n\nFor more information, try re-running with TORCH_LOGS=not_implemented"
            )
        return made


MaskedTensor.__module__ = "torch.masked.maskedtensor.core"


def made_of(data, mask):
    with core.DisableTorchFunction():
        made = data.as_subclass(MaskedTensor)
        made._masked_mask = mask
    return made


def data_of(value):
    if isinstance(value, (list, tuple)):
        return type(value)(data_of(item) for item in value)
    return value.as_subclass(Tensor) if is_masked_tensor(value) else value


def mask_of(value):
    if isinstance(value, (list, tuple)):
        return type(value)(mask_of(item) for item in value)
    return value._masked_mask if is_masked_tensor(value) else value


def with_mask(data, mask):
    """Results with their masks, one by one."""
    if isinstance(data, (list, tuple)):
        return type(data)(with_mask(x, m) for x, m in zip(data, mask))
    return made_of(data, mask)


def answer(func, name, args, kwargs):
    """What a function makes of tensors with masks: NotImplemented where it knows nothing of these."""
    plain = OPERATORS.get(name, name.removesuffix("_"))
    if plain in elementwise():
        return element_by_element(func, args, kwargs, name.endswith("_") and not name.startswith("__"))
    if name in REDUCTIONS and is_masked_tensor(args[0]):
        return reduced(name, *args, **kwargs)
    if name in MOVED:
        return with_mask(
            func(*data_of(args), **kwargs),
            mask_of(args)[0] if name == "detach" else func(*mask_of(args), **kwargs),
        )
    if name in CONVERTED:
        return made_of(func(*data_of(args), **kwargs), args[0]._masked_mask)
    if name == "_is_any_true":
        return made_of((data_of(args[0]) & mask_of(args[0])).any(), torch.tensor(True))
    if name in ("ones_like", "empty_like"):
        return made_of(func(data_of(args[0]), **kwargs), args[0]._masked_mask)
    if name in ("softmax", "log_softmax") and len(args) > 1:
        return made_of(getattr(masked, name)(data_of(args[0]), args[1], mask=args[0]._masked_mask), args[0]._masked_mask)
    if name == "where" and len(args) == 3:
        condition, a, b = args
        return made_of(torch.where(condition, data_of(a), data_of(b)), torch.where(condition, mask_of(a), mask_of(b)))
    return NotImplemented


@functools.cache
def elementwise():
    """The names of functions of `torch` that compute element by element, of one tensor or two."""
    from rushlight.masked.maskedtensor.binary import BINARY_NAMES
    from rushlight.masked.maskedtensor.unary import UNARY_NAMES

    declare_all()
    found = {
        name
        for name, op in table.items()
        if type(op) is core.PointwiseOp and sum(value is core.MISSING for value in op.defaults) < 3
    }
    return (found & {*namespaces["torch"]}) | {*UNARY_NAMES, *BINARY_NAMES}


def element_by_element(func, args, kwargs, in_place):
    masks = [value._masked_mask for value in args[:2] if is_masked_tensor(value)]
    if len(masks) == 2 and not equal_masks(*masks):
        raise ValueError("Input masks must match. If you need support for this, please open an issue on Github.")
    made = func(*data_of(args), **kwargs)
    return args[0] if in_place else made_of(made, masks[0])


def reduced(name, x, dim=None, keepdim=False, dtype=None, **more):
    data, mask = x.as_subclass(Tensor), x._masked_mask
    dims = tuple(range(data.ndim)) if dim is None else dim
    kept = (
        mask.any()
        if dim is None and not keepdim
        else mask.any(dims, keepdim)
        if not isinstance(dims, tuple)
        else torch.any(mask, dims, keepdim)
    )
    if name == "all":
        made = (data.bool() | ~mask).all() if dim is None else (data.bool() | ~mask).all(dim, keepdim)
        return made_of(made, kept)
    if name == "norm":
        more = {"ord": more.pop("p", 2.0), **more}
    made = getattr(masked, name)(data, dim=dim, keepdim=keepdim, dtype=dtype, mask=mask, **more)
    return made_of(made if dtype is not None else made.to(data.dtype), kept)


def text_of(data, mask):
    if data.dim() == 0:
        return f"MaskedTensor({number_text(data.item()) if mask else '--'}, {mask.item()})"
    inside = "\n".join("  " + line for line in lines_of(data.tolist(), mask.tolist(), data.dim()))
    return f"MaskedTensor(\n{inside}\n)"


def number_text(value):
    return f"{value:8.4f}" if isinstance(value, (float, complex)) else str(value)


def lines_of(values, mask, dims):
    """The lines of nested lists of numbers."""
    if dims == 1:
        return ["[" + ", ".join(number_text(value) if counts else "--".rjust(8) for value, counts in zip(values, mask)) + "]"]
    lines = ["["]
    for place, (row, row_mask) in enumerate(zip(values, mask)):
        inside = ["  " + line for line in lines_of(row, row_mask, dims - 1)]
        if place < len(values) - 1:
            inside[-1] += ","
        lines += inside
    return [*lines, "]"]

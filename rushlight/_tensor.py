"""What a tensor does beside computing: backward, printing, copying, pickling, and meeting other libraries."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from types import FunctionType

from rushlight import _dlpack, _utils, autograd, core
from rushlight._handles import RemovableHandle, added_hook
from rushlight._overridable import overridable
from rushlight._printing import tensor_text
from rushlight.core import Tensor, warn_user
from rushlight.storage import typed_storage


def backward(
    self,
    gradient: "Tensor | None" = None,
    retain_graph: "bool | None" = None,
    create_graph: bool = False,
    inputs: "Tensor | Sequence[Tensor] | None" = None,
) -> None:
    """Computes the gradients of this tensor with respect to the leaves of its graph and adds them to their `.grad`.

    Args:
        gradient: The cotangent, of this tensor's shape; may be left out for a tensor of one element.
        retain_graph: Keep what was saved, for another backward through the same graph (default: `create_graph`).
        create_graph: Record the derivative itself, for higher orders.
        inputs: Only these tensors' `.grad` is added to.

    >>> import rushlight
    >>> x = rushlight.tensor(3., requires_grad=True)
    >>> (x ** 2).backward()
    >>> x.grad
    tensor(6.)
    """
    if gradient is None and inputs is None and create_graph is False and core.run_backward_from_scalar(self, retain_graph):
        return
    if core.transform_depth():
        raise RuntimeError(
            "backward() called inside a functorch transform. This is not supported, please use functorch.grad or functorch.vjp instead or call "
            "backward() outside of functorch transforms."
        )
    autograd.backward(self, gradient, retain_graph, create_graph, inputs=inputs)


def register_hook(self, hook: "Callable[[Tensor], Tensor | None]") -> "RemovableHandle":
    """Calls `hook(gradient)` whenever the gradient of this tensor is computed; what it returns (if not None) replaces it.

    Args:
        hook: a function of a tensor. The handle that is returned takes it away: `handle.remove()`.

    >>> import rushlight as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> handle = x.register_hook(lambda gradient: 10 * gradient)
    >>> x.sum().backward()
    >>> x.grad
    tensor([10., 10.])
    """
    return added_hook(core.hooks_of(self), hook)


def register_post_accumulate_grad_hook(self, hook: "Callable[[Tensor], None]") -> "RemovableHandle":
    """Calls `hook(tensor)` after backward has added to `.grad` of this leaf.

    Args:
        hook: a function of this tensor. The handle that is returned takes it away: `handle.remove()`.

    >>> import rushlight as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> handle = x.register_post_accumulate_grad_hook(lambda x: print(x.grad))
    >>> x.sum().backward()
    tensor([1., 1.])
    """
    return added_hook(core.hooks_of(self, True), hook)


def representation(self, *, tensor_contents=None):
    """The text that print shows."""
    if type(self) is not Tensor or core.function_modes():
        handled = core.dispatch_torch_function(Tensor.__repr__, (self,), (self,), {"tensor_contents": tensor_contents})
        if handled is not NotImplemented:
            return handled
    return tensor_text(self, tensor_contents=tensor_contents)


def formatted(self, specification: str) -> str:
    """format(x, '.3f'): of the number that a 0-d tensor holds."""
    if self.ndim == 0 and not self.is_meta and type(self) in (Tensor, core.Wrapped):
        return self.item().__format__(specification)
    return object.__format__(self, specification)


def counted_once(made):
    """A tensor that was put on memory after it was made: it shares its version with no other, and that was one write."""
    made = made.data
    core.set_version(made, 1)
    return made


def _rebuild_from_type_v2(func, new_type, args, state):
    """A tensor of a subclass, or with attributes, from its pickle."""
    made = func(*args)
    made = made if type(made) is new_type else made.as_subclass(new_type)
    if hasattr(new_type, "__setstate__"):
        made.__setstate__(state)
        return made
    return _utils._set_obj_state(made, state)


def warn_of_hooks(self):
    """Hooks are not pickled; those that their owner knows to be so are marked."""
    for hook in (self._backward_hooks or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warn_user(
                f"backward hook {hook!r} on tensor will not be serialized.  If this is expected, you can decorate the function with "
                "@torch.utils.hooks.unserializable_hook to suppress this warning"
            )


def is_held_elsewhere(self):
    """Whether the elements of a tensor are not in its memory: its class computes with what it holds besides."""
    return type(self).__torch_dispatch__ is not core.disabled_torch_dispatch and self.data_ptr() == 0


def reduce(self, protocol):
    """What pickle stores: the storage (shared by views), the place in it, and whether gradients are wanted."""
    core.refuse_storage(self)
    if type(self) is core.Wrapped:
        return reduce(self.level.read(self, "pickle"), protocol)
    state = _utils._get_obj_state(self)
    if type(self) is not Tensor:
        handled = core.dispatch_torch_function(Tensor.__reduce_ex__, (self,), (self, protocol), {})
        if handled is not NotImplemented:
            return handled
    warn_of_hooks(self)
    if is_held_elsewhere(self):
        place = self.storage_offset(), self.layout, self.device, self.requires_grad
        rebuilt = type(self), self.dtype, tuple(self.size()), self.stride(), *place
        return _rebuild_from_type_v2, (_utils._rebuild_wrapper_subclass, type(self), rebuilt, state)
    if self.is_meta:
        arguments = self.dtype, tuple(self.size()), self.stride(), self.requires_grad
        return _pickled(self, state, _utils._rebuild_meta_tensor_no_storage, arguments)
    # Storages of dtypes that came late have no class that would tell the dtype.
    rebuild, storage, *dtype = (
        (_utils._rebuild_tensor_v2, typed_storage(self))
        if self.dtype.has_classes
        else (_utils._rebuild_tensor_v3, core.storage_of(self), self.dtype)
    )
    arguments = (
        storage,
        self.storage_offset(),
        tuple(self.size()),
        self.stride(),
        self.requires_grad,
        OrderedDict(),  # where older versions kept hooks
        *dtype,
    )
    marks = {"conj": self.is_conj(), "neg": self.is_neg()}
    if any(marks.values()):
        arguments += ({mark: True for mark, is_set in marks.items() if is_set},)
    return _pickled(self, state, rebuild, arguments)


def _pickled(self, state, rebuild, arguments):
    """A function that makes a tensor and its arguments, with the tensor's type and attributes where those are not every tensor's."""
    if type(self) is Tensor and not state:
        return rebuild, arguments
    return _rebuild_from_type_v2, (rebuild, type(self), arguments, state)


def refuse_result(x):
    """Only leaves are copied with all that they know."""
    if x.requires_grad and not x.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
            "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, "
            "see https://github.com/pytorch/pytorch/pull/103001"
        )


def deepcopied(self, memo):
    """copy.deepcopy: views that are copied together share memory in the copy too."""
    handled = core.dispatch_torch_function(Tensor.__deepcopy__, (self,), (self, memo), {})
    if handled is not NotImplemented:
        return handled
    core.refuse_storage(self)
    if type(self) is core.Wrapped:
        return deepcopied(self.level.read(self, "deepcopy"), memo)
    refuse_result(self)
    if id(self) in memo:
        return memo[id(self)]
    if self.is_meta or (type(self) is not Tensor and self.data_ptr() == 0):
        with autograd.no_grad():
            made = self.clone()
        if type(made) is not type(self):
            raise RuntimeError(
                "The default implementation of __deepcopy__() for wrapper subclasses only works for subclass types that implement clone() "
                "and for which cloning returns another instance of the same subclass. You should either properly implement clone() for "
                "your subclass or override __deepcopy__() if it is intended behavior for clone() to return an instance of a different "
                "type."
            )
        return _copied_attributes(self, made, memo)
    if type(self) is not Tensor and type(self.new_empty([])) is not type(self):
        raise RuntimeError(
            "The default implementation of __deepcopy__() for non-wrapper subclasses only works for subclass types that implement new_empty() "
            "and for which that function returns another instance of the same subclass. You should either properly implement new_empty() for "
            "your subclass or override __deepcopy__() if it is intended behavior for new_empty() to return an instance of a different type."
        )
    storage = core.storage_of(self)
    copied = memo.get(id(storage))
    if copied is None:
        rebuild, arguments = storage.__reduce__()
        copied = memo[id(storage)] = rebuild(*arguments)
    made = counted_once(core.tensor_on_storage(copied, self.dtype, self.storage_offset(), self.size(), self.stride()))
    made = core.resolved(core.set_lazy(made, self.is_conj(), self.is_neg()))
    if type(self) is not Tensor:
        made = made.as_subclass(type(self))
    return _copied_attributes(self, made, memo)


def _copied_attributes(self, made, memo):
    """The copy of a tensor, with its gradient and attributes."""
    memo[id(self)] = made
    if self.requires_grad:
        made.requires_grad_(True)
    if self._grad is not None:
        made.grad = deepcopied(self._grad, memo)
    state = _utils.attributes_of(self)
    if state:
        import copy

        _utils._set_obj_state(made, copy.deepcopy(state, memo))
    return made


def init_subclass(cls, **keywords):
    """Notes subclasses, whose __torch_function__ must be asked from now on."""
    super(Tensor, cls).__init_subclass__(**keywords)
    asks = getattr(cls.__torch_function__, "__func__", None) is Tensor.__torch_function__.__func__
    if asks and cls.__torch_dispatch__ is not core.disabled_torch_dispatch:
        cls.__torch_function__ = core.disabled_torch_function  # (what computes ops says of what class results are)
    core.notice_subclass(cls)


def reversed_tensor(self) -> Tensor:
    """The tensor with its first dimension reversed."""
    return self if self.dim() == 0 else self.flip(0)


def untyped_storage(self) -> "core.Storage":
    """The memory behind this tensor (shared by its views).

    >>> import rushlight as torch
    >>> x = torch.ones(4)
    >>> x.untyped_storage().nbytes(), x[1:].untyped_storage().nbytes()
    (16, 16)
    """
    core.refuse_storage(self)
    return core.storage_of(self)


class SeldomMethod:
    """Stands for a method of `rushlight._seldom` until somebody asks for it."""

    def __init__(self, name):
        self.name = name

    def __get__(self, tensor, owner):
        from rushlight import _seldom

        method = getattr(_seldom, self.name)
        core.install_method(self.name, method)
        overridable([method])
        return getattr(owner if tensor is None else tensor, self.name)


SELDOM = (
    "dim_order", "eig", "is_distributed", "is_set_to", "lstsq", "module_load", "record_stream", "reinforce", "resize", "resize_as", "solve",
    "symeig",
)  # fmt: skip


def read_volatile(self):
    """False: what was volatile is computed under `torch.no_grad` now."""
    warn_user("volatile was removed (Variable.volatile is always False)")
    return False


def write_volatile(self, value):
    """Does nothing, and says so."""
    warn_user("volatile was removed and now has no effect. Use `with torch.no_grad():` instead.")


METHODS = {
    **{name: SeldomMethod(name) for name in SELDOM},
    "backward": backward,
    "register_hook": register_hook,
    "register_post_accumulate_grad_hook": register_post_accumulate_grad_hook,
    "__repr__": representation,
    "__format__": formatted,
    "__reduce_ex__": reduce,
    "__deepcopy__": deepcopied,
    "__dlpack__": _dlpack.exported,
    "__dlpack_device__": lambda self: _dlpack.CPU,
    "__reversed__": reversed_tensor,
    "_cdata": property(id),  # (what programs tell tensors apart by)
    "__rdiv__": Tensor.__rtruediv__,
    "__torch_function__": classmethod(core.default_torch_function),
    "__torch_dispatch__": staticmethod(core.disabled_torch_dispatch),
    "__init_subclass__": classmethod(init_subclass),
    "__array_priority__": 1000,
    "untyped_storage": untyped_storage,
    "volatile": property(read_volatile, write_volatile),
    "is_cpu": property(lambda self: self.device.type == "cpu"),
    "is_meta": property(lambda self: self.device.type == "meta"),
    "names": property(lambda self: (None,) * self.ndim),
    "name": property(lambda self: None),
    "_grad": property(core.read_grad_attribute, vars(Tensor)["grad"].__set__, vars(Tensor)["grad"].__delete__),
    "__module__": "torch",
}

OTHER_KINDS = [
    "cuda", "sparse", "quantized", "mkldnn", "mps", "nested", "xpu", "sparse_csr", "ipu", "maia", "mtia", "vulkan", "xla",
]  # fmt: skip
"""What no tensor of this class is: of other devices, layouts or number formats."""
METHODS |= {f"is_{place}": property(lambda self: False) for place in OTHER_KINDS}

for _name, _method in METHODS.items():
    if isinstance(_method, FunctionType):
        _method.__name__, _method.__qualname__ = _name, f"Tensor.{_name}"
    core.install_method(_name, _method)
core.asked.show = representation

"""`Parameter` and `Buffer`: tensors that a `Module` registers by itself when they are assigned to it."""

from collections import OrderedDict

from rushlight import Tensor, empty, no_grad
from rushlight._utils import _get_obj_state, _rebuild_parameter, _rebuild_parameter_with_state
from rushlight.core import Wrapped, ask_subclasses, disabled_torch_function

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "UninitializedTensorMixin", "is_lazy"]


class _ParameterMeta(type(Tensor)):  # type: ignore[misc]
    # An instance of another tensor subclass stays what it is when it is made a parameter; a mark says so.
    def __instancecheck__(cls, instance):
        if type.__instancecheck__(cls, instance):
            return True
        return cls is Parameter and isinstance(instance, Tensor) and getattr(instance, "_is_param", False)


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that is a parameter of a module: `module.name = Parameter(...)` puts it into `module.parameters()`.

    Args:
        data: The values; the parameter shares their memory, and begins a graph of its own. An empty tensor by default.
        requires_grad: Whether gradients are recorded. It stays on inside `no_grad`.

    >>> import rushlight as torch
    >>> torch.nn.Parameter(torch.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    # Results of ops are plain tensors, and calls need not look for subclasses.
    __torch_function__ = disabled_torch_function

    def __new__(cls, data=None, requires_grad=True):
        if data is None:
            data = empty(0)
        if type(data) is Tensor or type(data) is Parameter:
            return Tensor._make_subclass(cls, data, requires_grad)
        if type(data) is Wrapped and type(value := data.detach()) is Tensor:
            return Tensor._make_subclass(cls, value, requires_grad)  # of a dual tensor, without its tangent
        parameter = data.detach().requires_grad_(requires_grad)
        if type(parameter) is not type(data):
            raise RuntimeError(
                f"Creating a Parameter from an instance of type {type(data).__name__} requires that detach() returns an instance of "
                f"the same type, but return type {type(parameter).__name__} was found instead. To use the type as a Parameter, please "
                "correct the detach() semantics defined by its __torch_dispatch__() implementation."
            )
        parameter._is_param = True
        return parameter

    def __deepcopy__(self, memo):
        if id(self) in memo:
            return memo[id(self)]
        with no_grad():
            result = type(self)(self.detach().clone(), self.requires_grad)
        memo[id(self)] = result
        return result

    def __repr__(self):
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, protocol):
        state = _get_obj_state(self)
        if state:
            return _rebuild_parameter_with_state, (self.data, self.requires_grad, OrderedDict(), state)
        return _rebuild_parameter, (self.data, self.requires_grad, OrderedDict())


class _BufferMeta(type(Tensor)):  # type: ignore[misc]
    def __instancecheck__(cls, instance):
        if type.__instancecheck__(cls, instance):
            return True
        return cls is Buffer and isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(Tensor, metaclass=_BufferMeta):
    """Marks a tensor as a buffer: `module.name = Buffer(...)` registers it. It stays an ordinary tensor otherwise.

    Args:
        data: The values, whose memory is shared. An empty tensor by default.
        persistent: Whether the buffer is part of the module's `state_dict`.

    >>> import rushlight as torch
    >>> module = torch.nn.Module()
    >>> module.mean = torch.nn.Buffer(torch.zeros(2))
    >>> dict(module.state_dict())
    {'mean': tensor([0., 0.])}
    """

    __torch_function__ = disabled_torch_function

    def __new__(cls, data=None, *, persistent=True):
        if data is None:
            data = empty(0)
        buffer = data.detach().requires_grad_(data.requires_grad)
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer


# ---------------------------------------------------------------------------------------------------------- not yet there
class UninitializedTensorMixin:
    """What parameters and buffers have in common that get their shape later: next to no op takes them before.

    >>> import rushlight as torch
    >>> isinstance(torch.nn.UninitializedParameter(), torch.nn.parameter.UninitializedTensorMixin)
    True
    """

    cls_to_become: type = Tensor
    asks_when_made = True  # (programs without such tensors keep the short ways of calls)
    _allowed_methods = (
        *(Tensor.__hash__, Tensor.size, Tensor.copy_, Tensor.is_complex, Tensor.is_floating_point, Tensor.half, Tensor.float),
        *(
            Tensor.double,
            Tensor.char,
            Tensor.short,
            Tensor.int,
            Tensor.long,
            Tensor.cuda,
            Tensor.cpu,
            Tensor.to,
            Tensor.get_device,
        ),
    )

    def materialize(self, shape, device=None, dtype=None):
        """Gives the tensor a shape, in place; its elements are not set. It then is of the class `cls_to_become`."""
        old = self.data
        self.data = empty(shape, device=old.device if device is None else device, dtype=old.dtype if dtype is None else dtype)
        self.__class__ = self.cls_to_become

    @property
    def shape(self):
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` when trying "
            "to load an uninitialized parameter into an initialized one. Call `forward` to initialize the parameters before accessing "
            "their attributes."
        )

    def share_memory_(self):
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters before calling "
            "`module.share_memory()`."
        )

    def __repr__(self):
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol):
        return type(self), (self.requires_grad,)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func in cls._allowed_methods or type(func).__name__ == "method-wrapper":  # (which reads or sets an attribute)
            return super().__torch_function__(func, types, args, {} if kwargs is None else kwargs)
        raise ValueError(
            f"Attempted to use an uninitialized parameter in {func}. This error happens when you are using a `LazyModule` or explicitly "
            f"manipulating `torch.nn.parameter.{cls.__name__}` objects. When using LazyModules Call `forward` with a dummy batch to "
            "initialize the parameters before calling torch functions"
        )


def is_lazy(param):
    """Whether a parameter or buffer `param` has no shape yet.

    >>> import rushlight as torch
    >>> torch.nn.parameter.is_lazy(torch.nn.LazyLinear(2).weight), torch.nn.parameter.is_lazy(torch.nn.Linear(2, 2).weight)
    (True, False)
    """
    return isinstance(param, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known yet; `materialize(shape)` makes it an ordinary one.

    Args:
        requires_grad: Whether gradients are recorded.

    >>> import rushlight as torch
    >>> weight = torch.nn.UninitializedParameter()
    >>> weight
    <UninitializedParameter>
    >>> weight.materialize((2, 3))
    >>> weight.shape
    torch.Size([2, 3])
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad=True, device=None, dtype=None):
        ask_subclasses()
        return Tensor._make_subclass(cls, empty(0, device=device, dtype=dtype), requires_grad)

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            data = self.data
            memo[id(self)] = type(self)(self.requires_grad, data.device, data.dtype)
        return memo[id(self)]


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape is not known yet; `materialize(shape)` gives it one.

    Args:
        requires_grad: Whether gradients are recorded, which buffers seldom want.
        persistent: Whether it is part of the module's `state_dict`.

    >>> import rushlight as torch
    >>> mean = torch.nn.UninitializedBuffer()
    >>> mean.materialize((2,))
    >>> mean.shape
    torch.Size([2])
    """

    # (No tensor can become a Tensor itself; a lazy module puts one into its place.)
    cls_to_become = Buffer

    def __new__(cls, requires_grad=False, device=None, dtype=None, persistent=True):
        ask_subclasses()
        buffer = Tensor._make_subclass(cls, empty(0, device=device, dtype=dtype), requires_grad)
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer

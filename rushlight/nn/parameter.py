"""`Parameter` and `Buffer`: tensors that a `Module` registers by itself when they are assigned to it."""

from collections import OrderedDict

from rushlight import Tensor, empty, no_grad
from rushlight._utils import _get_obj_state, _rebuild_parameter, _rebuild_parameter_with_state
from rushlight.core import Wrapped, disabled_torch_function

__all__ = ["Buffer", "Parameter"]


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
    """

    __torch_function__ = disabled_torch_function

    def __new__(cls, data=None, *, persistent=True):
        if data is None:
            data = empty(0)
        buffer = data.detach().requires_grad_(data.requires_grad)
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer

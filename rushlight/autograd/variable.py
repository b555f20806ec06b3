"""Variable, the old name of a tensor that takes part in a graph."""

from rushlight import core
from rushlight.core import Tensor, warn_user

TYPE_CHECKING = False  # (checkers take it for true)
if TYPE_CHECKING:
    _Described = Tensor
else:
    _Described = object


class VariableMeta(type):
    """isinstance(x, Variable) is true of every tensor.

    >>> import rushlight as torch
    >>> isinstance(torch.ones(1), torch.autograd.variable.Variable)
    True
    """

    def __instancecheck__(cls, instance):
        return isinstance(instance, Tensor)


def variable(*args, **kwargs):
    """An old name of `torch.tensor`; raises and says so.

    >>> import rushlight as torch
    >>> torch.autograd.variable([1.0])
    Traceback (most recent call last):
        ...
    RuntimeError: torch.autograd.variable(...) is deprecated, use torch.tensor(...) instead
    """
    raise RuntimeError("torch.autograd.variable(...) is deprecated, use torch.tensor(...) instead")


class ExecutionEngine:
    """The engine as an object, for programs that ask it for a call at the end of backward."""

    queue_callback = staticmethod(core.queue_callback)

    @staticmethod
    def run_backward(tensors, grad_tensors, keep_graph, create_graph, inputs=(), allow_unreachable=False, accumulate_grad=False):
        """Backward from `tensors`: adds to `.grad` (`accumulate_grad`), of `inputs` alone where there are some, or returns their gradients."""
        inputs = list(inputs) or None
        return core.run_backward(
            tuple(tensors), list(grad_tensors), keep_graph, create_graph, inputs, allow_unreachable, accumulate_grad
        )

    @staticmethod
    def is_checkpoint_valid():
        """Whether a reentrant checkpoint may run inside the running backward: not where that goes only to chosen inputs."""
        return not core.current_run_is_restricted()


class Variable(_Described, metaclass=VariableMeta):
    """Variable(data, requires_grad=False) is a tensor over the memory of `data`; the old name of what every tensor is now.

    `volatile` is no more: `torch.no_grad` has taken its place.

    >>> import rushlight as torch
    >>> torch.autograd.Variable(torch.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    _execution_engine = ExecutionEngine()

    def __new__(cls, data=None, requires_grad=False, volatile=None):
        if volatile is not None:
            warn_user("volatile was removed and now has no effect. Use `with torch.no_grad():` instead.")
        if data is not None and not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        if requires_grad and data is not None and not (data.is_floating_point() or data.is_complex()):
            raise core.documented(
                RuntimeError("Only Tensors of floating point and complex dtype can require gradients"), "integers"
            )
        made = core.empty_tensor((0,)) if data is None else data.detach()
        return made.requires_grad_(True) if requires_grad else made


variable.Variable = Variable  # type: ignore[attr-defined]  # (the function hides this module)

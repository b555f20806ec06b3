"""Operations of one's own: a forward and its derivative."""

import functools
import warnings

import rushlight as torch
from rushlight import core

__all__ = ["Function", "FunctionCtx", "once_differentiable"]

FunctionCtx = core.FunctionNode


class FunctionMeta(type):
    """Gives each Function a node type named after it."""

    def __init__(cls, name, bases, attributes):
        super().__init__(name, bases, attributes)
        cls._backward_cls = type(
            name + "Backward",
            (core.FunctionNode,),
            {"__module__": "torch.autograd.function", "_forward_cls": cls, "_run_backward": run_backward},
        )


def run_backward(ctx, *gradients):
    """Calls the user's backward (or vjp, its other name) for a node."""
    cls = ctx._forward_cls
    has_backward = cls.backward is not Function.backward
    has_vjp = cls.vjp is not Function.vjp
    if has_backward and has_vjp:
        raise RuntimeError(
            "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement one of them."
        )
    return (cls.vjp if has_vjp else cls.backward)(ctx, *gradients)


class Function(metaclass=FunctionMeta):
    """An operation with a derivative of one's own: write `forward` and `backward` as static methods, call `apply`.

    >>> import rushlight as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 3
    ...     @staticmethod
    ...     def backward(ctx, gradient):
    ...         x, = ctx.saved_tensors
    ...         return 3 * x ** 2 * gradient
    >>> x = torch.tensor(2., requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    generate_vmap_rule = False

    def __init__(self, *args, **kwargs):
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should invoke them on the class "
            "itself. Instantiating an autograd function will raise an error in a future version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    @staticmethod
    def forward(*args, **kwargs):
        """Computes the result. Takes `ctx` first, unless `setup_context` is defined too."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Saves what backward needs, where forward does not take `ctx`."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx, *grad_outputs):
        """Turns gradients of the outputs into one gradient (or None) for each argument of forward."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD."
        )

    @staticmethod
    def vjp(ctx, *grad_outputs):
        """Another name of `backward`."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD."
        )

    @staticmethod
    def jvp(ctx, *grad_inputs):
        """Turns tangents of the arguments into tangents of the outputs."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @classmethod
    def apply(cls, *args, **kwargs):
        """Runs forward and records it."""
        if kwargs:
            raise (
                TypeError("apply() takes no keyword arguments")
                if cls.setup_context is Function.setup_context
                else TypeError(f"{cls.__name__}.apply() takes no keyword arguments")
            )
        setup = None if cls.setup_context is Function.setup_context else cls.setup_context
        return core.apply_function(cls._backward_cls(), cls.forward, setup, args)


def once_differentiable(backward):
    """Decorates a backward whose result must not be differentiated again."""

    @functools.wraps(backward)
    def wrapper(ctx, *gradients):
        with torch.no_grad():
            results = backward(ctx, *gradients)
        if not torch.is_grad_enabled():
            return results
        if not any(isinstance(g, torch.Tensor) and g.requires_grad for g in gradients):
            return results
        many = results if isinstance(results, tuple) else (results,)
        refused = RefusedGradient.apply(*[g.detach().requires_grad_() for g in many if g is not None])
        refused = iter(refused if isinstance(refused, tuple) else (refused,))
        return tuple(None if g is None else next(refused) for g in many)

    return wrapper


class RefusedGradient(Function):
    """The identity, whose derivative is an error."""

    @staticmethod
    def forward(ctx, *gradients):
        return tuple(g.clone() for g in gradients) if len(gradients) > 1 else gradients[0].clone()

    @staticmethod
    def backward(ctx, *gradients):
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")

"""Operations of one's own: a forward and its derivative."""

import functools

import rushlight as torch
from rushlight import core
from rushlight.core import warn_user

__all__ = [
    "BackwardCFunction",
    "Function",
    "FunctionCtx",
    "FunctionMeta",
    "InplaceFunction",
    "NestedIOFunction",
    "once_differentiable",
]

TYPE_CHECKING = False  # (checkers take it for true; `typing` is slow to import)
if TYPE_CHECKING:
    from typing import Any

_NO_BACKWARD = (
    "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD."
)
_LEGACY = (
    "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function with static forward method. "
    "(Example: https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
)


class FunctionCtx(core.FunctionNode):
    """What `forward` and `backward` of a Function get as `ctx`: it keeps tensors for backward, and is told what forward did.

    >>> import rushlight as torch
    >>> class Twice(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x): return x * 2
    ...     @staticmethod
    ...     def backward(ctx, g): return g * 2
    >>> node = Twice.apply(torch.ones(1, requires_grad=True)).grad_fn
    >>> node.name(), isinstance(node, torch.autograd.function.FunctionCtx)
    ('TwiceBackward', True)
    """

    def save_for_forward(self, *tensors):
        """Keeps tensors for jvp."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, torch.Tensor):
                raise AssertionError(
                    "save_for_forward expects all arguments to be tensors; you should save non-tensors as attributes on ctx."
                )
        self.saved_for_forward = tensors

    def mark_dirty(self, *tensors):
        """Says which inputs forward wrote to in place; they must be returned."""
        self.dirty_tensors = tensors

    def mark_non_differentiable(self, *tensors):
        """Says which outputs have no gradient."""
        self.non_differentiable = tensors

    def set_materialize_grads(self, value):
        """Whether undefined gradients reach backward as zeros (True, the default) or as None."""
        if value is not True and value is not False:
            raise TypeError("set_materialize_grads received an invalid combination of arguments - got (), but expected (bool)")
        self.materialize_grads = value

    def mark_shared_storage(self, *pairs):
        """Does nothing: tensors that share memory are known anyway."""
        warn_user(
            "`mark_shared_storage` is deprecated. Tensors with shared storages are automatically tracked. Note that calls to `set_()` are not "
            "tracked",
            FutureWarning,
        )

    @property
    def saved_variables(self):
        """The old name of saved_tensors."""
        warn_user("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning)
        return self.saved_tensors


def check_marks(ctx, results, given):
    """Are the marks that forward made on tensors, and are written inputs among its results? `given` has the ids of its inputs."""
    for place, value in enumerate(ctx.dirty_tensors or ()):
        if not isinstance(value, torch.Tensor):
            raise RuntimeError(f"mark_dirty can only accept variables, but argument {place} is of type {type(value).__name__}")
        if not any(value is result for result in results):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified inplace must "
                "all be outputs of the Function."
            )
        if id(value) not in given:
            warn_user(
                "ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that have been mutated should be passed to "
                "ctx.mark_dirty()."
            )
    for value in ctx.non_differentiable or ():
        if not isinstance(value, torch.Tensor):
            raise RuntimeError(f"mark_non_differentiable only accepts variable arguments, but got {type(value).__name__}")


def refuse_kept_input(ctx, args, outputs):
    """Inside of transforms an input that is returned as it is has a history of its own only afterwards."""
    dirty = {id(tensor) for tensor in ctx.dirty_tensors or ()}
    for tensor in (*(ctx.to_save or ()), *(ctx.saved_for_forward or ())):
        if (
            isinstance(tensor, torch.Tensor)
            and id(tensor) not in dirty
            and any(tensor is x for x in args)
            and any(tensor is y for y in outputs)
        ):
            raise RuntimeError(
                "An input that has been returned as-is as output is being saved for backward. This is not supported if you override "
                "setup_context. You should return and save a view of the input instead, e.g. with x.view_as(x) or setup ctx inside the forward "
                "function itself."
            )


class BackwardCFunction(FunctionCtx):
    """The node of a Function, and the `ctx` that its static methods get.

    >>> import rushlight as torch
    >>> issubclass(torch.autograd.function.BackwardCFunction, torch.autograd.function.FunctionCtx)
    True
    """

    def apply(self, *gradients):
        """Calls the user's backward (or vjp, its other name)."""
        cls = self._forward_cls
        if cls.backward is not Function.backward and cls.vjp is not Function.vjp:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement one of them."
            )
        return (cls.vjp if cls.vjp is not Function.vjp else cls.backward)(self, *gradients)

    def apply_jvp(self, *tangents):
        """Calls the user's jvp with one tangent (or None) for each argument of forward."""
        return self._forward_cls.jvp(self, *tangents)

    def _run_backward(self, *gradients):
        return self.apply(list(gradients)) if self._forward_cls.boxed_grads_call else self.apply(*gradients)


class FunctionMeta(type):
    """Gives each Function a node type named after it.

    Args:
        name, bases, attributes: As of `type`.

    >>> import rushlight as torch
    >>> class Twice(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x): return x * 2
    >>> type(Twice).__name__
    'FunctionMeta'
    """

    def __init__(cls, name, bases, attributes):
        super().__init__(name, bases, attributes)
        cls._backward_cls = type(
            name + "Backward", (BackwardCFunction,), {"__module__": "torch.autograd.function", "_forward_cls": cls}
        )
        cls._signature = None


class Function(metaclass=FunctionMeta):
    """An operation with a derivative of one's own: write `forward` and `backward` as static methods, call `apply`.

    `forward(ctx, ...)` computes and saves; or `forward(...)` computes and `setup_context(ctx, inputs, output)` saves, which function
    transforms need. `jvp(ctx, *tangents)` gives forward mode, `vmap(info, in_dims, *args)` (or `generate_vmap_rule = True`) batching.

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

    generate_vmap_rule = False  # vmap runs forward, backward and jvp themselves under vmap
    clear_saved_tensors_on_access = False  # ctx.saved_tensors may be read once, and lets the tensors go
    boxed_grads_call = False  # backward gets its gradients as one list

    def __init__(self, *args, **kwargs):
        warn_user(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should invoke them on the class "
            "itself. Instantiating an autograd function will raise an error in a future version of PyTorch.",
            DeprecationWarning,
        )

    def __call__(self, *args, **kwargs):
        raise RuntimeError(_LEGACY)

    @staticmethod
    def forward(*args, **kwargs):
        """Computes the result. Takes `ctx` first, unless `setup_context` is defined too.

        >>> import rushlight as torch
        >>> class Double(torch.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         return 2 * x
        >>> Double.apply(torch.tensor(3.0))
        tensor(6.)
        """
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Saves what backward needs in `ctx`, where forward does not take it: of the tuple of its `inputs`, and its `output`.

        >>> import rushlight as torch
        >>> class Square(torch.autograd.Function):
        ...     @staticmethod
        ...     def forward(x):
        ...         return x * x
        ...     @staticmethod
        ...     def setup_context(ctx, inputs, output):
        ...         ctx.save_for_backward(*inputs)
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         return 2 * g * ctx.saved_tensors[0]
        >>> torch.func.grad(Square.apply)(torch.tensor(3.0))
        tensor(6.)
        """
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx, *grad_outputs):
        """Turns gradients of the outputs (`grad_outputs`) into one gradient (or None) for each argument of forward.

        >>> import rushlight as torch
        >>> class Scale(torch.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x, factor):
        ...         ctx.factor = factor
        ...         return x * factor
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         return g * ctx.factor, None
        >>> x = torch.tensor(3.0, requires_grad=True)
        >>> Scale.apply(x, 5).backward()
        >>> x.grad
        tensor(5.)
        """
        raise NotImplementedError(_NO_BACKWARD)

    vjp = backward

    @staticmethod
    def jvp(ctx, *grad_inputs):
        """Turns tangents of the arguments (`grad_inputs`) into tangents of the outputs, for forward mode.

        >>> import rushlight as torch
        >>> class Scale(torch.autograd.Function):
        ...     @staticmethod
        ...     def forward(x):
        ...         return 5 * x
        ...     @staticmethod
        ...     def setup_context(ctx, inputs, output):
        ...         pass
        ...     @staticmethod
        ...     def jvp(ctx, tangent):
        ...         return 5 * tangent
        >>> torch.func.jvp(Scale.apply, (torch.tensor(1.0),), (torch.tensor(2.0),))
        (tensor(5.), tensor(10.))
        """
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info, in_dims, *args):
        """Computes a batch: `args` with batch dimensions `in_dims` (None for none) to `(output, out_dims)`;
        `info` has the batch's size.

        >>> import rushlight as torch
        >>> class Total(torch.autograd.Function):
        ...     @staticmethod
        ...     def forward(x):
        ...         return x.sum()
        ...     @staticmethod
        ...     def setup_context(ctx, inputs, output):
        ...         pass
        ...     @staticmethod
        ...     def vmap(info, in_dims, x):
        ...         return x.movedim(in_dims[0], 0).flatten(1).sum(1), 0
        >>> torch.func.vmap(Total.apply)(torch.ones(2, 3))
        tensor([3., 3.])
        """
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or set generate_vmap_rule=True."
        )

    @classmethod
    def apply(cls, *args, **kwargs) -> "Any":
        """Runs forward and records it, so that backward runs the class's own; what calls the function.

        >>> import rushlight as torch
        >>> class Flip(torch.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         return x.clone()
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         return -g
        >>> x = torch.tensor(3.0, requires_grad=True)
        >>> Flip.apply(x)
        tensor(3., grad_fn=<FlipBackward>)
        """
        if not _is_setup_context_defined(cls.setup_context):
            if kwargs:
                args = by_position(cls, args, kwargs)
            if core.in_transform():
                return torch.func.functions.apply_in_transform(cls, args, False)
            return core.apply_function(cls._backward_cls(), cls.forward, None, args)
        args = with_defaults(cls, args, kwargs)
        if core.in_transform():
            return torch.func.functions.apply_in_transform(cls, args, True)
        return core.apply_function(cls._backward_cls(), cls.forward, cls.setup_context, args)


def _is_setup_context_defined(setup_context):
    """Does a Function separate forward from saving?"""
    return setup_context is not Function.setup_context


def signature_of(cls):
    """The signature of forward, read once."""
    if cls._signature is None or cls._signature[0] is not cls.forward:
        from inspect import signature

        cls._signature = cls.forward, signature(cls.forward)
    return cls._signature[1]


def with_defaults(cls, args, kwargs):
    """The arguments of a Function with setup_context by position, defaults filled in."""
    bound = signature_of(cls).bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        tensors = {name: value for name, value in bound.kwargs.items() if isinstance(value, torch.Tensor)}
        if tensors and core.in_vmap():
            raise NotImplementedError(
                f"Run vmap on autograd.Function with kwarg-only Tensor args. Please do not pass kwarg-only Tensors to autograd.Function. Got: {tensors}"
            )
        raise TypeError(f"forward() got an unexpected keyword argument '{next(iter(bound.kwargs))}'")
    return bound.args


def by_position(cls, args, kwargs):
    """The arguments of a Function whose forward takes `ctx`, with those given by keyword in their places."""
    names = [
        parameter.name
        for parameter in signature_of(cls).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ][1:]
    for name in kwargs:
        if name not in names:
            raise TypeError(f"forward() got an unexpected keyword argument '{name}'")
        if names.index(name) < len(args):
            raise TypeError(f"forward() got multiple values for argument '{name}'")
    last = max(map(names.index, kwargs))
    placed = list(args)
    for place in range(len(args), last + 1):
        parameter = signature_of(cls).parameters[names[place]]
        if names[place] in kwargs:
            placed.append(kwargs[names[place]])
        elif parameter.default is parameter.empty:
            raise TypeError(f"forward() missing required argument: '{names[place]}' (position {place})")
        else:
            placed.append(parameter.default)
    return tuple(placed)


def once_differentiable(backward):
    """Decorates a `backward` whose result must not be differentiated again: a second derivative is then an error, and not wrong.

    >>> import rushlight as torch
    >>> from rushlight.autograd.function import once_differentiable
    >>> class Exp(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.out = x.exp()
    ...         return ctx.out
    ...     @staticmethod
    ...     @once_differentiable
    ...     def backward(ctx, g):
    ...         return g * ctx.out
    >>> x = torch.tensor(0.0, requires_grad=True)
    >>> torch.autograd.grad(Exp.apply(x), x)
    (tensor(1.),)
    """

    @functools.wraps(backward)
    def wrapper(ctx, *gradients):
        with torch.no_grad():
            results = backward(ctx, *gradients)
        if not torch.is_grad_enabled():
            return results
        if not any(isinstance(g, torch.Tensor) and g.requires_grad for g in gradients):
            return results
        many = results if isinstance(results, tuple) else (results,)
        # (An undefined gradient has a place among the node's edges, so a tensor stands for it.)
        given = [torch.empty(0) if g is None else core.derivative_input(g.detach(), False) for g in many]
        refused = RefusedGradient.apply([g is None for g in many], *given)
        return refused if isinstance(refused, tuple) else (refused,)

    return wrapper


class RefusedGradient(Function):
    """The identity, whose derivative is an error."""

    text = "trying to differentiate twice a function that was marked with @once_differentiable"

    @staticmethod
    def forward(absent, *gradients):
        clones = tuple(None if gone else g.clone() for gone, g in zip(absent, gradients, strict=True))
        return clones if len(clones) > 1 else clones[0]

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, *gradients):
        raise RuntimeError(ctx._forward_cls.text)


class ManyZeros(RefusedGradient):
    """The gradient of a product of several zeros, which PyTorch does not differentiate."""

    text = (
        "scatter_reduce(): Double backward is unsupported for src when >1 zeros in src are scattered to the same position in self"
    )


for _refused in (RefusedGradient, ManyZeros):
    _refused._backward_cls.__name__ = "Error"
    _refused._backward_cls.name = lambda self: "torch::autograd::Error"


class InplaceFunction(Function):
    """An older base of Functions that may write in place: `inplace` is a note for the subclass.

    >>> import rushlight as torch
    >>> issubclass(torch.autograd.function.InplaceFunction, torch.autograd.Function)
    True
    """

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace


class NestedIOFunction(Function):
    """An older base of Functions with nested arguments; subclasses write `forward_extended` and `backward_extended`.

    >>> import rushlight as torch
    >>> issubclass(torch.autograd.function.NestedIOFunction, torch.autograd.Function)
    True
    """

    def forward_extended(self, *inputs):
        """The forward, to be written by the subclass."""
        raise NotImplementedError

    def backward_extended(self, *gradients):
        """The backward, to be written by the subclass."""
        raise NotImplementedError

"""Operations of the user's own (autograd.Function) inside transforms.

A level treats such an operation as one op: forward runs on the values within, at the level below; forward mode calls the user's `jvp`,
vmap the user's `vmap`, or all the user's methods on whole batches. What is recorded on the level's own wrappers has the user's backward.
"""

from typing import NamedTuple

import rushlight as torch
from rushlight import core
from rushlight.autograd.forward_ad import check_tangent
from rushlight.func._vmap_level import without_batch
from rushlight.utils._pytree import _broadcast_to_and_flatten, tree_flatten, tree_structure, tree_unflatten

__all__ = ["VmapInfo", "apply_in_transform"]

GUIDE = "For more details, please see https://pytorch.org/docs/main/notes/extending.func.html"


class VmapInfo(NamedTuple):
    """What a vmap rule is told beside its arguments."""

    batch_size: int
    randomness: str


class single_level:
    """Whether Functions without a `setup_context` may run inside of transforms, as those of one level that does not look into them."""

    allowed = False


def apply_in_transform(cls, args, separate):
    """`cls.apply(*args)` with a level active, or a function being transformed; `separate` says whether it has a `setup_context`."""
    if core.transform_depth() and not separate:
        if single_level.allowed:
            return recorded(cls, args, separate)
        raise RuntimeError(
            "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, jacrev, ...), it must override the "
            f"setup_context staticmethod. {GUIDE}"
        )
    level = core.current_interpreter()
    if isinstance(level, core.BatchLevel) and level.tracks_all:
        return recorded(cls, args, separate)  # a batch of backwards (_vmap_internals.py) takes it as it stands
    if not isinstance(level, core.Level):
        return in_derivative(cls, args) if core.transform_depth() else recorded(cls, args, separate)
    if isinstance(level, core.DualLevel):
        if not any(isinstance(a, torch.Tensor) and (core.is_at(a, level) or level.parts(a)[1] is not None) for a in args):
            return below(level, cls, args, separate)
        return pushed_beside(level, cls, args, separate) if level.tracks_all else pushed(level, cls, args)
    flat, spec = tree_flatten(args)
    if not any(core.is_at(a, level) for a in flat):
        return below(level, cls, args, separate)
    return batched(level, cls, args, flat, spec)


def recorded(cls, args, separate=True):
    """The operation as it is without transforms."""
    return core.apply_function(cls._backward_cls(), cls.forward, cls.setup_context if separate else None, args)


def in_derivative(cls, args):
    """The operation inside of functions that are differentiated: forward runs outside of them, on values without a history."""
    with core.at_depth(0), torch.no_grad():
        given = [a.detach() if isinstance(a, torch.Tensor) and core.is_of_transform(a) else a for a in args]
        outputs = cls.forward(*given)
    many = [inside(y, given, args) for y in (outputs if isinstance(outputs, tuple) else (outputs,))]
    outputs = tuple(many) if isinstance(outputs, tuple) else many[0]
    return core.apply_function(node_of(cls)(), lambda *_: outputs, cls.setup_context, args)


def inside(output, given, args):
    """An output as one of the innermost transform: an input where forward returned that."""
    for value, arg in zip(given, args, strict=True):
        if output is value:
            return arg
    return core.set_depth(output, core.transform_depth()) if isinstance(output, torch.Tensor) else output


def node_of(cls):
    """The type of the nodes of an operation, which inside of derivatives has another name, and for which only `backward` counts there."""
    if not core.is_differentiating():
        return cls._backward_cls
    if "_generated_cls" not in vars(cls):

        def apply(self, *gradients):
            return cls.backward(self, *gradients)

        methods = {"__module__": "torch.autograd.function", "apply": apply}
        cls._generated_cls = type(cls.__name__ + "GeneratedBackward", (cls._backward_cls,), methods)
    return cls._generated_cls


def below(level, cls, args, separate=True):
    """The operation at the level below."""
    return core.outside_of(level, apply_in_transform, cls, args, separate)


def on_wrappers(cls, args, outputs):
    """Outputs that are known already, recorded as those of the operation on `args`, where these are tracked."""
    if not torch.is_grad_enabled() or not any(isinstance(a, torch.Tensor) and a.requires_grad for a in args):
        return outputs
    return core.apply_function(node_of(cls)(), lambda *_: outputs, cls.setup_context, args)


def context_of(cls, source, saved):
    """A context like `source` with other saved tensors."""
    made = cls._backward_cls()
    vars(made).update(vars(source))
    made.save_for_backward(*saved)
    made.needs_input_grad = source.needs_input_grad
    made.materialize_grads = source.materialize_grads
    return made


# ---- forward mode --------------------------------------------------------------------------------------------------------
def zeros_if_none(tangent, primal, materialize):
    """The tangent of an argument as jvp gets it."""
    if tangent is not None or not materialize or not isinstance(primal, torch.Tensor):
        return tangent
    return torch.zeros_like(primal) if primal.is_floating_point() or primal.is_complex() else None


def call_jvp(cls, ctx, primals, tangents, outputs):
    """The tangents of the outputs (a tuple) by the user's rule."""
    moved = [zeros_if_none(t, x, ctx.materialize_grads) for t, x in zip(tangents, primals, strict=True)]
    found = cls.jvp(ctx, *moved)
    found = found if isinstance(found, tuple) else (found,)
    count = len(outputs) if isinstance(outputs, tuple) else 1
    if len(found) != count:
        raise RuntimeError(
            f"Function's jvp returned an invalid number of forward gradients (expected {count} but got {len(found)})"
        )
    for place, tangent in enumerate(found):
        if tangent is not None and not isinstance(tangent, torch.Tensor):
            raise RuntimeError(f"expected Variable or None (got {type(tangent).__name__}) for grad output {place}.")
    return found


def with_tangents(level, outputs, tangents):
    """Outputs as dual tensors of a level."""
    many = outputs if isinstance(outputs, tuple) else (outputs,)
    made = []
    for y, t in zip(many, tangents, strict=True):
        if isinstance(y, torch.Tensor) and (y.is_floating_point() or y.is_complex()):
            if t is not None:
                check_tangent(y, t)
            y = core.with_tangent(level, y, t if t is None else level.parts(t)[0])
        made.append(y)
    return tuple(made) if isinstance(outputs, tuple) else made[0]


def pushed(level, cls, args):
    """At a level of func.jvp: the operation and its jvp below."""
    pairs = [level.parts(a) if isinstance(a, torch.Tensor) else (a, None) for a in args]
    primals = tuple([primal for primal, _ in pairs])
    outputs = below(level, cls, primals)

    def tangents_below():
        ctx = cls._backward_cls()
        ctx.needs_input_grad = (False,) * len(primals)
        cls.setup_context(ctx, primals, outputs)
        return call_jvp(cls, context_of(cls, ctx, ctx.saved_for_forward or ()), primals, [t for _, t in pairs], outputs)

    return on_wrappers(cls, args, with_tangents(level, outputs, core.outside_of(level, tangents_below)))


def pushed_beside(level, cls, args, separate):
    """At a level of forward_ad: the operation on the dual tensors with forward mode off, then its jvp."""
    tangents = [level.parts(a)[1] if isinstance(a, torch.Tensor) else None for a in args]
    ctx = cls._backward_cls()
    before = core.set_forward_ad_enabled(False)
    raw = constant = ()

    def forward(*given):
        nonlocal raw, constant
        made = cls.forward(*given)
        raw, constant = made if isinstance(made, tuple) else (made,), ctx.non_differentiable or ()
        return made

    def setup_context(*given):
        nonlocal constant
        cls.setup_context(*given)
        constant = ctx.non_differentiable or ()

    try:
        versions = [version_of(a) for a in args]
        moved = [version_of(t) for t in tangents]
        outputs = core.apply_function(ctx, forward, setup_context if separate else None, args)
        if not before or all(tangent is None for tangent in tangents):
            return outputs
        found = call_jvp(cls, context_of(cls, ctx, ctx.saved_for_forward or ()), args, tangents, outputs)
        for place, (output, tangent) in enumerate(zip(raw, found, strict=True)):
            if any(output is marked for marked in constant):
                if tangent is not None:
                    raise RuntimeError(
                        f"Function's jvp returned a gradient at position {place}, but  the corresponding forward output is not a "
                        "differentiable Tensor.You should return None at that position instead."
                    )
            elif isinstance(output, torch.Tensor):
                check_relation(output, tangent, args, tangents, versions, moved)
    finally:
        core.set_forward_ad_enabled(before)
    return with_tangents(level, outputs, found)


def version_of(value):
    """The version of a tensor that has one."""
    return value._version if isinstance(value, torch.Tensor) and not value.is_inference() else None


def check_relation(output, tangent, args, tangents, versions, moved):
    """What an output is to an input (the same, written to; a view of it), its tangent has to be to the input's.

    `versions` and `moved` are the versions that the inputs and their tangents had before.
    """
    for a, given, version, before in zip(args, tangents, versions, moved, strict=True):
        if output is a and version_of(a) != version:
            if given is not None and (tangent is not given or version_of(given) == before):
                raise RuntimeError(
                    "An inplace custom Function is not modifying the forward mode gradients inplace. If the forward is modifying an input "
                    "inplace, then the jvp function must modify the corresponding gradient inplace."
                )
        elif output is a or (isinstance(a, torch.Tensor) and output._is_view() and output._base is base_of(a)):
            if tangent is None or not tangent._is_view():
                raise RuntimeError(
                    "A custom Function's forward is returning a view (or an input as-is) but the jvp is not returning a view."
                )
            if given is not None and tangent._base is not base_of(given):
                raise RuntimeError(
                    "A custom Function is returning a view but the jvp is not returning a view of the given grad input."
                )


def base_of(x):
    """What views of `x` view."""
    return x._base if x._is_view() else x


# ---- vmap ----------------------------------------------------------------------------------------------------------------
def batched(level, cls, args, flat, spec):
    """At a level of vmap; `flat` and `spec` are the arguments as a list of leaves, and their structure."""
    has_rule = cls.vmap is not torch.autograd.Function.vmap
    if cls.generate_vmap_rule and has_rule:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and an overridden vmap staticmethod. Please "
            f"set generate_vmap_rule=False or delete the overridden vmap staticmethod to avoid ambiguity. {GUIDE}"
        )
    if not cls.generate_vmap_rule and not has_rule:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please override and implement the vmap staticmethod "
            f"or set generate_vmap_rule=True. {GUIDE}"
        )
    values, dims = zip(*[in_place_of(level, a) if core.is_at(a, level) else (a, None) for a in flat], strict=True)
    if all(dim is None for dim in dims):
        outputs = below(level, cls, tree_unflatten(values, spec))
        return on_wrappers(cls, args, wrapped(level, outputs, None, values, flat))
    if has_rule:
        info = VmapInfo(level.size, level.randomness)
        found = core.outside_of(level, cls.vmap, info, tree_unflatten(dims, spec), *tree_unflatten(values, spec))
        if not isinstance(found, tuple) or len(found) != 2:
            count = f"{len(found)} returns" if isinstance(found, tuple) else f"a {type(found)}"
            raise RuntimeError(
                "Expected the vmap staticmethod to have two returns, an output and out_dims with pytree structure compatible with the "
                f"output. Got {count} instead"
            )
        return on_wrappers(cls, args, wrapped(level, *found, values, flat))
    values = tuple([a.value if core.is_at(a, level) else a for a in args])
    dims = tuple([a.aspect if core.is_at(a, level) else None for a in args])
    outputs = below(level, of_whole_batches(level, cls, dims), values)
    return on_wrappers(cls, args, wrapped(level, outputs, 0, values, args))


def in_place_of(level, arg):
    """What is within a tensor of the batch, and its batch dimension, both as they were given to vmap."""
    if arg.aspect is None:
        return arg.value, None
    place = arg.given_dim
    return (core.outside_of(level, arg.value.movedim, 0, place) if place else arg.value), place


def wrapped(level, outputs, out_dims, values, args):
    """Outputs as tensors of the batch, which is moved to the front; an input where the rule returned one of its `values`."""
    flat, spec = tree_flatten(outputs)
    dims = _broadcast_to_and_flatten(out_dims, spec)
    if dims is None:
        raise RuntimeError(
            "The autograd.Function's vmap staticmethod returned an incompatible (output, out_dims) tuple. Expected out_dims="
            f"{out_dims} to be compatible with the structure of `output`. out_dims has structure {tree_structure(out_dims)} but output "
            f"has structure {spec}. {GUIDE}"
        )
    made = []
    for y, dim in zip(flat, dims, strict=True):
        if isinstance(y, torch.Tensor):
            same = [a for a, value in zip(args, values, strict=True) if value is y]
            y = same[0] if same else in_batch(level, y, dim)
        made.append(y)
    return tree_unflatten(made, spec)


def in_batch(level, value, dim):
    """A result of a rule as a tensor of the batch."""
    made = core.wrap(level, core.outside_of(level, value.movedim, dim, 0) if dim else value, None if dim is None else 0)
    if dim:
        made.given_dim = dim % value.ndim
    return made


def within(level, value):
    """A result computed under a level, with its batch in front."""
    return core.outside_of(level, without_batch, value, level) if isinstance(value, torch.Tensor) else value


def of_whole_batches(level, cls, dims):
    """A Function on whole batches whose methods are those of `cls`, run under vmap."""
    own = {}

    def under(function, values, at):
        """A method called on tensors of the level, its results (a tuple) with their batches in front."""
        with core.entered_again(level):
            given = [core.wrap(level, x, d) if isinstance(x, torch.Tensor) else x for x, d in zip(values, at, strict=True)]
            found = function(*given)
            many = found if isinstance(found, tuple) else (found,)
            return found, tuple([within(level, y) for y in many])

    def forward(*values):
        found, many = under(cls.forward, values, dims)
        return many if isinstance(found, tuple) else many[0]

    def setup_context(ctx, inputs, output):
        inner = own["ctx"] = cls._backward_cls()
        inner.needs_input_grad = ctx.needs_input_grad
        many = output if isinstance(output, tuple) else (output,)

        def setup(*tensors):
            given, made = tensors[: len(inputs)], tensors[len(inputs) :]
            cls.setup_context(inner, given, made if isinstance(output, tuple) else made[0])
            own["saved"] = [within(level, t) for t in inner.saved_tensors]
            own["kept"] = [within(level, t) for t in inner.saved_for_forward or ()]

        under(setup, (*inputs, *many), (*dims, *[0] * len(many)))
        if inner.dirty_tensors:
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified "
                "inplace must all be outputs of the Function."
            )
        ctx.save_for_backward(*own["saved"])
        ctx.save_for_forward(*own["kept"] or own["saved"])
        ctx.set_materialize_grads(inner.materialize_grads)

    def call(ctx, method, saved, values):
        inner = own["ctx"]
        inner.needs_input_grad = ctx.needs_input_grad

        def run(*tensors):
            return method(context_of(cls, inner, tensors[: len(saved)]), *tensors[len(saved) :])

        return under(run, (*saved, *values), [0] * (len(saved) + len(values)))[1]

    def backward(ctx, *gradients):
        found = call(ctx, cls.backward, ctx.saved_tensors, gradients)
        return tuple([g if g is None or dim is not None else g.sum(0) for g, dim in zip(found, dims, strict=True)])

    def jvp(ctx, *tangents):
        spread = [
            t.expand(level.size, *t.shape) if isinstance(t, torch.Tensor) and dim is None else t
            for t, dim in zip(tangents, dims, strict=True)
        ]
        found = call(ctx, cls.jvp, ctx.saved_tensors, spread)
        return found if len(found) > 1 else found[0]

    methods = {name: staticmethod(f) for name, f in locals().items() if name in ("forward", "setup_context", "backward", "jvp")}
    return type("Vmapped" + cls.__name__, (torch.autograd.Function,), {**methods, "generate_vmap_rule": True})

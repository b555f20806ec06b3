"""What an op is called besides its name in the table: by programs, by its nodes, and by PyTorch's dispatcher, which tells overloads apart."""

import functools

import rushlight
from rushlight import core


def camel_case(name):
    """log_softmax -> LogSoftmax, as PyTorch names nodes."""
    return "".join(part.capitalize() for part in name.strip("_").split("_"))


def snake_case(name):
    """The name of an op in PyTorch's errors, from that of its node."""
    return "".join(f"_{c.lower()}" if c.isupper() and place else c.lower() for place, c in enumerate(name))


def backward_names(name, given):
    """grad_fn's name, or names where it depends on how the op is called."""
    if given is None:
        return (camel_case(name) + "Backward0",)
    return (given,) if isinstance(given, str) else tuple(given)


@functools.cache
def public_name(op):
    """What programs call an op: what its declaration says, its name in the table, or else what the name of its node comes from."""
    declared = op.declaration
    if declared.public is not None:
        return declared.public
    if isinstance(declared.overload, str) and "." in declared.overload:
        return declared.overload.partition(".")[0].strip("_")
    name = op.name.removesuffix("_all")
    if not (hasattr(rushlight, name) or hasattr(core.Tensor, name)) and op.backward_names[0]:
        # ScatterAddBackward0, SpecialI0EBackward0 → scatter_add, special_i0_e
        name = snake_case(op.backward_names[0].rpartition("Backward")[0])
    return name.strip("_")


# ---------------------------------------------------------------------------------------------------------- the dispatcher's names
# An `overload` of a declaration that depends on the call is a function of its arguments, up to the last that is not at its default.
def by_operand(of_tensor="Tensor", of_number="Scalar", number_first="Scalar_Tensor"):
    """An overload for each kind that the last operand may be, and one of a number with a tensor behind it."""

    def overload(*args):
        if not isinstance(args[0], core.Tensor):
            return number_first
        return of_tensor if isinstance(args[-1], core.Tensor) else of_number

    return overload


def of_dims(one, several=None):
    """The overload of a reduction along a dimension, or `several` of them where that is another; that of everything is the default one."""
    return lambda x, dim=None, *rest: "default" if dim is None else one if several is None or isinstance(dim, int) else several


def overload_of(op, args, kwargs, in_place=False):
    """What PyTorch's dispatcher is told of a call: the name of an op and that of its overload."""
    declared = op.declaration.overload
    if isinstance(declared, tuple):
        declared = declared[in_place]
    found = declared(*args) if callable(declared) else declared or "default"
    name, _, overload = found.rpartition(".")
    if "out" in kwargs:
        # (Arithmetic takes numbers as tensors, so that it has one overload.)
        alone = overload in ("default", "dim") or declared == "Tensor"
        overload = "out" if alone else f"{overload.removeprefix('dim_')}_out"
    return (name or op.name) + "_" * in_place, overload


def dispatched_name(op, args, in_place):
    """The same as errors write it: behind the name that programs know."""
    overload = overload_of(op, args, {}, in_place)[1]
    return public_name(op) + "_" * in_place + ("" if overload == "default" else f".{overload}")

"""A view is a row: where it lies, and how its cotangent goes back. The rest of it follows from the row.

`view` declares one. With it come the op that copies what it shows (`copy`), the op that is its cotangent where no other rule is given
(`gradient`: zeros but for what the view shows), and how it computes a batch (func/batching/views.py).
"""

import rushlight as torch
from rushlight import core
from rushlight.core import kernel
from rushlight.ops._declare import (
    Declaration,
    composite,
    register,
    short_way,
)
from rushlight.ops._rules import c_name
from rushlight.ops._signatures import derived


def zeros(size, dtype):
    """Zeros, for op bodies."""
    return core.fill_tensor(core.empty_tensor(size, dtype), 0)


def placed(g, x_shape, *arguments):
    """Stands for the vjp of a view: zeros but for what it shows, which is `g`."""


def view(*, vjp=placed, geometry=None, several=False, linked=True, copies=True, complex_copies=True, **facts):
    """Declares an op whose result shares memory with its input.

    `geometry` says where the result lies: a function (sizes, strides, *arguments) -> (sizes, strides) or (sizes, strides, offset), in elements
    behind the first one of the input; or a name in core/drivers/geometries.pxi, in doubt the op's own. Without `linked` writes into one of
    the two are no matter of the other's history, and without `vjp` the result has none; all others are linear. `name_copy` is a public
    function, with `copies` and where the op is alone under its name; without `complex_copies` that has no derivative where it is complex.
    """

    def declare(body):
        declared = Declaration(body, out=False, linear=vjp is not None, **facts)
        made = make(declared, geometry or declared.called, vjp, several, linked)
        if made.gradient is not None:
            register(made.gradient, declared.entry + "_backward", function=False, method=False)
        if linked:
            made.copy = copying(made)
            made.copy.refuses_complex = not complex_copies
            register(made.copy, declared.entry + "_copy", function=False, method=False)
            made.copy.title = declared.called + "_copy"
            if copies and "entry" not in declared.placement:
                copying_function(declared.called, signature_of(made), several)(made.copy)
        return register(made, **declared.placement)

    return declare


DIMENSIONS = ("dim", "dim0", "dim1", "dim2", "dimension")
"""What parameters that are dimensions are called."""


def make(declared, geometry, vjp=placed, several=False, linked=True):
    """The op of a view, not in the table yet."""
    gradient = None
    if vjp is placed:
        gradient = gradient_of(declared, geometry, lambda *arguments: made(*arguments))
        sources = [
            (core.FROM_GRADIENT, 0),
            (core.FROM_SHAPE, 0),
            *((core.FROM_ARGUMENT, i) for i in range(1, len(declared.parameters))),
        ]
        rules = [core.Rule(gradient, 0, False, False, sources)]
    else:
        rules = [] if vjp is None else [declared.rule(declared.parameters[0], vjp)]
    made = declared.make(core.MultiViewOp if several else core.ViewOp, rules, (0,), None)
    made.configure(geometry, linked)
    made.gradient = gradient
    if gradient is not None:
        gradient.view = made
        if not callable(geometry):
            gradient.configure(*short_way("ts", "placed", "copy", view=made))
    return made


def beside(declared, ending, body, extra=(), **facts):
    """The declaration of an op that goes with a view: named with an ending, and with `extra` parameters behind the first."""
    called = declared.called + ending
    return Declaration(declared.function, called=called, forward=body, extra=extra, function=False, method=False, **facts)


# ---------------------------------------------------------------------------------------------------------- part of zeros
def may_overlap(size, stride):
    """Whether two elements of a geometry may lie at one place (True in doubt)."""
    reach = 0
    for step, n in sorted((step, n) for n, step in zip(size, stride) if n != 1):
        if step <= reach:
            return True
        reach += (n - 1) * step
    return False


def gradient_of(declared, geometry, view):
    """The op whose result is zeros but for what the view shows, which is its input."""

    def body(x, input_sizes, *arguments):
        out = zeros(input_sizes, x.dtype)
        shown = view(out, *arguments)
        if callable(geometry) and may_overlap(shown.shape, shown.stride()):
            # The cotangents of what is shown several times add up.
            places = view(torch.arange(out.numel()).view(input_sizes), *arguments)
            return out.view(-1).index_add_(0, places.reshape(-1), x.reshape(-1)).view(input_sizes)
        kernel("copy")(shown, x.expand(shown.shape))  # (whose error is that of another shape)
        return out

    body.__doc__ = f"Zeros of `input_sizes` but for what `{declared.called}` shows, which is `x`: its cotangent."
    beyond = beside(declared, "_backward", body, ("input_sizes",), linear=True, batch="views.gradient")
    again = core.Rule(
        view, 0, False, False, [(core.FROM_GRADIENT, 0), *((core.FROM_ARGUMENT, i) for i in range(2, len(beyond.parameters)))]
    )
    kind = core.GeneralOp if callable(geometry) else core.PlainOp
    return beyond.make(kind, [again], (0,), None)


# ---------------------------------------------------------------------------------------------------------- copies
def copied(made):
    """Views as contiguous tensors of their own."""
    if isinstance(made, tuple):
        return tuple(copied(piece) for piece in made)
    return made.clone(memory_format=torch.contiguous_format)


def copying(view):
    """An op that copies what a view op shows: the view's rules, and its node's name with `_copy` behind."""
    names = f"{view.backward_names[0]}_copy"
    body = lambda x, *arguments: copied(view(viewable(view, x), *arguments))  # noqa: E731
    name, dot, overload = (view.declaration.overload or "").rpartition(".")
    overload = f"{name}_copy.{overload}" if dot else overload or None
    declared = beside(view.declaration, "_copy", body, name=names, overload=overload, linear=True, batch="views.copy")
    made = declared.make(core.GeneralOp, view.rules, (0,), None)
    made.view = view
    return made


def viewable(view, x):
    """What can be looked at in any shape, for the copy of such a view."""
    return x.contiguous() if view.geometry == "view" else x


def write_pieces(name, pieces, out):
    """Several results into the tensors of `out=`; such calls return None in PyTorch."""
    if len(out) != len(pieces):
        raise RuntimeError(f"{name}_copy_int_out expected an out= argument of size {len(pieces)}, got size {len(out)}")
    for piece, target in zip(pieces, out):
        write_piece(name, piece, target)


def write_piece(name, piece, target):
    if target.dtype is not piece.dtype:
        names = [c_name(dtype) for dtype in (piece.dtype, target.dtype)]
        raise RuntimeError(f"Expected out tensor to have dtype {names[0]}, but got {names[1]} instead")
    return core.written_out(f"aten::{name}_copy", target, piece)


def signature_of(view):
    """The text of a view's signatures, with its input."""
    signature, method = (view.declaration.placement.get(key) for key in ("signature", "method"))
    if isinstance(method, str):
        return ", ".join(["Tensor input", method])
    return signature if isinstance(signature, str) else derived(view)


def copying_function(name, signature, several=False):
    """A decorator: what makes a copy gets `out=`, and becomes the public function `name_copy`, of the view's signatures with `out` behind."""

    out = "tensors out=None" if several else "out"

    def decorate(copy):
        def function(*arguments, out=None, **keywords):
            made = copy(*arguments, **keywords)
            if out is None:
                return made
            return write_pieces(name, made, out) if isinstance(made, tuple) else write_piece(name, made, out)

        function.__name__ = function.__qualname__ = f"{name}_copy"
        function.__doc__ = f"`{name}` as a copy instead of a view."
        texts = (text + (", " if ", *, " in text else ", *, ") + out for text in signature.split(" | "))
        return composite(function, method=False, signature=" | ".join(texts) if name[0] != "_" else True)

    return decorate

"""backward and grad: checks of what they are given, around the core's engine."""

from itertools import count, repeat
from operator import index

import rushlight as torch
from rushlight import core
from rushlight._overridable import overridable
from rushlight._vmap_internals import _vmap
from rushlight.autograd.graph import GradientEdge
from rushlight.core import Tensor, warn_user

TYPE_CHECKING = False  # (checkers take it for true; `typing` is slow to import)
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, overload


def as_tuple(value):
    """One tensor or edge, or a sequence of them, as a tuple."""
    return (value,) if isinstance(value, (Tensor, GradientEdge)) else tuple(value)


def gradient_tuple(gradients, count):
    """One gradient (or None) for each of `count` outputs."""
    if gradients is None:
        return (None,) * count
    return (gradients,) if isinstance(gradients, Tensor) else tuple(gradients)


def seed(output, gradient, index, is_batched):
    """The cotangent of one output: as given and checked, or ones for a scalar."""
    if isinstance(gradient, Tensor):
        check_shape(output, gradient, index, is_batched)
        dtype = output.dtype if isinstance(output, Tensor) else output_metadata(output)[1]
        if dtype.is_complex != gradient.dtype.is_complex:
            raise RuntimeError(
                "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
                f"grad_output[{index}] has a dtype of {gradient.dtype} and output[{index}] has a dtype of {dtype}."
            )
        return gradient
    if gradient is not None:
        raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
    ones = core.cotangent_of_loss(output)
    if ones is not None:
        return ones
    if not isinstance(output, (Tensor, GradientEdge)):
        raise AssertionError("Expected output to be a torch.Tensor")
    if isinstance(output, GradientEdge):
        shape, dtype = output_metadata(output)
        if shape.numel() != 1:
            raise not_scalar(shape)
        return torch.ones(shape, dtype=dtype)
    if not output.requires_grad:
        return None
    if output.numel() != 1:
        raise not_scalar(output.shape)
    if not output.dtype.is_floating_point:
        raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {output.dtype}")
    return torch.ones_like(output)


def not_scalar(shape):
    """The error of a backward that starts from several numbers, with what helps added."""
    error = RuntimeError("grad can be implicitly created only for scalar outputs")
    from rushlight.explain import _notes

    for note in _notes.of_several_numbers(shape):
        error.add_note(note)
    return error


def output_metadata(edge):
    """Shape and dtype of the output that an edge stands for."""
    described = edge.node._input_metadata[edge.output_nr]
    return torch.Size(described.shape), described.dtype


def _calculate_shape(output, grad, is_grads_batched):
    """(the shape of an output, the shape of its cotangent)."""
    if isinstance(output, GradientEdge):
        if is_grads_batched:
            raise RuntimeError("Batched grads are not supported with GradientEdge")
        return output_metadata(output)[0], grad.shape
    return output.shape, grad.shape[1:] if is_grads_batched else grad.shape


def check_shape(output, gradient, index, is_batched):
    """Refuses a cotangent whose shape is not the output's."""
    expected = output.shape if isinstance(output, Tensor) else output_metadata(output)[0]
    given = gradient[0].shape if is_batched else gradient.shape
    if tuple(expected) == tuple(given):
        return
    if is_batched:
        raise RuntimeError(
            f"If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension. The sizes of the "
            f"remaining dimensions are expected to match the shape of corresponding output, but a mismatch was detected: "
            f"grad_output[{index}] has a shape of {gradient.shape[2:]} and output[{index}] has a shape of {expected}. If you only want some "
            "tensors in `grad_output` to be considered batched, consider using vmap."
        )
    raise RuntimeError(
        f"Mismatch in shape: grad_output[{index}] has a shape of {gradient.shape} and output[{index}] has a shape of {expected}."
    )


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None):
    """Adds the gradients of `tensors` with respect to the leaves of their graph to the leaves' `.grad`.

    Args:
        tensors: Where to start: tensors (or GradientEdges), usually a scalar loss.
        grad_tensors: Their cotangents; None for scalars. `grad_variables` is its older name.
        retain_graph: Keep what was saved for backward, so that the same graph can be run again (default: `create_graph`).
        create_graph: Record the derivative itself, for higher orders.
        inputs: Only these tensors' `.grad` is added to.

    Raises:
        RuntimeError: A tensor that is no scalar has no cotangent, nothing was recorded, or the graph has been used up.

    >>> import rushlight as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    >>> torch.autograd.backward(x * x, torch.tensor([1.0, 10.0]))
    >>> x.grad
    tensor([ 4., 44.])
    """
    if grad_variables is not None:
        warn_user("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning)
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only use `grad_tensors`."
            )
        grad_tensors = grad_variables
    if inputs is not None:
        inputs = as_tuple(inputs)
        if len(inputs) == 0:
            raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    tensors = as_tuple(tensors)
    gradients = gradient_tuple(grad_tensors, len(tensors))
    if create_graph and any(tensor.requires_grad for tensor in tensors if isinstance(tensor, Tensor)):
        warn_of_cycle()
    seeds = list(map(seed, tensors, gradients, count(), repeat(False)))
    del gradients
    check_given(tensors, seeds, inputs)
    retain_graph = create_graph if retain_graph is None else retain_graph
    core.run_backward(tensors, seeds, bool(index(retain_graph)), bool(index(create_graph)), inputs)


def check_given(outputs, seeds, inputs):
    """Are there as many cotangents as outputs, and is each thing that can have a gradient?"""
    if len(seeds) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(seeds)} gradients")
    for wanted in inputs or ():
        if not isinstance(wanted, (Tensor, GradientEdge)):
            raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(wanted).__name__}")


def warn_of_cycle():
    """Once: .grad and the parameters refer to each other after backward(create_graph=True)."""
    core.warn_once(
        "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient which can cause a "
        "memory leak. We recommend using autograd.grad when creating the graph to avoid this. If you have to use this function, make "
        "sure to reset the .grad fields of your parameters to None after use to break the cycle and avoid the leak."
    )


if TYPE_CHECKING:

    @overload
    def grad(
        outputs: Tensor | GradientEdge | Sequence[Tensor] | Sequence[GradientEdge],
        inputs: dict[str, Tensor],
        grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
        **options: Any,
    ) -> dict[str, Tensor]: ...
    @overload
    def grad(
        outputs: Tensor | GradientEdge | Sequence[Tensor] | Sequence[GradientEdge],
        inputs: Tensor | GradientEdge | Sequence[Tensor] | Sequence[GradientEdge],
        grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        only_inputs: bool = True,
        allow_unused: bool | None = None,
        is_grads_batched: bool = False,
        materialize_grads: bool = False,
    ) -> tuple[Tensor, ...]: ...


def grad(
    outputs,
    inputs,
    grad_outputs=None,
    retain_graph=None,
    create_graph=False,
    only_inputs=True,
    allow_unused=None,
    is_grads_batched=False,
    materialize_grads=False,
):
    """The gradients of `outputs` with respect to `inputs`, as a tuple (for a dict of inputs, a dict); no `.grad` is touched.

    Args:
        outputs: Where to start: tensors or GradientEdges.
        inputs: What to differentiate by.
        grad_outputs: The cotangents of `outputs`; None for scalars.
        retain_graph: Keep what was saved for backward (default: `create_graph`).
        create_graph: Record the derivative itself, for higher orders.
        only_inputs: Deprecated: it is always True.
        allow_unused: Give None for an input that the outputs do not depend on, instead of an error.
        is_grads_batched: The first dimension of each cotangent is a batch of cotangents.
        materialize_grads: Give zeros instead of None.

    >>> import rushlight as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> slope, = torch.autograd.grad(x**3, x, create_graph=True)
    >>> slope, torch.autograd.grad(slope, x)
    (tensor(27., grad_fn=<MulBackward0>), (tensor(18.),))
    """
    if grad_outputs is None and only_inputs and not is_grads_batched and not materialize_grads and type(create_graph) is bool:
        # (The usual call, of a loss, needs none of what is below.)
        keep_graph = create_graph if retain_graph is None else bool(index(retain_graph))
        found = core.grad_of_loss(
            outputs, inputs, keep_graph, create_graph, allow_unused is not None and bool(index(allow_unused))
        )
        if found is not None:
            return found
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if not only_inputs:
        warn_user(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other parts of the graph, "
            "please use torch.autograd.backward.",
            FutureWarning,
        )
    names = tuple(inputs) if isinstance(inputs, dict) else None
    outputs, inputs = as_tuple(outputs), as_tuple(inputs if names is None else inputs.values())
    if len(inputs) == 0:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    gradients = gradient_tuple(grad_outputs, len(outputs))
    allow_unused = materialize_grads if allow_unused is None else allow_unused
    retain_graph = create_graph if retain_graph is None else retain_graph
    seeds = list(map(seed, outputs, gradients, count(), repeat(is_grads_batched)))
    check_given(outputs, seeds, inputs)
    flags = bool(index(retain_graph)), bool(index(create_graph)), bool(index(allow_unused))
    if is_grads_batched:
        found = batched_grad(outputs, inputs, seeds, flags)
    else:
        found = core.run_backward(outputs, seeds, flags[0], flags[1], inputs, flags[2], False)
    if materialize_grads:
        if any(g is None and isinstance(x, GradientEdge) for g, x in zip(found, inputs)):
            raise RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge")
        found = tuple(torch.zeros_like(x, requires_grad=create_graph) if g is None else g for g, x in zip(found, inputs))
    return found if names is None else dict(zip(names, found))


def batched_grad(outputs, inputs, seeds, flags):
    """All cotangents of the batch in one backward, under vmap; `flags` are retain_graph, create_graph and allow_unused."""
    places = [place for place, cotangent in enumerate(seeds) if cotangent is not None]

    def vjp(*cotangents):
        given = [None] * len(seeds)
        for place, cotangent in zip(places, cotangents):
            given[place] = cotangent
        return core.run_backward(outputs, given, *flags[:2], inputs, flags[2], False)

    return _vmap(vjp, allow_none_pass_through=True)(*[seeds[place] for place in places])


overridable([backward, grad], in_tuples=True)

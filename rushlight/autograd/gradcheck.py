"""Derivatives checked against differences: gradcheck, and for second derivatives gradgradcheck."""

from collections.abc import Iterable

import rushlight as torch
from rushlight.autograd import _jacobians as jacobians
from rushlight.autograd._comparing import (
    GradcheckError,
    check_batched,
    check_batched_forward,
    check_inputs,
    check_multiplied,
    check_undefined,
    check_undefined_forward,
    compare_backward,
    compare_forward,
)
from rushlight.autograd._jacobians import as_tuple, recorded, tracked
from rushlight.autograd.engine import grad
from rushlight.core import warn_user

__all__ = [
    "GradcheckError",
    "get_analytical_jacobian",
    "get_numerical_jacobian",
    "get_numerical_jacobian_wrt_specific_input",
    "gradcheck",
    "gradgradcheck",
]

GradcheckError.__module__ = __name__  # (messages and pickles name this place)


def gradcheck(
    func,
    inputs,
    *,
    eps=1e-6,
    atol=1e-5,
    rtol=1e-3,
    raise_exception=True,
    nondet_tol=0.0,
    check_undefined_grad=True,
    check_grad_dtypes=False,
    check_batched_grad=False,
    check_batched_forward_grad=False,
    check_forward_ad=False,
    check_backward_ad=True,
    fast_mode=False,
    masked=None,
):
    """Compares the derivatives of `func` with central differences; True, or an error that shows both.

    Args:
        func: Takes the inputs, returns a tensor or a tuple of tensors.
        inputs: A tensor or a tuple; those that require grad should have double precision.
        eps: Half the distance of the differences.
        atol, rtol: The tolerances.
        raise_exception: False: give False instead of an error.
        nondet_tol: How much two runs of backward may differ.
        check_undefined_grad: Whether undefined cotangents are tried too.
        check_grad_dtypes: Whether gradients need their inputs' dtypes.
        check_batched_grad: Whether backward is tried under vmap.
        check_batched_forward_grad: Whether forward mode is tried under vmap.
        check_forward_ad: Whether forward mode is compared too.
        check_backward_ad: Whether backward is compared.
        fast_mode: Compare one random product of each Jacobian instead of every entry.
        masked: For sparse inputs: whether what is not specified stays out.

    Complex functions are compared by the real and the imaginary parts of their outputs, by PyTorch's convention for gradients.

    >>> import rushlight as torch
    >>> x = torch.tensor([1., 2.], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.sin, x)
    True
    """
    if not check_forward_ad and not check_backward_ad:
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    if check_batched_grad and not check_backward_ad:
        raise AssertionError("Setting check_batched_grad=True requires check_backward_ad to be True")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    settings = {
        "eps": eps,
        "atol": atol,
        "rtol": rtol,
        "nondet_tol": nondet_tol,
        "check_grad_dtypes": check_grad_dtypes,
        "fast_mode": fast_mode,
    }
    try:
        inputs = as_tuple(inputs)
        check_inputs(inputs)
        outputs = recorded(func(*inputs))
        if any(out.layout is not torch.strided for out in outputs):
            raise ValueError(
                "Sparse output is not supported at gradcheck yet. Please call to_dense(masked_grad=...) on the output of fn for gradcheck."
            )
        if check_backward_ad:
            compare_backward(func, inputs, outputs, settings)
        if check_forward_ad:
            compare_forward(func, inputs, settings)
            if check_undefined_grad:
                check_undefined_forward(func, inputs)
        if check_batched_forward_grad:
            check_batched_forward(func, inputs)
        if check_backward_ad and outputs:
            for place, out in enumerate(outputs):
                if check_batched_grad:
                    check_batched(out, inputs, place)
            check_multiplied(outputs, inputs)
            if check_undefined_grad:
                check_undefined(func, inputs)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func,
    inputs,
    grad_outputs=None,
    *,
    eps=1e-6,
    atol=1e-5,
    rtol=1e-3,
    gen_non_contig_grad_outputs=False,
    raise_exception=True,
    nondet_tol=0.0,
    check_undefined_grad=True,
    check_grad_dtypes=False,
    check_batched_grad=False,
    check_fwd_over_rev=False,
    check_rev_over_rev=True,
    fast_mode=False,
    masked=False,
):
    """Compares the second derivatives of `func` with differences of the first.

    Args:
        func: Takes the inputs, returns a tensor or a tuple of tensors.
        inputs: A tensor or a tuple; those that require grad should have double precision.
        grad_outputs: Cotangents of the outputs; random ones if not given.
        gen_non_contig_grad_outputs: Whether the random cotangents have gaps in memory.
        check_fwd_over_rev: Whether forward mode over backward is compared.
        check_rev_over_rev: Whether backward over backward is compared.
        eps, atol, rtol, raise_exception, nondet_tol, check_undefined_grad, check_grad_dtypes, check_batched_grad, fast_mode, masked:
            As in gradcheck.

    >>> import rushlight as torch
    >>> x = torch.tensor([1., 2.], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(torch.sin, x)
    True
    """
    if not check_fwd_over_rev and not check_rev_over_rev:
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    if check_undefined_grad and not check_rev_over_rev:
        raise AssertionError("Setting check_undefined_grad=True requires check_rev_over_rev to be True")
    if check_batched_grad and not check_rev_over_rev:
        raise AssertionError("Setting check_batched_grad=True requires check_rev_over_rev to be True")
    inputs = as_tuple(inputs)
    if grad_outputs is None:
        cotangents = tuple(random_cotangent(out, gen_non_contig_grad_outputs) for out in recorded(func(*inputs)))
    else:
        cotangents = as_tuple(grad_outputs)
    count = len(cotangents)
    places = {place for place, x in enumerate(inputs) if isinstance(x, torch.Tensor) and x.requires_grad}

    def slope(*arguments):
        given = tuple(
            x.requires_grad_() if place in places and not x.requires_grad else x for place, x in enumerate(arguments[:-count])
        )
        found = grad(recorded(func(*given)), tracked(given), arguments[-count:], create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        slope,
        inputs + cotangents,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        fast_mode=fast_mode,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        masked=masked,
    )


def random_cotangent(out, with_gaps):
    """Numbers between -1 and 1 in the shape of an output, as a leaf."""
    if with_gaps and out.numel() > 1:
        wide = torch.rand((*out.shape, 2), dtype=out.dtype)[..., 0]
    else:
        wide = torch.rand(out.shape, dtype=out.dtype)
    return (wide.mul_(2).sub_(1 + 1j if out.is_complex() else 1)).detach().requires_grad_()


def deprecated(name):
    """Says that a name was never meant to be public."""
    warn_user(
        f"`{name}` was part of PyTorch's private API and not meant to be exposed. We are deprecating it and it will be removed in a future "
        "version of PyTorch. If you have a specific use for this or feature request for this to be a stable API, please file us an issue at "
        "https://github.com/pytorch/pytorch/issues/new",
        FutureWarning,
    )


def refuse_complex(outputs, name):
    """The old helpers were written for real outputs."""
    if any(out.is_complex() for out in outputs if isinstance(out, torch.Tensor)):
        raise ValueError(f"Expected output to be non-complex. {name} no longer supports functions that return complex outputs.")


def _iter_tensors(x, only_requiring_grad=False):
    """The tensors in `x`, however deep: all, or those that require grad."""
    if isinstance(x, torch.Tensor):
        if x.requires_grad or not only_requiring_grad:
            yield x
    elif isinstance(x, Iterable) and not isinstance(x, str):
        for item in x:
            yield from _iter_tensors(item, only_requiring_grad)


def _get_numerical_jacobian(fn, inputs, outputs=None, target=None, eps=1e-3, is_forward_ad=False):
    """For each tensor of `target` (by default of the inputs) that requires grad, the Jacobian of each output, by central differences."""
    outputs = as_tuple(fn(*as_tuple(inputs))) if outputs is None else outputs
    if not is_forward_ad:
        refuse_complex(outputs, "get_numerical_jacobian")
    wanted = _iter_tensors(inputs if target is None else target, True)
    return [jacobians.numerical_jacobian(fn, as_tuple(inputs), x, as_tuple(outputs), eps) for x in wanted]


def get_numerical_jacobian(fn, inputs, target=None, eps=1e-3, grad_out=1.0):
    """For each input the Jacobian of `fn(inputs)`, by central differences. Deprecated.

    Args:
        fn: A function of the list of inputs.
        inputs: Tensors, or one.
        target: Those of them to take derivatives by; None is all.
        eps: The step.
        grad_out: Only 1.0.

    >>> import rushlight as torch
    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> import warnings; warnings.simplefilter("ignore")
    >>> from rushlight.autograd.gradcheck import get_numerical_jacobian
    >>> get_numerical_jacobian(lambda inputs: inputs[0] * 3, (x,))[0].round()
    tensor([[3., 0.],
            [0., 3.]], dtype=torch.float64)
    """
    deprecated("get_numerical_jacobian")
    if grad_out != 1.0:
        raise ValueError("Expected grad_out to be 1.0. get_numerical_jacobian no longer supports values of grad_out != 1.0.")
    inputs = as_tuple(inputs)
    wanted = tracked(inputs if target is None else as_tuple(target))
    outputs = as_tuple(fn(inputs))
    refuse_complex(outputs, "get_numerical_jacobian")
    return tuple(jacobians.numerical_jacobian(lambda *_: fn(inputs), (), x, outputs, eps)[0] for x in wanted)


def get_analytical_jacobian(inputs, output, nondet_tol=0.0, grad_out=1.0):
    """(for each input the Jacobian of `output` by backward, whether a second run gave the same, sizes fit, dtypes fit). Deprecated.

    Args:
        inputs: Tensors that `output` was computed from.
        output: A tensor.
        nondet_tol: How far a second backward may differ.
        grad_out: What backward begins with, for each element.

    >>> import rushlight as torch
    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> import warnings; warnings.simplefilter("ignore")
    >>> from rushlight.autograd.gradcheck import get_analytical_jacobian
    >>> found, *rest = get_analytical_jacobian((x,), x * x)
    >>> found[0]
    tensor([[2., 0.],
            [0., 4.]], dtype=torch.float64)
    """
    deprecated("get_analytical_jacobian")
    if grad_out != 1.0:
        raise ValueError("Expected grad_out to be 1.0. get_analytical_jacobian no longer supports values of grad_out != 1.0.")
    refuse_complex([output], "get_analytical_jacobian")
    return jacobians.analytical_jacobian(as_tuple(inputs), output, nondet_tol)


def get_numerical_jacobian_wrt_specific_input(fn, input_idx, inputs, outputs, eps, input=None, is_forward_ad=False):
    """For each output the Jacobian of `fn(*inputs)` with respect to one input, by central differences.

    Args:
        fn: A function of tensors.
        input_idx: Which input to move.
        inputs: All of them.
        outputs: What `fn` gives for them.
        eps: The step.
        input: The tensor to move instead of `inputs[input_idx]`.
        is_forward_ad: Whether complex derivatives are those of forward mode.

    >>> import rushlight as torch
    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> import warnings; warnings.simplefilter("ignore")
    >>> from rushlight.autograd.gradcheck import get_numerical_jacobian_wrt_specific_input
    >>> get_numerical_jacobian_wrt_specific_input(lambda x: (x * 3,), 0, (x,), (x * 3,), 1e-6)[0].round()
    tensor([[3., 0.],
            [0., 3.]], dtype=torch.float64)
    """
    x = inputs[input_idx] if input is None else input
    return jacobians.numerical_jacobian(fn, inputs, x, as_tuple(outputs), eps)

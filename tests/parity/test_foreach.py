"""torch._foreach_*: PyTorch's own samples of each, as a new list and in place, with gradients, and errors."""

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402
from torch.testing._internal import common_methods_invocations as invocations  # noqa: E402

import rushlight  # noqa: E402

from .op_db import compare, convert, leaves  # noqa: E402

DATABASES = ("unary", "binary", "pointwise", "reduce", "other")
INFOS = {info.name: info for kind in DATABASES for info in getattr(invocations, f"foreach_{kind}_op_db")}
DTYPES = (torch.float64, torch.float32, torch.int64, torch.bool, torch.complex64)


def samples(info, dtype, requires_grad):
    # (An operand of the samples is a tensor on a graph where they require grad: leaves are made of all.)
    for sample in info.sample_inputs("cpu", dtype, noncontiguous=False, num_input_tensors=[2]):
        yield [_leaf(value, requires_grad) for value in (sample.input, *sample.args)], sample.kwargs


def _leaf(value, requires_grad):
    if isinstance(value, list | tuple):
        return [_leaf(each, requires_grad) for each in value]
    if isinstance(value, torch.Tensor):
        wanted = requires_grad and value.dim() > 0 and value.dtype.is_floating_point
        return value.detach().clone().requires_grad_(wanted)
    return value


def outcome(function, arguments, keywords):
    """What a call gives, or the kind of error that it raises."""
    try:
        return function(*arguments, **keywords), None
    except (RuntimeError, TypeError, NotImplementedError, IndexError) as error:
        return None, error


@pytest.mark.parametrize("name", INFOS)
def test_foreach_samples_give_what_pytorch_gives(name):
    """As a new list and in place, in five dtypes; gradients in float64."""
    info = INFOS[name]
    tested = 0
    for suffix in ("", "_"):
        theirs_of, ours_of = getattr(torch, name + suffix, None), getattr(rushlight, name + suffix, None)
        assert (theirs_of is None) == (ours_of is None)
        if theirs_of is None:
            continue
        for dtype in DTYPES:
            recorded = dtype is torch.float64 and not suffix
            for arguments, keywords in samples(info, dtype, recorded):
                our_leaves = []
                converted = [convert(value, our_leaves) for value in arguments]
                our_keywords = {key: convert(value, our_leaves) for key, value in keywords.items()}
                theirs, refusal = outcome(theirs_of, arguments, keywords)
                ours, our_refusal = outcome(ours_of, converted, our_keywords)
                assert (refusal is None) == (our_refusal is None), f"{name}{suffix} {dtype}: {our_refusal} is not {refusal}"
                if refusal is not None:
                    continue
                tested += 1
                compare(list(ours), list(theirs), f"{name}{suffix} {dtype}")
                assert type(ours) is type(theirs)
                if recorded and theirs[0].requires_grad and info.supports_autograd:
                    check_gradients(name, ours, our_leaves, theirs, leaves([*arguments, *keywords.values()]))
    assert tested


def check_gradients(name, ours, our_leaves, theirs, their_leaves):
    if not their_leaves:
        return
    their_gradients, refusal = outcome(torch.autograd.grad, ([out.sum() for out in theirs], their_leaves), {"allow_unused": True})
    if refusal is not None:  # (addcdiv's with a vector of numbers)
        return
    our_gradients = rushlight.autograd.grad([out.sum() for out in ours], our_leaves, allow_unused=True)
    for our_gradient, their_gradient in zip(our_gradients, their_gradients, strict=True):
        if their_gradient is not None and our_gradient is not None:
            compare(our_gradient, their_gradient, f"gradient of {name}")


WRONG = [
    ("_foreach_add", lambda t: ([t.ones(2), t.ones(1)], [t.ones(2)])),
    ("_foreach_add_", lambda t: ([t.ones(2)], [1.0, 2.0])),
    ("_foreach_abs", lambda t: ([],)),
    ("_foreach_abs", lambda t: (3,)),
    ("_foreach_abs", lambda t: ()),
    ("_foreach_mul", lambda t: ([t.ones(2)], t.ones(2))),
    ("_foreach_mul", lambda t: ([t.ones(2)], "x")),
    ("_foreach_sub", lambda t: ([t.ones(2)], "x")),
    ("_foreach_mm", lambda t: ([t.ones(2, 2)], [])),
    ("_foreach_add_", lambda t: ([t.ones(2).int()], 1.5)),
    ("_foreach_div_", lambda t: ([t.ones(2).int()], 2)),
    ("_foreach_addcmul", lambda t: ([t.ones(2)], [t.ones(2)], [t.ones(2)], t.ones(2))),
    ("_foreach_addcmul", lambda t: ([t.ones(2)], [t.ones(2)], [t.ones(2)], t.ones(()))),
    ("_foreach_lerp", lambda t: ([t.ones(2)], [t.ones(2)], [0.5, 0.5])),
    ("_foreach_max", lambda t: ([t.ones(0)],)),
    ("_foreach_norm", lambda t: ([t.ones(0)], float("inf"))),
    ("_foreach_powsum", lambda t: ([t.ones(2).int()],)),
    ("_foreach_maximum", lambda t: ([t.ones(2) * 1j], 1.0)),
    ("_foreach_copy_", lambda t: ([t.ones(2)], [t.ones(3)])),
    ("_foreach_mul_", lambda t: ([t.ones(2).requires_grad_()], 2.0)),
]


@pytest.mark.parametrize(("name", "arguments"), WRONG)
def test_foreach_refuses_in_the_same_words(name, arguments):
    """Lengths, kinds and dtypes that do not fit."""
    _, theirs = outcome(getattr(torch, name), arguments(torch), {})
    _, ours = outcome(getattr(rushlight, name), arguments(rushlight), {})
    assert type(ours) is type(theirs)
    assert str(ours) == str(theirs)


def test_foreach_takes_operands_by_name():
    """In any order."""
    for library in (torch, rushlight):
        x, y, z = ([library.full((2,), number)] for number in (1.0, 2.0, 3.0))
        assert library._foreach_addcdiv(tensor2=z, self=x, value=3, tensor1=y)[0].tolist() == [3.0, 3.0]
        assert library._foreach_sub(x, other=y, alpha=2)[0].tolist() == [-3.0, -3.0]
        assert library._foreach_powsum(y, ord=3)[0].item() == 16.0

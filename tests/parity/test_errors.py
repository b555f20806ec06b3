"""Calls that both libraries refuse, with the same type of exception and the same text."""

import re

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch as pytorch  # noqa: E402

import rushlight  # noqa: E402

from .. import test_argument_kinds as argument_kinds  # noqa: E402

REFUSED = (
    """
torch.median(1)
torch.median(x, 0, 3)
torch.median(x > 0)
torch.median(x > 0, 0)
torch.kthvalue(x > 0, 1)
torch.cfloat_.sort()
torch.trace(x[:2, :2] > 0)
torch.lerp(i, i, 0.5)
torch.lerp(x > 0, x > 0, x > 0)
torch.addcmul(x > 0, x > 0, x > 0)
torch.isin(x > 0, x > 0)
torch.mvlgamma(x > 0, 1)
torch.tensor(1.0).unbind()
torch.tensor(1.0).roll(0, 0)
F.batch_norm(i, torch.ones(4), torch.ones(4), training=True)
F.group_norm(i, 2)
F.smooth_l1_loss(i, i)
F.huber_loss(i, i)
F.mse_loss(i > 0, i > 0)
F.binary_cross_entropy(i, i)
F.binary_cross_entropy_with_logits(i > 0, i > 0)
F.multi_margin_loss(x, y, weight=torch.ones(5))
F.multi_margin_loss(x, y.float())
F.multi_margin_loss(x[:, :0], y)
F.multi_margin_loss(torch.ones(2, 3, 4), y)
F.multilabel_margin_loss(x[:, :0], torch.ones(3, 0).long())
F.rms_norm(x, ())
F.rms_norm(x, (3,))
F.rms_norm(x, (4,), torch.ones(3))
F.rms_norm(x, (2, 2, 4))
F.rms_norm(i, (4,))
torch.isclose(x, 2)
torch.isclose(2, x)
torch.allclose(x, 2)
torch.polar(x, 2)
torch.complex(2, x)
torch.linspace(torch.ones(1), torch.ones(1), 3)
torch.linspace(torch.ones(1), torch.tensor(1.0), 3)
x.narrow(0, torch.tensor([0, 1]), 1)
x.narrow(0, torch.tensor(0.0), 1)
x.narrow(0, 0, -1)
torch.gradient(x, spacing=[1.0], dim=(0, 1))
torch.gradient(x, spacing=0.1, dim=(1, 1))
F.pad(x, (1, 2, 3))
F.pad(x, (1, 1) * 4)
F.pad(x, (-3, -3))
F.pad(x, 1)
F.pad(x, (1.5, 2))
F.pad(x, (1, 1), "bogus")
F.pad(x, (1, 1), "reflect", 1.0)
F.pad(x, (4, 1), "reflect")
F.pad(x, (1, 1) * 3, "reflect")
F.pad(x[:, :0], (1, 1), "replicate")
F.pad(x, (-3, -3), "replicate")
F.pad(x > 0, (1, 1), "reflect")
F.pad(x, (5, 1), "circular")
torch.constant_pad_nd(x, (1,))
torch.constant_pad_nd(x, (1,) * 6)
torch.pixel_shuffle(x, 2)
torch.pixel_shuffle(torch.ones(3, 2, 2), 2)
torch.pixel_unshuffle(torch.ones(3, 3, 2), 2)
torch.linalg.svdvals(x[0])
torch.linalg.svdvals(i)
torch.linalg.svdvals(x.half())
torch.linalg.svd(x, driver="gesvd")
torch.set_deterministic_debug_mode(3)
torch.set_default_tensor_type(torch.LongTensor)
""".strip()
    .replace("torch.cfloat_", "torch.ones(2).cfloat()")
    .split("\n")
)

EMPTY = """
abs(b)
ceil(b)
floor(b)
frac(b)
frac(i)
atan2(c, c)
bitwise_not(c)
bitwise_and(c, c)
bitwise_left_shift(b, b)
copysign(c, c)
fmod(b, b)
remainder(c, c)
floor_divide(b, b)
logaddexp(i, i)
lt(c, c)
ge(c, c)
i0(c)
addcmul(b, b, b)
lerp(i, i, 0.5)
""".strip().split("\n")


def outcome(expression, torch):
    """The exception of an expression."""
    names = {
        "torch": torch,
        "F": torch.nn.functional,
        "x": torch.arange(12.0).reshape(3, 4),
        "i": torch.arange(12).reshape(3, 4),
        "y": torch.zeros(3, dtype=torch.int64),
    }
    with pytest.raises(Exception) as caught:
        eval(expression, names)
    return type(caught.value).__name__.lstrip("_"), str(caught.value)


@pytest.mark.parametrize("expression", REFUSED)
def test_refused(expression):
    assert outcome(expression, rushlight) == outcome(expression, pytorch)


@pytest.mark.parametrize("expression", EMPTY)
def test_refused_where_there_are_no_elements(expression):
    kinds = {"b": "bool", "i": "int64", "c": "complex64"}
    expression = "torch." + re.sub(
        r"\b([bic])\b(?!\()", lambda found: f"torch.empty(0, dtype=torch.{kinds[found[1]]})", expression
    )
    assert outcome(expression, rushlight) == outcome(expression, pytorch)


NOT_IN_PYTORCH = {
    f"Tensor.{name}"
    for name in ["_to_dtype", "bucketize", "celu_", "combinations", "fill", "rsub", "selu_", "spmm", "threshold_"]
}
"""Methods that are functions only in PyTorch."""

CRASHES = {"_native_batch_norm_legit"}
"""Wrong arguments end PyTorch's process."""

CALLED_OTHERWISE = {"stft", "Tensor.stft", "Tensor.istft", "dequantize"}
"""Functions of Python in PyTorch, whose errors are those of what they call, with other places of parameters; and one of lists of quantized tensors."""


def wrong_values(torch):
    return None, True, 1.5, "x", [1.5], torch.ones(2), torch.float32, object()


@pytest.mark.parametrize("name", argument_kinds.PARSERS)
def test_arguments_of_the_wrong_kind(name):
    """Every parameter of every function, given values of other kinds: where PyTorch's parser refuses one, the text is the same."""
    if name in NOT_IN_PYTORCH or name in CALLED_OTHERWISE | CRASHES:
        return
    both = pytorch, rushlight
    for theirs, ours in zip(*map(wrong_values, both), strict=True):
        for call, own_call in zip(
            *(argument_kinds.calls(torch, name, wrong) for torch, wrong in zip(both, (theirs, ours))), strict=True
        ):
            expected = answer(*call[1:])
            if expected is not None and re.match(r"\w+\(\)[:,]? ", expected):
                assert answer(*own_call[1:]) == expected, (name, call[0], theirs)


def answer(called, args, keywords):
    """The text of the TypeError that a call raises, None if it does not."""
    try:
        called(*args, **keywords)
    except TypeError as error:
        return str(error)
    except Exception:
        return None
    return None

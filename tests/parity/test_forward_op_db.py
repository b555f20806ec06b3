"""Every op of PyTorch's own database in forward mode: the same tangents, out of place and in place."""

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402
import torch.autograd.forward_ad as their_forward  # noqa: E402

import rushlight  # noqa: E402
from rushlight.autograd import forward_ad as our_forward  # noqa: E402

from .known_differences import FORWARD_DIFFERENCES, SOMETIMES  # noqa: E402
from .op_db import compare, convert, find, flatten, samples_of  # noqa: E402
from .test_op_db import ADAPTED, PRESENT, SEED, label  # noqa: E402

DTYPES = (torch.float64, torch.complex128)


def direction(tensor, salt):
    """A tangent for one of PyTorch's tensors."""
    steps = torch.arange(tensor.numel(), dtype=torch.float64) * 1.7 + salt
    values = torch.complex(steps.sin(), (steps * 1.3).cos()) if tensor.dtype.is_complex else steps.sin()
    return values.to(tensor.dtype).reshape(tensor.shape)


def duals(value, theirs, found):
    """A sample's argument with tangents, in PyTorch or here; `found` counts them."""
    if isinstance(value, torch.Tensor):
        if not value.requires_grad:
            return value if theirs else convert(value)
        found.append(value)
        tangent = direction(value, 0.3 + len(found))
        if theirs:
            return their_forward.make_dual(value.detach(), tangent)
        return our_forward.make_dual(convert(value).detach(), convert(tangent))
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        return type(value)([duals(item, theirs, found) for item in value])
    if isinstance(value, dict):
        return {key: duals(item, theirs, found) for key, item in value.items()}
    return value if theirs else convert(value)


def pushed(info, sample, theirs):
    """(primals, tangents) of the results of a sample; tangents None where there is none."""
    library, forward = (torch, their_forward) if theirs else (rushlight, our_forward)
    adapted = ADAPTED.get(label(info))
    function = adapted(library) if adapted else info.op if theirs else find(rushlight, info.name)
    found = []
    library.manual_seed(SEED)
    with forward.dual_level():
        arguments = duals([sample.input, *sample.args], theirs, found)
        keywords = duals(sample.kwargs, theirs, found)
        result = flatten(function(*arguments, **keywords))
        return [forward.unpack_dual(x) if isinstance(x, library.Tensor) else (x, None) for x in result]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=pytest.mark.xfail(reason=FORWARD_DIFFERENCES[name], strict=name not in SOMETIMES)
            if name in FORWARD_DIFFERENCES
            else (),
        )
        for name, info in sorted(PRESENT.items())
        if info.supports_forward_ad
    ],
)
def test_tangents(name):
    info = PRESENT[name]
    tested = 0
    for dtype in DTYPES:
        if dtype not in info.supported_backward_dtypes("cpu"):
            continue
        for sample in samples_of(info, dtype, True, 5):
            try:
                theirs = pushed(info, sample, True)
            except (RuntimeError, NotImplementedError):
                continue
            ours = pushed(info, sample, False)
            tested += 1
            assert len(ours) == len(theirs)
            for (primal, tangent), (their_primal, expected) in zip(ours, theirs, strict=True):
                if not isinstance(their_primal, torch.Tensor):
                    continue
                if tangent is None or expected is None:
                    given = tangent if expected is None else expected
                    assert given is None or not given.any(), f"{name} {dtype}: a tangent in one library only: {given}"
                else:
                    assert tangent.shape == primal.shape and tangent.dtype == primal.dtype
                    compare(tangent, expected, f"{name} {dtype}: tangent", scale=20.0)
    if not tested:
        pytest.skip("no sample")

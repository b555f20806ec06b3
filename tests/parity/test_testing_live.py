"""The facts of tests/test_testing.py, asked of PyTorch itself; and the same message for many pairs of tensors."""

import itertools
import re

import pytest

import rushlight

from ..dtypes import EARLY as DTYPES
from ..test_testing import *  # noqa: F403

pytorch = pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")]

DIFFERENCE = r"(?<=difference: )\S+"


@pytest.fixture
def torch():
    return pytorch


def message(module, left, right, low, seed, options):
    """What the comparison of two random tensors says, or that it says nothing."""
    module.manual_seed(seed)
    limits = {"low": low, "high": low + 2}
    a = module.testing.make_tensor(3, 5, dtype=getattr(module, left), device="cpu", **limits)
    b = module.testing.make_tensor(3, 5, dtype=getattr(module, right), device="cpu", noncontiguous=True, **limits)
    try:
        module.testing.assert_close(a, b, **options)
    except AssertionError as error:
        return str(error)
    return "close"


def taken_apart(text):
    """A message without the greatest differences, and these."""
    found = re.findall(DIFFERENCE, text)
    return re.sub(DIFFERENCE, "", text), [float(number) for number in found]


@pytest.mark.parametrize(("left", "right"), list(itertools.product(DTYPES, DTYPES)))
def test_messages(left, right):
    for seed, options in enumerate(({"check_dtype": False}, {"check_dtype": False, "rtol": 0.25, "atol": 0.5}, {})):
        for low in (0, 100) if "bool" not in (left, right) else (0,):
            ours, theirs = (message(module, left, right, low, seed, options) for module in (rushlight, pytorch))
            if "complex" in left + right:
                # The last bit of a complex number's absolute value may differ.
                (ours, ours_found), (theirs, theirs_found) = taken_apart(ours), taken_apart(theirs)
                assert ours_found == pytest.approx(theirs_found, rel=1e-6)
            assert ours == theirs

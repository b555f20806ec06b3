"""What newer versions of Python or NumPy do differently, pinned where one of them can be had."""

import functools
import operator
import sys

import pytest

import rushlight as torch

pytestmark = pytest.mark.core
np = pytest.importorskip("numpy")


@pytest.mark.filterwarnings("ignore:Creating a tensor from a list of numpy.ndarrays")  # (PyTorch's, about lists alone)
@pytest.mark.parametrize("wrap", [lambda a: a, lambda a: [a, a]])
def test_reading_of_arrays_that_cannot_be_written_is_no_warning(wrap):
    """NumPy's scalars count as arrays that are read-only, from NumPy 2.5 on."""
    array = np.arange(3.0)
    array.flags.writeable = False
    assert torch.tensor(wrap(array)).numel() in {3, 6}
    assert torch.tensor(wrap(np.int32(4))).dtype is torch.int32
    if wrap(0) == 0:
        assert torch.as_tensor(np.float64(4)).add_(1).item() == 5


def test_the_users_line_is_found_through_calls_from_c():
    """From 3.12 on, C enters the interpreter through frames of its own, which are nobody's line."""
    linear, x = torch.nn.Linear(2, 2), torch.ones(1, 2)

    class Lazy:
        @property
        def computed(self):
            return linear(x), here()

        def __getattr__(self, name):
            return linear(x).exp(), here()

    def here():
        return sys._getframe(1).f_lineno

    for tensor, line in (
        (linear(x), here()),
        (next(map(linear, [x])), here()),
        (functools.reduce(operator.mul, [linear(x), x]), here()),
        (next(linear(x) for _ in range(1)), here()),
        Lazy().computed,
        Lazy().found_by_getattr,
        (torch.nn.Sequential(linear, torch.nn.Tanh())(x), here()),
    ):
        assert tensor.grad_fn.source_line == (__file__, line)

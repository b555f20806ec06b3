"""What newer versions of Python or NumPy do differently, pinned where one of them can be had."""

import pytest

import rushlight as torch

pytestmark = pytest.mark.core
np = pytest.importorskip("numpy")


@pytest.mark.parametrize("wrap", [lambda a: a, lambda a: [a, a]])
def test_reading_of_arrays_that_cannot_be_written_is_no_warning(wrap):
    """NumPy's scalars count as arrays that are read-only, from NumPy 2.5 on."""
    array = np.arange(3.0)
    array.flags.writeable = False
    assert torch.tensor(wrap(array)).numel() in {3, 6}
    assert torch.tensor(wrap(np.int32(4))).dtype is torch.int32
    if wrap(0) == 0:
        assert torch.as_tensor(np.float64(4)).add_(1).item() == 5

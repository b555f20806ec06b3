"""For tests of programs: comparisons that say what differs, and tensors of random numbers.

>>> torch.testing.assert_close(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0000001]))
>>> torch.testing.make_tensor(2, 3, dtype=torch.float32, device="cpu", low=-1, high=1).shape
torch.Size([2, 3])
"""

from rushlight.testing import _utils
from rushlight.testing._comparison import assert_allclose, assert_close
from rushlight.testing._creation import make_tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]

"""Python numbers beside tensors of every dtype: what does not fit wraps around, becomes infinite or is refused, as in PyTorch."""

import math

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch as pytorch  # noqa: E402

import rushlight  # noqa: E402

from ..dtypes import EARLY as DTYPES  # noqa: E402

NUMBERS = (
    *(300, -1, 40000, -40000, 2**31, 2**40, -(2**40), 2**63 - 1, 2**63, -(2**63), 2**64 - 1, 2**70, -(2**70), True),
    *(0.5, -1.5, 300.5, 127.9, 255.5, 1e5, 1e39, -1e39, math.inf, -math.inf, math.nan, 300 + 0j, 1 + 1j, 1e39j),
)

WRAPPING = """
x + v
v + x
x.add_(v)
x - v
v - x
torch.rsub(x, v)
x * v
x.mul_(v)
x / v
v / x
torch.div(x, v, rounding_mode="floor")
x // v
x % v
torch.remainder(v, x)
torch.fmod(x, v)
x.remainder_(v)
v**x
torch.float_power(x, v)
x == v
x != v
x < v
x.le(v)
x.gt_(v)
x & v
v | x
torch.bitwise_xor(x, v)
x << v
x >> v
torch.xlogy(x, v)
torch.xlogy(v, x)
torch.special.xlog1py(x, v)
torch.copysign(x, v)
x[0] * v
x[:0] + v
x[::2] - v
torch.mul(x, v, out=x.clone())
"""

CHECKED = """
x**v
x.pow_(v)
x[:0] ** v
x[::2] ** v
torch.pow(x, v, out=x.clone())
x.clamp(min=v)
x.clamp(max=v)
x.clamp(v, 300)
x.clamp(-1, v)
x.clamp_(min=v)
torch.clamp_min(x, v)
x[:0].clamp(max=v)
x[::2].clamp(min=v)
x.clamp(x, v)
torch.where(x > 1, x, v)
torch.where(x > 1, v, x)
torch.where(x > 1, v, v)
torch.add(x, x, alpha=v)
torch.add(x, 2, alpha=v)
x.add_(x.clone(), alpha=v)
torch.sub(x, x, alpha=v)
torch.rsub(x, x, alpha=v)
torch.addcmul(x, x, x, value=v)
x.addcmul_(x.clone(), x.clone(), value=v)
torch.addcdiv(x, x, x, value=v)
torch.lerp(x, x, v)
torch.addmv(x[:1], x[None], x, alpha=v)
torch.addmv(x[:1], x[None], x, beta=v)
torch.addmm(x[None, :1], x[None], x[:, None], alpha=v)
torch.addmm(x[None, :1], x[None], x[:, None], beta=v)
torch.baddbmm(x[None, None, :1], x[None, None], x[None, :, None], alpha=v)
torch.addr(x[:, None] * x, x, x, alpha=v)
torch.addr(x[:, None] * x, x, x, beta=v)
F.leaky_relu(x, v)
F.elu(-x, v)
F.softplus(x, v)
F.hardshrink(x, v)
F.threshold(x, v, 2)
"""

FILLING = """
x.fill_(v)
x[0].fill_(v)
x[:0].fill_(v)
torch.full((2,), v, dtype=x.dtype)
torch.full((0,), v, dtype=x.dtype)
torch.full_like(x, v)
x.new_full((2,), v)
torch.full((3,), v, out=x)
torch.scalar_tensor(v, dtype=x.dtype)
torch.tensor([v], dtype=x.dtype)
torch.as_tensor(v, dtype=x.dtype)
x.new_tensor(v)
assign(x, 1, v)
assign(x, slice(0, 2), v)
assign(x, ..., v)
assign(x, x > 1, v)
assign(x, torch.tensor([0]), v)
x.masked_fill(x > 1, v)
x.masked_fill_(x > 1, v)
x.masked_fill(x > 100, v)
x.index_fill(0, torch.tensor([0]), v)
x.scatter(0, torch.tensor([0]), v)
x.scatter_(0, torch.tensor([0]), v, reduce="multiply")
x[None].fill_diagonal_(v)
torch.linspace(0, v, 3, dtype=x.dtype)
torch.linspace(v, 0, 3, dtype=x.dtype)
torch.linspace(v, v, 1, dtype=x.dtype)
torch.linspace(v, v, 0, dtype=x.dtype)
torch.logspace(0, v, 2, dtype=x.dtype)
torch.arange(v, v + 3, dtype=x.dtype)
torch.arange(0, 2 * v, v, dtype=x.dtype)
torch.range(v, v, dtype=x.dtype)
torch.arange(v, v + 3, out=x)
"""


def assign(x, index, value):
    x[index] = value
    return x


def outcome(torch, program, dtype, number):
    """The result's dtype, shape and elements; or the error."""
    names = {"torch": torch, "F": torch.nn.functional, "assign": assign, "v": number}
    try:
        result = eval(program, names | {"x": torch.tensor([1, 2, 3], dtype=getattr(torch, dtype))})
    except Exception as error:
        return type(error).__name__, str(error)
    return str(result.dtype).split(".")[1], tuple(result.shape), result.reshape(-1).tolist()


def near(a, b, tolerance):
    if type(a) is not type(b):
        return False
    if isinstance(a, complex):
        return near(a.real, b.real, tolerance) and near(a.imag, b.imag, tolerance)
    return a == b or (a != a and b != b) or (isinstance(a, float) and math.isclose(a, b, rel_tol=tolerance))


def same(ours, theirs):
    if len(ours) == 3 == len(theirs):
        tolerance = 1e-2 if theirs[0].endswith("float16") else 1e-5
        return ours[:2] == theirs[:2] and all(near(a, b, tolerance) for a, b in zip(ours[2], theirs[2]))
    return ours == theirs


def reason(program, dtype, number, theirs):
    """Why the results may differ, or None."""
    if theirs[0] == "uint64":
        return "there is no uint64"
    if dtype.startswith("complex") or isinstance(number, complex):
        if not isinstance(number, int) and (number != number or abs(number) > 1e38):
            return "infinities and NaNs of complex numbers: PyTorch multiplies by an alpha of 1 + 0j, and divides otherwise"
        if "arange" in program or "range" in program:
            return "the number is refused before the dtype"
    if isinstance(number, int) and abs(number) >= 2**63 and (dtype == "bool" or "Promotion for uint16" in theirs[1]):
        return "which of two errors comes first"
    if dtype == "bool" and ((number is True and "**" in program) or "pow" in program):
        return "PyTorch copies a power of one"
    if dtype == "bool" and theirs[0] == "NotImplementedError" and program.startswith(("torch.addmv", "torch.baddbmm")):
        return "the kernel's name"
    if program.startswith("F.threshold") and dtype == "int64" and abs(number) > 2**53:
        return "the threshold is a float"
    return None


@pytest.mark.parametrize("program", [line for text in (WRAPPING, CHECKED, FILLING) for line in text.strip().splitlines()])
def test_a_number_fits_wraps_around_or_is_refused(program):
    differ = []
    for dtype in DTYPES:
        for number in NUMBERS:
            theirs, ours = (outcome(torch, program, dtype, number) for torch in (pytorch, rushlight))
            if not same(ours, theirs) and reason(program, dtype, number, theirs) is None:
                differ.append(f"{dtype}, {number}:\n  PyTorch   {theirs}\n  Rushlight {ours}")
    assert not differ, f"{len(differ)} differ\n" + "\n".join(differ[:12])

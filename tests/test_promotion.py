"""Which dtype comes out: as recorded from PyTorch 2.13. One letter stands for a dtype."""

import pytest

import rushlight as torch

from .dtypes import EARLY as NAMES

LETTERS = dict(zip([*NAMES, "complex32"], "tuabcdhgfFxXy", strict=True))

PROMOTED = [
    "tuabcdhgfFxX",
    "uubbcdhgfFxX",
    "ababcdhgfFxX",
    "bbbbcdhgfFxX",
    "cccccdhgfFxX",
    "ddddddhgfFxX",
    "hhhhhhhffFxX",
    "ggggggfgfFxX",
    "fffffffffFxX",
    "FFFFFFFFFFXX",
    "xxxxxxxxxXxX",
    "XXXXXXXXXXXX",
]
"""Row and column: the dtypes of two tensors with dimensions."""

MIXED = [
    row.split()
    for row in """
tdfx fff tuabcdhgfFxX dddf
uufx fff uuuuuuhgfFxX dddf
aafx fff aaaaaahgfFxX dddf
bbfx fff bbbbbbhgfFxX dddf
ccfx fff cccccchgfFxX dddf
ddfx fff ddddddhgfFxX dddf
hhhy hhh hhhhhhhhhhyy hhhh
gggx ggg ggggggggggxx gggg
fffx fff ffffffffffxx ffff
FFFX FFF FFFFFFFFFFXX FFFF
xxxx xxx xxxxxxxxxxxx xxxx
XXXX XXX XXXXXXXXXXXX XXXX
""".strip().splitlines()
]
"""Of a tensor of each dtype: product with True, 2, 2.5, 1j; quotient by True, 2, 2.5;
product with a 0-d tensor of each dtype; sum, prod, cumsum, exp."""


def letter(tensor):
    return LETTERS[str(tensor.dtype)[6:]]


def ones(name, *shape):
    return torch.ones(shape, dtype=getattr(torch, name))


@pytest.mark.parametrize("row", range(12))
def test_two_tensors(row):
    name = NAMES[row]
    assert (
        "".join(LETTERS[str(torch.promote_types(getattr(torch, name), getattr(torch, other)))[6:]] for other in NAMES)
        == PROMOTED[row]
    )
    assert "".join(letter(ones(name, 2) * ones(other, 2)) for other in NAMES) == PROMOTED[row]
    assert "".join(letter(torch.add(ones(name, 2), ones(other, 2))) for other in NAMES) == PROMOTED[row]
    assert (
        "".join(letter(torch.where(torch.tensor([True, False]), ones(name, 2), ones(other, 2))) for other in NAMES)
        == PROMOTED[row]
    )
    assert "".join(letter(torch.cat([ones(name, 2), ones(other, 2)])) for other in NAMES) == PROMOTED[row]


@pytest.mark.parametrize("row", range(12))
def test_numbers_and_tensors_without_dimensions(row):
    x = ones(NAMES[row], 2)
    products, quotients, zero_dim, folded = MIXED[row]
    assert "".join(letter(x * number) for number in (True, 2, 2.5, 1j)) == products
    assert "".join(letter(x / number) for number in (True, 2, 2.5)) == quotients
    assert "".join(letter(x * ones(other)) for other in NAMES) == zero_dim
    assert "".join(letter(y) for y in (x.sum(), x.prod(), x.cumsum(0), x.exp())) == folded


def test_the_default_dtype_decides_for_integers():
    torch.set_default_dtype(torch.float64)
    try:
        assert (torch.ones(2, dtype=torch.int64) / 2).dtype is torch.float64
        assert torch.tensor([1.5]).dtype is torch.float64 and torch.tensor([1j]).dtype is torch.complex128
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_narrower_target_is_refused():
    x = torch.ones(2, dtype=torch.int64)
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
        x += 1.5
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
        torch.mul(torch.ones(2), 2, out=x)
    assert x.tolist() == [1, 1]


@pytest.mark.parametrize(
    "values", [[1.0, 0.0, -1.0], [2, -2, 0], [1j, 0, -1j], [True, True, False], [0.0, 0.0, 0.0], [float("nan"), 0.0, 0.0]]
)
def test_a_sum_of_truth_values_is_whether_one_is_true(values):
    x = torch.tensor([values, [0] * 3])
    expected = x.bool().any(1)
    assert torch.equal(x.sum(1, dtype=torch.bool), expected) and x.sum(dtype=torch.bool) == expected.any()
    assert torch.equal(torch.sum(x, 1, out=torch.empty(2, dtype=torch.bool)), expected)
    assert not x[:0].sum(dtype=torch.bool) and not x[:, :0].sum(1, dtype=torch.bool).any()
    if not x.is_complex():
        assert torch.equal(x.nansum(1, dtype=torch.bool), x.nan_to_num().bool().any(1))

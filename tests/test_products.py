"""Products of matrices of every small size and layout: whole numbers come out exactly, whatever loop multiplies them."""

import itertools
import random

import pytest

import rushlight as torch

pytestmark = pytest.mark.core

SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 48, 50, 257)
LAYOUTS = ("rows", "columns", "gaps", "expanded", "one row again")


def whole_numbers(rows, columns, layout, numbers):
    """A matrix of small whole numbers of int64 that lies so in memory."""
    if layout == "columns":
        return torch.randint(-9, 9, (columns, rows), generator=numbers).t()
    if layout == "gaps":
        return torch.randint(-9, 9, (2 * rows, 3 * columns), generator=numbers)[::2, ::3]
    if layout == "expanded":
        return torch.randint(-9, 9, (rows, 1), generator=numbers).expand(rows, columns)
    if layout == "one row again":
        return torch.randint(-9, 9, (1, columns), generator=numbers).expand(rows, columns)
    return torch.randint(-9, 9, (rows, columns), generator=numbers)


def as_laid_out(x, dtype):
    """`x` in another dtype, with the strides that it has."""
    if 0 in x.stride():
        kept = x[:, :1] if x.stride(1) == 0 else x[:1]
        return kept.to(dtype).expand(x.shape)
    return torch.empty_strided(x.shape, x.stride(), dtype=dtype).copy_(x)


def of_sizes(dtype, count):
    """Operands, and what comes out, for some of all sizes and layouts."""
    chosen, numbers = random.Random(0), torch.Generator().manual_seed(0)
    for _ in range(count):
        rows, depth, columns = (chosen.choice(SIZES) for _ in range(3))
        if rows * depth * columns > 60000:
            continue
        a = whole_numbers(rows, depth, chosen.choice(LAYOUTS), numbers)
        b = whole_numbers(depth, columns, chosen.choice(LAYOUTS), numbers)
        yield as_laid_out(a, dtype), as_laid_out(b, dtype), a.mm(b)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_whole_numbers_come_out_exactly(dtype):
    for a, b, expected in of_sizes(dtype, 400):
        got = a.mm(b)
        assert torch.equal(got.long(), expected), (a.shape, a.stride(), b.shape, b.stride())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layout", ["rows", "columns", "gaps"])
def test_multiples_are_added(dtype, layout):
    numbers = torch.Generator().manual_seed(1)
    for a, b, expected in of_sizes(dtype, 150):
        x = whole_numbers(*expected.shape, layout, numbers)
        assert torch.equal(torch.addmm(as_laid_out(x, dtype), a, b, beta=2, alpha=3).long(), 2 * x + 3 * expected)
        out = as_laid_out(x, dtype)
        out.addmm_(a, b, beta=-1)
        assert torch.equal(out.long(), expected - x)


@pytest.mark.parametrize("layout", ["rows", "columns", "gaps"])
def test_what_is_written_over_is_not_read(layout):
    for a, b, expected in of_sizes(torch.float32, 60):
        out = as_laid_out(whole_numbers(*expected.shape, layout, torch.Generator()), torch.float32).fill_(float("nan"))
        torch.mm(a, b, out=out)
        assert torch.equal(out.long(), expected)


def test_an_output_with_gaps_gets_the_same_bits():
    numbers = torch.Generator().manual_seed(2)
    for rows, depth, columns in itertools.product((2, 5, 17), (3, 20), (2, 9, 33)):
        a, b = torch.randn(rows, depth, generator=numbers), torch.randn(depth, columns, generator=numbers)
        expected = a.mm(b)
        out = torch.empty(2 * rows, 3 * columns)[::2, ::3]
        assert torch.equal(torch.mm(a, b, out=out), expected)


def test_nothing_beside_the_output_is_written():
    for rows, columns in itertools.product((1, 3, 8, 17), repeat=2):
        around = torch.full((rows + 2, columns + 2), 5.0)
        torch.mm(torch.ones(rows, 7), torch.ones(7, columns), out=around[1:-1, 1:-1])
        assert around.sum() == 5 * ((rows + 2) * (columns + 2) - rows * columns) + 7 * rows * columns


def test_a_row_of_infinite_numbers_stays_in_its_row():
    a = torch.ones(5, 9)
    a[2] = float("inf")
    got = a.mm(torch.ones(9, 20))
    assert torch.isinf(got[2]).all() and got.isfinite().sum() == 4 * 20


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.complex64, torch.int64])
def test_a_bias_is_added_as_its_expansion_is(dtype):
    numbers = torch.Generator().manual_seed(2)
    for rows, depth, columns in itertools.product((1, 2, 5, 33), (0, 1, 3, 8, 50), (1, 3, 8, 17, 40)):
        a, b, bias = (
            torch.randint(-9, 9, shape, generator=numbers).to(dtype) / (1 if dtype == torch.int64 else 7)
            for shape in ((rows, depth), (depth, columns), (columns,))
        )
        a, b, bias = a.to(dtype), b.to(dtype), bias.to(dtype)
        for beta in (1, 3):
            expected = torch.addmm(bias.expand(rows, columns), a, b, beta=beta)
            assert torch.equal(torch.addmm(bias, a, b, beta=beta), expected), (rows, depth, columns, beta)
            out = torch.empty(rows, 2 * columns, dtype=dtype)[:, ::2]
            torch.testing.assert_close(torch.addmm(bias, a, b, beta=beta, out=out), expected)

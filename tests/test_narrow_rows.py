"""Arrays of many short rows, which kernels take many at a time, have the numbers of arrays without gaps."""

import pytest

import rushlight as torch

pytestmark = pytest.mark.core

DTYPES = [torch.uint8, torch.int16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128]
WIDTHS = [1, 2, 3, 7, 8, 15, 31, 33]
ROWS = 1500


def numbers(*shape, dtype):
    count = torch.Size(shape).numel()
    return (torch.arange(count) * 7 % 101).reshape(shape).to(dtype)


def spread(x, shape):
    """Its numbers, each in a place of its own."""
    return x.expand(shape).clone(memory_format=torch.contiguous_format)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", WIDTHS)
def test_sums_of_short_rows(width, dtype):
    shape = (3, ROWS, width)
    whole = numbers(*shape, dtype=dtype)
    others = {
        "row": numbers(width, dtype=dtype),
        "column": numbers(ROWS, 1, dtype=dtype),
        "a row for each plane": numbers(3, 1, width, dtype=dtype),
        "a number for each plane": numbers(3, 1, 1, dtype=dtype),
        "turned": numbers(width, ROWS, 3, dtype=dtype).permute(2, 1, 0),
        "a part": numbers(3, ROWS, width + 2, dtype=dtype)[..., 1:-1],
        "every second": numbers(3, ROWS, 2 * width, dtype=dtype)[..., ::2],
        "another dtype": numbers(width, dtype=torch.int32),
    }
    for name, other in others.items():
        expected = (whole.flatten() + spread(other, shape).flatten()).reshape(shape)
        assert (whole + other).equal(expected), name
        assert (other + whole).equal(expected), name
        in_parts = spread(whole, shape).new_zeros(3, ROWS + 1, width + 1)
        part = in_parts[:, 1:, :width]
        part.copy_(whole)
        assert part.equal(whole) and not in_parts[:, 0].any() and not in_parts[..., width].any(), name
        if expected.dtype == dtype:
            part += other
            assert part.equal(expected) and not in_parts[:, 0].any() and not in_parts[..., width].any(), name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", WIDTHS)
def test_copies_of_short_rows(width, dtype):
    whole = numbers(4, ROWS, width + 3, dtype=dtype)
    for part in (
        whole[..., :width],
        whole[..., 3:].transpose(0, 1),
        whole[:, ::3, 1 : 1 + width],
        whole.transpose(1, 2)[:, :width],
    ):
        dense = part.contiguous()
        assert dense.is_contiguous() and dense.tolist() == part.tolist()
        twice = torch.empty_like(whole)[..., :width]
        twice.fill_(3)
        assert (twice == 3).all()
    filled = torch.zeros(4, ROWS, width + 3, dtype=dtype)
    filled[..., 1 : 1 + width] = 5
    assert (filled[..., 1 : 1 + width] == 5).all() and not filled[..., 0].any() and not filled[..., width + 1 :].any()


@pytest.mark.parametrize("width", WIDTHS)
def test_short_rows_on_several_threads(width):
    before = torch.get_num_threads()
    x, row, column = torch.randn(100_003, width), torch.randn(width), torch.randn(100_003, 1)
    made = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            made.append((x * row - column, torch.where(column > 0, x, row), x[:, : width // 2 + 1].clone()))
    finally:
        torch.set_num_threads(before)
    for one, other in zip(*made):
        assert one.equal(other)


@pytest.mark.parametrize("width", [0, *WIDTHS])
@pytest.mark.parametrize("rows", [0, 1, 1500])
def test_rows_picked_and_added_by_an_index(rows, width):
    x, index = torch.randn(40, width), torch.randint(0, 40, (rows,))
    expected = torch.stack([x[i] for i in index.tolist()]) if rows else x[:0]
    for found in (x[index], x.index_select(0, index), torch.nn.functional.embedding(index, x), x[index.unsqueeze(1)].squeeze(1)):
        assert found.equal(expected)
    total, sums = torch.zeros(40, width), torch.zeros(40, width)
    for row, i in enumerate(index.tolist()):
        total[i] += expected[row]
    assert sums.index_add(0, index, expected).equal(total)
    assert sums.index_put((index,), expected, accumulate=True).equal(total)
    assert sums.scatter_add(0, index.unsqueeze(1).expand(rows, width), expected).equal(total)
    assert x.t().index_select(1, index).equal(expected.t())


def lengths():
    return [*range(1, 36), 63, 64, 65, 77]


BINARY = [
    "add",
    "sub",
    "mul",
    "div",
    "maximum",
    "minimum",
    "fmod",
    "remainder",
    "atan2",
    "hypot",
    "nextafter",
    "xlogy",
    "eq",
    "lt",
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", BINARY)
def test_an_element_is_the_same_wherever_it_stands(name, dtype):
    """At the end of a loop elements go few by few, and one by one."""
    op = getattr(torch, name)
    x = (torch.arange(80) * 37 % 41 - 20.5).to(dtype)
    y = (torch.arange(80) * 29 % 31 - 15.25).to(dtype) / 3
    try:
        one_by_one = torch.cat([op(x[i : i + 1], y[i : i + 1]) for i in range(80)])
    except NotImplementedError:
        pytest.skip(f"there is no {name} of {dtype}")
    for n in lengths():
        assert torch.equal(op(x[:n], y[:n]).nan_to_num(7), one_by_one[:n].nan_to_num(7)), n
        for number in (y[:1], y[:1].expand(n)):
            expected = torch.cat([op(x[i : i + 1], y[:1]) for i in range(n)])
            assert torch.equal(op(x[:n], number).nan_to_num(7), expected.nan_to_num(7)), n
            swapped = torch.cat([op(y[:1], x[i : i + 1]) for i in range(n)])
            assert torch.equal(op(number, x[:n]).nan_to_num(7), swapped.nan_to_num(7)), n
        both = op(x[:1].expand(n), y[:1].expand(n))
        assert torch.equal(both.nan_to_num(7), one_by_one[:1].expand(n).nan_to_num(7)), n


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_choices_are_the_same_wherever_they_stand(dtype):
    x, y = torch.arange(80).to(dtype), -torch.arange(80).to(dtype)
    mask = torch.arange(80) * 7 % 3 == 0
    for n in lengths():
        expected = [x[i].item() if mask[i] else y[i].item() for i in range(n)]
        assert torch.where(mask[:n], x[:n], y[:n]).tolist() == expected
        assert x[:n].masked_fill(mask[:n], 5).tolist() == [5 if mask[i] else float(i) for i in range(n)]
        assert torch.lerp(x[:n], y[:n], x[:n] / 80).tolist() == [
            torch.lerp(x[i : i + 1], y[i : i + 1], x[i : i + 1] / 80).item() for i in range(n)
        ]

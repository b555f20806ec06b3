"""How results lie in memory: their strides, for inputs that are not row-major."""

import pytest


@pytest.fixture
def columns(torch):
    return torch.arange(6.0).reshape(2, 3).t()


def test_outputs_that_are_resized_are_laid_out_as_new_ones(torch, columns):
    for out in (
        torch.add(columns, 1, out=torch.empty(0)),
        torch.exp(columns, out=torch.empty(0)),
        torch.clamp(columns, 0, 1, out=torch.empty(0)),
        torch.eq(columns, columns, out=torch.empty(0, dtype=torch.bool)),
        torch.mul(columns, columns.contiguous(), out=torch.empty(0)),
    ):
        assert out.stride() == (1, 3)
    assert torch.pow(2, columns, out=torch.empty(0)).stride() == (2, 1)


def test_indices_keep_the_order_of_dimensions(torch, columns):
    y = torch.arange(120.0).reshape(2, 3, 4, 5).permute(3, 1, 0, 2)
    i, table = torch.tensor([0, 1]), torch.tensor([[0, 1], [1, 0]])
    for found, strides in (
        (y[i], (24, 4, 12, 1)),
        (y[:, i], (1, 20, 40, 5)),
        (y[i, :, i], (12, 4, 1)),
        (y[:, i, i], (1, 5, 10)),
        (y[:, table], (1, 40, 20, 80, 5)),
        (y[table], (48, 24, 4, 12, 1)),
        (y[table.t()], (24, 48, 4, 12, 1)),
        (y[..., i], (2, 10, 30, 1)),
        (y[:, i[:, None], i], (1, 10, 5, 20)),
        (y[::2, i], (1, 12, 24, 3)),
        (columns[:, i], (2, 1)),
    ):
        assert found.stride() == strides
    assert torch.equal(y[:, i], y.contiguous()[:, i]) and torch.equal(y[table.t()], y.contiguous()[table.t()])


def test_scatters_into_parts_keep_strides_and_offset(torch):
    h = torch.arange(48.0).reshape(4, 12)[1:, 1::2]
    for found in (
        torch.select_scatter(h, torch.zeros(6), 0, 1),
        torch.slice_scatter(h, torch.zeros(1, 6), 0, 0, 1),
        torch.diagonal_scatter(h, torch.zeros(3)),
        torch.as_strided_scatter(h, torch.zeros(2), (2,), (1,), 13),
    ):
        assert found.stride() == (12, 2) and found.storage_offset() == 13 and found.data_ptr() != h.data_ptr()
    assert torch.as_strided_scatter(h, torch.zeros(1), (1,), (1,), 13)[0].tolist() == [0.0, *h[0, 1:].tolist()]
    assert torch.select_scatter(torch.ones(1, 3).expand(2, 3), torch.zeros(3), 0, 0).stride() == (3, 1)


def test_row_major_results(torch, columns):
    mask = columns > 2
    for found in (
        columns.masked_fill(mask, 0),
        columns.masked_fill(mask, torch.tensor(0.0)),
        torch.normal(columns, 1.0),
        torch.normal(1.0, columns),
        torch.mvlgamma(columns + 5, 2),
        torch.nn.functional.batch_norm(columns, None, None, training=True),
        (columns + 0j).angle(),
        (columns + 0j).logcumsumexp(0),
    ):
        assert found.stride() == (2, 1)
    assert columns.angle().stride() == (1, 3)


def test_formats_that_a_tensor_has_already(torch, columns):
    assert (
        columns.to(memory_format=torch.contiguous_format) is columns
        and columns.cpu(memory_format=torch.contiguous_format) is columns
    )
    assert columns.double(memory_format=torch.contiguous_format).stride() == (2, 1)
    last = torch.ones(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    part = last[:, :, ::2]
    assert part.to(memory_format=torch.channels_last) is part
    assert part.to(memory_format=torch.contiguous_format).stride() == (30, 10, 5, 1)


def test_orders_of_dimensions(torch):
    formats = [torch.contiguous_format, torch.channels_last]
    for shape in ((2, 2, 1, 2), (1, 2, 2, 2), (2, 2, 2, 1)):
        x = torch.empty(shape)
        assert x.dim_order(ambiguity_check=formats) == (0, 1, 2, 3)
        assert x.to(memory_format=torch.channels_last).dim_order(ambiguity_check=formats) == (0, 2, 3, 1)
    with pytest.raises(RuntimeError, match="does not have unique dim order"):
        torch.empty(1, 2, 1, 1).dim_order(ambiguity_check=formats)
    assert torch.empty(2, 0, 2).as_strided((2, 0, 2), (2, 4, 1)).dim_order() == (0, 1, 2)


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_storages_without_memory(torch):
    for memory in (torch.empty(2, device="meta").storage(), torch.empty(2, device="meta").untyped_storage()):
        for place in (0, 5):
            with pytest.raises(NotImplementedError, match="Not available for 'meta' device type"):
                memory[place]
        with pytest.raises(NotImplementedError, match="Not available for 'meta' device type"):
            memory.tolist()
    assert format(torch.empty((), device="meta")) == "tensor(..., device='meta', size=())"

"""Windows over positions, what is beyond the edges, and bags of rows: layouts and what is refused, as facts that hold for PyTorch too."""

import itertools

import pytest

import rushlight as torch

F = torch.nn.functional


def test_nothing_has_no_gradient():
    x = torch.rand(1, 4, 6, 5, requires_grad=True)
    for kind, size in itertools.product(("avg", "max"), ((0, 3), (3, 0))):
        made = getattr(F, f"adaptive_{kind}_pool2d")(x, size)
        place = 2 + size.index(0)
        text = rf"adaptive_{kind}_pool2d_backward\(\): .* sizes \[1, 4, {size[0]}, {size[1]}\] with dimension {place} being empty"
        with pytest.raises(RuntimeError, match=text):
            made.sum().backward()
    with pytest.raises(RuntimeError, match="adaptive_max_pool3d_backward"):
        F.adaptive_max_pool3d(x, 0).sum().backward()
    empty = torch.rand(0, 4, 6, 5, requires_grad=True)
    F.adaptive_max_pool2d(empty, 2).sum().backward()
    assert empty.grad.shape == empty.shape


def test_sizes_of_random_windows_are_one_number_or_all():
    for count in (2, 3):
        pool, x = getattr(F, f"fractional_max_pool{count}d"), torch.rand(2, *(7,) * count)
        for wrong in ((), (2,)):
            with pytest.raises(RuntimeError, match="kernel_size must either be a single Int or tuple of"):
                pool(x, wrong, output_size=(3,) * count)
            with pytest.raises(RuntimeError, match="output_size must either be a single Int or tuple of"):
                pool(x, 2, output_size=wrong)
        assert pool(x, 2, output_size=3).shape == (2, *(3,) * count)


def test_a_volume_without_a_batch_keeps_its_layout():
    x = torch.rand(1, 6, 5, 5, 5).contiguous(memory_format=torch.channels_last_3d)
    batched, positions = F.max_pool3d(x, 2, return_indices=True)
    made, places = F.max_pool3d(x.squeeze(0), 2, return_indices=True)
    assert made.stride() == places.stride() == batched.stride()[1:] == (1, 24, 12, 6)
    assert made.equal(batched.squeeze(0)) and places.equal(positions.squeeze(0))
    assert F.avg_pool3d(x.squeeze(0), 2).stride() == (8, 4, 2, 1)


def test_what_bags_refuse():
    table = torch.rand(10, 2)
    for dtype, mode, padding, text in (
        (torch.float32, "sum", None, r"Index 1 of input takes value 11 which is not in the valid range \[0, 10\)"),
        (torch.float64, "sum", None, "Expected idx >= 0 && idx < num_embeddings but found idx to be 11"),
        (torch.float32, "max", None, "Expected idx >= 0 && idx < num_embeddings but found idx to be 11"),
        (torch.float32, "mean", 0, "Expected idx >= 0 && idx < num_embeddings but found idx to be 11"),
    ):
        with pytest.raises(RuntimeError, match=text):
            F.embedding_bag(torch.tensor([[1, 11]]), table.to(dtype), mode=mode, padding_idx=padding)
    one = torch.tensor([1])
    for bag in (torch.embedding_bag, torch._embedding_bag, torch._embedding_bag_forward_only):
        for text, given in (
            ("input has to be a 1D or 2D Tensor, but got Tensor of dimension 3", (table, one.view(1, 1, 1), one)),
            ("offsets has to be a 1D Tensor, but got Tensor of dimension 2", (table, one, one.view(1, 1))),
            ("weight has to be a 2D Tensor, but got Tensor of dimension 3", (table.unsqueeze(0), one, one)),
        ):
            with pytest.raises(RuntimeError, match=text):
                bag(*given)
    with pytest.raises(RuntimeError, match=r"However, got 1\n\[ torch.LongTensor\{\} \]"):
        torch.embedding_bag(table, one, one)
    assert torch._embedding_bag(table, one, one - 1, padding_idx=-1)[0].equal(table[1:2])


def test_rows_are_held_to_a_norm_by_indices_of_both_kinds():
    for dtype in (torch.int32, torch.int64):
        index, table = torch.tensor([[1, 2], [1, 1]], dtype=dtype), torch.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
        assert F.embedding(index, table, max_norm=1.0)[0, 1].tolist() == pytest.approx([0.6, 0.8])
        assert table[:2].tolist() == torch.tensor([[3.0, 4.0], [0.3, 0.4]]).tolist()
        F.embedding_bag(index - 1, table, max_norm=1.0)
        assert table[0].tolist() == pytest.approx([0.6, 0.8])
    for dtype, text in ((torch.int16, "torch.ShortTensor"), (torch.bool, "CPUBoolType")):
        with pytest.raises(RuntimeError, match=f"argument #2 'indices' .* but got {text} .* arguments for embedding_renorm_"):
            torch.embedding_renorm_(table, torch.ones(1).to(dtype), 1.0, 2.0)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular", "constant"])
def test_gradients_of_edges_in_every_layout(mode):
    for shape, formats in (((3, 4, 5, 6), (torch.channels_last,)), ((2, 3, 4, 5, 6), (torch.channels_last_3d,))):
        for format in (torch.contiguous_format, *formats):
            x = torch.rand(shape).contiguous(memory_format=format).requires_grad_()
            made = F.pad(x, (1, 2, 1, 1, 2, 1), mode=mode)
            g = torch.empty_like(made).copy_(torch.rand(made.shape))
            (found,) = torch.autograd.grad(made, x, g)
            plain = x.detach().contiguous().requires_grad_()
            (expected,) = torch.autograd.grad(F.pad(plain, (1, 2, 1, 1, 2, 1), mode=mode), plain, g.contiguous())
            torch.testing.assert_close(found, expected)

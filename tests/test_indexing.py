"""Reading and writing by index, as facts that hold for PyTorch too."""

import pytest


@pytest.fixture
def torch():
    import rushlight

    return rushlight


@pytest.fixture
def x(torch):
    return torch.arange(24).view(2, 3, 4)


def test_basic_indices_are_views(torch, x):
    for index in (0, -1, slice(1), (slice(None), 1), (..., 2), None, (0, None, slice(0, 2)), (slice(None, None, 2), 0)):
        assert x[index].data_ptr() >= x.data_ptr()
        assert x[index]._base is not None or x[index].shape == x.shape
    assert x[1, 2, 3].item() == 23 and x[1, ..., 0].tolist() == [12, 16, 20]
    assert x[:, None].shape == (2, 1, 3, 4) and x[...].shape == x.shape


def test_index_errors(torch, x):
    with pytest.raises(IndexError, match="index 2 is out of bounds for dimension 0 with size 2"):
        x[2]
    with pytest.raises(IndexError, match="too many indices for tensor of dimension 3"):
        x[0, 0, 0, 0]
    with pytest.raises(ValueError, match="step must be greater than zero"):
        x[::-1]
    with pytest.raises(IndexError, match="index 5 is out of bounds for dimension 0 with size 2"):
        x[torch.tensor([5])]
    with pytest.raises(
        IndexError,
        match=r"The shape of the mask \[3\] at index 0 does not match the shape of the indexed tensor \[2, 3, 4\] at index 0",
    ):
        x[torch.tensor([True, False, True])]
    with pytest.raises(IndexError, match="shape mismatch: indexing tensors could not be broadcast together with shapes"):
        x[torch.tensor([0, 1]), torch.tensor([0, 1, 2])]
    with pytest.raises(IndexError, match="tensors used as indices must be long, int, byte or bool tensors"):
        x[torch.tensor([0.5])]
    with pytest.raises(IndexError, match="invalid index of a 0-dim tensor"):
        torch.tensor(1)[0]


def test_several_ellipses_stand_for_as_many_dimensions_each(torch, x):
    assert x[..., 0, ...].tolist() == x[:, :, 0].tolist() and x[1, ..., :, ...].shape == (3, 4)
    for index in ((..., ..., -1), (..., None, 0, ..., 0)):
        with pytest.raises(IndexError, match=f"index {index[-1]} is out of bounds for dimension {len(index) - 1} with size 0"):
            x[index]


def test_a_slice_of_a_number_alone_is_called_so(torch):
    number = torch.tensor(1.0)
    with pytest.raises(IndexError, match=r"slice\(\) cannot be applied to a 0-dim tensor"):
        number[:1]
    for index in ((slice(1),), (None, slice(1))):
        with pytest.raises(IndexError, match="too many indices for tensor of dimension 0"):
            number[index]


def test_index_tensors(torch, x):
    i, j = torch.tensor([0, 1]), torch.tensor([2, 0])
    assert x[i].shape == (2, 3, 4)
    assert x[i, j].tolist() == [[8, 9, 10, 11], [12, 13, 14, 15]]
    assert x[:, j].shape == (2, 2, 4)
    assert x[i, :, j].tolist() == [[2, 6, 10], [12, 16, 20]]
    assert x[:, j, i].shape == (2, 2)
    assert x[i[:, None], j].shape == (2, 2, 4)
    assert x[[0, 1]].shape == (2, 3, 4) and x[0, [1, 2]].shape == (2, 4)
    assert x[torch.tensor([-1])].tolist() == x[1:].tolist()
    assert x[torch.tensor(1)].tolist() == x[1].tolist()


def test_masks(torch, x):
    assert x[x > 20].tolist() == [21, 22, 23]
    assert x[torch.tensor([True, False])].shape == (1, 3, 4)
    assert x[:, torch.tensor([True, False, True])].shape == (2, 2, 4)
    assert x[True].shape == (1, 2, 3, 4) and x[False].shape == (0, 2, 3, 4)
    assert x[torch.zeros(2, dtype=torch.bool)].shape == (0, 3, 4)


def test_writes(torch, x):
    x = x.clone()
    x[0] = 0
    x[1, 1:, ::2] = torch.tensor([[1, 2], [3, 4]])
    assert x[0].sum().item() == 0 and x[1, 1].tolist() == [1, 17, 2, 19]
    x[x == 17] = -1
    x[torch.tensor([0, 1]), 0, torch.tensor([1, 1])] = torch.tensor([7, 8])
    assert x[1, 1, 1].item() == -1 and x[0, 0, 1].item() == 7 and x[1, 0, 1].item() == 8
    x[..., 3] = 2.7
    assert x[..., 3].unique().tolist() == [2]
    with pytest.raises(
        RuntimeError,
        match=r"shape mismatch: value tensor of shape \[3\] cannot be broadcast to indexing result of shape \[2, 3, 4\]",
    ):
        x[torch.tensor([0, 1])] = torch.tensor([1, 2, 3])
    with pytest.raises(
        RuntimeError,
        match=r"The expanded size of the tensor \(4\) must match the existing size \(3\) at non-singleton dimension 2",
    ):
        x[:] = torch.tensor([1, 2, 3])


def test_gradients_of_repeated_indices_add_up(torch):
    x = torch.zeros(3, requires_grad=True)
    x[torch.tensor([0, 0, 2])].sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 1.0]


def test_accumulating_writes(torch):
    x = torch.zeros(3)
    x.index_put_((torch.tensor([0, 0, 2]),), torch.tensor([1.0, 2.0, 3.0]), accumulate=True)
    assert x.tolist() == [3.0, 0.0, 3.0]
    x[torch.tensor([1, 1])] += 1
    assert x.tolist() == [3.0, 1.0, 3.0]


def test_index_functions(torch):
    x = torch.arange(6.0).view(2, 3)
    index = torch.tensor([[0, 0, 2]])
    assert x.gather(1, index).tolist() == [[0.0, 0.0, 2.0]]
    assert torch.zeros(2, 3).scatter(1, index, 5.0).tolist() == [[5.0, 0.0, 5.0], [0.0, 0.0, 0.0]]
    assert x.index_select(1, torch.tensor([2, 0])).tolist() == [[2.0, 0.0], [5.0, 3.0]]
    assert x.take(torch.tensor([0, 5])).tolist() == [0.0, 5.0]
    with pytest.raises(RuntimeError, match="index 3 is out of bounds for dimension 1 with size 3"):
        x.gather(1, torch.tensor([[3]]))
    with pytest.raises(RuntimeError, match="INDICES element is out of DATA bounds, id=3 axis_dim=3"):
        x.index_select(1, torch.tensor([3]))


def test_where_and_nonzero(torch):
    x = torch.tensor([[0, 1], [2, 0]])
    assert x.nonzero().tolist() == [[0, 1], [1, 0]]
    assert [i.tolist() for i in torch.where(x > 0)] == [[0, 1], [1, 0]]
    assert [i.tolist() for i in x.nonzero(as_tuple=True)] == [[0, 1], [1, 0]]


def test_unique_rows_with_nan(torch):
    """NaN is neither less nor greater than anything: what PyTorch gives."""
    nan = float("nan")
    values, inverse, counts = torch.tensor([[nan, 1.0], [1.0, 1.0], [nan, 0.0]]).unique(
        dim=0, return_inverse=True, return_counts=True
    )
    assert (values[:, 1].tolist(), inverse.tolist(), counts.tolist()) == ([0, 1, 1], [1, 2, 0], [1, 1, 1])

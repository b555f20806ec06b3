"""In-place writes, views and versions (section D)."""

import pytest


def test_versions_count_writes(torch):
    x = torch.ones(3)
    assert x._version == 0
    x.add_(1)
    x[0] = 5
    x.zero_()
    assert x._version == 3
    assert x[0]._version == x.view(3)._version == 3


@pytest.mark.parametrize(
    ("make", "write", "text"),
    [
        (
            lambda x: x.exp(),
            lambda y: y.mul_(2),
            r"\[torch.FloatTensor \[2\]\], which is output 0 of Exp, is at version 1; expected version 0 instead",
        ),
        (
            lambda x: x.sigmoid(),
            lambda y: y.add_(1),
            r"\[torch.FloatTensor \[2\]\], which is output 0 of Sigmoid, is at version 1; expected version 0",
        ),
    ],
)
def test_writing_what_backward_needs(torch, make, write, text):
    x = torch.ones(2, requires_grad=True)
    y = make(x)
    write(y)
    with pytest.raises(
        RuntimeError,
        match="one of the variables needed for gradient computation has been modified by an inplace operation: " + text,
    ):
        y.sum().backward()


def test_writing_an_input_that_was_saved(torch):
    x = torch.ones(2, requires_grad=True)
    w = torch.ones(2, dtype=torch.float64).float()
    y = x * w
    w.add_(1)
    with pytest.raises(
        RuntimeError,
        match=r"modified by an inplace operation: \[torch.FloatTensor \[2\]\] is at version 1; expected version 0 instead",
    ):
        y.sum().backward()


def test_writing_a_view_counts_for_its_base(torch):
    x = torch.ones(4, requires_grad=True)
    y = x.exp()
    y[1:].zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_writing_what_backward_does_not_need(torch):
    x = torch.ones(2, requires_grad=True)
    y = x + 1
    y.mul_(3)
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_leaf_cannot_be_written(torch):
    x = torch.ones(2, requires_grad=True)
    for write in (
        lambda: x.add_(1),
        lambda: x.zero_(),
        lambda: x.__setitem__(0, 3.0),
        lambda: x.copy_(torch.zeros(2)),
        lambda: x.fill_(2),
    ):
        with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
            write()
    assert x.tolist() == [1.0, 1.0] and x._version == 0
    for write in (lambda: x[0].add_(1), lambda: x.view(2).zero_()):
        with pytest.raises(
            RuntimeError, match="a view of a leaf Variable that requires grad is being used in an in-place operation"
        ):
            write()
    assert x.tolist() == [1.0, 1.0]
    with torch.no_grad():
        x.add_(1)
        x[0] = 7
    assert x.tolist() == [7.0, 2.0] and x._version == 2 and x.requires_grad


def test_writing_the_base_refreshes_the_grad_fn_of_a_view(torch):
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    view = y[1:]
    before = view.grad_fn
    y.mul_(5)
    assert view.grad_fn is not before
    view.sum().backward()
    assert x.grad.tolist() == [0.0, 10.0, 10.0]


def test_writing_a_view_rebases_the_base(torch):
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y[0].mul_(7)
    assert y.grad_fn.name().endswith("CopySlices")
    y.sum().backward()
    assert x.grad.tolist() == [14.0, 2.0, 2.0]


def test_a_base_without_grad_takes_history_from_a_write(torch):
    base = torch.zeros(3)
    value = torch.tensor(2.0, requires_grad=True)
    base[1] = value
    assert base.requires_grad and base.grad_fn.name().endswith("CopySlices")
    later = base[1]
    (later * 3).backward()
    assert value.grad.item() == 3


def test_a_view_takes_history_from_a_write_to_its_base(torch):
    base = torch.zeros(3)
    view = base[1:]
    value = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    base.copy_(value)
    assert view.requires_grad
    view.sum().backward()
    assert value.grad.tolist() == [0.0, 1.0, 1.0]


def test_two_views_of_one_base(torch):
    x = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    y = x * 1
    left, right = y[:2], y[2:]
    left.add_(right)
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 2.0, 2.0]
    y = x * 1
    left, right = y[:2], y[2:]
    left.mul_(right)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_chained_views_written(torch):
    x = torch.ones(2, 3, requires_grad=True)
    y = x * 1
    y.t()[1].mul_(4)
    y.view(6)[5] = 0
    y.sum().backward()
    assert x.grad.tolist() == [[1.0, 4.0, 1.0], [1.0, 4.0, 0.0]]


def test_setting_items_with_gradients(torch):
    x = torch.zeros(2, 3)
    row = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x[0] = row
    x[:, 1] = row[0]
    (x * torch.tensor([[1.0, 10.0, 100.0], [1000.0, 1e4, 1e5]])).sum().backward()
    assert row.grad.tolist() == [1.0 + 10.0 + 1e4, 0.0, 100.0]


def test_setting_items_by_mask_and_index(torch):
    x = torch.ones(4, requires_grad=True)
    y = x * 2
    y[torch.tensor([True, False, False, True])] = 0
    y[torch.tensor([1])] = torch.tensor([5.0])
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 1.0 * 2, 0.0]


def test_a_view_made_without_recording(torch):
    base = torch.ones(3, requires_grad=True) * 1
    with torch.no_grad():
        view = base[0]
    with pytest.raises(
        RuntimeError, match="A view was created in no_grad mode and is being modified inplace with grad mode enabled"
    ):
        view.mul_(2)


@pytest.mark.parametrize("make", [lambda x: x.unbind(0), lambda x: x.split(1), lambda x: x.chunk(2), lambda x: list(x)])
def test_views_among_several_outputs(torch, make):
    base = torch.ones(2, 2, requires_grad=True) * 1
    view = make(base)[0]
    with pytest.raises(
        RuntimeError,
        match=r"is a view and is being modified inplace. This view is the output of a function that returns multiple views",
    ):
        view.mul_(2)
    with torch.no_grad():
        view.mul_(2)


def test_the_strictest_origin_holds_for_chained_views(torch):
    base = torch.ones(2, 2, requires_grad=True) * 1
    view = base.unbind(0)[0].view(2)
    with pytest.raises(RuntimeError, match="multiple views"):
        view.mul_(2)


def test_views_made_in_a_function(torch):
    class Same(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view_as(x)

        @staticmethod
        def backward(ctx, g):
            return g

    base = torch.ones(2, requires_grad=True) * 1
    view = Same.apply(base)
    with pytest.raises(
        RuntimeError, match=r"is a view and is being modified inplace. This view was created inside a custom Function"
    ):
        view.mul_(2)


def test_a_hook_after_an_alias_was_written(torch):
    x = torch.ones(2, requires_grad=True)
    y = x * 1
    view = y.view(2)
    y.mul_(3)
    seen = []
    view.register_hook(lambda g: seen.append(g.tolist()))
    (view * 2).sum().backward()
    assert seen == [[2.0, 2.0]] and x.grad.tolist() == [6.0, 6.0]


def test_versions_can_be_counted_up(torch):
    x = torch.ones(2)
    torch.autograd.graph.increment_version(x)
    assert x._version == 1
    torch.autograd.graph.increment_version([x, x])
    assert x._version == 3


def test_versions_can_be_kept(torch):
    x = torch.ones(2)
    with torch.autograd._unsafe_preserve_version_counter(x):
        x.add_(1)
    assert x._version == 0


def test_out_does_not_record(torch):
    x, out = torch.ones(2, requires_grad=True), torch.zeros(2)
    with pytest.raises(
        RuntimeError,
        match=r"functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad",
    ):
        torch.mul(x, x, out=out)
    with torch.no_grad():
        torch.mul(x, x, out=out)
    assert out.tolist() == [1.0, 1.0] and not out.requires_grad


def test_memory_of_a_recorded_tensor_cannot_be_resized(torch):
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="cannot resize variables that require grad"):
        x.resize_(3)


def test_operators_in_place(torch):
    x = torch.ones(2, requires_grad=True)
    a = x * 1
    before = a
    a += x
    a *= 2
    assert a is before
    a.sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_writing_elements_that_share_memory(torch):
    x = torch.zeros(1).expand(3)
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers to a single memory location"):
        x.add_(1)
    y = torch.arange(4.0)
    with pytest.raises(
        RuntimeError, match="some elements of the input tensor and the written-to tensor refer to a single memory location"
    ):
        y[1:].add_(y[:-1])
    assert y.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_base_of_views(torch):
    x = torch.ones(2, 3)
    view = x[0][1:]
    assert view._is_view() and view._base is x and not x._is_view() and x._base is None


def test_retain_grad_follows_a_write(torch):
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    assert y.grad.tolist() == [1.0, 1.0] and x.grad.tolist() == [6.0, 6.0]

"""Writes through the real and imaginary parts of complex tensors, indices that are lists, and what else is around autograd."""

import collections
import warnings

import pytest


# ---- parts of complex tensors ----------------------------------------------------------------------------------------------
def test_a_write_into_the_real_part(torch):
    z = torch.tensor([3 + 4j, 1j, -1 + 0j], dtype=torch.complex128, requires_grad=True)
    real = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    y = z * 1
    y.real.copy_(real)
    assert y.tolist() == [1 + 4j, 2 + 1j, 3 + 0j]
    assert y.grad_fn.name() == "torch::autograd::CopySlices"
    (y.real * 2 + y.imag * 3).sum().backward()
    assert z.grad.tolist() == [3j] * 3
    assert real.grad.tolist() == [2.0] * 3


def test_a_write_into_a_window_of_the_imaginary_part(torch):
    z = torch.ones(3, dtype=torch.complex64, requires_grad=True)
    y = z * 2j
    part = y.imag
    part[1:].mul_(5)
    assert y.tolist() == [2j, 10j, 10j]
    torch.view_as_real(y).sum().backward()
    assert z.grad.tolist() == [2 - 2j, 10 - 2j, 10 - 2j]


def test_parts_of_what_is_written(torch):
    z = torch.ones(2, dtype=torch.complex64, requires_grad=True)
    y = z * 1
    imaginary, both = y.imag, torch.view_as_real(y)
    y.mul_(1j)
    assert type(imaginary.grad_fn).__name__ == "AsStridedBackward0"
    assert imaginary.tolist() == [1.0, 1.0]
    (imaginary.sum() + both[:, 0].sum() * 3).backward()
    assert z.grad.tolist() == [1 - 3j, 1 - 3j]


def test_complex_views_of_real_tensors(torch):
    x = torch.ones(3, 2, requires_grad=True)
    y = x * 1
    z = torch.view_as_complex(y)
    z.mul_(2j)
    assert y.tolist() == [[-2.0, 2.0]] * 3
    (y * torch.tensor([1.0, 10.0])).sum().backward()
    assert x.grad.tolist() == [[20.0, -2.0]] * 3
    y = x * 1
    z = torch.view_as_complex(y)[1:]
    y.mul_(3)
    assert z.tolist() == [3 + 3j, 3 + 3j]
    x.grad = None
    z.real.sum().backward()
    assert x.grad.tolist() == [[0.0, 0.0], [3.0, 0.0], [3.0, 0.0]]


def test_second_derivatives_through_a_part(torch):
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)

    def write(x):
        y = torch.complex(x, x * 2) * 1
        y.imag.mul_(x)
        return y

    assert torch.autograd.gradcheck(write, x)
    assert torch.autograd.gradgradcheck(write, x)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda torch, x: x * (1 + 2j), [3.0, 3.0]),
        (lambda torch, x: torch.complex(x, x * 2), [3.0, 3.0]),
        (lambda torch, x: x.to(torch.complex128) * 1j, [1.0, 1.0]),
        (lambda torch, x: x + 1j, [1.0, 1.0]),
    ],
)
def test_gradients_of_real_inputs_of_complex_results_are_real(torch, make, expected):
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    torch.view_as_real(make(torch, x)).sum().backward()
    assert x.grad.dtype is torch.float64
    assert x.grad.tolist() == expected


def test_extrema_over_a_dimension_share_or_choose(torch):
    x = torch.tensor([[1.0, 3.0, 3.0]], requires_grad=True)
    assert torch.autograd.grad(x.amax(1).sum(), x)[0].tolist() == [[0.0, 0.5, 0.5]]
    assert torch.autograd.grad(x.max(1)[0].sum(), x)[0].tolist() == [[0.0, 1.0, 0.0]]


# ---- indices and copies ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("index", "shape"),
    [
        ([[0], [1]], (1,)),
        ([[0, 1], [0, 1]], (2,)),
        ([slice(0, 2), 0], (2,)),
        ([None, 0], (1, 2)),
        ([[0, 1], 0], (2,)),
        ([..., 0], (3,)),
        ([range(2), range(2)], (2,)),
        ([range(0, 1), 1], (1,)),
        (collections.UserList([[0, 1], [1, 0]]), (2,)),
        (collections.UserList([slice(0, 1), 0]), (1,)),
    ],
)
def test_a_list_of_sequences_is_a_tuple_of_indices(torch, index, shape):
    x = torch.arange(6.0).view(3, 2)
    with pytest.warns(UserWarning, match="Using a non-tuple sequence for multidimensional indexing is deprecated"):
        found = x[index]
    assert found.shape == shape
    assert torch.equal(found, x[tuple(index)])


def test_a_list_of_numbers_is_one_index(torch):
    x = torch.arange(6.0).view(3, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert x[[0, 1]].shape == (2, 2)
        assert x[[True, False, True]].shape == (2, 2)
        assert x[[0.5, 2]].tolist() == x[[0, 2]].tolist()
        assert x[collections.UserList([0, 1])].shape == (2, 2)


def test_steps_of_slices_are_positive(torch):
    x = torch.arange(6.0).view(3, 2)
    for step, text in ((0, "slice step cannot be zero"), (-1, "step must be greater than zero")):
        for index in (slice(None, None, step), (0, slice(None, None, step))):
            with pytest.raises(ValueError, match=text):
                x[index]
    with pytest.raises(TypeError, match="'complex' object cannot be interpreted as an integer"):
        x[[1j]]


def test_copies_of_numbers(torch):
    x = torch.zeros(3)
    assert x.copy_(3).tolist() == [3.0] * 3
    assert x.copy_(other=torch.ones(3)).tolist() == [1.0] * 3
    for value, kind in (("a", "str"), (None, "NoneType")):
        with pytest.raises(TypeError, match=rf"copy_\(\): argument 'other' \(position 1\) must be Tensor, not {kind}"):
            x.copy_(value)


def test_expanded_targets_of_items(torch):
    x = torch.ones(1).expand(3)
    for write in (
        lambda: x.__setitem__(slice(None), 2),
        lambda: x.__setitem__(slice(0, 2), 2),
        lambda: x.__setitem__(..., torch.tensor(2.0)),
        lambda: x.fill_(torch.tensor(2.0)),
    ):
        with pytest.raises(
            RuntimeError, match="more than one element of the written-to tensor refers to a single memory location"
        ):
            write()
    x[0] = 2
    assert x.tolist() == [2.0] * 3


def test_resizing_to_the_same_sizes_is_no_write(torch):
    x = torch.ones(3)
    x.resize_(3)
    assert x._version == 0
    x.resize_(2)
    assert x._version == 1


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("sort", lambda torch, x, out: torch.sort(x, out=(out, torch.zeros(2, dtype=torch.int64)))),
        ("where", lambda torch, x, out: torch.where(x > 0, x, x, out=out)),
        ("clamp", lambda torch, x, out: torch.clamp(x, 0, 1, out=out)),
        ("add", lambda torch, x, out: torch.add(x, 1, out=out)),
    ],
)
def test_out_names_the_operation(torch, name, call):
    x = torch.ones(2, requires_grad=True)
    text = rf"^{name}\(\): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad"
    with pytest.raises(RuntimeError, match=text):
        call(torch, x, torch.zeros(2))


# ---- around autograd -------------------------------------------------------------------------------------------------------
def test_one_thread_or_several(torch):
    x = torch.ones(2, requires_grad=True)
    with torch.autograd.set_multithreading_enabled(False):
        (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    assert torch.autograd.set_multithreading_enabled(True).clone().mode is True


def test_a_variable_is_a_tensor(torch):
    x = torch.ones(2)
    assert type(torch.autograd.Variable(x)) is torch.Tensor
    assert isinstance(x, torch.autograd.Variable)
    assert torch.autograd.Variable(x) is not x
    assert torch.autograd.Variable(x, requires_grad=True).requires_grad


def test_switches_that_concern_compilers_and_streams(torch):
    graph = torch.autograd.graph
    with pytest.raises(RuntimeError, match=r"can only be used inside a torch.compile region; it has no effect in eager mode."):
        graph.region_activation_memory_budget(0.5)
    with pytest.raises(ValueError, match=r"must be in \[0, 1\], got 2"):
        graph.region_activation_memory_budget(2)
    assert graph.set_warn_on_accumulate_grad_stream_mismatch(True) is None
    assert graph.set_override_stale_capture_stream(False) is None


def test_out_of_a_kind_that_has_no_gradient(torch):
    x = torch.ones(2, requires_grad=True)
    out = torch.zeros(2, dtype=torch.bool)
    assert torch.eq(x, x, out=out) is out
    assert out.tolist() == [True, True]


def test_writes_by_index_of_what_shares_memory(torch):
    for index in (torch.tensor([0, 0]), torch.tensor([True, False]), torch.tensor([0.5]), torch.tensor([0, 9])):
        x = torch.ones(2, 2)
        with pytest.raises(RuntimeError, match="some elements of the input tensor and the written-to tensor refer"):
            x[index] = x
        assert x.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    x = torch.tensor([1.0, 2.0])
    with pytest.raises(RuntimeError, match="some elements of the input tensor and the written-to tensor refer"):
        x.index_put_((torch.tensor([0, 0, 0]),), x[:1], accumulate=True)
    # One value at a mask is read first.
    x[x > 1] = x[0]
    assert x.tolist() == [1.0, 1.0]


def test_elements_that_are_one_in_memory_are_replaced_in_turn(torch):
    assert torch.tensor([2]).expand(3).apply_(lambda value: value + 1).tolist() == [5, 5, 5]
    weight = torch.ones(1, 4).expand(3, 4)
    assert torch.nn.functional.embedding(torch.tensor([1, 0]), weight, max_norm=1.0)[0, 0].item() == pytest.approx(0.5)

"""The derivative of a sign is nothing: zeros that products keep, sums leave out, and nobody may write or export."""

import pickle

import pytest


def derivative_of_sign(torch, x):
    (sign,) = torch.autograd.grad(x.abs().sum(), x, create_graph=True)
    return torch.autograd.grad((sign * sign).sum(), x)[0]


@pytest.fixture
def nothing(torch):
    return derivative_of_sign(torch, torch.tensor([1.0, -2.0, 3.0], requires_grad=True))


def test_it_is_zeros(torch, nothing):
    assert nothing._is_zerotensor() and torch.equal(nothing, torch.zeros(3))
    assert nothing.sum().item() == 0 and nothing[1].item() == 0 and str(nothing) == "tensor([0., 0., 0.])"
    assert torch.nn.functional.relu(nothing).tolist() == [0, 0, 0] and (nothing + 1).tolist() == [1, 1, 1]


def test_it_is_contiguous(torch):
    found = derivative_of_sign(torch, torch.ones(2, 3).t().requires_grad_())
    assert found.shape == (3, 2) and found.stride() == (2, 1) and found._is_zerotensor()


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda torch, z, x: z * x, True),
        (lambda torch, z, x: x * z, True),
        (lambda torch, z, x: z * 2, True),
        (lambda torch, z, x: z * 1j, True),
        (lambda torch, z, x: z * torch.ones(2, 3), True),
        (lambda torch, z, x: z / x, True),
        (lambda torch, z, x: z / 2, True),
        (lambda torch, z, x: x / z, False),
        (lambda torch, z, x: z / z, False),
        (lambda torch, z, x: z + x, False),
        (lambda torch, z, x: z + 1, False),
        (lambda torch, z, x: z + z, True),
        (lambda torch, z, x: z - z, True),
        (lambda torch, z, x: x - z, False),
        (lambda torch, z, x: torch.dot(z, x), True),
        (lambda torch, z, x: torch.linalg.cross(x, z), True),
        (lambda torch, z, x: z.view(3, 1), True),
        (lambda torch, z, x: z[1:], True),
        (lambda torch, z, x: z[None], True),
        (lambda torch, z, x: z.expand(2, 3), True),
        (lambda torch, z, x: z.detach(), True),
        (lambda torch, z, x: z.contiguous(), True),
        (lambda torch, z, x: z.view(torch.int32), True),
        (lambda torch, z, x: z[[0, 1]], False),
        (lambda torch, z, x: z.clone(), False),
        (lambda torch, z, x: z.double(), False),
        (lambda torch, z, x: -z, False),
        (lambda torch, z, x: z.sum(), False),
        (lambda torch, z, x: torch.cat([z, z]), False),
        (lambda torch, z, x: torch.zeros_like(z), False),
        (lambda torch, z, x: x.clone().add_(z), False),
        (lambda torch, z, x: torch.mul(z, x, out=torch.empty(3)), False),
    ],
)
def test_what_is_made_of_it(torch, nothing, call, expected):
    assert call(torch, nothing, torch.ones(3))._is_zerotensor() is expected


@pytest.mark.parametrize(
    "write",
    [
        lambda torch, z: z.add_(1),
        lambda torch, z: z.zero_(),
        lambda torch, z: z.copy_(torch.ones(3)),
        lambda torch, z: z[1:].fill_(1),
        lambda torch, z: z.__setitem__(0, 1.0),
        lambda torch, z: torch.add(torch.ones(3), 1, out=z),
    ],
)
def test_it_is_not_written(torch, nothing, write):
    with pytest.raises(RuntimeError, match="ZeroTensors are immutable"):
        write(torch, nothing)
    assert nothing.sum() == 0


def test_it_has_no_memory_to_share(torch, nothing):
    with pytest.raises(RuntimeError, match="unallocated storage"):
        nothing.tolist()
    with pytest.raises(RuntimeError, match="Cannot convert a ZeroTensor to numpy"):
        nothing.numpy()
    assert nothing.numpy(force=True).tolist() == [0, 0, 0]
    with pytest.raises(RuntimeError, match="ZeroTensor is not serializable"):
        pickle.dumps(nothing)


def test_gradients_are_added_to_it(torch):
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    y = x.detach().clone().requires_grad_()
    (y * 2).sum().backward()
    for leaf in (x, y):
        (sign,) = torch.autograd.grad(leaf.abs().sum(), leaf, create_graph=True)
        sign.sum().backward()
    assert x.grad._is_zerotensor() and not y.grad._is_zerotensor() and y.grad.tolist() == [2, 2]


@pytest.mark.parametrize("name", ["l1_loss", "smooth_l1_loss"])
def test_losses_of_absolute_differences(torch, name):
    x, keywords = torch.ones(2, requires_grad=True), {} if name == "l1_loss" else {"beta": 0.0}
    (g,) = torch.autograd.grad(getattr(torch.nn.functional, name)(x, torch.zeros(2), **keywords), x, create_graph=True)
    assert torch.autograd.grad(g.sum(), x)[0]._is_zerotensor()


def test_a_clone_is_plain(torch, nothing):
    assert nothing.clone().add_(1).tolist() == [1, 1, 1]

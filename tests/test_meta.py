"""Tensors of device "meta": a shape, strides and a dtype without memory."""

import copy
import io
import pickle

import pytest

import rushlight as torch
from rushlight import nn


def test_they_have_a_shape_and_nothing_else():
    x = torch.empty(2, 3, device="meta")
    assert x.is_meta and x.device == torch.device("meta") and x.shape == (2, 3) and x.data_ptr() == 0 and x.nbytes == 24
    assert repr(x) == "tensor(..., device='meta', size=(2, 3))"
    assert repr(x > 0) == "tensor(..., device='meta', size=(2, 3), dtype=torch.bool)"
    assert torch.empty(1 << 40, device="meta").untyped_storage().nbytes() == 1 << 42
    for made in (
        torch.tensor([1.0], device="meta"),
        torch.arange(3, device="meta"),
        torch.rand(2, device="meta"),
        x.new_zeros(2),
    ):
        assert made.is_meta


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: x.sum().item(), RuntimeError, r"Tensor.item\(\) cannot be called on meta tensors"),
        (lambda x: bool(x.sum()), RuntimeError, r"Tensor.item\(\) cannot be called on meta tensors"),
        (lambda x: x.tolist(), NotImplementedError, "Cannot copy out of meta tensor; no data!"),
        (lambda x: x.cpu(), NotImplementedError, "Cannot copy out of meta tensor; no data!"),
        (lambda x: torch.ones(2, 3).copy_(x), NotImplementedError, "Cannot copy out of meta tensor; no data!"),
        (lambda x: x.numpy(), TypeError, "can't convert meta device type tensor to numpy"),
        (
            lambda x: x.masked_select(x > 0),
            NotImplementedError,
            "aten::masked_select: attempted to run this operator with Meta tensors",
        ),
        (lambda x: x + torch.ones(2, 3), RuntimeError, "Tensor on device cpu is not on the expected device meta!"),
        (lambda x: torch.ones(2, 3) + x, RuntimeError, "Tensor on device meta is not on the expected device cpu!"),
        (lambda x: nn.Linear(3, 2, device="meta").to("cpu"), NotImplementedError, "Please use torch.nn.Module.to_empty"),
        (lambda x: torch.ones(2, 3).add_(x[0, 0]), RuntimeError, "Expected all tensors to be on the same device"),
        (lambda x: torch.sum(x, 0, out=torch.ones(3)), RuntimeError, "Attempting to copy from device meta to device cpu"),
        (lambda x: torch.cat([x, x], out=torch.ones(4, 3)), RuntimeError, "Attempting to copy from device meta to device cpu"),
        (lambda x: torch.from_dlpack(x), (RuntimeError, ValueError, BufferError), "meta"),
        (lambda x: x.apply_(abs), NotImplementedError, "no data"),
        (lambda x: memoryview(x.untyped_storage()), NotImplementedError, "no data"),
        (lambda x: setattr(torch.ones(2), "data", x), RuntimeError, "incompatible tensor type"),
    ],
)
def test_values_are_refused(call, error, text):
    with pytest.raises(error, match=text):
        call(torch.empty(2, 3, device="meta"))


def test_modules_are_made_without_memory_and_loaded():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4, device="meta"), nn.LayerNorm(4, device="meta"), nn.LSTM(4, 2, device="meta"))
    assert all(p.is_meta for p in net.parameters())
    assert torch.rand(1).item() == pytest.approx(0.4963, abs=1e-4)  # nothing was drawn
    assert net(torch.empty(5, 3, device="meta"))[0].shape == (5, 2)
    source = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.LSTM(4, 2))
    with pytest.warns(UserWarning, match="which is a no-op"):
        net.load_state_dict(source.state_dict())
    net.load_state_dict(source.state_dict(), assign=True)
    assert torch.equal(net[0].weight, source[0].weight) and net[0].weight.requires_grad
    empty = nn.Linear(3, 4, device="meta").to_empty(device="cpu")
    assert not empty.weight.is_meta and empty.weight.shape == (4, 3)


def test_backward_and_an_optimizer_tell_shapes():
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).to("meta")
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.empty(5, 3, device="meta")).pow(2).mean().backward()
    optimizer.step()
    assert net[0].weight.grad.is_meta and net[0].weight.grad.shape == (4, 3)
    assert optimizer.state[net[0].weight]["exp_avg"].is_meta


def test_contexts_and_the_default():
    with torch.device("meta"):
        net, there = nn.Linear(2, 2), torch.ones(2, device="cpu")
        assert torch.get_default_device() == torch.device("meta")
        with torch.device("cpu"):
            assert not torch.ones(2).is_meta
        assert (there * 2).tolist() == [2.0, 2.0]
    assert net.weight.is_meta and not torch.ones(2).is_meta and torch.get_default_device() == torch.device("cpu")
    torch.set_default_device("meta")
    try:
        assert torch.ones(2).is_meta
    finally:
        torch.set_default_device(None)
    assert not torch.ones(2).is_meta


def test_copies_pickles_and_files():
    x = torch.empty(2, 3, device="meta", requires_grad=True)
    y = copy.deepcopy(x)
    assert y.is_meta and y.requires_grad
    assert pickle.loads(pickle.dumps(x)).is_meta
    file = io.BytesIO()
    torch.save({"a": x, "b": torch.ones(2)}, file)
    file.seek(0)
    loaded = torch.load(file)
    assert loaded["a"].is_meta and loaded["a"].shape == (2, 3) and loaded["b"].tolist() == [1.0, 1.0]
    file.seek(0)
    assert torch.load(file, map_location="meta")["b"].is_meta

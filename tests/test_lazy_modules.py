"""Modules whose parameters get their shapes from the first input, and parameters that have none yet."""

import copy
import pickle

import pytest

import rushlight as torch
from rushlight import nn
from rushlight.nn.modules.lazy import LazyModuleMixin
from rushlight.nn.parameter import is_lazy


def test_the_first_call_makes_an_ordinary_module():
    lazy = nn.LazyLinear(3)
    assert (
        repr(lazy) == "LazyLinear(in_features=0, out_features=3, bias=True)" and repr(lazy.weight) == "<UninitializedParameter>"
    )
    assert isinstance(lazy.weight, nn.Parameter) and is_lazy(lazy.weight) and lazy.has_uninitialized_params()
    optimizer = torch.optim.SGD(lazy.parameters(), lr=0.1)
    torch.manual_seed(0)
    assert lazy(torch.ones(2, 5)).shape == (2, 3)
    torch.manual_seed(0)
    plain = nn.Linear(5, 3)
    assert type(lazy) is nn.Linear and repr(lazy) == repr(plain) and type(lazy.weight) is nn.Parameter
    assert torch.equal(lazy.weight, plain.weight) and torch.equal(lazy.bias, plain.bias)
    assert (
        not lazy._forward_pre_hooks
        and not lazy._load_state_dict_pre_hooks
        and optimizer.param_groups[0]["params"][0] is lazy.weight
    )


def test_conversions_and_copies_come_before():
    lazy = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(2, bias=False)).double()
    other = copy.deepcopy(lazy)
    again = pickle.loads(pickle.dumps(nn.UninitializedParameter()))
    assert is_lazy(again) and other[0].weight.dtype == torch.float64
    assert lazy(torch.ones(1, 3, dtype=torch.float64)).dtype == torch.float64
    assert other[0].has_uninitialized_params() and lazy[2].weight.shape == (2, 4)


def test_states_give_shapes():
    plain, lazy = nn.Linear(5, 3), nn.LazyLinear(3)
    assert list(lazy.state_dict()) == ["weight", "bias"] and is_lazy(lazy.state_dict()["weight"])
    lazy.load_state_dict(nn.LazyLinear(3).state_dict())
    assert is_lazy(lazy.weight)
    lazy.load_state_dict(plain.state_dict())
    assert torch.equal(lazy.weight, plain.weight) and lazy.in_features == 0
    x = torch.ones(1, 5)
    assert torch.equal(lazy(x), plain(x)) and type(lazy) is nn.Linear and lazy.in_features == 5
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized parameter or buffer"):
        plain.load_state_dict(nn.LazyLinear(3).state_dict())
    wrong = nn.LazyLinear(3)
    wrong.load_state_dict(plain.state_dict())
    with pytest.raises(
        AssertionError, match=r"The in_features inferred from input: 4 is not equal to in_features from self.weight: 5"
    ):
        wrong(torch.ones(1, 4))


def test_what_has_no_shape_is_refused():
    parameter, buffer = nn.UninitializedParameter(), nn.UninitializedBuffer(dtype=torch.float64)
    for call in (lambda: parameter + 1, lambda: parameter.numel(), lambda: parameter.detach(), lambda: torch.add(buffer, 1)):
        with pytest.raises(
            ValueError, match=r"Attempted to use an uninitialized parameter in .*When using LazyModules Call `forward`"
        ):
            call()
    with pytest.raises(RuntimeError, match="Can't share memory on an uninitialized parameter or buffer"):
        nn.LazyLinear(3).share_memory()
    buffer.materialize((2, 3))
    assert buffer.shape == (2, 3) and buffer.dtype == torch.float64 and not is_lazy(buffer)
    parameter.materialize((1,), dtype=torch.float16)
    assert type(parameter) is nn.Parameter and parameter.dtype == torch.float16 and parameter.requires_grad


def test_a_lazy_module_of_the_user():
    class Scale(LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = nn.UninitializedParameter()
            self.register_buffer("mean", nn.UninitializedBuffer())

        def initialize_parameters(self, x, *, at):
            self.factor.materialize(x.shape[-1:])
            self.mean.materialize(x.shape[-1:])
            nn.init.constant_(self.factor, at)
            self.mean.zero_()

        def forward(self, x, *, at):
            return x * self.factor + self.mean

    module = Scale()
    assert module(torch.ones(2), at=3.0).tolist() == [3.0, 3.0] and type(module.mean) is torch.Tensor and type(module) is Scale

    class Forgetful(Scale):
        def initialize_parameters(self, x):
            pass

    with pytest.raises(RuntimeError, match="module Forgetful has not been fully initialized"):
        Forgetful()(torch.ones(2))

    class Unwritten(LazyModuleMixin, nn.Linear):
        pass

    with pytest.raises(NotImplementedError, match="initialize_parameters is not implemented for Unwritten"):
        Unwritten(2, 2)(torch.ones(2))
    with pytest.raises(RuntimeError, match="can't be used with `DataParallel`"):
        module._replicate_for_data_parallel()

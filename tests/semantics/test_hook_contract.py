"""What hooks may return, which tensors take them, and what becomes of them when a tensor is copied or pickled."""

import copy
import importlib
import pickle
import warnings

import pytest


def module_level_hook(gradient):
    return gradient * 2


@pytest.mark.parametrize("name", ["bfloat16", "complex64", "bool", "float64", "int64"])
def test_a_hook_must_keep_the_dtype(torch, name):
    dtype = getattr(torch, name)
    old = {"float64": "torch.DoubleTensor", "int64": "torch.LongTensor", "bool": "CPUBoolType"}
    new = {"bfloat16": "CPUBFloat16Type", "complex64": "CPUComplexFloatType"}
    x = torch.ones(2, requires_grad=True)
    x.register_hook(lambda gradient: gradient.to(dtype))
    with pytest.raises(RuntimeError, match=rf"has changed the type of value \(was torch.FloatTensor got {(old | new)[name]}\)"):
        (x * 2).sum().backward()


def test_a_node_hook_cannot_make_a_gradient_that_was_none(torch):
    x = torch.ones(2, requires_grad=True)
    y = x * torch.ones(2)
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0], torch.ones(2)))
    with pytest.raises(RuntimeError, match="can't replace a None gradient with a non-None value"):
        y.sum().backward()


@pytest.mark.parametrize("returned", [3, "s", False])
def test_post_accumulate_hooks_return_nothing(torch, returned):
    x = torch.ones(2, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda leaf: returned)
    with pytest.raises(TypeError, match=f"expected Variable, but hook returned '{type(returned).__name__}'"):
        (x * 2).sum().backward()
    x = torch.ones(2, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda leaf: torch.ones(2))
    with pytest.raises(RuntimeError, match=r"Tensor post accumulate grad hooks should return None\."):
        (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_multi_grad_hooks_for_any_pass_over_constants(torch):
    register = torch.autograd.graph.register_multi_grad_hook
    x = torch.ones(2, requires_grad=True)
    seen = []
    with register([torch.ones(2), x], seen.append, mode="any"):
        (x * 2).sum().backward()
    assert [g.tolist() for g in seen] == [[2.0, 2.0]]
    with pytest.raises(AssertionError, match="Expected gradient function to be set"):
        register([torch.ones(2), x], seen.append)


def test_hooks_are_not_pickled(torch):
    x = torch.ones(2, requires_grad=True)
    x.register_hook(module_level_hook)
    text = "backward hook .* on tensor will not be serialized.  If this is expected, you can decorate the function"
    with pytest.warns(UserWarning, match=text):
        content = pickle.dumps(x)
    assert not pickle.loads(content)._backward_hooks
    with pytest.warns(UserWarning, match=text):
        copied = copy.copy(x)
    assert not copied._backward_hooks
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert copy.deepcopy(x)._backward_hooks is None


def test_hooks_that_are_marked_are_left_out_silently(torch):
    hooks = importlib.import_module(f"{torch.__name__}.utils.hooks")
    assert hooks.unserializable_hook(module_level_hook) is module_level_hook
    try:
        x = torch.ones(2, requires_grad=True)
        x.register_hook(module_level_hook)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert pickle.loads(pickle.dumps(x)).requires_grad
    finally:
        del module_level_hook.__torch_unserializable__


def test_hooks_that_come_and_go_while_backward_runs(torch):
    x = torch.ones(2, requires_grad=True)
    seen, handles = [], []
    handles.append(x.register_hook(lambda gradient: seen.append(1) or handles[1].remove()))
    handles.append(x.register_hook(lambda gradient: seen.append(2)))
    handles.append(x.register_hook(lambda gradient: seen.append(3)))
    (x * 2).sum().backward()
    first = list(seen)
    (x * 2).sum().backward()
    # One that is removed by another still runs in this pass.
    assert first == [1, 2, 3] and seen[3:] == [1, 3]


def test_one_that_is_removed_by_itself(torch):
    for register in (
        lambda x, f: x.register_hook(lambda gradient: f()),
        lambda x, f: x.register_post_accumulate_grad_hook(lambda leaf: f()),
    ):
        x = torch.ones(2, requires_grad=True)
        seen, handles = [], []
        handles.append(register(x, lambda seen=seen, handles=handles: seen.append(1) or handles[0].remove()))
        register(x, lambda seen=seen: seen.append(2))
        (x * 2).sum().backward()
        (x * 2).sum().backward()
        assert seen == [1, 2, 2]


def test_increment_version_takes_tensors(torch):
    increment = torch.autograd.graph.increment_version
    with pytest.raises(RuntimeError, match="increment_version expects each element of the iterable to be a tensor"):
        increment([torch.ones(1), 3])


def test_forbidden_hooks_need_a_message(torch):
    disable = torch.autograd.graph.disable_saved_tensors_hooks
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'error_message'"):
        disable()
    with pytest.raises(TypeError, match=r"_saved_tensors_hooks_disable\(\): incompatible function arguments"), disable(3):
        pass
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        x = torch.ones(2, requires_grad=True)
        (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]

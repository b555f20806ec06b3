"""Graphs in cycles with the program's own objects are garbage, and the collector finds them, whichever way the cycle is closed.

Each case builds a cycle and returns a weak reference to an object in it: alive while only references are counted (else there would be no
cycle), gone after a collection. PyTorch keeps most of these for ever, because its collector cannot see through the graph.
"""

import gc
import weakref

import pytest

import rushlight as torch

pytestmark = pytest.mark.core


def leaf():
    return torch.ones(3, requires_grad=True)


class Doubles(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.notes = {}
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 2


class KeepsItsOutputs(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.kept = x * 2, x * 3
        return ctx.kept

    @staticmethod
    def backward(ctx, g, h):
        return g * 2 + h * 3


def context_that_holds_its_outputs():
    first, second = KeepsItsOutputs.apply(leaf())
    assert first.grad_fn is second.grad_fn
    return weakref.ref(second)


def context_that_holds_what_comes_of_its_output():
    y = Doubles.apply(leaf())
    z = (y * 3).exp()
    y.grad_fn.notes["z"] = z
    return weakref.ref(z)


def context_that_is_held_by_its_input():
    class Saves(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            x.context = ctx
            return x * 2

    x = torch.ones(3)  # nothing is recorded: what save_for_backward was given stays as it is
    Saves.apply(x)
    return weakref.ref(x)


def hook_of_a_result():
    y = leaf() * 2
    y.register_hook(lambda g: y)
    return weakref.ref(y)


def hook_that_holds_a_later_result():
    y = leaf() * 2
    z = y.exp()
    y.register_hook(lambda g: z)
    return weakref.ref(z)


def hook_of_a_leaf():
    x = leaf()
    x.register_hook(lambda g: x)
    return weakref.ref(x)


def hook_of_a_leaf_that_holds_a_graph():
    x = leaf()
    z = (x * 2).exp()
    x.register_hook(lambda g: z)
    return weakref.ref(z)


def hook_after_accumulation():
    x = leaf()
    z = (x * 2).exp()
    x.register_post_accumulate_grad_hook(lambda t: z)
    return weakref.ref(x)


def hook_of_a_node():
    y = leaf() * 2
    y.grad_fn.register_hook(lambda inputs, outputs: y)
    return weakref.ref(y)


def hook_before_a_node():
    y = leaf() * 2
    y.grad_fn.register_prehook(lambda outputs: y)
    return weakref.ref(y)


def hook_of_a_leafs_node():
    x = leaf()
    y = x * 2
    y.grad_fn.next_functions[0][0].register_hook(lambda inputs, outputs: y)
    return weakref.ref(x)


def hook_that_holds_its_node():
    x = leaf()
    node = (x * 2).grad_fn.next_functions[0][0]
    node.register_hook(lambda inputs, outputs: node)
    return weakref.ref(x)


def metadata_of_a_node():
    y = leaf() * 2
    y.grad_fn.metadata["y"] = y
    return weakref.ref(y)


def metadata_of_a_node_with_a_list_of_inputs():
    y = torch.cat([leaf() * 1, leaf() * 2])
    y.grad_fn.metadata["y"] = y
    return weakref.ref(y)


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")
def gradient_with_a_graph():
    x = leaf()
    (x * x).sum().backward(create_graph=True)
    assert x.grad.requires_grad
    return weakref.ref(x)


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")
def gradient_of_a_gradient():
    x = leaf()
    (first,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    first.sum().backward(create_graph=True)
    x.grad.first = first
    return weakref.ref(first)


def gradient_that_is_assigned():
    x = leaf()
    x.grad = x * x
    return weakref.ref(x)


def attribute_that_is_computed_from_its_owner():
    x = leaf()
    x.squared = x * x
    return weakref.ref(x)


def attribute_of_a_saved_tensor():
    x, index = leaf(), torch.tensor([0, 1])
    index.chosen = x[index]
    return weakref.ref(index.chosen)


def attribute_of_a_parameter():
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.itself = parameter
    return weakref.ref(parameter)


def attribute_of_a_subclass():
    class Own(torch.Tensor):
        pass

    x = torch.ones(2).as_subclass(Own)
    x.itself = x
    return weakref.ref(x)


def view_that_its_base_holds():
    base = torch.ones(4)
    base.view_of_it = base[:2]
    return weakref.ref(base)


def view_that_was_written_to():
    base = leaf() * 2
    view = base[:2]
    view.mul_(leaf()[:2])
    base.register_hook(lambda g: (base, view))
    return weakref.ref(base)


def base_that_was_written_to_under_a_view():
    base = leaf() * 2
    view = base[:2]
    base.mul_(2)
    assert view.grad_fn is not None
    base.view_of_it = view
    return weakref.ref(view)


def result_that_was_written_to():
    x = leaf() * 2
    x.exp_()
    x.register_hook(lambda g: x)
    return weakref.ref(x)


def pack_hook_that_holds_the_graph():
    packed = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (t, packed), lambda pair: pair[0]):
        y = leaf().exp() * 3
    packed.append(y)
    return weakref.ref(y)


def unpack_hook_that_holds_the_graph():
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: None, lambda _: kept[0]):
        y = leaf().exp() * 3
    kept.append(y)
    return weakref.ref(y)


def hooks_of_a_saved_tensor():
    y = leaf().exp()
    z = y * y
    y.grad_fn._raw_saved_result.register_hooks(lambda t: t, lambda t: z)
    return weakref.ref(z)


def hook_of_a_module():
    module = torch.nn.Linear(2, 2)
    module.register_forward_hook(lambda *_: module)
    module.register_forward_pre_hook(lambda *_: module)
    return weakref.ref(module)


def backward_hook_of_a_module():
    module = torch.nn.Linear(2, 2)
    module.register_full_backward_hook(lambda *_: None)
    module.last = module(torch.ones(1, 2))
    return weakref.ref(module)


def hook_of_a_parameter_that_holds_its_module():
    module = torch.nn.Linear(2, 2)
    module.weight.register_hook(lambda g: module)
    return weakref.ref(module)


def error_in_a_hook():
    y = leaf() * 2

    def hook(g):
        raise ValueError(y)

    y.register_hook(hook)
    with pytest.raises(ValueError) as caught:
        y.sum().backward()
    y.error = caught.value
    return weakref.ref(y)


def error_in_a_function():
    class Fails(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise ValueError(ctx)

    y = Fails.apply(leaf())
    with pytest.raises(ValueError) as caught:
        y.sum().backward()
    y.error = caught.value
    return weakref.ref(y)


def tangent_that_holds_its_dual_tensor():
    forward_ad, tangent = torch.autograd.forward_ad, torch.ones(3)
    with forward_ad.dual_level():
        tangent.dual = forward_ad.make_dual(torch.ones(3), tangent)
        return weakref.ref(tangent)


def tensor_that_was_given_a_tangent():
    forward_ad, x = torch.autograd.forward_ad, torch.ones(3)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(torch.ones(3), torch.ones(3))
        x.add_(dual)
        dual.written = x
        x.dual = dual
    return weakref.ref(dual)


def tensor_inside_a_transform():
    seen = []

    def function(x):
        y = (x * x).sum()
        y.itself = y
        seen.append(weakref.ref(y))
        return y

    torch.func.vmap(torch.func.grad(function))(torch.ones(2, 3))
    return seen[0]


CASES = [
    pytest.param(build, id=name, marks=getattr(build, "pytestmark", ()))
    for name, build in list(globals().items())
    if callable(build) and getattr(build, "__module__", None) == __name__ and name not in {"leaf", "Doubles", "KeepsItsOutputs"}
]


@pytest.mark.parametrize("build", CASES)
def test_is_collected(build):
    gc.collect()
    gc.disable()
    try:
        reference = build()
        assert reference() is not None, "this is no cycle"
        gc.collect()
        assert reference() is None
    finally:
        gc.enable()


def test_an_output_that_backward_needs_makes_no_cycle():
    class Saves(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

    gc.collect()
    gc.disable()
    try:
        for call in (torch.exp, Saves.apply, lambda x: x.softmax(0), lambda x: (x * 1).exp_()):
            gone = weakref.ref(call(leaf()))
            assert gone() is None
        y = leaf().exp()
        y.retain_grad()
        y.sum().backward()
        gone = weakref.ref(y)
        del y
        assert gone() is None
    finally:
        gc.enable()

"""Clauses of autograd's promises that only matter together with others: what must not happen, what stays as it was, what comes first."""

import gc
import importlib
import pickle
import threading
import weakref

import pytest


# ---- leaves and modes ----------------------------------------------------------------------------------------------------
def test_evaluation_mode_of_modules_is_no_grad_mode(torch):
    layer = torch.nn.Linear(2, 1).eval()
    assert torch.is_grad_enabled() and layer(torch.ones(1, 2)).requires_grad


def test_no_grad_leaves_forward_mode_alone_and_inference_mode_does_not(torch):
    forward_ad = importlib.import_module(f"{torch.__name__}.autograd.forward_ad")
    with forward_ad.dual_level():
        x = forward_ad.make_dual(torch.ones(2), torch.full((2,), 3.0))
        with torch.no_grad():
            assert forward_ad.unpack_dual(x * 2).tangent.tolist() == [6.0, 6.0]
        with torch.inference_mode():
            assert forward_ad.unpack_dual(x * 2).tangent is None


def test_views_are_not_tracked_in_inference_mode(torch):
    with torch.inference_mode():
        x = torch.ones(2, 2)
        assert not x[0]._is_view() and x[0]._base is None
    detached = torch.ones(2).detach()
    assert not detached._is_view() and detached._base is None


def test_a_mode_prints_itself(torch):
    assert repr(torch.set_grad_enabled(True)) == "torch.autograd.grad_mode.set_grad_enabled(mode=True)"


# ---- backward and grad ---------------------------------------------------------------------------------------------------
def test_nodes_behind_an_error_keep_what_they_saved(torch):
    x = torch.ones(2, requires_grad=True)
    first = x.exp()
    second = first.exp()
    handle = first.register_hook(lambda gradient: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        second.sum().backward()
    handle.remove()
    # `second` ran and is freed, `first` did not and is not.
    first.sum().backward()
    assert torch.allclose(x.grad, first.detach())
    with pytest.raises(RuntimeError, match="a second time"):
        second.sum().backward()


def test_a_graph_shared_by_threads_is_freed_for_all(torch):
    x = torch.ones(2, requires_grad=True)
    y = (x * x).sum()
    found = []

    def work():
        try:
            y.backward()
        except RuntimeError as error:
            found.append("a second time" in str(error))

    for _ in range(2):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert found == [True] and x.grad.tolist() == [2.0, 2.0]


def test_several_threads_add_to_one_gradient(torch):
    x = torch.ones(3, requires_grad=True)
    losses = [(x * (number + 1)).sum() for number in range(4)]
    threads = [threading.Thread(target=loss.backward) for loss in losses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert x.grad.shape == (3,) and x.grad.requires_grad is False


# ---- .grad ---------------------------------------------------------------------------------------------------------------
def test_grad_dtype_none_takes_what_comes(torch):
    x = torch.ones(2, requires_grad=True)
    x.grad_dtype = None
    x.backward(torch.ones(2, dtype=torch.float64))
    assert x.grad.dtype is torch.float64
    x.grad = torch.ones(2, dtype=torch.float16)
    assert x.grad.dtype is torch.float16
    y = torch.ones(2, requires_grad=True)
    y.grad_dtype = torch.float64
    with pytest.raises(
        RuntimeError, match="attempting to assign a gradient with dtype 'float' to a tensor with grad_dtype 'Double'"
    ):
        y.grad = torch.ones(2)
    y.grad = torch.ones(2, dtype=torch.float64)


def test_optimizers_pass_over_leaves_without_a_gradient(torch):
    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([x, y], lr=0.5)
    (x * 2).sum().backward()
    optimizer.step()
    assert x.tolist() == [0.0, 0.0] and y.tolist() == [1.0, 1.0]
    optimizer.zero_grad()
    assert x.grad is None and y.grad is None


def test_accumulation_keeps_the_strides_of_what_is_there(torch):
    x = torch.ones(2, 3, requires_grad=True)
    x.sum().backward()
    x.grad = torch.zeros(2, 3)
    address = x.grad.data_ptr()
    (x.t() * 2).sum().backward()
    assert x.grad.stride() == (3, 1) and x.grad.data_ptr() == address and x.grad.tolist() == [[2.0] * 3] * 2


# ---- writes --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("mode", ["no_grad", "inference"])
def test_views_made_in_a_mode_cannot_be_written_outside(torch, mode):
    base = torch.ones(2, 2, requires_grad=True) * 1
    with torch.no_grad() if mode == "no_grad" else torch.inference_mode():
        view = base[0]
    where = "with grad mode enabled" if mode == "no_grad" else "in normal mode"
    with pytest.raises(RuntimeError, match=f"A view was created in {mode} mode and is being modified inplace {where}"):
        view.mul_(2)
    text = f"Output 0 of View is a view of a view which was created in {mode} mode and is being modified inplace {where}"
    with pytest.raises(RuntimeError, match=text):
        view.view(2).mul_(2)


def test_the_last_step_that_forbids_writing_is_named(torch):
    base = torch.ones(2, 2, requires_grad=True) * 1
    with torch.no_grad():
        made_in_no_grad = base[0]
        several_in_no_grad = base.unbind(0)[0]
        of_several = base.unbind(0)[0]
    with pytest.raises(RuntimeError, match="function that returns multiple views"):
        made_in_no_grad.unbind(0)[0].mul_(2)
    with pytest.raises(RuntimeError, match="A view was created in no_grad mode"):
        several_in_no_grad.mul_(2)
    with torch.no_grad():
        part = base.unbind(0)[0].view(2)
        of_several.mul_(2)
    with pytest.raises(RuntimeError, match="A view was created in no_grad mode"):
        part.mul_(2)


def test_a_leaf_is_not_added_to_with_an_operator(torch):
    a = b = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        a += 1
    assert b.tolist() == [1.0, 1.0] and b._version == 0


# ---- hooks ---------------------------------------------------------------------------------------------------------------
def test_the_whole_order(torch):
    x = torch.ones(1, requires_grad=True)
    y = x * 2
    seen = []
    y.retain_grad()
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append(("post", y.grad.item(), x.grad is None)))
    y.grad_fn.register_prehook(lambda outputs: seen.append(("pre 1", outputs[0].item())) or (outputs[0] * 3,))
    y.grad_fn.register_prehook(lambda outputs: seen.append(("pre 2", outputs[0].item(), y._grad is None)))
    y.register_hook(lambda gradient: seen.append(("tensor 1", gradient.item())) or gradient * 5)
    y.register_hook(lambda gradient: seen.append(("tensor 2", gradient.item())))
    leaf = y.grad_fn.next_functions[0][0]
    leaf.register_hook(lambda inputs, outputs: seen.append(("leaf post", inputs)))
    leaf.register_prehook(lambda outputs: seen.append(("leaf pre", outputs[0].item())))
    x.register_post_accumulate_grad_hook(lambda leaf: seen.append(("accumulated", leaf.grad.item())))
    x.register_hook(lambda gradient: seen.append(("leaf tensor", gradient.item())))
    y.sum().backward()
    assert seen == [
        ("tensor 1", 1.0),
        ("tensor 2", 5.0),
        ("pre 1", 5.0),
        ("pre 2", 15.0, False),
        ("post", 5.0, True),
        ("leaf tensor", 30.0),
        ("leaf pre", 30.0),
        ("accumulated", 30.0),
        ("leaf post", ()),
    ]


def test_retained_gradients_need_no_node_to_run(torch):
    x = torch.ones(1, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda gradient: gradient * 7)
    y.grad_fn.register_prehook(lambda outputs: pytest.fail("the node is not asked to run"))
    (found,) = torch.autograd.grad(y.sum(), y)
    assert found.item() == 7 and y.grad.item() == 7


def test_hooks_of_outputs_that_got_no_gradient(torch):
    seen = []
    first, second = torch.ones(2, requires_grad=True).unbind()
    second.register_hook(lambda gradient: seen.append(("second", gradient)))
    first.register_hook(lambda gradient: seen.append(("first", gradient.item())))
    first.backward()
    # (in the order of the first hook on each)
    assert seen == [("second", None), ("first", 1.0)]
    first, second = torch.ones(2, requires_grad=True).unbind()
    second.register_hook(lambda gradient: torch.ones(()))
    with pytest.raises(RuntimeError, match="can't replace a None gradient with a non-None value"):
        first.backward()


def test_hooks_behind_a_function_without_a_gradient(torch):
    class Nothing(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, gradient):
            return None

    x = torch.ones(1, requires_grad=True)
    seen = []
    x.register_hook(lambda gradient: seen.append(("leaf", gradient)))
    x.register_post_accumulate_grad_hook(lambda leaf: seen.append(("accumulated", leaf.grad)))
    y = x * 2
    y.retain_grad()
    y.grad_fn.register_prehook(lambda outputs: seen.append(("pre", outputs)))
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append(("post", inputs[0], outputs)))
    y.register_hook(lambda gradient: seen.append(("tensor", gradient)))
    Nothing.apply(y).backward()
    assert seen == [("tensor", None), ("pre", (None,)), ("post", None, (None,)), ("leaf", None), ("accumulated", None)]
    assert y.grad is None and x.grad is None


def test_hooks_of_what_is_not_needed_stay_silent(torch):
    x, y = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    left, right = x * 2, y * 3
    right.register_hook(lambda gradient: pytest.fail("nothing that is wanted lies behind it"))
    right.retain_grad()
    assert torch.autograd.grad((left * right).sum(), x)[0].item() == 6 and right.grad is None
    # A root on its own is told its gradient even so.
    seen = []
    roots = [(x * 2).sum(), x.sum()]
    for root in roots:
        root.register_hook(lambda gradient: seen.append(gradient.item()))
    assert torch.autograd.grad(roots, y, allow_unused=True, retain_graph=True) == (None,) and seen == []
    assert torch.autograd.grad(roots[0], y, allow_unused=True) == (None,) and seen == [1.0]


def test_outputs_without_a_derivative_are_not_part_of_the_node(torch):
    x = torch.tensor([[3.0, 1.0], [2.0, 4.0]], requires_grad=True)
    layer = torch.nn.functional.layer_norm
    for made in (x.max(0)[0], x.sort()[0], x.topk(1)[0], x.median(0)[0], x.kthvalue(1)[0], x.cummax(0)[0], layer(x, (2,))):
        seen = []
        node = made.grad_fn
        assert len(node._input_metadata) == 1 and node._input_metadata[0].shape == list(made.shape)
        node.register_prehook(lambda outputs, seen=seen: seen.append(len(outputs)))
        node.register_hook(lambda inputs, outputs, seen=seen: seen.append(len(outputs)))
        made.sum().backward(retain_graph=True)
        assert seen == [1, 1]
        with pytest.raises(TypeError, match="expected 1 arguments, got 2 instead"):
            node(torch.ones_like(made), None)
        assert node(torch.ones_like(made)) is not None
    several = x.unbind()
    assert len(several[0].grad_fn._input_metadata) == 2


def test_handles_can_be_pickled(torch):
    x = torch.ones(1, requires_grad=True)
    handle = x.register_hook(print)
    state = handle.__getstate__()
    assert state[0] is x._backward_hooks and state[1] == handle.id
    assert pickle.loads(pickle.dumps(handle)).id == handle.id


@pytest.mark.filterwarnings("ignore:Using backward")
def test_post_accumulate_hooks_are_recorded_with_create_graph(torch):
    x = torch.ones(1, requires_grad=True)
    seen = []
    x.register_post_accumulate_grad_hook(lambda leaf: seen.append((leaf is x, torch.is_grad_enabled())))
    (x * x).backward()
    x.grad = None
    (x * x).backward(create_graph=True)
    assert seen == [(True, False), (True, True)]
    x.grad = None


def test_a_tensor_is_packed_once_and_unpacked_each_time(torch):
    x = torch.ones(2, requires_grad=True)
    packed, unpacked = [], []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t) or t, lambda t: unpacked.append(t) or t):
        y = x.sin().sum()
    assert packed[0] is x
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.grad_fn.next_functions[0][0]._saved_self  # noqa: B018
    assert len(packed) == 1 and len(unpacked) == 3


def test_a_pack_hook_may_not_write(torch):
    x = torch.ones(2, requires_grad=True) * 1
    with (
        torch.autograd.graph.saved_tensors_hooks(lambda t: t.add_(1), lambda t: t),
        pytest.raises(RuntimeError, match="A saved tensor pack hook is modifying its input in place"),
    ):
        x.sin()


def test_pack_hooks_belong_to_the_thread(torch):
    x = torch.ones(2, requires_grad=True)
    seen = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: seen.append(threading.get_ident()) or t, lambda t: t):
        thread = threading.Thread(target=x.sin)
        thread.start()
        thread.join()
        assert seen == []
        x.sin()
    assert seen == [threading.get_ident()]


def test_save_on_cpu(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    with torch.autograd.graph.save_on_cpu():
        z = (y * y).sum()
    z.backward()
    assert x.grad.tolist() == [2.0, 4.0]


# ---- Functions -----------------------------------------------------------------------------------------------------------
def test_outputs_kept_as_attributes_are_found_by_the_collector(torch):
    class Keeps(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.output = x * 2
            return ctx.output

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 2

    class Token:
        pass

    x = torch.ones(2, requires_grad=True)
    y = Keeps.apply(x)
    y.grad_fn.token = token = Token()
    gone = weakref.ref(token)
    del y, token
    gc.collect()
    assert gone() is None


def test_outputs_that_nobody_saves_go_at_once(torch):
    class Plain(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 2

    gc.disable()
    try:
        y = Plain.apply(torch.ones(2, requires_grad=True))
        gone = weakref.ref(y)
        del y
        assert gone() is None
    finally:
        gc.enable()


def test_what_comes_from_outside_is_no_output_without_recording(torch):
    outside = torch.ones(2, requires_grad=True)
    result = outside * 2

    class Gives(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, which):
            return which[0]

        @staticmethod
        def backward(ctx, gradient):
            return gradient, None

    assert not Gives.apply(torch.ones(2), [result]).requires_grad and not result.requires_grad
    assert Gives.apply(torch.ones(2, requires_grad=True), [torch.ones(2)]).grad_fn.name() == "GivesBackward"


def test_the_last_call_of_save_for_backward_holds(torch):
    class Saves(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.save_for_backward(x * 2, None)
            return x * 1

        @staticmethod
        def backward(ctx, gradient):
            first, second = ctx.saved_tensors
            assert second is None
            return gradient * first

    x = torch.full((2,), 3.0, requires_grad=True)
    Saves.apply(x).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]


def test_a_function_twice_differentiated_that_says_once(torch):
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, gradient):
            assert not torch.is_grad_enabled()
            return gradient * 2

    x, given = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    (first,) = torch.autograd.grad(Once.apply(x), x, given, create_graph=True)
    assert type(first.grad_fn).__name__ == "Error"
    (second,) = torch.autograd.grad(Once.apply(x), x, create_graph=True)
    assert not second.requires_grad


def test_jvp_gets_a_tangent_for_each_argument(torch):
    forward_ad = importlib.import_module(f"{torch.__name__}.autograd.forward_ad")
    seen = []

    class Scale(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor, y):
            ctx.factor = factor
            ctx.save_for_forward(y)
            return x * factor * y

        @staticmethod
        def jvp(ctx, x_t, factor_t, y_t):
            seen.append((factor_t, y_t is None or y_t.tolist()))
            return x_t * ctx.factor * ctx.saved_tensors[0]

    with forward_ad.dual_level():
        x = forward_ad.make_dual(torch.ones(2), torch.tensor([1.0, 2.0]))
        assert forward_ad.unpack_dual(Scale.apply(x, 3, torch.full((2,), 2.0))).tangent.tolist() == [6.0, 12.0]
    assert seen == [(None, [0.0, 0.0])]

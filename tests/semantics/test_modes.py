"""Leaves, requires_grad, and the modes that switch recording (section A)."""

import threading

import pytest


def test_results_require_grad_iff_an_input_does(torch):
    x, y = torch.ones(2, requires_grad=True), torch.ones(2)
    assert (x * y).requires_grad and (y + x).requires_grad
    assert not (y * y).requires_grad
    with torch.no_grad():
        assert not (x * y).requires_grad


def test_requires_grad_of_a_non_leaf_cannot_be_cleared(torch):
    y = torch.ones(2, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match=r"you can only change requires_grad flags of leaf variables"):
        y.requires_grad_(False)
    with pytest.raises(RuntimeError, match=r"you can only change requires_grad flags of leaf variables"):
        y.requires_grad = False
    y.requires_grad_(True)


@pytest.mark.parametrize("dtype", ["int64", "bool", "uint8", "int32"])
def test_only_floating_and_complex_tensors_require_grad(torch, dtype):
    x = torch.ones(2, dtype=getattr(torch, dtype))
    with pytest.raises(RuntimeError, match="only Tensors of floating point dtype can require gradients"):
        x.requires_grad_()
    with pytest.raises(RuntimeError, match="only Tensors of floating point and complex dtype can require gradients"):
        x.requires_grad = True
    with pytest.raises(RuntimeError, match="Only Tensors of floating point and complex dtype can require gradients"):
        torch.ones(2, dtype=getattr(torch, dtype), requires_grad=True)
    x.requires_grad_(False)
    torch.ones(2, dtype=torch.complex64, requires_grad=True)


def test_leaves(torch):
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    assert x.is_leaf and not y.is_leaf
    assert (torch.ones(2) * 2).is_leaf
    assert y.detach().is_leaf
    with torch.no_grad():
        z = x * 2
    assert z.is_leaf and not z.requires_grad and z.grad_fn is None
    assert x.grad_fn is None and y.grad_fn.name() == "MulBackward0"


def test_modes_nest_and_restore(torch):
    assert torch.is_grad_enabled()
    with torch.no_grad():
        assert not torch.is_grad_enabled()
        with torch.enable_grad():
            assert torch.is_grad_enabled()
            with torch.set_grad_enabled(False):
                assert not torch.is_grad_enabled()
            assert torch.is_grad_enabled()
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()
    with pytest.raises(KeyError), torch.no_grad():
        raise KeyError
    assert torch.is_grad_enabled()


def test_modes_decorate_functions(torch):
    @torch.no_grad()
    def off(x):
        "Doubles."
        return x * 2, torch.is_grad_enabled()

    @torch.no_grad
    def off_too():
        return torch.is_grad_enabled()

    @torch.enable_grad()
    def on():
        return torch.is_grad_enabled()

    y, enabled = off(torch.ones(1, requires_grad=True))
    assert not y.requires_grad and not enabled and not off_too()
    assert off.__name__ == "off" and off.__doc__ == "Doubles."
    with torch.no_grad():
        assert on()


def test_modes_decorate_generators(torch):
    @torch.no_grad()
    def generate():
        seen = [torch.is_grad_enabled()]
        sent = yield seen
        seen.append(torch.is_grad_enabled())
        seen.append(sent)
        yield seen

    generator = generate()
    assert next(generator) == [False]
    assert torch.is_grad_enabled()
    assert generator.send(5) == [False, False, 5]
    assert torch.is_grad_enabled()


def test_modes_belong_to_the_thread(torch):
    seen = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
        assert not torch.is_grad_enabled()
    assert seen == [True]


def test_factories_ignore_no_grad(torch):
    with torch.no_grad():
        for make in (
            lambda: torch.ones(2, requires_grad=True),
            lambda: torch.tensor([1.0], requires_grad=True),
            lambda: torch.zeros_like(torch.ones(2), requires_grad=True),
            lambda: torch.randn(2, requires_grad=True),
            lambda: torch.nn.Parameter(torch.ones(2)),
        ):
            x = make()
            assert x.requires_grad and x.is_leaf


def test_set_grad_enabled_acts_when_called(torch):
    torch.set_grad_enabled(False)
    try:
        assert not torch.is_grad_enabled()
    finally:
        torch.set_grad_enabled(True)

    @torch.set_grad_enabled(False)
    def off():
        return torch.is_grad_enabled()

    assert torch.is_grad_enabled()
    assert not off()
    assert torch.is_grad_enabled()


def test_inference_mode(torch):
    weight = torch.ones(2, requires_grad=True)
    with torch.inference_mode():
        assert torch.is_inference_mode_enabled() and not torch.is_grad_enabled()
        x = torch.ones(2)
        assert x.is_inference() and not (weight * 2).requires_grad
        with pytest.raises(RuntimeError, match="Inference tensors do not track version counter"):
            x._version  # noqa: B018
        x.add_(1)
    assert not torch.is_inference_mode_enabled()
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        weight * x
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode is not allowed"):
        x.add_(1)
    (weight + x).sum().backward()
    assert weight.grad.tolist() == [1.0, 1.0]
    with torch.inference_mode(False):
        assert not torch.is_inference_mode_enabled()


def test_inference_mode_as_decorator(torch):
    @torch.inference_mode
    def bare():
        return torch.is_inference_mode_enabled()

    @torch.inference_mode()
    def called():
        return torch.is_inference_mode_enabled()

    @torch.inference_mode(False)
    def not_at_all():
        return torch.is_inference_mode_enabled()

    assert bare() and called() and not not_at_all()


def test_no_grad_update_makes_a_new_leaf(torch):
    w = torch.ones(2, requires_grad=True)
    (w * 3).sum().backward()
    with torch.no_grad():
        w = w - 0.1 * w.grad
    assert not w.requires_grad and w.grad is None and w.is_leaf


def test_detach_shares_storage_and_version(torch):
    x = torch.ones(2)
    d = x.detach()
    d.add_(1)
    assert x.tolist() == [2.0, 2.0] and x._version == d._version == 1
    assert d.data_ptr() == x.data_ptr()


def test_data_has_a_version_of_its_own(torch):
    x = torch.ones(2)
    x.add_(1)
    data = x.data
    assert data._version == 0
    data.add_(1)
    assert x._version == 1 and data._version == 1
    assert x.tolist() == [3.0, 3.0]


def test_writes_through_data_are_not_seen_by_backward(torch):
    x = torch.ones(2, requires_grad=True)
    y = x.exp()
    y.data.mul_(0)
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0]


def test_assigned_data_keeps_the_version(torch):
    x = torch.ones(2)
    x.add_(1)
    x.data = torch.zeros(3)
    assert x._version == 1 and x.tolist() == [0.0, 0.0, 0.0]


def test_detach_in_place(torch):
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    y.detach_()
    assert y.is_leaf and not y.requires_grad and y.grad_fn is None
    view = (x * 2)[0]
    with pytest.raises(RuntimeError, match="Can't detach views in-place"):
        view.detach_()

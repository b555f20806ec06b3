"""What backward and grad ask of their arguments, and what programs hang on them: flags, batches, edges, calls at the end, layouts."""

import warnings

import pytest


def loss_of(x):
    return (x * x).sum()


@pytest.mark.parametrize("flag", ["yes", 2.0, []])
def test_flags_are_integers(torch, flag):
    x = torch.ones(2, requires_grad=True)
    text = f"'{type(flag).__name__}' object cannot be interpreted as an integer"
    for call in (
        lambda: loss_of(x).backward(retain_graph=flag),
        lambda: torch.autograd.backward(loss_of(x), retain_graph=flag),
        lambda: torch.autograd.grad(loss_of(x), x, retain_graph=flag),
        lambda: torch.autograd.grad(loss_of(x), x, allow_unused=flag),
    ):
        with pytest.raises(TypeError, match=text):
            call()
    assert x.grad is None


def test_flags_may_be_numbers(torch):
    x = torch.ones(2, requires_grad=True)
    loss = loss_of(x)
    loss.backward(retain_graph=1)
    loss.backward(retain_graph=torch.tensor(True))
    loss.backward(retain_graph=0)
    assert x.grad.tolist() == [6.0, 6.0]
    with pytest.raises(RuntimeError, match="a second time"):
        loss.backward()
    assert torch.autograd.grad(loss_of(x), x, create_graph=1)[0].requires_grad
    with pytest.raises(TypeError, match="'NoneType' object cannot be interpreted as an integer"):
        loss_of(x).backward(create_graph=None)


def test_batches_of_cotangents_have_a_first_dimension(torch):
    x = torch.ones(3, requires_grad=True)
    with pytest.raises(IndexError, match="invalid index of a 0-dim tensor"):
        torch.autograd.grad(loss_of(x), x, torch.ones(()), is_grads_batched=True)
    with pytest.raises(IndexError, match="index 0 is out of bounds for dimension 0 with size 0"):
        torch.autograd.grad(x * x, x, torch.ones(0, 3), is_grads_batched=True)
    with pytest.raises(
        ValueError, match=r"that input is a Tensor of dimensionality 0 so expected in_dim to satisfy 0 <= in_dim < 0"
    ):
        torch.autograd.grad(loss_of(x), x, None, is_grads_batched=True)


def test_cotangents_of_edges_are_complex_where_the_output_is(torch):
    x = torch.ones(2, requires_grad=True)
    edge = torch.autograd.graph.get_gradient_edge(x.to(torch.complex64) * 2)
    with pytest.raises(
        RuntimeError, match="For complex Tensors, both grad_output and output are required to have the same dtype"
    ):
        torch.autograd.grad(edge, x, torch.ones(2))
    assert torch.autograd.grad(edge, x, torch.ones(2, dtype=torch.complex64))[0].tolist() == [2.0, 2.0]


def test_calls_at_the_end_may_queue_more(torch):
    queue = torch.autograd.Variable._execution_engine.queue_callback
    seen = []
    x = torch.ones(2, requires_grad=True)

    def last():
        seen.append(("last", x.grad is not None))

    def first():
        seen.append(("first", torch.is_grad_enabled()))
        queue(last)

    x.register_hook(lambda gradient: queue(first))
    (x * 2).sum().backward()
    assert seen == [("first", False), ("last", True)]
    torch.autograd.grad((x * 2).sum(), x, create_graph=True)
    assert seen[2][1] is True
    with pytest.raises(RuntimeError, match="Final callbacks can only be installed during backward pass"):
        queue(last)


def test_calls_at_the_end_are_dropped_by_an_error(torch):
    seen = []
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    z = y * 2
    z.register_hook(lambda gradient: torch.autograd.Variable._execution_engine.queue_callback(lambda: seen.append(1)))
    y.register_hook(lambda gradient: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        z.sum().backward()
    assert seen == []
    (x * 2).sum().backward()
    assert seen == [] and x.grad.tolist() == [2.0, 2.0]


def test_a_reentrant_checkpoint_asks_whether_everything_is_wanted(torch):
    engine = torch.autograd.Variable._execution_engine
    seen = []
    x = torch.ones(2, requires_grad=True)
    for run in (lambda y: y.backward(), lambda y: torch.autograd.grad(y, x), lambda y: y.backward(inputs=x)):
        y = x * 1
        y.register_hook(lambda gradient: seen.append(engine.is_checkpoint_valid()))
        run(y.sum())
    assert seen == [True, False, False]


@pytest.mark.filterwarnings("ignore:Using backward")
def test_a_recorded_gradient_is_added_to_in_place(torch):
    x = torch.ones(2, requires_grad=True)
    loss_of(x).backward(create_graph=True)
    before = x.grad
    loss_of(x).backward()
    assert x.grad is before and x.grad.requires_grad and x.grad.tolist() == [4.0, 4.0]


def test_gradients_that_do_not_fit_the_layout_are_told_of_once(torch):
    text = "grad and param do not obey the gradient layout contract"
    torch.set_warn_always(True)
    try:
        x = torch.ones(2, 3, requires_grad=True)
        x.grad = torch.ones(3, 2).t()
        with pytest.warns(UserWarning, match=text):
            (x * 2).sum().backward()
        assert x.grad.stride() == (1, 2)
    finally:
        torch.set_warn_always(False)
    assert not torch.is_warn_always_enabled()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            (x * 2).sum().backward()
    assert len(caught) <= 1


def test_without_the_layout_policy_gradients_are_taken_over_as_they_come(torch):
    with torch.autograd.enforce_grad_layout_policy(False):
        x = torch.ones(2, 3, requires_grad=True)
        x.sum().backward()
        assert x.grad.stride() == (0, 0)
        x = torch.ones(2, 3, requires_grad=True)
        (x.t() * 2).backward(torch.ones(3, 2))
        assert x.grad.stride() == (1, 2)
        # One that the program holds is copied, and a copy has the leaf's layout.
        x = torch.ones(2, 3, requires_grad=True)
        x.backward(torch.ones(3, 2).t())
        assert x.grad.stride() == (3, 1)
    x = torch.ones(2, 3, requires_grad=True)
    x.sum().backward()
    assert x.grad.stride() == (3, 1)
    with pytest.raises(TypeError, match=r"argument 'enabled' \(position 1\) must be bool, not int"):
        torch.autograd.enforce_grad_layout_policy(3)


def test_derivatives_of_powers_never_run_out(torch):
    x = torch.tensor([3.0], requires_grad=True)
    for power, expected in ((3, [27.0, 18.0, 6.0, 0.0]), (2, [6.0, 2.0, 0.0]), (1, [1.0, 0.0])):
        y = x**power
        for value in expected:
            (y,) = torch.autograd.grad(y, x, create_graph=True)
            assert y.item() == value
        # (the last of them is a constant)
        assert not y.requires_grad


def test_a_tracked_number_as_a_float_warns_once(torch):
    torch.set_warn_always(True)
    try:
        for convert in (float, complex):
            with pytest.warns(UserWarning, match="Converting a tensor with requires_grad=True to a scalar"):
                convert(torch.ones(1, requires_grad=True))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            torch.ones(1, requires_grad=True).item()
            int(torch.ones(1, requires_grad=True))
            assert bool(torch.ones(1, requires_grad=True)) and float(torch.ones(1)) == 1
    finally:
        torch.set_warn_always(False)


def test_complex_to_real_warns_once(torch):
    torch.set_warn_always(True)
    try:
        z = torch.ones(2, dtype=torch.complex64)
        for convert in (lambda: z.float(), lambda: z.to(torch.float64), lambda: torch.zeros(2).copy_(z), lambda: z.int()):
            with pytest.warns(UserWarning, match="Casting complex values to real discards the imaginary part"):
                convert()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert z.bool().all() and z.real.sum() == 2
            x = torch.ones(2, requires_grad=True)
            (x * z).abs().sum().backward()
    finally:
        torch.set_warn_always(False)


def test_anomaly_mode_takes_flags(torch):
    with pytest.raises(TypeError, match=r"set_anomaly_enabled\(\): argument 'enabled' \(position 1\) must be bool, not int"):
        torch.autograd.set_detect_anomaly(3)
    assert not torch.is_anomaly_enabled()


def test_reversing_dimensions_other_than_two_warns_once(torch):
    torch.set_warn_always(True)
    try:
        for x in (torch.ones(3), torch.ones(2, 3, 4)):
            with pytest.warns(UserWarning, match=r"The use of `x\.T` on tensors of dimension other than 2"):
                assert x.T.shape == x.shape[::-1]
    finally:
        torch.set_warn_always(False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            torch.ones(2, 3, 4).T  # noqa: B018
    assert len(caught) <= 1

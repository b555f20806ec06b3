"""Optimizers: recorded steps, state, groups, hooks and errors, as PyTorch 2.13 has them."""

import copy
import pickle

import pytest

import rushlight
from rushlight import optim
from rushlight.optim import ASGD, LBFGS, SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, Optimizer, RAdam, RMSprop, Rprop
from rushlight.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook, required

# Optimizer, options, and after three steps from [1, -2, 0.5] in float64: parameter and state.
RECORDED = [
    ("SGD", dict(lr=0.1), [0.6900000000000001, -1.5779999999999998, 0.312], {}),
    (
        "SGD",
        dict(lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.01),
        [0.52602766894, -1.4187522611299999, 0.20189768059500002],
        {"momentum_buffer": [2.5061573106000004, -3.4784203887, 1.5087276940499998]},
    ),
    (
        "SGD",
        dict(lr=0.1, momentum=0.9, nesterov=True, maximize=True),
        [1.859545, -3.0084830000000005, 1.0482069999999999],
        {"momentum_buffer": [-3.468, 4.3032, -2.1728]},
    ),
    (
        "Adam",
        dict(lr=0.1),
        [0.7691196611649682, -1.8268645775968821, 0.2435846495063674],
        {
            "step": 3.0,
            "exp_avg": [0.2773697887995897, -0.38611891468996173, 0.1558880684097595],
            "exp_avg_sq": [0.005367585804417239, 0.01691132326897539, 0.0013853990080262826],
        },
    ),
    (
        "Adam",
        dict(lr=0.1, betas=(0.8, 0.9), eps=0.001, weight_decay=0.1, amsgrad=True),
        [0.7652205877535517, -1.8136992188541368, 0.24388538381261915],
        {
            "step": 3.0,
            "exp_avg": [0.5601410738995826, -0.827631225760535, 0.30554839225044245],
            "exp_avg_sq": [0.5586648611932069, 1.7674632340010115, 0.14164062084814494],
            "max_exp_avg_sq": [0.5586648611932069, 1.7674632340010115, 0.14164062084814494],
        },
    ),
    (
        "AdamW",
        dict(lr=0.1, weight_decay=0.1),
        [0.7414876967468668, -1.7692602370827908, 0.23108195743609522],
        {
            "step": 3.0,
            "exp_avg": [0.27397422312063857, -0.3791815494935217, 0.15427681473214536],
            "exp_avg_sq": [0.005217791537442079, 0.016341260824591915, 0.0013527052872179203],
        },
    ),
    (
        "RMSprop",
        dict(lr=0.1),
        [-0.08361701738397695, -0.5926445910690287, -0.15499284110333955],
        {"step": 3.0, "square_avg": [0.016140551078423028, 0.10016067083606185, 0.04270544708224844]},
    ),
    (
        "RMSprop",
        dict(lr=0.1, momentum=0.9, centered=True, weight_decay=0.1),
        [-1.2429170514143433, 0.40726616583967323, -2.1967333358206393],
        {
            "step": 3.0,
            "square_avg": [0.060515471383962884, 0.045102821027297325, 0.14943039193923102],
            "momentum_buffer": [1.4768611116375805, -8.150934807973549, 2.887362193788565],
            "grad_avg": [-0.00477355029313209, -0.01876127315740962, -0.025252190196850925],
        },
    ),
    (
        "Adagrad",
        dict(lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5),
        [0.857318742645364, -1.885060199926356, 0.3632927120800341],
        {"step": 3.0, "sum": [6.522685376060716, 18.423880518963564, 2.2695713843981755]},
    ),
    (
        "Adadelta",
        dict(lr=0.5, weight_decay=0.1),
        [0.9967315565296416, -1.997346835232308, 0.49636129447330074],
        {
            "step": 3.0,
            "square_avg": [0.7005763137760292, 1.9665653070424003, 0.22012748369980592],
            "acc_delta": [2.349445029390729e-06, 3.1409375506642677e-06, 2.275269994912847e-06],
        },
    ),
    (
        "Adamax",
        dict(lr=0.1, weight_decay=0.1),
        [0.8020705308874205, -1.8362804929671006, 0.28225076736169047],
        {
            "step": 3.0,
            "exp_avg": [0.3043941607332012, -0.4368231011483299, 0.17069800889929032],
            "exp_inf": [2.049441617598679, 3.697731021667915, 0.9779800994429035],
        },
    ),
    (
        "NAdam",
        dict(lr=0.1, decoupled_weight_decay=True, weight_decay=0.1),
        [0.7777597659044388, -1.7921922181276078, 0.2734732741441563],
        {
            "step": 3.0,
            "mu_product": 0.09121428430080414,
            "exp_avg": [0.2859869153758317, -0.3917195649254619, 0.1650250732615822],
            "exp_avg_sq": [0.00567800034276637, 0.017196091256765224, 0.001550403451959857],
        },
    ),
    (
        "RAdam",
        dict(lr=0.1, betas=(0.5, 0.6)),
        [0.7223809523809523, -1.655904761904762, 0.32599999999999996],
        {
            "step": 3.0,
            "exp_avg": [1.0802083333333332, -1.6472916666666668, 0.625625],
            "exp_avg_sq": [1.741465277777778, 5.494191944444445, 0.5181475],
        },
    ),
    (
        "ASGD",
        dict(lr=0.1, lambd=0.1, t0=1),
        [0.6689535915835118, -1.5326852451712218, 0.30201378545772284],
        {
            "step": 3.0,
            "eta": 0.09780748188495636,
            "mu": 0.5,
            "ax": [0.6689535915835118, -1.5326852451712218, 0.30201378545772284],
        },
    ),
    (
        "Rprop",
        dict(lr=0.1),
        [0.85, -1.8499999999999999, 0.13600000000000004],
        {"step": 3.0, "prev": [2.05, -3.55, 0.81], "step_size": [0.05, 0.05, 0.144]},
    ),
    (
        "Adafactor",
        dict(lr=0.1, weight_decay=0.1),
        [0.7404548075414028, -1.780404346110377, 0.22017828097926137],
        {"step": 3.0, "variance": [2.060562238934716, 6.613300859307944, 0.5044829691836844]},
    ),
]
ALL = [ASGD, SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, RAdam, RMSprop, Rprop]


def leaf(*values, dtype=rushlight.float32):
    return rushlight.tensor(values or (1.0, 1.0), dtype=dtype, requires_grad=True)


def stepped(optimizer_type, param, steps=1, **options):
    optimizer = optimizer_type([param], **options)
    for _ in range(steps):
        param.grad = rushlight.ones_like(param)
        optimizer.step()
    return optimizer


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-13), ("float32", 3e-6)])
@pytest.mark.parametrize("name, options, values, state", RECORDED)
def test_recorded_steps(name, options, values, state, dtype, tolerance):
    param = leaf(1.0, -2.0, 0.5, dtype=getattr(rushlight, dtype))
    optimizer = getattr(optim, name)([param], **options)
    for factor in (1.0, -0.5, 2.0):
        param.grad = param.detach() * factor + 0.25
        optimizer.step()
    assert param.tolist() == pytest.approx(values, rel=tolerance)
    assert list(optimizer.state[param]) == list(state)
    for key, value in state.items():
        assert optimizer.state[param][key].tolist() == pytest.approx(value, rel=tolerance * 10)


@pytest.mark.parametrize("optimizer_type", ALL)
def test_steps_on_strided_and_half_parameters_follow_the_fused_ones(optimizer_type):
    options = dict(momentum=0.5) if optimizer_type in (SGD, RMSprop) else {}
    start = rushlight.arange(6.0).reshape(2, 3) - 2.5  # a zero has no direction in half: eps underflows
    plain = start.clone().requires_grad_()
    strided = start.t().contiguous().t().requires_grad_()
    half = start.half().requires_grad_()
    params = [plain, strided, half]
    optimizer = optimizer_type(params, lr=0.125, **options)
    for _ in range(3):
        for param in params:
            param.grad = param.detach() * 0.5
        optimizer.step()
    assert rushlight.allclose(strided, plain, rtol=1e-6)
    assert rushlight.allclose(half.float(), plain, rtol=2e-2, atol=1e-2)
    assert half.dtype == rushlight.float16 and not strided.is_contiguous()


# Options of optimizers whose step is a kernel's, for each way through it.
BY_KERNEL = [
    *[
        (SGD, options)
        for options in ({}, dict(momentum=0.9, dampening=0.25, weight_decay=0.5), dict(momentum=0.5, nesterov=True))
    ],
    *[(Adam, options) for options in ({}, dict(betas=(0.25, 0.5), weight_decay=0.5, amsgrad=True), dict(eps=0))],
    *[(AdamW, options) for options in ({}, dict(betas=(0.5, 0.75), weight_decay=0))],
    *[(RAdam, options) for options in ({}, dict(betas=(0.5, 0.999), weight_decay=0.5, decoupled_weight_decay=True))],
    *[(Adamax, options) for options in ({}, dict(betas=(0.25, 0.5), weight_decay=0.5, eps=0))],
    *[(RMSprop, options) for options in ({}, dict(momentum=0.5, weight_decay=0.5), dict(centered=True, alpha=0.5))],
    *[(Adagrad, options) for options in ({}, dict(lr_decay=0.5, weight_decay=0.5, initial_accumulator_value=2))],
    *[(Adadelta, options) for options in ({}, dict(rho=0.25, eps=0.5, weight_decay=0.5))],
    *[(Rprop, options) for options in ({}, dict(etas=(0.25, 4), step_sizes=(0.01, 0.125)))],
]


@pytest.mark.parametrize("dtype", [rushlight.float32, rushlight.float64])
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("optimizer_type, options", BY_KERNEL)
def test_the_kernel_steps_as_the_rule_does(optimizer_type, options, maximize, dtype):
    by_rule = type("ByRule", (optimizer_type,), {"by_kernel": None})
    rushlight.manual_seed(0)
    start = rushlight.randn(37, dtype=dtype)
    params = [start.clone().requires_grad_() for _ in range(2)]
    optimizers = [kind([param], lr=0.1, maximize=maximize, **options) for kind, param in zip((optimizer_type, by_rule), params)]
    for step in range(9):
        grad = rushlight.randn(37, dtype=dtype)
        grad[step], grad[-1] = 0, float("nan") if step == 4 else -0.0
        for param, optimizer in zip(params, optimizers):
            param.grad = grad.clone()
            optimizer.step()
    whole, parts = (optimizer.state_dict()["state"].get(0, {}) for optimizer in optimizers)
    for one, other in [(params[0], params[1]), *[(whole[name], parts[name]) for name in whole]]:
        bits = rushlight.int64 if one.dtype == rushlight.float64 else rushlight.int32
        same = (one.detach().view(bits) == other.detach().view(bits)) | one.isnan() & other.isnan()
        assert same.all(), (one[~same], other[~same])


def test_every_optimizer_with_a_kernel_is_held_against_its_rule():
    assert {kind for kind in ALL if kind.by_kernel} == {kind for kind, _ in BY_KERNEL}


@pytest.mark.parametrize("optimizer_type", ALL)
def test_complex_parameters_are_pairs_of_real_ones(optimizer_type):
    param = rushlight.tensor([1 + 2j, -1j], requires_grad=True)
    pair = rushlight.view_as_real(param.detach()).clone().requires_grad_()
    optimizer = optimizer_type([param, pair], lr=0.1)
    for _ in range(3):
        param.grad = param.detach() * 0.5
        pair.grad = pair.detach() * 0.5
        optimizer.step()
    assert rushlight.allclose(rushlight.view_as_real(param.detach()), pair, rtol=1e-5)


@pytest.mark.parametrize("optimizer_type", ALL)
def test_gradients_may_be_lazy_conjugates(optimizer_type):
    lazy, plain = leaf(1 + 2j, 3j, dtype=rushlight.complex64), leaf(1 + 2j, 3j, dtype=rushlight.complex64)
    lazy.conj().backward(rushlight.tensor([1j, 2.0]))
    plain.conj_physical().backward(rushlight.tensor([1j, 2.0]))
    assert lazy.grad.is_conj() and not plain.grad.is_conj()
    for param in (lazy, plain):
        optimizer_type([param], lr=0.1).step()
    assert rushlight.equal(lazy, plain)


def test_a_step_counts_as_a_write():
    param = leaf()
    optimizer = SGD([param], lr=0.1, momentum=0.9)
    param.grad = rushlight.ones(2)
    before = param._version
    optimizer.step()
    assert param._version > before
    loss = (param * param).sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_step_of_a_differentiable_optimizer_is_recorded():
    rate = rushlight.tensor(0.5, requires_grad=True)
    param = leaf(1.0, 2.0).clone()
    param.grad = rushlight.tensor([1.0, 3.0])
    SGD([param], lr=rate, differentiable=True).step()
    param.sum().backward()
    assert rate.grad.item() == -4.0


def test_closure_runs_with_recording_and_its_loss_is_returned():
    param = leaf(3.0)
    optimizer = SGD([param], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (param * param).sum()
        loss.backward()
        return loss

    with rushlight.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert param.tolist() == [0.0] and rushlight.is_grad_enabled()
    assert optimizer.step() is None


def test_zero_grad():
    param = leaf()
    optimizer = SGD([param])
    param.grad = grad = rushlight.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert param.grad is grad and grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert param.grad is None


def test_text():
    assert repr(SGD([{"params": [leaf()]}, {"params": [leaf()], "lr": 1}], momentum=0.9)) == (
        "SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n    foreach: None\n    fused: None\n"
        "    lr: 0.001\n    maximize: False\n    momentum: 0.9\n    nesterov: False\n    weight_decay: 0\n\n"
        "Parameter Group 1\n    dampening: 0\n    differentiable: False\n    foreach: None\n    fused: None\n    lr: 1\n"
        "    maximize: False\n    momentum: 0.9\n    nesterov: False\n    weight_decay: 0\n)"
    )


def test_layout_of_the_state():
    a, b = leaf(), leaf(1.0)
    optimizer = stepped(Adam, a, lr=0.1)
    optimizer.add_param_group({"params": b, "lr": 0.5})
    saved = optimizer.state_dict()
    assert list(saved) == ["state", "param_groups"] and list(saved["state"]) == [0]
    step = saved["state"][0]["step"]
    assert list(saved["state"][0]) == ["step", "exp_avg", "exp_avg_sq"]
    assert step.dtype == rushlight.float32 and step.shape == () and step.item() == 1.0
    first, second = saved["param_groups"]
    assert list(first) == [
        *("lr", "betas", "eps", "weight_decay", "amsgrad", "maximize", "foreach"),
        *("capturable", "differentiable", "fused", "decoupled_weight_decay", "params"),
    ]
    assert (first["params"], second["params"], second["lr"]) == ([0], [1], 0.5)


def test_loading_casts_to_the_parameter_but_not_the_count():
    saved = stepped(Adam, leaf(), steps=4).state_dict()
    saved["state"][0]["step"] = saved["state"][0]["step"].double()
    saved["state"][0]["extra"] = [rushlight.ones(2), "text", 3]
    saved["state"]["free"] = 1
    param = leaf(dtype=rushlight.float64)
    optimizer = Adam([param], lr=5.0)
    optimizer.load_state_dict(saved)
    state = optimizer.state[param]
    assert state["exp_avg"].dtype == rushlight.float64 and state["step"].dtype == rushlight.float64
    assert state["extra"][0].dtype == rushlight.float64 and state["extra"][1:] == ["text", 3]
    assert optimizer.state["free"] == 1 and optimizer.param_groups[0]["lr"] == 0.001
    saved["param_groups"][0]["fused"] = True
    optimizer.load_state_dict(saved)
    assert optimizer.state[param]["step"].dtype == rushlight.float32
    same = leaf()
    again = Adam([same])
    again.load_state_dict(saved)
    assert again.state[same]["exp_avg"] is saved["state"][0]["exp_avg"]


def test_names_of_parameters_are_kept():
    named = SGD([("weight", leaf())], momentum=0.5)
    assert named.state_dict()["param_groups"][0]["param_names"] == ["weight"]
    named.load_state_dict(SGD([leaf()]).state_dict())
    assert named.param_groups[0]["param_names"] == ["weight"] and named.param_groups[0]["momentum"] == 0


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_keep_state_and_go_on(again):
    optimizer = stepped(Adam, leaf(), steps=2)
    other = again(optimizer)
    param = other.param_groups[0]["params"][0]
    assert next(iter(other.state)) is param and param is not optimizer.param_groups[0]["params"][0]
    param.grad = rushlight.ones(2)
    other.step()
    assert other.state[param]["step"].item() == 3.0 and repr(other) == repr(optimizer)


def test_old_checkpoints_hold_counts_as_numbers():
    param = leaf()
    optimizer = Adam([param])
    state = {"step": 3, "exp_avg": rushlight.ones(2), "exp_avg_sq": rushlight.ones(2)}
    optimizer.__setstate__({"state": {param: state}, "param_groups": [{"params": [param], "lr": 1}]})
    assert optimizer.state[param]["step"].item() == 3.0 and optimizer.param_groups[0]["amsgrad"] is False


def test_hooks_run_in_order_and_may_change_arguments():
    calls = []
    optimizer = SGD([leaf()])
    handles = [
        optimizer.register_step_pre_hook(lambda o, args, kwargs: calls.append(("pre", len(args), list(kwargs)))),
        optimizer.register_step_post_hook(lambda o, args, kwargs: calls.append(("post", o is optimizer))),
        register_optimizer_step_pre_hook(lambda o, args, kwargs: calls.append("global pre")),
        register_optimizer_step_post_hook(lambda o, args, kwargs: calls.append("global post")),
    ]
    assert optimizer.step(closure=lambda: 3) == 3
    assert calls == ["global pre", ("pre", 1, ["closure"]), ("post", True), "global post"]
    for handle in handles:
        handle.remove()
    handle = optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: "other"), {}))
    assert optimizer.step() == "other" and len(calls) == 4
    handle.remove()
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match=r"must return None or a tuple of \(new_args, new_kwargs\), but got 3."):
        optimizer.step()


def test_hooks_of_saving_and_loading():
    calls = []
    optimizer = SGD([leaf()])
    optimizer.register_state_dict_pre_hook(lambda o: calls.append("save"))
    optimizer.register_state_dict_post_hook(lambda o, saved: {**saved, "more": 1})
    optimizer.register_load_state_dict_pre_hook(lambda o, saved: calls.append("load"))
    optimizer.register_load_state_dict_pre_hook(lambda o, saved: calls.append("first"), prepend=True)
    optimizer.register_load_state_dict_post_hook(lambda o: calls.append("loaded"))
    saved = optimizer.state_dict()
    assert saved["more"] == 1
    optimizer.load_state_dict(saved)
    assert calls == ["save", "first", "load", "loaded"]


def test_optimizers_of_the_user():
    class Signed(Optimizer):
        def __init__(self, params, lr=required):
            super().__init__(params, dict(lr=lr))

        def step(self, closure=None):
            for group in self.param_groups:
                for param in group["params"]:
                    with rushlight.no_grad():
                        param -= group["lr"] * param.grad.sign()

    with pytest.raises(ValueError, match="didn't specify a value of required optimization parameter lr"):
        Signed([leaf()])
    param = leaf()
    calls = []
    optimizer = Signed([{"params": [param], "lr": 0.5}])
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    param.grad = rushlight.tensor([2.0, -2.0])
    optimizer.step()
    assert param.tolist() == [0.5, 1.5] and calls == [1] and optimizer.step.hooked
    with pytest.raises(NotImplementedError):
        Optimizer([param], {}).step()


def tensor_options(**options):
    return {key: tuple(map(rushlight.tensor, x)) if isinstance(x, tuple) else rushlight.tensor(x) for key, x in options.items()}


@pytest.mark.parametrize(
    "make, error, text",
    [
        (lambda: SGD(leaf()), TypeError, "should be an iterable of Tensors or dicts, but got torch.FloatTensor"),
        (lambda: SGD([]), ValueError, "optimizer got an empty parameter list"),
        (lambda: SGD([3]), TypeError, "optimizer can only optimize Tensors, but one of the params is int"),
        (lambda: SGD([leaf() * 2]), ValueError, "can't optimize a non-leaf Tensor"),
        (lambda: SGD([{"params": {leaf()}}]), TypeError, "the ordering of tensors in sets will change between runs"),
        (lambda: SGD([leaf()]).add_param_group([leaf()]), TypeError, "param_group must be a dict, but got <class 'list'>"),
        (lambda: SGD([("a", leaf()), leaf()]), ValueError, "Some param names are missing"),
        (
            lambda: SGD([{"params": [leaf()]}, {"params": [("a", leaf())]}]),
            ValueError,
            "cannot add param group with names to the optimizer",
        ),
        (
            lambda: SGD([{"params": [x]} for x in [leaf()] * 2]),
            ValueError,
            "some parameters appear in more than one parameter group",
        ),
        (lambda: SGD([leaf()], lr=-1), ValueError, "Invalid learning rate: -1"),
        (lambda: SGD([leaf()], lr=rushlight.ones(2)), ValueError, "Tensor lr must be 1-element"),
        (lambda: SGD([leaf()], momentum=-1), ValueError, "Invalid momentum value: -1"),
        (lambda: SGD([leaf()], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
        (lambda: SGD([leaf()], nesterov=True), ValueError, "Nesterov momentum requires a momentum and zero dampening"),
        (lambda: SGD([leaf()], fused=True, differentiable=True), RuntimeError, "`fused` does not support `differentiable`"),
        (lambda: Adam([leaf()], fused=True, foreach=True), RuntimeError, "`fused` and `foreach` cannot be `True` together."),
        (lambda: Adam([leaf()], betas=(1, 0.9)), ValueError, "Invalid beta parameter at index 0: 1"),
        (lambda: Adam([leaf()], betas=(0.9, 1.0)), ValueError, "Invalid beta parameter at index 1: 1.0"),
        (lambda: Adam([leaf()], betas=(0, 0.9)), ValueError, "betas must be either both floats or both Tensors"),
        (lambda: Adam([leaf()], eps=-1), ValueError, "Invalid epsilon value: -1"),
        (
            lambda: Adam([leaf()], foreach=True, **tensor_options(lr=0.1)),
            ValueError,
            "lr as a Tensor is not supported for capturable=False and foreach=True",
        ),
        (
            lambda: Adam([leaf()], foreach=True, **tensor_options(betas=(0.9, 0.9))),
            ValueError,
            r"betas\[0\] as a Tensor is not supported for capturable=False and foreach=True",
        ),
        (lambda: stepped(Adam, leaf(), capturable=True), AssertionError, "If capturable=True, params and state_steps must be on"),
        (
            lambda: stepped(SGD, leaf(1j, dtype=rushlight.complex64), fused=True),
            RuntimeError,
            "requires all the params to be floating point Tensors",
        ),
        (lambda: RMSprop([leaf()], alpha=-1), ValueError, "Invalid alpha value: -1"),
        (lambda: Adagrad([leaf()], lr_decay=-1), ValueError, "Invalid lr_decay value: -1"),
        (lambda: Adagrad([leaf()], initial_accumulator_value=-1), ValueError, "Invalid initial_accumulator_value value: -1"),
        (
            lambda: SGD([leaf()]).load_state_dict(SGD([leaf(), leaf()]).state_dict()),
            ValueError,
            "contains a parameter group that doesn't match the size of optimizer's group",
        ),
        (
            lambda: SGD([leaf()]).load_state_dict(SGD([{"params": []}, {"params": []}]).state_dict()),
            ValueError,
            "loaded state dict has a different number of parameter groups",
        ),
    ],
)
def test_errors(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_duplicate_parameters_warn():
    param = leaf()
    with pytest.warns(UserWarning, match="optimizer contains a parameter group with duplicate parameters"):
        optimizer = SGD([param, param])
    assert optimizer.state_dict()["param_groups"][0]["params"] == [0, 0]


def test_line_searches_find_the_minimum_and_keep_the_last_steps():
    x = leaf(-1.2, 1.0, dtype=rushlight.float64)
    optimizer = LBFGS([x], line_search_fn="strong_wolfe", history_size=5, max_iter=60)

    def closure():
        optimizer.zero_grad()
        loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == pytest.approx(24.2)
    assert x.tolist() == pytest.approx([1.0, 1.0], abs=1e-4)
    state = optimizer.state[x]
    assert [len(state[name]) for name in ("old_dirs", "old_stps", "ro", "al")] == [5, 5, 5, 5]
    assert list(state)[:3] == ["func_evals", "n_iter", "al"] and state["func_evals"] >= state["n_iter"]
    optimizer.param_groups[0]["line_search_fn"] = "other"
    x.detach().fill_(3.0)
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        optimizer.step(closure)
    with pytest.raises(ValueError, match="LBFGS doesn't support per-parameter options"):
        LBFGS([{"params": [leaf()]}, {"params": [leaf()]}])


def test_muon_brings_singular_values_close_to_one():
    param = rushlight.zeros(4, 3, requires_grad=True)
    optimizer = optim.Muon([param], lr=1.0, weight_decay=0.0)
    param.grad = rushlight.tensor([[3.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.1], [0.0, 0.0, 0.0]])
    optimizer.step()
    values = rushlight.linalg.svdvals(param.detach() / (4 / 3) ** 0.5)
    assert ((values > 0.6) & (values < 1.3)).all() and list(optimizer.state[param]) == ["momentum_buffer"]
    with pytest.raises(ValueError, match="Muon only supports 2D parameters whereas we found a parameter with size: "):
        optim.Muon([leaf()])


def test_sparse_adam_refuses_dense_gradients():
    with pytest.raises(RuntimeError, match="SparseAdam does not support dense gradients, please consider Adam instead"):
        stepped(optim.SparseAdam, leaf())
    with pytest.raises(
        ValueError, match=r"Complex params at indices \[\[0, 0\]\]: SparseAdam does not support complex parameters"
    ):
        optim.SparseAdam([leaf(1j, dtype=rushlight.complex64)])


def sparse_steps(optimizer, weight):
    for _ in range(2):
        weight.grad = rushlight.sparse_coo_tensor(rushlight.tensor([[0, 2, 0]]), rushlight.tensor([1.0, 2.0, 3.0]), (3,))
        optimizer.step()
    return weight.detach()


@pytest.mark.parametrize(
    "kind", ["Adam", "AdamW", "RMSprop", "Rprop", "ASGD", "Adamax", "NAdam", "RAdam", "Adadelta", "Adafactor"]
)
def test_sparse_gradients_are_refused(kind):
    named = "Adam does not support sparse gradients, please consider SparseAdam instead" if kind in ("Adam", "AdamW") else kind
    weight = rushlight.nn.Parameter(rushlight.tensor([1.0, 2.0, 3.0]))
    optimizer = getattr(rushlight.optim, kind)([weight], weight_decay=0.1) if kind != "Rprop" else rushlight.optim.Rprop([weight])
    with pytest.raises(RuntimeError, match=named):
        sparse_steps(optimizer, weight)
    assert weight.tolist() == [1.0, 2.0, 3.0] and not optimizer.state[weight]


def test_adagrad_and_lbfgs_take_sparse_gradients():
    weight = rushlight.nn.Parameter(rushlight.tensor([1.0, 2.0, 3.0]))
    stepped = sparse_steps(rushlight.optim.Adagrad([weight]), weight)
    assert rushlight.allclose(stepped, rushlight.tensor([0.982929, 2.0, 2.982929]))
    with pytest.raises(RuntimeError, match="weight_decay option is not compatible with sparse gradients"):
        sparse_steps(rushlight.optim.Adagrad([weight], weight_decay=0.1), weight)
    weight = rushlight.nn.Parameter(rushlight.tensor([1.0, 2.0, 3.0]))
    weight.grad = rushlight.sparse_coo_tensor(rushlight.tensor([[0, 2, 0]]), rushlight.tensor([1.0, 2.0, 3.0]), (3,))
    rushlight.optim.LBFGS([weight], max_iter=1).step(lambda: rushlight.tensor(0.0))
    assert rushlight.allclose(weight.detach(), rushlight.tensor([1 - 4 / 6, 2.0, 3 - 2 / 6]))
    sparse = rushlight.sparse_coo_tensor(rushlight.tensor([[0]]), rushlight.tensor([1.0]), (3,)).requires_grad_()
    with pytest.raises(ValueError, match=r"Sparse params at indices \[\[0, 0\]\]: SparseAdam requires dense parameter tensors"):
        rushlight.optim.SparseAdam([sparse])


def test_sparse_adam_goes_on_where_it_was_saved():
    def stepped(optimizer, table):
        for _ in range(9):
            optimizer.zero_grad()
            table(rushlight.tensor([0, 2])).pow(2).sum().backward()
            optimizer.step()
        return table.weight.detach().clone()

    table = rushlight.nn.Embedding.from_pretrained(rushlight.rand(3, 2), freeze=False, sparse=True)
    optimizer = rushlight.optim.SparseAdam(table.parameters(), lr=0.01)
    stepped(optimizer, table)
    other = rushlight.nn.Embedding.from_pretrained(table.weight.detach().clone(), freeze=False, sparse=True)
    again = rushlight.optim.SparseAdam(other.parameters(), lr=0.01)
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert again.state_dict()["state"][0]["step"] == 9 and type(again.state_dict()["state"][0]["step"]) is int
    assert stepped(optimizer, table).equal(stepped(again, other))


@pytest.mark.parametrize("optimizer_type", [SGD, Adam, rushlight.optim.AdamW, rushlight.optim.Adagrad])
def test_a_fused_step_wants_parameters_with_memory(optimizer_type):
    param = rushlight.nn.Parameter(rushlight.ones(2, device="meta"))
    optimizer = optimizer_type([param], fused=True)
    param.grad = rushlight.ones(2, device="meta")
    with pytest.raises(RuntimeError, match=r"floating point Tensors of supported devices: .* but torch.float32 and meta"):
        optimizer.step()

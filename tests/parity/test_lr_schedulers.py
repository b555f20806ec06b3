"""Every schedule, step by step beside PyTorch: learning rates, momenta, what is kept and saved, warnings and errors."""

import math
import warnings

import pytest

import rushlight

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.parity,
    # (A schedule within one that is within another takes two first steps.)
    pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step"),
]


class Halves:
    """A function of the user with attributes, which are saved."""

    def __init__(self, factor=0.5):
        self.factor = factor

    def __call__(self, epoch):
        return self.factor**epoch


# Name -> the schedule of an optimizer; `s` is lr_scheduler, and `w` swa_utils.
SCHEDULES = {
    "lambda": lambda s, w, o: s.LambdaLR(o, lambda epoch: 0.9**epoch),
    "lambdas": lambda s, w, o: s.LambdaLR(o, [Halves(), lambda epoch: 1 + epoch]),
    "multiplicative": lambda s, w, o: s.MultiplicativeLR(o, lambda epoch: 0.9 + epoch / 100),
    "step": lambda s, w, o: s.StepLR(o, 3, gamma=0.3),
    "multistep": lambda s, w, o: s.MultiStepLR(o, [2, 5, 5], gamma=0.3),
    "constant": lambda s, w, o: s.ConstantLR(o, factor=0.25, total_iters=4),
    "linear": lambda s, w, o: s.LinearLR(o, start_factor=0.2, end_factor=0.8, total_iters=6),
    "linear default": lambda s, w, o: s.LinearLR(o),
    "exponential": lambda s, w, o: s.ExponentialLR(o, 0.8),
    "polynomial": lambda s, w, o: s.PolynomialLR(o, total_iters=7, power=1.5),
    "cosine": lambda s, w, o: s.CosineAnnealingLR(o, 4, eta_min=0.01),
    "restarts": lambda s, w, o: s.CosineAnnealingWarmRestarts(o, 3, eta_min=0.01),
    "longer restarts": lambda s, w, o: s.CosineAnnealingWarmRestarts(o, 2, T_mult=2),
    "triangles": lambda s, w, o: s.CyclicLR(o, 0.05, [0.2, 0.3], step_size_up=3, step_size_down=2),
    "triangles 2": lambda s, w, o: s.CyclicLR(o, 0.05, 0.2, step_size_up=3, mode="triangular2", max_momentum=0.95),
    "exp range": lambda s, w, o: s.CyclicLR(o, 0.05, 0.2, step_size_up=3, mode="exp_range", gamma=0.9, cycle_momentum=False),
    "scale function": lambda s, w, o: s.CyclicLR(
        o, 0.05, 0.2, step_size_up=3, scale_fn=Halves(0.9), scale_mode="iterations", base_momentum=[0.1, 0.2]
    ),
    "one cycle": lambda s, w, o: s.OneCycleLR(o, 0.3, total_steps=14),
    "one cycle, three phases": lambda s, w, o: s.OneCycleLR(
        o, [0.3, 0.4], epochs=2, steps_per_epoch=7, three_phase=True, anneal_strategy="linear", pct_start=0.4, div_factor=10
    ),
    "one cycle, no momentum": lambda s, w, o: s.OneCycleLR(o, 0.3, total_steps=14, cycle_momentum=False),
    "sequence": lambda s, w, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 9), s.LinearLR(o, total_iters=3), s.CosineAnnealingWarmRestarts(o, 3)], [3, 7]
    ),
    "sequence of sequences": lambda s, w, o: s.SequentialLR(
        o, [s.SequentialLR(o, [s.ConstantLR(o, 0.5, 9), s.ExponentialLR(o, 0.9)], [2]), s.StepLR(o, 2)], [5]
    ),
    "chain": lambda s, w, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9)]),
    "swa": lambda s, w, o: w.SWALR(o, 0.5, anneal_epochs=4),
    "swa, linear": lambda s, w, o: w.SWALR(o, [0.5, 0.6], anneal_epochs=4, anneal_strategy="linear"),
    "swa at once": lambda s, w, o: w.SWALR(o, 0.5, anneal_epochs=0),
    "plateau": lambda s, w, o: s.ReduceLROnPlateau(o, patience=1, factor=0.5, cooldown=1),
    "plateau of a largest": lambda s, w, o: s.ReduceLROnPlateau(o, "max", 0.3, 0, 0.1, "abs", min_lr=[0.01, 0.05]),
    "plateau of a part": lambda s, w, o: s.ReduceLROnPlateau(o, "max", 0.3, 0, 0.1, "rel", eps=0.01),
}
METRICS = [1.0, 0.9, 0.95, 0.92, 0.91, 0.5, 0.51, 0.52, 0.53, 0.54, 0.3, 0.3, 0.3, 0.3]


def optimizer_of(library, kind="SGD", **options):
    groups = [{"params": [library.ones(2).requires_grad_()], "lr": lr} for lr in (0.1, 0.02)]
    return getattr(library.optim, kind)(groups, lr=0.1, **options)


def schedule_of(library, name, optimizer):
    return SCHEDULES[name](library.optim.lr_scheduler, library.optim.swa_utils, optimizer)


def plain(x):
    """Numbers, texts, lists and dicts of what a schedule keeps."""
    if isinstance(x, dict):
        return {str(key): plain(value) for key, value in x.items() if key not in ("optimizer", "anneal_func")}
    if isinstance(x, list | tuple):
        return [plain(value) for value in x]
    if hasattr(x, "tolist"):
        return [str(x.dtype).split(".")[-1], x.tolist()]
    if callable(x):
        return "function"
    return plain(x.__dict__) if hasattr(x, "_last_lr") else x


def groups_of(optimizer):
    return [{key: plain(value) for key, value in group.items() if key != "params"} for group in optimizer.param_groups]


def step(schedule, optimizer, metric):
    optimizer.step()
    if type(schedule).__name__ == "ReduceLROnPlateau":
        schedule.step(metric)
    else:
        schedule.step()


@pytest.mark.parametrize("kind, options", [("SGD", dict(momentum=0.9)), ("Adam", {})])
@pytest.mark.parametrize("name", SCHEDULES)
def test_steps(name, kind, options):
    def path(library):
        optimizer = optimizer_of(library, kind, **options)
        schedule = schedule_of(library, name, optimizer)
        seen = [(groups_of(optimizer), plain(schedule.__dict__), plain(schedule.get_last_lr()))]
        for metric in METRICS:
            step(schedule, optimizer, metric)
            seen.append((groups_of(optimizer), plain(schedule.__dict__), plain(schedule.state_dict())))
        return seen

    assert path(rushlight) == path(torch)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_goes_on_from_its_state(name):
    def path(library):
        optimizer = optimizer_of(library, momentum=0.9)
        schedule = schedule_of(library, name, optimizer)
        for metric in METRICS[:5]:
            step(schedule, optimizer, metric)
        saved, saved_optimizer = schedule.state_dict(), optimizer.state_dict()
        other = optimizer_of(library, momentum=0.5)
        again = schedule_of(library, name, other)
        other.load_state_dict(saved_optimizer)
        again.load_state_dict(saved)
        for metric in METRICS[5:9]:
            step(again, other, metric)
        return groups_of(other), plain(again.state_dict())

    assert path(rushlight) == path(torch)


@pytest.mark.parametrize("name", [name for name in SCHEDULES if not name.startswith(("sequence", "chain", "plateau", "swa"))])
def test_an_epoch_may_be_given(name):
    def path(library):
        optimizer = optimizer_of(library, momentum=0.9)
        schedule = schedule_of(library, name, optimizer)
        seen = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for epoch in (3, 1, 0, 7, None, None):
                optimizer.step()
                schedule.step(epoch)
                seen.append((groups_of(optimizer), schedule.last_epoch))
        return seen, [str(warning.message) for warning in caught]

    assert path(rushlight) == path(torch)


@pytest.mark.parametrize(
    "name",
    [name for name in SCHEDULES if name.startswith(("lambda", "mult", "step", "cons", "lin", "exp", "pol", "cos", "rest"))],
)
def test_a_run_may_be_resumed(name):
    """`last_epoch` says where; what it does to the first learning rate is PyTorch's."""

    def path(library):
        optimizer = optimizer_of(library, momentum=0.9)
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"] * 2
        schedules, found = library.optim.lr_scheduler, []
        for kind, options in RESUMED[name]:
            schedule = getattr(schedules, kind)(optimizer, **options, last_epoch=4)
            found.append((groups_of(optimizer), plain(schedule.__dict__)))
            optimizer.step()
            schedule.step()
            found.append((groups_of(optimizer), plain(schedule.__dict__)))
        return found

    assert path(rushlight) == path(torch)


RESUMED = {
    "lambda": [("LambdaLR", dict(lr_lambda=lambda epoch: 0.9**epoch))],
    "lambdas": [("LambdaLR", dict(lr_lambda=[Halves(), lambda epoch: epoch]))],
    "multiplicative": [("MultiplicativeLR", dict(lr_lambda=lambda epoch: 0.9))],
    "step": [("StepLR", dict(step_size=5)), ("StepLR", dict(step_size=6))],
    "multistep": [("MultiStepLR", dict(milestones=[5])), ("MultiStepLR", dict(milestones=[6]))],
    "constant": [("ConstantLR", dict(total_iters=5)), ("ConstantLR", dict(total_iters=6))],
    "linear": [("LinearLR", dict(total_iters=10)), ("LinearLR", dict(total_iters=5))],
    "linear default": [("LinearLR", {})],
    "exponential": [("ExponentialLR", dict(gamma=0.5))],
    "exp range": [("CyclicLR", dict(base_lr=0.1, max_lr=0.2, step_size_up=3))],
    "polynomial": [("PolynomialLR", dict(total_iters=8)), ("PolynomialLR", dict(total_iters=5))],
    "cosine": [("CosineAnnealingLR", dict(T_max=8)), ("CosineAnnealingLR", dict(T_max=4))],
    "restarts": [("CosineAnnealingWarmRestarts", dict(T_0=3))],
}


def late(s, w, o):
    schedule = s.OneCycleLR(o, 0.1, total_steps=3)
    for _ in range(5):
        o.step()
        schedule.step()


def more_groups(library, o):
    o.add_param_group({"params": [library.ones(1)]})
    return o


# What is refused, or warned about; each is given lr_scheduler, swa_utils, an optimizer and another one.
REFUSED = [
    lambda s, w, o, p: s.StepLR(3, 2),
    lambda s, w, o, p: s.StepLR(o, 2, last_epoch=3),
    lambda s, w, o, p: s.LambdaLR(o, [lambda epoch: 1]),
    lambda s, w, o, p: s.MultiplicativeLR(o, [lambda epoch: 1]),
    lambda s, w, o, p: s.ConstantLR(o, 2.0),
    lambda s, w, o, p: s.LinearLR(o, 0),
    lambda s, w, o, p: s.LinearLR(o, 0.5, 2),
    lambda s, w, o, p: s.ReduceLROnPlateau(o, factor=1.0),
    lambda s, w, o, p: s.ReduceLROnPlateau(3),
    lambda s, w, o, p: s.ReduceLROnPlateau(o, min_lr=[1, 2, 3]),
    lambda s, w, o, p: s.ReduceLROnPlateau(o, mode="x"),
    lambda s, w, o, p: s.ReduceLROnPlateau(o, threshold_mode="x"),
    lambda s, w, o, p: s.ReduceLROnPlateau(o).step(1.0, 3),
    lambda s, w, o, p: s.CyclicLR(3, 0.1, 0.2),
    lambda s, w, o, p: s.CyclicLR(o, [0.1] * 3, 0.2),
    lambda s, w, o, p: s.CyclicLR(o, 0.1, [0.2] * 3),
    lambda s, w, o, p: s.CyclicLR(o, 0.1, 0.2, mode="x"),
    lambda s, w, o, p: s.CosineAnnealingWarmRestarts(o, 0),
    lambda s, w, o, p: s.CosineAnnealingWarmRestarts(o, 1.5),
    lambda s, w, o, p: s.CosineAnnealingWarmRestarts(o, 1, 0),
    lambda s, w, o, p: s.CosineAnnealingWarmRestarts(o, 1, 1, "a"),
    lambda s, w, o, p: s.CosineAnnealingWarmRestarts(o, 3).step(-1),
    lambda s, w, o, p: s.OneCycleLR(o, 0.1),
    lambda s, w, o, p: s.OneCycleLR(o, 0.1, total_steps=0),
    lambda s, w, o, p: s.OneCycleLR(o, 0.1, total_steps=1.5),
    lambda s, w, o, p: s.OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=2),
    lambda s, w, o, p: s.OneCycleLR(o, 0.1, epochs=2),
    lambda s, w, o, p: s.OneCycleLR(o, 0.1, epochs=2, steps_per_epoch=1.5),
    lambda s, w, o, p: s.OneCycleLR(o, 0.1, 5, pct_start=2),
    lambda s, w, o, p: s.OneCycleLR(o, 0.1, 5, pct_start=1),
    lambda s, w, o, p: s.OneCycleLR(o, 0.1, 5, anneal_strategy="x"),
    lambda s, w, o, p: s.OneCycleLR(o, 0.1, 5, base_momentum=[1, 2, 3]),
    lambda s, w, o, p: s.OneCycleLR(o, [0.1] * 3, 5),
    lambda s, w, o, p: s.OneCycleLR(3, 0.1, 5),
    lambda s, w, o, p: late(s, w, o),
    lambda s, w, o, p: s.SequentialLR(o, [], []),
    lambda s, w, o, p: s.SequentialLR(p, [s.ConstantLR(o)], []),
    lambda s, w, o, p: s.SequentialLR(o, [s.ConstantLR(o)], [1]),
    lambda s, w, o, p: s.SequentialLR(o, [s.ConstantLR(o), s.ReduceLROnPlateau(o)], [1]),
    lambda s, w, o, p: s.SequentialLR(o, [s.ConstantLR(o), object()], [1]),
    lambda s, w, o, p: s.ChainedScheduler([]),
    lambda s, w, o, p: s.ChainedScheduler([s.ConstantLR(o), s.ConstantLR(p)]),
    lambda s, w, o, p: s.ChainedScheduler([s.ReduceLROnPlateau(o)]),
    lambda s, w, o, p: s.ChainedScheduler([object()], optimizer=o),
    lambda s, w, o, p: s.LRScheduler(o),
    lambda s, w, o, p: w.SWALR(o, 0.5, anneal_strategy="x"),
    lambda s, w, o, p: w.SWALR(o, 0.5, anneal_epochs=-1),
    lambda s, w, o, p: w.SWALR(o, [0.5, 0.4, 0.3]),
    lambda s, w, o, p: w.get_ema_avg_fn(2),
    lambda s, w, o, p: w.get_ema_multi_avg_fn(-1),
]
WARNED = [
    lambda s, w, o, p: s.StepLR(o, 2).step(),
    lambda s, w, o, p: s.StepLR(o, 2).get_lr(),
    lambda s, w, o, p: s.CyclicLR(o, 0.1, 0.2).get_lr(),
    lambda s, w, o, p: w.SWALR(o, 0.1).get_lr(),
    lambda s, w, o, p: (schedule := s.StepLR(o, 2), setattr(o, "step", lambda: None), schedule.step()),
    lambda s, w, o, p: (schedule := s.StepLR(o, 2), o.step(), schedule.step(), schedule.step(), schedule.step()),
]


@pytest.mark.parametrize("call", REFUSED + WARNED)
def test_errors_and_warnings(call):
    def answer(library):
        first, second = (optimizer_of(library, momentum=0.9) for _ in range(2))
        text = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                call(library.optim.lr_scheduler, library.optim.swa_utils, first, second)
            except Exception as error:
                text = f"{type(error).__name__}: {error}"
        return text, [f"{warning.category.__name__}: {warning.message}" for warning in caught]

    ours = answer(rushlight)
    assert ours == answer(torch) and (ours[0] or ours[1] or call is WARNED[-1])


def test_momentum_that_is_not_there_cannot_cycle():
    def text(library):
        with pytest.raises(ValueError) as caught:
            library.optim.lr_scheduler.CyclicLR(optimizer_of(library, "Adagrad"), 0.1, 0.2)
        return str(caught.value)

    assert text(rushlight) == text(torch)


def test_new_groups_need_their_own_least_learning_rate():
    def text(library):
        optimizer = optimizer_of(library)
        schedule = library.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.01, 0.01])
        optimizer.add_param_group({"params": [library.ones(1)]})
        schedule.step(1.0)
        with pytest.raises(RuntimeError) as caught:
            schedule.step(2.0)
        return str(caught.value)

    assert text(rushlight) == text(torch)


@pytest.mark.parametrize("name", ["step", "lambda", "linear", "cosine", "one cycle", "triangles", "plateau", "sequence"])
def test_learning_rates_that_are_tensors_stay_the_same_tensors(name):
    def path(library):
        groups = [{"params": [library.ones(2).requires_grad_()], "lr": library.tensor(lr)} for lr in (0.1, 0.02)]
        optimizer = library.optim.Adam(groups, lr=library.tensor(0.1))
        kept = [group["lr"] for group in optimizer.param_groups]
        schedule = schedule_of(library, name, optimizer)
        seen = []
        for metric in METRICS[:6]:
            step(schedule, optimizer, metric)
            seen.append((groups_of(optimizer), plain(schedule.get_last_lr())))
        assert all(group["lr"] is lr for group, lr in zip(optimizer.param_groups, kept, strict=True))
        return seen

    assert rounded(path(rushlight)) == rounded(path(torch))


def rounded(x):
    if isinstance(x, dict):
        return {key: rounded(value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [rounded(value) for value in x]
    return float(f"{x:.6g}") if isinstance(x, float) and math.isfinite(x) else x


AVERAGES = {
    "mean": lambda w: {},
    "ema": lambda w: dict(avg_fn=w.get_ema_avg_fn(0.7)),
    "swa": lambda w: dict(avg_fn=w.get_swa_avg_fn(), use_buffers=True),
    "many ema": lambda w: dict(multi_avg_fn=w.get_ema_multi_avg_fn(0.7), use_buffers=True),
    "many swa": lambda w: dict(multi_avg_fn=w.get_swa_multi_avg_fn()),
    "on a device": lambda w: dict(device="cpu"),
}


@pytest.mark.parametrize("name", AVERAGES)
def test_averages_of_models(name):
    def path(library):
        library.manual_seed(0)
        model = library.nn.Sequential(library.nn.Linear(3, 4), library.nn.BatchNorm1d(4))
        average = library.optim.swa_utils.AveragedModel(model, **AVERAGES[name](library.optim.swa_utils))
        optimizer = library.optim.SGD(model.parameters(), lr=0.1)
        batches = [library.randn(5, 3) for _ in range(4)]
        for batch in batches:
            optimizer.zero_grad()
            model(batch).square().sum().backward()
            optimizer.step()
            average.update_parameters(model)
        library.optim.swa_utils.update_bn([(batch, 0) for batch in batches], average)
        states = [{key: plain(value) for key, value in average.state_dict().items()}, plain(average(batches[0]))]
        return repr(average), average.training, [norm.momentum for norm in average.modules() if hasattr(norm, "momentum")], states

    ours, theirs = path(rushlight), path(torch)
    assert ours[:3] == theirs[:3] and list(ours[3][0]) == list(theirs[3][0])
    for a, b in zip(flat(ours[3]), flat(theirs[3]), strict=True):
        assert a == b or abs(a - b) < 2e-6


def flat(x):
    if isinstance(x, dict):
        return flat(list(x.values()))
    return [y for value in x for y in flat(value)] if isinstance(x, list | tuple) else [x]


def test_two_averages_at_once_are_refused():
    def text(library):
        with pytest.raises(AssertionError) as caught:
            library.optim.swa_utils.AveragedModel(library.nn.Linear(1, 1), avg_fn=1, multi_avg_fn=2)
        return str(caught.value)

    assert text(rushlight) == text(torch)


def test_a_mean_of_integers_is_refused():
    def text(library):
        mean = library.optim.swa_utils.get_swa_multi_avg_fn()
        with pytest.raises(RuntimeError) as caught:
            mean([library.tensor(3)], [library.tensor(6)], library.tensor(2))
        return str(caught.value)

    assert text(rushlight) == text(torch)

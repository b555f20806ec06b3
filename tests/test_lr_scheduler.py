"""Schedules: recorded learning rates, as PyTorch 2.13 has them, and what is particular of each."""

import gc
import pickle

import pytest

import rushlight
from rushlight.optim import SGD, lr_scheduler, swa_utils

# Schedule, options, and the learning rates of seven epochs from 1 on.
RECORDED = [
    ("LambdaLR", dict(lr_lambda=lambda epoch: 1 / (1 + epoch)), [1.0, 0.5, 0.333333, 0.25, 0.2, 0.166667, 0.142857]),
    ("MultiplicativeLR", dict(lr_lambda=lambda epoch: 0.5), [1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625]),
    ("StepLR", dict(step_size=2, gamma=0.5), [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125]),
    ("MultiStepLR", dict(milestones=[1, 4], gamma=0.5), [1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]),
    ("ConstantLR", dict(factor=0.5, total_iters=3), [0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0]),
    ("LinearLR", dict(start_factor=0.25, total_iters=3), [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0]),
    ("ExponentialLR", dict(gamma=0.5), [1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625]),
    ("PolynomialLR", dict(total_iters=4, power=2.0), [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0, 0.0]),
    ("CosineAnnealingLR", dict(T_max=4, eta_min=0.2), [1.0, 0.882843, 0.6, 0.317157, 0.2, 0.317157, 0.6]),
    ("CosineAnnealingWarmRestarts", dict(T_0=2, T_mult=2), [1.0, 0.5, 1.0, 0.853553, 0.5, 0.146447, 1.0]),
    ("CyclicLR", dict(base_lr=0.5, max_lr=1.5, step_size_up=2, mode="triangular2"), [0.5, 1.0, 1.5, 1.0, 0.5, 0.75, 1.0]),
    ("OneCycleLR", dict(max_lr=1.0, total_steps=7), [0.04, 0.980557, 0.919044, 0.672684, 0.357739, 0.099297, 4e-06]),
]


def optimizer_of(lr=1.0):
    return SGD([rushlight.ones(1, requires_grad=True)], lr=lr, momentum=0.9)


def rates_of(optimizer, schedule, epochs):
    rates = []
    for _ in range(epochs):
        rates += schedule.get_last_lr()
        optimizer.step()
        schedule.step()
    return rates


@pytest.mark.parametrize("name, options, rates", RECORDED)
def test_recorded_rates(name, options, rates):
    optimizer = optimizer_of()
    schedule = getattr(lr_scheduler, name)(optimizer, **options)
    assert rates_of(optimizer, schedule, len(rates)) == pytest.approx(rates, abs=1e-6)


def test_every_schedule_is_recorded_or_has_its_test():
    composed = {"SequentialLR", "ChainedScheduler", "ReduceLROnPlateau", "LRScheduler"}
    assert {name for name, _, _ in RECORDED} | composed == set(lr_scheduler.__all__)


def test_one_after_the_other():
    optimizer = optimizer_of()
    parts = [lr_scheduler.ConstantLR(optimizer, 0.5, 9), lr_scheduler.ExponentialLR(optimizer, 0.5)]
    schedule = lr_scheduler.SequentialLR(optimizer, parts, [2])
    assert rates_of(optimizer, schedule, 5) == [0.5, 0.5, 1.0, 0.5, 0.25]
    optimizer = optimizer_of()
    parts = [lr_scheduler.ConstantLR(optimizer, 0.5, 2), lr_scheduler.ExponentialLR(optimizer, 0.5)]
    schedule = lr_scheduler.ChainedScheduler(parts)
    assert rates_of(optimizer, schedule, 4) == [0.5, 0.25, 0.25, 0.125]


def test_a_plateau_lowers_the_rate():
    optimizer = optimizer_of()
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, factor=0.5, cooldown=1)
    rates = []
    for metric in (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5):
        schedule.step(metric)
        rates += schedule.get_last_lr()
    assert rates == [1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25] and schedule.best == 0.5


def test_a_schedule_of_the_user():
    class Alternating(lr_scheduler._LRScheduler):
        def get_lr(self):
            return [base * (1 if self.last_epoch % 2 else 2) for base in self.base_lrs]

    optimizer = optimizer_of()
    assert rates_of(optimizer, Alternating(optimizer), 4) == [2.0, 1.0, 2.0, 1.0]
    assert isinstance(Alternating(optimizer), lr_scheduler.LRScheduler)


def test_the_order_of_calls_is_watched():
    with pytest.warns(UserWarning, match="Detected call of `lr_scheduler.step\\(\\)` before `optimizer.step\\(\\)`"):
        lr_scheduler.StepLR(optimizer_of(), 2).step()
    optimizer = optimizer_of()
    schedule = lr_scheduler.StepLR(optimizer, 2)
    optimizer.step = lambda: None
    with pytest.warns(
        UserWarning, match="`optimizer.step\\(\\)` has been overridden after learning rate scheduler initialization"
    ):
        schedule.step()


def test_a_schedule_makes_no_cycle_through_its_optimizer():
    import weakref

    gc.disable()
    try:
        optimizer = optimizer_of()
        schedule = lr_scheduler.StepLR(optimizer, 2)
        seen = weakref.ref(optimizer)
        del optimizer, schedule
        assert seen() is None
    finally:
        gc.enable()


def test_states_are_saved_and_loaded():
    optimizer = optimizer_of()
    schedule = lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
    rates_of(optimizer, schedule, 3)
    saved = pickle.loads(pickle.dumps((schedule.state_dict(), optimizer.state_dict())))
    other = optimizer_of(5.0)
    again = lr_scheduler.StepLR(other, 9)
    again.load_state_dict(saved[0])
    other.load_state_dict(saved[1])
    assert rates_of(other, again, 3) == rates_of(optimizer, schedule, 3) == [0.5, 0.25, 0.25]


def test_numbers_in_tensors_stay_the_programs():
    for schedule_of, kept in (
        (lambda o, low, high: lr_scheduler.CyclicLR(o, low, [high], 2, base_momentum=low, max_momentum=high), "momentum"),
        (lambda o, low, high: lr_scheduler.OneCycleLR(o, high, 7, base_momentum=low, max_momentum=high), "momentum"),
        (lambda o, low, high: swa_utils.SWALR(o, low, anneal_epochs=3), "swa_lr"),
    ):
        runs = []
        for changes in (False, True):
            optimizer, low, high = optimizer_of(), rushlight.tensor(0.25), rushlight.tensor(0.5)
            schedule = schedule_of(optimizer, low, high)
            if changes:
                low.zero_()
                high.zero_()
            rates = rates_of(optimizer, schedule, 5)
            runs.append([float(number) for number in (*rates, optimizer.param_groups[0][kept])])
        assert runs[0] == runs[1] and 0 < runs[0][-1] <= 0.5


def test_how_a_schedule_moves_is_known():
    schedule = swa_utils.SWALR(optimizer_of(), 0.5, anneal_strategy="linear")
    assert schedule.anneal_func(0.25) == 0.25 and "anneal_func" not in schedule.state_dict()
    # What older versions saved of a cycle has the function itself.
    saved = dict(lr_scheduler.OneCycleLR(optimizer_of(), 1.0, 7).state_dict())
    assert saved.pop("_anneal_func_type") == "cos"
    optimizer = optimizer_of()
    schedule = lr_scheduler.OneCycleLR(optimizer, 1.0, 7, anneal_strategy="linear")
    del schedule._anneal_func_type
    schedule.load_state_dict({**saved, "anneal_func": lr_scheduler.OneCycleLR._annealing_cos})
    assert rates_of(optimizer, schedule, 4) == pytest.approx([0.04, 0.980557, 0.919044, 0.672684], abs=1e-6)


def test_averages_and_statistics_of_weights():
    model = rushlight.nn.Sequential(rushlight.nn.Linear(1, 1, bias=False), rushlight.nn.BatchNorm1d(1))
    mean = swa_utils.AveragedModel(model)
    forgetting = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.5))
    for value in (1.0, 2.0, 6.0):
        rushlight.nn.init.constant_(model[0].weight, value)
        mean.update_parameters(model)
        forgetting.update_parameters(model)
    assert mean.module[0].weight.item() == 3.0 and forgetting.module[0].weight.item() == 3.75
    assert mean.n_averaged.item() == 3 and list(mean.state_dict())[:2] == ["n_averaged", "module.0.weight"]
    batches = [(rushlight.tensor([[1.0], [3.0]]), None), (rushlight.tensor([[5.0], [7.0]]), None)]
    mean.eval()
    swa_utils.update_bn(batches, mean)
    assert mean.module[1].running_mean.item() == pytest.approx(12.0) and mean.module[1].momentum == 0.1 and not mean.training

"""Schedules of learning rates: a schedule's `step` sets the learning rate of each group of its optimizer."""

import math
from bisect import bisect_right
from collections import Counter
from functools import partial, wraps
from types import FunctionType
from weakref import ref

from rushlight.core import Tensor, warn_user
from rushlight.optim._description import number
from rushlight.optim.optimizer import Optimizer

__all__ = [
    *("LambdaLR", "MultiplicativeLR", "StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "SequentialLR"),
    *("CosineAnnealingLR", "ChainedScheduler", "ReduceLROnPlateau", "CyclicLR", "CosineAnnealingWarmRestarts", "OneCycleLR"),
    *("PolynomialLR", "LRScheduler"),
]

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed form is used "
    "instead of the new chainable form, where available. Please open an issue if you are unable to replicate your use case: "
    "https://github.com/pytorch/pytorch/issues/new/choose."
)
_HOW_TO_ADJUST = "See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"


# ---------------------------------------------------------------------------------------------------------- groups
def _param_groups_val_list(optimizer, key):
    """The value of each group under `key`; of tensors, which schedules write into, copies."""
    values = [group[key] for group in optimizer.param_groups]
    return [value.clone() if isinstance(value, Tensor) else value for value in values]


def _update_param_group_val(param_group, key, val):
    """Sets a group's value; a tensor stays the same tensor."""
    if isinstance(param_group[key], Tensor):
        param_group[key].fill_(number(val))
    else:
        param_group[key] = val


def _format_param(name, optimizer, param):
    """One value for each group, from one for all or a sequence of them."""
    groups = optimizer.param_groups
    if not isinstance(param, list | tuple):
        return [param] * len(groups)
    if len(param) != len(groups):
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(param)} values, param_groups has {len(groups)}."
        )
    return list(param)


def _check_optimizer(optimizer):
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def _set_momentum(group, momentum, use_beta1):
    if use_beta1:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def _prepare_momentum(optimizer, base_momentum, max_momentum, first):
    """Values for each group, and whether they go into `betas`; a schedule that begins starts from the largest."""
    if not {"momentum", "betas"} & optimizer.defaults.keys():
        raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
    use_beta1 = "betas" in optimizer.defaults
    base, largest = (
        _format_param("base_momentum", optimizer, base_momentum),
        _format_param("max_momentum", optimizer, max_momentum),
    )
    if first:
        for group, low, high in zip(optimizer.param_groups, base, largest, strict=True):
            _set_momentum(group, high, use_beta1)
            group["max_momentum"], group["base_momentum"] = high, low
    return base, largest, use_beta1


class _Raised:
    """A flag of a schedule, up within a `with` block."""

    flag = ""

    def __init__(self, o):
        self.o = o

    def __enter__(self):
        setattr(self.o, self.flag, True)
        return self

    def __exit__(self, type, value, traceback):
        setattr(self.o, self.flag, False)


class _enable_get_lr_call(_Raised):
    flag = "_get_lr_called_within_step"


class _initial_mode(_Raised):
    flag = "_is_initial"


def _warn_get_lr_called_within_step(lr_scheduler):
    """Warns where a user calls `get_lr`, which says what the next step would be."""
    if not lr_scheduler._get_lr_called_within_step:
        warn_user("To get the last learning rate computed by the scheduler, please use `get_last_lr()`.")


def _track_steps(optimizer):
    """Makes the optimizer remember that its `step` has run, which must come before its schedule's."""
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        return
    function, weak = optimizer.step.__func__, ref(optimizer)  # (no cycle through the optimizer)

    @wraps(function)
    def step(*args, **kwargs):
        optimizer = weak()
        optimizer._opt_called = True
        return function.__get__(optimizer, type(optimizer))(*args, **kwargs)

    step._wrapped_by_lr_sched = True
    optimizer.step = step


class LRScheduler:
    """Base class of schedules: a class says in `get_lr` what the learning rates at `last_epoch` are.

    Args:
        optimizer: whose groups' `lr` is set; each group's first one is kept as `initial_lr`.
        last_epoch: where a run that is resumed stood; -1 begins.
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer, last_epoch=-1):
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        for index, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                first = group["lr"]
                group.setdefault("initial_lr", first.clone() if isinstance(first, Tensor) else first)
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{index}] when resuming scheduler with last_epoch >= 0.\n"
                    "This typically happens when:\n"
                    "1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer state\n"
                    "2. You're using last_epoch >= 0 for a fresh training run (not recommended)"
                )
        self.base_lrs = _param_groups_val_list(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _track_steps(optimizer)
        self._initial_step()

    def _initial_step(self):
        self._step_count = 0
        with _initial_mode(self):
            self.step()

    def state_dict(self):
        """All that the schedule keeps, but for the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict):
        """Takes over what `state_dict` gave."""
        self.__dict__.update(state_dict)

    def get_last_lr(self):
        """The learning rates that the last step set."""
        return self._last_lr

    def get_lr(self):
        """The learning rate of each group at `last_epoch`; for `step` to call."""
        raise NotImplementedError

    def step(self, epoch=None):
        """Goes on by one, after the optimizer's step; `epoch`, which is deprecated, says where to instead."""
        if self._step_count == 1:
            if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
                warn_user(
                    "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. Please, make "
                    f"sure to call `optimizer.step()` before `lr_scheduler.step()`. {_HOW_TO_ADJUST}"
                )
            elif not getattr(self.optimizer, "_opt_called", False):
                warn_user(
                    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you should call "
                    "them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will result "
                    f"in PyTorch skipping the first value of the learning rate schedule. {_HOW_TO_ADJUST}"
                )
        self._step_count += 1
        if epoch is not None:
            warn_user(EPOCH_DEPRECATION_WARNING)
        self._update_lr(epoch)

    def _update_lr(self, epoch=None):
        with _enable_get_lr_call(self):
            self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
            closed = getattr(self, "_get_closed_form_lr", None)
            self._set_lr(self.get_lr() if epoch is None or closed is None else closed())

    def _set_lr(self, values):
        for group, lr in zip(self.optimizer.param_groups, values, strict=False):
            _update_param_group_val(group, "lr", lr)
        self._last_lr = _param_groups_val_list(self.optimizer, "lr")

    def _scaled(self, factor):
        """The present learning rates times a factor."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def _kept(self):
        """The present learning rates."""
        return _param_groups_val_list(self.optimizer, "lr")


class _LRScheduler(LRScheduler):
    """The base class under its older name."""


# ---------------------------------------------------------------------------------------------------------- functions of the user
def _dict_of(function):
    """What is saved of a user's function: the attributes of an object that can be called, and None of a function."""
    return None if function is None or isinstance(function, FunctionType) else function.__dict__.copy()


class _ByFunctions(LRScheduler):
    """Schedules by a function of the user for each group."""

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        self.optimizer = optimizer
        groups = optimizer.param_groups
        functions = list(lr_lambda) if isinstance(lr_lambda, list | tuple) else [lr_lambda] * len(groups)
        if len(functions) != len(groups):
            raise ValueError(f"Expected {len(groups)} lr_lambdas, but got {len(functions)}")
        self.lr_lambdas = functions
        super().__init__(optimizer, last_epoch)

    def state_dict(self):
        """All that the schedule keeps, but for the optimizer; functions are saved only where they are objects with attributes."""
        saved = {key: value for key, value in super().state_dict().items() if key != "lr_lambdas"}
        saved["lr_lambdas"] = list(map(_dict_of, self.lr_lambdas))
        return saved

    def load_state_dict(self, state_dict):
        """Takes over what `state_dict` gave."""
        self.__dict__.update({key: value for key, value in state_dict.items() if key != "lr_lambdas"})
        for function, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=False):
            if saved is not None:
                function.__dict__.update(saved)


class LambdaLR(_ByFunctions):
    """The first learning rate times `lr_lambda(epoch)`.

    Args:
        optimizer: the optimizer.
        lr_lambda: a function of the epoch, or one for each group.
        last_epoch: where a run that is resumed stood.

    >>> import rushlight as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.5)
    >>> schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        return [first * function(self.last_epoch) for function, first in zip(self.lr_lambdas, self.base_lrs, strict=False)]


class MultiplicativeLR(_ByFunctions):
    """Each learning rate is the one before times `lr_lambda(epoch)`."""

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        if self._is_initial:
            return self._kept()
        groups = self.optimizer.param_groups
        return [group["lr"] * function(self.last_epoch) for function, group in zip(self.lr_lambdas, groups, strict=False)]


# ---------------------------------------------------------------------------------------------------------- formulas
class StepLR(LRScheduler):
    """Multiplies the learning rate by `gamma` every `step_size` epochs."""

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return self._kept()
        return self._scaled(self.gamma)

    def _get_closed_form_lr(self):
        return [first * self.gamma ** (self.last_epoch // self.step_size) for first in self.base_lrs]


class MultiStepLR(LRScheduler):
    """Multiplies the learning rate by `gamma` at each epoch of `milestones`."""

    def __init__(self, optimizer, milestones, gamma=0.1, last_epoch=-1):
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        if self.last_epoch not in self.milestones:
            return self._kept()
        return self._scaled(self.gamma ** self.milestones[self.last_epoch])

    def _get_closed_form_lr(self):
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [first * self.gamma**passed for first in self.base_lrs]


class ConstantLR(LRScheduler):
    """The learning rate times `factor` for the first `total_iters` epochs, and as it is from then on."""

    def __init__(self, optimizer, factor=1.0 / 3, total_iters=5, last_epoch=-1):
        if factor > 1.0 or factor < 0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        return self._kept() if self.last_epoch != self.total_iters else self._scaled(1.0 / self.factor)

    def _get_closed_form_lr(self):
        factor = self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor)
        return [first * factor for first in self.base_lrs]


class LinearLR(LRScheduler):
    """The learning rate times a factor that goes from `start_factor` to `end_factor` within `total_iters` epochs."""

    def __init__(self, optimizer, start_factor=1.0 / 3, end_factor=1.0, total_iters=5, last_epoch=-1):
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError("Starting multiplicative factor expected to be greater than 0 and less or equal to 1.")
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        if self.last_epoch == 0:
            return self._scaled(self.start_factor)
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._kept()
        growth = self.end_factor - self.start_factor
        return self._scaled(1.0 + growth / (self.total_iters * self.start_factor + (self.last_epoch - 1) * growth))

    def _get_closed_form_lr(self):
        growth = self.end_factor - self.start_factor
        factor = self.start_factor + growth * min(self.total_iters, self.last_epoch) / self.total_iters
        return [first * factor for first in self.base_lrs]


class ExponentialLR(LRScheduler):
    """Multiplies the learning rate by `gamma` every epoch."""

    def __init__(self, optimizer, gamma, last_epoch=-1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        return self._kept() if self._is_initial else self._scaled(self.gamma)

    def _get_closed_form_lr(self):
        return [first * self.gamma**self.last_epoch for first in self.base_lrs]


class PolynomialLR(LRScheduler):
    """The learning rate falls to zero within `total_iters` epochs, by the power `power` of what is left of them."""

    def __init__(self, optimizer, total_iters=5, power=1.0, last_epoch=-1):
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._kept()
        left, before = 1.0 - self.last_epoch / self.total_iters, 1.0 - (self.last_epoch - 1) / self.total_iters
        return self._scaled((left / before) ** self.power)

    def _get_closed_form_lr(self):
        left = 1.0 - min(self.total_iters, self.last_epoch) / self.total_iters
        return [first * left**self.power for first in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """The learning rate goes along a cosine from its first value to `eta_min` within `T_max` epochs, and back."""

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1):
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        epoch, span, least, groups = self.last_epoch, self.T_max, self.eta_min, self.optimizer.param_groups
        if self._is_initial:
            return self._kept()
        if self._step_count == 1 and epoch > 0:
            factor = 1 + math.cos(epoch * math.pi / span)
            return [least + (first - least) * factor / 2 for first in self.base_lrs]
        if (epoch - 1 - span) % (2 * span) == 0:
            factor = 1 - math.cos(math.pi / span)
            return [group["lr"] + (first - least) * factor / 2 for first, group in zip(self.base_lrs, groups, strict=False)]
        ratio = (1 + math.cos(math.pi * epoch / span)) / (1 + math.cos(math.pi * (epoch - 1) / span))
        return [ratio * (group["lr"] - least) + least for group in groups]

    def _get_closed_form_lr(self):
        factor = 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        return [self.eta_min + (first - self.eta_min) * factor / 2 for first in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """The learning rate falls along a cosine to `eta_min` again and again, first within `T_0` epochs, then within `T_mult` times as many.

    `step` takes an epoch, a fraction too.
    """

    def __init__(self, optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1):
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, float | int):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0 = self.T_i = T_0
        self.T_mult, self.eta_min, self.T_cur = T_mult, eta_min, last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        factor = 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [self.eta_min + (first - self.eta_min) * factor / 2 for first in self.base_lrs]

    def step(self, epoch=None):
        """Goes on by one epoch, or to `epoch`."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        else:
            if epoch < 0:
                raise ValueError(f"Expected non-negative epoch, but got {epoch}")
            self.T_i, self.T_cur = self.T_0, epoch
            if epoch >= self.T_0 and self.T_mult == 1:
                self.T_cur = epoch % self.T_0
            elif epoch >= self.T_0:
                restarts = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
                self.T_cur = epoch - self.T_0 * (self.T_mult**restarts - 1) / (self.T_mult - 1)
                self.T_i = self.T_0 * self.T_mult**restarts
        self.last_epoch = math.floor(epoch)
        with _enable_get_lr_call(self):
            self._set_lr(self.get_lr())


# ---------------------------------------------------------------------------------------------------------- cycles
class CyclicLR(LRScheduler):
    """The learning rate goes up from `base_lr` to `max_lr` and down again, batch by batch, and the momentum the other way.

    Args:
        optimizer: the optimizer.
        base_lr, max_lr: the ends, or those of each group.
        step_size_up, step_size_down: batches from one end to the other.
        mode: "triangular" (all cycles alike), "triangular2" (each half as high as the one before), or "exp_range" (`gamma` ** batches).
        gamma: see `mode`.
        scale_fn: a function in place of a mode, of the number of the cycle or, where `scale_mode` is "iterations", of batches.
        scale_mode: "cycle" or "iterations".
        cycle_momentum: whether momentum (or the first of `betas`) goes from `max_momentum` to `base_momentum` and back.
        base_momentum, max_momentum: its ends, or those of each group.
        last_epoch: the batch where a run that is resumed stood.
    """

    def __init__(
        self,
        optimizer,
        base_lr,
        max_lr,
        step_size_up=2000,
        step_size_down=None,
        mode="triangular",
        gamma=1.0,
        scale_fn=None,
        scale_mode="cycle",
        cycle_momentum=True,
        base_momentum=0.8,
        max_momentum=0.9,
        last_epoch=-1,
    ):
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        base_lrs = _format_param("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                _update_param_group_val(group, "lr", lr)
        self.max_lrs = _format_param("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode, self.gamma = mode, gamma
        self._scale_fn_custom, self.scale_mode = scale_fn, scale_mode
        self._init_scale_fn()
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            base, largest, self.use_beta1 = _prepare_momentum(optimizer, base_momentum, max_momentum, last_epoch == -1)
            self.base_momentums, self.max_momentums = base, largest
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _init_scale_fn(self):
        if self._scale_fn_custom is not None:
            return
        self._scale_fn_ref, self.scale_mode = {
            "triangular": (self._triangular_scale_fn, "cycle"),
            "triangular2": (self._triangular2_scale_fn, "cycle"),
            "exp_range": (partial(self._exp_range_scale_fn, self.gamma), "iterations"),
        }[self.mode]

    def scale_fn(self, x):
        """How high a cycle is, as a part of the whole."""
        return self._scale_fn_ref(x) if self._scale_fn_custom is None else self._scale_fn_custom(x)

    @staticmethod
    def _triangular_scale_fn(x):
        return 1.0

    @staticmethod
    def _triangular2_scale_fn(x):
        return 1 / (2.0 ** (x - 1))

    @staticmethod
    def _exp_range_scale_fn(gamma, x):
        return gamma**x

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        place = 1.0 + self.last_epoch / self.total_size - cycle
        height = place / self.step_ratio if place <= self.step_ratio else (place - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        lrs = [low + (high - low) * height * scale for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]
        if self.cycle_momentum:
            for group, low, high in zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=False):
                _set_momentum(group, high - (high - low) * height * scale, self.use_beta1)
        return lrs

    def state_dict(self):
        """All that the schedule keeps, but for the optimizer; a function of the user is saved only where it is an object with attributes."""
        saved = super().state_dict()
        saved.pop("_scale_fn_ref", None)
        saved["_scale_fn_custom"] = _dict_of(saved.pop("_scale_fn_custom"))
        return saved

    def load_state_dict(self, state_dict):
        """Takes over what `state_dict` gave."""
        saved = dict(state_dict)
        attributes = saved.pop("_scale_fn_custom")
        super().load_state_dict(saved)
        if attributes is not None:
            self._scale_fn_custom.__dict__.update(attributes)
        self._init_scale_fn()


class OneCycleLR(LRScheduler):
    """One cycle: the learning rate goes up to `max_lr` and then down far below its first value, batch by batch; the momentum the other way.

    Args:
        optimizer: the optimizer.
        max_lr: the highest learning rate, or that of each group.
        total_steps: the batches of the whole run; or `epochs` and `steps_per_epoch`.
        pct_start: the part of it that goes up.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: whether momentum (or the first of `betas`) goes from `max_momentum` to `base_momentum` and back.
        base_momentum, max_momentum: its ends, or those of each group.
        div_factor: the first learning rate is `max_lr` divided by it.
        final_div_factor: the last one is the first divided by it.
        three_phase: go down to the first learning rate as fast as up, and then to the last.
        last_epoch: the batch where a run that is resumed stood.
    """

    def __init__(
        self,
        optimizer,
        max_lr,
        total_steps=None,
        epochs=None,
        steps_per_epoch=None,
        pct_start=0.3,
        anneal_strategy="cos",
        cycle_momentum=True,
        base_momentum=0.85,
        max_momentum=0.95,
        div_factor=25.0,
        final_div_factor=1e4,
        three_phase=False,
        last_epoch=-1,
    ):
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _count_of_steps(total_steps, epochs, steps_per_epoch)
        # A phase is (last batch, learning rates from and to, momentum from and to), all but the first names in a group.
        up, end = float(pct_start * self.total_steps) - 1, self.total_steps - 1
        if three_phase:
            phases = [
                (up, "initial_lr", "max_lr", "max_momentum", "base_momentum"),
                (float(2 * pct_start * self.total_steps) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
                (end, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
            ]
        else:
            phases = [
                (up, "initial_lr", "max_lr", "max_momentum", "base_momentum"),
                (end, "max_lr", "min_lr", "base_momentum", "max_momentum"),
            ]
        names = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
        self._schedule_phases = [dict(zip(names, phase, strict=True)) for phase in phases]
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_func_type = anneal_strategy
        max_lrs = _format_param("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, largest in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = largest / div_factor
                group["max_lr"] = largest
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            _, _, self.use_beta1 = _prepare_momentum(optimizer, base_momentum, max_momentum, last_epoch == -1)
        super().__init__(optimizer, last_epoch)

    def _anneal_func(self, *args, **kwargs):
        return (self._annealing_cos if self._anneal_func_type == "cos" else self._annealing_linear)(*args, **kwargs)

    @staticmethod
    def _annealing_cos(start, end, pct):
        return end + (start - end) / 2.0 * (math.cos(math.pi * pct) + 1)

    @staticmethod
    def _annealing_linear(start, end, pct):
        return (end - start) * pct + start

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        step, phases = self.last_epoch, self._schedule_phases
        if step > self.total_steps:
            raise ValueError(f"Tried to step {step} times. The specified number of total steps is {self.total_steps}")
        index = next((index for index, phase in enumerate(phases) if step <= phase["end_step"]), len(phases) - 1)
        phase, start = phases[index], phases[index - 1]["end_step"] if index else 0.0
        part = (step - start) / (phase["end_step"] - start)
        lrs = []
        for group in self.optimizer.param_groups:
            lrs.append(self._anneal_func(group[phase["start_lr"]], group[phase["end_lr"]], part))
            if self.cycle_momentum:
                momentum = self._anneal_func(group[phase["start_momentum"]], group[phase["end_momentum"]], part)
                _set_momentum(group, momentum, self.use_beta1)
        return lrs


def _count_of_steps(total_steps, epochs, steps_per_epoch):
    def check(name, value):
        if value <= 0 or not isinstance(value, int):
            raise ValueError(f"Expected positive integer {name}, but got {value}")

    if total_steps is not None:
        check("total_steps", total_steps)
        return total_steps
    if epochs is None or steps_per_epoch is None:
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    check("epochs", epochs)
    check("steps_per_epoch", steps_per_epoch)
    return epochs * steps_per_epoch


# ---------------------------------------------------------------------------------------------------------- plateaus
class ReduceLROnPlateau(LRScheduler):
    """Multiplies the learning rate by `factor` when a metric, which `step` is given, has not got better for `patience` epochs.

    Args:
        optimizer: the optimizer.
        mode: "min" or "max": whether smaller or larger is better.
        factor: below 1.
        patience: how many epochs in a row may be no better.
        threshold: by how much a better metric must be better.
        threshold_mode: "rel" or "abs": whether `threshold` is a part of the best metric, or a difference.
        cooldown: for how many epochs nothing is counted after the learning rate has fallen.
        min_lr: the least learning rate, or that of each group.
        eps: a smaller change of the learning rate is not made.
    """

    def __init__(
        self,
        optimizer,
        mode="min",
        factor=0.1,
        patience=10,
        threshold=1e-4,
        threshold_mode="rel",
        cooldown=0,
        min_lr=0,
        eps=1e-8,
    ):
        if factor >= 1.0:
            raise ValueError("Factor should be < 1.0.")
        self.factor = factor
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        groups = optimizer.param_groups
        if isinstance(min_lr, list | tuple):
            if len(min_lr) != len(groups):
                raise ValueError(f"expected {len(groups)} min_lrs, got {len(min_lr)}")
            self.default_min_lr, self.min_lrs = None, list(min_lr)
        else:
            self.default_min_lr, self.min_lrs = min_lr, [min_lr] * len(groups)
        self.patience, self.cooldown, self.eps, self.last_epoch = patience, cooldown, eps, 0
        self._last_lr = _param_groups_val_list(optimizer, "lr")
        self._init_is_better(mode, threshold, threshold_mode)
        self._reset()

    def _reset(self):
        self.best, self.cooldown_counter, self.num_bad_epochs = self.mode_worse, 0, 0

    def step(self, metrics, epoch=None):
        """Goes on by one epoch, whose metric is `metrics`."""
        current = float(metrics)
        if epoch is None:
            epoch = self.last_epoch + 1
        else:
            warn_user(EPOCH_DEPRECATION_WARNING)
        self.last_epoch = epoch
        if self._is_better(current, self.best):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr(epoch)
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = _param_groups_val_list(self.optimizer, "lr")

    def _reduce_lr(self, epoch):
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"The number of param groups in the `optimizer` ({len(groups)}) differs from when `ReduceLROnPlateau` was "
                    f"initialized ({len(self.min_lrs)}), usually due to a new param group being added to the optimizer. Please "
                    "modify the `min_lrs` field to match the length of the `optimizer` param groups."
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, least)
            if old - new > self.eps:
                _update_param_group_val(group, "lr", new)

    @property
    def in_cooldown(self):
        """Whether nothing is counted now."""
        return self.cooldown_counter > 0

    def _is_better(self, a, best):
        sign = 1 if self.mode == "max" else -1
        bound = best * (1 + sign * self.threshold) if self.threshold_mode == "rel" else best + sign * self.threshold
        return sign * a > sign * bound

    def _init_is_better(self, mode, threshold, threshold_mode):
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode

    def load_state_dict(self, state_dict):
        """Takes over what `state_dict` gave."""
        super().load_state_dict(state_dict)
        self._init_is_better(self.mode, self.threshold, self.threshold_mode)


# ---------------------------------------------------------------------------------------------------------- schedules of schedules
class _Composed(LRScheduler):
    """Schedules made of others of the same optimizer."""

    def _check_parts(self, schedulers, optimizer):
        kind = type(self).__name__
        for index, schedule in enumerate(schedulers):
            if not hasattr(schedule, "optimizer"):
                raise TypeError(f"{kind} at index {index} should have `optimizer` as its attribute.")
            if isinstance(schedule, ReduceLROnPlateau):
                raise ValueError(
                    f"{kind} does not support `ReduceLROnPlateau` scheduler as it requires additional kwargs to be specified when "
                    f"calling `step`, but got one at index {index} in the given schedulers sequence."
                )
            if schedule.optimizer != optimizer:
                raise ValueError(
                    f"{kind} expects all schedulers to belong to the same optimizer, but got scheduler {type(schedule).__name__} at "
                    f"index {index} has {schedule.optimizer}, which is different from {type(optimizer).__name__}."
                )

    def state_dict(self):
        """All that the schedule keeps, but for the optimizer, and the states of its parts."""
        saved = {key: value for key, value in super().state_dict().items() if key != "_schedulers"}
        saved["_schedulers"] = [schedule.state_dict() for schedule in self._schedulers]
        return saved

    def load_state_dict(self, state_dict):
        """Takes over what `state_dict` gave."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "_schedulers"})
        for schedule, saved in zip(self._schedulers, state_dict["_schedulers"], strict=False):
            schedule.load_state_dict(saved)


class SequentialLR(_Composed):
    """One schedule after the other: the next one begins at each epoch of `milestones`.

    >>> import rushlight as torch
    >>> from rushlight.optim.lr_scheduler import ConstantLR, ExponentialLR, SequentialLR
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> parts = [ConstantLR(optimizer, factor=0.5, total_iters=9), ExponentialLR(optimizer, gamma=0.5)]
    >>> schedule = SequentialLR(optimizer, parts, milestones=[2])
    >>> rates = []
    >>> for epoch in range(4):
    ...     rates += schedule.get_last_lr()
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.5, 0.5, 1.0, 0.5]
    """

    def __init__(self, optimizer, schedulers, milestones, last_epoch=-1):
        if len(schedulers) < 1:
            raise ValueError("SequentialLR expects at least one scheduler, but got no scheduler.")
        self._check_parts(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, but "
                f"got number of schedulers {len(schedulers)} and the number of milestones to be equal to {len(milestones)}"
            )
        self._schedulers, self._milestones, self.last_epoch, self.optimizer = schedulers, milestones, last_epoch + 1, optimizer
        # All parts took their first step when they were made; only that of the first one counts.
        for group in optimizer.param_groups:
            _update_param_group_val(group, "lr", group["initial_lr"])
        self.recursive_undo()
        schedulers[0]._initial_step()
        self._last_lr = schedulers[0].get_last_lr()

    def recursive_undo(self, sched=None):
        """Takes back a step of each part."""
        sched = self if sched is None else sched
        if hasattr(sched, "_schedulers"):
            for part in sched._schedulers:
                self.recursive_undo(part)
        elif hasattr(sched, "last_epoch"):
            sched.last_epoch -= 1

    def step(self):
        """Goes on by one epoch."""
        self.last_epoch += 1
        index = bisect_right(self._milestones, self.last_epoch)
        schedule = self._schedulers[index]
        if index > 0 and self._milestones[index - 1] == self.last_epoch:
            schedule._update_lr(0)
        else:
            schedule.step()
        self._last_lr = schedule.get_last_lr()


class ChainedScheduler(_Composed):
    """Several schedules at once: each changes what those before it have made of the learning rate."""

    def __init__(self, schedulers, optimizer=None):
        if len(schedulers) < 1:
            raise ValueError("ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.")
        optimizer = optimizer or schedulers[0].optimizer
        self._check_parts(schedulers, optimizer)
        self._schedulers, self.optimizer = schedulers, optimizer
        self._last_lr = _param_groups_val_list(optimizer, "lr")

    def step(self):
        """Goes on by one epoch."""
        for schedule in self._schedulers:
            schedule.step()
        self._last_lr = _param_groups_val_list(self._schedulers[-1].optimizer, "lr")

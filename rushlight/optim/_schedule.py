"""What all schedules have in common: groups' values, and the count of steps."""

from functools import wraps
from types import FunctionType
from weakref import ref

from rushlight.core import Tensor, warn_user
from rushlight.optim._description import number
from rushlight.optim.optimizer import Optimizer

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed form is used "
    "instead of the new chainable form, where available. Please open an issue if you are unable to replicate your use case: "
    "https://github.com/pytorch/pytorch/issues/new/choose."
)
_HOW_TO_ADJUST = "See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"


# ---------------------------------------------------------------------------------------------------------- groups
def _copied(values):
    """The values; of tensors, which schedules and programs write into, copies."""
    return [value.clone() if isinstance(value, Tensor) else value for value in values]


def _param_groups_val_list(optimizer, key):
    """The value of each group under `key`."""
    return _copied(group[key] for group in optimizer.param_groups)


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
        param = [param] * len(groups)
    if len(param) != len(groups):
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(param)} values, param_groups has {len(groups)}."
        )
    return _copied(param)


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

    >>> import rushlight as torch
    >>> class Halving(torch.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [first * 0.5**self.last_epoch for first in self.base_lrs]
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = Halving(optimizer)
    >>> optimizer.step()
    >>> schedule.step()
    >>> optimizer.param_groups[0]["lr"]
    0.5
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
        """All that the schedule keeps, but for the optimizer.

        >>> import rushlight as torch
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
        >>> torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5).state_dict()["gamma"]
        0.5
        """
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict):
        """Takes over the `state_dict` of another schedule.

        >>> import rushlight as torch
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
        >>> schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        >>> schedule.load_state_dict({**schedule.state_dict(), "gamma": 0.9})
        >>> schedule.gamma
        0.9
        """
        self.__dict__.update(state_dict)

    def get_last_lr(self):
        """The learning rates that the last step set, one for each group.

        >>> import rushlight as torch
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
        >>> torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5).get_last_lr()
        [1.0]
        """
        return self._last_lr

    def get_lr(self):
        """The learning rate of each group at `last_epoch`; for `step` to call. A subclass writes its own.

        >>> import rushlight as torch
        >>> class Halving(torch.optim.lr_scheduler.LRScheduler):
        ...     def get_lr(self):
        ...         return [group["lr"] / 2 for group in self.optimizer.param_groups]
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
        >>> Halving(optimizer).get_last_lr()
        [0.5]
        """
        raise NotImplementedError

    def step(self, epoch=None):
        """Goes on by one, after the optimizer's step; `epoch`, which is deprecated, says where to instead.

        >>> import rushlight as torch
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
        >>> schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        >>> optimizer.step()
        >>> schedule.step()
        >>> optimizer.param_groups[0]["lr"]
        0.5
        """
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


def _dict_of(function):
    """What is saved of a user's function: the attributes of an object that can be called, and None of a function."""
    return None if function is None or isinstance(function, FunctionType) else function.__dict__.copy()

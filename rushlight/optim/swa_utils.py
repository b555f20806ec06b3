"""Averages of weights: stochastic weight averaging and exponential moving averages."""

import itertools
import math
from copy import deepcopy

import rushlight as torch
from rushlight.nn import Module
from rushlight.nn.modules.batchnorm import _BatchNorm
from rushlight.optim.lr_scheduler import LRScheduler, _format_param, _warn_get_lr_called_within_step

__all__ = [
    *("AveragedModel", "update_bn", "SWALR", "get_ema_multi_avg_fn", "get_swa_multi_avg_fn", "get_ema_avg_fn", "get_swa_avg_fn")
]


def _check_decay(decay):
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_avg_fn(decay=0.999):
    """The average of `AveragedModel` that forgets: decay * the last one + (1 - decay) * the present value.

    Args:
        decay: from 0 to 1; 0.999 is a mean over about a thousand steps.

    >>> import rushlight as torch
    >>> average = torch.optim.swa_utils.get_ema_avg_fn(0.9)
    >>> average(torch.tensor(1.0), torch.tensor(2.0), 5)
    tensor(1.1000)
    """
    _check_decay(decay)

    @torch.no_grad()
    def ema_update(ema_param, current_param, num_averaged):
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn():
    """The average of `AveragedModel` in which all values weigh the same: last + (present - last) / (count + 1).

    >>> import rushlight as torch
    >>> average = torch.optim.swa_utils.get_swa_avg_fn()
    >>> average(torch.tensor(1.0), torch.tensor(3.0), 3)
    tensor(1.5000)
    """

    @torch.no_grad()
    def swa_update(averaged_param, current_param, num_averaged):
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_ema_multi_avg_fn(decay=0.999):
    """`get_ema_avg_fn` for lists of tensors, which are changed in place; `decay` is as there.

    >>> import rushlight as torch
    >>> last = [torch.tensor([1.0])]
    >>> torch.optim.swa_utils.get_ema_multi_avg_fn(0.9)(last, [torch.tensor([2.0])], 5)
    >>> last
    [tensor([1.1000])]
    """
    _check_decay(decay)

    @torch.no_grad()
    def ema_update(ema_param_list, current_param_list, _):
        for average, current in zip(ema_param_list, current_param_list, strict=True):
            if average.is_floating_point() or average.is_complex():
                average.lerp_(current, 1 - decay)
            else:
                average.copy_(average * decay + current * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn():
    """`get_swa_avg_fn` for lists of tensors, which are changed in place.

    >>> import rushlight as torch
    >>> last = [torch.tensor([1.0])]
    >>> torch.optim.swa_utils.get_swa_multi_avg_fn()(last, [torch.tensor([3.0])], torch.tensor(3))
    >>> last
    [tensor([1.5000])]
    """

    @torch.no_grad()
    def swa_update(averaged_param_list, current_param_list, num_averaged):
        count = int(num_averaged) + 1
        for average, current in zip(averaged_param_list, current_param_list, strict=True):
            if average.is_floating_point() or average.is_complex():
                average.lerp_(current, 1 / count)
            else:
                average.addcdiv_(current - average, torch.full_like(average, count))

    return swa_update


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of those that `update_parameters` has been shown.

    Args:
        model: what is copied, as `module`.
        device: where the copy goes.
        avg_fn: the average: a function of the last one, the present value, and how many there were; the mean if None.
        multi_avg_fn: the same for lists of tensors, in place.
        use_buffers: whether buffers are averaged too, and not just copied.

    >>> import rushlight as torch
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> average = torch.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = torch.nn.init.constant_(model.weight, value)
    ...     average.update_parameters(model)
    >>> average.module.weight.item()
    3.0
    """

    def __init__(self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", torch.tensor(0, dtype=torch.long, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args, **kwargs):
        """What the averaged model makes of its arguments."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model):
        """Takes the parameters of `model` into the averages.

        >>> import rushlight as torch
        >>> model = torch.nn.Linear(1, 1, bias=False)
        >>> average = torch.optim.swa_utils.AveragedModel(model)
        >>> for value in (1.0, 3.0):
        ...     _ = torch.nn.init.constant_(model.weight, value)
        ...     average.update_parameters(model)
        >>> average.module.weight.item()
        2.0
        """

        def values(module):
            return itertools.chain(module.parameters(), module.buffers()) if self.use_buffers else module.parameters()

        averages = [average.detach() for average in values(self.module)]
        current = [value.detach().to(average.device) for average, value in zip(averages, values(model), strict=False)]
        if self.n_averaged == 0:
            for average, value in zip(averages, current, strict=False):
                average.copy_(value)
        elif self.multi_avg_fn is not None:
            # (One list for each dtype.)
            for dtype in dict.fromkeys(average.dtype for average in averages):
                chosen = [pair for pair in zip(averages, current, strict=False) if pair[0].dtype == dtype]
                self.multi_avg_fn([pair[0] for pair in chosen], [pair[1] for pair in chosen], self.n_averaged)
        else:
            mean = get_swa_avg_fn() if self.avg_fn is None else self.avg_fn
            for average, value in zip(averages, current, strict=False):
                average.copy_(mean(average, value, self.n_averaged))
        if not self.use_buffers:
            for ours, theirs in zip(self.module.buffers(), model.buffers(), strict=False):
                ours.detach().copy_(theirs.detach().to(ours.device))
        self.n_averaged += 1


@torch.no_grad()
def update_bn(loader, model, device=None):
    """Measures the statistics of batch norms anew: runs a model on all of `loader`.

    Args:
        loader: batches; of lists and tuples the first item is the input.
        model: the model, which is in training mode meanwhile.
        device: where the input goes first.

    >>> import rushlight as torch
    >>> model = torch.nn.BatchNorm1d(1)
    >>> torch.optim.swa_utils.update_bn([torch.tensor([[1.0], [3.0]]), torch.tensor([[5.0], [7.0]])], model)
    >>> model.running_mean
    tensor([4.])
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    momenta = [module.momentum for module in norms]
    was_training = model.training
    for module in norms:
        module.reset_running_stats()
        module.momentum = None
    model.train()
    for batch in loader:
        if isinstance(batch, list | tuple):
            batch = batch[0]
        if device is not None:
            batch = batch.to(device)
        model(batch)
    for module, momentum in zip(norms, momenta, strict=True):
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Goes from the present learning rate to `swa_lr` within `anneal_epochs` epochs, and stays there.

    Args:
        optimizer: the optimizer.
        swa_lr: the learning rate to go to, or that of each group.
        anneal_epochs: how long it takes.
        anneal_strategy: "cos" or "linear".
        last_epoch: where a run that is resumed stood.

    >>> import rushlight as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule, rates = torch.optim.swa_utils.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear"), []
    >>> for _ in range(4):
    ...     rates += schedule.get_last_lr()
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [1.0, 0.75, 0.5, 0.5]
    """

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1):
        for group, lr in zip(optimizer.param_groups, _format_param("swa_lr", optimizer, swa_lr), strict=True):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_strategy = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    @property
    def anneal_func(self):
        """How far from the present learning rate to `swa_lr` a part of the epochs leads."""
        return self._cosine_anneal if self._anneal_strategy == "cos" else self._linear_anneal

    @staticmethod
    def _linear_anneal(t):
        return t

    @staticmethod
    def _cosine_anneal(t):
        return (1 - math.cos(math.pi * t)) / 2

    @staticmethod
    def _get_initial_lr(lr, swa_lr, alpha):
        return swa_lr if alpha == 1 else (lr - alpha * swa_lr) / (1 - alpha)

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        step, span = self._step_count - 1, max(1, self.anneal_epochs)
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = (self.anneal_func(max(0, min(1, at / span))) for at in (step - 1, step))
        groups = self.optimizer.param_groups
        firsts = [self._get_initial_lr(group["lr"], group["swa_lr"], before) for group in groups]
        return [group["swa_lr"] * now + first * (1 - now) for group, first in zip(groups, firsts, strict=True)]

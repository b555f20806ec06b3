"""Optimizers by description: a class says what its options and its state are and how one parameter moves; the rest is here."""

from operator import itemgetter
from typing import Any

import rushlight as torch
from rushlight.core import kernel, step_parameters
from rushlight.optim.optimizer import (
    Optimizer,
    _device_dtype_check_for_fused,
    _evaluate,
    _get_capturable_supported_devices,
    _use_grad_for_differentiable,
)
from rushlight.optim.optimizer import _get_scalar_dtype as step_dtype
from rushlight.optim.optimizer import _get_value as number


class KernelStep:
    """A step that a kernel makes of plain tensors: what it gets behind a parameter and its gradient.

    `tensors` are names in the parameter's state (one that this group does not keep is given as nothing), `numbers` and `flags` are names of
    options; between these two comes the count of steps, where the optimizer `counts`.
    """

    def __init__(
        self, name: str, tensors: tuple[str, ...], numbers: tuple[str, ...], flags: tuple[str, ...], counts: bool = True
    ) -> None:
        self.kernel, self.tensors, self.counts = kernel(name), tensors, counts
        self.numbers, self.flags = itemgetter(*numbers), itemgetter(*flags, flags[0])  # (a tuple, of one flag too)

    def __call__(
        self, params: list, gradients: list | None, states: dict, present: tuple[str, ...], group: dict[str, Any]
    ) -> list:
        """Makes the step, with the options of this group; returns the parameters that it did not take."""
        numbers, flags = self.numbers(group), self.flags(group)
        return step_parameters(self.kernel, params, gradients, states, self.tensors, present, numbers, self.counts, flags)


class DescribedOptimizer(Optimizer):
    """An optimizer that is made from a description.

    A class has its signature as `__init__`, which hands what it was given to `describe`, and says

    - `options`: the names of its options, in the order in which a group has them;
    - `checked`: those that must be neither negative nor NaN, in the order in which they are looked at (`check` adds to it);
    - `scalars(group)`: the numbers that are kept of a parameter, with their first values: if nothing else, the count of steps;
    - `state_names(group)`: the tensors like the parameter that are kept of it, all zero at first (`first_state` says otherwise);
    - `update(param, grad, state, *, …)`: one step of one parameter in place, given the options that it names;
    - `by_kernel`, where a kernel can do that for plain tensors.
    """

    options: tuple[str, ...] = ()
    checked: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    """Options that old checkpoints lack, beside flags."""

    captured: tuple[str, bool] = ("params and state_steps", True)
    """What the error about `capturable` names, and whether XLA is among the devices for it."""

    takes_sparse = False
    """Whether gradients may be sparse."""

    no_sparse = "{name} does not support sparse gradients"
    """The error where one is that may not be."""

    by_kernel: KernelStep | None = None
    """The step of a kernel, where there is one."""

    _wanted: tuple[str, ...] = ()

    def __init_subclass__(cls, **keywords) -> None:
        super().__init_subclass__(**keywords)
        unknown = set(cls.checked) - set(cls.options)
        if unknown:
            raise TypeError(f"{cls.__name__}: checked, but no options: {sorted(unknown)}")
        code = cls.update.__code__
        cls._wanted = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        unknown = set(cls._wanted) - set(cls.options)
        if unknown:
            raise TypeError(f"{cls.__name__}: update asks for {sorted(unknown)}, which are no options")

    def describe(self, params, given: dict[str, Any]) -> None:
        """Begins with the options among what `__init__` was given."""
        unknown = set(self.options) - given.keys()
        if unknown:
            raise TypeError(f"{type(self).__name__}: options, but no parameters of __init__: {sorted(unknown)}")
        defaults = {name: given[name] for name in self.options}
        if "betas" in defaults:
            defaults["betas"] = tuple(defaults["betas"])
        self.check(defaults)
        super().__init__(params, defaults)
        if defaults.get("fused") and defaults.get("differentiable"):
            raise RuntimeError("`fused` does not support `differentiable`")
        if defaults.get("fused") and defaults["foreach"]:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")

    def check(self, options: dict[str, Any]) -> None:
        """Raises ValueError for the first option that is out of its range."""
        if "lr" in options:
            check_single("lr", options["lr"])
        for name in self.checked:
            value = options[name]
            if name == "betas":
                for index in (0, 1):
                    if not 0.0 <= value[index] < 1.0:
                        raise ValueError(f"Invalid beta parameter at index {index}: {value[index]}")
            elif not value >= 0.0:
                raise invalid(name, value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        from inspect import signature  # (slow to import, and seldom needed)

        super().__setstate__(state)
        defaults = {name: parameter.default for name, parameter in signature(type(self)).parameters.items()}
        for group in self.param_groups:
            for name in self.options:
                if name in self.later or defaults.get(name, 0) is None or isinstance(defaults.get(name), bool):
                    group.setdefault(name, defaults[name])
            for param in group["params"]:
                state = self.state.get(param) or {}
                for name in self.scalars(group):
                    if name in state and not isinstance(state[name], torch.Tensor):
                        state[name] = torch.tensor(float(state[name]), dtype=step_dtype(group.get("fused")))

    def scalars(self, group: dict[str, Any]) -> dict[str, float]:
        """The numbers that are kept of a parameter as tensors without dimensions, and what they are at first."""
        return {"step": 0.0}

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        """The names of the tensors like a parameter that its state has; none where nothing is kept of it."""
        raise NotImplementedError(f"{type(self).__name__} does not say state_names(group)")

    def first_state(self, param, group: dict[str, Any]) -> dict[str, Any]:
        """What is kept of a parameter from its first step on."""
        state = self.first_scalars(param, group)
        names = self.state_names(group)
        if isinstance(names, str):
            raise TypeError(f"{type(self).__name__}: state_names returned the text {names!r} in place of a tuple")
        for name in names:
            state[name] = torch.zeros_like(param, memory_format=torch.preserve_format)
        return state

    def first_scalars(self, param, group: dict[str, Any]) -> dict[str, Any]:
        """The state of a parameter, with its numbers alone."""
        state, dtype = self.state[param], step_dtype(group.get("fused"))
        for name, value in self.scalars(group).items():
            state[name] = torch.full((), value, dtype=dtype)
        return state

    def update(self, param, grad, state: dict[str, Any]) -> None:
        """One step of a parameter: `grad` as it is to be followed (that of `maximize` is negated), `state["step"]`, a tensor, counts this step."""
        raise NotImplementedError(f"{type(self).__name__} does not say update(param, grad, state, *, …)")

    @_use_grad_for_differentiable
    def step(self, closure=None):
        """Updates the parameters once; `closure`, where given, evaluates the model again and returns the loss.

        >>> import rushlight as torch
        >>> w = torch.tensor([1.0], requires_grad=True)
        >>> optimizer = torch.optim.SGD([w], lr=0.1)
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = (w * 3).sum()
        ...     loss.backward()
        ...     return loss
        >>> optimizer.step(closure)
        tensor(3., grad_fn=<SumBackward0>)
        >>> w
        tensor([0.7000], requires_grad=True)
        """
        loss = None if closure is None else _evaluate(closure)
        for group in self.param_groups:
            fused, capturable, recorded = group.get("fused"), group.get("capturable"), group.get("differentiable")
            params = list(group["params"])
            if fused or capturable:
                for param in params:
                    if param.grad is not None:
                        check_param(param, fused=fused, captured=self.captured if capturable else None)
            by_kernel = None if recorded else self.by_kernel
            if by_kernel is not None:
                params = by_kernel(params, None, self.state, self.state_names(group), group)
            if params:
                self.step_others(params, group, by_kernel)
        return loss

    def step_others(self, params: list, group: dict[str, Any], by_kernel: KernelStep | None) -> None:
        """Steps of parameters that the kernel has not taken: their state has yet to be made, or there is none for them."""
        has_state, recorded, maximize = self.state_names(group), group.get("differentiable"), group.get("maximize")
        options = None
        for param in params:
            grad = param.grad
            if grad is None:
                continue
            if grad.is_sparse and not self.takes_sparse:
                raise RuntimeError(self.no_sparse.format(name=type(self).__name__))
            state = {}
            if has_state:
                state = self.state.get(param) or self.first_state(param, group)
                if by_kernel is not None and not by_kernel([param], None, self.state, has_state, group):
                    continue
                count = state.get("step")
                if count is not None:
                    if recorded and count.requires_grad:
                        raise RuntimeError("`requires_grad` is not supported for `step` in differentiable mode")
                    count += 1
            if options is None:
                options = {name: scalar(group[name]) for name in self._wanted}
            self.update(param, -grad if maximize else grad, state, **options)


# ---------------------------------------------------------------------------------------------------------- checks
def invalid(name: str, value) -> ValueError:
    """What is raised for an option out of its range."""
    what = {"lr": "learning rate", "eps": "epsilon value"}.get(name, f"{name} value")
    return ValueError(f"Invalid {what}: {value}")


def check_single(name: str, value) -> None:
    """A tensor in place of a number must have one element."""
    if isinstance(value, torch.Tensor) and value.numel() != 1:
        raise ValueError(f"Tensor {name} must be 1-element")


def check_param(param, *, fused: bool | None = False, captured: tuple[str, bool] | None = None) -> None:
    """Raises for a parameter that the group's options cannot be applied to; both options were made for other devices."""
    if captured:
        what, on_xla = captured
        devices = _get_capturable_supported_devices(on_xla)
        raise AssertionError(f"If capturable=True, {what} must be on supported devices: {devices}.")
    if fused:
        _device_dtype_check_for_fused(param)


# ---------------------------------------------------------------------------------------------------------- values
def scalar(value):
    """A tensor of one element without its dimensions; a number as it is; each of a tuple."""
    if isinstance(value, tuple):
        return tuple(map(scalar, value))
    return value.squeeze() if isinstance(value, torch.Tensor) and value.dim() else value


def with_decay(grad, param, weight_decay):
    """The gradient with that of the L2 penalty; a penalty that needs a gradient itself reads the parameter as it is now."""
    if isinstance(weight_decay, torch.Tensor) and weight_decay.requires_grad:
        return grad.addcmul(param.clone(), weight_decay)
    return grad.add(param, alpha=number(weight_decay)) if weight_decay != 0 else grad


def as_real(param, grad, *state):
    """A complex parameter and what belongs to it as real views with one more dimension: the averages of real and imaginary part are apart.

    (PyTorch refuses a gradient that is a lazy conjugate.)
    """
    tensors = (param, grad.resolve_conj(), *state) if param.is_complex() else (param, grad, *state)
    return tuple(x if x is None or not x.is_complex() else torch.view_as_real(x) for x in tensors)


def root(square, eps, differentiable):
    """√square + eps; where it is recorded, sqrt's derivative needs its result, which must then stay as it is."""
    return square.sqrt() + eps if differentiable else square.sqrt().add_(eps)

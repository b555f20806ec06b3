"""The base class of optimizers: parameter groups, state, hooks, and how both are saved and loaded."""

import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any, TypeAlias

import rushlight as torch
from rushlight import core
from rushlight.core import RemovableHandle, warn_user
from rushlight.utils._foreach_utils import _foreach_supported_types  # noqa: F401 # (programs take it from here)

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

StateDict: TypeAlias = dict[str, Any]
ParamsT: TypeAlias = Iterable["torch.Tensor"] | Iterable[dict[str, Any]] | Iterable[tuple[str, "torch.Tensor"]]

_global_optimizer_pre_hooks: OrderedDict[int, Callable] = OrderedDict()
_global_optimizer_post_hooks: OrderedDict[int, Callable] = OrderedDict()
_HOOK_KINDS = ("step_pre", "step_post", "state_dict_pre", "state_dict_post", "load_state_dict_pre", "load_state_dict_post")


class _RequiredParameter:
    """A default that every parameter group must replace."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _RequiredParameter()


def _register(hooks: OrderedDict[int, Callable], hook: Callable, prepend: bool = False) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_optimizer_step_pre_hook(hook: Callable) -> RemovableHandle:
    """Calls `hook(optimizer, args, kwargs)` before every step of every optimizer; it may return new `(args, kwargs)`.

    >>> import rushlight as torch
    >>> from rushlight.optim.optimizer import register_optimizer_step_pre_hook
    >>> handle = register_optimizer_step_pre_hook(lambda optimizer, args, kwargs: print(type(optimizer).__name__))
    >>> torch.optim.SGD([torch.ones(1, requires_grad=True)]).step()
    SGD
    >>> handle.remove()
    """
    return _register(_global_optimizer_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Callable) -> RemovableHandle:
    """Calls `hook(optimizer, args, kwargs)` after every step of every optimizer.

    >>> import rushlight as torch
    >>> from rushlight.optim.optimizer import register_optimizer_step_post_hook
    >>> handle = register_optimizer_step_post_hook(lambda optimizer, args, kwargs: print("stepped"))
    >>> torch.optim.SGD([torch.ones(1, requires_grad=True)]).step()
    stepped
    >>> handle.remove()
    """
    return _register(_global_optimizer_post_hooks, hook)


named_in_profiles: Callable | None = None
"""Gives a range that has the name of an optimizer's method in profiles. The profiler sets it while it runs."""


def _forget_gradients(groups, set_to_none: bool):
    for group in groups:
        if set_to_none:
            core.forget_gradients(list(group["params"]))
            continue
        for param in group["params"]:
            if param.grad is not None:
                if param.grad.grad_fn is not None:
                    param.grad.detach_()
                else:
                    param.grad.requires_grad_(False)
                param.grad.zero_()


def _use_grad_for_differentiable(step: Callable) -> Callable:
    """Runs `step` with recording on exactly where the optimizer is differentiable."""

    @functools.wraps(step)
    def with_mode(self, *args, **kwargs):
        recording = core.set_grad_mode(bool(self.defaults.get("differentiable")))
        try:
            return step(self, *args, **kwargs)
        finally:
            core.set_grad_mode(recording)

    return with_mode


def _evaluate(closure: Callable | None):
    """The loss from `closure`, which needs recording to run its own backward."""
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


def _get_value(x):
    """The number that a tensor holds; a number itself."""
    return x.item() if isinstance(x, torch.Tensor) else x


def _to_scalar(x):
    """A tensor of one element without its dimensions; a number itself."""
    return x.squeeze() if isinstance(x, torch.Tensor) and x.dim() != 0 else x


def _stack_if_compiling(x):
    """What is given: nothing is compiled."""
    return x


def _disable_dynamo_if_unsupported(single_tensor_fn=None):
    """A decorator that leaves a function as it is: nothing is compiled."""
    return lambda function: function


def _default_to_fused_or_foreach(params, differentiable, use_fused=False):
    """Whether a step is fused or for all parameters at once, where nobody says so: on the CPU fused where that is asked for and can be."""
    return bool(use_fused and not differentiable and all(param.is_floating_point() for param in params)), False


def _get_scalar_dtype(is_fused=None):
    """The dtype of the count of steps."""
    return torch.float64 if not is_fused and torch.get_default_dtype() == torch.float64 else torch.float32


def _get_capturable_supported_devices(supports_xla=True):
    """The devices on which `capturable` has a meaning."""
    return ["cuda", "xpu", "hpu", "privateuseone", *(["xla"] if supports_xla else [])]


def _get_foreach_kernels_supported_devices():
    """The devices that step all parameters at once."""
    return ["cuda", "xpu", "mtia", "privateuseone"]


def _get_fused_kernels_supported_devices():
    """The devices that have a step in one kernel."""
    return ["mps", "cuda", "xpu", "hpu", "cpu", "mtia", "privateuseone"]


def _device_dtype_check_for_fused(p, cuda_unsupported=False):
    """Raises for a parameter that has no step in one kernel."""
    devices = [device for device in _get_fused_kernels_supported_devices() if not (cuda_unsupported and device == "cuda")]
    if p.device.type not in devices or not p.is_floating_point():
        raise RuntimeError(
            f"`fused=True` requires all the params to be floating point Tensors of supported devices: {devices} but {p.dtype} and "
            f"{p.device.type}"
        )


def _view_as_real(params, *state_and_grads):
    """Complex tensors in lists become real views, in place."""
    for place, param in enumerate(params):
        if param.is_complex():
            for values in (params, *state_and_grads):
                values[place] = torch.view_as_real(values[place])


class Optimizer:
    """Base class of all optimizers: parameters in groups, each with options of its own, and what is kept of each parameter.

    Args:
        params: tensors, `(name, tensor)` pairs, or dicts that each describe a group by `"params"` and its own options.
        defaults: the options of a group that does not give its own.

    Options that most have: `lr`, the learning rate; `weight_decay`, the factor of a penalty; `maximize`, whether to ascend;
    `differentiable`, whether steps are recorded; `foreach`, `fused` and `capturable`,
    which PyTorch has for other devices and implementations.

    Raises:
        TypeError: `params` is one tensor, or holds something else.
        ValueError: It is empty, or a parameter is no leaf or there twice.

    >>> import rushlight as torch
    >>> head, body = torch.nn.Linear(2, 1), torch.nn.Linear(2, 2)
    >>> optimizer = torch.optim.SGD([{"params": head.parameters(), "lr": 0.1}, {"params": body.parameters()}], lr=0.01)
    >>> [group["lr"] for group in optimizer.param_groups]
    [0.1, 0.01]
    >>> isinstance(optimizer, torch.optim.Optimizer)
    True
    """

    _optimizer_step_pre_hooks: OrderedDict[int, Callable]
    _optimizer_step_post_hooks: OrderedDict[int, Callable]
    _optimizer_state_dict_pre_hooks: OrderedDict[int, Callable]
    _optimizer_state_dict_post_hooks: OrderedDict[int, Callable]
    _optimizer_load_state_dict_pre_hooks: OrderedDict[int, Callable]
    _optimizer_load_state_dict_post_hooks: OrderedDict[int, Callable]

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._prepare()
        if isinstance(params, torch.Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + torch.typename(params)
            )
        self.state: defaultdict[Any, dict] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _prepare(self) -> None:
        """Makes what is not saved: empty hooks, and the class's step wrapped so that they run."""
        for kind in _HOOK_KINDS:
            self.__dict__.setdefault(f"_optimizer_{kind}_hooks", OrderedDict())
        self._patch_step_function()

    def _patch_step_function(self) -> None:
        """Has hooks asked around `step`, as its class has it."""
        cls = type(self)
        if not getattr(cls.step, "hooked", False):
            cls.step = self.profile_hook_step(cls.step)  # type: ignore[method-assign]

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._prepare()
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for index, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {index}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
            lines.append("")
        # Groups are set apart by an empty line, but none stands before the closing bracket.
        return "\n".join(lines[:-1] if self.param_groups else lines) + "\n)"

    @staticmethod
    def profile_hook_step(func: Callable) -> Callable:
        """`func`, a step method, with the hooks of the optimizer and the global ones around it."""

        @functools.wraps(func)
        def hooked(self, *args, **kwargs):
            if named_in_profiles:
                with named_in_profiles(self, "step"):
                    return with_hooks(self, args, kwargs)
            if (
                self._optimizer_step_pre_hooks
                or self._optimizer_step_post_hooks
                or _global_optimizer_pre_hooks
                or _global_optimizer_post_hooks
            ):
                return with_hooks(self, args, kwargs)
            return func(self, *args, **kwargs)

        def with_hooks(self, args, kwargs):
            before, after = self._optimizer_step_pre_hooks, self._optimizer_step_post_hooks
            args = (self, *args)
            for hook in chain(_global_optimizer_pre_hooks.values(), before.values()):
                result = hook(self, args, kwargs)
                if result is None:
                    continue
                if not (isinstance(result, tuple) and len(result) == 2):
                    raise RuntimeError(f"{func} must return None or a tuple of (new_args, new_kwargs), but got {result}.")
                args, kwargs = result
            out = func(*args, **kwargs)
            for hook in chain(after.values(), _global_optimizer_post_hooks.values()):
                hook(self, args, kwargs)
            return out

        hooked.hooked = True  # type: ignore[attr-defined]
        return hooked

    def register_step_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Calls `hook(optimizer, args, kwargs)` before each step; it may return new `(args, kwargs)`.

        >>> import rushlight as torch
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
        >>> handle = optimizer.register_step_pre_hook(lambda optimizer, args, kwargs: print("before"))
        >>> optimizer.step()
        before
        """
        return _register(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable) -> RemovableHandle:
        """Calls `hook(optimizer, args, kwargs)` after each step.

        >>> import rushlight as torch
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
        >>> handle = optimizer.register_step_post_hook(lambda optimizer, args, kwargs: print("after"))
        >>> optimizer.step()
        after
        """
        return _register(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Calls `hook(optimizer)` before `state_dict` reads anything; with `prepend`, before the other hooks.

        >>> import rushlight as torch
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
        >>> handle = optimizer.register_state_dict_pre_hook(lambda optimizer: print("saving"))
        >>> state = optimizer.state_dict()
        saving
        """
        return _register(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Calls `hook(optimizer, state_dict)` on what `state_dict` made; what it returns, unless None, takes its place.

        With `prepend` it runs before the other hooks.

        >>> import rushlight as torch
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
        >>> handle = optimizer.register_state_dict_post_hook(lambda optimizer, state: {**state, "epoch": 3})
        >>> optimizer.state_dict()["epoch"]
        3
        """
        return _register(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Calls `hook(optimizer, state_dict)` before loading; what it returns, unless None, is loaded instead.

        With `prepend` it runs before the other hooks.

        >>> import rushlight as torch
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
        >>> handle = optimizer.register_load_state_dict_pre_hook(lambda optimizer, state: print("loading"))
        >>> optimizer.load_state_dict(optimizer.state_dict())
        loading
        """
        return _register(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Calls `hook(optimizer)` after loading; with `prepend`, before the other hooks.

        >>> import rushlight as torch
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
        >>> handle = optimizer.register_load_state_dict_post_hook(lambda optimizer: print("loaded"))
        >>> optimizer.load_state_dict(optimizer.state_dict())
        loaded
        """
        return _register(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    def state_dict(self) -> StateDict:
        """The state by the number of each parameter, and the groups with numbers in place of parameters; to be saved.

        >>> import rushlight as torch
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
        >>> optimizer.state_dict()["param_groups"][0]["lr"], optimizer.state_dict()["state"]
        (0.1, {})
        """
        for pre_hook in self._optimizer_state_dict_pre_hooks.values():
            pre_hook(self)
        number: dict[int, int] = {}
        groups = []
        start = 0
        for group in self.param_groups:
            for index, param in enumerate(group["params"], start):
                number.setdefault(id(param), index)
            start += len(group["params"])
            saved = {key: value for key, value in group.items() if key != "params"}
            saved["params"] = [number[id(param)] for param in group["params"]]
            groups.append(saved)
        state = {number[id(key)] if isinstance(key, torch.Tensor) else key: value for key, value in self.state.items()}
        saved_all = {"state": state, "param_groups": groups}
        for post_hook in self._optimizer_state_dict_post_hooks.values():
            result = post_hook(self, saved_all)
            if result is not None:
                saved_all = result
        return saved_all

    @staticmethod
    def _process_value_according_to_param_policy(
        param: "torch.Tensor", value: "torch.Tensor", param_id: int, param_groups: list[dict], key: Hashable = None
    ) -> "torch.Tensor":
        """A saved tensor, as the optimizer of `param` keeps it: in its dtype, but for the count of steps."""
        if key == "step":
            group = next((group for group in param_groups if param_id in group["params"]), {})
            if group.get("fused") or group.get("capturable"):
                return value.to(dtype=torch.float32, device=param.device)
            return value
        if param.is_floating_point():
            return value.to(dtype=param.dtype, device=param.device)
        return value.to(device=param.device)

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Takes over the `state_dict` of another optimizer:
        options of groups as they were saved, state cast to its parameter's dtype.

        Raises:
            ValueError: The groups are other ones.

        >>> import rushlight as torch
        >>> saved = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1).state_dict()
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.5)
        >>> optimizer.load_state_dict(saved)
        >>> optimizer.param_groups[0]["lr"]
        0.1
        """
        state_dict = state_dict.copy()
        for pre_hook in self._optimizer_load_state_dict_pre_hooks.values():
            result = pre_hook(self, state_dict)
            if result is not None:
                state_dict = result
        groups, saved_groups = self.param_groups, deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(group["params"]) != len(saved["params"]) for group, saved in zip(groups, saved_groups, strict=True)):
            raise ValueError("loaded state dict contains a parameter group that doesn't match the size of optimizer's group")

        def cast(param, value, number, key=None):
            if isinstance(value, torch.Tensor):
                # The saved groups decide: they hold the options that will be in force, and the numbers to find them by.
                return self._process_value_according_to_param_policy(param, value, number, saved_groups, key)
            if isinstance(value, dict):
                return {name: cast(param, item, number, name) for name, item in value.items()}
            if isinstance(value, Iterable) and not isinstance(value, str | bytes):
                return type(value)(cast(param, item, number) for item in value)
            return value

        numbers = chain.from_iterable(saved["params"] for saved in saved_groups)
        param_of = dict(zip(numbers, chain.from_iterable(group["params"] for group in groups), strict=True))
        state: defaultdict[Any, dict] = defaultdict(dict)
        for number, value in state_dict["state"].items():
            if number in param_of:
                state[param_of[number]] = cast(param_of[number], value, number)
            else:
                state[number] = value
        for group, saved in zip(groups, saved_groups, strict=True):
            saved["params"] = group["params"]
            if "param_names" in group and "param_names" not in saved:
                saved["param_names"] = group["param_names"]
        self.__setstate__({"state": state, "param_groups": saved_groups})
        for post_hook in self._optimizer_load_state_dict_post_hooks.values():
            post_hook(self)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets every gradient, or fills it with zeros where `set_to_none` is false. Without, backward adds to the last ones.

        >>> import rushlight as torch
        >>> w = torch.tensor([1.0], requires_grad=True)
        >>> optimizer = torch.optim.SGD([w], lr=0.1)
        >>> w.sum().backward()
        >>> optimizer.zero_grad()
        >>> w.grad is None
        True
        """
        if named_in_profiles:
            with named_in_profiles(self, "zero_grad"):
                return _forget_gradients(self.param_groups, set_to_none)
        return _forget_gradients(self.param_groups, set_to_none)

    def step(self, closure: Callable | None = None):
        """Updates the parameters once.

        Args:
            closure: A function that evaluates the model again and returns the loss, which is returned; `LBFGS` needs one.

        >>> import rushlight as torch
        >>> w = torch.tensor([1.0], requires_grad=True)
        >>> optimizer = torch.optim.SGD([w], lr=0.1)
        >>> (w * 3).sum().backward()
        >>> optimizer.step()
        >>> w
        tensor([0.7000], requires_grad=True)
        """
        raise NotImplementedError

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group `param_group`: a dict of `"params"` and options; options that it leaves out are the defaults.

        Raises:
            TypeError: for a group that is no dict, for a set of parameters, for a parameter that is no tensor.
            ValueError: for a parameter that is no leaf or is in another group, and where only some parameters have names.

        >>> import rushlight as torch
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
        >>> optimizer.add_param_group({"params": [torch.ones(2, requires_grad=True)], "lr": 0.01})
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.1, 0.01]
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, torch.Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        tensors, names = [], []
        for param in params:
            if isinstance(param, tuple):
                names.append(param[0])
                param = param[1]
            tensors.append(param)
        if names and len(names) != len(tensors):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        param_group["params"] = tensors
        if names:
            param_group["param_names"] = names
        for param in tensors:
            if not isinstance(param, torch.Tensor):
                raise TypeError("optimizer can only optimize Tensors, but one of the params is " + torch.typename(param))
            if not self.defaults.get("differentiable") and not (param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        own = {id(param) for param in tensors}
        if len(own) != len(tensors):
            warn_user(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information"
            )
        for group in self.param_groups:
            if ("param_names" in param_group) != ("param_names" in group):
                which = "with names" if "param_names" in param_group else "without names"
                raise ValueError(
                    f"all optimizer param groups should be with/without names. cannot add param group {which} to the optimizer"
                )
        if any(id(param) in own for group in self.param_groups for param in group["params"]):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

"""`Module`, the base class of everything in `nn`: it knows its parameters, buffers and submodules by name."""

import sys
import types
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Self

import rushlight as torch
from rushlight import Tensor

from .. import _lookup
from ..parameter import Buffer, Parameter
from . import _call
from ._call import (
    Calls,
    register_module_backward_hook,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from ._convert import Conversions
from ._state import _EXTRA_STATE_KEY_SUFFIX, State, _IncompatibleKeys  # noqa: F401

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

# The dictionaries of a new instance. `_modules` comes last: repr and traversal follow their own order.
_HOOK_TABLES = (
    "_backward_pre_hooks",
    "_backward_hooks",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


def _addindent(text, spaces):
    first, *rest = text.split("\n")
    return "\n".join([first, *(" " * spaces + line for line in rest)])


class Module(State, Calls, Conversions, _lookup.ModuleBase):
    """Base class of all modules: subclass it, assign parameters and submodules in `__init__`, compute in `forward`.

    Attributes:
        training: Whether the module is in training mode (see `train` and `eval`).

    >>> import rushlight as torch
    >>> class Affine(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.slope = torch.nn.Parameter(torch.tensor(2.0))
    ...     def forward(self, x):
    ...         return self.slope * x + 1
    >>> Affine()(torch.tensor(3.0))
    tensor(7., grad_fn=<AddBackward0>)
    """

    dump_patches = False
    call_super_init = False
    _is_full_backward_hook = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        _lookup.install(cls)

    def __init__(self, *args, **kwargs):
        if not self.call_super_init:
            if kwargs:
                raise TypeError(f"{type(self).__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'")
            if args:
                raise TypeError(f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given")
        attributes = self.__dict__
        attributes["training"] = True
        attributes["_parameters"] = {}
        attributes["_buffers"] = {}
        attributes["_non_persistent_buffers_set"] = set()
        attributes["_is_full_backward_hook"] = None
        for table in _HOOK_TABLES:
            attributes[table] = OrderedDict()
        attributes["_modules"] = {}
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *input):
        """What the module computes; every subclass writes its own. Call the module, not this, so that hooks run.

        >>> import rushlight as torch
        >>> class Double(torch.nn.Module):
        ...     def forward(self, x):
        ...         return 2 * x
        >>> Double()(torch.tensor(3.0))
        tensor(6.)
        """
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    # Attributes

    @_lookup.use_as_fallback
    def __getattr__(self, name):
        return _lookup.get_registered(self, name)

    __setattr__ = _lookup.set_attribute

    def _set_registered(self, name, value):
        """`setattr` of a tensor, of a module, or of a name that is registered."""
        attributes = self.__dict__
        parameters, modules, buffers = (attributes.get(t) for t in ("_parameters", "_modules", "_buffers"))
        if isinstance(value, Parameter):
            if parameters is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, attributes, buffers, modules)
            self.register_parameter(name, value)
        elif parameters is not None and name in parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{torch.typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, attributes, parameters, buffers)
            modules[name] = self._after_hooks(_call._global_module_registration_hooks, name, value)
        elif modules is not None and name in modules:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{torch.typename(value)}' as child module '{name}' (torch.nn.Module or None expected)"
                )
            modules[name] = self._after_hooks(_call._global_module_registration_hooks, name, value)
        elif isinstance(value, Buffer) or (buffers is not None and name in buffers):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{torch.typename(value)}' as buffer '{name}' (torch.nn.Buffer, torch.Tensor or None expected)"
                )
            if isinstance(value, Buffer):
                self._forget(name, parameters, modules)
                self._register_assigned_buffer(name, value)
            else:
                buffers[name] = self._after_hooks(_call._global_buffer_registration_hooks, name, value)
        else:
            object.__setattr__(self, name, value)

    def _register_assigned_buffer(self, name, value):
        """Registers a Buffer, also where a subclass has a `register_buffer` that knows nothing of `persistent`."""
        from inspect import signature  # (slow to import, and seldom needed)

        if (
            type(self).register_buffer is not Module.register_buffer
            and "persistent" not in signature(self.register_buffer).parameters
        ):
            if not value.persistent:
                raise RuntimeError(
                    "Registering a non-persistent buffer on a Module subclass that implements register_buffer() without the persistent argument is "
                    "not allowed."
                )
            self.register_buffer(name, value)
        else:
            self.register_buffer(name, value, value.persistent)

    def _forget(self, name, *tables):
        for table in tables:
            if table is not None:
                table.pop(name, None)
        unsaved = self.__dict__.get("_non_persistent_buffers_set")
        if unsaved is not None:
            unsaved.discard(name)

    def _after_hooks(self, hooks, name, value):
        for hook in hooks.values():
            result = hook(self, name, value)
            if result is not None:
                value = result
        return value

    def __delattr__(self, name):
        if name in self._parameters:
            del self._parameters[name]
        elif name in self._buffers:
            del self._buffers[name]
            self._non_persistent_buffers_set.discard(name)
        elif name in self._modules:
            del self._modules[name]
        else:
            super().__delattr__(name)

    def __dir__(self):
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers}
        return sorted(name for name in names if not name[0].isdigit())

    def __setstate__(self, state):
        # What was pickled by an older version may lack some of the hook tables.
        self.__dict__.update(state)
        for table in _HOOK_TABLES:
            self.__dict__.setdefault(table, OrderedDict())
        self.__dict__.setdefault("_non_persistent_buffers_set", set())
        self.__dict__.setdefault("_is_full_backward_hook", None)

    # Registration

    def _check_name(self, kind, name, table):
        if table not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {torch.typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in self.__dict__[table]:
            raise KeyError(f"attribute '{name}' already exists")

    def register_buffer(self, name, tensor, persistent=True) -> None:
        """Adds a tensor that is state but no parameter, such as a running mean.

        Args:
            name: Its name, by which it is an attribute.
            tensor: The tensor, or None for an absent one.
            persistent: False leaves it out of `state_dict`.

        >>> import rushlight as torch
        >>> module = torch.nn.Module()
        >>> module.register_buffer("mean", torch.zeros(2))
        >>> module.mean, list(module.state_dict())
        (tensor([0., 0.]), ['mean'])
        """
        self._check_name("buffer", name, "_buffers")
        if tensor is not None and not (isinstance(tensor, Tensor) or hasattr(tensor, "__torch_function__")):
            raise TypeError(f"cannot assign '{torch.typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)")
        self._buffers[name] = self._after_hooks(_call._global_buffer_registration_hooks, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name, param: Parameter | None) -> None:
        """Adds a parameter `param` by a `name`, or with None a name that stands for an absent one.
        `module.name = Parameter(...)` does the same.

        >>> import rushlight as torch
        >>> module = torch.nn.Module()
        >>> module.register_parameter("weight", torch.nn.Parameter(torch.ones(2)))
        >>> [name for name, _ in module.named_parameters()]
        ['weight']
        """
        self._check_name("parameter", name, "_parameters")
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{torch.typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. To express "
                    f"'{name}' as a function of another Tensor, compute the value in the forward() method."
                )
            param = self._after_hooks(_call._global_parameter_registration_hooks, name, param)
        self._parameters[name] = param

    def add_module(self, name, module) -> None:
        """Adds a submodule `module` by a `name`, which may be one that is no identifier, such as "0".

        >>> import rushlight as torch
        >>> net = torch.nn.Module()
        >>> net.add_module("0", torch.nn.ReLU())
        >>> net
        Module(
          (0): ReLU()
        )
        """
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{torch.typename(module)} is not a Module subclass")
        if not isinstance(name, str):
            raise TypeError(f"module name should be a string. Got {torch.typename(name)}")
        if hasattr(self, name) and name not in self._modules:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'module name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError('module name can\'t be empty string ""')
        self._modules[name] = self._after_hooks(_call._global_module_registration_hooks, name, module)

    def register_module(self, name, module) -> None:
        """The same as `add_module`: adds `module` by a `name`.

        >>> import rushlight as torch
        >>> net = torch.nn.Module()
        >>> net.register_module("act", torch.nn.ReLU())
        >>> net.act
        ReLU()
        """
        self.add_module(name, module)

    # By dotted name

    def get_submodule(self, target) -> "Module":
        """The submodule of the dotted name `target`; the module itself for "". AttributeError where there is none.

        >>> import rushlight as torch
        >>> net = torch.nn.Sequential(torch.nn.Sequential(torch.nn.ReLU()))
        >>> net.get_submodule("0.0")
        ReLU()
        """
        module = self
        if target == "":
            return module
        for name in target.split("."):
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target, module, strict=False) -> None:
        """Replaces the submodule of the dotted name `target` by `module`, or adds it to its parent; with `strict` it must exist.

        >>> import rushlight as torch
        >>> net = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Flatten())
        >>> net.set_submodule("0", torch.nn.Tanh())
        >>> net[0]
        Tanh()
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target) -> Parameter:
        """The parameter of the dotted name `target`; AttributeError where there is none.

        >>> import rushlight as torch
        >>> net = torch.nn.Sequential(torch.nn.Linear(2, 3))
        >>> net.get_parameter("0.bias").shape
        torch.Size([3])
        """
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        parameter = getattr(module, name)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return parameter

    def get_buffer(self, target) -> Tensor:
        """The buffer of the dotted name `target`; AttributeError where there is none.

        >>> import rushlight as torch
        >>> net = torch.nn.Sequential(torch.nn.BatchNorm1d(2))
        >>> net.get_buffer("0.running_mean")
        tensor([0., 0.])
        """
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return getattr(module, name)

    # Traversal, depth first in the order of registration

    def _named_members(self, get_members_fn, prefix="", recurse=True, remove_duplicate=True):
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for module_prefix, module in modules:
            for name, member in get_members_fn(module):
                if member is None or member in seen:
                    continue
                if remove_duplicate:
                    seen.add(member)
                yield module_prefix + ("." if module_prefix else "") + name, member

    def named_parameters(self, prefix="", recurse=True, remove_duplicate=True) -> Iterator[tuple[str, Parameter]]:
        """Pairs of dotted name and parameter.

        Args:
            prefix: What names begin with.
            recurse: Whether submodules' parameters are among them.
            remove_duplicate: Whether a parameter that is there twice comes once.

        >>> import rushlight as torch
        >>> [name for name, _ in torch.nn.Sequential(torch.nn.Linear(2, 3)).named_parameters("net")]
        ['net.0.weight', 'net.0.bias']
        """
        return self._named_members(lambda module: module._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse=True) -> Iterator[Parameter]:
        """The parameters of this module and, with `recurse`, of its submodules, each once.

        >>> import rushlight as torch
        >>> [tuple(p.shape) for p in torch.nn.Linear(2, 3).parameters()]
        [(3, 2), (3,)]
        """
        if type(self).named_parameters is not Module.named_parameters:
            yield from (parameter for _, parameter in self.named_parameters(recurse=recurse))
            return
        # The names take most of the time; here nobody asks for them.
        seen = set()
        for module in self.modules() if recurse else (self,):
            for parameter in module._parameters.values():
                if parameter is not None and parameter not in seen:
                    seen.add(parameter)
                    yield parameter

    def named_buffers(self, prefix="", recurse=True, remove_duplicate=True) -> Iterator[tuple[str, Tensor]]:
        """Pairs of dotted name and buffer. `prefix`, `recurse` and `remove_duplicate` are as in `named_parameters`.

        >>> import rushlight as torch
        >>> [name for name, _ in torch.nn.BatchNorm1d(2).named_buffers()]
        ['running_mean', 'running_var', 'num_batches_tracked']
        """
        return self._named_members(lambda module: module._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse=True) -> Iterator[Tensor]:
        """The buffers of this module and, with `recurse`, of its submodules.

        >>> import rushlight as torch
        >>> list(torch.nn.BatchNorm1d(2).buffers())[0]
        tensor([0., 0.])
        """
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_children(self) -> "Iterator[tuple[str, Module]]":
        """Pairs of name and direct submodule, each submodule once.

        >>> import rushlight as torch
        >>> list(torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Tanh()).named_children())
        [('0', ReLU()), ('1', Tanh())]
        """
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> "Iterator[Module]":
        """The direct submodules.

        >>> import rushlight as torch
        >>> list(torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Tanh()).children())
        [ReLU(), Tanh()]
        """
        for _, module in self.named_children():
            yield module

    def named_modules(
        self, memo: "set[Module] | None" = None, prefix="", remove_duplicate=True
    ) -> "Iterator[tuple[str, Module]]":
        """Pairs of dotted name and module: this one first, then all below it.

        Args:
            memo: A set of modules to leave out, which those that come are added to.
            prefix: What names begin with, and this module's own.
            remove_duplicate: Whether a module that is there twice comes once.

        >>> import rushlight as torch
        >>> [name for name, _ in torch.nn.Sequential(torch.nn.Sequential(torch.nn.ReLU())).named_modules()]
        ['', '0', '0.0']
        """
        if memo is None:
            memo = set()
        if self not in memo:
            if remove_duplicate:
                memo.add(self)
            yield prefix, self
            for name, module in self._modules.items():
                if module is not None:
                    yield from module.named_modules(memo, prefix + ("." if prefix else "") + name, remove_duplicate)

    def modules(self) -> "Iterator[Module]":
        """This module and all below it, each once.

        >>> import rushlight as torch
        >>> len(list(torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Tanh()).modules()))
        3
        """
        if type(self).named_modules is not Module.named_modules:
            yield from (module for _, module in self.named_modules())
            return
        seen = set()
        stack = [self]
        while stack:
            module = stack.pop()
            if module is not None and module not in seen:
                seen.add(module)
                yield module
                stack.extend(reversed(module._modules.values()))

    # Modes

    def train(self, mode=True) -> Self:
        """Sets `training` to `mode` here and in all submodules; Dropout and BatchNorm, for example, look at it.
        Returns the module.

        >>> import rushlight as torch
        >>> net = torch.nn.Sequential(torch.nn.Dropout())
        >>> net.train(False)[0].training, net.train()[0].training
        (False, True)
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """The same as `train(False)`: evaluation mode. Gradients are recorded all the same: `no_grad` is for that.

        >>> import rushlight as torch
        >>> torch.nn.Dropout(0.9).eval()(torch.ones(3))
        tensor([1., 1., 1.])
        """
        return self.train(False)

    def requires_grad_(self, requires_grad=True) -> Self:
        """Sets `requires_grad` of all parameters; returns the module. With False its parameters are frozen.

        >>> import rushlight as torch
        >>> layer = torch.nn.Linear(2, 1).requires_grad_(False)
        >>> layer(torch.ones(2)).requires_grad
        False
        """
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none=True) -> None:
        """Takes away the gradients of all parameters, or with `set_to_none=False` fills them with zeros.

        >>> import rushlight as torch
        >>> layer = torch.nn.Linear(2, 1)
        >>> layer(torch.ones(2)).backward()
        >>> layer.zero_grad()
        >>> layer.weight.grad is None
        True
        """
        for parameter in self.parameters():
            grad = parameter.grad
            if grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            else:
                if grad.grad_fn is not None:
                    grad.detach_()
                else:
                    grad.requires_grad_(False)
                grad.zero_()

    def apply(self, fn: "Callable[[Module], None]") -> Self:
        """Calls `fn(module)` for every module, children before parents; returns self. For setting parameters, for example.

        >>> import rushlight as torch
        >>> def ones(module):
        ...     if isinstance(module, torch.nn.Linear):
        ...         torch.nn.init.ones_(module.weight)
        >>> torch.nn.Sequential(torch.nn.Linear(2, 1)).apply(ones)[0].weight.detach()
        tensor([[1., 1.]])
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def compile(self, *args, **kwargs) -> None:
        """Accepted for programs that call it: ops are already as direct as they get, so the module stays as it is.

        >>> import rushlight as torch
        >>> layer = torch.nn.ReLU()
        >>> layer.compile(backend="eager")
        >>> layer(torch.tensor(-1.0))
        tensor(0.)
        """

    # Text

    def _get_name(self):
        return type(self).__name__

    def extra_repr(self):
        """What stands in the parentheses behind the class's name; a subclass writes its own.

        >>> import rushlight as torch
        >>> class Scale(torch.nn.Module):
        ...     def extra_repr(self):
        ...         return "factor=2"
        >>> Scale()
        Scale(factor=2)
        """
        return ""

    def __repr__(self):
        extra = self.extra_repr()
        extra_lines = extra.split("\n") if extra else []
        child_lines = [f"({name}): {_addindent(repr(module), 2)}" for name, module in self._modules.items()]
        if not child_lines and len(extra_lines) <= 1:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(extra_lines + child_lines) + "\n)"


_lookup.install(Module)
_lookup.configure(
    Tensor,
    Module,
    (
        _call._global_forward_hooks,
        _call._global_forward_pre_hooks,
        _call._global_backward_hooks,
        _call._global_backward_pre_hooks,
    ),
)


class _WithGlobalHooks(types.ModuleType):
    """This module, which has the tables of hooks of all modules: one that is set gets other entries, as its readers keep it."""

    def __getattr__(self, name):
        if name.startswith("_global_"):
            return getattr(_call, name)
        from rushlight._alias import missing

        raise missing(name, self.__name__)

    def __setattr__(self, name, value):
        table = vars(_call).get(name) if name.startswith("_global_") else None
        if isinstance(table, OrderedDict):
            given = list(value.items())
            table.clear()
            table.update(given)
        elif name.startswith("_global_"):
            setattr(_call, name, value)
        else:
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _WithGlobalHooks

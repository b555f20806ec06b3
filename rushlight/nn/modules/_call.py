"""Calling a module through its hooks, and registering them: on one module, or globally for all modules."""

import functools
from collections import OrderedDict

from rushlight import Tensor
from rushlight.core import warn_user

from ._hooks import BackwardHook, RemovableHandle

_global_forward_hooks = OrderedDict()
_global_forward_hooks_with_kwargs = OrderedDict()
_global_forward_hooks_always_called = OrderedDict()
_global_forward_pre_hooks = OrderedDict()
_global_backward_hooks = OrderedDict()
_global_backward_pre_hooks = OrderedDict()
_global_buffer_registration_hooks = OrderedDict()
_global_module_registration_hooks = OrderedDict()
_global_parameter_registration_hooks = OrderedDict()
_global_is_full_backward_hook = None


def _register(hooks, hook, *, prepend=False, flags=()):
    """Puts `hook` into `hooks`, and its id into each dictionary of `flags`; returns the handle."""
    handle = RemovableHandle(hooks, extra_dict=flags)
    hooks[handle.id] = hook
    for flag in flags:
        flag[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_module_buffer_registration_hook(hook):
    """Calls `hook(module, name, buffer)` whenever a buffer is registered; a tensor that it returns is registered instead.

    >>> import rushlight as torch
    >>> from rushlight.nn.modules.module import register_module_buffer_registration_hook
    >>> handle = register_module_buffer_registration_hook(lambda module, name, buffer: print(name))
    >>> torch.nn.Module().register_buffer("mean", torch.zeros(2))
    mean
    >>> handle.remove()
    """
    return _register(_global_buffer_registration_hooks, hook)


def register_module_module_registration_hook(hook):
    """Calls `hook(module, name, submodule)` whenever a submodule is registered; a module that it returns is registered instead.

    >>> import rushlight as torch
    >>> from rushlight.nn.modules.module import register_module_module_registration_hook
    >>> handle = register_module_module_registration_hook(lambda module, name, submodule: print(name, submodule))
    >>> net = torch.nn.Sequential(torch.nn.ReLU())
    0 ReLU()
    >>> handle.remove()
    """
    return _register(_global_module_registration_hooks, hook)


def register_module_parameter_registration_hook(hook):
    """Calls `hook(module, name, parameter)` whenever a parameter is registered;
    a parameter that it returns is registered instead.

    >>> import rushlight as torch
    >>> from rushlight.nn.modules.module import register_module_parameter_registration_hook
    >>> handle = register_module_parameter_registration_hook(lambda module, name, parameter: print(name))
    >>> layer = torch.nn.Linear(2, 3)
    weight
    bias
    >>> handle.remove()
    """
    return _register(_global_parameter_registration_hooks, hook)


def register_module_forward_pre_hook(hook):
    """Calls `hook(module, args)` before the forward of every module; it may return new arguments.

    >>> import rushlight as torch
    >>> handle = torch.nn.modules.module.register_module_forward_pre_hook(lambda module, args: (args[0] + 1,))
    >>> torch.nn.ReLU()(torch.tensor(1.0))
    tensor(2.)
    >>> handle.remove()
    """
    return _register(_global_forward_pre_hooks, hook)


def register_module_forward_hook(hook, *, with_kwargs=False, always_call=False):
    """Calls `hook(module, args, output)` after the forward of every module; it may return a new output.

    With `with_kwargs` it is `hook(module, args, kwargs, output)`; with `always_call` it is called where the forward raises, too.

    >>> import rushlight as torch
    >>> handle = torch.nn.modules.module.register_module_forward_hook(lambda module, args, output: print(module, output))
    >>> _ = torch.nn.Sequential(torch.nn.ReLU())(torch.tensor(-1.0))
    ReLU() tensor(0.)
    Sequential(
      (0): ReLU()
    ) tensor(0.)
    >>> handle.remove()
    """
    flags = [_global_forward_hooks_with_kwargs] * with_kwargs + [_global_forward_hooks_always_called] * always_call
    return _register(_global_forward_hooks, hook, flags=flags)


def register_module_full_backward_pre_hook(hook):
    """Calls `hook(module, grad_output)` before the gradients of every module's inputs are computed.

    >>> import rushlight as torch
    >>> handle = torch.nn.modules.module.register_module_full_backward_pre_hook(lambda module, grad_output: print(grad_output))
    >>> torch.nn.ReLU()(torch.tensor(1.0, requires_grad=True)).backward()
    (tensor(1.),)
    >>> handle.remove()
    """
    return _register(_global_backward_pre_hooks, hook)


def register_module_full_backward_hook(hook):
    """Calls `hook(module, grad_input, grad_output)` when the gradients of a module's inputs have been computed, for every module.

    >>> import rushlight as torch
    >>> from rushlight.nn.modules.module import register_module_full_backward_hook
    >>> handle = register_module_full_backward_hook(lambda module, grad_input, grad_output: print(grad_input))
    >>> torch.nn.ReLU()(torch.tensor(1.0, requires_grad=True)).backward()
    (tensor(1.),)
    >>> handle.remove()
    """
    _set_global_backward_kind(True)
    return _register(_global_backward_hooks, hook)


def register_module_backward_hook(hook):
    """The older kind of global backward hook: it sees the gradients of the last node of the module's graph only.

    Args:
        hook: A function of (module, grad_input, grad_output).
    """
    _set_global_backward_kind(False)
    return _register(_global_backward_hooks, hook)


def _set_global_backward_kind(full):
    global _global_is_full_backward_hook
    if _global_is_full_backward_hook is (not full):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. Please use only one of them."
        )
    _global_is_full_backward_hook = full


class CallSignature:
    """What `inspect.signature` says of a module: how it is called. Of the class it says how one is made."""

    def __get__(self, module, owner):
        if module is None:
            return None
        import inspect  # (slow to import)

        call = owner.__call__
        return inspect.signature(call.__get__(module) if inspect.isfunction(call) else lambda *args, **kwargs: None)


class Calls:
    """The part of `Module` that is about hooks."""

    __slots__ = ()
    __signature__ = CallSignature()

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """Calls `hook(module, args)` (with `with_kwargs`, `hook(module, args, kwargs)`) before each forward.

        What it returns, unless None, are the new arguments. With `prepend` it runs before the others. `remove()` of the handle
        that is returned takes it away.

        >>> import rushlight as torch
        >>> layer = torch.nn.ReLU()
        >>> handle = layer.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
        >>> layer(torch.tensor(1.0))
        tensor(2.)
        >>> handle.remove()
        >>> layer(torch.tensor(1.0))
        tensor(1.)
        """
        flags = [self._forward_pre_hooks_with_kwargs] * with_kwargs
        return _register(self._forward_pre_hooks, hook, prepend=prepend, flags=flags)

    def register_forward_hook(self, hook, *, prepend=False, with_kwargs=False, always_call=False):
        """Calls `hook(module, args, output)` (with `with_kwargs`, `hook(module, args, kwargs, output)`) after each forward.

        What it returns, unless None, is the new output. With `prepend` it runs before the others, with `always_call` also where
        the forward raises. `remove()` of the handle that is returned takes it away.

        >>> import rushlight as torch
        >>> net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
        >>> handle = net[0].register_forward_hook(lambda module, args, output: print(output.shape))
        >>> _ = net(torch.ones(4, 2))
        torch.Size([4, 3])
        >>> handle.remove()
        """
        flags = [self._forward_hooks_with_kwargs] * with_kwargs + [self._forward_hooks_always_called] * always_call
        return _register(self._forward_hooks, hook, prepend=prepend, flags=flags)

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """Calls `hook(module, grad_output)` when the gradients of the outputs are known; it may return new ones.

        With `prepend` it runs before the others.

        >>> import rushlight as torch
        >>> layer = torch.nn.ReLU()
        >>> handle = layer.register_full_backward_pre_hook(lambda module, grad_output: (grad_output[0] * 10,))
        >>> x = torch.tensor(1.0, requires_grad=True)
        >>> layer(x).backward()
        >>> x.grad
        tensor(10.)
        """
        return _register(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(self, hook, prepend=False):
        """Calls `hook(module, grad_input, grad_output)` when the gradients of the inputs are known;
        it may return new `grad_input`.

        With `prepend` it runs before the others.

        >>> import rushlight as torch
        >>> layer = torch.nn.ReLU()
        >>> handle = layer.register_full_backward_hook(lambda module, grad_input, grad_output: print(grad_input))
        >>> x = torch.tensor(1.0, requires_grad=True)
        >>> layer(x).backward()
        (tensor(1.),)
        """
        if self._is_full_backward_hook is False:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one of them."
            )
        self._is_full_backward_hook = True
        return _register(self._backward_hooks, hook, prepend=prepend)

    def register_backward_hook(self, hook):
        """The older kind of backward hook: `hook(module, grad_input, grad_output)` sees the last node of the module's graph only.

        >>> import rushlight as torch
        >>> layer = torch.nn.ReLU()
        >>> handle = layer.register_backward_hook(lambda module, grad_input, grad_output: print(grad_output))
        >>> x = torch.tensor(1.0, requires_grad=True)
        >>> import warnings
        >>> with warnings.catch_warnings(action="ignore"):
        ...     layer(x).backward()
        (tensor(1.),)
        """
        if self._is_full_backward_hook is True:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one of them."
            )
        self._is_full_backward_hook = False
        return _register(self._backward_hooks, hook)

    def _get_backward_hooks(self):
        """The full and the older backward hooks, as two lists."""
        full, older = [], []
        (full if _global_is_full_backward_hook else older).extend(_global_backward_hooks.values())
        (full if self._is_full_backward_hook else older).extend(self._backward_hooks.values())
        return full, older

    def _get_backward_pre_hooks(self):
        return [*_global_backward_pre_hooks.values(), *self._backward_pre_hooks.values()]

    def _call_impl(self, *args, **kwargs):
        """What calling the module does where there are hooks."""
        backward_hooks = (*self._get_backward_hooks(), self._get_backward_pre_hooks())
        called = set()
        try:
            return self._call_with_hooks(args, kwargs, backward_hooks, called)
        except Exception:
            self._call_always_called_hooks(args, kwargs, called)
            raise

    def _call_with_hooks(self, args, kwargs, backward_hooks, called):
        full_backward_hooks, older_backward_hooks, backward_pre_hooks = backward_hooks

        for hook_id, hook in (*_global_forward_pre_hooks.items(), *self._forward_pre_hooks.items()):
            if hook_id in self._forward_pre_hooks_with_kwargs:
                result = hook(self, args, kwargs)
                if result is not None:
                    if not (isinstance(result, tuple) and len(result) == 2):
                        raise RuntimeError(
                            f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {result}."
                        )
                    args, kwargs = result
            else:
                result = hook(self, args)
                if result is not None:
                    args = result if isinstance(result, tuple) else (result,)

        backward_hook = None
        if full_backward_hooks or backward_pre_hooks:
            backward_hook = BackwardHook(self, full_backward_hooks, backward_pre_hooks)
            args = backward_hook.setup_input_hook(args)

        output = self.forward(*args, **kwargs)

        for hook_id, hook in (*_global_forward_hooks.items(), *self._forward_hooks.items()):
            called.add(hook_id)
            result = self._call_forward_hook(hook_id, hook, args, kwargs, output)
            if result is not None:
                output = result

        if backward_hook is not None:
            if not isinstance(output, (Tensor, tuple)):
                warn_user(
                    "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
                    f"{type(output)}"
                )
            output = backward_hook.setup_output_hook(output)
        if older_backward_hooks:
            self._attach_older_backward_hooks(older_backward_hooks, args, output)
        return output

    def _call_forward_hook(self, hook_id, hook, args, kwargs, output):
        if hook_id in self._forward_hooks_with_kwargs or hook_id in _global_forward_hooks_with_kwargs:
            return hook(self, args, kwargs, output)
        return hook(self, args, output)

    def _call_always_called_hooks(self, args, kwargs, called):
        for hooks, always_called in (
            (_global_forward_hooks, _global_forward_hooks_always_called),
            (self._forward_hooks, self._forward_hooks_always_called),
        ):
            for hook_id, hook in list(hooks.items()):
                if hook_id not in always_called or hook_id in called:
                    continue
                try:
                    self._call_forward_hook(hook_id, hook, args, kwargs, None)
                except Exception as error:
                    where = "global module" if hooks is _global_forward_hooks else "module"
                    warn_user(
                        f"{where} forward hook with ``always_call=True`` raised an exception that was silenced as another error was "
                        f"raised in forward: {error}"
                    )

    def _attach_older_backward_hooks(self, hooks, args, output):
        tensor = output
        while not isinstance(tensor, Tensor):
            tensor = next(v for v in tensor.values() if isinstance(v, Tensor)) if isinstance(tensor, dict) else tensor[0]
        grad_fn = tensor.grad_fn
        if grad_fn is None:
            return
        for hook in hooks:
            grad_fn.register_hook(functools.update_wrapper(functools.partial(hook, self), hook))
        self._warn_of_older_backward_hook(args, output, grad_fn)

    def _warn_of_older_backward_hook(self, args, output, grad_fn):
        def odd(values):
            """Whether these are other than one tensor, or a tuple of tensors."""
            return not isinstance(values, Tensor) and not (
                isinstance(values, tuple) and all(isinstance(v, Tensor) for v in values)
            )

        def nodes(values):
            return {v.grad_fn for v in ((values,) if isinstance(values, Tensor) else values)} - {None}

        if odd(output):
            what, lost = (
                "non-full backward hooks on a Module that does not return a single Tensor or a tuple of Tensors",
                "of the grad_output",
            )
        elif odd(args):
            what, lost = (
                "non-full backward hooks on a Module that does not take as input a single Tensor or a tuple of Tensors",
                "of the grad_input",
            )
        elif len(nodes(output)) > 1:
            what, lost = "a non-full backward hook when outputs are generated by different autograd Nodes", "grad_output"
        elif {node for node, _ in grad_fn.next_functions} != nodes(args):
            what, lost = "a non-full backward hook when the forward contains multiple autograd Nodes", "grad_input"
        else:
            return
        warn_user(
            f"Using {what} is deprecated and will be removed in future versions. This hook will be missing some {lost}. "
            "Please use register_full_backward_hook to get the documented behavior.",
            FutureWarning,
        )

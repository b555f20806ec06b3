"""`state_dict` and `load_state_dict`: the state of a module as a flat dictionary of tensors, and back."""

import itertools
import weakref
from collections import OrderedDict, namedtuple
from collections.abc import Mapping

import rushlight as torch
from rushlight.__future__ import get_swap_module_params_on_conversion
from rushlight.core import warn_user
from rushlight.utils._swap import swap_tensors

from ..parameter import Parameter, is_lazy
from ._call import _register

_EXTRA_STATE_KEY_SUFFIX = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    __slots__ = ()

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


def _as_parameter_like(loaded, tensor):
    """What is loaded in the place of `tensor`: a parameter where that is one."""
    if not isinstance(tensor, Parameter):
        return loaded
    if isinstance(loaded, Parameter):
        return loaded.requires_grad_(tensor.requires_grad)
    return Parameter(loaded, requires_grad=tensor.requires_grad)


class State:
    """The part of `Module` that is about saving and loading."""

    __slots__ = ()

    _version = 1
    """Saved with the state, so that a later version of a class can load what an older one saved."""

    def get_extra_state(self):
        """What this module adds to its state beside tensors; override it together with `set_extra_state`. It must be picklable.

        >>> import rushlight as torch
        >>> class Counter(torch.nn.Module):
        ...     count = 3
        ...     def get_extra_state(self):
        ...         return self.count
        ...     def set_extra_state(self, state):
        ...         self.count = state
        >>> dict(Counter().state_dict())
        {'_extra_state': 3}
        """
        raise RuntimeError(
            "Reached a code path in Module.get_extra_state() that should never be called. Please file an issue at "
            "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml to report this bug."
        )

    def set_extra_state(self, state) -> None:
        """Takes back the `state` that `get_extra_state` gave, when the module is loaded.

        >>> import rushlight as torch
        >>> class Counter(torch.nn.Module):
        ...     def get_extra_state(self):
        ...         return 3
        ...     def set_extra_state(self, state):
        ...         print("state", state)
        >>> Counter().load_state_dict(Counter().state_dict())
        state 3
        <All keys matched successfully>
        """
        raise RuntimeError(
            "Reached a code path in Module.set_extra_state() that should never be called. Please file an issue at "
            "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml to report this bug."
        )

    def register_state_dict_post_hook(self, hook):
        """Calls `hook(module, state_dict, prefix, local_metadata)` after this module's state was collected;
        it may edit it in place.

        >>> import rushlight as torch
        >>> layer = torch.nn.Linear(2, 1)
        >>> def leave_out(module, state, prefix, metadata):
        ...     del state[prefix + "bias"]
        >>> _ = layer.register_state_dict_post_hook(leave_out)
        >>> list(layer.state_dict())
        ['weight']
        """
        hook._from_public_api = True
        return _register(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook):
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was previously registered via "
                "register_state_dict_post_hook"
            )
        return _register(self._state_dict_hooks, hook)

    def register_state_dict_pre_hook(self, hook):
        """Calls `hook(module, prefix, keep_vars)` before this module's state is collected.

        >>> import rushlight as torch
        >>> layer = torch.nn.Linear(2, 1)
        >>> _ = layer.register_state_dict_pre_hook(lambda module, prefix, keep_vars: print("saving", prefix))
        >>> state = torch.nn.Sequential(layer).state_dict()
        saving 0.
        """
        return _register(self._state_dict_pre_hooks, hook)

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        """Puts the state of this module alone, without its submodules, into `destination`."""
        for name, parameter in self._parameters.items():
            if parameter is not None:
                destination[prefix + name] = parameter if keep_vars else parameter.detach()
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = buffer if keep_vars else buffer.detach()
        if type(self).get_extra_state is not State.get_extra_state:
            destination[prefix + _EXTRA_STATE_KEY_SUFFIX] = self.get_extra_state()

    def state_dict(self, *args, destination=None, prefix="", keep_vars=False):
        """The parameters and persistent buffers of this module and its submodules, by their dotted names.

        The tensors share memory with the module. They are detached, unless `keep_vars` is true.

        >>> import rushlight as torch
        >>> list(torch.nn.Linear(2, 3).state_dict())
        ['weight', 'bias']
        """
        if args:
            warn_user(
                "Positional args are being deprecated, use kwargs instead. Refer to "
                "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict for details.",
                FutureWarning,
            )
            destination, prefix, keep_vars = args + (destination, prefix, keep_vars)[len(args) :]
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=prefix + name + ".", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            result = hook(self, destination, prefix, local_metadata)
            if not getattr(hook, "_from_public_api", False):
                if result is not None:
                    destination = result
            elif result is not None:
                raise RuntimeError("state_dict post-hook must return None")
        return destination

    def register_load_state_dict_pre_hook(self, hook):
        """Calls `hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)` before
        loading.

        >>> import rushlight as torch
        >>> layer = torch.nn.Linear(2, 1)
        >>> def rename(module, state, prefix, *rest):
        ...     state[prefix + "weight"] = state.pop(prefix + "w")
        >>> _ = layer.register_load_state_dict_pre_hook(rename)
        >>> layer.load_state_dict({"w": torch.ones(1, 2), "bias": torch.zeros(1)})
        <All keys matched successfully>
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(self, hook, with_module=False):
        return _register(self._load_state_dict_pre_hooks, _PreHook(hook, self if with_module else None))

    def register_load_state_dict_post_hook(self, hook):
        """Calls `hook(module, incompatible_keys)` after this module and its submodules were loaded;
        it may edit the two lists in place.

        >>> import rushlight as torch
        >>> layer = torch.nn.Linear(2, 1)
        >>> _ = layer.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
        >>> layer.load_state_dict({"weight": torch.ones(1, 2)})
        <All keys matched successfully>
        """
        return _register(self._load_state_dict_post_hooks, hook)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs):
        """Loads this module alone. Problems are appended to the three lists, not raised."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)

        buffers = ((n, b) for n, b in self._buffers.items() if n not in self._non_persistent_buffers_set)
        local_state = {n: t for n, t in itertools.chain(self._parameters.items(), buffers) if t is not None}
        assign = local_metadata.get("assign_to_params_buffers", False)
        load = self._swap_tensor if get_swap_module_params_on_conversion() else self._load_tensor

        for name, tensor in local_state.items():
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            loaded = state_dict[key]
            if not hasattr(loaded, "__torch_function__"):
                error_msgs.append(
                    f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint but '
                    f"received {type(loaded)}"
                )
                continue
            # Before 0.4 a scalar was saved as a tensor of shape (1,).
            lazy = is_lazy(tensor)
            if not lazy and len(tensor.shape) == 0 and tuple(loaded.shape) == (1,):
                loaded = loaded[0]
            if not lazy and loaded.shape != tensor.shape:
                error_msgs.append(
                    f"size mismatch for {key}: copying a param with shape {loaded.shape} from checkpoint, "
                    f"the shape in current model is {tensor.shape}."
                )
                continue
            if not lazy and tensor.is_meta and not loaded.is_meta and not assign:
                warn_user(
                    f"for {key}: copying from a non-meta parameter in the checkpoint to a meta parameter in the current model, which is a "
                    "no-op. (Did you mean to pass `assign=True` to assign items in the state dictionary to their corresponding key in the "
                    "module instead of copying them in place?)"
                )
            try:
                load(name, tensor, loaded, assign)
            except Exception as error:
                action = "swapping" if load == self._swap_tensor else "copying"
                error_msgs.append(
                    f'While {action} the parameter named "{key}", whose dimensions in the model are {tensor.size()} and whose '
                    f"dimensions in the checkpoint are {loaded.size()}, an exception occurred : {error.args}."
                )

        self._load_extra_state(state_dict, prefix + _EXTRA_STATE_KEY_SUFFIX, strict, missing_keys, unexpected_keys)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != prefix + _EXTRA_STATE_KEY_SUFFIX:
                    name, *rest = key[len(prefix) :].split(".", 1)
                    if name not in (self._modules if rest else local_state):
                        unexpected_keys.append(key)

    def _load_tensor(self, name, tensor, loaded, assign):
        with torch.no_grad():
            if not assign:
                if not (is_lazy(tensor) and is_lazy(loaded)):  # (there is nothing to copy)
                    tensor.copy_(loaded)
                return
            setattr(self, name, _as_parameter_like(loaded, tensor))

    def _swap_tensor(self, name, tensor, loaded, assign):
        with torch.no_grad():
            made = tensor.module_load(loaded, assign=assign)
            if made is loaded or made is tensor:
                raise RuntimeError(
                    "module_load returned one of self or other, please .detach() the result if returning one of the inputs in module_load"
                )
            swap_tensors(tensor, _as_parameter_like(made, tensor))

    def _load_extra_state(self, state_dict, key, strict, missing_keys, unexpected_keys):
        if type(self).set_extra_state is not State.set_extra_state:
            if key in state_dict:
                self.set_extra_state(state_dict[key])
            elif strict:
                missing_keys.append(key)
        elif strict and key in state_dict:
            unexpected_keys.append(key)

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Copies a `state_dict` into this module and its submodules.

        Args:
            state_dict: A mapping from dotted names to tensors. It is not changed.
            strict: Whether the keys must match exactly; if not, the differences are only returned.
            assign: Put the given tensors themselves into the module, keeping their dtype, instead of copying their values.

        Returns:
            A named tuple of the lists `missing_keys` and `unexpected_keys`.

        Raises:
            RuntimeError: A tensor's shape differs, or keys do where `strict`; all problems are listed together.

        >>> import rushlight as torch
        >>> first, second = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)
        >>> second.load_state_dict(first.state_dict())
        <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        missing_keys, unexpected_keys, error_msgs = [], [], []
        metadata = getattr(state_dict, "_metadata", None)
        state_dict = OrderedDict(state_dict)
        if metadata is not None:
            state_dict._metadata = metadata

        def load(module, local_state_dict, prefix=""):
            local_metadata = {} if metadata is None else metadata.get(prefix[:-1], {})
            if assign:
                local_metadata["assign_to_params_buffers"] = assign
            module._load_from_state_dict(
                local_state_dict, prefix, local_metadata, True, missing_keys, unexpected_keys, error_msgs
            )
            for name, child in module._modules.items():
                if child is not None:
                    child_prefix = prefix + name + "."
                    load(child, {k: v for k, v in local_state_dict.items() if k.startswith(child_prefix)}, child_prefix)
            incompatible_keys = _IncompatibleKeys(missing_keys, unexpected_keys)
            for hook in module._load_state_dict_post_hooks.values():
                if hook(module, incompatible_keys) is not None:
                    raise AssertionError(
                        "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new values, "
                        "if incompatible_keys need to be modified, it should be done inplace."
                    )

        load(self, state_dict)
        load = None  # (it calls itself: a circle that would live until somebody collects)
        if strict:
            if unexpected_keys:
                error_msgs.insert(0, f"Unexpected key(s) in state_dict: {_quoted(unexpected_keys)}. ")
            if missing_keys:
                error_msgs.insert(0, f"Missing key(s) in state_dict: {_quoted(missing_keys)}. ")
        if error_msgs:
            problems = "\n\t".join(error_msgs)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{problems}")
        return _IncompatibleKeys(missing_keys, unexpected_keys)


def _quoted(keys):
    return ", ".join(f'"{key}"' for key in keys)


class _PreHook:
    """A pre-hook of loading that is given its module first. It pickles with the module, and does not keep it alive."""

    def __init__(self, hook, module):
        self.hook = hook
        self.module = None if module is None else weakref.ref(module)

    def __call__(self, *args):
        if self.module is None:
            return self.hook(*args)
        module = self.module()
        if module is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(module, *args)

    def __getstate__(self):
        return self.hook, None if self.module is None else self.module()

    def __setstate__(self, state):
        self.__init__(*state)

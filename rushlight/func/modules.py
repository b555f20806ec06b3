"""Modules as functions of their parameters and buffers."""

from collections.abc import Sequence

import rushlight as torch
from rushlight.nn._lookup import has_ties, tensor_slots
from rushlight.nn.parallel import DataParallel

TYPE_CHECKING = False  # (checkers take it for true; `typing` is slow to import)
if TYPE_CHECKING:
    from typing import Any

__all__ = ["functional_call", "replace_all_batch_norm_modules_", "stack_module_state"]


def functional_call(module, parameter_and_buffer_dicts, args=None, kwargs=None, *, tie_weights=True, strict=False) -> "Any":
    """`module(*args, **kwargs)`, computed with the given parameters and buffers instead of its own.

    Args:
        parameter_and_buffer_dicts: names (as in `named_parameters`) and tensors: a dict, or several.
        args: The arguments; one that is no tuple is the only one.
        tie_weights: Tensors that the module has under several names are replaced under all of them.
        strict: Every parameter and buffer must be given, and nothing else.

    >>> import rushlight as torch
    >>> layer = torch.nn.Linear(2, 1)
    >>> torch.func.functional_call(layer, {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}, torch.tensor([1., 2.]))
    tensor([3.])
    """
    if isinstance(parameter_and_buffer_dicts, dict):
        given = parameter_and_buffer_dicts
    elif isinstance(parameter_and_buffer_dicts, Sequence):
        given = merged(parameter_and_buffer_dicts)
    else:
        raise ValueError(
            f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(parameter_and_buffer_dicts)}"
        )
    if isinstance(module, DataParallel):
        raise RuntimeError("The stateless API can't be used with nn.DataParallel module")
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    replaced = []
    try:
        replace(module, given, replaced, tie_weights, strict)
        return module(*args, **kwargs) if kwargs else module(*args)
    finally:
        put_back(replaced, given)


def replace(module, given, replaced, tie_weights, strict):
    """Puts the tensors of `given` into the module; `replaced` gets what stood there, as far as it came."""
    # (Without ties, and unless every name must be given, a module may contain itself.)
    slots = tensor_slots(module, "", {}) if tie_weights or strict else {}
    wanted = with_tied_names(slots, given) if tie_weights and has_ties(slots) else given
    if strict:
        check_names(module, slots, wanted)
    for name, tensor in wanted.items():
        table, key = slots.get(name) or slot_of(module, name, tensor)
        if tensor is not None and not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{tensor} is not an instance of torch.Tensor")
        replaced.append((name, table, key, table.get(key, MISSING), tensor))
        table[key] = tensor


def put_back(replaced, given):
    """Makes the module what it was before `replace`."""
    # A module that has set one of them anew (a running mean) has changed what was given to it.
    for name, table, key, _, tensor in replaced:
        if table.get(key) is not tensor and name in given:
            given[name] = table.get(key)
    # Last to first: one place of a module that is there under several names was replaced once for each of them.
    for _, table, key, before, _ in reversed(replaced):
        if before is MISSING:
            table.pop(key, None)
        else:
            table[key] = before


MISSING = object()


def merged(dicts):
    """One dict of several that have no key in common."""
    if not all(isinstance(one, dict) for one in dicts):
        raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    keys = [key for one in dicts for key in one]
    twice = [key for place, key in enumerate(keys) if key in keys[:place]]
    if twice:
        raise ValueError(f"{twice} appeared in multiple dictionaries; behavior of functional call is ambiguous")
    return {key: value for one in dicts for key, value in one.items()}


def with_tied_names(slots, given):
    """`given`, with each tensor also under the other names that the module has for what it replaces."""
    names_of: dict = {}
    for name, (table, key) in slots.items():
        names_of.setdefault(id(table[key]), []).append(name)
    complete = dict(given)
    for names in names_of.values():
        present = [name for name in names if name in given]
        if len(names) == 1 or not present:
            continue
        if any(given[name] is not given[present[0]] for name in present):
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(names)}, which are tied. Consider using tie_weights=False"
            )
        complete.update(dict.fromkeys(names, given[present[0]]))
    return complete


def check_names(module, slots, wanted):
    """Refuses names that the module has not, and a lack of those that it has."""
    unexpected, missing = sorted(set(wanted) - set(slots)), sorted(set(slots) - set(wanted))
    if unexpected or missing:
        text = f"Error(s) in reparametrizing for {module._get_name()}:"
        for what, keys in (("Unexpected", unexpected), ("Missing", missing)):
            text += f"\n\t{what} key(s): " + ", ".join(f"'{key}'" for key in keys) + "." if keys else ""
        raise RuntimeError(text)


def slot_of(module, name, tensor):
    """Where a module keeps what is called `name`, if it is not among its tensors, or would keep `tensor` under that name: (table, key)."""
    path, _, attribute = name.rpartition(".")
    owner = module
    for part in path.split(".") if path else ():
        if not hasattr(owner, part):
            raise AttributeError(f"{owner._get_name()} has no attribute `{part}`")
        found = getattr(owner, part)
        if not isinstance(found, torch.nn.Module):
            raise TypeError(f"submodule `{part}`: {found} is not an instance of torch.nn.Module")
        owner = found
    if attribute == "":
        raise KeyError('tensor name can\'t be empty string ""')
    for table in (owner._parameters, owner._buffers):
        if attribute in table:
            return table, attribute
    found = getattr(owner, attribute, None)
    if found is None and not hasattr(owner, attribute) and isinstance(tensor, torch.nn.Parameter):
        return owner._parameters, attribute
    if found is not None and not isinstance(found, torch.Tensor):
        raise TypeError(f"attribute `{attribute}`: {found} is not an instance of torch.Tensor")
    return owner.__dict__, attribute


def stack_module_state(models):
    """(parameters, buffers) of several modules of one kind as two dicts of stacked tensors, the modules being dimension 0.

    >>> import rushlight as torch
    >>> models = [torch.nn.Linear(2, 1) for _ in range(3)]
    >>> parameters, buffers = torch.func.stack_module_state(models)
    >>> base = models[0]
    >>> outputs = torch.func.vmap(lambda p, x: torch.func.functional_call(base, p, x), (0, None))(parameters, torch.ones(2))
    >>> outputs.shape
    torch.Size([3, 1])
    """
    if len(models) == 0:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if not (all(model.training for model in models) or all(not model.training for model in models)):
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if not all(type(model) is type(models[0]) for model in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = [dict(model.named_parameters()) for model in models]
    buffers = [dict(model.named_buffers()) for model in models]
    return (
        {name: stacked([one[name] for one in parameters], name, True) for name in parameters[0]},
        {name: stacked([one[name] for one in buffers], name, False) for name in buffers[0]},
    )


def stacked(tensors, name, is_parameter):
    """Tensors one upon the other, a leaf that requires grad where they do."""
    wanted = tensors[0].requires_grad
    if any(tensor.requires_grad is not wanted for tensor in tensors):
        raise RuntimeError(f"Expected {name} from each model to have the same .requires_grad")
    made = torch.stack(list(tensors)).detach()
    return made.requires_grad_(wanted) if is_parameter else made


def replace_all_batch_norm_modules_(root):
    """Makes every batch normalization in `root` forget its running statistics (which vmap could not update), in place.

    >>> import rushlight as torch
    >>> layer = torch.func.replace_all_batch_norm_modules_(torch.nn.BatchNorm1d(2))
    >>> layer.track_running_stats
    False
    """
    for module in root.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root

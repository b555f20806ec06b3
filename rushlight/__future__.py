"""How modules take other tensors: settings for whole programs."""

__all__ = [
    "get_overwrite_module_params_on_conversion", "get_swap_module_params_on_conversion", "set_overwrite_module_params_on_conversion",
    "set_swap_module_params_on_conversion",
]  # fmt: skip

_overwrite = False
_swap = False


def set_overwrite_module_params_on_conversion(value: bool) -> None:
    """Sets whether a module that is converted gets new parameters; otherwise its parameters get other memory.

    >>> import rushlight as torch
    >>> layer = torch.nn.Linear(2, 3)
    >>> before = layer.weight
    >>> torch.__future__.set_overwrite_module_params_on_conversion(True)
    >>> layer.double().weight is before
    False
    >>> torch.__future__.set_overwrite_module_params_on_conversion(False)
    """
    global _overwrite
    _overwrite = value


def get_overwrite_module_params_on_conversion() -> bool:
    """Whether a module that is converted gets new parameters.

    >>> import rushlight as torch
    >>> torch.__future__.get_overwrite_module_params_on_conversion()
    False
    """
    return _overwrite


def set_swap_module_params_on_conversion(value: bool) -> None:
    """Sets whether the tensors of a module that is converted, or that loads a state, change places with the new ones
    (`torch.utils.swap_tensors`). It goes before `set_overwrite_module_params_on_conversion`.

    >>> import rushlight as torch
    >>> torch.__future__.set_swap_module_params_on_conversion(True)
    >>> torch.nn.Linear(2, 3).double().weight.dtype
    torch.float64
    >>> torch.__future__.set_swap_module_params_on_conversion(False)
    """
    global _swap
    _swap = value


def get_swap_module_params_on_conversion() -> bool:
    """Whether the tensors of a module that is converted, or that loads a state, change places with the new ones.

    >>> import rushlight as torch
    >>> torch.__future__.get_swap_module_params_on_conversion()
    False
    """
    return _swap

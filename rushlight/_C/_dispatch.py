"""Keys by which PyTorch chooses an op's kernel. Nothing here is chosen by them: packages say what is to be left out of a call."""

import enum


class DispatchKey(enum.Enum):
    """What an op's kernel is for."""

    Undefined = 0
    Dense = 1
    CPU = 49
    Meta = 64
    BackendSelect = 22
    Python = 23
    Functionalize = 25
    ADInplaceOrView = 32
    AutogradOther = 33
    AutogradCPU = 115
    AutocastCPU = 37
    AutocastCUDA = 43
    AutocastXPU = 38
    AutocastMPS = 45


class DispatchKeySet:
    """A set of keys."""

    def __init__(self, *keys):
        self.keys = frozenset(keys)

    def __or__(self, other):
        return DispatchKeySet(*self.keys, *other.keys)

    def __and__(self, other):
        return DispatchKeySet(*self.keys & other.keys)

    def __sub__(self, other):
        return DispatchKeySet(*self.keys - other.keys)

    def add(self, key):
        """The set with one key more."""
        return DispatchKeySet(*self.keys, key)

    def remove(self, key):
        """The set without a key."""
        return DispatchKeySet(*self.keys - {key})

    def has(self, key):
        """Whether a key is among them."""
        return key in self.keys

    def __repr__(self):
        return f"DispatchKeySet({', '.join(sorted(key.name for key in self.keys))})"


class ExcludeDispatchKeyGuard:
    """A context without kernels of some keys. Without those of autocast, which alone matter here, autocast is off."""

    def __init__(self, keys):
        self.keys = keys

    def __enter__(self):
        from rushlight import amp

        self.autocast = None
        if self.keys.has(DispatchKey.AutocastCPU):
            self.autocast = amp.autocast("cpu", enabled=False)
            self.autocast.__enter__()

    def __exit__(self, *exc):
        if self.autocast is not None:
            self.autocast.__exit__(*exc)

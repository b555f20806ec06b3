"""Modules of settings that programs make, of things that there are not: what is set is remembered, and patched for a `with` block."""

import contextlib
import sys
import types

__all__ = ["Patch", "SettingsModule", "make_settings"]


class Patch(contextlib.ContextDecorator):
    """Settings that have other values within a block, or within a decorated function."""

    def __init__(self, module, changes):
        self.module, self.changes = module, changes

    def __enter__(self):
        self.before = {name: getattr(self.module, name) for name in self.changes}
        for name, value in self.changes.items():
            setattr(self.module, name, value)

    def __exit__(self, *exc):
        for name, value in self.before.items():
            setattr(self.module, name, value)


class SettingsModule(types.ModuleType):
    """A module whose unknown names are errors, with PyTorch's text."""

    def __getattr__(self, name):
        raise AttributeError(f"{self.__name__.replace('rushlight', 'torch', 1)}.{name} does not exist")

    def patch(self, arg1=None, arg2=None, **kwargs):
        """Gives settings other values: by a name and a value, a dict, or keywords; as a context or decorator."""
        changes = {arg1: arg2} if isinstance(arg1, str) else dict(arg1 or {}, **kwargs)
        return Patch(self, changes)

    def get_config_copy(self):
        """All settings."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    save_config_portable = get_config_copy


def make_settings(name, **settings):
    """Turns the module `name` into one of these settings."""
    module = sys.modules[name]
    vars(module).update(settings)
    module.__class__ = SettingsModule

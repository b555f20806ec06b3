"""Classes that are compiled for PyTorch: there are none."""

import types


class _Namespace(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise RuntimeError(
            f"Tried to instantiate class '{self.__name__.rpartition('.')[2]}.{name}', but it does not exist! Ensure that it is registered "
            "via torch::class_"
        )


class _Classes(types.ModuleType):
    __file__ = "_classes.py"

    def __getattr__(self, name):
        if name.startswith("__"):  # what Python asks of any object, such as what it wraps
            raise AttributeError(name)
        made = _Namespace(f"torch.classes.{name}")
        setattr(self, name, made)
        return made

    def load_library(self, path):
        """Refuses a library that is compiled for PyTorch."""
        import rushlight

        rushlight.ops.load_library(path)

    @property
    def loaded_libraries(self):
        """None has been loaded."""
        return set()


classes = _Classes("torch.classes")

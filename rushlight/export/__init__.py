"""Programs as graphs, which Rushlight does not make of models: it runs them as they are."""

from rushlight._absent import answering as _answering
from rushlight._absent import dummies as _dummies

__all__ = ["Dim", "ExportedProgram", "UnflattenedModule", "export", "load", "save"]

_NO_GRAPHS = RuntimeError("torch.export: Rushlight has no graphs of programs; export from PyTorch, with the same state_dict")

globals().update(
    _answering(
        __name__,
        {
            "export(mod, args, kwargs=None, *, dynamic_shapes=None, strict=False, preserve_module_call_signature=(), prefer_deferred_runtime_asserts_over_guards=False)": _NO_GRAPHS,
            "load(f, *, extra_files=None, expected_opset_version=None)": _NO_GRAPHS,
            "save(ep, f, *, extra_files=None, opset_version=None, pickle_protocol=2)": _NO_GRAPHS,
            "register_dataclass(cls, *, serialized_type_name=None)": None,
        },
    )
)
globals().update(_dummies(__name__, "ExportedProgram", "UnflattenedModule", "ExportGraphSignature", "ModuleCallEntry"))


class Dim:
    """The name of a size that may differ between calls.

    Args:
        name: The name.
        min: The least that it may be.
        max: The most.

    >>> import rushlight as torch
    >>> torch.export.Dim("batch", max=64).__name__
    'batch'
    """

    AUTO, DYNAMIC, STATIC = "auto", "dynamic", "static"

    def __init__(self, name, *, min=None, max=None):
        self.__name__, self.min, self.max = name, min, max

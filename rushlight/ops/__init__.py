"""The op table: every operation, declared once. A file for each family; `_declare` says how."""

import importlib
import os
import sys
from itertools import islice

from rushlight import core
from rushlight.ops._declare import namespaces, table
from rushlight._overridable import overridable
from rushlight.ops._parsers import add_parsers, method_with_parser

FAMILIES = (
    "arithmetic",
    "powers",
    "elementary",
    "error_and_gamma",
    "comparison",
    "bits",
    "bounds",
    "steps",
    "activation",
    "shape",
    "parts",
    "complex_views",
    "splitting",
    "rearranging",
    "broadcasting",
    "joining",
    "padding",
    "conversion",
    "creation",
    "ranges",
    "random",
    "sampling",
    "reduction",
    "scan",
    "indexing",
    "sorting",
    "matmul",
    "contraction",
    "neural",
)

LATE = {
    "combinations": (),
    "convolution": (),
    "attention": (),
    "patches": (),
    "losses": (),
    "bags": (),
    "ctc": (),
    "normalization": (),
    "batch_normalization": (),
    "dropout": (),
    "pooling": (),
    "mean_pooling": (),
    "resampling": (),
    "grids": (),
    "decomposition": ("svd",),
    "linear_systems": ("det", "inverse", "logdet", "slogdet"),
    "eigen": (),
    "foreach": (),
    "fourier": (),
    "histograms": ("histogram",),
    "lu": ("lu", "lu_solve"),
    "triangles": ("cholesky", "cholesky_inverse", "cholesky_solve", "triangular_solve"),
    "orthogonal": ("geqrf", "qr"),
    "reflections": ("orgqr", "ormqr"),
    "symmetric_indefinite": (),
    "matrix_functions": ("matrix_exp", "matrix_power", "pinverse"),
    "least_squares": (),
    "products": (),
    "recurrent": (),
    "sequences": (),
    "coordinates": (
        "_coalesced_",
        "_indices",
        "_nnz",
        "_values",
        "ccol_indices",
        "coalesce",
        "col_indices",
        "crow_indices",
        "dense_dim",
        "indices",
        "is_coalesced",
        "row_indices",
        "smm",
        "sparse_dim",
        "sparse_mask",
        "sspaddmm",
        "to_dense",
        "to_sparse",
        "to_sparse_coo",
        "to_sparse_csc",
        "to_sparse_csr",
        "values",
    ),
    "short_time": ("istft", "stft"),
    "special_functions": (),
    "segments": ("hash_tensor", "nonzero_static"),
    "windows": (),
    "older": (),
}
"""Families that are declared when a program first asks for a name that is not there yet, so that importing the package stays quick, and the
methods that they have."""

TITLES = {
    "torch": ("", {"_segment_reduce": "segment_reduce", "hsmm": "hspmm", "saddmm": "sspaddmm"}),
    "nn": ("", {"nll_loss": "nll_loss_nd"}),
    "linalg": ("linalg_", None),
    "special": ("special_", None),
    "fft": ("fft_", None),
    "aten": ("", None),
}
"""What errors call the functions of a namespace: what stands before their names, and those that are called otherwise."""

MODULES = {
    "torch": "rushlight",
    "linalg": "rushlight.linalg",
    "special": "rushlight.special",
    "fft": "rushlight.fft",
    "nn": None,
    "aten": None,
}
"""The modules in which programs find what a namespace has; what is in "aten" has its internal name alone, in `torch.ops.aten`."""

OPERATORS = {
    "rsub": ("__rsub__", None, None),
    "pow": ("__pow__", "__rpow__", "__ipow__"),
    "remainder": (None, "__rmod__", None),
    "floor_divide": ("__floordiv__", "__rfloordiv__", None),
    "matmul": (None, "__rmatmul__", None),
    "bitwise_left_shift": ("__lshift__", "__rlshift__", "__ilshift__"),
    "bitwise_right_shift": ("__rshift__", "__rrshift__", "__irshift__"),
    "bitwise_and": ("__and__", None, "__iand__"),
    "bitwise_or": ("__or__", None, "__ior__"),
    "bitwise_xor": ("__xor__", None, "__ixor__"),
    "eq": ("__eq__", None, None),
}
"""As what subclasses and modes are asked of the operators op(a, b), op(b, a) and a = op(a, b), where it is no method of the op's name."""

connected = {"Tensor": 0, **dict.fromkeys(TITLES, 0)}
"""How many names of each namespace have their parsers."""


class Layers:
    """What nn.functional is made of: the functions of torch, and those that are no others' (`namespace="nn"`), by the names of their ops."""

    def __getattr__(self, name):
        made = find(name, "nn", "torch")
        if made is None:
            raise AttributeError(f"no op is called {name!r}")
        setattr(self, name, made)
        return made


layers = Layers()


class LateMethod:
    """Stands for a method of a late family until somebody asks for it."""

    def __init__(self, name, family):
        self.name, self.family = name, family

    def __get__(self, tensor, owner):
        declare(self.family)
        return getattr(owner if tensor is None else tensor, self.name)


def connect():
    """Declares the ops and puts them on Tensor and into the core, which calls some itself."""
    for family in FAMILIES:
        importlib.import_module(f"rushlight.ops.{family}")
    connect_new()
    for name, method in core.compiled_methods():
        core.install_method(name, method_with_parser(name, method))
    for name, method in core.operator_methods():
        core.install_method(name, method)
    for family, methods in LATE.items():
        for name in methods:
            core.install_method(name, LateMethod(name, family))
    core.connect_ops(table, namespaces["Tensor"])
    for name, methods in OPERATORS.items():
        table[name].operator_methods = methods


def connect_new():
    """Gives what was declared since the last time its parser and its place: methods on tensors, functions in their modules."""
    new = {space: list(islice(namespaces.get(space, ()), count, None)) for space, count in connected.items()}
    for space, names in new.items():
        connected[space] += len(names)
    for name in new["Tensor"]:
        core.install_method(name, method_with_parser(name, namespaces["Tensor"][name]))
    for space, (prefix, titles) in TITLES.items():
        names = {name: namespaces[space][name] for name in new[space]}
        add_parsers(names, prefix, list(names) if space == "nn" else None, titles)
        namespaces.get(space, {}).update(names)
        overridable(names.values())
        module = sys.modules.get(MODULES[space])
        if module is not None:
            vars(module).update(names)


def declare(family):
    """Declares the ops of a family."""
    importlib.import_module(f"rushlight.ops.{family}")
    connect_new()


def find(name, *spaces):
    """What is called so in one of these namespaces, None if nothing is: late families are declared until one has it."""
    connect_new()
    for family in (None, *LATE):
        if family is not None:
            declare(family)
        for space in spaces:
            if name in namespaces.get(space, ()):
                return namespaces[space][name]
    return None


def declare_all():
    """Declares the late families, for who wants to see every op."""
    for family in LATE:
        declare(family)


def load_library(path):
    """Refuses a library of ops that is compiled for PyTorch; the package that it belongs to may do without."""
    importlib.import_module("rushlight._ops").unloaded.add(os.path.basename(os.path.dirname(os.fspath(path))))
    raise OSError(f"{path}: Rushlight cannot load what is compiled for PyTorch")


def __getattr__(name):
    """`torch.ops.NAMESPACE`, which any name is: what programs define by `torch.library`, and PyTorch's own ops by their internal names."""
    place = os.path.join(os.path.dirname(__file__), name)
    # (A module of ours may not be imported yet.)
    if name.startswith("_") or os.path.exists(place + ".py") or os.path.exists(place):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = importlib.import_module("rushlight._ops").namespace(name)
    return globals().setdefault(name, made)  # (programs delete the attribute)

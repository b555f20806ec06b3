"""The op table: every operation, declared once. A file for each family; `_declare` says how."""

import importlib
from types import SimpleNamespace

from rushlight import core
from rushlight.ops._declare import namespaces, table
from rushlight.ops._parsers import add_parsers, method_with_parser

FAMILIES = (
    "arithmetic",
    "elementary",
    "comparison",
    "steps",
    "activation",
    "shape",
    "joining",
    "padding",
    "conversion",
    "creation",
    "windows",
    "random",
    "sampling",
    "dropout",
    "reduction",
    "scan",
    "indexing",
    "sorting",
    "matmul",
    "contraction",
    "decomposition",
    "linear_systems",
    "lu",
    "triangles",
    "orthogonal",
    "eigen",
    "matrix_functions",
    "neural",
    "normalization",
    "losses",
)

layers = SimpleNamespace()
"""What nn.functional is made of: the functions of torch, and those that are no others' (`namespace="nn"`), by the names of their ops."""


def connect():
    """Declares every op and puts them on Tensor and into the core, which calls some itself."""
    for family in FAMILIES:
        importlib.import_module(f"rushlight.ops.{family}")
    for name, method in [*namespaces["Tensor"].items(), *core.compiled_methods()]:
        core.install_method(name, method_with_parser(name, method))
    for name, method in core.operator_methods():
        core.install_method(name, method)
    add_parsers(namespaces["torch"])
    for name in ("linalg", "special"):
        add_parsers(namespaces[name], f"{name}_")
    add_parsers(namespaces["nn"], only=list(namespaces["nn"]), titles={"nll_loss": "nll_loss_nd"})
    vars(layers).update(namespaces["torch"] | namespaces["nn"])
    core.connect_ops(table, namespaces["Tensor"])

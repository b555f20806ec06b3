"""What Python reads of a node: its outputs, and what it keeps by the names of PyTorch, node._saved_self, node._raw_saved_result, …"""

from rushlight import core
from rushlight.core import SavedTensor, Size


class OutputMetadata:
    """Shape and dtype of one output of a node."""

    __slots__ = ("dtype", "shape")
    is_nested_tensor = is_cpp_nested_tensor = False

    def __init__(self, shape, dtype):
        self.shape, self.dtype = list(shape), dtype

    @property
    def device(self):
        return core.device("cpu")

    def __repr__(self):
        return f"OutputMetadata(shape={self.shape}, dtype={self.dtype})"


PARAMETERS = {"x": "self", "a": "self", "b": "other"}


def name_of(op, kind, index):
    """The name of what a rule takes from `index` of the op's parameters or outputs, or None where it has none."""
    if kind == core.FROM_OUTPUT:
        return op.outputs[index] if op.outputs else "result"
    if kind not in (core.FROM_ARGUMENT, core.FROM_SHAPE):
        return None
    parameter = PARAMETERS.get(op.parameters[index], op.parameters[index])
    return parameter if kind == core.FROM_ARGUMENT else parameter + "_sym_sizes"


def is_differentiable(op, kind, index):
    return kind == core.FROM_OUTPUT or (kind == core.FROM_ARGUMENT and index in op.tensor_parameters)


def keeps_tensor(op, kind, index, value, freed):
    """Is there a tensor (or was there, before it was freed)? Then the node has a `_raw_saved_` besides."""
    if isinstance(value, SavedTensor | list):
        return True
    if core.dtype_of_number(value) is not None and (has_variants(op) or op.parameters[index] not in ("a", "b")):
        return False
    return (value is None and freed) or is_differentiable(op, kind, index)


def has_variants(op):
    return len(op.backward_names) > 1


def saved_names(node):
    """name -> (place in what the node saves, whether that is a tensor); place -1 for what only nodes with other inputs tracked save."""
    op, names = core.node_op(node), {}
    freed, variant, parts = core.saved_parts(node)
    whole = isinstance(op, core.ReductionOp) and has_variants(op) and variant == 0
    for i, (kind, index, value) in enumerate(parts):
        name = name_of(op, kind, index)
        if name is not None and not (whole and name in ("dim", "keepdim")):  # (x.sum() has no such arguments in PyTorch)
            names[name] = (i, keeps_tensor(op, kind, index, value, freed))
    for rule in () if has_variants(op) else op.rules:
        for kind, index in rule.sources:
            name = name_of(op, kind, index)
            if name is not None and name not in names and is_differentiable(op, kind, index):
                names[name] = (-1, True)
    return names


def saved_attributes(node):
    """What dir(node) adds."""
    found = []
    for name, (_, has_raw) in saved_names(node).items():
        found += [f"_saved_{name}", f"_raw_saved_{name}"] if has_raw else [f"_saved_{name}"]
    return found


def saved_attribute(node, attribute):
    """node._saved_self and its kin."""
    raw = attribute.startswith("_raw_saved_")
    name = attribute.removeprefix("_raw_saved_" if raw else "_saved_")
    place, is_tensor = saved_names(node).get(name, (None, False))
    if place is None or (raw and not is_tensor):
        raise AttributeError(f"'{type(node).__name__}' object has no attribute '{attribute}'")
    if raw:
        return core.raw_part(node, place)
    if place < 0:
        return None
    freed, _, parts = core.saved_parts(node)
    if is_tensor and freed:
        raise RuntimeError(core.FREED_TEXT)
    kind, index, _ = parts[place]
    return as_pytorch_keeps_it(core.node_op(node), kind, index, name, core.unpacked_part(node, place))


def as_pytorch_keeps_it(op, kind, index, name, value):
    if isinstance(value, list | Size):
        return tuple(item for item in value if item is not core.MASK_CONTINUES)
    if name == "reduction":
        return ("none", "mean", "sum").index(value)
    lists = index == op.sizes or (name == "dim" and isinstance(op, core.ReductionOp) and not op.single)
    if type(value) is int and kind == core.FROM_ARGUMENT and lists:
        return (value,)
    if name in ("self", "other") and not has_variants(op) and core.dtype_of_number(value) is not None:
        return core.tensor(value)
    return value

"""Walking a recorded graph: its nodes in the order of the program, what they are called, and what they keep."""

import gc
import itertools
import sys

from rushlight import core
from rushlight.core import AccumulateGrad, Node, Tensor
from rushlight.explain._report import shape_text
from rushlight.ops._names import public_name


def is_a(obj, kinds):
    """isinstance for any object of the process: it looks at the type alone, since asking a foreign object may run its code."""
    return issubclass(type(obj), kinds)


def is_module(obj):
    """Whether an object is an nn.Module; a program that has none need not import them."""
    module = sys.modules.get("rushlight.nn.modules.module")
    return module is not None and is_a(obj, module.Module)


def is_parameter(tensor):
    """Whether a tensor is an nn.Parameter."""
    module = sys.modules.get("rushlight.nn.parameter")
    return module is not None and isinstance(tensor, module.Parameter)


def root_of(loss):
    """The node where backward from a tensor, a node or a GradientEdge starts."""
    if isinstance(loss, Node):
        return loss
    if isinstance(loss, Tensor):
        return core.edge_pair(loss)[0] if loss.requires_grad else None
    return loss.node


def roots_of(loss):
    """The nodes where backward from a loss, or several, starts."""
    several = loss if isinstance(loss, (list, tuple)) and not hasattr(loss, "node") else [loss]
    found = []
    for one in several:
        root = root_of(one)
        if root is not None and root not in found:
            found.append(root)
    return found


def is_leaf_node(node):
    """Whether a node is the end of a path: adds to some leaf's `.grad`."""
    return isinstance(node, AccumulateGrad)


def order_of(node):
    """Sorts nodes as the program ran them, leaves first."""
    return -1 if is_leaf_node(node) else node._sequence_nr()


def inputs_of(node):
    """The nodes that a node's gradients go to, without gaps."""
    return [target for target, _ in node.next_functions if target is not None]


def nodes_of(roots):
    """All nodes that lead to `roots`, as the program ran them; leaves first."""
    found, waiting = {id(root): root for root in roots}, list(roots)
    while waiting:
        for target in inputs_of(waiting.pop()):
            if id(target) not in found:
                found[id(target)] = target
                waiting.append(target)
    return sorted(found.values(), key=order_of)


def computed_from(starts, nodes=None):
    """The ids of those nodes (of all that live, by default) that lead back to one of `starts`, these included."""
    found = {id(start) for start in starts}
    for node in living_nodes() if nodes is None else nodes:
        if id(node) not in found and any(id(target) in found for target in inputs_of(node)):
            found.add(id(node))
    return found


def living_nodes():
    """Every node that is alive in this process, in the order of the program."""
    return sorted((o for o in gc.get_objects() if is_a(o, Node) and not is_leaf_node(o)), key=order_of)


def living_tensors():
    """Every tensor that is alive in this process."""
    return [o for o in gc.get_objects() if is_a(o, Tensor)]


def op_name(node):
    """What the program calls a node's operation: mul, relu, a Function's name."""
    op = core.node_op(node)
    if op is not None:
        return public_name(op)
    if is_leaf_node(node):
        return "leaf"
    if isinstance(node, core.CopySlices):
        return "write into a view"
    if isinstance(node, core.AsStridedNode):
        return "view of a written tensor"
    cls = getattr(node, "_forward_cls", None)
    return cls.__name__ if cls is not None else node.name()


def output_shape(node):
    """The shape of a node's first output."""
    return tuple(node.variable.shape) if is_leaf_node(node) else tuple(node._input_metadata[0].shape)


def output_dtype(node):
    """The dtype of a node's first output."""
    return node.variable.dtype if is_leaf_node(node) else node._input_metadata[0].dtype


def saved_tensors(node):
    """What a node keeps: (name, tensor or None where hooks keep something else, the SavedTensor); None where it was freed."""
    saved = core.node_saved(node)
    if saved is None:
        return None
    found = []
    for name, value in saved:
        if isinstance(value, core.SavedTensor):
            found.append((name, core.saved_value(value), value))
        elif isinstance(value, list):
            found += [(f"{name}[{i}]", core.saved_value(v), v) for i, v in enumerate(value) if isinstance(v, core.SavedTensor)]
    return found


def overwritten_leaf(node):
    """The leaf that was written since a node saved it, or a view of it; None where no such thing happened."""
    for _, tensor, saved in saved_tensors(node) or ():
        if tensor is not None and not core.saved_is_intact(saved):
            for leaf in (tensor, tensor._base):
                if leaf is not None and leaf.is_leaf and leaf.requires_grad:
                    return leaf
    return None


def was_freed(nodes):
    """Whether a backward has run through these nodes and freed what they kept."""
    return any(core.node_saved(node) is None for node in nodes)


def address_of(tensor):
    """The address of the memory behind a tensor: the same for a tensor, its views, its detach() and its .data."""
    return core.storage_of(tensor).data_ptr()


def names_from(module):
    """Names of leaves by id: from a Module, a dict of tensors, or pairs of name and tensor."""
    if module is None:
        return {}
    if hasattr(module, "named_parameters"):
        pairs = itertools.chain(module.named_parameters(), module.named_buffers())
    else:
        pairs = module.items() if hasattr(module, "items") else module
    return {id(tensor): name for name, tensor in pairs}


def describe_tensor(tensor):
    """Kind and size of a tensor in a few words: `3×4 float32`."""
    return f"{shape_text(tensor.shape)} {tensor.dtype.name}"

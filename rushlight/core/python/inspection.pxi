# What rushlight.explain asks of a graph, and nothing else does: facts that no other part of the public API shows.
def node_op(Node node not None):
    """The op of the table that a node records, or None (leaves, Functions, writes into views)."""
    return node.plan.op if isinstance(node, OpNode) else None

def node_rules(Node node not None):
    """The derivative rules that a node will call: (rule, number of the edge that gets its result)."""
    if not isinstance(node, OpNode):
        return []
    return [(rule, node.plan.edges[i]) for i, rule in enumerate(node.plan.rules)]

def node_saved(Node node not None):
    """What a node keeps, as (name, value) pairs with SavedTensor for tensors; None where backward has freed it."""
    if isinstance(node, CopySlices):
        return None if (<CopySlices>node).function is None else node_saved((<CopySlices>node).function)
    if isinstance(node, FunctionNode):
        return None if (<FunctionNode>node).freed else [(f"saved_tensors[{i}]", value) for i, value in enumerate(node.saved or ())]
    if not isinstance(node, OpNode):
        return []
    freed, _, parts = saved_parts(<OpNode>node)
    return None if freed else [(name_of_part(node.plan.op, kind, index), unpack_item(<OpNode>node, i, None) if value is None else value)
                               for i, (kind, index, value) in enumerate(parts)]

cdef str name_of_part(Op op, int kind, int index):
    if kind == FROM_OUTPUT:
        return op.outputs[index] if op.outputs else "out"
    return op.parameters[index] + {FROM_SHAPE: "_shape", FROM_DTYPE: "_dtype", FROM_COLUMN_MAJOR: "_column_major"}.get(kind, "")

def saved_value(SavedTensor saved not None):
    """The tensor that is kept, or None where hooks keep something else."""
    return saved.tensor

def saved_is_output(SavedTensor saved not None):
    """Whether a saved tensor is an output of its node (else it is an input)."""
    return saved.is_output

def saved_is_intact(SavedTensor saved not None):
    """Whether nobody has written to a saved tensor since it was saved."""
    return saved.tensor is None or saved.tensor.storage.version == saved.version

def node_step(Node node not None, tuple gradients):
    """Runs one node, hooks aside: gradients of its outputs to gradients of its inputs, in the shapes and dtypes of these."""
    cdef tuple results = validated(node, node.backward(gradients[0] if node.more_outputs is None else gradients, None))
    return tuple([None if edge_at(node, i) is None else value for i, value in enumerate(results)])

def shares_version(Tensor a not None, Tensor b not None):
    """Whether a write to one counts as a write to the other: so it is for views and detach(), and not for .data."""
    return a.storage is b.storage

def written_line(Tensor tensor not None):
    """(file, line number) of the last in-place write into a tensor's memory, or None."""
    return source_line(tensor.storage.written.code, tensor.storage.written.instruction)

def view_creation(Tensor tensor not None):
    """How a view was made, where that matters: "no_grad", "inference", "several" (split, unbind), "function", else None."""
    return (None, "function", "several", "no_grad", "inference")[tensor.creation] if tensor.base is not None else None

# What a node keeps, as Python sees it: rushlight/autograd/_nodes.py has the names, node._saved_self, node._raw_saved_result, ...
def saved_parts(OpNode node not None):
    """Whether backward has freed it, which of the op's names the node has, and (FROM_…, index) and what is kept of it (a SavedTensor, a list of
    them, or what is no tensor) for each thing that it saves."""
    cdef Plan plan = node.plan
    cdef int i
    return node.freed, node.variant, [(plan.saved_kind[i], plan.saved_index[i], saved_part(node, i)) for i in range(plan.saved_count)]

cdef object saved_part(OpNode node, int i):
    value = <object>saved_items(node)[i]
    return saved_tensor_of(node, i, value) if i < PLAINLY_SAVED and node.saved_plainly >> i & 1 else value

def unpacked_part(OpNode node not None, int i):
    """What backward gets of it."""
    cdef GradMode grad
    grad.set(True)
    return unpack_item(node, i, <object>saved_items(node)[i])

def raw_part(OpNode node not None, int i):
    """The SavedTensor (or a tuple of them); from now on it is kept, for the hooks that may come on it."""
    if i < 0 or node.freed:
        return saved_nothing(node.freed)
    value = saved_part(node, i)
    if i < PLAINLY_SAVED and node.saved_plainly >> i & 1:
        put_item(&saved_items(node)[i], <PyObject*>value)
        node.saved_plainly &= ~(1 << i)
    if type(value) is list:
        return tuple([saved_nothing(False) if item is None else item for item in value])
    return value if type(value) is SavedTensor else saved_nothing(False)

cdef SavedTensor saved_nothing(bint freed):
    """Stands where there is no tensor, or none any more."""
    cdef SavedTensor saved = SavedTensor.__new__(SavedTensor)
    saved.freed = freed
    return saved

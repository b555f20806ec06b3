# The graph. A node is one recorded operation; its edges lead to the nodes that made its inputs, or to the leaves among them.
FREED_TEXT = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). "
    "Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if "
    "you need to backward through the graph a second time or if you need to access saved tensors after calling backward."
)


cdef uint64_t sequence_counter = 0

def sequence_number():
    """The number that the next recorded node will have."""
    return sequence_counter + 1

cdef inline uint64_t next_sequence() noexcept:
    global sequence_counter
    sequence_counter += 1
    return sequence_counter

_node_types = {}
cdef extern from *:
    """
    static inline void rl_set_type(PyObject* object, PyObject* type) {
      Py_INCREF(type);
      Py_SET_TYPE(object, (PyTypeObject*)type);
    }
    """
    void set_type "rl_set_type"(object, object) noexcept

cdef Node expose(Node node):
    """Python sees this node: it takes a type of its operation's name. Until then nodes share one type, which costs nothing."""
    cdef object kind
    if type(node) is OpNode:
        name = node.backward_name()
        kind = _node_types.get(name)
        if kind is None:
            kind = _node_types[name] = type(name, (OpNode,), {"__slots__": (), "__module__": "builtins"})
        set_type(node, kind)
    return node

cdef void free_items(list values):
    for value in values:
        if type(value) is SavedTensor:
            (<SavedTensor>value).freed = True

cdef str error_name(str backward_name):
    """In errors about overwritten values PyTorch calls AddBackward0 'Add', and MaxBackward1 'Max1'."""
    head, found, rest = backward_name.partition("Backward")
    if found and not head:      # BackwardHookFunctionBackward
        return found + rest.partition("Backward")[0]
    return head + rest if rest.isdigit() and rest != "0" else head

cdef AccumulateGrad accumulator_of(Tensor leaf):
    """The node of a leaf. Graphs hold it, it holds the leaf; the leaf knows it only as long as a graph does."""
    cdef AccumulateGrad node
    if leaf.accumulator != NULL:
        return <AccumulateGrad><object>leaf.accumulator
    node = bare_leaf_node()
    node.sequence = <uint64_t>LEAF_SEQUENCE
    node.leaf = leaf
    node.shape.set_shape(leaf.geometry.shape, leaf.geometry.ndim)
    node.dtype_code = gradient_code(leaf)
    leaf.accumulator = <PyObject*>node
    node.link.known_by = &leaf.accumulator
    return node

cdef inline Node edge_at(Node node, Py_ssize_t i):
    """The node to which the gradient of input `i` goes, or None. A leaf gets its AccumulateGrad when it is first asked for."""
    cdef PyObject* target = edge_items(node)[i]
    if node.leaf_edges and node.leaf_edges >> i & 1:
        return accumulator_of(<Tensor>target)
    return <Node>target

cdef keep_accumulators(Node node):
    """Whoever looks at the AccumulateGrad nodes of a graph may hang hooks on them: from then on the graph holds them."""
    cdef Py_ssize_t i
    cdef Node kept
    for i in range(edge_total(node) if node.leaf_edges else 0):
        if node.leaf_edges >> i & 1:
            kept = edge_at(node, i)
            put_item(&edge_items(node)[i], <PyObject*>kept)
    node.leaf_edges = 0

cdef inline int gradient_code(Tensor t) noexcept:
    """The dtype code of a leaf's .grad, or NO_DTYPE where any will do."""
    return t.code if t.grad_kind == 0 else NO_DTYPE if t.grad_kind == 1 else t.grad_kind - 2

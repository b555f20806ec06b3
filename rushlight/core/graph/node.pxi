# The graph. A node is one recorded operation; its edges lead to the nodes that made its inputs, or to the leaves among them.
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


@cython.final
cdef class NodeExtras:
    """What few nodes have: hooks and metadata."""


@cython.trashcan(True)
@cython.freelist(1024)
cdef class Node:
    """One recorded operation of the graph: `tensor.grad_fn`."""

    def __init__(self):
        raise TypeError(f"cannot create '{type(self).__name__}' instances")

    cdef int output_count(self) noexcept:
        return 1 if self.more_outputs is None else 1 + <int>PyTuple_GET_SIZE(self.more_outputs)

    cdef str backward_name(self):
        """The name of the Python type that users see, say AddBackward0."""
        return type(self).__name__

    cdef str forward_name(self):
        """The name in error texts."""
        return self.name()

    # Gradients of the outputs (the gradient itself where there is one output, else a tuple) to gradients of the inputs.
    cdef tuple backward(self, object gradient, object run):
        raise NotImplementedError

    cdef void free_saved(self):
        pass

    cdef void remember_line(self) noexcept:
        self.made.mark()
        if modes.anomaly:
            remember_traceback(self)

    cdef uint32_t next_output(self, Py_ssize_t i) noexcept:
        return self.next_outputs[i] if self.next_outputs.size() else 0

    cdef NodeExtras need_extras(self):
        if self.extras is None:
            self.extras = NodeExtras.__new__(NodeExtras)
        return self.extras

    def name(self):
        """The name of this node's kind, such as AddBackward0."""
        cdef str called = self.backward_name()
        return "torch::autograd::" + called if called in ("CopyBackwards", "NotImplemented") else called

    @property
    def next_functions(self):
        """((node, output number), …): where the gradients go; (None, 0) for inputs that need none."""
        keep_accumulators(self)
        # (Where a number comes first and has a name of its own, PowBackward2, it has no edge.)
        cdef Py_ssize_t i, first = isinstance(self, OpNode) and self.variant == 2 and isinstance(self.plan.op, PointwiseOp)
        cdef Node target
        cdef list pairs = []
        for i in range(first, edge_total(self)):
            target = edge_at(self, i)
            pairs.append((None if target is None else expose(target), self.next_output(i)))
        return tuple(pairs)

    @property
    def metadata(self):
        """A dict for notes of the user's."""
        extras = self.need_extras()
        if extras.metadata is None:
            extras.metadata = {}
        return extras.metadata

    @property
    def source_line(self):
        """(file, line number) of the line that made this node, or None."""
        return source_line(self.made.code, self.made.instruction)

    @property
    def requires_grad(self):
        """True: a graph has no other nodes."""
        return True

    def _sequence_nr(self):
        return self.sequence

    def _set_sequence_nr(self, sequence):
        self.sequence = sequence

    def _register_hook_dict(self, hooks):
        """Takes a dict of hooks (id to function) as the hooks of output 0, for tensors that know their hooks."""
        extras = self.need_extras()
        if extras.tensor_hooks is None:
            extras.tensor_hooks = {}
        extras.tensor_hooks[0] = hooks

    @property
    def _input_metadata(self):
        outputs = [(make_size(self.shape.shape, self.shape.ndim), self.dtype_code)] + list(self.more_outputs or ())
        return tuple([OutputMetadata(shape, dtypes[code]) for shape, code in outputs])

    def register_hook(self, hook):
        """Calls `hook(grad_inputs, grad_outputs)` after this node ran; what it returns (if not None) replaces grad_inputs."""
        extras = self.need_extras()
        if extras.post_hooks is None:
            extras.post_hooks = new_hooks()
        return add_hook(extras.post_hooks, hook)

    def register_prehook(self, hook):
        """Calls `hook(grad_outputs)` before this node runs; what it returns (if not None) replaces grad_outputs."""
        extras = self.need_extras()
        if extras.pre_hooks is None:
            extras.pre_hooks = new_hooks()
        return add_hook(extras.pre_hooks, hook)

    def __call__(self, *gradients, **keywords):
        cdef int n = self.output_count()
        if keywords:
            raise TypeError("keyword arguments are not supported")
        if len(gradients) != n:
            raise TypeError(f"expected {n} arguments, got {len(gradients)} instead")
        for place, value in enumerate(gradients):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(f"argument {place} is not a Variable")
        result = self.backward(gradients[0] if n == 1 else gradients, None)
        return result if len(result) != 1 else result[0]

    def __repr__(self):
        return f"<{self.backward_name()} object at {id(self):#x}>"

class OutputMetadata:
    """Shape and dtype of one output of a node."""
    __slots__ = ("shape", "dtype")
    is_nested_tensor = is_cpp_nested_tensor = False

    def __init__(self, shape, dtype):
        self.shape, self.dtype = list(shape), dtype

    @property
    def device(self):
        return cpu

    def __repr__(self):
        return f"OutputMetadata(shape={self.shape}, dtype={self.dtype})"


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


@cython.trashcan(True)
cdef class OpNode(Node):
    """A node whose derivative is in the op table."""

    cdef str backward_name(self):
        if self.extras is not None and self.extras.title is not None:
            return self.extras.title
        return self.plan.op.number_name if self.variant == OF_NUMBER else <str>self.plan.op.backward_names[self.variant]

    cdef str forward_name(self):
        return error_name(self.backward_name())

    cdef tuple backward(self, object gradient, object run):
        cdef tuple result = tuple_of_none(edge_total(self))
        run_rules(self, gradient, <BackwardRun>run, result)
        return result

    cdef bint holds_indices(self):
        for i in range(self.plan.saved_count):
            value = <object>saved_items(self)[i]
            if type(value) is SavedTensor or isinstance(value, (Tensor, list)):
                return True
        return False

    cdef void free_saved(self):
        cdef int i
        cdef object value
        if not self.plan.saves_tensors and not (self.plan.saves_indices and self.holds_indices()):
            return
        self.freed = True
        for i in range(self.plan.saved_count):
            value = <object>saved_items(self)[i]
            if type(value) is SavedTensor:
                (<SavedTensor>value).freed = True
            elif type(value) is list:
                free_items(<list>value)
            elif not isinstance(value, Tensor) and type(value) is not Storage:
                continue
            put_item(&saved_items(self)[i], <PyObject*>None)

    def __dir__(self):
        return object.__dir__(self) + saved_attributes(self)

    def __getattr__(self, str name):
        # _saved_self, _raw_saved_result, …: what backward keeps, by PyTorch's names.
        if name.startswith("_saved_") or name.startswith("_raw_saved_"):
            return saved_attribute(self, name)
        raise AttributeError(f"'{self.backward_name()}' object has no attribute '{name}'")


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


# no_gc_clear: a collection must not take `leaf` away before __dealloc__ has told the variable. (Every cycle through a node like
# this passes through other objects too, which break it.)
@cython.trashcan(True)
@cython.no_gc_clear
cdef class AccumulateGrad(Node):
    """The end of a path: adds what arrives to `variable.grad`."""

    @property
    def variable(self):
        """The leaf."""
        return self.leaf

    cdef tuple backward(self, object gradient, object run):
        if gradient is not None:
            accumulate_into_leaf(self.leaf, gradient)
        if self.leaf.post_hooks:
            after_accumulation(self.leaf)
        return ()

    def name(self):
        return "torch::autograd::AccumulateGrad"


cdef AccumulateGrad accumulator_of(Tensor leaf):
    """The node of a leaf. Graphs hold it, it holds the leaf; the leaf knows it only as long as a graph does."""
    cdef AccumulateGrad node
    if leaf.accumulator != NULL:
        return <AccumulateGrad><object>leaf.accumulator
    node = AccumulateGrad.__new__(AccumulateGrad)
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

cdef inline Node edge_of(Tensor tensor):
    """The node to which the gradient of `tensor` goes, or None. Its output number is tensor.output_number."""
    if not needs_grad(tensor):
        return None
    if tensor.base is not None:
        refresh_view(tensor)
        if not tracked_itself(tensor):
            return None       # a view made with grad mode off: recorded, but nothing leads back
    if tensor.grad_fn_ is not None:
        return tensor.grad_fn_
    return accumulator_of(tensor)


cdef remember_traceback(Node node):
    """For anomaly mode: the Python stack at which a node was made, and the node whose backward made it."""
    import traceback
    metadata = node.metadata
    metadata["traceback_"] = traceback.format_list([frame for frame in traceback.extract_stack() if not frame.filename.startswith(package_folder)])
    parent = current_node()
    if parent is not None:
        metadata["parent_"] = parent

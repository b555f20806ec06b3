# Nodes: what programs see of the graph, and what each kind does in backward.
@cython.final
cdef class NodeExtras:
    """What few nodes have: hooks and metadata."""


@cython.trashcan(True)
@cython.freelist(1024)
cdef class Node:
    """One recorded operation of the graph: `tensor.grad_fn`."""

    def __init__(self):
        raise TypeError(f"cannot create '{type(self).__name__}' instances")

    cdef str backward_name(self):
        """The name of the Python type that users see, say AddBackward0."""
        return type(self).__name__

    cdef str forward_name(self):
        """The name in error texts."""
        return self.name()

    cdef bint is_programs(self):
        """Is its backward code of the program's?"""
        return False

    # Gradients of the outputs (the gradient itself where there is one output, else a tuple) to gradients of the inputs.
    cdef tuple backward(self, object gradient, object run):
        raise NotImplementedError

    cdef void free_saved(self):
        pass

    def name(self) -> str:
        """The name of this node's kind, such as AddBackward0."""
        cdef str called = self.backward_name()
        return f"torch::autograd::{called}" if called in ("CopyBackwards", "NotImplemented", "CopySlices", "AccumulateGrad") else called

    @property
    def next_functions(self) -> "tuple[tuple[Node | None, int], ...]":
        """((node, output number), …): where the gradients go; (None, 0) for inputs that need none."""
        keep_accumulators(self)
        # (Where a number comes first and has a name of its own, PowBackward2, it has no edge.)
        cdef Py_ssize_t i, first = isinstance(self, OpNode) and self.variant == 2 and isinstance(self.plan.op, PointwiseOp)
        cdef Node target
        cdef list pairs = []
        for i in range(first, edge_total(self)):
            target = edge_at(self, i)
            pairs.append((None if target is None else expose(target), next_output(self, i)))
        return tuple(pairs)

    @property
    def metadata(self) -> "dict[Any, Any]":
        """A dict for notes of the user's."""
        extras = need_extras(self)
        if extras.metadata is None:
            extras.metadata = {}
        return extras.metadata

    @property
    def source_line(self) -> "tuple[str, int] | None":
        """(file, line number) of the line that made this node, or None."""
        return source_line(self.made.code, self.made.instruction)

    @property
    def requires_grad(self) -> bool:
        """True: a graph has no other nodes."""
        return True

    def _sequence_nr(self):
        return self.sequence

    def _set_sequence_nr(self, sequence):
        self.sequence = sequence

    def _register_hook_dict(self, hooks):
        """Takes a dict of hooks (id to function) as the hooks of output 0, for tensors that know their hooks."""
        extras = need_extras(self)
        if extras.tensor_hooks is None:
            extras.tensor_hooks = {}
        extras.tensor_hooks[0] = hooks

    @property
    def _input_metadata(self):
        from rushlight.autograd._nodes import OutputMetadata
        outputs = [(make_size(self.shape.shape, self.shape.ndim), self.dtype_code)] + list(self.more_outputs or ())
        return tuple([OutputMetadata(shape, dtypes[code]) for shape, code in outputs])

    def register_hook(self, hook: "Callable[[Any, Any], Any]") -> "RemovableHandle":
        """Calls `hook(grad_inputs, grad_outputs)` after this node ran; what it returns (if not None) replaces grad_inputs."""
        extras = need_extras(self)
        if extras.post_hooks is None:
            extras.post_hooks = new_hooks()
        return added_hook(extras.post_hooks, hook)

    def register_prehook(self, hook: "Callable[[Any], Any]") -> "RemovableHandle":
        """Calls `hook(grad_outputs)` before this node runs; what it returns (if not None) replaces grad_outputs."""
        extras = need_extras(self)
        if extras.pre_hooks is None:
            extras.pre_hooks = new_hooks()
        return added_hook(extras.pre_hooks, hook)

    def __call__(self, *gradients: "Tensor | None", **keywords) -> "Any":
        cdef int n = output_count(self)
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
        from rushlight.autograd._nodes import saved_attributes
        return object.__dir__(self) + saved_attributes(self)

    def __getattr__(self, str name):
        # _saved_self, _raw_saved_result, …: what backward keeps, by PyTorch's names.
        if name.startswith("_saved_") or name.startswith("_raw_saved_"):
            from rushlight.autograd._nodes import saved_attribute
            return saved_attribute(self, name)
        raise AttributeError(f"'{self.backward_name()}' object has no attribute '{name}'")


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
            if self.leaf.grad_fn_ is not None and not self.leaf.flags & DERIVATIVE_INPUT:
                raise RuntimeError("leaf variable has been moved into the graph interior")
            if needs_grad(self.leaf):      # (it may have been told since that it needs none)
                accumulate_into_leaf(self.leaf, gradient)
        if self.leaf.post_hooks:
            after_accumulation(self.leaf)
        return ()

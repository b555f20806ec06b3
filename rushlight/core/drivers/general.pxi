# Ops whose forward is written in Python, and calls of kernels by name.
cdef inline bint is_plain_integer(object value):
    return PyLong_CheckExact(value) or PyBool_Check(value)

cdef class Kernel:
    """A C++ kernel, called with tensors (outputs first; None for one that is left out) and then plain numbers."""

    def __init__(self, str name):
        cdef bytes encoded = name.encode()
        self.function = find_kernel(encoded)
        self.name = name
        if self.function == NULL:
            raise ImportError(f"there is no kernel '{name}'")

    def __call__(self, *arguments):
        cdef Array arrays[72]
        cdef Number numbers[72]
        cdef Array* more = arrays
        cdef Number* plain = numbers
        cdef vector[Array] many
        cdef vector[Number] many_numbers
        cdef list held = None
        cdef int tensors = 0, count = 0
        cdef int64_t largest = 0
        cdef Tensor t
        if len(arguments) > 70:
            many.resize(len(arguments))
            more = many.data()
            many_numbers.resize(len(arguments))
            plain = many_numbers.data()
        for value in arguments:
            if isinstance(value, float):
                plain[count].f = value
                count += 1
            elif is_plain_integer(value) or value is not None and not isinstance(value, Tensor):
                plain[count].i = value
                count += 1
        for value in arguments:     # (only now: what a number's __index__ does may move memory)
            if PyFloat_CheckExact(value) or is_plain_integer(value):
                continue
            if isinstance(value, Tensor):
                if type(value) is Wrapped:
                    raise NotImplementedError(f"the kernel {self.name} cannot read a tensor inside a transform")
                t = <Tensor>value
                if t.flags & LAZY:     # an input: what is written into lies in memory as it is
                    t = resolved(t)
                    held = [t] if held is None else held + [t]
                more[tensors] = array_of(t)
                largest = max(largest, t.count)
                tensors += 1
            elif value is None:
                more[tensors] = scalar_array(NULL, FLOAT32)
                tensors += 1
        launch(self.function, more, tensors, plain, largest)

    def __repr__(self):
        return f"<kernel {self.name}>"

cdef dict _kernels = {}

def kernel(str name):
    """The kernel of that name; ImportError where there is none."""
    found = _kernels.get(name)
    if found is None:
        found = _kernels[name] = Kernel(name)
    return found

def set_kernel_label(str name, str label):
    """Says what PyTorch's errors call an element-wise kernel."""
    label_kernel(name.encode(), label.encode())

def all_kernel_names():
    """The names of every kernel."""
    return kernel_names().decode().split()

def written_out(str name, given, Tensor result):
    """The result of a composition, put into `out=` as an op of the table does it; returns `given`."""
    cdef Tensor out
    if not isinstance(given, Tensor):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(given).__name__}")
    out = <Tensor>given
    if modes.grad and (needs_grad(out) or needs_grad(result)):
        raise RuntimeError(f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
                           "requires grad.")
    if out.code != result.code and name in output_texts:
        refuse_output(name, output_texts[name], 0, dtypes[out.code], dtypes[result.code])
    if not can_cast_codes(result.code, out.code):
        raise RuntimeError(f"result type {c10_name(result.code)} can't be cast to the desired output type {c10_name(out.code)}")
    if not out.geometry.same_shape(result.geometry):
        resize_out(out, result.geometry)
    check_no_overlap(out)
    check_partial_overlap(out, result)      # (the result may be an input, or a part of one)
    copy_elements(out, result)
    mark_write(out.storage)
    return out

def mark_written(*tensors):
    """Counts an in-place write that a kernel did to each tensor (None: there is none)."""
    for tensor in tensors:
        if tensor is not None:
            mark_write((<Tensor?>tensor).storage)


cdef inline bint has_hidden_dim(Tensor x) noexcept:
    """Whether `x` is one example of a batch: its memory is that of all."""
    return type(x) is Wrapped and type((<Wrapped>x).aspect) is int

cdef int copy_elements(Tensor target, Tensor source) except -1:
    """target[...] = source, converting and broadcasting; no history, no version."""
    if has_hidden_dim(source) or has_hidden_dim(target):
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")
    return copy_lazily(target, source) if (target.flags | source.flags) & LAZY else copy_memory(target, source)

cdef int copy_memory(Tensor target, Tensor source) except -1:
    cdef Array arrays[2]
    cdef Geometry wide
    cdef int d, lead
    cdef KernelFunction copy_kernel = (<Kernel>kernel("copy")).function
    arrays[0] = array_of(target)
    arrays[1] = array_of(source)
    if not target.geometry.same_shape(source.geometry):
        require_expandable(source, target.geometry)
        lead = target.geometry.ndim - source.geometry.ndim
        wide.set_shape(target.geometry.shape, target.geometry.ndim)
        for d in range(target.geometry.ndim):
            wide.strides[d] = 0 if d < lead or source.geometry.shape[d - lead] == 1 else source.geometry.strides[d - lead]
        arrays[1].ndim = wide.ndim
        arrays[1].shape = wide.shape
        arrays[1].strides = wide.strides
    if target.count:
        launch(copy_kernel, arrays, 2, NULL, target.count)
    return 0

cdef Tensor convert(Tensor x, int code):
    """The elements of `x` as dtype `code`: a new tensor of the same layout in memory, without history."""
    cdef Tensor out = new_in_layout_of(x, code)
    copy_elements(out, x)
    return out

cdef Tensor new_in_layout_of(Tensor x, int code):
    """An unfilled tensor of x's shape; of its strides too where those are dense."""
    cdef const Geometry* like = &x.geometry
    cdef Geometry row_major
    if x.count > MANY:
        row_major.lay_out(x.geometry)
    cdef Tensor out = new_tensor(code, x.count, bytes_of(x.count, code, row_major, True))
    if x.flags & CONTIGUOUS or x.geometry.dense():
        out.geometry.copy(x.geometry)      # (with the strides of dimensions of size 1)
    else:
        out.geometry.set_shape(x.geometry.shape, x.geometry.ndim)
        out.geometry.make_contiguous()
        if x.geometry.ndim > 1:
            follow_strides(out.geometry, &like, 1)
    update_contiguous(out)
    return out


cdef inline void unlink(Tensor result):
    """A result that a forward made by way of a view is no view to the caller."""
    if result.base is not None:
        result.base = None
        result.creation = VIEW_DEFAULT


def has_tensor(*values):
    """Whether one of the values is a tensor."""
    for value in values:
        if isinstance(value, Tensor):
            return True
    return False


def are_alike(Tensor first, *others):
    """Whether all (None aside) are contiguous tensors of one shape and of one dtype, float32 or float64: what fused kernels take."""
    cdef Tensor x
    if first.code != FLOAT32 and first.code != FLOAT64 or not first.flags & CONTIGUOUS:
        return False
    for value in others:
        if value is None:
            continue
        x = <Tensor?>value
        if x.code != first.code or not x.flags & CONTIGUOUS or not x.geometry.same_shape(first.geometry):
            return False
    return True


cdef int check_apart(object out, object given, bint entirely) except -1:
    """Refuses an input (or one in a list) that shares memory with what is written to; without `entirely`, some of it but not all."""
    cdef object item
    cdef int overlap
    if isinstance(out, (list, tuple)):
        for item in out:
            check_apart(item, given, entirely)
        return 0
    for item in given if isinstance(given, (list, tuple)) else (given,):
        if isinstance(item, Tensor):
            overlap = overlap_of(<Tensor>out, <Tensor>item)
            if overlap == OVERLAP_PARTIAL or entirely and overlap == OVERLAP_FULL:
                raise RuntimeError(SHARED_MEMORY_TEXT)
    return 0


cdef class GeneralOp(Op):
    """An op whose forward is a Python function (it runs with recording off)."""

    cdef int variant(self, PyObject** args) noexcept:
        if self.choose_variant is None:
            return 0
        try:
            return self.choose_variant(*pack_arguments(self, args))
        except Exception as error:
            PyErr_WriteUnraisable_(error)
            return 0

    cdef object compute(self, PyObject** args, Call* call):
        cdef object result
        cdef int i
        if isinstance(<object>args[0], Tensor):
            refuse_escaped(<Tensor>args[0], False)
        if call.mode == MODE_IN_PLACE:
            begin_write(self, call)
            if not self.takes_expanded:
                check_no_overlap(<Tensor>args[0])
        elif call.mode == MODE_OUT and self.apart is not None:
            for i in range(self.parameter_count):
                if isinstance(<object>args[i], (Tensor, list, tuple)):
                    check_apart(<object>call.out, <object>args[i], self.apart)
        result = self.run_on_copy(args) if self.writes and call.mode != MODE_IN_PLACE else self.run(args)
        if call.mode == MODE_OUT:
            return into_out(self, result, <object>call.out)
        if call.mode == MODE_IN_PLACE:
            if not self.writes:
                write_back(<Tensor>args[0], <Tensor>result)
            return <object>args[0]
        if isinstance(result, Tensor):
            unlink(<Tensor>result)
            return result
        for value in result:
            if isinstance(value, Tensor):
                unlink(<Tensor>value)
        return result if self.result_type is None else self.result_type(result)

    cdef object run(self, PyObject** args):
        """Calls the function. It asks its arguments for what tensors have."""
        cdef bint grad = modes.grad
        cdef PyObject* names = NULL
        cdef int i
        if self.keyword_only is not None:
            names = <PyObject*>self.keyword_only
        modes.grad = False
        try:
            return PyObject_Vectorcall(self.function, args, self.positional, names)
        except AttributeError:
            for i in range(self.parameter_count):
                if self.parameters[i] in TENSOR_PARAMETERS and self.defaults[i] is MISSING and not isinstance(<object>args[i], Tensor):
                    raise_argument(self, i, <object>args[i])
            raise
        finally:
            modes.grad = grad

    cdef object run_on_copy(self, PyObject** args):
        """Calls a function that writes into its first argument with a copy of that."""
        cdef PyObject* passed[MAX_PARAMETERS]
        cdef Tensor x, copied
        require_tensors(self, args, 0, 1)
        x = <Tensor>args[0]
        if self.row_major:
            copied = new_like_shape(x.code, x.geometry)
            copy_elements(copied, x)
        else:
            copied = convert(x, x.code)
        memcpy(passed, args, self.parameter_count * sizeof(PyObject*))
        passed[0] = <PyObject*>copied
        return self.run(passed)

cdef int write_back(Tensor target, Tensor result) except -1:
    """Puts the result of a call in place into its target."""
    if not can_cast_codes(result.code, target.code):
        raise RuntimeError(f"result type {c10_name(result.code)} can't be cast to the desired output type {c10_name(target.code)}")
    if not target.geometry.same_shape(result.geometry):
        raise_target(target, result.geometry)
    return copy_elements(target, result)

cdef extern from "Python.h":
    void PyErr_WriteUnraisable_ "PyErr_WriteUnraisable"(object) noexcept

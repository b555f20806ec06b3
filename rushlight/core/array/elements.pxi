# The elements of tensors: C++ kernels by name, copies and conversions, and the conjugates and negatives that were put off, carried out.
cdef inline int put_number(Number* at, object value) except -1:
    """A number, as kernels get it: a float as such, anything else as an int."""
    if isinstance(value, float):
        at.f = value
    else:
        at.i = value
    return 0

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
        cdef bint meta = False
        cdef Tensor t
        if len(arguments) > 70:
            many.resize(len(arguments))
            more = many.data()
            many_numbers.resize(len(arguments))
            plain = many_numbers.data()
        for value in arguments:
            if value is not None and not isinstance(value, Tensor):
                put_number(plain + count, value)
                count += 1
        for value in arguments:     # (only now: what a number's __index__ does may move memory)
            if isinstance(value, Tensor):
                if type(value) is Wrapped:
                    raise NotImplementedError(f"the kernel {self.name} cannot read a tensor inside a transform")
                t = <Tensor>value
                meta = meta or is_meta(t)
                if t.flags & LAZY:     # an input: what is written into lies in memory as it is
                    t = resolved(t)
                    held = [t] if held is None else held + [t]
                more[tensors] = array_of(t)
                largest = max(largest, t.count)
                tensors += 1
            elif value is None:
                more[tensors] = scalar_array(NULL, FLOAT32)
                tensors += 1
        if not meta:
            launch(self.function, more, tensors, plain, count, largest)

    def __repr__(self):
        return f"<kernel {self.name}>"

cdef dict _kernels = {}

def kernel(str name):
    """The kernel of that name; ImportError where there is none."""
    found = _kernels.get(name)
    if found is None:
        found = _kernels[name] = Kernel(name)
    return found

cpdef int copy_elements(Tensor target, Tensor source) except -1:
    """target[...] = source, converting and broadcasting; no history, no version."""
    if has_hidden_dim(source) or has_hidden_dim(target):
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")
    return copy_lazily(target, source) if (target.flags | source.flags) & LAZY else copy_memory(target, source)

cdef int copy_memory(Tensor target, Tensor source) except -1:
    cdef Array arrays[2]
    cdef Geometry wide
    cdef int d, lead
    cdef KernelFunction copy_kernel = (<Kernel>kernel("copy")).function
    if is_meta(source) and not is_meta(target):
        raise no_data()
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
        launch(copy_kernel, arrays, 2, NULL, 0, target.count)
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

cdef int copy_lazily(Tensor target, Tensor source) except -1:
    """target[...] = source where one of them or both are lazy: memory is copied, and what they do not have in common carried out on it."""
    cdef uint8_t turns
    if source.code != target.code:
        source = resolved(source)      # (the negative of a number may have another rounding)
    turns = (target.flags ^ source.flags) & LAZY
    copy_memory(target, source)
    if turns & CONJUGATE:
        run_on(target, b"conj")
    if turns & NEGATIVE:
        run_on(target, b"neg")
    return 0

cdef int run_on(Tensor target, const char* name) except -1:
    """Replaces what lies in the memory of `target` by what an element-wise kernel makes of it."""
    cdef Array operands[2]
    operands[0] = operands[1] = array_of(target)
    if target.count:
        launch_loop(find_pointwise(name), as_dtype(target.code), operands, 2, NULL, 0, target.count)
    return 0

cpdef Tensor resolved(Tensor x):
    """A tensor of the same elements that stands for its memory, without history; `x` itself where it does."""
    return convert(x, x.code) if x.flags & LAZY and type(x) is not Wrapped else x

NO_ITEM = "Tensor.item() cannot be called on meta tensors"

cdef inline object first_number(Tensor t):
    """The first element as a Python number."""
    if is_meta(t):
        raise RuntimeError(NO_ITEM)
    not_again("the value of a tensor was asked for")
    if t.flags & LAZY:
        t = resolved(t)
    return read_number(t.code, data_of(t))

cdef int require_expandable(Tensor x, const Geometry& shape) except -1:
    """The error of expand, where x cannot be expanded to `shape`."""
    cdef int d, i
    if x.geometry.ndim > shape.ndim:
        raise RuntimeError(f"expand({type_in_errors(x.code)}{{{list(x.shape)}}}, size={list(make_tuple(shape.shape, shape.ndim))}): the number of sizes "
                           f"provided ({shape.ndim}) must be greater or equal to the number of dimensions in the tensor ({x.geometry.ndim})")
    for d in range(shape.ndim - 1, shape.ndim - x.geometry.ndim - 1, -1):
        i = d - (shape.ndim - x.geometry.ndim)
        if x.geometry.shape[i] != 1 and x.geometry.shape[i] != shape.shape[d]:
            raise RuntimeError(f"The expanded size of the tensor ({shape.shape[d]}) must match the existing size ({x.geometry.shape[i]}) at "
                               f"non-singleton dimension {d}.  Target sizes: {list(make_tuple(shape.shape, shape.ndim))}.  Tensor sizes: "
                               f"{list(x.shape)}")
    return 0

cdef Tensor contiguous_as(Tensor t, int code):
    cdef Tensor out
    if t.flags & (CONTIGUOUS | LAZY) == CONTIGUOUS and t.code == code:
        return t
    out = new_like_shape(code, t.geometry)
    copy_elements(out, t)
    return out

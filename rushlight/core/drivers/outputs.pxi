# What drivers write into: checks of targets and of the memory that they share, `out=`.
TENSOR_PARAMETERS = frozenset(("x", "a", "b", "input", "other", "index", "source", "src", "mask", "values", "target", "mat2", "vec2"))

cdef raise_argument(Op op, int i, object value):
    name = op.parameters[i]
    name = public_parameters.get(name, name)
    raise TypeError(f"{op.name.lstrip('_')}(): argument '{name}' (position {i + 1}) must be Tensor, not {type(value).__name__}")

cdef inline int require_tensors(Op op, PyObject** args, int start, int stop) except -1:
    """Are these arguments tensors?"""
    cdef int i
    for i in range(start, stop):
        if not is_tensor_object(args[i]):
            raise_argument(op, i, <object>args[i])
    return 0

cdef raise_target(Tensor out, const Geometry& shape):
    raise RuntimeError(f"output with shape {list(out.shape)} doesn't match the broadcast shape {list(make_tuple(shape.shape, shape.ndim))}")

cdef int check_target(Op op, Tensor out, const Geometry& shape, int result) except -1:
    """Can an in-place result of this shape and dtype go into `out`?"""
    if not out.geometry.same_shape(shape):
        raise_target(out, shape)
    return check_cast(result, out, op.name if op.casts_by_name else None)

cdef int check_cast(int result, Tensor out, str name=None) except -1:
    """Can a result be converted to the dtype of what it is to be written to? Errors may speak of an op by `name`."""
    if not can_cast_codes(result, out.code):
        raise RuntimeError(f"{name or f'result type {c10_name(result)}'} can't be cast to the desired output type {c10_name(out.code)}")
    return 0

cdef int check_out_dtype(Op op, int place, Tensor out, int result) except -1:
    if out.code != result and op.out_text is not None:
        asked.refuse_output(op.name.lstrip("_"), op.out_text, place, dtypes[out.code], dtypes[result])
    return 0

cdef int check_out_dtypes(Op op, object targets, object results) except -1:
    """Do the `out=` tensors have dtypes that the op's results go into?"""
    cdef int place = 0
    if op.out_text is None:
        return 0
    for out, result in zip(targets, results):
        if isinstance(out, Tensor) and isinstance(result, Tensor):
            check_out_dtype(op, place, <Tensor>out, (<Tensor>result).code)
        place += 1
    return 0


cdef enum:
    OVERLAP_NONE      # or hard to tell: memory with gaps
    OVERLAP_FULL
    OVERLAP_PARTIAL

cdef int overlap_of(Tensor out, Tensor given) noexcept:
    """How much of the output's memory an input shares."""
    cdef char* out_end
    cdef char* given_end
    if out is given:
        return OVERLAP_FULL
    if out.storage.memory.data != given.storage.memory.data or out.count == 0 or given.count == 0:
        return OVERLAP_NONE
    if data_of(out) == data_of(given) and out.geometry.same_shape(given.geometry) and out.geometry.same_strides(given.geometry):
        return OVERLAP_FULL
    if not out.geometry.dense() or not given.geometry.dense():
        return OVERLAP_NONE
    out_end = data_of(out) + out.count * item_bytes[out.code]
    given_end = data_of(given) + given.count * item_bytes[given.code]
    if data_of(out) == data_of(given) and out_end == given_end and out.geometry.same_strides(given.geometry):
        return OVERLAP_FULL
    return OVERLAP_PARTIAL if data_of(out) < given_end and data_of(given) < out_end else OVERLAP_NONE

cdef int check_overlaps(Tensor out, PyObject** args, int start, int stop) except -1:
    """Refuses a target whose elements share memory with each other or, in part, with an input: before anything else is asked."""
    cdef int i
    check_no_overlap(out)
    for i in range(start, stop):
        if is_tensor_object(args[i]):
            check_partial_overlap(out, <Tensor>args[i])
    return 0

SHARED_MEMORY_TEXT = ("unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. "
                      "Please clone() the tensor before performing the operation.")

cpdef int check_partial_overlap(Tensor out, Tensor given, bint entirely=False) except -1:
    """Refuses an input that shares some, but not all, of its memory with the output; `entirely`: that shares any."""
    cdef int overlap = overlap_of(out, given)
    if overlap == OVERLAP_PARTIAL or entirely and overlap == OVERLAP_FULL:
        raise RuntimeError(SHARED_MEMORY_TEXT)
    return 0

def require_apart(Tensor out, *given):
    """Refuses inputs that share memory with the tensor that is written to."""
    check_apart(out, given, True)

def is_expanded(Tensor x):
    """Whether several elements of `x` are one in memory, since a dimension was expanded."""
    return x.geometry.overlaps_itself()

cdef Tensor prepare_out(Tensor out, const Geometry& shape, int result):
    """Checks `out=` and gives it the result's shape."""
    check_write(out)
    check_cast(result, out)
    if not out.geometry.same_shape(shape):
        resize_out(out, shape)
    check_no_overlap(out)
    return out

cdef int resize_out(Tensor out, const Geometry& shape) except -1:
    if out.count:
        warn_user(f"An output with one or more elements was resized since it had shape {list(out.shape)}, which does not match the required "
                  f"output shape {list(make_tuple(shape.shape, shape.ndim))}. This behavior is deprecated, and in a future PyTorch release "
                  "outputs will not be resized unless they have zero elements. You can explicitly reuse an out tensor t by resizing it, inplace, "
                  "to zero elements with t.resize_(0).")
    resize_in_place(out, shape)
    return 0

cdef object into_out(Op op, object made, object given):
    """Puts finished results, one or several, into what `out=` was given."""
    cdef bint single = isinstance(made, Tensor)
    targets, results = ((given,), (made,)) if single else (given, made)
    check_out_dtypes(op, targets, results)
    for target, result in zip(targets, results):
        write_out(<Tensor?>target, <Tensor>result)
    return given if single else tuple(given) if op.result_type is None else op.result_type.written(given)

cdef int write_out(Tensor target, Tensor result) except -1:
    """Puts a finished result into an `out=` tensor."""
    prepare_out(target, result.geometry, result.code)
    check_partial_overlap(target, result)      # (the result may be an input, or a part of one)
    copy_elements(target, result)
    return 0

cdef inline object only_output(Frame* frame, Tensor out):
    frame.arrays[0] = array_of(out)
    frame.work = out.count
    return out

def written_out(str name, given, Tensor result):
    """The result of a composition, put into `out=` as an op of the table does it; returns `given`."""
    cdef Tensor out
    if not isinstance(given, Tensor):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(given).__name__}")
    out = <Tensor>given
    refuse_tracked_out(name, out, result)
    require_same_place(out, is_meta(result))
    if out.code != result.code and name in asked.output_texts:
        asked.refuse_output(name, asked.output_texts[name], 0, dtypes[out.code], dtypes[result.code])
    write_out(out, result)
    mark_write(out.storage)
    return out

def refuse_tracked_out(str name, *tensors):
    """Refuses an `out=`, or what is to be put into it, whose history would have to be recorded."""
    for tensor in tensors:
        if modes.grad and isinstance(tensor, Tensor) and needs_grad(<Tensor>tensor):
            raise RuntimeError(f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
                               "requires grad.")

def mark_written(*tensors):
    """Counts an in-place write that a kernel did to each tensor (None: there is none)."""
    for tensor in tensors:
        if tensor is not None:
            mark_write((<Tensor?>tensor).storage)

cdef int check_apart(object out, object given, bint entirely) except -1:
    """Refuses an input (or one in a list) that shares memory with what is written to; without `entirely`, some of it but not all."""
    cdef object item
    if isinstance(out, (list, tuple)):
        for item in out:
            check_apart(item, given, entirely)
        return 0
    for item in given if isinstance(given, (list, tuple)) else (given,):
        if isinstance(item, Tensor):
            check_partial_overlap(<Tensor>out, <Tensor>item, entirely)
    return 0

cdef inline void unlink(Tensor result):
    """A result that a forward made by way of a view is no view to the caller."""
    if result.base is not None:
        result.base = None
        result.creation = VIEW_DEFAULT

# New tensors of given sizes: unset, or filled with one value.
cdef Tensor new_of_size(str name, tuple size, object dtype):
    """An unset tensor from the positional arguments of a factory: sizes one by one, or one sequence of them."""
    cdef int64_t sizes[MAX_DIMS]
    cdef int code = code_for(name, dtype)
    cdef int n = read_new_size(name, size[0] if len(size) == 1 else size, sizes)
    if name == "zeros" and n and min([sizes[i] for i in range(n)]) < 0:
        raise RuntimeError("zeros: Dimension size must be non-negative.")
    return new_contiguous(default_dtype if code == NO_DTYPE else code, sizes, n)

cdef int code_for(str name, object given) except -2:
    if given is None or dtype_of(given) is not None:
        return code_of(given)
    raise TypeError(f"{name}(): argument 'dtype' must be torch.dtype, not {type(given).__name__}")

cdef int read_new_size(str name, object size, int64_t* sizes) except -1:
    """The sizes of a new tensor, which a parser has let pass; the error of one that int64 does not hold."""
    try:
        return read_sizes(size, sizes)
    except ValueError:
        place = [-0x8000_0000_0000_0000 <= item.__index__() < 0x8000_0000_0000_0000 for item in (
            size if isinstance(size, (tuple, list)) else (size,))].index(False)
        raise TypeError(f"{name}(): argument 'size' failed to unpack the object at pos {place + 1} with error \"Overflow when unpacking long "
                        "long") from None

cdef KernelFunction fill_kernel = (<Kernel>kernel("fill")).function

cdef int fill_elements(Tensor out, object value) except -1:
    cdef Array arrays[2]
    cdef double number[2]
    cdef int64_t i
    cdef float single
    if is_meta(out):
        return 0
    if out.flags & CONTIGUOUS and type(value) is int and value == 0:
        zero_bytes(data_of(out), out.count * item_bytes[out.code])
        return 0
    if out.count != 1 or not is_half(out.code) and not is_float8(out.code):     # (one half becomes infinite, as in PyTorch)
        check_fits(value, COMPLEX64 if out.code == COMPLEX32 and out.count != 1 else out.code)
    write_number(value, out.code, number)
    if out.code == FLOAT32 and out.flags & CONTIGUOUS and out.count < 4096:
        single = (<float*>number)[0]
        for i in range(out.count):
            (<float*>data_of(out))[i] = single
        wrote(data_of(out), out.count * item_bytes[out.code])
    elif out.count:
        arrays[0] = array_of(out)
        arrays[1] = scalar_array(number, out.code)
        launch(fill_kernel, arrays, 2, NULL, 0, 0)
    return 0

cdef Tensor new_on(object device, str name, tuple size, object dtype):
    """`new_of_size` on a device."""
    cdef MetaMode mode
    mode.set(is_meta_place(device))
    return new_of_size(name, size, dtype)

def unset(str name, size, dtype=None, device=None, bint requires_grad=False):
    """A new tensor with unset elements; `size` is the tuple of a factory's positional arguments."""
    return require_grad_of_new(new_on(device, name, <tuple>size, dtype), requires_grad)

def filled(str name, size, value, dtype=None, device=None, bint requires_grad=False):
    """A new tensor with every element `value`."""
    cdef Tensor out = new_on(device, name, <tuple>size, dtype)
    fill_elements(out, value)
    return require_grad_of_new(out, requires_grad)

def fill_tensor(Tensor out, value):
    """Fills `out`; no history, no version."""
    fill_elements(plain_of(out), value)
    return out

def converted(Tensor x, d):
    """The elements of `x` as dtype `d`, in x's layout; no history."""
    return convert(x, code_of(d))

def write_elements(Tensor target, Tensor source):
    """target[...] = source, converting and broadcasting; no history, but counted as a write."""
    copy_elements(target, source)
    mark_write(target.storage)
    return target

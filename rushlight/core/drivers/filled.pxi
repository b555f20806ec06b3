# New tensors of given sizes: unset, or filled with one value.
cdef Tensor new_of_size(str name, tuple size, object dtype):
    """An unset tensor from the positional arguments of a factory: sizes one by one, or one sequence of them."""
    cdef int64_t sizes[MAX_DIMS]
    cdef int code = code_for(name, dtype), n = 0
    cdef Py_ssize_t count = PyTuple_GET_SIZE(size), i
    cdef object first
    if count == 1:
        first = <object>PyTuple_GET_ITEM(size, 0)
        if PyLong_CheckExact(first):
            n = read_size_sequence(name, size, sizes)
        else:
            n = read_size_sequence(name, first, sizes)
    else:
        n = read_size_sequence(name, size, sizes)
    for i in range(n):
        if sizes[i] < 0:
            listed = [sizes[d] for d in range(n)]
            raise RuntimeError(f"{name}: Dimension size must be non-negative." if name == "zeros" else
                               f"Trying to create tensor with negative dimension {sizes[i]}: {listed}")
    return new_contiguous(default_dtype if code == NO_DTYPE else code, sizes, n)

cdef int code_for(str name, object given) except -2:
    if given is None or dtype_of(given) is not None:
        return code_of(given)
    raise TypeError(f"{name}(): argument 'dtype' must be torch.dtype, not {type(given).__name__}")

cdef int read_size_sequence(str name, object size, int64_t* sizes) except -1:
    cdef Py_ssize_t n, i
    cdef object item
    cdef tuple items
    if not isinstance(size, (tuple, list)):
        if PyObject_TypeCheck(size, <PyTypeObject*>Tensor) and (<Tensor>size).geometry.ndim == 1:
            size = size.tolist()
        elif hasattr(type(size), "__index__") and type(size) is not bool and (
                not isinstance(size, Tensor) or (<Tensor>size).geometry.ndim == 0 and category[(<Tensor>size).code] == IS_INTEGER):
            size = (size if PyLong_Check(size) else PyNumber_Index(size),)
        else:
            raise TypeError(f"{name}(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}")
    items = items_once(size)
    n = PyTuple_GET_SIZE(items)
    if n > MAX_DIMS:
        raise RuntimeError(f"a tensor has at most {MAX_DIMS} dimensions, not {n}")
    for i in range(n):
        item = <object>PyTuple_GET_ITEM(items, i)
        if not PyLong_CheckExact(item) and (isinstance(item, bool) or not hasattr(type(item), "__index__")):
            if i == 0:
                raise TypeError(f"{name}(): argument 'size' (position 1) must be tuple of ints, but found element of type {type(item).__name__} "
                                "at pos 0")
            raise TypeError(f"{name}(): argument 'size' failed to unpack the object at pos {i + 1} with error \"type must be tuple of ints,but got "
                            f"{type(item).__name__}\"")
        sizes[i] = size_item(name, i, item)
    return n

cdef inline int64_t size_item(str name, Py_ssize_t i, object item) except? -1:
    cdef int overflow = 0
    cdef int64_t size
    if not PyLong_Check(item):
        item = PyNumber_Index(item)
    size = PyLong_AsLongLongAndOverflow(item, &overflow)
    if overflow:
        raise TypeError(f"{name}(): argument 'size' failed to unpack the object at pos {i + 1} with error \"Overflow when unpacking long "
                        "long\"")
    return size

cdef KernelFunction fill_kernel = (<Kernel>kernel("fill")).function

cdef int fill_elements(Tensor out, object value) except -1:
    cdef Array arrays[2]
    cdef double number[2]
    cdef int64_t i
    cdef float single
    if out.flags & CONTIGUOUS and type(value) is int and value == 0:
        memset(data_of(out), 0, out.count * item_bytes[out.code])
        return 0
    if out.count != 1 or out.code != FLOAT16 and out.code != BFLOAT16:     # (one half becomes infinite, as in PyTorch)
        check_fits(value, out.code)
    write_number(value, out.code, number)
    if out.code == FLOAT32 and out.flags & CONTIGUOUS and out.count < 4096:
        single = (<float*>number)[0]
        for i in range(out.count):
            (<float*>data_of(out))[i] = single
    elif out.count:
        arrays[0] = array_of(out)
        arrays[1] = scalar_array(number, out.code)
        fill_kernel(arrays, 2, NULL)
    return 0

def unset(str name, size, dtype=None, device=None, bint requires_grad=False):
    """A new tensor with unset elements; `size` is the tuple of a factory's positional arguments."""
    require_cpu(device)
    cdef Tensor out = new_of_size(name, <tuple>size, dtype)
    if requires_grad:
        require_grad_at_creation(out)
    return out

def filled(str name, size, value, dtype=None, device=None, bint requires_grad=False):
    """A new tensor with every element `value`."""
    require_cpu(device)
    cdef Tensor out = new_of_size(name, <tuple>size, dtype)
    fill_elements(out, value)
    if requires_grad:
        require_grad_at_creation(out)
    return out

def fill_tensor(Tensor out, value):
    """Fills `out`; no history, no version."""
    cdef Tensor inner = out
    while type(inner) is Wrapped:
        inner = (<Wrapped>inner).value
    fill_elements(inner, value)
    return out

def beside(x, Tensor made):
    """A new, unset tensor for a program that also has `x`: where that belongs to a transform, the transform may want another."""
    return (<Wrapped>x).level.beside(x, made) if type(x) is Wrapped else made

def require_grad_of_new(Tensor out):
    """requires_grad=True of a factory."""
    require_grad_at_creation(out)
    return out

def refuse_other_devices(device):
    """An error for any device but the CPU."""
    require_cpu(device)

def converted(Tensor x, d):
    """The elements of `x` as dtype `d`, in x's layout; no history."""
    return convert(x, code_of(d))

def write_elements(Tensor target, Tensor source):
    """target[...] = source, converting and broadcasting; no history, but counted as a write."""
    copy_elements(target, source)
    mark_write(target.storage)
    return target


@cython.final
cdef class Factory:
    """zeros, ones, empty, rand, randn: makes tensors of the given size. Calls with sizes, dtype and requires_grad alone are served here, all
    others by the Python function `general`."""
    cdef vectorcall_function vectorcall
    cdef str name
    cdef object value              # what the tensors are filled with; None: nothing
    cdef Kernel kernel             # or what they are drawn by, with `value` as the first of two parameters
    cdef object general
    cdef dict __dict__

    def __init__(self, str name, value, general, Kernel kernel=None):
        self.vectorcall = call_factory
        self.name, self.value, self.general, self.kernel = name, value, general, kernel
        describe(self, name, general.__doc__)

    def __repr__(self):
        return shown_callable(self)

    @property
    def __module__(self):
        return module_of(self)

    def __reduce__(self):
        return reduced_callable(self)

    @property
    def __wrapped__(self):
        """The declaration."""
        return self.general

cdef PyObject* call_factory(PyObject* self, PyObject* const* args, size_t flagged, PyObject* kwnames) except NULL:
    cdef Factory factory = <Factory>self
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged), i, keywords = 0 if kwnames == NULL else PyTuple_GET_SIZE(<object>kwnames)
    cdef int64_t sizes[MAX_DIMS]
    cdef object dtype = None
    cdef object name, value, out
    cdef bint requires_grad = False, plain = n > 0 and n < 16
    cdef int code, count = 0, overflow = 0
    cdef Tensor made
    for i in range(keywords):
        name, value = <object>PyTuple_GET_ITEM(<object>kwnames, i), <object>args[n + i]
        if name == "dtype":
            dtype = value
        elif name == "requires_grad":
            requires_grad = value
        elif value is not None and not (name == "device" and value is cpu):
            plain = False
    if plain:
        for i in range(n):
            if not PyLong_CheckExact(<object>args[i]):
                plain = False
                break
            sizes[i] = PyLong_AsLongLongAndOverflow(<object>args[i], &overflow)
            if overflow:
                plain = False
                break
        count = <int>n
        if not plain and n == 1 and isinstance(<object>args[0], (tuple, list)):
            count = read_size_sequence(factory.name, <object>args[0], sizes)
            plain = True
        for i in range(count):
            if sizes[i] < 0:
                plain = False
    if plain:
        code = NO_DTYPE if dtype is None else code_for(factory.name, dtype)
        made = new_contiguous(default_dtype if code == NO_DTYPE else code, sizes, count)
        if factory.kernel is not None:
            if modes.interpreters:
                made = draw_at_level(made, factory.kernel, None, factory.value, 1.0)
            else:
                draw_into(made, factory.kernel, <Generator>default_generator, factory.value, 1.0)
        elif factory.value is not None:
            fill_elements(made, factory.value)
        if requires_grad:
            require_grad_at_creation(made)
        out = made
    else:
        positional = [<object>args[i] for i in range(n)]
        out = factory.general(*positional, **{<object>PyTuple_GET_ITEM(<object>kwnames, i): <object>args[n + i] for i in range(keywords)})
    Py_INCREF(out)
    return <PyObject*>out

cdef extern from *:
    """
    static void rl_enable_plain_vectorcall(PyTypeObject* type, size_t offset) {
      type->tp_vectorcall_offset = (Py_ssize_t)offset;
      type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
      type->tp_call = PyVectorcall_Call;
      PyType_Modified(type);
    }
    """
    void enable_plain_vectorcall "rl_enable_plain_vectorcall"(PyTypeObject*, size_t) noexcept

# As functions alone: unlike an op, a factory that is an attribute of a class does not become its method.
cdef Factory _a_factory = Factory.__new__(Factory)
enable_plain_vectorcall(<PyTypeObject*>Factory, <size_t>(<char*>&_a_factory.vectorcall - <char*><PyObject*>_a_factory))

# Devices, layouts, memory formats and sizes: the small nouns of the public API, and how its classes are called.
cdef extern from "Python.h":
    object PyType_GenericAlloc(PyTypeObject*, Py_ssize_t)
    void PyType_Modified(PyTypeObject*)

cpdef bint is_index(object value):
    """Whether a value counts as an int where sizes are listed: what has `__index__`, but of tensors those of one whole number alone."""
    if isinstance(value, Tensor):
        return (<Tensor>value).count == 1 and category[(<Tensor>value).code] < IS_FLOATING
    return hasattr(type(value), "__index__")

class Size(tuple):
    """The shape of a tensor: a tuple of integers, `sizes`.

    >>> import rushlight
    >>> rushlight.zeros(2, 3).shape.numel()
    6
    """
    __slots__ = ()

    def __new__(cls, sizes=()):
        values = tuple(sizes)
        plain = True
        for place, value in enumerate(values):
            if not PyLong_CheckExact(value):
                if not is_index(value):
                    raise TypeError(f"torch.Size() takes an iterable of 'int' (item {place} is '{type(value).__name__}')")
                plain = False
        return tuple.__new__(cls, values if plain else [int(value) for value in values])

    def numel(self) -> int:
        """The number of elements of a tensor of this size."""
        count = 1
        for size in self:
            count *= size
        return count

    def __repr__(self):
        return f"torch.Size([{', '.join(map(str, self))}])"

    __str__ = __repr__

    def __getitem__(self, index):
        value = tuple.__getitem__(self, index)
        return tuple.__new__(Size, value) if isinstance(index, slice) else value

    def __add__(self, other):
        return Size(tuple.__add__(self, other)) if isinstance(other, tuple) else NotImplemented

    def __radd__(self, other):
        return Size(tuple.__add__(other, self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, count):
        return Size(tuple.__mul__(self, count))

    __rmul__ = __mul__

    def __reduce__(self):
        return (Size, (tuple(self),))

show_class_as(Size, "torch.Size")

cdef PyTypeObject* size_type = <PyTypeObject*>Size

cdef inline void put_numbers(object out, const int64_t* values, int count):
    cdef int d
    cdef object value
    for d in range(count):
        value = values[d]
        Py_INCREF(value)
        PyTuple_SET_ITEM(out, d, value)

cdef inline object make_size(const int64_t* sizes, int ndim):
    cdef object out = PyType_GenericAlloc(size_type, ndim)
    put_numbers(out, sizes, ndim)
    return out

cdef inline tuple make_tuple(const int64_t* values, int count):
    cdef tuple out = PyTuple_New(count)
    put_numbers(out, values, count)
    return out


@cython.final
cdef class device:
    """Where a tensor lives: on the CPU, or, as "meta", nowhere: it has a shape and a dtype alone.

    >>> import rushlight
    >>> rushlight.device("cpu")
    device(type='cpu')
    """

    def __init__(self, *args, **named):
        if modes.function_modes:
            from rushlight import _overridable
            handled = _overridable.about_device(device, args, named)
            if handled is not NotImplemented:
                self.type, self.index = handled.type, handled.index
                return
        if len(args) == 1 and not named and type(args[0]) is str and args[0] in ("cpu", "meta"):
            self.type = args[0]
            return
        from rushlight.ops._arguments import device_parts
        self.type, self.index = device_parts(*args, **named)

    def __repr__(self):
        return f"device(type='{self.type}')" if self.index is None else f"device(type='{self.type}', index={self.index})"

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other):
        return isinstance(other, device) and self.type == (<device>other).type and self.index == (<device>other).index

    def __hash__(self):
        return hash((self.type, self.index))

    def __reduce__(self):
        return (device, (self.type,) if self.index is None else (self.type, self.index))

    def __enter__(self):
        from rushlight.utils import _device
        _device.enter(self)
        return self

    def __exit__(self, *exc):
        from rushlight.utils import _device
        _device.leave()

cdef device cpu = device("cpu")

cdef device meta = device("meta")

cdef bint meta_exist = False     # whether there was any tensor without memory
cdef bint uncommon_exist = False      # the one test of a plain call: `meta_exist`, or `lazy_exist`, or `subclasses_exist`

cpdef bint is_meta_place(object where) except -1:
    """Whether tensors are to have no memory (device "meta") or such as the CPU sees; any other place is refused with the words that PyTorch built
    without it uses. None stands for where tensors are made now."""
    global meta_exist, uncommon_exist
    if where is None:
        return modes.meta
    if where is cpu:
        return False
    cdef device place = where if isinstance(where, device) else device(where)
    if place.type == "cpu":
        return False
    if place.type == "meta":
        meta_exist = uncommon_exist = True
        return True
    from rushlight.ops._arguments import refuse_place
    refuse_place(place.type)

cpdef int require_cpu(object where) except -1:
    """Refuses every place but the CPU."""
    if is_meta_place(where):
        raise RuntimeError("Rushlight has this on the CPU only, not on 'meta'; use device='cpu'")
    return 0

@cython.final
cdef class made_on:
    """A context in which new tensors have no memory, where its device is "meta"."""
    cdef bint wanted, before

    def __init__(self, where):
        self.wanted = is_meta_place(where)

    def __enter__(self):
        self.before, modes.meta = modes.meta, self.wanted

    def __exit__(self, *exc):
        modes.meta = self.before

cdef object no_data():
    return NotImplementedError("Cannot copy out of meta tensor; no data!")

@cython.final
cdef class layout:
    """How a tensor's elements are arranged in memory.

    >>> import rushlight
    >>> rushlight.zeros(2).layout
    torch.strided
    """

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return "torch." + self.name

    def __reduce__(self):
        return (layout_named, (repr(self),))

def layout_named(name):
    """The layout called `name`, say "torch.strided" (unpickling uses this)."""
    found = globals().get(name[6:]) if name.startswith("torch.") else None
    if not isinstance(found, layout):
        raise KeyError(name)
    return found

strided = layout("strided")
# Programs ask whether a tensor has one of these; none has.
for _name in ("sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "jagged"):
    globals()[_name] = layout(_name)


@cython.final
cdef class memory_format:
    """The order of a new tensor's dimensions in memory.

    >>> import rushlight
    >>> rushlight.empty(1, 2, 3, 4, memory_format=rushlight.channels_last).stride()
    (24, 1, 8, 2)
    """

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return "torch." + self.name

    @property
    def __module__(self):
        return get_package()

    def __reduce__(self):
        return self.name

contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")

cdef extern from "Python.h":
    tuple PyList_AsTuple(object)
    tuple PySequence_Tuple(object)

cdef extern from *:
    """
    // For functions that call themselves on what containers hold, which may hold themselves: RecursionError, as in Python's own. (From 3.12
    // on Python lets C go deeper than a thread's stack may be.)
    struct rl_depth {
      static constexpr int most = 1000;
      static inline thread_local int now = 0;
      bool entered = false;
      int enter() {
        if (now == most) {
          PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded while looking into nested containers");
          return -1;
        }
        if (Py_EnterRecursiveCall(" while looking into nested containers")) return -1;
        entered = true;
        ++now;
        return 0;
      }
      ~rl_depth() {
        if (!entered) return;
        --now;
        Py_LeaveRecursiveCall();
      }
    };
    """
    cdef cppclass Depth "rl_depth":
        int enter() except -1

cdef inline tuple items_once(object sequence):
    """The items of a sequence, read once: what an item does while it is converted cannot change them. Of lists and tuples what they hold,
    whatever a subclass says."""
    return <tuple>sequence if isinstance(sequence, tuple) else PyList_AsTuple(sequence) if isinstance(sequence, list) else \
        PySequence_Tuple(sequence)

cdef int read_sizes(object sizes, int64_t* out) except -1:
    """A size or dims argument (an int or a sequence of ints) into `out`; returns how many."""
    cdef Py_ssize_t n, i
    cdef tuple items
    if PyLong_CheckExact(sizes):
        out[0] = int64_of(sizes)
        return 1
    if not isinstance(sizes, (tuple, list)):
        if isinstance(sizes, Tensor) and (<Tensor>sizes).geometry.ndim == 1:
            sizes = sizes.tolist()
        elif hasattr(type(sizes), "__index__"):
            out[0] = int64_of(PyNumber_Index(sizes))
            return 1
    items = items_once(sizes)
    n = PyTuple_GET_SIZE(items)
    if n > MAX_DIMS:
        raise RuntimeError(f"a tensor has at most {MAX_DIMS} dimensions, not {n}")
    for i in range(n):
        item = <object>PyTuple_GET_ITEM(items, i)
        out[i] = int64_of(item if PyLong_Check(item) else PyNumber_Index(item))
    return n

cdef inline int read_strides(object strides, Geometry& out) except -1:
    """A list of strides into a geometry that has its sizes; returns how many there are, which the caller compares."""
    cdef int64_t steps[MAX_DIMS]
    cdef int n = read_sizes(strides, steps)
    memcpy(out.strides, steps, min(n, out.ndim) * sizeof(int64_t))
    return n

cpdef inline int wrap_dim(int64_t dim, int ndim) except -1:
    """A dimension that may count from the end; 0-d tensors allow 0 and -1."""
    cdef int limit = ndim if ndim > 0 else 1
    if dim < -limit or dim >= limit:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], but got {dim})")
    return dim + limit if dim < 0 else dim

cpdef bint is_plain_int(object index):
    return type(index) is int or (hasattr(type(index), "__index__") and not isinstance(index, (bool, Tensor)) and getattr(index, "ndim", 0) == 0)

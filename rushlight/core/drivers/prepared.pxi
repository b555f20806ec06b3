# Functions whose calls of kernels follow from the geometry of their tensors and from their other arguments: Python says once for all such
# arguments what is to be made and which kernels run (and checks what there is to check), and here that is done again.
cdef enum:
    MOST_TENSORS = 16     # of a call, made or given
    MOST_NUMBERS = 24
    REMEMBERED = 128      # calls of a function

cdef extern from *:
    """
    // What tells a call from others: what its arguments are, but for the elements of tensors.
    struct rl_call_key {
      int64_t words[224];
      PyObject* tensors[16];
      int count = 0, tensor_count = 0;
      bool add(int64_t word) {
        if (count == 224) return false;
        words[count++] = word;
        return true;
      }
      bool is(const std::vector<int64_t>& other) const {
        return other.size() == size_t(count) && std::memcmp(other.data(), words, size_t(count) * sizeof(int64_t)) == 0;
      }
      std::vector<int64_t> copy() const { return std::vector<int64_t>(words, words + count); }
      size_t hash() const {
        uint64_t mixed = uint64_t(count);
        for (int i = 0; i < count; ++i) mixed = (mixed ^ uint64_t(words[i])) * 0x9e3779b97f4a7c15u, mixed ^= mixed >> 29;
        return size_t(mixed);
      }
    };
    """
    cdef cppclass CallKey "rl_call_key":
        PyObject** tensors
        int tensor_count
        cbool add(int64_t) noexcept
        cbool matches "is"(const vector[int64_t]&) noexcept
        vector[int64_t] copy()
        size_t hash() noexcept


cdef bint add_argument(CallKey* key, PyObject* value, bint nested) noexcept:
    """Adds what an argument is; False where that is too much, or may change behind its back."""
    cdef PyTypeObject* kind = type_of(value)
    cdef Tensor x
    cdef PyObject** items
    cdef Py_ssize_t i, n
    cdef double number
    cdef int64_t bits
    cdef int d
    if is_tensor_object(value):
        x = <Tensor>value
        if nested or kind == <PyTypeObject*>Wrapped or x.flags & LAZY or is_meta(x) or key.tensor_count == MOST_TENSORS:
            return False
        key.tensors[key.tensor_count] = value
        key.tensor_count += 1
        if not key.add(<int64_t>1 << 32 | <int64_t>x.code << 8 | x.geometry.ndim):
            return False
        for d in range(x.geometry.ndim):
            if not key.add(x.geometry.shape[d]) or not key.add(x.geometry.strides[d]):
                return False
        return True
    if is_short_integer(value):
        return key.add(<int64_t>2 << 32) and key.add(short_integer(value))
    if PyFloat_CheckExact(<object>value):
        number = PyFloat_AS_DOUBLE(<object>value)
        memcpy(&bits, &number, sizeof(double))
        return key.add(<int64_t>3 << 32) and key.add(bits)
    if value == <PyObject*>None or PyBool_Check(<object>value) or kind == <PyTypeObject*>dtype or kind == <PyTypeObject*>memory_format or \
            not nested and PyUnicode_CheckExact(<object>value):
        return key.add(<int64_t>4 << 32) and key.add(<int64_t>value)
    if nested or not (PyTuple_Check(<object>value) or PyList_CheckExact(<object>value)):
        return False
    items, n = PySequence_Fast_ITEMS(<object>value), PySequence_Fast_GET_SIZE(<object>value)
    if not key.add(<int64_t>5 << 32 | n):
        return False
    for i in range(n):
        if not add_argument(key, items[i], True):
            return False
    return True


@cython.final
cdef class Unmade:
    """A tensor that is to be made: its sizes, strides (or None: row-major) and dtype."""
    cdef Geometry geometry
    cdef int code
    cdef int64_t count, bytes

    def __init__(self, size, dtype, strides=None):
        cdef int64_t sizes[MAX_DIMS]
        self.geometry.set_shape(sizes, read_sizes(size, sizes))
        self.code, self.count = code_of(dtype), count_of(self.geometry)
        if strides is None:
            if not self.geometry.make_contiguous():
                raise RuntimeError("Stride calculation overflowed")
            self.bytes = bytes_of(self.count, self.code, self.geometry)
        elif read_strides(strides, self.geometry) != self.geometry.ndim:
            raise ValueError("there are as many strides as sizes")
        else:
            self.bytes = bytes_reached(self.geometry, self.code)

    cdef Tensor make(self):
        cdef Tensor out = new_tensor(self.code, self.count, self.bytes)
        out.geometry.copy(self.geometry)
        return finished(out)


@cython.final
cdef class PreparedKernel:
    """A kernel with its numbers; `places` says what its arrays are: from 0 on what is made, from MOST_TENSORS on the tensors among the arguments."""
    cdef Kernel kernel
    cdef int places[MOST_TENSORS]
    cdef int count
    cdef list seen                        # the sizes by which the kernel sees an array, where they are not its own
    cdef Number numbers[MOST_NUMBERS]


@cython.final
cdef class Preparation:
    """What a call does: makes tensors, runs kernels, returns some of the tensors.

    `made` has the sizes and the dtype (and the strides, where it is not row-major) of each tensor that is made, by its name. A kernel comes with
    the names of its arrays, of what is made and of parameters (None: the kernel gets none; a pair of a name and sizes: the kernel sees those),
    and with its numbers. `results` is a name, or a tuple of names and None.
    """
    cdef dict made
    cdef tuple kernels
    cdef object results
    cdef list unmade, prepared
    cdef int places[MOST_TENSORS]
    cdef int result_count              # -1: one that is no tuple

    def __init__(self, dict made, results, *kernels):
        self.made, self.results, self.kernels = made, results, kernels

    cdef int bind(self, tuple parameters, list arguments) except -1:
        """Finds the places of all names, where `arguments` are those of a call."""
        cdef dict places = {name: i for i, name in enumerate(self.made)}
        cdef int given = MOST_TENSORS, i
        for name, value in zip(parameters, arguments):
            places[name] = given if isinstance(value, Tensor) else -1
            given += isinstance(value, Tensor)
        names = self.results if type(self.results) is tuple else (self.results,)
        if len(self.made) > MOST_TENSORS or len(names) > MOST_TENSORS:
            raise ValueError("a prepared call makes too many tensors")
        for i, name in enumerate(names):
            self.places[i] = -1 if name is None else places[name]
        self.result_count = len(names) if type(self.results) is tuple else -1
        self.unmade = [Unmade(*described) for described in self.made.values()]
        self.prepared = [bound_kernel(places, kernel, arrays, numbers) for kernel, arrays, numbers in self.kernels]
        return 0

    cdef object run(self, PyObject** given):
        cdef Array arrays[MOST_TENSORS]
        cdef PyObject* tensors[2 * MOST_TENSORS]
        cdef list made = [(<Unmade>unmade).make() for unmade in self.unmade]
        cdef PreparedKernel each
        cdef tuple results
        cdef object result
        cdef Tensor x
        cdef Unmade seen
        cdef int64_t work
        cdef int i
        for i in range(PyList_GET_SIZE(made)):
            tensors[i] = <PyObject*>PyList_GET_ITEM(made, i)
        for i in range(MOST_TENSORS):
            tensors[MOST_TENSORS + i] = given[i]
        for each in self.prepared:
            work = 0
            for i in range(each.count):
                if each.places[i] < 0:
                    arrays[i] = scalar_array(NULL, FLOAT32)
                    continue
                x = <Tensor>tensors[each.places[i]]
                arrays[i] = array_of(x)
                work = max(work, x.count)
                if each.seen[i] is not None:
                    seen = <Unmade>each.seen[i]
                    arrays[i].ndim, arrays[i].shape, arrays[i].strides = seen.geometry.ndim, seen.geometry.shape, seen.geometry.strides
            launch(each.kernel.function, arrays, each.count, each.numbers, MOST_NUMBERS, work)
        if self.result_count < 0:
            return <Tensor>tensors[self.places[0]]
        results = PyTuple_New(self.result_count)
        for i in range(self.result_count):
            result = None if self.places[i] < 0 else <object>tensors[self.places[i]]
            Py_INCREF(result)
            PyTuple_SET_ITEM(results, i, result)
        return results

cdef PreparedKernel bound_kernel(dict places, Kernel kernel, arrays, numbers):
    cdef PreparedKernel made = PreparedKernel.__new__(PreparedKernel)
    cdef int i
    if len(arrays) > MOST_TENSORS or len(numbers) > MOST_NUMBERS:
        raise ValueError(f"the kernel {kernel.name} gets too much for a prepared call")
    made.kernel, made.count, made.seen = kernel, len(arrays), []
    for i, name in enumerate(arrays):
        sizes = None
        if type(name) is tuple:
            name, sizes = name
        made.places[i] = -1 if name is None else places[name]
        made.seen.append(None if sizes is None else Unmade(sizes, dtypes[BOOL]))
    for i, number in enumerate(numbers):
        if type(number) is float:
            made.numbers[i].f = number
        else:
            made.numbers[i].i = number
    return made


@cython.final
cdef class Remembered:
    """A call that was seen before, and what it does: None for what takes the general way."""
    cdef vector[int64_t] key
    cdef tuple held            # keeps objects that the key knows by their address
    cdef Preparation preparation


@cython.final
cdef class Prepared(Called):
    """A function of tensors and other arguments, with a short way: `prepare`, of the same arguments, gives the Preparation of such calls, or None where
    there is none, or raises what the function would."""
    cdef dict __dict__
    cdef readonly object function, prepare
    cdef tuple parameters
    cdef list remembered

    def __init__(self, function, prepare):
        self.vectorcall, self.function, self.prepare = call_prepared, function, prepare
        self.parameters = function.__code__.co_varnames[:function.__code__.co_argcount + function.__code__.co_kwonlyargcount]
        self.remembered = [None] * REMEMBERED
        for name in ("__name__", "__qualname__", "__doc__"):
            setattr(self, name, getattr(function, name))

    @property
    def __wrapped__(self):
        """The declaration."""
        return self.function

    def __getattr__(self, name):
        return getattr(self.function, name)

    cdef Remembered find(self, CallKey* key, PyObject* const* args, Py_ssize_t n, PyObject* names):
        cdef size_t at = key.hash() % REMEMBERED
        cdef Remembered found = <Remembered>PyList_GET_ITEM(self.remembered, at)
        cdef Py_ssize_t i, count = n if names == NULL else n + PyTuple_GET_SIZE(<object>names)
        if found is not None and key.matches(found.key):
            return found
        made = PyObject_Vectorcall(self.prepare, <PyObject**>args, n, names)
        found = Remembered.__new__(Remembered)
        found.key, found.preparation = key.copy(), made
        found.held = (*[<object>args[i] for i in range(count) if PyUnicode_CheckExact(<object>args[i])], None if names == NULL else <object>names)
        if made is not None:
            parameters = self.parameters[:n] if names == NULL else self.parameters[:n] + <tuple><object>names
            found.preparation.bind(parameters, [<object>args[i] for i in range(count)])
        self.remembered[at] = found
        return found

cdef PyObject* call_prepared(PyObject* self, PyObject* const* args, size_t flagged, PyObject* names) except NULL:
    cdef Prepared function = <Prepared>self
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged), i, count = n if names == NULL else n + PyTuple_GET_SIZE(<object>names)
    cdef CallKey key
    cdef Remembered found = None
    cdef bint plain = short_ways and key.add(<int64_t>names)
    cdef object result
    for i in range(count):
        plain = plain and add_argument(&key, args[i], False)
    if plain:
        found = function.find(&key, args, n, names)
    if found is not None and found.preparation is not None:
        result = found.preparation.run(key.tensors)
    else:
        result = PyObject_Vectorcall(function.function, <PyObject**>args, n, names)
    Py_INCREF(result)
    return <PyObject*>result

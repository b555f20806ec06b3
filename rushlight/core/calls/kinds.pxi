# Kinds of arguments: tests that compare types, and patterns of kinds.
cdef extern from *:
    """
    // An int of a single digit (of 30 bits), and its value.
    #if PY_VERSION_HEX >= 0x030C0000
    static inline bool rl_is_short(PyObject* value) {
      return PyLong_CheckExact(value) && PyUnstable_Long_IsCompact((PyLongObject*)value);
    }
    static inline int64_t rl_short(PyObject* value) { return PyUnstable_Long_CompactValue((PyLongObject*)value); }
    #else
    static inline bool rl_is_short(PyObject* value) { return PyLong_CheckExact(value) && Py_SIZE(value) <= 1 && Py_SIZE(value) >= -1; }
    static inline int64_t rl_short(PyObject* value) { return Py_SIZE(value) * int64_t(((PyLongObject*)value)->ob_digit[0]); }
    #endif
    static inline PyTypeObject* rl_type(PyObject* value) { return Py_TYPE(value); }
    static inline PyObject* const* rl_items(PyObject* tuple) { return ((PyTupleObject*)tuple)->ob_item; }
    """
    bint is_short_integer "rl_is_short"(PyObject*) noexcept
    int64_t short_integer "rl_short"(PyObject*) noexcept
    PyTypeObject* type_of "rl_type"(PyObject*) noexcept
    PyObject* const* PySequence_ITEMS "rl_items"(object) noexcept

cdef inline bint are_short_integers(PyObject* const* values, Py_ssize_t n) noexcept:
    cdef Py_ssize_t i
    for i in range(n):
        if not is_short_integer(values[i]):
            return False
    return True

cdef inline bint hold_short_integers(PyObject* value) noexcept:
    """A tuple, or exactly a list, of plain ints; to read it runs no code of Python's."""
    return (PyTuple_Check(<object>value) or PyList_CheckExact(<object>value)) and are_short_integers(
        PySequence_Fast_ITEMS(<object>value), PySequence_Fast_GET_SIZE(<object>value))


# Kinds of arguments, and the letters that name them in patterns.
KINDS = "tcflmFindsqr-*"

cdef enum:
    TENSOR = 1
    CONTIGUOUS_TENSOR
    FLOATING           # a tensor of a floating dtype
    INTEGERS           # one of int64
    MASK               # one of booleans
    FLOATING_OR_NONE
    LAST_TENSOR = FLOATING_OR_NONE
    PLAIN_INT          # of a single digit
    PLAIN_NUMBER       # a plain int (of a single digit) or float
    DIMENSION          # a plain int that names a dimension
    SIZES              # a plain int, or a tuple or list of such
    SEQUENCE           # a plain tuple or list
    REDUCTION          # "none", "mean" or "sum"
    NOTHING            # None
    REPEATED           # the one before, any number of times

cdef inline bint is_tensor_of_kind(Tensor x, uint8_t kind) noexcept:
    if kind == FLOATING or kind == FLOATING_OR_NONE:
        return category[x.code] == IS_FLOATING
    elif kind == INTEGERS:
        return x.code == INT64
    elif kind == MASK:
        return x.code == BOOL
    return kind == TENSOR or x.flags & CONTIGUOUS != 0

cdef inline bint is_of_kind(PyObject* value, uint8_t kind) noexcept:
    if kind == TENSOR:
        return is_tensor_object(value)
    elif kind == PLAIN_INT or kind == DIMENSION:
        return is_short_integer(value)
    return is_of_rarer_kind(value, kind)

cdef bint is_of_rarer_kind(PyObject* value, uint8_t kind) noexcept:
    if kind <= LAST_TENSOR:
        return is_tensor_object(value) and is_tensor_of_kind(<Tensor>value, kind) or kind == FLOATING_OR_NONE and <object>value is None
    elif kind == PLAIN_NUMBER:
        return PyFloat_CheckExact(<object>value) or is_short_integer(value)
    elif kind == SIZES:
        return is_short_integer(value) or hold_short_integers(value)
    elif kind == SEQUENCE:
        return type(<object>value) is tuple or type(<object>value) is list
    return <object>value is None if kind == NOTHING else PyUnicode_CheckExact(<object>value)

cdef int read_kinds(str letters, uint8_t* kinds, int most) except -1:
    """Letters as kinds, with a 0 behind the last."""
    cdef int i
    if len(letters) > most:
        raise ValueError(f"'{letters}' has too many kinds of arguments")
    for i in range(len(letters)):
        kinds[i] = KINDS.index(letters[i]) + 1
    kinds[len(letters)] = 0
    return 0

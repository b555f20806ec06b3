# What has to be as it was for a recorded call to be done again: what the Python code that ran could read. rushlight/compiler/_reading.py finds it;
# here it is compared, before every replay.
cdef extern from "Python.h":
    PyObject* PyDict_GetItem_ "PyDict_GetItemWithError"(PyObject*, PyObject*)
    Py_ssize_t PyDict_Size(PyObject*) noexcept
    bint PyDict_Next_ "PyDict_Next"(PyObject*, Py_ssize_t*, PyObject**, PyObject**) noexcept
    PyObject* PyCell_GET(PyObject*) noexcept
    Py_ssize_t PySet_GET_SIZE(PyObject*) noexcept
    bint PyUnicode_CheckExact_ "PyUnicode_CheckExact"(PyObject*) noexcept
    PyObject* PyFunction_GET_CODE(PyObject*) noexcept
    PyObject* PyFunction_GET_DEFAULTS(PyObject*) noexcept
    PyObject* PyFunction_GET_KW_DEFAULTS(PyObject*) noexcept

cdef extern from *:
    """
    // A number that changes whenever a class or one of its bases does; 0 where it has none.
    static inline int64_t rl_type_version(PyObject* type) {
      PyTypeObject* t = (PyTypeObject*)type;
    #if PY_VERSION_HEX < 0x030D0000  // (since 3.13 the number itself says whether there is one)
      if (!PyType_HasFeature(t, Py_TPFLAGS_VALID_VERSION_TAG)) return 0;
    #endif
      return (int64_t)t->tp_version_tag;
    }
    // A number that changes whenever a dict does, where CPython keeps one (until 3.12); else 0.
    static inline uint64_t rl_dict_version(PyObject* dict) {
    #if PY_VERSION_HEX < 0x030C0000
      return ((PyDictObject*)dict)->ma_version_tag;
    #else
      return 0;
    #endif
    }
    struct rl_guard {
      int kind;
      PyObject *owner, *key, *value;     // (the Guards hold them)
      int64_t number;
    };
    struct rl_guarded_dict {             // … those of one dict: they hold while its version is this one
      PyObject* dict;
      uint64_t version;
      size_t first, end;
    };
    """
    int64_t type_version "rl_type_version"(PyObject*) noexcept
    uint64_t dict_version "rl_dict_version"(PyObject*) noexcept
    cdef struct GuardItem "rl_guard":
        int kind
        PyObject* owner
        PyObject* key
        PyObject* value
        int64_t number
    cdef struct GuardedDict "rl_guarded_dict":
        PyObject* dict
        uint64_t version
        size_t first
        size_t end

cdef enum:
    DICT_ITEM       # owner[key] is value
    DICT_LACKS      # key is not in owner
    DICT_KEYS       # its keys are those of the tuple value, in this order …
    DICT_ORDER      # … and of an OrderedDict, whose order is its own, in that of the list value
    ITEMS           # a list: its items are those of the tuple value
    MEMBERS         # a set
    FUNCTION        # its code, defaults and defaults of keywords are those of the tuple value
    CELL            # the variable of a closure (value NULL: not set)
    CLASS_OF        # type(owner) is value
    VERSION         # a class and its bases have not been changed
    ATTRIBUTE       # getattr(owner, key, key) is value

cdef list _guard_kinds = ["item", "lacks", "keys", "order", "items", "members", "function", "cell", "class", "version", "attribute"]

cdef inline bint is_same(PyObject* now, PyObject* before):
    """One object, or two that cannot be told apart by their values."""
    cdef object a, b
    if now == before:
        return True
    if now == NULL or before == NULL or type_of(now) != type_of(before):
        return False
    a, b = <object>now, <object>before
    if PyFloat_CheckExact(a):
        return PyFloat_AS_DOUBLE(a) == PyFloat_AS_DOUBLE(b) and (PyFloat_AS_DOUBLE(a) != 0 or str(a) == str(b))
    if PyLong_CheckExact(a) or PyUnicode_CheckExact_(now) or type(a) is bytes:
        return a == b
    return False


@cython.final
cdef class TensorState:
    """How a tensor from outside was when a call began."""
    cdef Tensor tensor
    cdef Storage storage
    cdef char* data
    cdef int64_t offset
    cdef int8_t code
    cdef uint8_t flags
    cdef Geometry geometry
    cdef Node grad_fn
    cdef Tensor base
    cdef uint32_t output_number
    cdef object grad
    cdef uint32_t version, grad_version
    cdef object attributes     # its __dict__ (what is in there, guards say)

    cdef bint is_as_it_was(self):
        """But for its values and its gradient."""
        cdef Tensor t = self.tensor
        return t.storage.memory.data == self.data and t.offset == self.offset and t.code == self.code and t.flags == self.flags and \
            t.hooks is None and t.post_hooks is None and t.base is self.base and attributes_of(t) is self.attributes and \
            t.geometry.same_shape(self.geometry) and t.geometry.same_strides(self.geometry)

    cdef bint holds(self):
        """Is the tensor as it was? (A gradient may be another tensor, but of the same kind.)"""
        cdef Tensor grad, now
        if not self.is_as_it_was():
            return False
        if self.grad is None or self.tensor.grad_ is None:
            return self.grad is self.tensor.grad_
        grad, now = <Tensor>self.grad, <Tensor>self.tensor.grad_
        return type(now) is Tensor and now.code == grad.code and now.offset == grad.offset and now.flags == grad.flags and \
            now.geometry.same_shape(grad.geometry) and now.geometry.same_strides(grad.geometry)

    cdef bint holds_but_grad(self):
        return self.is_as_it_was() and self.tensor.storage is self.storage

    cdef bint unmoved(self):
        """After the call: is it the same tensor, over the same memory, with the same history?"""
        return self.holds_but_grad() and self.tensor.grad_fn_ is self.grad_fn and self.tensor.output_number == self.output_number

cdef TensorState state_of(Tensor t):
    cdef TensorState state = TensorState.__new__(TensorState)
    state.attributes = attributes_of(t)
    state.tensor, state.storage, state.data, state.offset, state.code, state.flags = t, t.storage, t.storage.memory.data, t.offset, t.code, t.flags
    state.geometry.copy(t.geometry)
    state.grad_fn, state.base, state.output_number, state.grad, state.version = t.grad_fn_, t.base, t.output_number, t.grad_, t.storage.version
    if t.grad_ is not None:
        state.grad_version = (<Tensor>t.grad_).storage.version
    return state

cdef TensorState outlined(TensorState state):
    """The state without what it keeps alive: of a gradient the kind alone, no memory."""
    cdef Tensor grad
    if state.grad is not None:
        grad = bare_tensor()
        grad.code, grad.flags, grad.offset = (<Tensor>state.grad).code, (<Tensor>state.grad).flags, (<Tensor>state.grad).offset
        grad.geometry.copy((<Tensor>state.grad).geometry)
        state.grad = grad
    return state


@cython.final
cdef class Guards:
    """Comparisons, each (kind, owner, key, value); those of one dict stand behind each other."""
    cdef vector[GuardItem] items
    cdef vector[GuardedDict] dicts    # of the first items …
    cdef size_t others                # … and where the rest of them begins
    cdef list held
    cdef readonly object failed       # what did not hold, the last time

    def __init__(self, list of_dicts, list others):
        cdef GuardItem item
        cdef GuardedDict guarded
        self.held, self.others = of_dicts + others, len(of_dicts)
        for guard in self.held:
            kind, owner, key, value = guard
            item.kind = _guard_kinds.index(kind)
            item.number = 0
            if item.kind == VERSION:
                item.number = type_version(<PyObject*>owner)
                if item.number == 0:
                    raise ValueError(f"{owner} has no version")
            elif item.kind == ITEMS or item.kind == DICT_KEYS or item.kind == MEMBERS:
                item.number = len(value)
            item.owner, item.key, item.value = <PyObject*>owner, <PyObject*>key, <PyObject*>value
            if item.kind == CELL and value is MISSING:
                item.value = NULL
            if self.items.size() < self.others and (self.dicts.empty() or self.dicts.back().dict != item.owner):
                guarded.dict, guarded.version, guarded.first = item.owner, 0, self.items.size()
                self.dicts.push_back(guarded)
            self.items.push_back(item)
            if self.items.size() <= self.others:
                self.dicts.back().end = self.items.size()

    def __len__(self):
        return self.items.size()

    def hold(self):
        """Whether everything is as it was."""
        return self.all_hold()

    cdef bint all_hold(self) except -1:
        cdef size_t i
        cdef GuardedDict* of_dict
        for i in range(self.dicts.size()):
            of_dict = &self.dicts[i]
            if of_dict.version and of_dict.version == dict_version(of_dict.dict):
                continue
            if not self.some_hold(of_dict.first, of_dict.end):
                return False
            of_dict.version = dict_version(of_dict.dict)
        return self.some_hold(self.others, self.items.size())

    cdef bint some_hold(self, size_t first, size_t end) except -1:
        cdef size_t i
        for i in range(first, end):
            if not guard_holds(&self.items[i]):
                self.failed = (<list>self.held)[i]
                return False
        return True

cdef bint has_keys(GuardItem* item) except -1:
    cdef Py_ssize_t place = 0, i = 0
    cdef PyObject* key
    if PyDict_Size(item.owner) != item.number:
        return False
    while PyDict_Next_(item.owner, &place, &key, NULL):
        if not is_same(key, PyTuple_GET_ITEM_POINTER(<object>item.value, i)):
            return False
        i += 1
    return True

cdef inline PyObject* or_none(PyObject* value) noexcept:
    return <PyObject*>None if value == NULL else value

cdef bint guard_holds(GuardItem* item) except -1:
    cdef PyObject* found
    cdef PyObject** items
    cdef Py_ssize_t i
    if item.kind == DICT_ITEM:
        return is_same(PyDict_GetItem_(item.owner, item.key), item.value)
    if item.kind == DICT_LACKS:
        return PyDict_GetItem_(item.owner, item.key) == NULL
    if item.kind == DICT_KEYS:
        return has_keys(item)
    if item.kind == DICT_ORDER:
        return list(<object>item.owner) == <object>item.value
    if item.kind == ITEMS:
        if PyList_GET_SIZE(<object>item.owner) != item.number:
            return False
        items = PySequence_Fast_ITEMS(<object>item.owner)
        for i in range(item.number):
            if not is_same(items[i], PyTuple_GET_ITEM_POINTER(<object>item.value, i)):
                return False
        return True
    if item.kind == MEMBERS:
        return PySet_GET_SIZE(item.owner) == item.number and (item.number == 0 or <object>item.owner == <object>item.value)
    if item.kind == FUNCTION:
        return PyFunction_GET_CODE(item.owner) == PyTuple_GET_ITEM_POINTER(<object>item.value, 0) and \
            or_none(PyFunction_GET_DEFAULTS(item.owner)) == PyTuple_GET_ITEM_POINTER(<object>item.value, 1) and \
            or_none(PyFunction_GET_KW_DEFAULTS(item.owner)) == PyTuple_GET_ITEM_POINTER(<object>item.value, 2)
    if item.kind == CELL:
        return is_same(PyCell_GET(item.owner), item.value)
    if item.kind == CLASS_OF:
        return <PyObject*>type_of(item.owner) == item.value
    if item.kind == VERSION:
        return type_version(item.owner) == item.number
    value = getattr(<object>item.owner, <object>item.key, MISSING)
    return is_same(<PyObject*>value, item.value)

cdef int64_t modes_word():
    """The modes that calls of ops depend on, and how often programs have changed methods of tensors."""
    return modes.grad | modes.inference << 1 | modes.wished << 2 | modes.forward_ad << 3 | modes.anomaly << 4 | short_ways << 5 | \
        <int64_t>modes.unwrapped << 8 | <int64_t>default_dtype << 16 | <int64_t>class_changes << 32

cdef tuple modes_now():
    """The modes that a call finds, and leaves as they were."""
    return (modes_word(), modes.interpreters, modes.function_modes, modes.transforms, modes.meta, saved_tensor_hooks_active)

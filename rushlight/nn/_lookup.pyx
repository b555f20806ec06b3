# cython: language_level=3, binding=True, auto_pickle=False
"""The part of `Module` that runs on every attribute and every call, in C.

PyTorch finds a parameter in `Module.__getattr__`: the ordinary lookup fails first, and the failure costs about 0.5 µs. Here the
lookup of the base class goes on to the dictionaries `_parameters`, `_buffers` and `_modules` before anything is raised. The instance's
`__dict__` and those three stay the only truth: nothing is mirrored, so code that edits them directly is seen at once.
"""

import copyreg

from cpython.dict cimport PyDict_Contains, PyDict_GetItemWithError
from cpython.object cimport PyObject, PyObject_GenericGetAttr, PyObject_GenericSetAttr
from cpython.ref cimport Py_INCREF
from libc.stdint cimport uint64_t


cdef extern from "rushlight/core/array/traceback.h":     # (errors show none of what is below)
    pass

cdef extern from "Python.h":
    ctypedef object (*getattrofunc)(object, object)
    ctypedef object (*descrgetfunc)(object, object, object)
    ctypedef struct TypeStruct "PyTypeObject":
        getattrofunc tp_getattro
        descrgetfunc tp_descr_get
        void* tp_descr_set
        const char* tp_name
    TypeStruct* Py_TYPE(object)
    PyObject* _PyType_Lookup(TypeStruct*, object)
    PyObject** _PyObject_GetDictPtr(object)
    object PyObject_GenericGetDict(object, void*)
    bint PyFunction_Check(object)
    bint PyObject_TypeCheck(object, TypeStruct*)
    PyObject* PyObject_Vectorcall(object, PyObject* const*, size_t, PyObject*) except NULL
    Py_ssize_t PyVectorcall_NARGS(size_t)
    size_t PY_VECTORCALL_ARGUMENTS_OFFSET
    PyObject** PySequence_Fast_ITEMS(object)
    Py_ssize_t PyTuple_GET_SIZE(PyObject*)
    void PyType_Modified(TypeStruct*)


cdef class ModuleBase


cdef extern from *:
    """
    #include <cstddef>
    #include <type_traits>
    // Of this many lookups a module remembers what they found.
    enum { RL_REMEMBERED = 4 };
    struct rl_remembered {
      PyObject* name;       // the key of the table, borrowed as is the value: both are there while neither dict has changed
      PyObject* value;
      PyObject* table;
      uint64_t attributes;  // the versions of the module's dict and of the table
      uint64_t version;
    };
    // CPython up to 3.12 counts the changes of dicts, over all of them: equal numbers are the same dict in the same state.
    #if PY_VERSION_HEX < 0x030D0000
    #define rl_version(dict) (((PyDictObject*)(dict))->ma_version_tag)
    #else
    #define rl_version(dict) 0
    #endif
    #define rl_used(dict) (((PyDictObject*)(dict))->ma_used)
    static inline PyObject* rl_recall(const rl_remembered* all, PyObject* attributes, PyObject* name) {
      const rl_remembered& one = all[((size_t)name >> 5) % RL_REMEMBERED];
      return one.name == name && one.attributes && one.attributes == rl_version(attributes) && one.version == rl_version(one.table)
                 ? one.value : nullptr;
    }
    static inline void rl_remember(rl_remembered* all, PyObject* attributes, PyObject* table, PyObject* name, PyObject* value) {
      // Only where the name is the key itself: another string may be gone, and its address that of another name, while the dicts stand.
      PyObject *key, *found;
      for (Py_ssize_t at = 0; PyDict_Next(table, &at, &key, &found);)
        if (key == name) {
          all[((size_t)name >> 5) % RL_REMEMBERED] = {name, value, table, rl_version(attributes), rl_version(table)};
          return;
        }
    }
    // Calls by vector take no tuple and dict of arguments. Python 3.11 does not hand the flag down to subclasses, nor takes it away where a
    // class gets a `__call__` later.
    static ternaryfunc rl_own_call;
    static Py_ssize_t rl_vectorcall_offset;
    static void rl_call_by_vector(PyTypeObject* type) {
      if (type->tp_call != rl_own_call) return;
      type->tp_vectorcall_offset = rl_vectorcall_offset;
      type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
      PyType_Modified(type);
    }
    #define rl_take_calls(type, like) do { \\
      rl_own_call = (type)->tp_call; \\
      rl_vectorcall_offset = offsetof(std::remove_pointer_t<decltype(like)>, vectorcall); \\
      rl_call_by_vector(type); \\
    } while (0)
    static inline bool rl_has_own_call(PyObject* module) { return Py_TYPE(module)->tp_call == rl_own_call; }
    #define rl_taken(reference) (reference)
    """
    ctypedef struct Remembered "rl_remembered":
        pass
    enum:
        REMEMBERED "RL_REMEMBERED"
    uint64_t version_of "rl_version"(object)
    Py_ssize_t used_of "rl_used"(PyObject*)
    PyObject* recall "rl_recall"(const Remembered*, object, object)
    void remember "rl_remember"(Remembered*, object, PyObject*, object, PyObject*)
    void take_calls "rl_take_calls"(TypeStruct*, ModuleBase)
    void call_by_vector "rl_call_by_vector"(TypeStruct*)
    bint has_own_call "rl_has_own_call"(object)
    object taken "rl_taken"(PyObject*)
    ctypedef PyObject* (*vectorcallfunc)(PyObject*, PyObject* const*, size_t, PyObject*) except NULL


cdef getattrofunc own_getattro
cdef object own_getattr_fallback = None
cdef TypeStruct* tensor_type = NULL
cdef TypeStruct* module_type = NULL
cdef object tensor_class, module_class
cdef tuple global_hooks = ()
cdef enum:
    OWN_HOOKS = 4
    MOST_ARGUMENTS = 16     # that a call passes on without a tuple
cdef int MOST_LEVELS = 1000     # of modules in modules


cdef inline dict attributes_of(object module):
    # The dict belongs to Module, an ordinary Python class, and not to ModuleBase: Cython would clear it when the module dies,
    # though others may hold it.
    cdef PyObject** place = _PyObject_GetDictPtr(module)
    if place is NULL or place[0] is NULL:
        return PyObject_GenericGetDict(module, NULL)
    return <dict>place[0]


cdef inline PyObject* registered(dict attributes, object name, Remembered* memory) except? NULL:
    """What `name` is among the parameters, buffers and submodules (borrowed), or NULL."""
    cdef PyObject* table
    cdef PyObject* value
    for kind in ("_parameters", "_modules", "_buffers"):
        table = PyDict_GetItemWithError(attributes, kind)
        if table is not NULL:
            value = PyDict_GetItemWithError(<object>table, name)
            if value is not NULL:
                if memory is not NULL:
                    remember(memory, attributes, table, name, value)
                return value
    return NULL


cdef class ModuleBase:
    """Base class of `Module`: attribute lookup, and calls that have no hook to run."""

    # A member of its own makes this the base whose __new__ counts, wherever it stands among the bases of a class.
    cdef object __weakref__
    cdef vectorcallfunc vectorcall
    cdef Remembered memory[REMEMBERED]      # names found among the registered
    cdef uint64_t learnt                    # the version of __dict__ in which …
    cdef PyObject* hooks[OWN_HOOKS]         # … these were its tables of hooks (NULL: one is missing) …
    cdef PyObject* forward_of_its_own       # … and this what it has instead of the class's forward

    def __cinit__(self):
        self.vectorcall = call_module

    def __getattribute__(self, name):
        cdef TypeStruct* type = Py_TYPE(self)
        cdef PyObject* found
        cdef PyObject* value
        cdef descrgetfunc get = NULL
        cdef dict attributes
        if type.tp_getattro != own_getattro:
            return PyObject_GenericGetAttr(self, name)
        found = _PyType_Lookup(type, name)
        if found is not NULL:
            get = Py_TYPE(<object>found).tp_descr_get
            if get is not NULL and Py_TYPE(<object>found).tp_descr_set is not NULL:
                return data_descriptor(self, name, <object>found)
        attributes = attributes_of(self)
        if found is NULL:
            value = recall(self.memory, attributes, name)
            if value is not NULL:
                return <object>value
        value = PyDict_GetItemWithError(attributes, name)
        if value is not NULL:
            return <object>value
        if found is not NULL:
            if get is not NULL:
                return get(<object>found, self, <object>type)
            return <object>found
        value = registered(attributes, name, self.memory)
        if value is not NULL:
            return <object>value
        raise no_attribute(self, name)

    def __call__(self, *args, **kwargs):
        cdef tuple names = tuple(kwargs)
        cdef tuple values = (*args, *kwargs.values()) if kwargs else args
        return run_module(self, PySequence_Fast_ITEMS(values), len(args), <PyObject*>names if kwargs else NULL)

    def __getstate__(self):
        # (Python's own refuses objects that have members in C.)
        cdef list slots = [name for name in copyreg._slotnames(type(self)) if hasattr(self, name)]
        return (attributes_of(self), {name: getattr(self, name) for name in slots}) if slots else attributes_of(self)


cdef int learn(ModuleBase module, dict attributes) except -1:
    """Looks up what a call asks of the module's __dict__."""
    cdef int i
    cdef PyObject* table
    for i, kind in enumerate(("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")):
        table = PyDict_GetItemWithError(attributes, kind)
        module.hooks[i] = table if table is not NULL and isinstance(<object>table, dict) else NULL
    module.forward_of_its_own = PyDict_GetItemWithError(attributes, "forward")
    module.learnt = version_of(attributes)
    return 0


cdef bint has_hooks(ModuleBase module):
    cdef int i
    for table in global_hooks:
        if used_of(<PyObject*>table):
            return True
    for i in range(OWN_HOOKS):
        if module.hooks[i] is NULL or used_of(module.hooks[i]):
            return True
    return False


cdef object run_module(ModuleBase module, PyObject* const* args, size_t flagged, PyObject* names):
    """Calls the module's forward, through its hooks where there are any. `args` are the positional arguments, then those of `names`."""
    cdef dict attributes = attributes_of(module)
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged), total = n if names is NULL else n + PyTuple_GET_SIZE(names), i
    cdef PyObject* stack[MOST_ARGUMENTS + 1]
    cdef PyObject* found
    cdef object forward
    if module.learnt == 0 or module.learnt != version_of(attributes):
        learn(module, attributes)
    if has_hooks(module):
        return call_with(module._call_impl, args, n, names)
    if module.forward_of_its_own is not NULL:
        forward = <object>module.forward_of_its_own
        return taken(PyObject_Vectorcall(forward, args, n, names))
    found = _PyType_Lookup(Py_TYPE(module), "forward")
    if found is NULL or not PyFunction_Check(<object>found) or total > MOST_ARGUMENTS:
        return call_with(module.forward, args, n, names)
    forward = <object>found      # keeps the function alive while it runs
    stack[0] = <PyObject*>module
    for i in range(total):
        stack[i + 1] = args[i]
    return taken(PyObject_Vectorcall(forward, stack, n + 1, names))


cdef PyObject* call_module(PyObject* self, PyObject* const* args, size_t flagged, PyObject* names) except NULL:
    cdef object result
    if has_own_call(<object>self):
        result = run_module(<ModuleBase>self, args, flagged, names)
    else:      # (the class has got another __call__ meanwhile)
        result = call_with(type(<object>self).__call__.__get__(<object>self), args, PyVectorcall_NARGS(flagged), names)
    Py_INCREF(result)
    return <PyObject*>result


cdef object call_with(object function, PyObject* const* args, Py_ssize_t n, PyObject* names):
    return taken(PyObject_Vectorcall(function, args, n, names))


own_getattro = (<TypeStruct*>ModuleBase).tp_getattro
cdef ModuleBase _like_module = None     # (it tells the macro the struct)
take_calls(<TypeStruct*>ModuleBase, _like_module)
cdef object own_getattribute = ModuleBase.__dict__["__getattribute__"]


cdef object no_attribute(object self, object name):
    return AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)


cdef object data_descriptor(ModuleBase self, object name, object descriptor):
    # A property whose getter raises AttributeError falls through to the registered names, as Python's __getattr__ protocol has it.
    cdef PyObject* value
    try:
        return Py_TYPE(descriptor).tp_descr_get(descriptor, self, <object>Py_TYPE(self))
    except AttributeError:
        value = registered(attributes_of(self), name, NULL)
        if value is not NULL:
            return <object>value
        raise no_attribute(self, name)


def get_registered(ModuleBase self, name):
    """The parameter, buffer or submodule `name`: what `Module.__getattr__` answers."""
    cdef PyObject* value = registered(attributes_of(self), name, NULL)
    if value is not NULL:
        return <object>value
    raise no_attribute(self, name)


def set_attribute(ModuleBase self, name, value):
    """`setattr` of a module: tensors, modules and registered names take the full path, all else goes to `__dict__`."""
    cdef dict attributes = attributes_of(self)
    cdef PyObject* table
    if PyObject_TypeCheck(value, tensor_type) or PyObject_TypeCheck(value, module_type):
        self._set_registered(name, value)
        return
    for kind in ("_parameters", "_modules", "_buffers"):
        table = PyDict_GetItemWithError(attributes, kind)
        if table is not NULL and PyDict_Contains(<object>table, name):
            self._set_registered(name, value)
            return
    PyObject_GenericSetAttr(self, name, value)


def install(cls):
    """Puts the fast lookup into the class `cls`, unless it writes its own `__getattr__` or `__getattribute__`.

    Such a class keeps Python's slot, with the order that Python defines. For all others Python chose that slot only because Module has
    a `__getattr__`, which is there for `super().__getattr__`; assigning one to a class later makes Python choose again. Calls go the short
    way unless the class has its own `__call__`.
    """
    call_by_vector(<TypeStruct*>cls)
    if (_PyType_Lookup(<TypeStruct*>cls, "__getattr__") == <PyObject*>own_getattr_fallback
            and _PyType_Lookup(<TypeStruct*>cls, "__getattribute__") == <PyObject*>own_getattribute):
        (<TypeStruct*>cls).tp_getattro = own_getattro
        PyType_Modified(<TypeStruct*>cls)


def use_as_fallback(function):
    """Decorator: says that `function` is Module's own `__getattr__`, so that classes which inherit it keep the fast slot."""
    global own_getattr_fallback
    own_getattr_fallback = function
    return function


def configure(tensor, module, hooks):
    """Hands over the classes to recognise and the dictionaries of global hooks, once, when `Module` has been made."""
    global tensor_type, module_type, tensor_class, module_class, global_hooks
    tensor_class, module_class, global_hooks = tensor, module, hooks
    tensor_type = <TypeStruct*>tensor
    module_type = <TypeStruct*>module


def tensor_slots(module, str prefix, dict found, int depth=0):
    """Where a module, and those in it, keep their parameters and buffers: name -> (table, key), put into `found`."""
    cdef dict attributes = module.__dict__
    if depth > MOST_LEVELS:     # (a module that holds itself)
        raise RecursionError("maximum recursion depth exceeded")
    for table in (attributes["_parameters"], attributes["_buffers"]):
        for key, tensor in (<dict?>table).items():
            if tensor is not None:
                found[prefix + key] = (table, key)
    for key, child in (<dict?>attributes["_modules"]).items():
        if child is not None:
            tensor_slots(child, f"{prefix}{key}.", found, depth + 1)
    return found


def has_ties(dict slots):
    """Whether one tensor is in several of the `slots`."""
    cdef set seen = set()
    for table, key in slots.values():
        seen.add(<size_t><PyObject*>((<dict>table)[key]))
    return len(seen) != len(slots)

# cython: language_level=3, binding=True, auto_pickle=False
"""The part of `Module` that runs on every attribute and every call, in C.

PyTorch finds a parameter in `Module.__getattr__`: the ordinary lookup fails first, and the failure costs about 0.5 µs. Here the
lookup of the base class goes on to the dictionaries `_parameters`, `_buffers` and `_modules` before anything is raised. The instance's
`__dict__` and those three stay the only truth: nothing is mirrored, so code that edits them directly is seen at once.
"""

from cpython.dict cimport PyDict_Contains, PyDict_GetItemWithError
from cpython.object cimport PyObject, PyObject_Call, PyObject_GenericGetAttr, PyObject_GenericSetAttr


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
    object PyObject_Vectorcall(object, PyObject* const*, size_t, PyObject*)
    Py_ssize_t PyDict_GET_SIZE "PyDict_Size"(PyObject*)
    void PyType_Modified(TypeStruct*)


cdef getattrofunc own_getattro
cdef object own_getattr_fallback = None
cdef TypeStruct* tensor_type = NULL
cdef TypeStruct* module_type = NULL
cdef object tensor_class, module_class
cdef tuple global_hooks = ()
cdef int STACK_ARGUMENTS = 8
cdef int MOST_LEVELS = 1000     # of modules in modules


cdef inline dict attributes_of(object module):
    # The dict belongs to Module, an ordinary Python class, and not to ModuleBase: Cython would clear it when the module dies,
    # though others may hold it.
    cdef PyObject** place = _PyObject_GetDictPtr(module)
    if place is NULL or place[0] is NULL:
        return PyObject_GenericGetDict(module, NULL)
    return <dict>place[0]


cdef inline PyObject* registered(dict attributes, object name) except? NULL:
    """What `name` is among the parameters, buffers and submodules (borrowed), or NULL."""
    cdef PyObject* table
    cdef PyObject* value
    for kind in ("_parameters", "_modules", "_buffers"):
        table = PyDict_GetItemWithError(attributes, kind)
        if table is not NULL:
            value = PyDict_GetItemWithError(<object>table, name)
            if value is not NULL:
                return value
    return NULL


cdef class ModuleBase:
    """Base class of `Module`: attribute lookup, and calls that have no hook to run."""

    # A member of its own makes this the base whose __new__ counts, wherever it stands among the bases of a class.
    cdef object __weakref__

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
        value = PyDict_GetItemWithError(attributes, name)
        if value is not NULL:
            return <object>value
        if found is not NULL:
            if get is not NULL:
                return get(<object>found, self, <object>type)
            return <object>found
        value = registered(attributes, name)
        if value is not NULL:
            return <object>value
        raise no_attribute(self, name)

    def __call__(self, *args, **kwargs):
        cdef dict attributes = attributes_of(self)
        cdef PyObject* found
        cdef PyObject* stack[9]
        cdef Py_ssize_t count, i
        cdef object forward
        for table in global_hooks:
            if PyDict_GET_SIZE(<PyObject*>table):
                return self._call_impl(*args, **kwargs)
        for kind in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"):
            found = PyDict_GetItemWithError(attributes, kind)
            if found is NULL or PyDict_GET_SIZE(found):
                return self._call_impl(*args, **kwargs)
        found = PyDict_GetItemWithError(attributes, "forward")
        if found is not NULL:
            return PyObject_Call(<object>found, args, kwargs)
        found = _PyType_Lookup(Py_TYPE(self), "forward")
        count = len(args)
        if found is NULL or not PyFunction_Check(<object>found) or kwargs or count > STACK_ARGUMENTS:
            return PyObject_Call(self.forward, args, kwargs)
        forward = <object>found  # keeps the function alive while it runs
        stack[0] = <PyObject*>self
        for i in range(count):
            stack[i + 1] = <PyObject*>args[i]
        return PyObject_Vectorcall(forward, stack, count + 1, NULL)


own_getattro = (<TypeStruct*>ModuleBase).tp_getattro
cdef object own_getattribute = ModuleBase.__dict__["__getattribute__"]


cdef object no_attribute(object self, object name):
    return AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)


cdef object data_descriptor(ModuleBase self, object name, object descriptor):
    # A property whose getter raises AttributeError falls through to the registered names, as Python's __getattr__ protocol has it.
    cdef PyObject* value
    try:
        return Py_TYPE(descriptor).tp_descr_get(descriptor, self, <object>Py_TYPE(self))
    except AttributeError:
        value = registered(attributes_of(self), name)
        if value is not NULL:
            return <object>value
        raise no_attribute(self, name)


def get_registered(ModuleBase self, name):
    """The parameter, buffer or submodule `name`: what `Module.__getattr__` answers."""
    cdef PyObject* value = registered(attributes_of(self), name)
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
    a `__getattr__`, which is there for `super().__getattr__`; assigning one to a class later makes Python choose again.
    """
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

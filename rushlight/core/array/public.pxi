# How the public classes are shown: under the names that programs know, in the package that they import.
cdef extern from *:
    """
    // The class of the public classes. They print under torch's names; pickle, which asks for __module__, finds them in the package
    // that the program imports: rushlight, or torch where that is an alias of it.
    static PyObject* rl_shown;    // class -> "torch.Size"
    static PyObject* rl_package;  // "rushlight" or "torch"
    static PyObject* rl_class_repr(PyObject* cls) {
      PyObject* shown = PyDict_GetItemWithError(rl_shown, cls);
      if (shown) return PyUnicode_FromFormat("<class '%U'>", shown);
      return PyErr_Occurred() ? NULL : PyType_Type.tp_repr(cls);
    }
    // What `type` itself does for __module__. (Python's own types keep their names elsewhere from 3.12 on.)
    static PyObject* rl_usual_module() {
    #if PY_VERSION_HEX >= 0x030C0000
      PyObject* names = PyType_GetDict(&PyType_Type);
      PyObject* usual = PyDict_GetItemString(names, "__module__");
      Py_DECREF(names);
      return usual;
    #else
      return PyDict_GetItemString(PyType_Type.tp_dict, "__module__");
    #endif
    }
    static PyObject* rl_class_module(PyObject* cls, void*) {
      PyObject* shown = PyDict_GetItemWithError(rl_shown, cls);
      if (shown) {
        Py_ssize_t first = PyUnicode_FindChar(shown, '.', 0, PyUnicode_GET_LENGTH(shown), 1);
        Py_ssize_t last = PyUnicode_FindChar(shown, '.', 0, PyUnicode_GET_LENGTH(shown), -1);
        PyObject* within = PyUnicode_Substring(shown, first, last);
        PyObject* whole = within ? PyUnicode_Concat(rl_package, within) : NULL;
        Py_XDECREF(within);
        return whole;
      }
      if (PyErr_Occurred()) return NULL;
      PyObject* usual = rl_usual_module();
      return Py_TYPE(usual)->tp_descr_get(usual, cls, (PyObject*)Py_TYPE(cls));
    }
    static int rl_set_class_module(PyObject* cls, PyObject* name, void*) {
      PyObject* usual = rl_usual_module();
      return Py_TYPE(usual)->tp_descr_set(usual, cls, name);
    }
    static PyGetSetDef rl_class_attributes[] = {{"__module__", rl_class_module, rl_set_class_module, NULL, NULL}, {NULL, NULL, NULL, NULL, NULL}};
    // Programs put methods of their own on torch.Tensor, which is a class of Python's there; a compiled class lets nobody, so it is another for
    // as long as that takes. (Its name and its bases, which are kept where compiled classes have no place for them, stay what they are.)
    static PyTypeObject* rl_open_class;
    static uint32_t rl_class_changes;     // how often that was done
    static int rl_set_on_class(PyObject* cls, PyObject* name, PyObject* value) {
      PyTypeObject* type = (PyTypeObject*)cls;
      int closed = type != rl_open_class;
      for (const char* kept : {"__name__", "__qualname__", "__bases__"}) closed |= PyUnicode_CompareWithASCIIString(name, kept) == 0;
      if (closed) return PyType_Type.tp_setattro(cls, name, value);
      type->tp_flags &= ~Py_TPFLAGS_IMMUTABLETYPE;
      int failed = PyType_Type.tp_setattro(cls, name, value);
      ++rl_class_changes;
      type->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
      return failed;
    }
    static PyTypeObject rl_public_class = {PyVarObject_HEAD_INIT(NULL, 0)};
    static int rl_prepare_public_class(PyObject* shown) {
      Py_INCREF(shown);
      rl_shown = shown;
      rl_package = PyUnicode_InternFromString("rushlight");
      rl_public_class.tp_name = "torch._C._TensorMeta";
      rl_public_class.tp_base = &PyType_Type;
      rl_public_class.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE;
      rl_public_class.tp_repr = rl_class_repr;
      rl_public_class.tp_setattro = rl_set_on_class;
      rl_public_class.tp_getset = rl_class_attributes;
      return PyType_Ready(&rl_public_class);
    }
    static void rl_make_public(PyObject* cls) { Py_SET_TYPE(cls, &rl_public_class); PyType_Modified((PyTypeObject*)cls); }
    static void rl_open(PyObject* cls) { rl_open_class = (PyTypeObject*)cls; }
    static void rl_set_package(PyObject* name) { Py_INCREF(name); Py_XSETREF(rl_package, name); }
    static PyObject* rl_get_package() { Py_INCREF(rl_package); return rl_package; }
    """
    int prepare_public_class "rl_prepare_public_class"(object) except -1
    void make_public "rl_make_public"(object) noexcept
    void open_class "rl_open"(object) noexcept
    uint32_t class_changes "rl_class_changes"
    void set_package "rl_set_package"(object) noexcept
    object get_package "rl_get_package"()
    PyTypeObject public_class "rl_public_class"

shown_classes = {}

prepare_public_class(shown_classes)

tensor_meta = <object><PyObject*>&public_class

cpdef show_class_as(object cls, str name):
    """Makes a class public under a name such as "torch.Size"."""
    shown_classes[cls] = name
    make_public(cls)

def set_package_name(str name):
    """The name that programs import this package by: it is where pickles find what is the package's."""
    set_package(name)

def package_name():
    """That name now."""
    return get_package()


cdef extern from *:
    """
    // The value of a name in a module is what its dict has; names with underscores in front may be of its type. What was found stays found as
    // long as the dict has the same version, a number that no other dict ever has.
    #if PY_VERSION_HEX < 0x030C0000
    struct rl_known_name { PyObject *name, *value; uint64_t version; };
    static inline rl_known_name& rl_place_of_name(PyObject* name) {
      static rl_known_name known[512];
      return known[((size_t)name >> 4 ^ (size_t)name >> 13) & 511];
    }
    #endif
    static PyObject* rl_module_name(PyObject* self, PyObject* name) {
      PyObject* dict = PyModule_GetDict(self);
    #if PY_VERSION_HEX < 0x030C0000
      rl_known_name& known = rl_place_of_name(name);
      if (known.name == name && known.version == ((PyDictObject*)dict)->ma_version_tag) return Py_NewRef(known.value);
    #endif
      if (PyUnicode_CheckExact(name) && PyUnicode_GET_LENGTH(name) && PyUnicode_READ_CHAR(name, 0) != '_') {
        PyObject* found = PyDict_GetItemWithError(dict, name);
        if (found) {
    #if PY_VERSION_HEX < 0x030C0000
          if (PyUnicode_CHECK_INTERNED(name)) {
            Py_XSETREF(known.name, Py_NewRef(name));
            known.value = found;
            known.version = ((PyDictObject*)dict)->ma_version_tag;
          }
    #endif
          return Py_NewRef(found);
        }
        if (PyErr_Occurred()) return nullptr;
      }
      return PyModule_Type.tp_getattro(self, name);
    }
    static void rl_find_names_first(PyTypeObject* type) {
      type->tp_getattro = rl_module_name;
      PyType_Modified(type);
    }
    """
    void take_module_lookup "rl_find_names_first"(PyTypeObject*) noexcept

def find_names_first(type kind):
    """Makes modules of a class look into their dict first."""
    if not issubclass(kind, type(sys_modules["sys"])):
        raise TypeError(f"{kind.__name__} is no class of modules")
    take_module_lookup(<PyTypeObject*>kind)

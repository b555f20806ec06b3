# __torch_function__: subclasses of Tensor that want a say in calls. While no subclass other than Parameter exists, a call costs one test.
from rushlight._disabling import DisableAllTorchFunction, DisableTorchDispatch, DisableTorchFunction, of_thread as _torch_function

def disabled_torch_function(func, types, args=(), kwargs=None):
    """For subclasses that want results to be plain tensors: `__torch_function__ = torch._C._disabled_torch_function_impl`."""
    with DisableTorchFunction():
        return func(*args, **(kwargs or {}))

def is_torch_function_enabled():
    """Whether subclasses are asked in this thread."""
    return not getattr(_torch_function, "depth", 0)

# Modes: asked first, the innermost, whatever the arguments are. While one works it is off the stack.
cdef list function_mode_list():
    stack = getattr(_torch_function, "modes", None)
    if stack is None:
        stack = _torch_function.modes = []
    return stack

def function_modes():
    """The modes of this thread, the innermost last."""
    return tuple(function_mode_list())

cpdef ask_subclasses():
    """From now on every call looks for a mode, and for arguments whose types have a __torch_function__: plain calls get slower."""
    global subclasses_exist, uncommon_exist
    if not subclasses_exist:
        ask_before_attributes()
    subclasses_exist = uncommon_exist = True
    if _before_first_subclass is not None:
        _before_first_subclass()

_before_first_subclass = None

def before_first_subclass(call):
    """Calls `call()` when subclasses are first asked; at once where they are."""
    global _before_first_subclass
    _before_first_subclass = call
    if subclasses_exist:
        call()

def are_subclasses_asked():
    """Whether calls look for types that have a __torch_function__."""
    return subclasses_exist

def push_function_mode(mode):
    """Asks `mode.__torch_function__` about every call of this thread until it is popped."""
    ask_subclasses()
    function_mode_list().append(mode)
    modes.function_modes += 1

def pop_function_mode():
    """Takes the innermost mode off the stack and returns it."""
    mode = function_mode_list().pop()
    modes.function_modes -= 1
    return mode

def use_function_modes(list stack):
    """Makes `stack` the modes of this thread, and returns those that were."""
    before = function_mode_list()
    _torch_function.modes = stack
    modes.function_modes = <int32_t>len(stack)
    return before

cdef object ask_mode(function, tuple types, args, kwargs):
    mode = pop_function_mode()
    try:
        if getattr(mode.__torch_function__, "__self__", None) is type(mode):
            raise RuntimeError("Defining your mode's `__torch_function__` as a classmethod is not supported, please make it a plain method")
        return mode.__torch_function__(function, types, args, kwargs)
    finally:
        push_function_mode(mode)

def has_torch_function(arguments):
    """Whether a mode is active, or a type among the arguments, or among those in lists of them, has a __torch_function__ to be asked."""
    if not isinstance(arguments, (tuple, list)):
        raise TypeError("expected a sequence")
    return modes.function_modes > 0 or is_torch_function_enabled() and len(overriding_types(tuple(arguments))) > 0

def torch_function_types(arguments):
    """The arguments whose types are to be asked, one of each type, those of subclasses first."""
    if not is_torch_function_enabled():
        return []
    return [first_of_type(arguments, kind) for kind in overriding_types(tuple(arguments), 0, True)]

cdef object first_of_type(arguments, kind):
    for value in arguments:
        if type(value) is kind:
            return value
        if isinstance(value, (list, tuple)):
            found = first_of_type(value, kind)
            if found is not None:
                return found

def default_torch_function(cls, func, types, args=(), kwargs=None):
    """What Tensor.__torch_function__ does: runs the op; results that are plain tensors become `cls`."""
    if not all([issubclass(cls, t) for t in types]):
        return NotImplemented
    _torch_function.depth = getattr(_torch_function, "depth", 0) + 1
    try:
        result = func(*args, **(kwargs or {}))
    finally:
        _torch_function.depth -= 1
    return result if func in kept_plain else in_subclass(result, cls)

kept_plain = set()    # functions whose results stay as they are: what reads `grad` and `_base`

cdef object in_subclass(object value, object cls):
    cdef Depth depth
    if type(value) is Tensor and cls is not Tensor:
        return value.as_subclass(cls)
    if isinstance(value, (tuple, list)):
        depth.enter()
        return type(value)([in_subclass(item, cls) for item in value])
    return value

cdef list overriding_types(arguments, int depth=0, bint plain=False):
    """The types among the arguments that want a say, subclasses first, and with `plain` Tensor too. Lists in lists are looked into a few
    levels deep."""
    cdef list types = []
    for value in arguments:
        if isinstance(value, (list, tuple)):
            for kind in overriding_types(value, depth + 1, plain) if depth < 4 else ():
                if kind not in types:
                    types.append(kind)
            continue
        kind = type(value)
        if (kind is Tensor and not plain) or kind is Wrapped or kind in types or isinstance(value, (int, float, str)) or value is None:
            continue
        handler = getattr(kind, "__torch_function__", None)
        if handler is None or handler is disabled_torch_function:
            continue
        for place in range(len(types) + 1):
            if place == len(types) or issubclass(kind, types[place]):
                types.insert(place, kind)
                break
    return types

def dispatch_torch_function(function, arguments, args, kwargs, bint required=False):
    """Asks the types of `arguments`; NotImplemented where none takes part. `required`: somebody must answer."""
    cdef bint disabled = not required and (not subclasses_exist or getattr(_torch_function, "depth", 0))
    if disabled and not modes.function_modes:
        return NotImplemented
    types = [] if disabled else overriding_types(arguments)
    refused = []
    if modes.function_modes:
        stack = function_mode_list()
        mode = stack[len(stack) - 1]
        result = ask_mode(function, tuple(types), args, kwargs)
        if result is not NotImplemented:
            return result
        refused.append(f"  - mode object {mode!r}")
    if not disabled:
        for kind in types:
            value = first_of_type(arguments, kind)
            if getattr(value.__torch_function__, "__self__", None) is value:
                warn_once("Defining your `__torch_function__` as a plain method is deprecated and will be an error in future, please define it "
                          "as a classmethod.")
            result = value.__torch_function__(function, tuple(types), args, kwargs)
            if result is not NotImplemented:
                return result
            refused.append(f"  - tensor subclass {kind}")
    if not refused:
        return NotImplemented
    raise TypeError(f"Multiple dispatch failed for '{asked.name_of(function)}'; all __torch_function__ handlers returned NotImplemented:\n\n"
                    + "\n".join(refused) + "\n\nFor more information, try re-running with TORCH_LOGS=not_implemented")

cdef object overridden(Op op, int mode, tuple arguments, out):
    if getattr(_torch_function, "depth", 0) and not modes.function_modes:
        return NotImplemented
    keywords = {}
    args = list(arguments)
    # Parameters at their defaults are left out, as the caller left them out.
    while len(args) > 1 and args[len(args) - 1] is op.defaults[len(args) - 1]:
        args.pop()
    while len(args) > op.positional:
        value = args.pop()
        keywords[op.parameters[len(args)]] = value
    if out is not None:
        keywords["out"] = out
    function = op if mode != MODE_IN_PLACE else getattr(Tensor, op.name + "_", None)
    if function is None:
        return NotImplemented        # of no public name
    return dispatch_torch_function(function, list(arguments) + [out], tuple(args), keywords)

cdef object overridden_method(str name, tuple args):
    return dispatch_torch_function(getattr(Tensor, name), args, args, {})

cdef extern from "Python.h":
    bint has_feature "PyType_HasFeature"(PyTypeObject*, unsigned long) noexcept
    const unsigned long MADE_AT_RUN_TIME "Py_TPFLAGS_HEAPTYPE"

cdef inline bint wants_a_say(object value) except -1:
    """Whether the type of what a program gave, which is neither a tensor nor a number, has a __torch_function__: only classes can that are made at run time."""
    return has_feature(type_of(<PyObject*>value), MADE_AT_RUN_TIME) and not is_tensor_object(<PyObject*>value) and \
        number_code(value) == NO_DTYPE and hasattr(type(value), "__torch_function__")

cdef bint index_wants_a_say(object index) except -1:
    """Whether an index, or one of several, wants one."""
    if type(index) is not tuple:
        return wants_a_say(index)
    for item in <tuple>index:
        if wants_a_say(item):
            return True
    return False

cdef bint is_asked(object a, object b) except -1:
    """Whether types among the operands, or a mode, are asked about an operator."""
    if wants_a_say(b):
        return True
    return subclasses_exist and (modes.function_modes or is_torch_function_enabled() and len(overriding_types((a, b))) > 0)

cdef object ask_operator(str name, a, b):
    """What they make of it; it is the method `name` to them. NotImplemented where they refuse, so that Python asks the other operand."""
    try:
        return dispatch_torch_function(getattr(Tensor, name), (a, b), (a, b), {}, wants_a_say(b))
    except TypeError:
        return NotImplemented

cdef object ask_self(str name, Tensor x, tuple arguments=()):
    """What the type of `x`, or a mode, makes of its method `name`; NotImplemented where neither is asked."""
    if subclasses_exist and (type(x) is not Tensor or modes.function_modes):
        return overridden_method(name, (x, *arguments))
    return NotImplemented


# Attributes: from the first subclass on, what reads or sets one asks first. The descriptors stay the objects that programs know, and programs
# without subclasses go their way.
cdef extern from *:
    """
    struct rl_Asking { PyGetSetDef plain; PyObject* descriptor; };
    static PyObject* rl_get_plain(PyObject* self, void* closure) {
      rl_Asking* asking = (rl_Asking*)closure;
      return asking->plain.get(self, asking->plain.closure);
    }
    static int rl_set_plain(PyObject* self, PyObject* value, void* closure) {
      rl_Asking* asking = (rl_Asking*)closure;
      return asking->plain.set(self, value, asking->plain.closure);
    }
    static PyObject* rl_descriptor_of(void* closure) { return ((rl_Asking*)closure)->descriptor; }
    static void rl_ask_before(PyTypeObject* type, PyObject* descriptor, getter get, setter set) {
      if (Py_TYPE(descriptor) != &PyGetSetDescr_Type || ((PyDescrObject*)descriptor)->d_type != type) return;
      PyGetSetDef* definition = ((PyGetSetDescrObject*)descriptor)->d_getset;
      rl_Asking* asking = new rl_Asking{*definition, descriptor};  // as long as the type
      definition->closure = asking;
      if (definition->get) definition->get = get;
      if (definition->set) definition->set = set;
    }
    """
    ctypedef PyObject* (*AskingGetter)(PyObject*, void*) except NULL
    ctypedef int (*AskingSetter)(PyObject*, PyObject*, void*) except -1
    PyObject* get_plain "rl_get_plain"(PyObject*, void*) except NULL
    int set_plain "rl_set_plain"(PyObject*, PyObject*, void*) except -1
    PyObject* descriptor_of "rl_descriptor_of"(void*) noexcept
    void ask_before "rl_ask_before"(PyTypeObject*, object, AskingGetter, AskingSetter)

cdef PyObject* asking_getter(PyObject* tensor, void* closure) except NULL:
    cdef object answered = NotImplemented
    if type(<object>tensor) is not Tensor or modes.function_modes:
        answered = dispatch_torch_function((<object>descriptor_of(closure)).__get__, (<object>tensor,), (<object>tensor,), {})
    return get_plain(tensor, closure) if answered is NotImplemented else handed(answered)

cdef int asking_setter(PyObject* tensor, PyObject* value, void* closure) except -1:
    cdef tuple arguments
    cdef object descriptor = <object>descriptor_of(closure)
    if type(<object>tensor) is not Tensor or modes.function_modes:
        arguments = (<object>tensor,) if value == NULL else (<object>tensor, <object>value)
        # (It is the tensor's class that is asked, not the value's.)
        answered = dispatch_torch_function(descriptor.__delete__ if value == NULL else descriptor.__set__, arguments[:1], arguments, {})
        if answered is not NotImplemented:
            return 0
    return set_plain(tensor, value, closure)

cdef int ask_before_attributes() except -1:
    for name, descriptor in vars(Tensor).items():
        if not name.startswith("__"):
            ask_before(<PyTypeObject*>Tensor, descriptor, asking_getter, asking_setter)
    kept_plain.update((Tensor.grad.__get__, Tensor._base.__get__))
    return 0

# Interpreters. A transform (forward-mode duals, vmap, capture, profiling) is an object with `process(op, arguments, keywords)` on this stack.
_interpreters = __import__("threading").local()

cdef extern from *:
    """
    // This thread's stack, known again without a look into a dict. Python's thread holds the list: its number tells whether that one still runs.
    static thread_local PyObject* rl_stack RL_TLS_MODEL = nullptr;
    static thread_local uint64_t rl_stack_thread RL_TLS_MODEL = 0;
    static inline uint64_t rl_thread_number() { return PyThreadState_GetID(PyThreadState_Get()) + 1; }
    static inline PyObject* rl_known_stack() { return rl_stack_thread == rl_thread_number() ? rl_stack : nullptr; }
    static inline void rl_know_stack(PyObject* stack) { rl_stack = stack; rl_stack_thread = rl_thread_number(); }
    """
    PyObject* known_stack "rl_known_stack"()
    void know_stack "rl_know_stack"(PyObject*)

cdef list interpreter_stack():
    """The interpreters of this thread that are not at work now, the innermost last."""
    cdef PyObject* known = known_stack()
    if known != NULL:
        return <list>known
    stack = getattr(_interpreters, "stack", None)
    if stack is None:
        stack = []
    use_stack(stack)
    return stack

cdef int use_stack(list stack) except -1:
    """Makes `stack` that of this thread."""
    _interpreters.stack = stack
    know_stack(<PyObject*>stack)
    return 0

def push_interpreter(interpreter):
    """Sends every op of this thread to `interpreter.process(op, args, kwargs)` until it is popped."""
    interpreter_stack().append(interpreter)
    modes.interpreters += 1

def pop_interpreter():
    """Takes the innermost interpreter off the stack and returns it."""
    modes.interpreters -= 1
    return interpreter_stack().pop()

cdef object interpret(object op, tuple arguments, object keywords):
    # While an interpreter runs, it is off the stack: what it calls goes to the one below.
    cdef list stack = interpreter_stack()
    interpreter = stack.pop()
    modes.interpreters -= 1
    modes.at_work += 1
    try:
        if isinstance(interpreter, Level):
            return (<Level>interpreter).call(<Op>op, arguments, keywords)
        return interpreter.process(op, arguments, keywords or {})
    finally:
        stack.append(interpreter)
        modes.interpreters += 1
        modes.at_work -= 1


cdef bint is_wanted(str name) except -1:
    """Whether the innermost interpreter takes compositions of this name whole: it has their names as `compositions`."""
    interpreter = current_interpreter()
    return not isinstance(interpreter, Level) and name in getattr(interpreter, "compositions", ())

def is_wanted_whole(str name):
    """For compositions that are functions of Python: whether to give the call to `interpret_whole` instead of running it."""
    return modes.interpreters > 0 and is_wanted(name)

def interpret_whole(function, *arguments):
    """What the innermost interpreter, which wants it, makes of a call."""
    return interpret(function, arguments, None)

def remove_interpreter(interpreter):
    """Takes an interpreter off the stack, wherever it stands."""
    interpreter_stack().remove(interpreter)
    modes.interpreters -= 1


def current_interpreter():
    """The innermost interpreter of this thread that is not at work now, or None."""
    cdef list stack = interpreter_stack()
    return stack[len(stack) - 1] if stack else None

def interpreters():
    """All interpreters of this thread that are not at work now, the innermost last."""
    return tuple(interpreter_stack())


cpdef Level current_level():
    """The innermost level of this thread that is not at work now, or None."""
    interpreter = current_interpreter() if modes.interpreters else None
    return <Level>interpreter if isinstance(interpreter, Level) else None


cdef inline tuple pack_arguments(Op op, PyObject** bound):
    return packed(bound, op.parameter_count)

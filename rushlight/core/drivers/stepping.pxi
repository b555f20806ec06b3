# Steps of optimizers: one call for all parameters of a group.
cdef extern from *:
    """
    // Is an attribute of a type this descriptor, and does the type get and set attributes as Tensor does?
    static inline bool rl_has_still(PyTypeObject* type, PyTypeObject* base, PyObject* name, PyObject* descriptor) {
      return type->tp_setattro == base->tp_setattro && type->tp_getattro == base->tp_getattro && _PyType_Lookup(type, name) == descriptor;
    }
    """
    bint has_still "rl_has_still"(PyTypeObject*, PyTypeObject*, object, object) noexcept

from cpython.dict cimport PyDict_GetItemWithError

cdef enum:
    STEP_NUMBERS = 8      # so many numbers at most, beside the count of steps and flags

cdef object own_grad = Tensor.__dict__["grad"]

cdef inline bint has_own_grad(PyObject* value) noexcept:
    """Is it a tensor whose `.grad` is what its member has? (Classes may have another, and so may Tensor, while a program is watched.)"""
    return is_tensor_object(value) and has_still(type_of(value), <PyTypeObject*>Tensor, "grad", own_grad)

cdef inline bint is_steppable(PyObject* value, Tensor like) noexcept:
    """Is it a plain tensor that a kernel may read beside `like`?"""
    return type_of(value) == <PyTypeObject*>Tensor and (<Tensor>value).code == like.code and \
        (<Tensor>value).flags & (CONTIGUOUS | LAZY) == CONTIGUOUS and (<Tensor>value).geometry.same_shape(like.geometry)

cdef inline double* count_in(PyObject* value, double* read) noexcept:
    """Where a tensor of one element has a count of steps; NULL where it is not as the optimizer made it. `read` is the count."""
    cdef Tensor count = <Tensor>value
    if type_of(value) != <PyTypeObject*>Tensor or count.geometry.ndim or is_meta(count) or needs_grad(count):
        return NULL
    if count.code == FLOAT32:
        read[0] = (<float*>data_of(count))[0]
    elif count.code == FLOAT64:
        read[0] = (<double*>data_of(count))[0]
    else:
        return NULL
    return <double*>data_of(count)

cdef bint put_real(Number* plain, int* total, object value) except -1:
    """Puts a number, or those of a tuple, behind `total` others; False where it is none, or no more fit."""
    if type(value) is tuple:
        for item in <tuple>value:
            if not put_real(plain, total, item):
                return False
        return True
    if total[0] == STEP_NUMBERS or not (PyFloat_Check(value) or PyLong_Check(value)):
        return False
    plain[total[0]].f = value
    total[0] += 1
    return True

def step_parameters(Kernel kernel, list params, gradients, states, tuple names, tuple present, tuple numbers, bint counts, tuple flags):
    """A step of an optimizer, by its kernel, of each parameter that this takes; returns those that are left, untouched.

    The kernel gets a parameter, its gradient (its `.grad`, or that among `gradients`), and what `states[parameter]` has under `names`, which
    must all be there (of a name that is not `present`, nothing); then the `numbers`, all real (tuples of them are taken apart), where the
    optimizer `counts`, the count of steps, in its state as "step", which goes up by one, and the `flags`. It takes contiguous tensors alike in
    shape and dtype, float32 or float64. Parameters without a gradient stay as they are.
    """
    cdef Array arrays[8]
    cdef Number plain[STEP_NUMBERS + 8]
    cdef PyObject* kept[6]
    cdef Arguments held         # (where the work is large, other threads run meanwhile)
    cdef Tensor param, count
    cdef list left = []
    cdef dict state
    cdef object grad
    cdef PyObject* found
    cdef double steps = 0
    cdef int i, k, last = 0, counted, total = <int>len(names)
    if total > 6 or len(flags) > 7:
        raise ValueError("a step of an optimizer has at most six tensors in its state, and seven flags")
    if modes.interpreters or modes.grad or modes.meta or not isinstance(states, dict) or not put_real(plain, &last, numbers):
        return params
    counted = last if counts else -1
    last += counts
    for flag in flags:
        plain[last].i = <bint>flag
        last += 1
    for k in range(<int>len(params)):
        value = params[k]
        if not has_own_grad(<PyObject*>value):
            left.append(value)
            continue
        param = <Tensor>value
        grad = param.grad_ if gradients is None else gradients[k]
        if grad is None and gradients is None and param.grad_fn_ is None:
            continue
        if type(value) is Wrapped or param.code != FLOAT32 and param.code != FLOAT64 or param.flags & (CONTIGUOUS | LAZY) != CONTIGUOUS or \
                is_meta(param) or not is_steppable(<PyObject*>grad, param):
            left.append(value)
            continue
        held.clear()
        arrays[0], arrays[1] = array_of(param), array_of(<Tensor>grad)
        found = PyDict_GetItemWithError(states, value) if total or counted >= 0 else NULL
        state = <dict>found if found != NULL and type(<object>found) is dict else None
        for i in range(total):
            kept[i] = NULL
            arrays[2 + i] = scalar_array(NULL, FLOAT32)
            if names[i] not in present:
                continue
            kept[i] = PyDict_GetItemWithError(state, names[i]) if state is not None else NULL
            if kept[i] == NULL or not is_steppable(kept[i], param):
                break
            held.add(kept[i])
            arrays[2 + i] = array_of(<Tensor>kept[i])
        else:
            if counted >= 0:
                found = PyDict_GetItemWithError(state, "step") if state is not None else NULL
                if found == NULL or count_in(found, &steps) == NULL:
                    left.append(value)
                    continue
                count = <Tensor>found
                steps += 1
                if count.code == FLOAT32:
                    (<float*>data_of(count))[0] = <float>steps
                else:
                    (<double*>data_of(count))[0] = steps
                mark_write(count.storage)
                plain[counted].i = <int64_t>steps
                if modes.recording != NULL:
                    modes.recording.count(data_of(count), count.code == FLOAT64, counted)
            launch(kernel.function, arrays, 2 + total, plain, last, param.count)
            mark_write(param.storage)
            for i in range(total):
                if kept[i] != NULL:
                    mark_write((<Tensor>kept[i]).storage)
            continue
        left.append(value)
    return left

def forget_gradients(list params):
    """`param.grad = None` for each."""
    for value in params:
        if has_own_grad(<PyObject*>value):
            (<Tensor>value).grad_ = None
        else:
            value.grad = None

# vmap's level: the way of most ops on a batch. What is not plain goes to the rules in rushlight/func/batching.
@cython.final
cdef class Batching:
    """How one op computes a batch."""

def set_batching(Op op not None, str kind, rule, list dims=None, bint everything=False, bint has_lists=False):
    """Says how `op` computes a batch; `rule(op, arguments, batched, size)` serves what is not plain."""
    cdef Batching how = Batching.__new__(Batching)
    how.way = <BatchWay><size_t>batch_ways[kind]
    how.dims, how.everything, how.has_lists, how.rule = dims, everything, has_lists, rule
    op.batching = how

cdef inline Batching batching_of(Op op):
    if op.batching is None:
        from rushlight.func.batching import connect
        connect(op)
    return <Batching>op.batching

cpdef object on_batch(Op op, tuple values, list batched, Py_ssize_t size):
    """What an op makes of a batch, in its short way or by its rule."""
    cdef Batching how = batching_of(op)
    cdef uint32_t flags = 0
    cdef int i
    for i in range(len(batched)):
        flags |= <uint32_t>(batched[i] is True) << i
    result = how.way(op, how, <PyObject**>PySequence_ITEMS(values), len(values), flags, size)
    return how.rule(op, values, batched, size) if result is None else result

cdef object ZERO = 0


cdef class BatchLevel(Level):
    """One vmap: an aspect is 0 where the tensor within has a batch (its first dimension), None where it has none."""

    def __init__(self, Py_ssize_t size, str randomness):
        self.size, self.randomness = size, randomness
        self.sees_all = True      # random ops concern the level even where nothing is batched

    cdef object compute(self, Op op, tuple arguments, object keywords):
        cdef Batching how = batching_of(op)
        cdef PyObject* bound[MAX_PARAMETERS]
        cdef Py_ssize_t i, n = PyTuple_GET_SIZE(arguments)
        cdef uint32_t flags = 0
        cdef bint ours = False, listed = False
        cdef int inner
        cdef object value, result
        for i in range(n):
            bound[i] = PyTuple_GET_ITEM(arguments, i)
            value = <object>bound[i]
            if type(value) is Wrapped:
                if (<Wrapped>value).level is self:
                    ours = True
                    bound[i] = <PyObject*>(<Wrapped>value).value
                    if (<Wrapped>value).aspect is not None:
                        flags |= <uint32_t>1 << i
            elif how.has_lists and (type(value) is list or type(value) is tuple) and wrapped_at(self, value):
                ours = listed = True
        if listed and not keywords:
            return self.process(op, arguments, {})
        if how.way == &drawn_by_level or keywords and (ours or "out" in keywords):
            if how.way == &filled_below and flags == 1 and "out" not in keywords:
                run(op, packed(bound, n), IN_PLACE)
                return arguments[0]
            if (how.way == &broadcast or how.way == &copied_below) and flags & 1 and "out" not in keywords:
                inner = ndim_of_examples(op, bound, flags)
                if inner == (<Tensor>bound[0]).geometry.ndim - 1 and writes_lined_up(op, bound, n, flags, inner):
                    return arguments[0]
            return self.process(op, arguments, keywords or {})
        if not ours:
            return run(op, arguments, keywords)
        if not flags:
            return dressed_examples(self, op, below(op, bound, n), None)
        try:
            result = how.way(op, how, bound, n, flags, self.size)
        except (RuntimeError, IndexError, ValueError, TypeError):
            result = None      # the rule says in what words
        if result is None:
            result = self.by_rule(op, packed(bound, n), [flags >> i & 1 == 1 for i in range(n)])
        return dressed_examples(self, op, result, ZERO)

    def by_rule(self, Op op, values, list batched):
        """The op on the batch, or what `recovered` makes of its error."""
        try:
            return on_batch(op, tuple(values), batched, self.size)
        except (RuntimeError, IndexError, ValueError, TypeError) as error:
            return self.recovered(op, values, batched, error)

    def apart(self, arguments):
        """What is within the arguments, as a list; which of it has a batch (of a list where some have one, a list); whether any has; and whether
        any is of this level."""
        cdef list values = [], batched = [], flags
        cdef object value, flag
        cdef bint some = False, ours = False
        for value in arguments:
            ours = ours or wrapped_at(self, value)
            if type(value) is list or type(value) is tuple:
                flags = [is_at(item, self) and (<Wrapped>item).aspect is not None for item in value]
                flag = flags if True in flags else False
                values.append([within_level(self, item) for item in value])
            else:
                flag = is_at(value, self) and (<Wrapped>value).aspect is not None
                values.append(within_level(self, value))
            some = some or flag is not False
            batched.append(flag)
        return values, batched, some, ours

    cdef object rows_times_matrix(self, Tensor a, Tensor b):
        """A vector of each example times one matrix, as the program sees it; None where that is not what `a` and `b` are."""
        cdef Tensor rows, matrix = b
        cdef bint grad = modes.grad
        if type(a) is not Wrapped or (<Wrapped>a).level is not self or (<Wrapped>a).aspect is None or self.shadows is not None:
            return None
        if is_at(b, self):
            if (<Wrapped>b).aspect is not None:
                return None
            matrix = (<Wrapped>b).value
        rows = (<Wrapped>a).value
        if rows.code != matrix.code or rows.geometry.shape[1] != matrix.geometry.shape[0]:
            return None
        pop_interpreter()
        modes.grad = grad and self.grad_within
        try:
            rows = run(ops.mm, (rows, matrix), None)
        finally:
            modes.grad = grad
            push_interpreter(self)
        return wrap_value(self, rows, ZERO)

cpdef object dressed_examples(BatchLevel level, Op op, object result, object aspect=ZERO):
    """Results as the program sees them."""
    cdef list made
    if isinstance(result, Tensor):
        return wrap_value(level, <Tensor>result, aspect)
    made = [wrap_value(level, <Tensor>item, aspect) if isinstance(item, Tensor) else item for item in result]
    return tuple(made) if op.result_type is None else op.result_type(made)

def in_vmap():
    """Whether a vmap is active on this thread."""
    return any([isinstance(interpreter, BatchLevel) for interpreter in interpreter_stack()])

def refuse_batch_into(str name, Tensor target not None, Tensor source not None):
    """The error of an in-place op that no level sees, where `source` has a batch and `target` has none."""
    cdef Level level = current_level()
    if isinstance(level, BatchLevel) and has_batch(source) and not has_batch(target):
        from rushlight.func._vmap_level import not_writable
        raise RuntimeError(not_writable(f"aten::{name}", f"at level {level.depth}"))

cdef bint is_example(Tensor x):
    """Is it one of a batch, in a vmap that is the innermost transform?"""
    cdef Level level = current_level()
    return isinstance(level, BatchLevel) and level.depth == modes.transforms and is_at(x, level)

def has_batch(value):
    """Whether `value` is one example of a batch, at any level."""
    while type(value) is Wrapped:
        if isinstance((<Wrapped>value).level, BatchLevel) and (<Wrapped>value).aspect is not None:
            return True
        value = (<Wrapped>value).value
    return False

def is_recorded(tensors):
    """Whether an op on these tensors is recorded for backward."""
    return modes.grad and any([needs_grad(<Tensor?>value) for value in tensors])

def batch_of(tuple tensors):
    """(level, values within, which of them have a batch) where the innermost transform is a vmap that some of the tensors belong to."""
    cdef Level level = current_level()
    cdef tuple flags
    if not isinstance(level, BatchLevel) or level.shadows is not None:
        return None
    flags = tuple([is_at(x, level) and (<Wrapped>x).aspect is not None for x in tensors])
    if True not in flags:
        return None
    return level, [(<Wrapped>x).value if is_at(x, level) else x for x in tensors], flags


ONE, TWO = 1, 2

cdef object below(Op op, PyObject** bound, Py_ssize_t n):
    """The op at the level below."""
    if modes.interpreters:
        return run(op, packed(bound, n), None)
    return execute_any(op, bound, MODE_NEW, None)

cdef inline object view_of(Op op, Tensor x, object first, object second):
    """A view of two parameters."""
    cdef PyObject* args[3]
    args[0], args[1], args[2] = <PyObject*>x, <PyObject*>first, <PyObject*>second
    return below(op, args, op.parameter_count)

cdef int ndim_of_examples(Op op, PyObject** bound, uint32_t flags):
    """The number of dimensions that examples broadcast to. -1 where promotion must be looked at (an example without dimensions meets another
    dtype), or where another parameter has a batch."""
    cdef int ndim = 0, inner, code = -1
    cdef Tensor t
    cdef bint mixed = False, flat = False
    for index in op.tensor_parameters:
        if is_tensor_object(bound[<int>index]):
            t = <Tensor>bound[<int>index]
            inner = t.geometry.ndim - (flags >> <int>index & 1)
            ndim = max(ndim, inner)
            flat = flat or inner == 0
            mixed = mixed or code >= 0 and t.code != code
            code = t.code
    return -1 if mixed and flat or flags >= <uint32_t>1 << len(op.tensor_parameters) else ndim

cdef inline bint is_matrix(object x) noexcept:
    return is_tensor_object(<PyObject*>x) and (<Tensor>x).geometry.ndim == 2

# The ways in which an op computes a batch whose dimension is the first, `flags` having a bit for each argument with one; None where the call is
# not plain, which the rule in Python then serves. (What a way exchanges lives as long as one call does: it is not put among the arguments.)
cdef object no_way(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags, Py_ssize_t size):
    return None

cdef object drawn_by_level(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags, Py_ssize_t size):
    """Random numbers: the level sees to every call."""

cdef object filled_below(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags, Py_ssize_t size):
    """fill and zero: plain in place."""

cdef object copied_below(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags, Py_ssize_t size):
    """copy: plain in place, as pointwise ops are."""

cdef object broadcast(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags, Py_ssize_t size):
    """A pointwise op, on examples that are lined up."""
    cdef PyObject* passed[MAX_PARAMETERS]
    cdef list kept = []
    cdef Tensor t
    cdef int ndim = ndim_of_examples(op, bound, flags)
    if ndim < 0:
        return None
    memcpy(passed, bound, n * sizeof(PyObject*))
    for index in op.tensor_parameters:
        if flags >> <int>index & 1 and (<Tensor>bound[<int>index]).geometry.ndim <= ndim:
            t = lined_up(<Tensor>bound[<int>index], True, ndim)
            kept.append(t)
            passed[<int>index] = <PyObject*>t
    return below(op, passed, n)

cpdef Tensor lined_up(Tensor x, bint is_batched, int ndim):
    """A batched tensor whose examples get leading dimensions of size 1 up to `ndim`; others broadcast as they are."""
    cdef int d, missing = ndim + 1 - x.geometry.ndim
    if not is_batched or missing <= 0:
        return x
    sizes = [x.geometry.shape[0]] + [1] * missing + [x.geometry.shape[d] for d in range(1, x.geometry.ndim)]
    return <Tensor>run(ops.view, (x, tuple(sizes)), None)

cdef bint writes_lined_up(Op op, PyObject** bound, Py_ssize_t n, uint32_t flags, int ndim) except -1:
    """An in-place pointwise op whose operands broadcast as the examples do, without padding; False, and nothing, for another."""
    cdef Py_ssize_t i
    cdef Tensor t, target = <Tensor>bound[0]
    cdef int d, lead
    for index in op.tensor_parameters:
        i = <Py_ssize_t>index
        if i and is_tensor_object(bound[i]):
            t = <Tensor>bound[i]
            if flags >> i & 1 and t.geometry.ndim != ndim + 1:
                return False
            # Errors are those of an example, which Python sees to.
            lead = target.geometry.ndim - t.geometry.ndim
            for d in range(t.geometry.ndim):
                if t.geometry.shape[d] != 1 and t.geometry.shape[d] != target.geometry.shape[lead + d]:
                    return False
    run(op, packed(bound, n), IN_PLACE)
    return True

IN_PLACE = {"mode": MODE_IN_PLACE}

cdef object shifted_dim(object dim, int ndim):
    """A dimension of an example as one of the batch, None where it is not plain."""
    cdef long d
    cdef list dims
    if type(dim) is int:
        d = dim
        if d < -ndim or d >= ndim:
            return None
        return d + 1 if d >= 0 else d + ndim + 1
    if isinstance(dim, (tuple, list)):
        dims = []
        for item in dim:
            item = shifted_dim(item, ndim)
            if type(item) is not int or item in dims:
                return None
            dims.append(item)
        return tuple(dims)
    return None

cdef object shifted(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags, Py_ssize_t size):
    """An op of one tensor, with its dimensions moved up."""
    cdef int ndim = (<Tensor>bound[0]).geometry.ndim - 1, i
    cdef PyObject* passed[MAX_PARAMETERS]
    cdef list kept = []
    cdef object dim
    if flags != 1 or ndim == 0:
        return None
    memcpy(passed, bound, n * sizeof(PyObject*))
    for index in how.dims:
        i = index
        dim = <object>bound[i]
        if how.everything and (dim is None or (type(dim) is tuple or type(dim) is list) and len(dim) == 0):
            dim = all_inner_dims(ndim)
        else:
            dim = shifted_dim(dim, ndim)
        if dim is None:
            return None
        kept.append(dim)
        passed[i] = <PyObject*>dim
    return below(op, passed, n)

cdef list _inner_dims = []

cdef tuple all_inner_dims(int ndim):
    """All dimensions of an example, as those of the batch."""
    while len(_inner_dims) <= ndim:
        _inner_dims.append(tuple(range(1, len(_inner_dims) + 1)))
    return _inner_dims[ndim]

cdef object with_sizes(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags, Py_ssize_t size):
    """view and expand: the size of the batch goes before the given ones."""
    cdef Tensor x = <Tensor>bound[0]
    cdef Geometry inner
    cdef int64_t sizes[MAX_DIMS + 1]
    cdef int d, count = read_sizes(<object>bound[1], sizes + 1)
    sizes[0] = x.geometry.shape[0]
    if op is ops.expand:
        for d in range(count + 1 - x.geometry.ndim):
            if sizes[1 + d] < 0:
                return None      # a new dimension needs a size
        x = lined_up(x, True, count)
    else:
        infer_size(inner, sizes + 1, count, product_of(x.geometry.shape, 1, x.geometry.ndim))
        memcpy(sizes + 1, inner.shape, count * sizeof(int64_t))
    return view_of(op, x, make_tuple(sizes, count + 1), None)

cdef object transposed(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags, Py_ssize_t size):
    """t: of a vector or number it is an alias."""
    cdef Tensor x = <Tensor>bound[0]
    if x.geometry.ndim < 3:
        return run(ops.alias, (x,), None)
    return view_of(ops.transpose, x, ONE, TWO) if x.geometry.ndim == 3 else None

cdef object unsqueezed(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags, Py_ssize_t size):
    dim = shifted_dim(<object>bound[1], (<Tensor>bound[0]).geometry.ndim)
    return None if dim is None else view_of(op, <Tensor>bound[0], dim, None)

cdef object permuted(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags, Py_ssize_t size):
    dims = shifted_dim(<object>bound[1], (<Tensor>bound[0]).geometry.ndim - 1)
    return view_of(op, <Tensor>bound[0], (ZERO,) + <tuple>dims, None) if type(dims) is tuple else None

cdef object rows_of(Tensor x):
    """The matrices of a batch below each other, where that needs no copy."""
    if x.geometry.strides[0] != x.geometry.strides[1] * x.geometry.shape[1] and x.geometry.shape[0] > 1 and x.geometry.shape[1] > 1:
        return None
    if x.count == 0:
        return None
    return run(ops.view, (x, (x.geometry.shape[0] * x.geometry.shape[1], x.geometry.shape[2])), None)

cpdef object product_of_batch(Tensor a, Tensor b, uint32_t flags, Py_ssize_t size):
    """mm where one factor or both have a batch (`flags`: 1 the first, 2 the second); None where something does not fit."""
    cdef object rows
    cdef Tensor made
    if a.geometry.ndim - (flags & 1) != 2 or b.geometry.ndim - (flags >> 1 & 1) != 2 or a.code != b.code or \
            a.geometry.shape[a.geometry.ndim - 1] != b.geometry.shape[b.geometry.ndim - 2]:
        return None
    if flags == 1:
        rows = rows_of(a)
        if rows is not None:
            made = run(ops.mm, (rows, b), None)
            return run(ops._unsafe_view, (made, (size, a.geometry.shape[1], b.geometry.shape[1])), None)
        b = run(ops.expand, (b, (size, b.geometry.shape[0], b.geometry.shape[1])), None)
    elif flags == 2:
        a = run(ops.expand, (a, (size, a.geometry.shape[0], a.geometry.shape[1])), None)
    return run(ops.bmm, (a, b), None)

cdef object product(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags, Py_ssize_t size):
    """mm"""
    return product_of_batch(<object>bound[0], <object>bound[1], flags, size)

cdef object vectors(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags, Py_ssize_t size):
    """mv of one matrix: a product with the matrix of all vectors."""
    if flags != 2 or not is_matrix(<object>bound[0]) or not is_matrix(<object>bound[1]):
        return None
    return run(ops.mm, (<object>bound[1], run(ops.t, (<object>bound[0],), None)), None)

cdef object added_vectors(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags, Py_ssize_t size):
    """addmv of one matrix: a layer on one vector of each example is one on the rows of a matrix."""
    if flags != 4 or not is_matrix(<object>bound[1]) or not is_matrix(<object>bound[2]) or not isinstance(<object>bound[0], Tensor) or \
            (<Tensor>bound[0]).geometry.ndim != 1:
        return None
    return run(ops.addmm, (<object>bound[0], <object>bound[2], run(ops.t, (<object>bound[1],), None), <object>bound[3], <object>bound[4]), None)

cdef object added_product(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags, Py_ssize_t size):
    """addmm: a layer on the rows of all examples, or a product of batches and a sum, where neither is scaled."""
    cdef Tensor x
    if flags == 2:
        return rows_of_layer(op, bound, n, size)
    if flags >> 1 == 0 or flags > 7 or (<object>bound[3] is not ONE and <object>bound[3] != 1) or <object>bound[4] != 1 or \
            not isinstance(<object>bound[0], Tensor) or not isinstance(<object>bound[1], Tensor) or not isinstance(<object>bound[2], Tensor):
        return None
    x = <Tensor>bound[0]
    if x.code != (<Tensor>bound[1]).code or category[x.code] < IS_FLOATING or not 1 <= x.geometry.ndim - (flags & 1) <= 2:
        return None
    product = product_of_batch(<object>bound[1], <object>bound[2], flags >> 1, size)
    if product is None:
        return None
    if flags & 1 and x.geometry.ndim == 2:
        x = run(ops.view, (x, (size, 1, x.geometry.shape[1])), None)
    # (The sum may not be larger than the product.)
    for d in range(1, min(x.geometry.ndim, 3)):
        if x.geometry.shape[x.geometry.ndim - d] != 1 and x.geometry.shape[x.geometry.ndim - d] != (<Tensor>product).geometry.shape[3 - d]:
            return None
    return run(ops.add, (x, product, ONE), None)

cdef object rows_of_layer(Op op, PyObject** bound, Py_ssize_t n, Py_ssize_t size):
    """addmm of a vector, a batch of matrices and one matrix: a layer on all rows at once."""
    cdef Tensor a = <Tensor>bound[1], made
    cdef PyObject* passed[MAX_PARAMETERS]
    cdef object rows
    if not isinstance(<object>bound[0], Tensor) or (<Tensor>bound[0]).geometry.ndim != 1 or a.geometry.ndim != 3:
        return None
    rows = rows_of(a)
    if rows is None:
        return None
    memcpy(passed, bound, n * sizeof(PyObject*))
    passed[1] = <PyObject*>rows
    made = below(op, passed, n)
    return run(ops._unsafe_view, (made, (size, a.geometry.shape[1], made.geometry.shape[1])), None)


cdef dict batch_ways = {
    "rule": <size_t>&no_way, "pointwise": <size_t>&broadcast, "shifted": <size_t>&shifted, "sizes": <size_t>&with_sizes,
    "transposed": <size_t>&transposed, "unsqueezed": <size_t>&unsqueezed, "permuted": <size_t>&permuted, "product": <size_t>&product,
    "added product": <size_t>&added_product, "vectors": <size_t>&vectors, "added vectors": <size_t>&added_vectors,
    "draws": <size_t>&drawn_by_level, "filled": <size_t>&filled_below, "copied": <size_t>&copied_below,
}


# ---------------------------------------------------------------------------------------------------------- in and out
def wrap_examples(BatchLevel level not None, tuple args, in_dims):
    """The arguments of a function as it sees them, where they are plain: tensors, plain containers of them, and whatever has no batch.

    None otherwise. The size of the batch is read from them.
    """
    cdef Py_ssize_t size = -1
    if type(in_dims) is not int and type(in_dims) is not tuple or len(args) == 0:
        return None
    try:
        made = wrap_tree(level, args, in_dims, &size)
    except NotPlain:
        return None
    if size >= 0:
        level.size = size
        return made

class NotPlain(Exception):
    """A tree of arguments or results has something else than tensors, tuples, lists and dicts, or they do not fit."""

cdef object wrap_tree(BatchLevel level, object value, object dim, Py_ssize_t* size):
    """A tensor, or a tuple, list or dict of such, with the batch dimension `dim` (or a container of such)."""
    cdef Tensor x
    cdef Wrapped wrapped
    cdef long d
    cdef Py_ssize_t i
    cdef Depth depth
    depth.enter()
    cdef bint each = type(dim) is tuple or type(dim) is list or type(dim) is dict
    if type(value) is dict or type(value) is tuple or type(value) is list:
        if each and (type(dim) is not type(value) or len(dim) != len(value) or type(value) is dict and dim.keys() != value.keys()):
            raise NotPlain
        if type(value) is dict:
            return {key: wrap_tree(level, item, dim[key] if each else dim, size) for key, item in (<dict>value).items()}
        made = [wrap_tree(level, value[i], dim[i] if each else dim, size) for i in range(len(value))]
        return tuple(made) if type(value) is tuple else made
    if dim is None:
        return value
    if type(dim) is not int or not isinstance(value, Tensor):
        raise NotPlain
    x, d = <Tensor>value, dim
    if d < -x.geometry.ndim or d >= x.geometry.ndim:
        raise NotPlain
    d = d + x.geometry.ndim if d < 0 else d
    if size[0] >= 0 and x.geometry.shape[d] != size[0]:
        raise NotPlain
    size[0] = x.geometry.shape[d]
    if d:
        x = x.movedim(d, 0)
    wrapped = wrap_value(level, x, ZERO)
    wrapped.given_dim = d
    return wrapped

def unwrap_examples(BatchLevel level not None, result):
    """A result with its batch in front, where it is a tensor that has one, or a plain container of such; None otherwise."""
    try:
        return unwrap_tree(level, result)
    except NotPlain:
        return None

cdef object unwrap_tree(BatchLevel level, object result):
    cdef Depth depth
    depth.enter()
    if is_at(result, level) and (<Wrapped>result).aspect is not None:
        return left((<Wrapped>result).value)
    if type(result) is tuple or type(result) is list:
        return type(result)([unwrap_tree(level, item) for item in result])
    if type(result) is dict:
        return {key: unwrap_tree(level, item) for key, item in (<dict>result).items()}
    raise NotPlain

# vmap's level: the way of most ops on a batch. What is not plain goes to the rules in rushlight/func/batching.
cdef enum:
    # How an op computes a batch whose dimension is the first.
    BATCH_BY_RULE = 0       # a rule in Python
    BATCH_POINTWISE = 1     # as it is, where the examples' dimensions line up
    BATCH_SHIFTED = 2       # with its dimensions moved up by one
    BATCH_SIZES = 3         # with the size of the batch before the sizes that it is given
    BATCH_TRANSPOSED = 4    # t()
    BATCH_PRODUCT = 5       # mm
    BATCH_ADDED_PRODUCT = 6  # addmm
    BATCH_DRAWS = 7         # random numbers
    BATCH_UNSQUEEZED = 8    # unsqueeze
    BATCH_VECTORS = 9       # mv of one matrix
    BATCH_ADDED_VECTORS = 10  # addmv of one matrix
    BATCH_PERMUTED = 11
    BATCH_FILLED = 12       # fill and zero
    BATCH_COPIED = 13       # copy

@cython.final
cdef class Batching:
    """How one op computes a batch."""

def set_batching(Op op not None, str kind, rule, list dims=None, bint everything=False, bint has_lists=False):
    """Says how `op` computes a batch; `rule(op, arguments, batched, size)` serves what is not plain."""
    cdef Batching how = Batching.__new__(Batching)
    how.kind = ("rule", "pointwise", "shifted", "sizes", "transposed", "product", "added product", "draws", "unsqueezed", "vectors",
                "added vectors", "permuted", "filled", "copied").index(kind)
    how.dims, how.everything, how.has_lists, how.rule = dims, everything, has_lists, rule
    op.batching = how

cdef object ZERO = 0


cdef class BatchLevel(Level):
    """One vmap: an aspect is 0 where the tensor within has a batch (its first dimension), None where it has none."""

    def __init__(self, Py_ssize_t size, str randomness):
        self.size, self.randomness = size, randomness
        self.sees_all = True      # random ops concern the level even where nothing is batched

    cdef object compute(self, Op op, tuple arguments, object keywords):
        cdef Batching how = <Batching>op.batching
        cdef PyObject* bound[MAX_PARAMETERS]
        cdef Py_ssize_t i, n = PyTuple_GET_SIZE(arguments)
        cdef uint32_t flags = 0
        cdef bint ours = False, listed = False
        cdef int inner
        cdef object value, dim, result = None
        if how is None:
            return self.process(op, arguments, keywords or {})
        for i in range(n):
            bound[i] = PyTuple_GET_ITEM(arguments, i)
            value = <object>bound[i]
            if type(value) is Wrapped:
                if (<Wrapped>value).level is self:
                    ours = True
                    bound[i] = <PyObject*>(<Wrapped>value).value
                    if (<Wrapped>value).aspect is not None:
                        flags |= <uint32_t>1 << i
            elif how.has_lists and (type(value) is list or type(value) is tuple) and holds_level(self, value):
                ours = listed = True
        if listed and not keywords:
            return self.with_lists(op, how, arguments)
        if how.kind == BATCH_DRAWS or keywords and (ours or "out" in keywords):
            if how.kind == BATCH_FILLED and flags == 1 and "out" not in keywords:
                run_below(op, tuple([<object>bound[i] for i in range(n)]), IN_PLACE)
                return arguments[0]
            if (how.kind == BATCH_POINTWISE or how.kind == BATCH_COPIED) and flags & 1 and "out" not in keywords:
                inner = ndim_of_examples(op, bound, flags)
                if inner == (<Tensor>bound[0]).geometry.ndim - 1 and writes_lined_up(op, bound, n, flags, inner):
                    return arguments[0]
            return self.process(op, arguments, keywords or {})
        if not ours:
            return run_below(op, arguments, keywords)
        if not flags:
            return self.dressed(op, below(op, bound, n), None)
        try:
            if how.kind == BATCH_POINTWISE:
                inner = ndim_of_examples(op, bound, flags)
                if inner >= 0:
                    result = run_lined_up(op, bound, n, flags, inner)
            elif how.kind == BATCH_SHIFTED:
                result = run_shifted(op, how, bound, n, flags)
            elif how.kind == BATCH_SIZES:
                result = run_with_sizes(op, bound, n)
            elif how.kind == BATCH_TRANSPOSED:
                if (<Tensor>bound[0]).geometry.ndim == 3:
                    result = view_of(ops.transpose, <Tensor>bound[0], ONE, TWO)
            elif how.kind == BATCH_UNSQUEEZED:
                dim = shifted_dim(<object>bound[1], (<Tensor>bound[0]).geometry.ndim)
                if dim is not None:
                    result = view_of(op, <Tensor>bound[0], dim, None)
            elif how.kind == BATCH_PRODUCT:
                result = product_of_batch(<object>bound[0], <object>bound[1], flags, self.size)
            elif how.kind == BATCH_ADDED_PRODUCT:
                result = rows_of_layer(op, bound, n, self.size) if flags == 2 else added_product_of_batch(bound, flags, self.size)
            elif how.kind == BATCH_PERMUTED:
                dim = shifted_dim(<object>bound[1], (<Tensor>bound[0]).geometry.ndim - 1)
                if type(dim) is tuple:
                    result = view_of(op, <Tensor>bound[0], (ZERO,) + <tuple>dim, None)
            elif how.kind == BATCH_VECTORS and flags == 2:
                if is_matrix(<object>bound[0]) and is_matrix(<object>bound[1]):
                    result = run_packed(ops.mm, (<object>bound[1], run_packed(ops.t, (<object>bound[0],))))
            elif how.kind == BATCH_ADDED_VECTORS and flags == 4:
                if is_matrix(<object>bound[1]) and is_matrix(<object>bound[2]) and isinstance(<object>bound[0], Tensor) and \
                        (<Tensor>bound[0]).geometry.ndim == 1:
                    # A layer on one vector of each example: on the rows of a matrix.
                    result = run_packed(ops.addmm, (<object>bound[0], <object>bound[2], run_packed(ops.t, (<object>bound[1],)),
                                                    <object>bound[3], <object>bound[4]))
            if result is None:
                result = how.rule(op, tuple([<object>bound[i] for i in range(n)]), [flags >> i & 1 == 1 for i in range(n)], self.size)
        except (RuntimeError, IndexError, ValueError, TypeError) as error:
            result = self.recovered(op, tuple([<object>bound[i] for i in range(n)]), [flags >> i & 1 == 1 for i in range(n)], error)
        return self.dressed(op, result, ZERO)

    cdef object with_lists(self, Op op, Batching how, tuple arguments):
        """An op with a list of tensors among its parameters: by its rule, which learns of every item whether it has a batch."""
        cdef list values = [], batched = [], items, flags
        cdef object value, item
        cdef bint some = False, has, any_item
        for value in arguments:
            has = False
            if is_at(value, self):
                has = (<Wrapped>value).aspect is not None
                value = (<Wrapped>value).value
            elif type(value) is list or type(value) is tuple:
                items, flags, any_item = [], [], False
                for item in value:
                    has = False
                    if is_at(item, self):
                        has = (<Wrapped>item).aspect is not None
                        item = (<Wrapped>item).value
                    any_item = any_item or has
                    items.append(item)
                    flags.append(has)
                values.append(items)
                batched.append(flags if any_item else False)
                some = some or any_item
                continue
            values.append(value)
            batched.append(has)
            some = some or has
        if not some:
            return self.dressed(op, run_below(op, tuple(values), None), None)
        try:
            value = how.rule(op, tuple(values), batched, self.size)
        except (RuntimeError, IndexError, ValueError, TypeError) as error:
            value = self.recovered(op, tuple(values), batched, error)
        return self.dressed(op, value, ZERO)

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
            rows = run_packed(ops.mm, (rows, matrix))
        finally:
            modes.grad = grad
            push_interpreter(self)
        return wrap_value(self, rows, ZERO)

    def recovered(self, op, values, batched, error):
        """The result in spite of an error (where a loop can have it), or the error as one example gives it."""
        raise error

    cdef object dressed(self, Op op, object result, object aspect):
        """Results as the program sees them."""
        cdef list made
        if isinstance(result, Tensor):
            return wrap_value(self, <Tensor>result, aspect)
        made = [wrap_value(self, <Tensor>item, aspect) if isinstance(item, Tensor) else item for item in result]
        return tuple(made) if op.result_type is None else op.result_type(made)

def in_vmap():
    """Whether a vmap is active on this thread."""
    for interpreter in interpreter_stack():
        if isinstance(interpreter, BatchLevel):
            return True
    return False


def refuse_batch_into(str name, Tensor target not None, Tensor source not None):
    """The error of an in-place op that no level sees, where `source` has a batch and `target` has none."""
    cdef Level level = innermost_level()
    if isinstance(level, BatchLevel) and has_batch(source) and not has_batch(target):
        from rushlight.func._vmap_level import not_writable
        raise RuntimeError(not_writable(f"aten::{name}", f"at level {level.depth}"))

def has_batch(value):
    """Whether `value` is one example of a batch, at any level."""
    while type(value) is Wrapped:
        if isinstance((<Wrapped>value).level, BatchLevel) and (<Wrapped>value).aspect is not None:
            return True
        value = (<Wrapped>value).value
    return False


def is_recorded(tensors):
    """Whether an op on these tensors is recorded for backward."""
    if modes.grad:
        for value in tensors:
            if needs_grad(<Tensor?>value):
                return True
    return False


def batch_of(tuple tensors):
    """(level, values within, which of them have a batch) where the innermost transform is a vmap that some of the tensors belong to."""
    cdef Level level = innermost_level()
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
    cdef Py_ssize_t i
    if modes.interpreters:
        return run_below(op, tuple([<object>bound[i] for i in range(n)]), None)
    return execute_resolved(op, bound, MODE_NEW, None)

cdef object run_packed(Op op, tuple arguments):
    """The same, with every argument in a tuple."""
    return run_below(op, arguments, None)

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
        if PyObject_TypeCheck(<object>bound[<int>index], <PyTypeObject*>Tensor):
            t = <Tensor>bound[<int>index]
            inner = t.geometry.ndim - (flags >> <int>index & 1)
            ndim = max(ndim, inner)
            flat = flat or inner == 0
            mixed = mixed or code >= 0 and t.code != code
            code = t.code
    return -1 if mixed and flat or flags >= <uint32_t>1 << len(op.tensor_parameters) else ndim

cdef inline void copy_bound(PyObject** target, PyObject** source, Py_ssize_t n) noexcept:
    # What is exchanged lives as long as one call does: whoever made the call must not find it among its arguments.
    cdef Py_ssize_t i
    for i in range(n):
        target[i] = source[i]

cdef inline bint is_matrix(object x) noexcept:
    return PyObject_TypeCheck(x, <PyTypeObject*>Tensor) and (<Tensor>x).geometry.ndim == 2

cdef object run_lined_up(Op op, PyObject** bound, Py_ssize_t n, uint32_t flags, int ndim):
    """A pointwise op, with dimensions of size 1 between the batch and the examples where those have fewer than others."""
    cdef PyObject* passed[MAX_PARAMETERS]
    cdef list kept = None
    cdef Tensor t
    cdef int missing, d
    cdef list sizes
    copy_bound(passed, bound, n)
    for index in op.tensor_parameters:
        if not flags >> <int>index & 1:
            continue
        t = <Tensor>bound[<int>index]
        missing = ndim + 1 - t.geometry.ndim
        if missing:
            sizes = [t.geometry.shape[0]] + [1] * missing
            for d in range(1, t.geometry.ndim):
                sizes.append(t.geometry.shape[d])
            padded = run_packed(ops.view, (t, tuple(sizes)))
            if kept is None:
                kept = []
            kept.append(padded)
            passed[<int>index] = <PyObject*>padded
    return below(op, passed, n)

cdef bint writes_lined_up(Op op, PyObject** bound, Py_ssize_t n, uint32_t flags, int ndim) except -1:
    """An in-place pointwise op whose operands broadcast as the examples do, without padding; False, and nothing, for another."""
    cdef Py_ssize_t i
    cdef Tensor t, target = <Tensor>bound[0]
    cdef int d, lead
    for index in op.tensor_parameters:
        i = <Py_ssize_t>index
        if i and PyObject_TypeCheck(<object>bound[i], <PyTypeObject*>Tensor):
            t = <Tensor>bound[i]
            if flags >> i & 1 and t.geometry.ndim != ndim + 1:
                return False
            # Errors are those of an example, which Python sees to.
            lead = target.geometry.ndim - t.geometry.ndim
            for d in range(t.geometry.ndim):
                if t.geometry.shape[d] != 1 and t.geometry.shape[d] != target.geometry.shape[lead + d]:
                    return False
    run_below(op, tuple([<object>bound[i] for i in range(n)]), IN_PLACE)
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
    if type(dim) is tuple or type(dim) is list:
        dims = []
        for item in dim:
            item = shifted_dim(item, ndim)
            if type(item) is not int or item in dims:
                return None
            dims.append(item)
        return tuple(dims)
    return None

cdef object run_shifted(Op op, Batching how, PyObject** bound, Py_ssize_t n, uint32_t flags):
    """An op of one tensor, with its dimensions moved up."""
    cdef int ndim = (<Tensor>bound[0]).geometry.ndim - 1, i
    cdef PyObject* passed[MAX_PARAMETERS]
    cdef list kept = []
    cdef object dim
    if flags != 1 or ndim == 0:
        return None
    copy_bound(passed, bound, n)
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

cdef object run_with_sizes(Op op, PyObject** bound, Py_ssize_t n):
    """view and expand: the size of the batch goes before the given ones."""
    cdef object sizes = <object>bound[1]
    cdef Tensor x = <Tensor>bound[0]
    cdef tuple whole
    if type(sizes) is int:
        sizes = (sizes,)
    elif not isinstance(sizes, tuple):
        return None
    if op is ops.expand and PyTuple_GET_SIZE(sizes) != x.geometry.ndim - 1:
        return None
    for item in sizes:
        if type(item) is not int or item < 0:
            return None
    whole = (x.geometry.shape[0],) + <tuple>sizes
    return view_of(op, x, whole, None)

cdef object rows_of(Tensor x):
    """The matrices of a batch below each other, where that needs no copy."""
    if x.geometry.strides[0] != x.geometry.strides[1] * x.geometry.shape[1] and x.geometry.shape[0] > 1 and x.geometry.shape[1] > 1:
        return None
    if x.count == 0:
        return None
    return run_packed(ops.view, (x, (x.geometry.shape[0] * x.geometry.shape[1], x.geometry.shape[2])))

cdef object product_of_batch(Tensor a, Tensor b, uint32_t flags, Py_ssize_t size):
    """mm where one factor or both have a batch; None where something does not fit."""
    cdef object rows
    cdef Tensor made
    if a.geometry.ndim - (flags & 1) != 2 or b.geometry.ndim - (flags >> 1 & 1) != 2 or a.code != b.code or \
            a.geometry.shape[a.geometry.ndim - 1] != b.geometry.shape[b.geometry.ndim - 2]:
        return None
    if flags == 1:
        rows = rows_of(a)
        if rows is not None:
            made = run_packed(ops.mm, (rows, b))
            return run_packed(ops._unsafe_view, (made, (size, a.geometry.shape[1], b.geometry.shape[1])))
        b = run_packed(ops.expand, (b, (size, b.geometry.shape[0], b.geometry.shape[1])))
    elif flags == 2:
        a = run_packed(ops.expand, (a, (size, a.geometry.shape[0], a.geometry.shape[1])))
    return run_packed(ops.bmm, (a, b))

cdef object added_product_of_batch(PyObject** bound, uint32_t flags, Py_ssize_t size):
    """addmm as a product of batches and a sum, where neither is scaled; None where something does not fit."""
    cdef Tensor x
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
        x = run_packed(ops.view, (x, (size, 1, x.geometry.shape[1])))
    # (The sum may not be larger than the product.)
    for d in range(1, min(x.geometry.ndim, 3)):
        if x.geometry.shape[x.geometry.ndim - d] != 1 and x.geometry.shape[x.geometry.ndim - d] != (<Tensor>product).geometry.shape[3 - d]:
            return None
    return run_packed(ops.add, (x, product, ONE))

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
    copy_bound(passed, bound, n)
    passed[1] = <PyObject*>rows
    made = below(op, passed, n)
    return run_packed(ops._unsafe_view, (made, (size, a.geometry.shape[1], made.geometry.shape[1])))


# ---------------------------------------------------------------------------------------------------------- in and out
def wrap_examples(BatchLevel level not None, tuple args, in_dims):
    """The arguments of a function as it sees them, where they are plain: tensors, plain containers of them, and whatever has no batch.

    None otherwise. The size of the batch is read from them.
    """
    cdef Py_ssize_t size = -1
    if type(in_dims) is not int and type(in_dims) is not tuple or len(args) == 0:
        return None
    made = wrap_tree(level, args, in_dims, &size)
    if made is NOT_PLAIN or size < 0:
        return None
    level.size = size
    return made

NOT_PLAIN = object()

cdef object wrap_tree(BatchLevel level, object value, object dim, Py_ssize_t* size):
    """A tensor, or a tuple, list or dict of such, with the batch dimension `dim` (or a container of such); NOT_PLAIN for anything else."""
    cdef Tensor x
    cdef Wrapped wrapped
    cdef long d
    cdef list made
    cdef dict named
    cdef object key, item
    cdef Depth depth
    depth.enter()
    cdef bint each = type(dim) is tuple or type(dim) is list or type(dim) is dict
    if type(value) is dict:
        if each and (type(dim) is not dict or len(<dict>dim) != len(<dict>value)):
            return NOT_PLAIN
        named = {}
        for key, item in (<dict>value).items():
            if each and key not in <dict>dim:
                return NOT_PLAIN
            item = wrap_tree(level, item, (<dict>dim)[key] if each else dim, size)
            if item is NOT_PLAIN:
                return NOT_PLAIN
            named[key] = item
        return named
    if type(value) is tuple or type(value) is list:
        if each and (type(dim) is not type(value) or len(dim) != len(value)):
            return NOT_PLAIN
        made = []
        for item in value:
            if each and len(made) == len(dim):
                return NOT_PLAIN
            item = wrap_tree(level, item, dim[len(made)] if each else dim, size)
            if item is NOT_PLAIN:
                return NOT_PLAIN
            made.append(item)
        return tuple(made) if type(value) is tuple else made
    if dim is None:
        return value
    if type(dim) is not int or not isinstance(value, Tensor):
        return NOT_PLAIN
    x, d = <Tensor>value, dim
    if d < -x.geometry.ndim or d >= x.geometry.ndim:
        return NOT_PLAIN
    d = d + x.geometry.ndim if d < 0 else d
    if size[0] >= 0 and x.geometry.shape[d] != size[0]:
        return NOT_PLAIN
    size[0] = x.geometry.shape[d]
    if d:
        x = x.movedim(d, 0)
    wrapped = wrap_value(level, x, ZERO)
    wrapped.given_dim = d
    return wrapped

def unwrap_examples(BatchLevel level not None, result):
    """A result with its batch in front, where it is a tensor that has one, or a plain container of such; None otherwise."""
    made = unwrap_tree(level, result)
    return None if made is NOT_PLAIN else made

cdef object unwrap_tree(BatchLevel level, object result):
    cdef object key, item
    cdef list made
    cdef dict named
    cdef Depth depth
    depth.enter()
    if type(result) is Wrapped:
        return left((<Wrapped>result).value) if (<Wrapped>result).level is level and (<Wrapped>result).aspect is not None else NOT_PLAIN
    if type(result) is tuple or type(result) is list:
        made = []
        for item in result:
            item = unwrap_tree(level, item)
            if item is NOT_PLAIN:
                return NOT_PLAIN
            made.append(item)
        return tuple(made) if type(result) is tuple else made
    if type(result) is dict:
        named = {}
        for key, item in (<dict>result).items():
            item = unwrap_tree(level, item)
            if item is NOT_PLAIN:
                return NOT_PLAIN
            named[key] = item
        return named
    return NOT_PLAIN

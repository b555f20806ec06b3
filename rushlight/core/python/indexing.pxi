# x[...] and x[...] = v. Basic indices are views, made one dimension at a time; tensors, lists and arrays go to the op `index`.
cdef object get_item(Tensor x, object index):
    cdef PyObject* args[3]
    if subclasses_exist and (type(x) is not Tensor or type(index) is not int and type(index) is not slice or modes.function_modes):
        handled = overridden_method("__getitem__", (x, index))
        if handled is not NotImplemented:
            return handled
    if type(index) is int:
        check_only_index(x, index)
        args[0], args[1], args[2] = <PyObject*>x, <PyObject*>_zero, <PyObject*>index
        return call_new(ops.select, args)
    if type(index) is slice and x.geometry.ndim > 0 and not modes.interpreters:
        return get_slice(x, index)
    if index_wants_a_say(index):
        return dispatch_torch_function(Tensor.__getitem__, (x, index), (x, index), {}, True)
    view, indices = split_index(x, index)
    if indices is not None:
        return ops._index(view, indices)
    if view is x and type(index) is slice:
        return ops.slice(x, 0, None, None, 1)      # x[:] is recorded as a slice; in tuples whole slices are passed over
    return ops.alias(x) if view is x else view

cdef object get_slice(Tensor x, slice index):
    """x[a:b:c], along the first dimension."""
    cdef PyObject* args[5]
    start, stop, step = plain(index.start), plain(index.stop), plain(index.step)
    if step is None:
        step = 1
    elif step <= 0:
        refuse_step(step)
    args[0], args[1], args[2], args[3], args[4] = \
        <PyObject*>x, <PyObject*>_zero, <PyObject*>start, <PyObject*>stop, <PyObject*>step
    return execute_new(ops.slice, args)

_zero = 0

cdef int refuse_step(object step) except -1:
    raise ValueError("slice step cannot be zero" if step == 0 else "step must be greater than zero")

cdef inline int64_t size_at(const Geometry& g, int dim) noexcept:
    """The size of a dimension; behind the last, where several ellipses lead, there is nothing."""
    return g.shape[dim] if dim < g.ndim else 0

cdef int check_index(Tensor x, int dim, object index, int position) except -1:
    """Is there such a place? The error calls the dimension by the index's position in the tuple."""
    cdef int64_t size = size_at(x.geometry, dim), place = int64_of(index)
    if place < -size or place >= size:
        raise IndexError(f"index {index} is out of bounds for dimension {position} with size {size}")
    return 0

cdef int check_only_index(Tensor x, object index) except -1:
    """Is there such a place along the first dimension?"""
    if x.geometry.ndim:
        return check_index(x, 0, index, 0)
    if index == 0:
        raise IndexError("invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim "
                         "tensor to a number")
    raise IndexError(f"index {index} is out of bounds for dimension 0 with size 0")

cdef tuple split_index(Tensor x, object index):
    """The view that the basic parts of an index select, and the list of tensor indices on it (None where there are none)."""
    cdef list indices = None
    cdef object view = x
    cdef Tensor given_at
    cdef bint is_mask
    cdef int dim = 0, given = 0, position = -1
    if type(index) is not slice and not isinstance(index, (tuple, Tensor)) and PySequence_Check(index) and treat_as_tuple(index):
        index = tuple(index)
    items = index if isinstance(index, tuple) else (index,)
    for item in items:
        if item is None or item is Ellipsis or item is True or item is False:
            continue
        given += item.ndim if isinstance(item, Tensor) and (<Tensor>item).code in (BOOL, UINT8) else 1
    if given > x.geometry.ndim:
        if x.geometry.ndim == 0 and type(index) is slice:
            raise IndexError("slice() cannot be applied to a 0-dim tensor.")
        raise IndexError(f"too many indices for tensor of dimension {x.geometry.ndim}")
    for item in items:
        position += 1
        if type(item) is slice:
            start, stop, step = plain(item.start), plain(item.stop), plain(item.step)
            if step is not None and step <= 0:
                refuse_step(step)
            if not (step is None or step == 1) or not (start is None or start == 0) or \
                    not (stop is None or stop >= size_at((<Tensor>view).geometry, dim)):
                view = ops.slice(view, dim, start, stop, 1 if step is None else step)
            dim += 1
        elif item is None:
            view = ops.unsqueeze(view, dim)
            dim += 1
        elif item is Ellipsis:
            dim += x.geometry.ndim - given      # (for every `...` of them, as in PyTorch)
        elif item is True or item is False:
            view = ops.unsqueeze(view, dim)
            indices = put_index(indices, dim, place_of(bool(item)))
            dim += 1
        elif is_plain_int(item):
            check_index(<Tensor>view, dim, item.__index__(), position)
            view = ops.select(view, dim, item.__index__())
        else:
            given_at = item if isinstance(item, Tensor) else index_from(item)
            is_mask = given_at.code in (BOOL, UINT8)
            if given_at.geometry.ndim == 0 and category[given_at.code] <= IS_INTEGER and not is_mask and not has_hidden_dim(given_at):
                # A 0-d integer tensor counts as an int, but is recorded as select too.
                place = int(given_at.item())
                check_index(<Tensor>view, dim, place, position)
                view = ops.select(view, dim, place)
            elif given_at.geometry.ndim == 0 and is_mask:
                view = ops.unsqueeze(view, dim)
                indices = put_index(indices, dim, given_at.unsqueeze(0) if type(given_at) is Wrapped else place_of(bool(given_at)))
                dim += 1
            else:
                indices = put_index(indices, dim, given_at)
                dim += given_at.geometry.ndim if is_mask else 1
    return view, indices

cdef object place_of(bint holds):
    """What a bool, and a mask without dimensions, select of the dimension of size 1 that they make: its one place, or none."""
    cdef object place = tensor_of_dtype(0, NO_DTYPE).unsqueeze(0)
    return place if holds else ops.slice(place, 0, 1, None, 1)

cdef inline object plain(object bound):
    if type(bound) is int:
        return bound
    if bound is not None and not hasattr(type(bound), "__index__"):
        raise TypeError("slice indices must be integers or None or have an __index__ method")
    return None if bound is None else bound.__index__()

cdef list put_index(list indices, int dim, object index):
    if indices is None:
        indices = []
    while len(indices) < dim:
        indices.append(None)
    indices.append(index)
    if isinstance(index, Tensor) and (<Tensor>index).code in (BOOL, UINT8):
        # A mask stands for as many dimensions as it has; `index` expands it.
        for _ in range((<Tensor>index).geometry.ndim - 1):
            indices.append(MASK_CONTINUES)
    return indices

MASK_CONTINUES = "mask continues"

cdef bint treat_as_tuple(object index) except -1:
    """Old NumPy took x[[0, slice(1)]] for x[0, :1], and x[[[0], [1]]] for x[[0], [1]]; so does PyTorch, with a warning."""
    if is_array(index) or not hasattr(type(index), "__len__") or len(index) >= 32:
        return False
    for item in index:
        if item is None or item is Ellipsis or isinstance(item, (slice, Tensor)) or PySequence_Check(item):
            warn_user("Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch 2.9; use "
                      "x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, x[torch.tensor(seq)], which "
                      "will result either in an error or a different result")
            return True
    return False

cdef object index_from(object item):
    """A tensor from a list or array index: of bool or uint8, or of int64, whatever its numbers are."""
    if not PySequence_Check(item) and not is_array(item):
        raise IndexError("only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
                         f"{type(item).__name__})")
    if isinstance(item, (bytes, str)):
        raise TypeError(f"new(): invalid data type '{type(item).__name__}'")
    if not is_array(item) and not isinstance(item, (list, tuple)):
        item = list(item)
    if not is_array(item) and category[infer_code(item, NO_DTYPE)] == IS_COMPLEX:     # (its errors come before those of sizes)
        raise TypeError("'complex' object cannot be interpreted as an integer")
    made = as_tensor(item)
    return made if made.dtype is dtypes[BOOL] or made.dtype is dtypes[UINT8] else made.to(dtypes[INT64])

cdef Tensor without_leading_ones(Tensor value):
    """A view of what is assigned, without the dimensions of size 1 in front."""
    cdef int d = 0
    while d < value.geometry.ndim and value.geometry.shape[d] == 1:
        d += 1
    return value.view(make_size(&value.geometry.shape[d], value.geometry.ndim - d))

cdef Tensor element_of(object value, int code):
    """An assigned number as a 0-d tensor; beyond a half it is infinite."""
    cdef Tensor out = new_contiguous(code, NULL, 0)
    if not is_half(code):
        check_fits(value, code)
    if not is_meta(out):
        write_number(value, code, data_of(out))
        wrote(data_of(out), item_bytes[code])
    return out

cdef int check_assigned(object value, Tensor x) except -1:
    """Refuses what cannot be assigned to elements of `x`, before the index is looked at."""
    if is_tensor_object(<PyObject*>value):
        return 0
    if number_code(value) == NO_DTYPE:
        raise TypeError(f"can't assign a {type(value).__name__} to a {x.type()}")
    if PyLong_Check(value):
        int64_of(value)
    if not is_half(x.code):
        check_fits(value, x.code)
    return 0

cdef int set_item(Tensor x, object index, object value) except -1:
    if subclasses_exist and (type(x) is not Tensor or type(index) is not int and type(index) is not slice or modes.function_modes):
        if overridden_method("__setitem__", (x, index, value)) is not NotImplemented:
            return 0
    if wants_a_say(value) or index_wants_a_say(index):
        dispatch_torch_function(Tensor.__setitem__, (x, index, value), (x, index, value), {}, True)
        return 0
    check_assigned(value, x)
    if index is False:
        return 0
    if type(index) is int and x.geometry.ndim == 0:
        check_only_index(x, index)
    view, indices = split_index(x, None if index is True else index)
    if modes.transforms:
        refuse_captured(ops.copy if indices is None else ops._index_put, x, True)
    if indices is not None:
        if not isinstance(value, Tensor):
            value = element_of(value, x.code)
        elif (<Tensor>value).geometry.ndim and (<Tensor>value).geometry.shape[0] == 1:
            value = without_leading_ones(<Tensor>value)
        write_at(view, indices, value)
        return 0
    if isinstance(value, Tensor):
        if not (<Tensor>value).geometry.same_shape((<Tensor>view).geometry):
            if (<Tensor>value).geometry.ndim == 0:
                view.fill_(value)
                return 0
            value = without_leading_ones(<Tensor>value)
            require_expandable(<Tensor>value, (<Tensor>view).geometry)
            if not (<Tensor>value).geometry.same_shape((<Tensor>view).geometry):
                value = value.expand(view.shape)
        view.copy_(value)
    else:
        check_no_overlap(<Tensor>view)
        if is_half(x.code) or modes.grad and needs_grad(<Tensor>view):
            value = element_of(value, x.code)      # (Where it is recorded, it is as the write of a tensor.)
            if (<Tensor>view).geometry.ndim == 0:
                view.copy_(value)
                return 0
        view.fill_(value)
    return 0

# Tensors of classes that compute ops themselves: what they are asked for outside of ops, and those without elements of their own.
cdef Tensor read_by_class(Tensor x, what):
    """A tensor to read instead of one whose class computes ops: of its one number; other elements only the class can give."""
    if what == "item" and x.count == 1:
        return <Tensor?>as_tensor_of(dispatch_call("_local_scalar_dense", (x,), {}), x)
    if what in ("numpy", "tolist"):
        raise RuntimeError(".numpy() is not supported for tensor subclasses." if what == "numpy" else
                           f".tolist() is not supported for tensor subclasses, got {type(x).__name__}")
    return x

cdef Tensor as_tensor_of(number, Tensor like):
    """The number, a plain tensor of the dtype of `like`."""
    return fill_tensor(empty_tensor((), dtypes[like.code]), number)

cdef Tensor detached_by_class(Tensor x):
    """detach() of a tensor whose class computes it."""
    return <Tensor?>dispatch_call("detach", (x,), {})

def without_elements(Tensor out, size, strides=None, storage_offset=None, memory_format=None, dtype=None, layout=None, device=None,
                     bint pin_memory=False, bint requires_grad=False, dispatch_sizes_strides_policy=None, bint dispatch_device=False,
                     bint dispatch_layout=False, _extra_dispatch_keys=None, storage_size=None):
    """Makes of a new object of a subclass a tensor that says to have such elements, and has none: what its ops compute is the class's own."""
    cdef MetaMode place
    cdef bint of_meta = is_meta_place(device)
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"_make_wrapper_subclass(): argument 'size' (position 2) must be tuple of ints, not {type(size).__name__}")
    if type(out).__torch_dispatch__ is disabled_torch_dispatch:
        raise TypeError(f"{type(out).__name__} must define __torch_dispatch__")
    place.set(True)
    become_alias(out, empty_tensor(size, dtype, strides))
    if storage_offset:
        out.offset = int64_of(storage_offset) * item_bytes[out.code]
        out.storage = meta_storage(out.storage.memory.size + out.offset)
    if not of_meta:
        out.flags |= ELSEWHERE
    if requires_grad:
        if category[out.code] < IS_FLOATING:
            raise documented(RuntimeError("Only Tensors of floating point and complex dtype can require gradients"), "integers")
        set_requires_grad(out, True)
    return out

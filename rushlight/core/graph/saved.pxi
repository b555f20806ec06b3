# What a node keeps for backward, and the check that nobody overwrote it.
cdef str DETACHED_TEXT = ("Trying to use a saved tensor that has been detached in-place, i.e. with .detach_().This is not supported, please use "
                          "out-of-place `.detach()` instead")

@cython.final
@cython.freelist(512)
cdef class SavedTensor:
    """A tensor kept for backward, with the version that it had: `_raw_saved_*` of a node."""

    def __init__(self, *args, **kwargs):
        raise RuntimeError("Trying to create a SavedTensor object from Python is forbidden.")

    def register_hooks(self, pack_hook, unpack_hook):
        """Keeps `pack_hook(tensor)` instead of the tensor; `unpack_hook` turns it back when backward needs it."""
        if self.unpack_hook is not None:
            raise RuntimeError("Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one pair of hooks is "
                               "allowed at a time.")
        if self.tensor is None and not self.freed:
            raise RuntimeError("Calling register_hooks on a saved tensor with value None is forbidden")
        if self.freed:
            raise RuntimeError("Calling register_hooks on a saved tensor after it has been freed. Saved intermediate values of the graph "
                               "are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward "
                               "through the graph a second time or if you need to access saved variables after calling backward.")
        if not callable(pack_hook) or not callable(unpack_hook):
            raise TypeError("register_hooks expects two callables")
        pack_saved(self, pack_hook, unpack_hook, self.tensor if self.is_output else alias_of(self.tensor))

    @property
    def data(self):
        """What is kept: the tensor, or what hooks made of it; None where it has been freed."""
        return None if self.freed else self.tensor if self.unpack_hook is None else self.packed

    def unpack(self):
        """The tensor, as backward would get it."""
        if self.freed:
            raise RuntimeError(FREED_TEXT)
        if self.tensor is None and self.unpack_hook is None:
            return None
        if self.is_output:
            raise RuntimeError(DETACHED_TEXT)
        return unpack_saved(self, None)

cdef SavedTensor save_tensor(Tensor tensor, bint is_output, uint32_t output_number):
    cdef SavedTensor saved = SavedTensor.__new__(SavedTensor)
    if tensor.flags & INFERENCE and not modes.inference and not modes.transforms:
        raise RuntimeError("Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation "
                           "tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or "
                           "use `torch.no_grad()` instead of `torch.inference_mode()`.")
    saved.is_output = is_output
    saved.output_number = output_number
    saved.version = tensor.storage.version
    if is_output:
        # The output must not be held by its own node: an alias without history, linked again when unpacked.
        saved.tensor = alias_of(tensor)
    else:
        saved.tensor = tensor
    if saved_tensor_hooks_active:
        hooks = top_saved_tensor_hooks()
        if hooks is not None:
            pack_saved(saved, hooks[0], hooks[1], tensor)
    return saved

cdef pack_saved(SavedTensor saved, pack_hook, unpack_hook, Tensor shown):
    """Keeps what `pack_hook` makes of `shown`: the tensor itself for hooks of a block, one without history for hooks that come later."""
    cdef Tensor given = saved.tensor
    cdef uint32_t before = given.storage.version
    cdef GradMode grad
    grad.set(False)
    saved.packed = pack_hook(shown)
    if given.storage.version != before:
        raise RuntimeError("A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot be "
                           "modified by in-place operations as this can lead to unexpected side-effects. Please open an issue if you need "
                           "to perform in-place operations on the input to a pack hook.")
    saved.unpack_hook = unpack_hook
    if not saved.is_output:
        saved.edge, saved.edge_output = edge_of(given), given.output_number
    saved.tensor = given if given.grad_fn_ is None and tracked_itself(given) and not saved.is_output else None

cdef Tensor unpack_saved(SavedTensor saved, Node node):
    cdef Tensor tensor = saved.tensor
    cdef Tensor linked
    if saved.unpack_hook is not None:
        value = saved.unpack_hook(saved.packed)
        if not isinstance(value, Tensor):
            raise TypeError("Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                            f"{type(value).__name__}")
        if not saved.is_output and saved.edge is None:
            return <Tensor>value
        tensor = alias_of(<Tensor>value)
        if saved.is_output:
            link_output(tensor, node, saved.output_number)
            return tensor
        tensor.grad_fn_, tensor.output_number = saved.edge, saved.edge_output
        tensor.flags |= REQUIRES_GRAD
        if type(tensor.grad_fn_) is AccumulateGrad:
            tensor.flags |= DERIVATIVE_INPUT      # a leaf to whoever looks, whose gradient is the other leaf's
        return tensor
    if tensor is None:
        raise RuntimeError(FREED_TEXT)
    if tensor.storage.version != saved.version:
        raise_overwritten(saved, node)
    if saved.is_output and modes.grad:
        linked = alias_of(tensor)
        link_output(linked, node, saved.output_number)
        return linked
    return tensor

cdef raise_overwritten(SavedTensor saved, Node node):
    """`node` is None where a saved value is asked for by itself."""
    cdef Tensor tensor = saved.tensor
    cdef Node maker = node if saved.is_output else grad_fn_of(tensor)
    from rushlight.explain import _notes
    raise _notes.overwritten(tensor, type_in_errors(tensor.code), tensor.storage.version, saved.version, None if maker is None else maker.forward_name(),
                             saved.output_number if saved.is_output else tensor.output_number, node)


# saved_tensors_hooks: a stack a thread; the counter makes the usual case one test.
cdef int saved_tensor_hooks_active = 0
_saved_hooks = __import__("threading").local()

cpdef object top_saved_tensor_hooks():
    """The innermost (pack, unpack) of this thread, or None."""
    stack = getattr(_saved_hooks, "stack", None)
    return stack[len(stack) - 1] if stack else None

def push_saved_tensor_hooks(pack_hook, unpack_hook):
    """Makes (pack, unpack) the hooks of every tensor that this thread saves, until popped."""
    global saved_tensor_hooks_active
    message = getattr(_saved_hooks, "disabled", None)
    if message is not None:
        raise RuntimeError(message)
    if not hasattr(_saved_hooks, "stack"):
        _saved_hooks.stack = []
    _saved_hooks.stack.append((pack_hook, unpack_hook))
    saved_tensor_hooks_active += 1

def pop_saved_tensor_hooks():
    """Ends the innermost pair of hooks."""
    global saved_tensor_hooks_active
    if not getattr(_saved_hooks, "stack", None):
        raise RuntimeError("there are no saved tensor hooks to pop: a context of them was left more often than entered")
    _saved_hooks.stack.pop()
    saved_tensor_hooks_active -= 1

cdef Py_ssize_t saved_tensor_hooks_depth() except -1:
    return len(getattr(_saved_hooks, "stack", ()))

cdef int leave_saved_tensor_hooks(Py_ssize_t depth) except -1:
    """After backward: contexts of hooks that were entered in it and not left are over."""
    while saved_tensor_hooks_depth() > depth:
        pop_saved_tensor_hooks()
    return 0

def saved_tensor_hooks_message():
    """With what message hooks are refused in this thread; None where they are not."""
    return getattr(_saved_hooks, "disabled", None)

def disable_saved_tensor_hooks(message):
    """Refuses hooks with `message` (None allows them again); returns what stood before."""
    if message is not None and not isinstance(message, str):
        raise TypeError("_saved_tensors_hooks_disable(): incompatible function arguments. The following argument types are supported:\n"
                        f"    1. (error_message: str, fail_if_non_empty: bool = True) -> None\n\nInvoked with: {message!r}")
    before = getattr(_saved_hooks, "disabled", None)
    if message is not None and getattr(_saved_hooks, "stack", None):
        raise RuntimeError(message)
    _saved_hooks.disabled = message
    return before

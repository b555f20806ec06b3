# distutils: language = c++
# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, freethreading_compatible=False
# cython: auto_pickle=False, embedsignature=False, allow_none_for_extension_args=False
"""The heart: tensors, the call of an op, the graph and the engine.

One compilation unit, so that the hot path is plain C calls. Its header, _core.pxd, has the layouts. A folder is a floor, which uses what stands on it and
below; a file answers one question:

    array/        numbers in memory
        dtype       what kinds of numbers there are, and what comes of mixing them
        place       devices, layouts, sizes: the small nouns of the public API
        storage     memory with a version
        warned      warnings that speak of the user's line, or come only once
    graph/        what is recorded, and what backward does with it
        saved       what a node keeps for backward, and the check that nobody overwrote it
        node        the graph: nodes, edges, leaves, provenance
        tensor      making tensors, and their place in the graph
        pools       objects ready to be used
        histories   views and in-place writes: which tensors share a history, and how a write changes it
        hooks       keeping, calling and checking hooks
        modes       grad modes
        gate        the gate of recording: what of a call is tracked, and recorded
        record      what a call leaves behind for backward, and how backward uses it
        leaves      what backward does at a leaf
        engine      backward
        running     what a backward tells while it runs
    calls/        from a call's arguments to its driver
        op          one call: binding and interpreters
        lazy        conjugates and negatives that are put off
        overload    functions with several signatures
        arguments   the parser: what is checked before a call
    drivers/      one for each kind of op: shapes, dtypes, allocation, the kernel
        geometries  where each view op finds what it shows
        views       the driver of views
        pointwise   the driver of element-wise ops
        reduction   the driver of reductions
        general     ops whose forward is Python, and calls of kernels by name
        product     the driver of matrix products
        plain       the short way of those ops, as data
        joining     … of cat and stack
        selecting   … of gather, index_select, embedding, x[index]; cotangents of select and slice
        rows        … of softmax, running sums, layer_norm, nll_loss
        creation    tensors from data
        filled      tensors of given sizes, unset or filled with one value
        generator   random numbers: their source, drawing them
    transforms/   forward mode, vmap, derivatives of functions
        wrapped     levels, and the tensors that they wrap
        dual        forward mode
        batch       vmap
        derivatives what derivatives of functions need of the graph
    python/       what programs touch
        object      the Python object: a tensor's attributes, methods and operators
        indexing    x[...] and x[...] = v
        interop     NumPy, DLPack, the buffer protocol, subclasses
        function    autograd.Function
        attributes  the names by which Python reads what a node keeps
        inspection  what rushlight.explain asks of a graph
"""
cimport cython
from sys import modules as sys_modules

include "array/dtype.pxi"
include "array/place.pxi"
include "array/storage.pxi"
include "graph/saved.pxi"
include "graph/node.pxi"
include "graph/tensor.pxi"
include "graph/pools.pxi"
include "graph/histories.pxi"
include "calls/op.pxi"
include "calls/lazy.pxi"
include "calls/overload.pxi"
include "calls/arguments.pxi"
include "graph/gate.pxi"
include "graph/record.pxi"
include "python/attributes.pxi"
include "drivers/geometries.pxi"
include "drivers/views.pxi"
include "drivers/pointwise.pxi"
include "drivers/reduction.pxi"
include "drivers/general.pxi"
include "drivers/plain.pxi"
include "drivers/product.pxi"
include "python/indexing.pxi"
include "drivers/joining.pxi"
include "drivers/selecting.pxi"
include "drivers/rows.pxi"
include "drivers/creation.pxi"
include "drivers/filled.pxi"
include "drivers/generator.pxi"
include "python/object.pxi"
include "python/interop.pxi"
include "python/function.pxi"
include "graph/hooks.pxi"
include "graph/leaves.pxi"
include "graph/engine.pxi"
include "graph/running.pxi"
include "graph/modes.pxi"
include "array/warned.pxi"
include "python/inspection.pxi"
include "transforms/wrapped.pxi"
include "transforms/dual.pxi"
include "transforms/batch.pxi"
include "transforms/derivatives.pxi"

cdef Op _an_op = Op.__new__(Op)
_kinds_of_ops = [Op]
for _kind in _kinds_of_ops:
    _kinds_of_ops += _kind.__subclasses__()
    enable_calls(_kind, <size_t>(<char*>&_an_op.vectorcall - <char*><PyObject*>_an_op))
cdef Overloaded _an_overloaded = Overloaded.__new__(Overloaded)
enable_calls(Overloaded, <size_t>(<char*>&_an_overloaded.vectorcall - <char*><PyObject*>_an_overloaded))
cdef Function _a_function = Function.__new__(Function)
enable_calls(Method, <size_t>(<char*>&_a_function.vectorcall - <char*><PyObject*>_a_function))
cdef Operator _an_operator = Operator.__new__(Operator)
enable_calls(Operator, <size_t>(<char*>&_an_operator.vectorcall - <char*><PyObject*>_an_operator))
enable_calls(Function, <size_t>(<char*>&_a_function.vectorcall - <char*><PyObject*>_a_function), False)
cdef BoundMethod _a_bound_method = BoundMethod.__new__(BoundMethod)
enable_calls(BoundMethod, <size_t>(<char*>&_a_bound_method.vectorcall - <char*><PyObject*>_a_bound_method), False)
cdef InPlace _an_in_place = InPlace.__new__(InPlace)
enable_calls(InPlace, <size_t>(<char*>&_an_in_place.vectorcall - <char*><PyObject*>_an_in_place))


# What type(x) prints, as in PyTorch.
cdef extern from *:
    """
    static void rl_rename(PyObject* type, const char* name) { ((PyTypeObject*)type)->tp_name = name; }
    """
    void rename "rl_rename"(object, const char*) noexcept

for _kind in (*_kinds_of_ops, Overloaded, InPlace, Factory, Function, BoundMethod):
    rename(_kind, "builtin_function_or_method")
rename(Method, "method_descriptor")
# (A tensor's class is called as Python calls a class of its own, without a module.)
rename(Tensor, "Tensor")
rename(Wrapped, "Tensor")
rename(dtype, "torch.dtype")
rename(device, "torch.device")
rename(layout, "torch.layout")
rename(memory_format, "torch.memory_format")
rename(Generator, "torch._C.Generator")
rename(Storage, "torch.storage.UntypedStorage")
rename(Size, "torch.Size")
for _class, _shown in ((Tensor, "torch.Tensor"), (Wrapped, "torch.Tensor"), (dtype, "torch.dtype"), (device, "torch.device"), (layout, "torch.layout"),
                       (memory_format, "torch.memory_format"), (Generator, "torch._C.Generator"), (Storage, "torch.storage.UntypedStorage")):
    show_class_as(_class, _shown)
rename(Node, "torch.autograd.graph.Node")
rename(AsStridedNode, "torch.autograd.graph.AsStridedBackward0")
rename(FailingNode, "torch.autograd.graph.NotImplemented")
rename(FunctionNode, "torch.autograd.function.FunctionCtx")
rename(AsStridedNode, "AsStridedBackward0")
rename(CopySlices, "CopySlices")
rename(AccumulateGrad, "AccumulateGrad")
rename(SavedTensor, "torch._C._autograd.SavedTensor")

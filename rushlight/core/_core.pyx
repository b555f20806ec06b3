# distutils: language = c++
# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, freethreading_compatible=False
# cython: auto_pickle=False, embedsignature=False, allow_none_for_extension_args=False
"""The heart: tensors, the call of an op, the graph and the engine.

One compilation unit, so that the hot path is plain C calls. Its header, _core.pxd, has the layouts. A folder is a floor, which uses what stands on it and
below; a file answers one question:

    array/        numbers in memory
        public       how public classes are shown
        dtype        what kinds of numbers there are, and what comes of mixing them
        place        devices, layouts, sizes: the small nouns of the public API
        warned       warnings that speak of the user's line, or come only once
        storage      memory with a version
        pools        objects ready to be used
        tensor       making tensors
        elements     kernels by name; copying, converting, and carrying out what was put off
    graph/        what is recorded
        modes        grad modes
        table        ops that the core itself calls
        node         nodes and edges
        histories    views and in-place writes: which tensors share a history, and how a write changes it
        runs         which backwards run, and what is within reach of a tensor
        saved        what a node keeps for backward, and the check that nobody overwrote it
        record       what a call leaves behind for backward
        gate         the gate of recording: what of a call is tracked, and recorded
    calls/        from a call's arguments to its driver
        callable     what all callables have in common
        kinds        kinds of arguments, and patterns of them
        interpreters the transforms that a thread is in
        captured     what a program inside of a derivative may not write into
        lazy         conjugates and negatives that are put off
        subclasses   __torch_function__
        binding      arguments are bound to parameters
        overload     functions with several signatures
        arguments    the parser: what is checked before a call
        op           the ops of the table
    drivers/      one for each kind of op: shapes, dtypes, allocation, the kernel
        outputs      what drivers write into
        geometries   where each view op finds what it shows
        views        the driver of views
        foreign      NumPy, DLPack, the buffer protocol: other libraries' memory
        creation     tensors from data
        operators    ops of two operands, as operators and the core call them
        pointwise    the driver of element-wise ops
        reduction    the driver of reductions
        general      ops whose forward is Python
        product      the driver of matrix products
        joining      the short way of cat and stack
        selecting    … of gather, index_select, embedding, x[index]; cotangents of select and slice
        rows         … of softmax, running sums, layer_norm, nll_loss
        plain        the short way of those ops, as data
        filled       tensors of given sizes, unset or filled with one value
        generator    random numbers: their source, drawing them
        factory      public functions that make tensors of given sizes
    backward/     what backward does with the graph
        rules        at a node of the table
        hooks        calling and checking hooks
        leaves       at a leaf
        running      what a backward tells while it runs
        engine       backward itself
    transforms/   forward mode, vmap, derivatives of functions
        depth        how many transforms a program stands in, and a value was made within
        wrapped      levels, and the tensors that they wrap
        dual         forward mode
        batch        vmap
        derivatives  what derivatives of functions need of the graph
    python/       what programs touch
        attributes   the names by which Python reads what a node keeps
        node         nodes
        setting      what programs set of a tensor
        indexing     x[...] and x[...] = v
        operators    operators' methods by name
        object       a tensor's attributes, methods and operators
        storage      storages, and what is said of memory
        function     autograd.Function
        inspection   what rushlight.explain asks of a graph
"""
cimport cython
from sys import modules as sys_modules

include "array/public.pxi"
include "array/dtype.pxi"
include "array/place.pxi"
include "array/warned.pxi"
include "array/storage.pxi"
include "array/pools.pxi"
include "array/tensor.pxi"
include "array/elements.pxi"
include "graph/modes.pxi"
include "graph/table.pxi"
include "graph/node.pxi"
include "graph/histories.pxi"
include "graph/runs.pxi"
include "graph/saved.pxi"
include "graph/record.pxi"
include "graph/gate.pxi"
include "calls/callable.pxi"
include "calls/kinds.pxi"
include "calls/interpreters.pxi"
include "calls/captured.pxi"
include "calls/lazy.pxi"
include "calls/subclasses.pxi"
include "calls/binding.pxi"
include "calls/overload.pxi"
include "calls/arguments.pxi"
include "calls/op.pxi"
include "drivers/outputs.pxi"
include "drivers/geometries.pxi"
include "drivers/views.pxi"
include "drivers/foreign.pxi"
include "drivers/creation.pxi"
include "drivers/operators.pxi"
include "drivers/pointwise.pxi"
include "drivers/reduction.pxi"
include "drivers/general.pxi"
include "drivers/product.pxi"
include "drivers/joining.pxi"
include "drivers/selecting.pxi"
include "drivers/rows.pxi"
include "drivers/plain.pxi"
include "drivers/filled.pxi"
include "drivers/generator.pxi"
include "drivers/factory.pxi"
include "backward/rules.pxi"
include "backward/hooks.pxi"
include "backward/leaves.pxi"
include "backward/running.pxi"
include "backward/engine.pxi"
include "transforms/depth.pxi"
include "transforms/wrapped.pxi"
include "transforms/dual.pxi"
include "transforms/batch.pxi"
include "transforms/derivatives.pxi"
include "python/attributes.pxi"
include "python/node.pxi"
include "python/setting.pxi"
include "python/indexing.pxi"
include "python/operators.pxi"
include "python/object.pxi"
include "python/storage.pxi"
include "python/function.pxi"
include "python/inspection.pxi"

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

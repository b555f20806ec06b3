# distutils: language = c++
# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, freethreading_compatible=False
# cython: annotation_typing=False, auto_pickle=False, binding=False, embedsignature=False, allow_none_for_extension_args=False
"""The heart: tensors, the call of an op, the graph and the engine.

One compilation unit, so that the hot path is plain C calls. Its header, _core.pxd, has the layouts. A folder is a floor, which uses what stands on it and
below; a file answers one question.
"""
cimport cython
from sys import modules as sys_modules

# array/: numbers in memory
include "array/public.pxi"            # how public classes are shown
include "array/dtype.pxi"             # what kinds of numbers there are, and what comes of mixing them
include "array/place.pxi"             # devices, layouts, sizes: the small nouns of the public API
include "array/warned.pxi"            # warnings that speak of the user's line, or come only once; errors that name their section of docs/errors.md
include "array/storage.pxi"           # memory with a version
include "array/pools.pxi"             # objects ready to be used
include "array/tensor.pxi"            # making tensors
include "array/elements.pxi"          # kernels by name; copying, converting, and carrying out what was put off
# graph/: what is recorded
include "graph/modes.pxi"             # grad modes
include "graph/table.pxi"             # ops that the core itself calls
include "graph/node.pxi"              # nodes and edges
include "graph/runs.pxi"              # which backwards run
include "graph/histories.pxi"         # views and in-place writes: which tensors share a history, and how a write changes it
include "graph/reach.pxi"             # what is within reach of a tensor
include "graph/saved.pxi"             # what a node keeps for backward, and the check that nobody overwrote it
include "graph/record.pxi"            # what a call leaves behind for backward
include "graph/gate.pxi"              # the gate of recording: what of a call is tracked, and recorded
# calls/: from a call's arguments to its driver
include "calls/callable.pxi"          # what all callables have in common
include "calls/kinds.pxi"             # kinds of arguments, and patterns of them
include "calls/interpreters.pxi"      # the transforms that a thread is in
include "calls/captured.pxi"          # what a program inside of a derivative may not write into
include "calls/lazy.pxi"              # conjugates and negatives that are put off
include "calls/meta.pxi"              # tensors without memory
include "calls/subclasses.pxi"        # __torch_function__
include "calls/dispatching.pxi"       # __torch_dispatch__
include "calls/binding.pxi"           # arguments are bound to parameters
include "calls/overload.pxi"          # functions with several signatures
include "calls/arguments.pxi"         # the parser: what is checked before a call
include "calls/op.pxi"                # the ops of the table
# drivers/: one for each kind of op: shapes, dtypes, allocation, the kernel
include "drivers/outputs.pxi"         # what drivers write into
include "drivers/geometries.pxi"      # where each view op finds what it shows
include "drivers/views.pxi"           # the driver of views
include "drivers/foreign.pxi"         # NumPy, DLPack, the buffer protocol: other libraries' memory
include "drivers/creation.pxi"        # tensors from data
include "drivers/operators.pxi"       # ops of two operands, as operators and the core call them
include "drivers/pointwise.pxi"       # the driver of element-wise ops
include "drivers/reduction.pxi"       # the driver of reductions
include "drivers/general.pxi"         # ops whose forward is Python
include "drivers/product.pxi"         # the driver of matrix products
include "drivers/cells.pxi"             # steps of recurrent nets
include "drivers/joining.pxi"         # the short way of cat and stack
include "drivers/selecting.pxi"       # … of gather, index_select, embedding, x[index]; cotangents of select and slice
include "drivers/rows.pxi"            # … of softmax, running sums, layer_norm, nll_loss
include "drivers/plain.pxi"           # the short way of those ops, as data
include "drivers/filled.pxi"          # tensors of given sizes, unset or filled with one value
include "drivers/stepping.pxi"        # steps of optimizers, of all parameters of a group
include "drivers/prepared.pxi"        # calls of kernels that Python prepares once
include "drivers/generator.pxi"       # random numbers: their source, drawing them
include "drivers/factory.pxi"         # public functions that make tensors of given sizes
# backward/: what backward does with the graph
include "backward/delivering.pxi"      # how a gradient gets to where it goes
include "backward/rules.pxi"          # at a node of the table
include "backward/hooks.pxi"          # calling and checking hooks
include "backward/leaves.pxi"         # at a leaf
include "backward/running.pxi"        # what a backward tells while it runs
include "backward/engine.pxi"         # backward itself
# transforms/: forward mode, vmap, derivatives of functions
include "transforms/depth.pxi"        # how many transforms a program stands in, and a value was made within
include "transforms/wrapped.pxi"      # levels, and the tensors that they wrap
include "transforms/dual.pxi"         # forward mode
include "transforms/batch.pxi"        # vmap
include "transforms/derivatives.pxi"  # what derivatives of functions need of the graph
# replay/: calls that are written down, and done again without Python
include "replay/guards.pxi"           # what has to be as it was
include "replay/recorded.pxi"         # a call as it was written down
include "replay/replaying.pxi"        # … and done again
include "replay/compiled.pxi"         # the callable
# python/: what programs touch
include "python/attributes.pxi"       # the names by which Python reads what a node keeps
include "python/node.pxi"             # nodes
include "python/setting.pxi"          # what programs set of a tensor
include "python/indexing.pxi"         # x[...] and x[...] = v
include "python/operators.pxi"        # operators' methods by name
include "python/elsewhere.pxi"        # tensors whose elements only their class knows
include "python/object.pxi"           # a tensor's attributes, methods and operators
include "python/storage.pxi"          # storages, and what is said of memory
include "python/function.pxi"         # autograd.Function
include "python/inspection.pxi"       # what rushlight.explain asks of a graph

cdef Called _called = Called.__new__(Called)
_kinds_of_called = [Called]
for _kind in _kinds_of_called:
    _kinds_of_called += _kind.__subclasses__()
    if issubclass(_kind, Callable):
        put_in_type(<PyTypeObject*>_kind, "__doc__", vars(Callable)["__doc__"])     # (what a class says of itself would hide it)
    enable_calls(<PyTypeObject*>_kind, <size_t>(<char*>&_called.vectorcall - <char*><PyObject*>_called), _kind in (Method, Operator))


# What type(x) prints, as in PyTorch: what a class is called (those of tensors as Python calls a class of its own, without a module), and, where
# programs find it, the name by which.
cdef extern from *:
    """
    static void rl_rename(PyObject* type, PyObject* name) {
      Py_INCREF(name);      // (which has the characters)
      ((PyTypeObject*)type)->tp_name = PyUnicode_AsUTF8(name);
    }
    """
    void rename "rl_rename"(object, object) noexcept

for _kind in _kinds_of_called:
    rename(_kind, "builtin_function_or_method")
for _kind, _name, _shown in (
        (Method, "method_descriptor", None), (Operator, "method_descriptor", None),
        (Tensor, "Tensor", "torch.Tensor"), (Wrapped, "Tensor", "torch.Tensor"), (dtype, "torch.dtype", "torch.dtype"),
        (device, "torch.device", "torch.device"), (layout, "torch.layout", "torch.layout"),
        (memory_format, "torch.memory_format", "torch.memory_format"), (Generator, "torch._C.Generator", "torch._C.Generator"),
        (Storage, "torch.storage.UntypedStorage", "torch.storage.UntypedStorage"), (Size, "torch.Size", None),
        (Node, "torch.autograd.graph.Node", None), (FailingNode, "torch.autograd.graph.NotImplemented", None),
        (FunctionNode, "torch._C._FunctionBase", None), (AsStridedNode, "AsStridedBackward0", None),
        (CopySlices, "CopySlices", None), (AccumulateGrad, "AccumulateGrad", None), (SavedTensor, "torch._C._autograd.SavedTensor", None)):
    rename(_kind, _name)
    if _shown is not None:
        show_class_as(_kind, _shown)

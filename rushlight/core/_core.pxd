# cython: language_level=3
"""The header of the core: layouts before behaviour. Cython reads it before _core.pyx.

It has the seam to C++, and of every class that more than one file knows its members and methods, with what is asked of these everywhere; bodies
stand in the files of the floors (_core.pyx lists them). What one file alone knows stays there.
"""
cimport cython
from cpython.ref cimport PyObject, Py_INCREF, Py_DECREF, Py_XDECREF
from cpython.object cimport PyTypeObject, PyObject_IsTrue, PyObject_TypeCheck
from cpython.tuple cimport PyTuple_Check, PyTuple_New, PyTuple_SET_ITEM, PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.list cimport PyList_CheckExact, PyList_GET_ITEM, PyList_GET_SIZE
from cpython.sequence cimport PySequence_Check, PySequence_Fast_ITEMS, PySequence_Fast_GET_SIZE
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_AsDouble, PyFloat_CheckExact, PyFloat_Check
from cpython.long cimport PyLong_CheckExact, PyLong_Check, PyLong_AsLongLongAndOverflow
from cpython.complex cimport PyComplex_Check, PyComplex_CheckExact, PyComplex_RealAsDouble, PyComplex_ImagAsDouble
from cpython.bool cimport PyBool_Check
from cpython.unicode cimport PyUnicode_CheckExact
from cpython.number cimport PyNumber_Index
from cpython.exc cimport PyErr_CheckSignals, PyErr_WriteUnraisable
from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.math cimport INFINITY
from libc.string cimport memcpy, memset
from libcpp cimport bool as cbool
from libcpp.string cimport string
from libcpp.vector cimport vector
from libcpp.utility cimport pair

include "array/kernels.pxi"

# ------------------------------------------------------------------------------------------------------------------------- array
@cython.final
cdef class dtype:
    cdef readonly int code
    cdef readonly str name
    cdef readonly str short_name
    cdef readonly str legacy_name
    cdef readonly bint has_classes

@cython.final
cdef class device:
    cdef readonly str type
    cdef readonly object index

@cython.final
cdef class layout:
    cdef readonly str name

@cython.final
cdef class memory_format:
    cdef readonly str name

cdef extern from "rushlight/core/array/members.h":
    cdef cppclass Memory "rl_memory":
        char* data
        int64_t size
        PyObject* owner
        cbool own
        cbool fixed
        cbool lent
        void follow(Memory&)
        void move(char*, int64_t)
    cdef cppclass Place "rl_place":
        PyObject* code
        int instruction
        void mark()
    cdef cppclass BackLink "rl_back_link":
        PyObject** known_by
    cdef cppclass Call "rl_call":
        int mode
        PyObject** given
        PyObject* out
        PyObject* node
    cdef struct NodeState "rl_node_state":
        PyObject* node
        PyObject* gradient
        int64_t dependencies
        int32_t capture
        cbool needed
        cbool asked_for
        cbool owned
    cdef struct Capture "rl_capture":
        int64_t slot
        uint32_t output
        int64_t place
        int32_t next

@cython.final
cdef class Storage:
    cdef Memory memory
    cdef uint32_t version        # counts in-place writes
    cdef bint holds_tangents     # tangents of several duals lie here: none is written in place
    cdef Place written           # the line that last wrote in place
    cdef object __weakref__

# ------------------------------------------------------------------------------------------------------------------------- graph
cdef class Tensor
cdef class Node
cdef class Op
cdef class Plan
cdef class Parser
cdef class Level

cdef extern from "Python.h":
    object PyObject_Vectorcall(object, PyObject**, size_t, PyObject*)
    Py_ssize_t PyVectorcall_NARGS(size_t) noexcept
    object PyMethod_New(object, object)

cdef extern from *:
    """
    // The build under AddressSanitizer looks at every tensor that is made or comes out of an op.
    #if defined(__SANITIZE_ADDRESS__)
    #define RL_CHECKED 1
    #else
    #define RL_CHECKED 0
    #endif
    """
    const bint CHECKED "RL_CHECKED"

cdef enum:
    REQUIRES_GRAD = 1    # a leaf that asks for it, or the output of a recorded op
    CONTIGUOUS = 2
    INFERENCE = 4        # made in inference mode
    RETAINS_GRAD = 8
    DERIVATIVE_INPUT = 16    # has a grad_fn, but is a leaf to its user: the input of a function that is being differentiated
    CONJUGATE = 32       # the elements are the conjugates of what lies in memory …
    NEGATIVE = 64        # … or its negatives: see lazy.pxi
    LAZY = 96            # either
    ELSEWHERE = 128      # what its class computes with is not in its memory: see dispatching.pxi

# How a view was made, where that forbids writing into it with recording on. In the order of restriction.
cdef enum:
    VIEW_DEFAULT = 0
    VIEW_IN_CUSTOM_FUNCTION = 1
    VIEW_MULTI_OUTPUT = 2
    VIEW_NO_GRAD = 3
    VIEW_INFERENCE = 4
    DETACHED = 5         # no view: detach_() has cut it from the node that made it

cdef class Tensor:
    cdef Storage storage
    cdef int64_t offset           # of the first element in the storage, in bytes
    cdef int64_t count            # number of elements
    cdef int8_t code              # dtype
    cdef uint8_t flags
    cdef uint8_t creation         # how a view was made
    cdef uint8_t depth            # how many transforms the tensor was made within; see `left`
    cdef uint32_t output_number
    cdef uint32_t seen_version    # of the storage, when grad_fn of a view was last right
    cdef Geometry geometry
    cdef Node grad_fn_
    cdef Tensor base              # of a view: the tensor that it (in the end) views
    cdef object grad_
    cdef int8_t grad_kind         # of a leaf, the dtype of .grad: 0 that of the tensor, 1 any, 2 + code
    cdef object hooks             # of a leaf: dict of hooks
    cdef object post_hooks        # of a leaf: dict of post-accumulate hooks
    cdef PyObject* accumulator    # of a leaf: its AccumulateGrad, borrowed, NULL where no graph has one
    cdef object attributes        # the instance's __dict__, NULL until something is put there (Cython's own would be made for every tensor)
    cdef object __weakref__

    # What only tensors inside of a transform answer otherwise: see Wrapped.
    cdef Tensor alias(self)                                       # the same memory and version without history
    cdef Tensor readable(self, object what)                       # the same, where the program may read it; `what` for: see Level.read
    cdef int refuse_escaped(self, bint reduction) except -1       # raises for an example of a vmap that has ended
    cdef bint resize_within(self, object size) except -1          # resizes what is within, or says that there is nothing

cdef inline char* data_of(Tensor t) noexcept:
    """The address of the first element."""
    return t.storage.memory.data + t.offset

cdef inline bint is_meta(Tensor t) noexcept:
    """Has it a shape, but no memory?"""
    return has_meta_address(t.storage.memory.data)

cdef inline bint is_on_meta(Tensor t) noexcept:
    """Is that because its device is "meta"?"""
    return is_meta(t) and not t.flags & ELSEWHERE

cdef inline Array array_of(Tensor t) noexcept:
    return make_array(data_of(t), t.code, t.geometry)

cdef inline void update_contiguous(Tensor t) noexcept:
    if t.geometry.contiguous():
        t.flags |= CONTIGUOUS
    else:
        t.flags &= ~CONTIGUOUS

cdef inline bint has_hidden_dim(Tensor x) noexcept:
    """Whether `x` is one example of a batch: its memory is that of all."""
    return type(x) is Wrapped and type((<Wrapped>x).aspect) is int

cdef inline bint tracked_itself(Tensor t) noexcept:
    """Has the tensor a history of its own, or does it ask for gradients itself? Only for what is about that very object: needs_grad says
    whether it is tracked."""
    return t.flags & REQUIRES_GRAD != 0

cdef inline bint needs_grad(Tensor t) noexcept:
    """Is the tensor tracked? A view is wherever its base is (it may have become so through a write into the base)."""
    return tracked_itself(t) or (t.base is not None and tracked_itself(t.base))

cdef extern from *:
    """
    // Most of what is no tensor (a number, None, a tuple) is too small for one.
    static inline bool rl_is_tensor(PyObject* value, PyTypeObject* tensors) {
      PyTypeObject* type = Py_TYPE(value);
      return type == tensors || (type->tp_basicsize >= tensors->tp_basicsize && PyType_IsSubtype(type, tensors));
    }
    """
    bint is_of_tensors "rl_is_tensor"(PyObject*, PyTypeObject*) noexcept

cdef inline bint is_tensor_object(PyObject* value) noexcept:
    return is_of_tensors(value, <PyTypeObject*>Tensor)

cdef inline PyObject* PyTuple_GET_ITEM_POINTER(object items, Py_ssize_t i) noexcept:
    return <PyObject*>PyTuple_GET_ITEM(items, i)

@cython.final
cdef class SavedTensor:
    cdef Tensor tensor          # the input itself, or an alias of the node's output without its history
    cdef uint32_t version
    cdef uint32_t output_number
    cdef bint is_output
    cdef bint freed             # the node that kept it has let it go
    cdef object packed          # with hooks: what `pack` made of it …
    cdef object unpack_hook     # … and what turns that back …
    cdef Node edge              # … and where the gradient of that goes
    cdef uint32_t edge_output

cdef enum:
    LEAF_SEQUENCE = -1   # as uint64: before every other node
    PLAINLY_SAVED = 4    # so many saved tensors can do without a SavedTensor: the node itself knows their versions
    MAX_LEAF_EDGES = 64  # as many as `leaf_edges` has bits
    OF_NUMBER = 255      # the variant of arithmetic with a number that stands for itself
    KEPT = 6             # so many edges and saved values can lie in the node itself

@cython.final
cdef class NodeExtras:
    cdef dict tensor_hooks      # output number -> dict of hooks registered on that output tensor
    cdef dict retained          # output number -> weak reference to the tensor whose .grad is filled
    cdef object pre_hooks       # dict, or None
    cdef object post_hooks
    cdef dict metadata
    cdef str title              # the name that users see, where it is not that of the op
    cdef bint kept              # what is saved outlives backward: two callers share the graph

cdef class Node:
    cdef object __weakref__
    cdef uint64_t sequence
    # The edges: a Node or None for each input, or, where `leaf_edges` has its bit, the leaf itself. Where they and what is saved are few,
    # they lie in the node itself, one after another from `kept0` on, and `next_nodes` is None; edge_at and saved_items see no difference.
    cdef tuple next_nodes
    cdef object kept0, kept1, kept2, kept3, kept4, kept5
    cdef uint8_t kept_edges
    cdef bint freed                    # what was saved is gone
    cdef uint64_t leaf_edges
    cdef vector[uint32_t] next_outputs  # which output of that node; empty where all are 0
    cdef Geometry shape                # of output 0 (sizes only)
    cdef int8_t dtype_code
    cdef tuple more_outputs            # (Size, dtype code) of outputs 1, …; None where there is one
    cdef NodeExtras extras
    cdef Place made                    # the user's line that made this node
    # Of ops in the table (here rather than in OpNode, so that all nodes of one size share the free list) and of Functions: what is saved.
    cdef tuple saved
    cdef uint32_t saved_versions[PLAINLY_SAVED]
    cdef uint8_t saved_plainly         # a bit for each of those: the tensor itself, or an output's storage, is saved
    cdef Plan plan
    cdef uint8_t variant               # which of the op's names
    cdef Tensor leaf                   # of AccumulateGrad …
    cdef BackLink link                 # … which the leaf knows
    cdef PyObject* outside             # of the derivative of a write into a view: the CopySlices around it, borrowed
    # For the engine: the run that visits this node, and its place there.
    cdef uint64_t run
    cdef int64_t slot

    cdef str backward_name(self)
    cdef str forward_name(self)
    cdef bint is_programs(self)
    cdef tuple backward(self, object gradient, object run)
    cdef void free_saved(self)

cdef class OpNode(Node):
    cdef bint holds_indices(self)

cdef class AccumulateGrad(Node):
    pass

cdef class AsStridedNode(Node):
    cdef Geometry base_geometry
    cdef Geometry view_geometry
    cdef int64_t offset     # elements of the view, from the base's first element

cdef class FailingNode(Node):
    cdef str text

cdef class CopySlices(Node):
    cdef Geometry base_geometry
    cdef Geometry view_geometry
    cdef int64_t offset
    cdef int view_code
    cdef uint8_t base_lazy, view_lazy      # their lazy flags
    cdef Node function
    cdef BackLink inside          # `function` knows this node, for what it kept of the written view

cdef extern from *:
    """
    // Where the edges of a node begin, and where what it saved.
    #define rl_edges(node) ((node)->next_nodes == Py_None ? &(node)->kept0 : &PyTuple_GET_ITEM((node)->next_nodes, 0))
    #define rl_saved_items(node) \\
      ((node)->saved == Py_None ? &(node)->kept0 + (node)->kept_edges : &PyTuple_GET_ITEM((node)->saved, 0))
    // Puts a new strong reference where another was.
    static inline void rl_put_item(PyObject** place, PyObject* value) {
      PyObject* before = *place;
      Py_INCREF(value);
      *place = value;
      Py_DECREF(before);
    }
    """
    PyObject** edge_items "rl_edges"(Node) noexcept
    PyObject** saved_items "rl_saved_items"(Node) noexcept
    void put_item "rl_put_item"(PyObject**, PyObject*) noexcept

cdef inline Py_ssize_t edge_total(Node node) noexcept:
    return node.kept_edges if node.next_nodes is None else PyTuple_GET_SIZE(node.next_nodes)

cdef inline uint32_t next_output(Node node, Py_ssize_t i) noexcept:
    return node.next_outputs[i] if node.next_outputs.size() else 0

cdef inline int output_count(Node node) noexcept:
    return 1 if node.more_outputs is None else 1 + <int>PyTuple_GET_SIZE(node.more_outputs)

cdef inline NodeExtras need_extras(Node node):
    if node.extras is None:
        node.extras = NodeExtras.__new__(NodeExtras)
    return node.extras

@cython.final
cdef class BackwardRun:
    cdef uint64_t id
    cdef unsigned long thread
    cdef PyObject* current                 # the node that runs (states holds it)
    cdef list roots                        # where it starts
    cdef list callbacks                    # what queue_callback was given
    cdef bint keep_graph
    cdef bint restricted                   # only paths to nodes that are captured or asked for
    cdef int64_t ends                      # so many slots, the first, end the graph: what is behind them is not looked at
    cdef vector[NodeState] states
    cdef dict displaced                    # node -> slot, for nodes that a run inside this one took over
    cdef vector[Capture] captures
    cdef list captured                     # what the caller gets

# ------------------------------------------------------------------------------------------------------------------------- calls
cdef enum:
    MAX_PARAMETERS = 24

cpdef enum:
    # What a call makes: a new tensor, or a write into its first argument, or into `out`.
    MODE_NEW, MODE_IN_PLACE, MODE_OUT

cpdef enum:
    # Where a rule's parameter comes from (the last of them: a forward rule's).
    FROM_GRADIENT, FROM_ARGUMENT, FROM_OUTPUT, FROM_SHAPE, FROM_DTYPE, FROM_WANTED, FROM_COLUMN_MAJOR, FROM_TANGENT

cdef extern from *:
    """
    typedef PyObject* (*rl_vectorcall)(PyObject*, PyObject* const*, size_t, PyObject*);
    """
    ctypedef PyObject* (*vectorcall_function "rl_vectorcall")(PyObject*, PyObject* const*, size_t, PyObject*) except NULL

@cython.final
cdef class Rule:
    cdef readonly object function
    cdef readonly int parameter      # which parameter of the op; -1: all inputs at once
    cdef readonly bint is_slope      # the function gives the partial derivative, not the vjp
    cdef readonly bint is_list       # the parameter is a list of tensors
    cdef readonly list sources       # (FROM_…, index)
    cdef public str gradient_name    # of the node that a recorded gradient has in PyTorch (TanhBackwardBackward0), where that is one op
    cdef public bint meets_numbers   # it computes with an operand that may be a wrapped number (of x * 2)
    cdef bint is_identity            # the function gives back its one argument (`lambda b: b`): it need not be called
    cdef bint promotes               # operands come in the dtype that the op computed in, that of the gradient
    cdef readonly object fused       # the same in one kernel, for plain tensors: a function of the gradient and what the rule names besides
    cdef bint fused_is_recorded      # … an op, which stands for the rule in a graph of the gradient too
    cdef readonly bint fused_is_real  # … that has no complex numbers
    cdef readonly int fused_within   # … and the transforms within which it serves as well: IN_BATCHES, EVERYWHERE

@cython.final
cdef class Plan:
    cdef Op op
    cdef bint saves_tensors
    cdef bint saves_indices     # tensors, or whole numbers: the values tell
    cdef bint saves_outputs
    cdef int output_place              # of what is saved, which is the output, where one is
    cdef bint collects                 # lists of tensors, or one rule for all: collect_edges finds the edges
    cdef bint is_direct                # record_directly knows how to record it
    cdef int edge_total
    cdef int edge_parameter[MAX_PARAMETERS]
    cdef int saved_count
    cdef int saved_kind[MAX_PARAMETERS]
    cdef int saved_index[MAX_PARAMETERS]
    cdef int from_edge[MAX_PARAMETERS]  # a shape or dtype that need not be saved, since the node behind this edge knows it; or -1
    cdef list rules                    # the active ones …
    cdef vector[int] edges             # … the number of their input among the op's …
    cdef vector[vector[int]] slots     # … and their arguments: place in what is saved, -1 the gradient, -2 what is wanted

cdef class Called:
    cdef vectorcall_function vectorcall

cdef class Callable(Called):
    cdef dict __dict__
    cdef object __weakref__

cdef class BoundWhereFound(Callable):
    pass

cdef class Op(BoundWhereFound):
    cdef readonly str name
    cdef readonly object function
    cdef readonly tuple parameters     # names
    cdef readonly tuple defaults
    cdef readonly dict keywords        # name or alias -> index
    cdef readonly int positional       # how many parameters may be given by position
    cdef readonly int sizes            # the parameter that takes x.view(2, 3)'s ints, or -1
    cdef readonly tuple backward_names
    cdef public str number_name       # of the node where a number that stands for itself is an operand (MulBackward1); or None
    cdef readonly list rules
    cdef readonly tuple outputs        # names; () for one unnamed output
    cdef readonly object result_type
    cdef readonly tuple differentiable_outputs
    cdef readonly str no_derivative    # name in the error of an op that records but has no derivative
    cdef readonly bint allows_out
    cdef readonly object jvp
    cdef readonly bint linear
    cdef readonly tuple tensor_parameters   # indices of the inputs that have derivatives
    cdef tuple keyword_only             # names, for calls of `function`; None where there are none
    cdef list plans
    cdef dict more_plans
    cdef PyObject* default_pointers[MAX_PARAMETERS]
    cdef int parameter_count
    cdef bint has_tensor_list
    cdef int rule_total
    cdef int rule_parameters[MAX_PARAMETERS]
    cdef bint has_plain_rules          # each for one tensor
    cdef bint has_variants             # several backward names
    cdef public bint refuses_complex   # PyTorch has no derivative of it for complex results (in place it does not ask)
    cdef public bint takes_real_part   # of the gradient of a real input, where the result is complex; else backward refuses that
    cdef public bint takes_dtype       # the program may ask for a dtype to compute in
    cdef public bint fills_copy        # the result is a copy of the first argument in which others were put, of any dtype
    cdef public bint wants_booleans    # … and what it is given must be booleans
    cdef bint gives_booleans           # a comparison: `out=` is nothing to the graph
    cdef public int in_place_shift            # how far the names of calls in place stand behind those of others
    cdef object push                   # how forward mode computes it, once known
    cdef object batching               # how vmap computes it
    cdef bint is_composition           # made of other ops, which interpreters see instead
    cdef public Parser parser          # of the public function that this is; None where it is none
    cdef public Op of_dtype            # what is called where a dtype stands for `sizes`
    cdef public bint any_place         # takes tensors without memory (device "meta") beside others
    cdef public bint takes_lazy        # computes with lazy conjugates and negatives as they come
    cdef public bint casts_by_name     # the error of a result that its target cannot hold names the op
    cdef public tuple operator_methods  # those of op(a, b), op(b, a) and a = op(a, b), where they are not of the op's name
    cdef public object out_text        # what refuses an `out=` of another dtype than the result; None where it is converted
    cdef bint fails_first              # its node runs as soon as it is reached, and raises
    cdef bint fails_late               # as its rules do nothing but raise, calls with `out=` are recorded too
    cdef bint promotes                 # operands of mixed dtypes are converted to one, in which the result comes too
    cdef bint is_view                  # its result shares memory with its first argument; in place it changes geometry alone
    cdef bint only_writes              # there is no other call of it than in place

    cdef object compute(self, PyObject** args, Call* call)
    cdef int variant(self, PyObject** args) noexcept
    cdef object execute(self, PyObject** args)

@cython.final
cdef class Asked:
    # What the core asks of the package's Python, which puts it here when it is imported.
    cdef public object find_public           # of a callable: the module where programs find it (None: a method), and its name there
    cdef public object document              # of a callable: its docstring …
    cdef public object signature_of          # … and what inspect.signature says of it
    cdef public object load_signatures       # reads those of a parser …
    cdef public object convert_arguments     # … and converts, or refuses, arguments that are not plainly right
    cdef public object refuse_output         # raises for an `out=` of another dtype than the result …
    cdef public object output_texts          # … of a composition, by its name
    cdef public object construct             # what a call of the class of tensors, or of a subclass, is filled with
    cdef public object format_strides        # the strides of a memory format
    cdef public object of_storage            # a vector over a storage, of a dtype or (None) of the usual one
    cdef public object show                  # what a tensor prints
    cdef public object name_of               # the name of a public function in an error
    cdef public object watch_write           # is told of each tensor that is about to be written in place
    cdef public bint grad_layout             # … and is a first .grad to have the strides of its leaf?

@cython.final
cdef class Ops:
    cdef public Op add, sub, rsub, mul, div, pow, lt, le, gt, ge, eq, ne, neg, abs, matmul, floor_divide, remainder, reciprocal
    cdef public Op bitwise_left_shift, bitwise_right_shift, bitwise_and, bitwise_or, bitwise_xor, bitwise_not
    cdef public Op alias, view, _unsafe_view, expand, transpose, t, unsqueeze, squeeze_one, select, slice, unbind
    cdef public Op sigmoid, tanh, unsafe_split
    cdef public Op _conj, _neg_view, view_as_real, view_as_complex, copy, clone, sum, mm, bmm, mv, dot, addmm, _index, _index_put
    cdef public object as_strided, _as_strided_gradient, sum_to_size, conj, _real, _to_dtype      # methods made of ops

cdef struct Pattern:
    # A signature, as far as the fast way needs it.
    int count, positional
    bint takes_loose                       # view(2, 3): all positional arguments are one list
    uint32_t required                      # a bit for each parameter without a default
    uint8_t kinds[MAX_PARAMETERS]
    PyObject* names[MAX_PARAMETERS]        # interned; the parser keeps them

@cython.final
cdef class Parser:
    cdef readonly str name
    cdef readonly bint is_method
    cdef readonly str text                 # the signatures, where they are not those that ops/_signatures.py has for the name
    cdef public list signatures            # as ops/_arguments.py knows them; None until then
    cdef list names
    cdef vector[Pattern] patterns
    cdef bint takes_nothing                # (too): a call without arguments needs no look at them
    cdef bint is_never_asked               # subclasses and modes do not take it over
    cdef bint takes_data                   # what it is given is data to it, whatever the type: only modes take it over

    cdef bint passes(self, PyObject* const* args, Py_ssize_t n, PyObject* names) except -1

# ----------------------------------------------------------------------------------------------------------------------- drivers
cdef class Kernel:
    cdef KernelFunction function
    cdef readonly str name

cdef enum:
    MANY_PIECES = 64
    FRAME_NUMBERS = 4

cdef extern from *:
    """
    // What the kernel of a plain call gets: arrays of the outputs, then of the tensors among the arguments, and the numbers among those.
    // Rules fill in the outputs, and lay the rest out anew where the kernel wants it so, with sizes and strides in `room`.
    struct rl_frame {
      rl::Array arrays[65];
      rl::Number numbers[4] = {};
      int64_t room[9][64];
      int count = 0;             // of arrays; 0: nothing is left to do
      int64_t work = 0;          // in elements
      PyObject* held = nullptr;  // strong: what an array is of, besides arguments and outputs
      ~rl_frame() { Py_XDECREF(held); }
    };
    """
    cdef cppclass Frame "rl_frame":
        Array* arrays
        Number* numbers
        Int64Pointer* room
        int count
        int64_t work
        PyObject* held

cdef class PlainOp

# Makes the outputs and completes the frame; None where the call is not plain.
ctypedef object (*OutputRule)(PlainOp, PyObject**, Frame*)

cdef class GeneralOp(Op):
    cdef public object choose_variant
    cdef public bint writes      # the function writes into its first argument: the target of an in-place call, else a copy …
    cdef public bint row_major   # … which is contiguous, whatever the layout of the argument
    cdef public bint takes_expanded   # the target may have expanded dimensions
    cdef public object apart     # may inputs share memory with `out`? True: none of it, False: all or none of it, None: any of it

@cython.final
cdef class PlainOp(GeneralOp):
    cdef uint8_t kinds[MAX_PARAMETERS + 1]   # of the arguments of a plain call
    cdef OutputRule rule
    cdef KernelFunction kernel
    cdef int output_count
    cdef int tensor_count                    # among the arguments …
    cdef int tensor_at[MAX_PARAMETERS]       # … and where they are
    cdef str results
    cdef Op view

cdef extern from "kernels/random.h" namespace "rl" nogil:
    cdef cppclass RandomSource "rl::Generator":
        pass
    RandomSource* new_generator(uint64_t) except +
    RandomSource* copy_generator(const RandomSource*) except +
    void delete_generator(RandomSource*)
    void seed_generator(RandomSource*, uint64_t)
    uint64_t seed_generator_randomly(RandomSource*) except +
    uint64_t initial_seed(const RandomSource*)
    void get_state(const RandomSource*, uint8_t*)
    void set_state(RandomSource*, const uint8_t*, int64_t) except +rl_raise
    const int64_t generator_state_size

cdef class Generator:
    cdef RandomSource* source
    cdef object __weakref__

# -------------------------------------------------------------------------------------------------------------------- transforms
cdef class Wrapped(Tensor):
    cdef readonly Level level     # the transform that made it
    cdef readonly Tensor value    # what is within; it may be wrapped by a level further out
    cdef public object aspect     # what the level adds: a batch dimension (an int, or None), a tangent (a tensor, or None)
    cdef public int given_dim     # of a batch: where its dimension stood in what vmap was given (within it is the first)
    cdef Wrapped whole            # of a view at a dual level: the dual that it views in the end (`base` may lie outside of the level) …
    cdef object seen              # … and its tangent, of which `aspect` is a part

cdef class Level:
    cdef public bint grad_within    # whether ops on the values within may record: grad mode outside, when the level was entered
    cdef public bint sees_all       # process every op, not only those with an argument of this level
    cdef public bint tracks_all     # record on the wrappers whatever is tracked, not only what is tracked at this level
    cdef readonly bint active
    cdef readonly int depth         # how many transforms it is within, itself included
    # Tensors from outside that were written with tensors of this level: id of the base -> (base, the wrapper that stands for it).
    cdef dict shadows

    cdef object call(self, Op op, tuple arguments, object keywords)
    cdef object compute(self, Op op, tuple arguments, object keywords)
    cdef object rows_times_matrix(self, Tensor a, Tensor b)
    cdef bint marks(self, tuple arguments)

cdef class DualLevel(Level):
    pass

cdef inline Tensor plain_of(Tensor x):
    """The tensor that has the memory."""
    while type(x) is Wrapped:
        x = (<Wrapped>x).value
    return x

cdef inline int level_depth(Tensor x) noexcept:
    """The depth of the transform that wraps it, or 0."""
    return (<Wrapped>x).level.depth if type(x) is Wrapped else 0

cdef class Batching

# What a way of plain calls gives, None where a call is not plain; see batch.pxi.
ctypedef object (*BatchWay)(Op, Batching, PyObject**, Py_ssize_t, uint32_t, Py_ssize_t)

@cython.final
cdef class Batching:
    cdef BatchWay way       # of plain calls
    cdef list dims          # "shifted": the parameters that are dimensions
    cdef bint everything    # … where None stands for all of them
    cdef bint has_lists     # some parameter may be a list of tensors
    cdef object rule

cdef class BatchLevel(Level):
    cdef readonly Py_ssize_t size
    cdef readonly str randomness

"""`watch`: inside, it is remembered how every tensor came about, recorded in the graph or not.

Outside, only recorded operations know their line. An operation under no_grad leaves nothing behind (it must cost nothing), so `why`
can then name the lines that it may have been; inside `watch` it names the line that it was.
"""

import collections
import threading
import weakref
from typing import NamedTuple

import rushlight
from rushlight import core
from rushlight.core import Tensor
from rushlight.explain import _source
from rushlight.explain._graph import is_leaf_node, nodes_of, roots_of
from rushlight.explain._report import Report, count_text
from rushlight.ops._names import public_name

FACTORIES = [
    "tensor",
    "as_tensor",
    "from_numpy",
    "zeros",
    "ones",
    "full",
    "empty",
    "rand",
    "randn",
    "randint",
    "randperm",
    "arange",
    "linspace",
    "eye",
    "zeros_like",
    "ones_like",
    "full_like",
    "empty_like",
    "rand_like",
    "randn_like",
]

READS = ("item", "tolist", "numpy")
"""Methods that hand out values as something that is no tensor."""

_installed = []
_lock = threading.Lock()
_memory: dict = {}
"""What is known of each tensor, by id: (weak reference, Made). It outlives the block, as long as the tensor does."""


class Made:
    """How a tensor came about: the operation, its line, the modes it ran in, and how its inputs came about."""

    __slots__ = ("dtype", "grad", "inference", "inputs", "line", "op", "tracked")

    def __init__(self, op, line, tensor, inputs=()):
        self.op, self.line, self.inputs = op, line, tuple(inputs)
        self.grad, self.inference = core.is_grad_enabled(), core.is_inference_mode_enabled()
        self.tracked, self.dtype = tensor.requires_grad, tensor.dtype

    def __repr__(self):
        return f"<{self.op} at {_source.short(self.line)}>"


class Read(NamedTuple):
    """Values of a tensor that were handed out as something that is no tensor: by what method, where, and how the tensor came about."""

    how: str
    line: tuple
    made: Made


_reads: collections.deque = collections.deque(maxlen=1000)
"""The latest Reads."""


class Event:
    """Something that was done to a tensor: `.grad` cleared, requires_grad turned off, a backward that reached it.

    Of a backward: whether it `added` to a gradient that was there, and the tensor's `version` then, with the line that `wrote` it last.
    """

    __slots__ = ("added", "line", "version", "what", "wrote")

    def __init__(self, what, line, tensor, added=False):
        self.what, self.line, self.added = what, line, added
        self.version, self.wrote = tensor._version, core.written_line(tensor)

    def __repr__(self):
        return f"<{self.what} at {_source.short(self.line)}>"


def entry_of(tensor):
    """What is remembered of a tensor: [weak reference, Made or None, events], or None."""
    entry = _memory.get(id(tensor))
    return entry if entry is not None and entry[0]() is tensor else None


def enter(tensor):
    """The entry of a tensor, made if there is none."""
    entry = entry_of(tensor)
    if entry is None:
        key = id(tensor)

        def forget(reference):
            if _memory.get(key, (None,))[0] is reference:
                del _memory[key]

        entry = _memory[key] = [weakref.ref(tensor, forget), None, []]
    return entry


def made(tensor):
    """How a tensor came about, or None where that was not watched."""
    entry = entry_of(tensor)
    return None if entry is None else entry[1]


def events(tensor):
    """What was done to a tensor, oldest first."""
    entry = entry_of(tensor)
    return [] if entry is None else entry[2]


def known_of(tensor):
    """How a tensor came about; a Made without an operation where that was not seen."""
    entry = enter(tensor)
    if entry[1] is None:
        entry[1] = Made("", None, tensor)
    return entry[1]


def note_made(op, tensor, inputs):
    """Remembers that `op` made (or wrote) a tensor from others."""
    if tensor.requires_grad and tensor.is_leaf and any(source is tensor for source in inputs):
        return  # a leaf that an optimizer updates stays the same leaf
    enter(tensor)[1] = Made(op, _source.user_line(), tensor, [known_of(source) for source in inputs])


def note_event(what, tensor, added=False):
    """Remembers that something was done to a tensor."""
    enter(tensor)[2].append(Event(what, _source.user_line(), tensor, added))


def tensors_in(values):
    """The tensors among arguments, those in lists and tuples too."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from tensors_in(value)


def is_watching():
    """Whether some `watch` is active."""
    return bool(_installed)


class watch(Report):
    """Inside `with watch():` every operation of this thread leaves a note, so that `why` can name the exact line of anything.

    Everything runs as before, only slower (about 5 µs an operation). What was noted of a tensor is kept as long as the tensor, so
    `why` may be asked after the block.

    >>> import rushlight as torch
    >>> from rushlight import explain
    >>> w = torch.ones(3, requires_grad=True)
    >>> with explain.watch():
    ...     h = (w * 2).detach()
    ...     loss = (h * 3).sum()
    >>> explain.why(loss).cause
    'detached'
    """

    def __init__(self):
        self.operations = 0

    def __enter__(self):
        with _lock:
            if not _installed:
                _reads.clear()
                _patches.install()
            _installed.append(self)
        core.push_interpreter(self)
        return self

    def __exit__(self, *exception):
        core.pop_interpreter()
        with _lock:
            _installed.remove(self)
            if not _installed:
                _patches.remove()

    def process(self, op, arguments, keywords):
        """One operation: run as it would be, then noted."""
        result = core.run(op, arguments, keywords)
        if core.running_depth():
            return result
        self.operations += 1
        inputs = list(tensors_in(arguments))
        for out in tensors_in((result,)):
            note_made(public_name(op), out, inputs)
            if keywords and out._base is not None:
                note_made(public_name(op), out._base, [out._base, *inputs])
        return result

    def __str__(self):
        return f"watch: {count_text(self.operations, 'operation')} noted, {count_text(len(_memory), 'tensor')} remembered"


class Patches:
    """What `watch` puts in place of methods and functions that no interpreter sees."""

    def install(self):
        """Puts them in place."""
        self.methods = {name: Tensor.__dict__[name] for name in (*READS, "detach", "detach_", "data", "grad", "requires_grad_")}
        self.functions = {name: getattr(rushlight, name) for name in FACTORIES}
        self.run_backward = core.run_backward
        for name in READS:
            core.install_method(name, reading(name, self.methods[name]))
        core.install_method("detach", unlinking("detach", self.methods["detach"]))
        core.install_method("detach_", unlinking("detach_", self.methods["detach_"]))
        core.install_method("data", unlinking_data(self.methods["data"]))
        core.install_method("grad", watched_grad(self.methods["grad"]))
        core.install_method("requires_grad_", asking(self.methods["requires_grad_"]))
        for name, function in self.functions.items():
            setattr(rushlight, name, making(name, function))
        core.run_backward = watched_backward(self.run_backward)

    def remove(self):
        """Puts back what stood before."""
        for name, method in self.methods.items():
            core.install_method(name, method)
        for name, function in self.functions.items():
            setattr(rushlight, name, function)
        core.run_backward = self.run_backward


_patches = Patches()


def reading(name, method):
    """A method that hands out values, noting that it did."""

    def read(self, *args, **keywords):
        _reads.append(Read(name, _source.user_line(), known_of(self)))
        return method(self, *args, **keywords)

    return read


def unlinking(name, method):
    """detach or detach_, noted."""

    def cut(self):
        result = method(self)
        note_made(name, result, [self])
        return result

    return cut


def unlinking_data(descriptor):
    """`.data`, noted."""

    def get(self):
        result = descriptor.__get__(self)
        note_made("data", result, [self])
        return result

    return property(get, descriptor.__set__, doc=descriptor.__doc__)


def watched_grad(descriptor):
    """`.grad`, noting who clears it."""

    def put(self, value):
        if value is None:
            note_event("cleared", self)
        descriptor.__set__(self, value)

    def clear(self):
        note_event("cleared", self)
        descriptor.__delete__(self)

    return property(descriptor.__get__, put, clear, doc=descriptor.__doc__)


def asking(method):
    """requires_grad_, noting who turns it off."""

    def ask(self, requires_grad=True):
        note_event("asked for gradients" if requires_grad else "frozen", self)
        return method(self, requires_grad)

    return ask


def making(name, function):
    """A function that makes a tensor from data or from nothing, noted. (What was given may be a tensor: torch.tensor(x) copies.)"""

    def make(*args, **keywords):
        result = function(*args, **keywords)
        if isinstance(result, Tensor) and not core.running_depth():
            note_made(name, result, list(tensors_in(args)))
        return result

    make.__doc__ = function.__doc__
    return make


def watched_backward(run_backward):
    """backward, noting which leaves it reached, and where gradients became zero."""
    from rushlight.explain import _zero

    def run(tensors, gradients, keep_graph, create_graph, inputs=None, allow_unused=True, accumulate=True, ends=None):
        nodes = nodes_of([root for one in tensors for root in roots_of(one)])
        leaves = [node.variable for node in nodes if is_leaf_node(node)] if accumulate else []
        if inputs is not None:
            leaves = [leaf for leaf in leaves if any(leaf is one for one in inputs)]
        filled = [leaf.grad is not None and not _zero.is_zero(leaf.grad) for leaf in leaves]
        with _zero.noting(nodes):
            result = run_backward(tensors, gradients, keep_graph, create_graph, inputs, allow_unused, accumulate, ends)
        for leaf, added in zip(leaves, filled):
            note_event("reached by backward", leaf, added)
        return result

    return run

"""The graph: nodes, edges, hooks on gradients and on what is saved."""

import abc
import collections
import contextlib
import threading
import weakref
from collections.abc import Iterable
from typing import NamedTuple

import rushlight as torch
from rushlight import core
from rushlight.core import RemovableHandle, Tensor

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "region_activation_memory_budget",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
    "set_override_stale_capture_stream",
    "set_warn_on_accumulate_grad_stream_mismatch",
]


class Node(abc.ABC):
    """What every node of a graph is an instance of, whatever its class.

    >>> import rushlight as torch
    >>> isinstance(torch.ones(2, requires_grad=True).exp().grad_fn, torch.autograd.graph.Node)
    True
    """

    @abc.abstractmethod
    def name(self) -> str:
        """The node's name."""
        raise NotImplementedError

    @property
    @abc.abstractmethod
    def next_functions(self):
        """(node, output number) for each input."""
        raise NotImplementedError

    @abc.abstractmethod
    def metadata(self) -> dict:
        """What anomaly mode and programs keep with the node."""
        raise NotImplementedError

    @property
    @abc.abstractmethod
    def _input_metadata(self):
        """Shape, dtype and device of each output."""
        raise NotImplementedError

    @abc.abstractmethod
    def register_hook(self, fn):
        """Calls `fn(grad_inputs, grad_outputs)` after the node has run."""
        raise NotImplementedError

    @abc.abstractmethod
    def register_prehook(self, fn):
        """Calls `fn(grad_outputs)` before the node runs."""
        raise NotImplementedError

    @abc.abstractmethod
    def _register_hook_dict(self, tensor):
        """Makes the hooks of a tensor those of its node."""
        raise NotImplementedError

    @abc.abstractmethod
    def _sequence_nr(self) -> int:
        """The node's number."""
        raise NotImplementedError

    @classmethod
    def __subclasshook__(cls, subclass):
        if cls is not Node:
            return NotImplemented
        functions = torch._C._functions
        return issubclass(subclass, core.Node) or subclass in (functions.DelayedError, functions.UndefinedGrad) or NotImplemented


class GradientEdge(NamedTuple):
    """One output of a node, where a gradient goes: the node, the output's number `output_nr`, and `ownership_token`,
    what keeps the node alive.

    >>> import rushlight as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> edge = torch.autograd.graph.get_gradient_edge(x.exp())
    >>> edge.node.name(), edge.output_nr
    ('ExpBackward0', 0)
    """

    node: Node
    output_nr: int
    ownership_token: Node | None = None


def get_gradient_edge(tensor):
    """The edge to which the gradient of `tensor` goes. It keeps the graph alive, but not the tensor.

    >>> import rushlight as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> edge = torch.autograd.graph.get_gradient_edge(x * 2)
    >>> torch.autograd.grad(edge, x, torch.ones(2))
    (tensor([2., 2.]),)
    """
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(*core.edge_pair(tensor))


class saved_tensors_hooks:
    """Inside, backward keeps `pack_hook(tensor)` instead of each saved tensor, and uses `unpack_hook` of it.

    >>> import rushlight as torch
    >>> x = torch.tensor(3., requires_grad=True)
    >>> with torch.autograd.graph.saved_tensors_hooks(lambda t: t.item(), torch.tensor):
    ...     y = x * x
    >>> torch.autograd.grad(y, x)
    (tensor(6.),)
    """

    def __init__(self, pack_hook, unpack_hook):
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self):
        if not callable(self.pack_hook) or not callable(self.unpack_hook):
            raise TypeError(
                "_push_saved_tensors_default_hooks(): incompatible function arguments. The following argument types are supported:\n"
                "    1. (arg0: collections.abc.Callable, arg1: collections.abc.Callable) -> None\n\n"
                f"Invoked with: {self.pack_hook!r}, {self.unpack_hook!r}"
            )
        core.push_saved_tensor_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *exception):
        core.pop_saved_tensor_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Saved tensors are copied: they are on the CPU already, but writes to them do not matter any more.

    `pin_memory` and `device_type` are for other devices.

    >>> import rushlight as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> with torch.autograd.graph.save_on_cpu():
    ...     y = x * x
    >>> torch.autograd.grad(y, x)
    (tensor(6.),)
    """

    def __init__(self, pin_memory=False, device_type="cuda"):
        super().__init__(lambda tensor: tensor.clone(), lambda packed: packed)


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message):
    """Inside, saved_tensors_hooks raises with `error_message`.

    >>> import rushlight as torch
    >>> hooks = torch.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x)
    >>> with torch.autograd.graph.disable_saved_tensors_hooks("not here"):
    ...     with hooks:
    ...         pass
    Traceback (most recent call last):
        ...
    RuntimeError: not here
    """
    before = core.disable_saved_tensor_hooks(error_message)
    try:
        yield
    finally:
        core.disable_saved_tensor_hooks(before)


def _get_grad_fn_or_grad_acc(tensor):
    """The node that the gradient of a tensor (or an edge) goes to."""
    return tensor.node if isinstance(tensor, GradientEdge) else get_gradient_edge(tensor).node


def _engine_run_backward(t_outputs, *args, **kwargs):
    """Backward by the engine itself, whose arguments are checked no more."""
    from rushlight.autograd.variable import Variable

    return Variable._execution_engine.run_backward(t_outputs, *args, **kwargs)


def increment_version(tensor):
    """Says that `tensor` (or each of several) was written to behind autograd's back.

    >>> import rushlight as torch
    >>> x = torch.ones(2)
    >>> torch.autograd.graph.increment_version(x)
    >>> x._version
    1
    """
    if not isinstance(tensor, Tensor | Iterable):
        raise RuntimeError("increment_version expect a Iterable[Tensor] as input")
    tensors = (tensor,) if isinstance(tensor, Tensor) else tuple(tensor)
    if not all(isinstance(one, Tensor) for one in tensors):
        raise RuntimeError("increment_version expects each element of the iterable to be a tensor")
    for one in tensors:
        core.mark_written(one)


def region_activation_memory_budget(budget):
    """For a compiler that would trade memory for time: eager programs have none, so this is an error, as in PyTorch.

    Args:
        budget: The share, from 0 to 1, of the activations that may be kept.

    >>> import rushlight as torch
    >>> try:
    ...     with torch.autograd.graph.region_activation_memory_budget(0.5):
    ...         pass
    ... except RuntimeError:
    ...     print("eager")
    eager
    """
    if not 0 <= budget <= 1:
        raise ValueError(f"torch.autograd.graph.region_activation_memory_budget: must be in [0, 1], got {budget}")
    raise RuntimeError(
        "torch.autograd.graph.region_activation_memory_budget can only be used inside a torch.compile region; it has no effect in eager mode."
    )


def set_warn_on_accumulate_grad_stream_mismatch(enabled):
    """Accepted, whatever `enabled` is: there are no streams on the CPU.

    >>> import rushlight as torch
    >>> torch.autograd.graph.set_warn_on_accumulate_grad_stream_mismatch(False)
    """


def set_override_stale_capture_stream(enabled):
    """Accepted, whatever `enabled` is: there are no streams on the CPU.

    >>> import rushlight as torch
    >>> torch.autograd.graph.set_override_stale_capture_stream(False)
    """


class _MultiHandle(RemovableHandle):
    """Removes the hooks that one registration put on several tensors."""

    def __init__(self, handles):
        self.handles = tuple(handles)

    def remove(self):
        """Removes all of them."""
        for handle in self.handles:
            handle.remove()

    def __getstate__(self):
        return self.handles

    def __setstate__(self, state):
        self.handles = state


def register_multi_grad_hook(tensors, fn, *, mode="all"):
    """Calls `fn` with the gradients of several tensors.

    Args:
        tensors: The tensors; those that a backward does not reach are passed over.
        fn: With mode "all", called once a backward, when all gradients are there, with a list (None for those not computed). With mode
            "any", called with the first gradient alone.
        mode: "all" or "any".

    >>> import rushlight as torch
    >>> x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    >>> handle = torch.autograd.graph.register_multi_grad_hook((x, y), print)
    >>> (x * y * 3).sum().backward()
    [tensor([3., 3.]), tensor([3., 3.])]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    lock = threading.Lock()
    if mode == "all" and not all(tensor.requires_grad for tensor in tensors):
        raise AssertionError("Expected gradient function to be set")
    nodes = () if mode == "any" else [get_gradient_edge(tensor).node for tensor in tensors]
    if mode == "any":
        ran = set()

        def first(gradient):
            run = core.current_run()
            with lock:
                if run in ran:
                    return
                ran.clear()
                ran.add(run)
            fn(gradient)

        return _MultiHandle(tensor.register_hook(first) for tensor in tensors if tensor.requires_grad)
    pending = {}

    def hook_of(place):
        def collect(gradient):
            run = core.current_run()
            with lock:
                if run not in pending:
                    pending[run] = [sum(map(core.current_run_reaches, nodes)), [None] * len(tensors)]
                state = pending[run]
                state[0] -= 1
                state[1][place] = gradient
                complete = state[0] == 0
                if complete:
                    del pending[run]
            if complete:
                fn(state[1])

        return collect

    return _MultiHandle(tensor.register_hook(hook_of(place)) for place, tensor in enumerate(tensors))


class _AllowMutationOnSavedContext:
    """What allow_mutation_on_saved_tensors gives: the tensors that backward keeps, and the copies of those written to since."""

    def __init__(self):
        self.clear()

    def clear(self):
        """Forgets everything: what was recorded so far cannot be run backward any more."""
        self.original = weakref.WeakKeyDictionary()  # handle -> the tensor that was saved …
        self.cloned = weakref.WeakKeyDictionary()  # … or its copy from before the first write
        self.tid_to_weakhandle = (
            weakref.WeakValueDictionary()
        )  # one handle for a tensor of one version, however often it is saved
        self.sid_to_tid = collections.defaultdict(set)  # memory -> what was saved of it

    def pack(self, tensor):
        """The pack hook: a note of the tensor and its version, to be found when somebody writes to it."""
        saved = id(tensor), tensor.data_ptr(), tensor._version
        self.sid_to_tid[memory_of(tensor)].add(saved)
        handle = self.tid_to_weakhandle.get(saved)
        if handle is None:
            handle = self.tid_to_weakhandle[saved] = _Handle()
            self.original[handle] = tensor
        return handle

    def unpack(self, handle):
        """The unpack hook: the tensor, or its copy from before the first write."""
        if _mutation.context is not self or (handle not in self.original and handle not in self.cloned):
            raise AssertionError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' contextin which the graph was originally recorded."
            )
        return self.cloned[handle] if handle in self.cloned else self.original[handle]

    def before_write(self, tensor):
        """Copies whatever is kept of the memory that is about to be written to."""
        for saved in self.sid_to_tid.pop(memory_of(tensor), ()):
            handle = self.tid_to_weakhandle.get(saved)
            if handle is not None and handle in self.original:
                with torch.no_grad():
                    self.cloned[handle] = self.original.pop(handle).detach().clone()


def memory_of(tensor):
    """What all views of one memory have in common."""
    return tensor.untyped_storage().data_ptr()


class _Handle:
    """Stands in the graph for a tensor that may be written to."""


class _Mutation(threading.local):
    """The context of this thread, or None."""

    context = None


_mutation = _Mutation()
_watching = 0  # contexts of all threads
_watching_lock = threading.Lock()


def watch(change):
    """One context more or less: in-place writes are watched as long as there is one."""
    global _watching
    with _watching_lock:
        _watching += change
        core.asked.watch_write = before_write if _watching else None


def before_write(tensor):
    """Tells this thread's context that `tensor` is about to be written to."""
    if _mutation.context is not None:
        _mutation.context.before_write(tensor)


@contextlib.contextmanager
def allow_mutation_on_saved_tensors():
    """Inside, tensors that backward keeps may be written in place: they are copied before the first write. Backward has to run inside too.

    >>> import rushlight as torch
    >>> x = torch.tensor(0., requires_grad=True)
    >>> with torch.autograd.graph.allow_mutation_on_saved_tensors():
    ...     y = x.clone()
    ...     z = y.sin()
    ...     _ = y.add_(5)
    ...     z.backward()
    >>> x.grad
    tensor(1.)
    """
    if _mutation.context is not None:
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    context = _AllowMutationOnSavedContext()
    with saved_tensors_hooks(context.pack, context.unpack):
        watch(1)
        _mutation.context = context
        try:
            yield context
        finally:
            _mutation.context = None
            watch(-1)
            context.clear()


class _unsafe_preserve_version_counter(contextlib.ContextDecorator):
    """Inside, in-place writes to `tensors` do not count: for writes that are known not to matter to backward."""

    def __init__(self, tensors):
        self.tensors = (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)
        self.versions = tuple(tensor._version for tensor in self.tensors)

    def __enter__(self):
        return None

    def __exit__(self, *exception):
        for tensor, version in zip(self.tensors, self.versions, strict=True):
            core.set_version(tensor, version)

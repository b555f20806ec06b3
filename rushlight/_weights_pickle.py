"""Pickles of tensors and containers in PyTorch's names: a writer, and a reader that runs nothing but what is listed here.

The reader is an interpreter of the format's opcodes of its own. A name in a pickle stands for an entry of `MAKERS`, or is an error: no module
is imported, no attribute looked up, and no object of another kind is called or changed.
"""

import _codecs
import collections
import math
import pickle
import pickletools
from typing import ClassVar

from rushlight import core
from rushlight.core import Size, Tensor, device, dtype_by_name
from rushlight.nn.parameter import Parameter

MARK = object()  # on the reader's stack: here the items of a container begin


class StorageType:
    """FloatStorage and its kin: what a pickle calls a storage whose elements are of one dtype."""

    def __init__(self, dtype):
        self.dtype = dtype
        self.name = f"{dtype.legacy_name}Storage"


class StoredMemory:
    """A storage as the pickle refers to it; its bytes are stored apart."""

    def __init__(self, storage, dtype):
        self.storage, self.dtype = storage, dtype


STORAGE_TYPES = {dtype: StorageType(dtype) for dtype in dtype_by_name.values()}


# ---------------------------------------------------------------------------------------------------------- what a pickle may make
def rebuild_tensor(memory, offset, size, stride, requires_grad=False, backward_hooks=None, metadata=None):
    """A tensor over a loaded storage."""
    if not isinstance(memory, StoredMemory):
        raise pickle.UnpicklingError("a tensor without a storage")
    whole = [offset, *size, *stride]
    if not all(type(n) is int and 0 <= n < 2**62 for n in whole) or len(size) != len(stride) or math.prod(size) >= 2**62:
        raise pickle.UnpicklingError(f"a tensor of size {size}, stride {stride} and offset {offset}")
    made = core.tensor_on_storage(memory.storage, memory.dtype, offset, tuple(size), tuple(stride))
    if metadata:
        made = core.set_lazy(made, bool(metadata.get("conj")), bool(metadata.get("neg")))
    return made.requires_grad_() if requires_grad else made


def rebuild_plain_tensor(memory, offset, size, stride):
    """A tensor of the format's first version."""
    return rebuild_tensor(memory, offset, size, stride)


def rebuild_parameter(data, requires_grad, backward_hooks):
    if not isinstance(data, Tensor):
        raise pickle.UnpicklingError("a parameter without a tensor")
    return Parameter(data, bool(requires_grad))


def with_attributes(made, state):
    """A tensor or parameter with the attributes that it had."""
    if not isinstance(made, Tensor) or not isinstance(state, dict) or not all(type(name) is str for name in state):
        raise pickle.UnpicklingError("attributes that are no dict, or not of a tensor")
    made.__dict__.update(state)
    return made


def rebuild_parameter_with_state(data, requires_grad, backward_hooks, state):
    return with_attributes(rebuild_parameter(data, requires_grad, backward_hooks), state)


def rebuild_from_type(function, kind, arguments, state):
    """A tensor with attributes; of subclasses only Parameter."""
    if (
        not isinstance(function, Maker)
        or not isinstance(kind, Maker)
        or kind.name not in ("torch.Tensor", "torch.nn.parameter.Parameter")
    ):
        raise pickle.UnpicklingError("a subclass of Tensor that is not known")
    made = function.make(*arguments)
    if kind.name != "torch.Tensor" and isinstance(made, Tensor) and not isinstance(made, Parameter):
        made = Parameter(made, made.requires_grad)
    return with_attributes(made, state)


def filled_bytearray(content=b"", *encoding):
    """A bytearray of given content; never of a given size."""
    if type(content) not in (bytes, str):
        raise pickle.UnpicklingError("a bytearray that is made of neither bytes nor a string")
    return bytearray(content, *encoding)


def refuse_to_make(*arguments):
    raise pickle.UnpicklingError("a class where only its name is expected")


def encoded(text, encoding="latin1"):
    """bytes, as old versions of the format spell them."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding}")
    return text.encode("latin1")


class Maker:
    """What a name in a pickle stands for: something that may be called with the pickle's arguments."""

    def __init__(self, name, make):
        self.name, self.make = name, make


def makers():
    """Name -> Maker or value, all that a pickle may mention."""
    functions = {
        "torch._utils._rebuild_tensor": rebuild_plain_tensor,
        "torch._utils._rebuild_tensor_v2": rebuild_tensor,
        "torch._utils._rebuild_parameter": rebuild_parameter,
        "torch._utils._rebuild_parameter_with_state": rebuild_parameter_with_state,
        "torch._tensor._rebuild_from_type_v2": rebuild_from_type,
        "torch.nn.parameter.Parameter": refuse_to_make,
        "torch.Tensor": refuse_to_make,
        "torch.Size": lambda sizes: Size(sizes),
        "torch.device": lambda *arguments: device(*arguments),
        "torch.serialization._get_layout": lambda name: found_layout(name),
        "collections.OrderedDict": lambda *items: collections.OrderedDict(*items),
        "collections.Counter": lambda *items: collections.Counter(*items),
        "_codecs.encode": encoded,
    }
    for module in ("builtins", "__builtin__"):
        functions |= {
            f"{module}.set": set,
            f"{module}.frozenset": frozenset,
            f"{module}.complex": complex,
            f"{module}.bytearray": filled_bytearray,
        }
    found = {name: Maker(name, function) for name, function in functions.items()}
    found |= {f"torch.{name}": dtype for name, dtype in dtype_by_name.items()}
    found |= {f"torch.{kind.name}": kind for kind in STORAGE_TYPES.values()}
    return found


def found_layout(name):
    if name != "torch.strided":
        raise pickle.UnpicklingError(f"the layout {name}")
    return core.strided


MAKERS = makers()


# ---------------------------------------------------------------------------------------------------------- reading
def unsupported_global(name):
    return pickle.UnpicklingError(
        f"Weights only load failed. Unsupported global: GLOBAL {name} was not an allowed global by default. Loading never runs code of a "
        "file, so it gives tensors, parameters, sizes, dtypes, devices and Python's own containers, numbers and strings only. Save the "
        "state_dict of a module or optimizer, not the object."
    )


class Reader:
    """Interprets one pickle. `memory_of` gives the StoredMemory for the members of a persistent id."""

    def __init__(self, memory_of):
        self.memory_of = memory_of
        self.stack, self.memo = [], {}

    def read(self, content):
        """The object that the pickle `content` describes."""
        try:
            for opcode, argument, _ in pickletools.genops(content):
                if opcode.name == "STOP":
                    return self.stack.pop()
                if opcode.name in VALUES:
                    self.stack.append(argument)
                    continue
                action = ACTIONS.get(opcode.name)
                if action is None:
                    raise pickle.UnpicklingError(
                        f"Weights only load failed. Unsupported operand {ord(opcode.code)} ({opcode.name})"
                    )
                action(self, argument)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise pickle.UnpicklingError(f"Weights only load failed. The pickle is not valid: {error}") from error
        raise pickle.UnpicklingError("Weights only load failed. The pickle has no end")

    def since_mark(self):
        """What was put on the stack after the last mark, which is taken off too."""
        at = len(self.stack) - 1
        while self.stack[at] is not MARK:
            at -= 1
            if at < 0:
                raise pickle.UnpicklingError("Weights only load failed. The pickle has no mark")
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items

    def pop_many(self, count):
        items = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return items

    def target(self, *kinds):
        """The container that items go to, which is of one of the given kinds."""
        container = self.stack[-1]
        if type(container) not in kinds:
            raise pickle.UnpicklingError(f"Weights only load failed. Items for an object of type {type(container).__name__}")
        return container

    def find(self, name):
        found = MAKERS.get(name)
        if found is None:
            raise unsupported_global(name)
        self.stack.append(found)

    def call(self):
        function, arguments = self.pop_many(2)
        if not isinstance(function, Maker) or type(arguments) is not tuple:
            raise pickle.UnpicklingError("Weights only load failed. Something is called that is no function of the format")
        self.stack.append(function.make(*arguments))

    def build(self):
        """Attributes: only those of OrderedDict (a state_dict's `_metadata`)."""
        state = self.stack.pop()
        container = self.target(collections.OrderedDict)
        if type(state) is not dict or not all(type(name) is str for name in state):
            raise pickle.UnpicklingError("Weights only load failed. The state of an OrderedDict is no dict")
        container.__dict__.update(state)

    def persistent(self):
        self.stack.append(self.memory_of(self.stack.pop()))

    def set_items(self, items):
        self.target(dict, collections.OrderedDict, collections.Counter).update(zip(items[::2], items[1::2], strict=True))

    def append_all(self, items):
        self.target(list).extend(items)

    def add_all(self, items):
        self.target(set).update(items)

    def remember(self, place):
        self.memo[place] = self.stack[-1]


# Opcodes whose argument is the value itself.
VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "BINFLOAT", "FLOAT", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE",
    "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip


ACTIONS = {
    "PROTO": lambda r, a: None,
    "FRAME": lambda r, a: None,
    "MARK": lambda r, a: r.stack.append(MARK),
    "POP": lambda r, a: r.stack.pop(),
    "POP_MARK": lambda r, a: r.since_mark(),
    "NONE": lambda r, a: r.stack.append(None),
    "NEWTRUE": lambda r, a: r.stack.append(True),
    "NEWFALSE": lambda r, a: r.stack.append(False),
    "EMPTY_TUPLE": lambda r, a: r.stack.append(()),
    "EMPTY_LIST": lambda r, a: r.stack.append([]),
    "EMPTY_DICT": lambda r, a: r.stack.append({}),
    "EMPTY_SET": lambda r, a: r.stack.append(set()),
    "TUPLE": lambda r, a: r.stack.append(tuple(r.since_mark())),
    "TUPLE1": lambda r, a: r.stack.append(tuple(r.pop_many(1))),
    "TUPLE2": lambda r, a: r.stack.append(tuple(r.pop_many(2))),
    "TUPLE3": lambda r, a: r.stack.append(tuple(r.pop_many(3))),
    "FROZENSET": lambda r, a: r.stack.append(frozenset(r.since_mark())),
    "APPEND": lambda r, a: r.append_all([r.stack.pop()]),
    "APPENDS": lambda r, a: r.append_all(r.since_mark()),
    "SETITEM": lambda r, a: r.set_items(r.pop_many(2)),
    "SETITEMS": lambda r, a: r.set_items(r.since_mark()),
    "ADDITEMS": lambda r, a: r.add_all(r.since_mark()),
    "BINPUT": Reader.remember,
    "LONG_BINPUT": Reader.remember,
    "MEMOIZE": lambda r, a: r.remember(len(r.memo)),
    "BINGET": lambda r, a: r.stack.append(r.memo[a]),
    "LONG_BINGET": lambda r, a: r.stack.append(r.memo[a]),
    "GLOBAL": lambda r, a: r.find(a.replace(" ", ".", 1)),
    "STACK_GLOBAL": lambda r, a: r.find(".".join(r.pop_many(2))),
    "REDUCE": lambda r, a: r.call(),
    "BUILD": lambda r, a: r.build(),
    "BINPERSID": lambda r, a: r.persistent(),
}


# ---------------------------------------------------------------------------------------------------------- writing
NAMES: dict = {
    rebuild_tensor: "torch._utils _rebuild_tensor_v2",
    rebuild_parameter: "torch._utils _rebuild_parameter",
    rebuild_parameter_with_state: "torch._utils _rebuild_parameter_with_state",
    rebuild_from_type: "torch._tensor _rebuild_from_type_v2",
    found_layout: "torch.serialization _get_layout",
    Tensor: "torch Tensor",
    Size: "torch Size",
    device: "torch device",
    **{dtype: f"torch {name}" for name, dtype in dtype_by_name.items()},
    **{kind: f"torch {kind.name}" for kind in STORAGE_TYPES.values()},
}
"""What is written under a name of PyTorch's."""

PLAIN = {
    type(None), bool, int, float, complex, str, bytes, bytearray, tuple, list, dict, set, frozenset, type,
    collections.OrderedDict, collections.Counter,
}  # fmt: skip
"""Types that Python's pickle writes as they are."""


class Writer(pickle._Pickler):
    """Python's pickler, with PyTorch's names, and tensors' memory left to `reference`."""

    def __init__(self, file, protocol, reference):
        super().__init__(file, protocol)
        self.reference = reference

    def persistent_id(self, obj):
        return self.reference(obj.storage, obj.dtype) if type(obj) is StoredMemory else None

    def save_global(self, obj, name=None):
        given = NAMES.get(obj)
        if given is None:
            if obj not in (set, frozenset, complex, bytearray, collections.OrderedDict, collections.Counter, _codecs.encode):
                raise not_saved(obj)
            return super().save_global(obj, name)
        self.write(pickle.GLOBAL + given.replace(" ", "\n").encode() + b"\n")
        self.memoize(obj)
        return None

    # Types are handled by Python's own method, which calls the one above only under this name.
    dispatch: ClassVar[dict] = pickle._Pickler.dispatch | {
        type: save_global,
        type(rebuild_tensor): save_global,
        core.dtype: save_global,
        StorageType: save_global,
    }

    def reducer_override(self, obj):
        kind = type(obj)
        if kind in PLAIN or kind in self.dispatch:
            return NotImplemented
        if kind is Tensor or kind is Parameter:
            return reduced_tensor(obj) if kind is Tensor else reduced_parameter(obj)
        if kind is Size:
            return Size, (tuple(obj),)
        if kind is device:
            return device, (obj.type,) if obj.index is None else (obj.type, obj.index)
        if obj is core.strided:
            return found_layout, ("torch.strided",)
        if obj is _codecs.encode:
            return NotImplemented
        raise not_saved(obj)


def not_saved(obj):
    return pickle.PicklingError(
        f"torch.save: an object of type {type(obj).__module__}.{type(obj).__qualname__} cannot be saved, since loading runs no code of a file. "
        "Tensors, parameters, sizes, dtypes, devices and Python's own containers, numbers and strings can; of a module or an optimizer save "
        "its state_dict()"
    )


def reduced_tensor(x):
    arguments = (
        StoredMemory(core.storage_of(x), x.dtype),
        x.storage_offset(),
        tuple(x.size()),
        tuple(x.stride()),
        x.requires_grad,
        collections.OrderedDict(),
    )
    lazy = {bit: True for bit, is_set in (("conj", x.is_conj()), ("neg", x.is_neg())) if is_set}
    if lazy:
        arguments += (lazy,)
    state = dict(getattr(x, "__dict__", None) or {})
    return (rebuild_from_type, (rebuild_tensor, Tensor, arguments, state)) if state else (rebuild_tensor, arguments)


def reduced_parameter(x):
    arguments = x.detach().as_subclass(Tensor), x.requires_grad, collections.OrderedDict()
    state = dict(x.__dict__)
    return (rebuild_parameter_with_state, (*arguments, state)) if state else (rebuild_parameter, arguments)

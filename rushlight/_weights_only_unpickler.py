"""The reader of pickles that nobody vouches for: it makes tensors, containers and plain values, and runs nothing that a file names.

An interpreter of the format's opcodes of its own. A name in a pickle stands for an entry of `allowed()`, or of the user's list
(`torch.serialization.add_safe_globals`), or is an error: no module is imported, no attribute looked up, and no object of another kind is
called or changed.
"""

import functools
import pickle
import struct
from _codecs import encode
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import Counter, OrderedDict

import rushlight
from rushlight import _tensor, _utils, core
from rushlight._tensor_types import tensor_types
from rushlight.core import Size, Tensor, device, dtype_by_name, warn_user
from rushlight.nn.parameter import Parameter
from rushlight.storage import STORAGES, TypedStorage, UntypedStorage

BLOCKED_MODULES = ("sys", "os", "posix", "nt")
"""Nothing of these is ever read, whatever the user allows."""

MOST_KEY_PARTS = 1000
"""How many values the key of a dict or the member of a set may be made of: Python hashes nested tuples by recursion."""

MARK = object()  # on the reader's stack: here the items of a container begin


class UnpicklingError(RuntimeError, pickle.UnpicklingError):
    """A file that is not loaded. (Programs catch either kind of error around `torch.load`.)"""


class DamagedFile(UnpicklingError):
    """What a file says makes no sense."""


class EndOfFile(DamagedFile, EOFError):
    """The file ends before what it says is complete."""


class StorageType:
    """FloatStorage and its kin: what a pickle calls a storage whose elements are of one dtype.

    Args:
        name: The name.

    >>> import rushlight as torch
    >>> torch.serialization.StorageType("FloatStorage")
    StorageType(dtype=torch.float32)
    """

    def __init__(self, name):
        self.dtype = STORAGES[name].dtype

    def __repr__(self):
        return f"StorageType(dtype={self.dtype})"


# ---------------------------------------------------------------------------------------------------------- what a pickle may name
def filled_bytearray(content=b"", *encoding):
    """A bytearray of given content; never of a given size."""
    if type(content) not in (bytes, str):
        raise TypeError("a bytearray that is made of neither bytes nor a string")
    return bytearray(content, *encoding)


def encoded(text, encoding="latin1"):
    """bytes, as the second version of the format spells them."""
    if encoding not in ("latin1", "latin-1"):
        raise LookupError(f"bytes in the encoding {encoding}")
    return text.encode("latin1")


def counted(*items):
    """A Counter of given counts."""
    if items and type(items[0]) not in (dict, OrderedDict, Counter):
        return Counter(checked_key(item) for item in items[0])
    return Counter(*items)


def ordered(*items):
    return OrderedDict(
        [(checked_key(key), value) for key, value in (dict(items[0]).items() if type(items[0]) is dict else items[0])]
        if items
        else ()
    )


def empty_tensor(kind):
    """Tensors of the format's first version are empty at first."""

    def make(*arguments):
        if arguments:
            raise TypeError(f"{kind.__name__} is called with arguments")
        return kind()

    return make


def parameter(*arguments):
    if arguments and not isinstance(arguments[0], Tensor):
        raise TypeError(f"a parameter's data must be a tensor, not {type(arguments[0]).__name__}")
    return Parameter(*arguments)


def rebuilt_from_type(function, kind, arguments, state):
    if function not in TENSOR_FUNCTIONS or type(arguments) is not tuple:
        raise TypeError(f"a tensor that is made by {function!r}")
    if not (isinstance(kind, type) and issubclass(kind, Tensor)):
        raise TypeError(f"{kind!r} is no class of tensors")
    return _tensor._rebuild_from_type_v2(function, kind, arguments, state)


TENSOR_FUNCTIONS = [
    _utils._rebuild_tensor,
    _utils._rebuild_tensor_v2,
    _utils._rebuild_tensor_v3,
    _utils._rebuild_meta_tensor_no_storage,
    _utils._rebuild_parameter,
    _utils._rebuild_parameter_with_state,
    _utils._rebuild_sparse_tensor,
]


@functools.cache
def allowed():
    """Name -> what it stands for and the function that a call of it runs (None: it may be named, but not called)."""
    found = {
        "collections.OrderedDict": (OrderedDict, ordered),
        "collections.Counter": (Counter, counted),
        "torch.nn.parameter.Parameter": (Parameter, parameter),
        "torch.serialization._get_layout": (core.layout_named, core.layout_named),
        "torch.Size": (Size, Size),
        "torch.Tensor": (Tensor, empty_tensor(Tensor)),
        "torch.device": (device, device),
        "_codecs.encode": (encode, encoded),
        "builtins.bytearray": (bytearray, filled_bytearray),
        "builtins.set": (set, lambda *items: set(map(checked_key, *items))),
        "builtins.complex": (complex, complex),
        "torch._tensor._rebuild_from_type_v2": (_tensor._rebuild_from_type_v2, rebuilt_from_type),
        "torch.storage.UntypedStorage": (UntypedStorage, None),
        "torch.storage.TypedStorage": (TypedStorage, None),
    }
    found |= {f"torch._utils.{function.__name__}": (function, function) for function in TENSOR_FUNCTIONS}
    found |= {f"torch.{name}": (dtype, None) for name, dtype in dtype_by_name.items()}
    found |= {f"torch.{name}": (StorageType(name), None) for name in STORAGES}
    for dtype, kind in tensor_types.items():
        if not dtype.is_complex:
            found[f"torch.{kind.__name__}"] = (kind, empty_tensor(kind))
    return found


safe_globals: set = set()
"""What the user allows besides: functions and classes, or pairs of one and its full name in files."""


def allowed_by_user():
    """Full name -> object."""
    found = {}
    for entry in safe_globals:
        if isinstance(entry, tuple):
            if len(entry) != 2:
                raise ValueError(
                    f"Expected tuple of length 2 (global, str of callable full path), but got tuple of length: {len(entry)}"
                )
            if type(entry[1]) is not str:
                raise TypeError(f"Expected second item in tuple to be str of callable full path, but got: {type(entry[1])}")
            found[entry[1]] = entry[0]
        else:
            found[f"{entry.__module__}.{entry.__qualname__}"] = entry
    return found


def checked_key(key):
    """A key or member that can be hashed in bounded time and depth; raises for another."""
    parts, count = [key], 0
    while parts:
        part = parts.pop()
        count += 1
        if count > MOST_KEY_PARTS:
            raise DamagedFile("Weights only load failed. A key of more than 1000 parts")
        if type(part) is tuple:
            parts.extend(part[: MOST_KEY_PARTS + 1])
    return key


def full_name(module, name):
    """The name of a global, as Python 3 has it."""
    if (module, name) in NAME_MAPPING:
        module, name = NAME_MAPPING[module, name]
    elif module in IMPORT_MAPPING:
        module = IMPORT_MAPPING[module]
    return module, f"{module}.{name}"


def unsupported_global(path):
    shown = path.removeprefix("builtins.")
    text = (
        f"Unsupported global: GLOBAL {shown} was not an allowed global by default. Please use "
        f"`torch.serialization.add_safe_globals([{shown}])` or the `torch.serialization.safe_globals([{shown}])` context manager to "
        "allowlist this global if you trust this class/function."
    )
    if path.startswith("torch.") and path.count(".") == 1 and path[6:] not in dir(rushlight):
        text += f" (Rushlight has no {path}.)"
    return UnpicklingError(text)


# ---------------------------------------------------------------------------------------------------------- reading
class Unpickler:
    """Interprets pickles from a file. `persistent_load` gives the storage that a persistent id names."""

    def __init__(self, file, *, encoding="bytes"):
        self.file, self.encoding = file, encoding
        self.within_users_code = False

    @functools.cached_property
    def users(self):
        """What the user allows, asked for where the file has something that is not allowed by itself."""
        return self.users_call(allowed_by_user)

    def is_users(self, value):
        return any(value is allowed for allowed in self.users.values())

    def load(self):
        """The object that the pickle describes."""
        self.stack, self.memo = [], {}
        try:
            while (opcode := self.read(1)) != pickle.STOP:
                if opcode not in OPCODES:
                    raise UnpicklingError(f"Unsupported operand {opcode[0]}")
                read_argument, action = OPCODES[opcode]
                argument = None if read_argument is None else read_argument(self)
                if action is None:
                    self.stack.append(argument)
                else:
                    action(self, argument)
            return self.pop()
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError, NotImplementedError) as error:
            if self.within_users_code:
                raise
            raise DamagedFile(f"Weights only load failed. The pickle is not valid: {error or type(error).__name__}") from error

    def read(self, count):
        content = self.file.read(count)
        if not isinstance(content, bytes):
            raise AssertionError(f"Expected bytes, got {type(content).__name__}")
        if len(content) < count:
            raise EndOfFile("Weights only load failed. The file ends within the pickle")
        return content

    def read_line(self):
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise EndOfFile("Weights only load failed. The file ends within the pickle")
        return line[:-1].decode()

    def persistent_load(self, reference):
        raise UnpicklingError("unsupported persistent id encountered")

    def pop(self):
        if not self.stack or self.stack[-1] is MARK:
            raise IndexError("nothing is left on the stack")
        return self.stack.pop()

    def top(self):
        if not self.stack or self.stack[-1] is MARK:
            raise IndexError("nothing is left on the stack")
        return self.stack[-1]

    def since_mark(self):
        """What was put on the stack after the last mark, which is taken off too."""
        for at in range(len(self.stack) - 1, -1, -1):
            if self.stack[at] is MARK:
                items = self.stack[at + 1 :]
                del self.stack[at:]
                return items
        raise IndexError("no mark on the stack")

    def pop_tuple(self, count):
        self.stack.append(tuple([self.pop() for _ in range(count)][::-1]))

    def find(self, name):
        module, path = full_name(*name)
        if module in BLOCKED_MODULES:
            raise UnpicklingError(f"Trying to load unsupported GLOBAL {path} whose module {module} is blocked.")
        if path in allowed():
            self.stack.append(allowed()[path][0])
        elif path in self.users:
            self.stack.append(self.users[path])
        else:
            raise unsupported_global(path)

    def users_call(self, function, *arguments):
        """Calls what the user allows; its errors are its own."""
        self.within_users_code = True
        result = function(*arguments)
        self.within_users_code = False
        return result

    def call(self):
        arguments, function = self.pop(), self.pop()
        for value, make in allowed().values():
            if value is function:
                self.stack.append(self.call_allowed(function, make, arguments))
                return
        if not self.is_users(function):
            owner = f" which belongs to {function.__self__}" if hasattr(function, "__self__") else ""
            raise UnpicklingError(f"Trying to call reduce for unrecognized function {function}{owner}")
        self.stack.append(self.users_call(function, *arguments))

    def call_allowed(self, function, make, arguments):
        if make is None:
            raise TypeError(f"{function!r} is not callable")
        if type(arguments) is not tuple:
            raise TypeError(f"arguments that are a {type(arguments).__name__}, not a tuple")
        if (
            make is rebuilt_from_type
            and len(arguments) == 4
            and arguments[1] not in (Tensor, Parameter)
            and self.is_users(arguments[1])
        ):
            return self.users_call(make, *arguments)
        return make(*arguments)

    def make_object(self):
        arguments, kind = self.pop(), self.pop()
        if isinstance(kind, type) and any(kind is value for value, _ in allowed().values()):
            self.stack += [kind, arguments]
            self.call()
        elif self.is_users(kind):
            self.stack.append(self.users_call(kind.__new__, kind, *arguments))
        else:
            raise UnpicklingError(
                f"Can only create new object for nn.Parameter or classes allowlisted via `add_safe_globals` but got {kind}"
            )

    def build(self):
        """Gives the object on top its state."""
        state, made = self.pop(), self.top()
        if type(made) is OrderedDict:
            if type(state) is not dict or not all(type(name) is str for name in state):
                raise TypeError("the state of an OrderedDict is no dict")
            made.__dict__.update(state)  # (a state_dict's `_metadata`)
        elif type(made) is Tensor:
            # The format's first version.
            made.set_(_utils._rebuild_tensor(*state))
        elif type(made) is Parameter:
            raise TypeError("the state of a parameter")
        elif self.is_users(type(made)):
            self.users_call(made.__setstate__ if hasattr(made, "__setstate__") else functools.partial(set_state, made), state)
        else:
            raise UnpicklingError(
                f"Can only build Tensor, Parameter, OrderedDict or types allowlisted via `add_safe_globals`, but got {type(made)}"
            )

    def persistent(self):
        reference = self.pop()
        if type(reference) not in (tuple, int):
            raise UnpicklingError(f"persistent_load id must be tuple or int, but got {type(reference)}")
        if type(reference) is tuple and reference and reference[0] not in ("storage", b"storage"):
            raise UnpicklingError(f"Only persistent_load of storage is allowed, but got {type(reference[0])}")
        # (It may call a function of the user's, too: `map_location`.)
        self.stack.append(self.users_call(self.persistent_load, reference))

    def set_items(self, items, opcode):
        container = self.top()
        if type(container) not in (dict, OrderedDict, Counter):
            raise UnpicklingError(
                f"Can only {opcode} for dict, collections.OrderedDict, collections.Counter, but got {type(container)}"
            )
        for key, value in zip(items[::2], items[1::2], strict=True):
            container[key if type(key) is str else checked_key(key)] = value

    def append_all(self, items, verb):
        container = self.top()
        if type(container) is not list:
            raise UnpicklingError(f"Can only {verb} lists, but got {type(container)}")
        container.extend(items)

    def text(self, content):
        """A string of Python 2, which `encoding` tells how to read ("bytes": not at all)."""
        self.stack.append(content if self.encoding == "bytes" else content.decode(self.encoding))

    def recall(self, place):
        if place not in self.memo:
            raise KeyError(f"nothing is remembered as {place}")
        self.stack.append(self.memo[place])

    def remember(self, place):
        self.memo[place] = self.top()

    def protocol(self, number):
        if number != 2:
            warn_user(
                f"Detected pickle protocol {number} in the checkpoint, which was not the default pickle protocol used by `torch.load` (2). "
                "The weights_only Unpickler might not support all instructions implemented by this protocol, please file an issue for "
                "adding support if you encounter this."
            )


def set_state(made, state):
    """What pickle does for an object without `__setstate__`."""
    slots = None
    if isinstance(state, tuple) and len(state) == 2:
        state, slots = state
    if state:
        made.__dict__.update(state)
    for name, value in (slots or {}).items():
        setattr(made, name, value)


def number(layout):
    """Reads a number as `struct` describes it."""
    size = struct.calcsize(layout)
    return lambda r: struct.unpack(layout, r.read(size))[0]


BYTE, WORD = number("<B"), number("<I")

OPCODES = {
    pickle.PROTO: (BYTE, Unpickler.protocol),
    pickle.MARK: (None, lambda r, a: r.stack.append(MARK)),
    pickle.NONE: (None, lambda r, a: r.stack.append(None)),
    pickle.NEWTRUE: (None, lambda r, a: r.stack.append(True)),
    pickle.NEWFALSE: (None, lambda r, a: r.stack.append(False)),
    pickle.BININT: (number("<i"), None),
    pickle.BININT1: (BYTE, None),
    pickle.BININT2: (number("<H"), None),
    pickle.LONG1: (lambda r: pickle.decode_long(r.read(BYTE(r))), None),
    pickle.BINFLOAT: (number(">d"), None),
    pickle.BINUNICODE: (lambda r: str(r.read(WORD(r)), "utf-8", "surrogatepass"), None),
    pickle.SHORT_BINSTRING: (lambda r: r.read(BYTE(r)), Unpickler.text),
    pickle.EMPTY_TUPLE: (None, lambda r, a: r.stack.append(())),
    pickle.EMPTY_LIST: (None, lambda r, a: r.stack.append([])),
    pickle.EMPTY_DICT: (None, lambda r, a: r.stack.append({})),
    pickle.EMPTY_SET: (None, lambda r, a: r.stack.append(set())),
    pickle.TUPLE: (None, lambda r, a: r.stack.append(tuple(r.since_mark()))),
    pickle.TUPLE1: (None, lambda r, a: r.pop_tuple(1)),
    pickle.TUPLE2: (None, lambda r, a: r.pop_tuple(2)),
    pickle.TUPLE3: (None, lambda r, a: r.pop_tuple(3)),
    pickle.APPEND: (None, lambda r, a: r.append_all([r.pop()], "append to")),
    pickle.APPENDS: (None, lambda r, a: r.append_all(r.since_mark(), "extend")),
    pickle.SETITEM: (None, lambda r, a: r.set_items([r.pop(), r.pop()][::-1], "SETITEM")),
    pickle.SETITEMS: (None, lambda r, a: r.set_items(r.since_mark(), "SETITEMS")),
    pickle.BINPUT: (BYTE, Unpickler.remember),
    pickle.LONG_BINPUT: (WORD, Unpickler.remember),
    pickle.BINGET: (BYTE, Unpickler.recall),
    pickle.LONG_BINGET: (WORD, Unpickler.recall),
    pickle.GLOBAL: (lambda r: (r.read_line(), r.read_line()), Unpickler.find),
    pickle.REDUCE: (None, lambda r, a: r.call()),
    pickle.NEWOBJ: (None, lambda r, a: r.make_object()),
    pickle.BUILD: (None, lambda r, a: r.build()),
    pickle.BINPERSID: (None, lambda r, a: r.persistent()),
}
"""Opcode -> how its argument is read, and what it does with it (None: the argument is the value)."""


def load(file, *, encoding="ASCII"):
    return Unpickler(file, encoding=encoding).load()


class GlobalsFinder(Unpickler):
    """Reads a pickle for the names that it mentions, and makes nothing."""

    def names(self):
        found = set()
        while (opcode := self.read(1)) != pickle.STOP:
            if opcode not in OPCODES:
                raise UnpicklingError(f"Unsupported operand {opcode[0]}")
            read_argument = OPCODES[opcode][0]
            argument = None if read_argument is None else read_argument(self)
            if opcode == pickle.GLOBAL:
                found.add(full_name(*argument)[1])
        return found

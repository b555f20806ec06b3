"""What a function could read besides its arguments: the state of the program that its calls depend on.

A recorded call may be done again only where Python would run as it did. What Python code does follows from the code, from what it is given, and
from what it reads: globals, variables of closures, defaults, attributes, items of containers. `Reading` follows these from a function on, through
everything that can be reached from there, and notes each as a comparison (core's `Guards`). It knows Rushlight's own code and the parts of the
standard library that keep no state, and does not look into those. What it cannot follow (an iterator, a NumPy array, an object of a class written
in C) ends it: such a function runs as it is written.
"""

import _warnings
import builtins
import collections
import dis
import enum
import functools
import gc
import sys
import types
import typing
import weakref
from pathlib import Path

import rushlight
from rushlight import core
from rushlight.core import Tensor

PACKAGE = str(Path(rushlight.__file__).parent)
MOST = 20_000
"""Comparisons at most: what is larger is not worth recording, and probably no program's state."""

STATELESS = frozenset(
    (
        "abc",
        "bisect",
        "builtins",
        "cmath",
        "collections",
        "collections.abc",
        "contextlib",
        "copy",
        "copyreg",
        "dataclasses",
        "enum",
        "functools",
        "heapq",
    )
    + (
        "inspect",
        "itertools",
        "math",
        "numbers",
        "operator",
        "re",
        "reprlib",
        "string",
        "textwrap",
        "types",
        "typing",
        "typing_extensions",
        "warnings",
    )
    + (
        "_abc",
        "_bisect",
        "_collections",
        "_collections_abc",
        "_functools",
        "_heapq",
        "_operator",
        "_weakrefset",
        "weakref",
        "_weakref",
        "keyword",
        "fractions",
    )
    + ("decimal", "statistics", "graphlib", "colorsys", "__future__")
)
"""Modules whose functions answer the same question the same way."""

IMPURE = frozenset(
    (
        builtins.print,
        builtins.input,
        builtins.open,
        builtins.exec,
        builtins.eval,
        builtins.compile,
        builtins.breakpoint,
        builtins.__import__,
    )
    + (builtins.globals, builtins.locals, builtins.vars, builtins.dir)
)

SEEN = frozenset((builtins.print, builtins.input, builtins.open, builtins.breakpoint, _warnings.warn, _warnings.warn_explicit))
"""What is seen outside of the program, whoever calls it."""

VALUES = (
    (
        type(None),
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        type(Ellipsis),
        type(NotImplemented),
        range,
        slice,
        rushlight.dtype,
        rushlight.device,
    )
    + (
        rushlight.layout,
        rushlight.memory_format,
        rushlight.Size,
        types.CodeType,
        types.GetSetDescriptorType,
        types.MemberDescriptorType,
    )
    + (
        types.WrapperDescriptorType,
        types.MethodWrapperType,
        types.MethodDescriptorType,
        types.ClassMethodDescriptorType,
        type(core.kernel),
        type(vars(collections.namedtuple("_", "x"))["x"]),
    )
    + (
        core.Kernel,
        core.Node,
        rushlight.Generator,
        types.GenericAlias,
        types.UnionType,
    )
)
"""What cannot change, or only in what the core looks at itself."""

PLAIN = frozenset(
    (object, dict, list, tuple, set, frozenset, int, float, complex, str, bytes, collections.OrderedDict, collections.defaultdict)
    + (types.SimpleNamespace, typing.Generic, enum.Enum)
)
"""Classes written in C whose objects hold nothing but their items and attributes."""

COMPUTING = frozenset(
    (
        "getattr",
        "hasattr",
        "attrgetter",
        "methodcaller",
        "__dict__",
        "__getattribute__",
        "getmembers",
        "getattr_static",
        "import_module",
    )
)
"""What reads attributes by names that the code need not spell."""

STATE = {
    "rushlight._settings": ("_deterministic", "_warn_only", "_matmul_precision"),
    "rushlight.nn.attention": ("_active",),
    "rushlight.nn.utils.parametrize": ("_cache_enabled",),
    "rushlight.backends.mha": ("_is_fastpath_enabled",),
    "rushlight.utils.data._utils.worker": ("_worker_info",),
}
"""What Rushlight's own functions read that programs set, apart from what the core looks at itself."""

_CALLED = tuple({type(rushlight.add), type(Tensor.add), type(rushlight.where), type(rushlight.zeros), core.Op})


class Unreadable(Exception):
    """What a function depends on that cannot be compared."""


def is_own(code: types.CodeType) -> bool:
    """Whether code is Rushlight's, or of a module that keeps no state."""
    name = code.co_filename
    return name.startswith(PACKAGE) or _of_stateless_module(name)


@functools.lru_cache(None)
def _of_stateless_module(path: str) -> bool:
    if path.startswith("<"):
        return path in ("<string>", "<frozen abc>", "<frozen _collections_abc>")  # (what namedtuple and dataclass make)
    library = Path(functools.__file__).parent
    try:
        relative = Path(path).relative_to(library)
    except ValueError:
        return False
    name = ".".join(relative.with_suffix("").parts)
    return name.removesuffix(".__init__") in STATELESS


def is_pure(function) -> bool:
    """Whether a function written in C answers the same question the same way, and does nothing else."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, types.ModuleType) or owner is None:
        module = getattr(function, "__module__", None) or ""
        return (module in STATELESS or module.startswith("rushlight") or module == "_core") and function not in IMPURE
    kind = owner if isinstance(owner, type) else type(owner)
    module = kind.__module__
    return module in STATELESS or module.split(".")[0] in ("rushlight", "torch") or issubclass(kind, (Tensor, core.Storage))


class Reading:
    """Everything that can be reached from `roots` (functions, and objects that are given) by the code that runs, `codes`."""

    def __init__(self, codes, *roots):
        self.guards: list[tuple] = []
        self.tensors: list[Tensor] = []
        self.codes: frozenset[types.CodeType] = frozenset(codes)
        self.read: set[types.CodeType] = set()
        self._seen: dict[int, object] = {}
        self._modules: dict[int, types.ModuleType] = {}
        self._tensor_ids: set[int] = set()
        self._names = frozenset().union(*(names_in(code) for code in self.codes))
        self._waiting: list[tuple[object, str]] = [(root, getattr(root, "__name__", type(root).__name__)) for root in roots]
        self._waiting += [(table, "a table of hooks") for table in _tables_of_hooks()]
        for module, names in STATE.items():
            if module in sys.modules:
                own = vars(sys.modules[module])
                self.guards += [("item", own, name, own[name]) for name in names]
        while self._waiting:
            value, path = self._waiting.pop()
            self._read(value, path)
            if len(self.guards) > MOST:
                raise Unreadable("it depends on too much")

    def _guard(self, kind, owner, key, value, path):
        self.guards.append((kind, owner, key, value))
        self._waiting.append((value, path))

    def reaches(self, value) -> bool:
        """Whether an object was found among what can be reached."""
        return id(value) in self._seen

    def _read(self, value, path):
        kind = type(value)
        if isinstance(value, Tensor):
            if id(value) not in self._tensor_ids:
                self._tensor_ids.add(id(value))
                self.tensors.append(value)
                if (own := core.attributes_of(value)) is not None:
                    self._read_attributes(own, path)
            return
        if kind in VALUES or id(value) in self._seen:
            return
        self._seen[id(value)] = value
        if isinstance(value, VALUES):
            if hasattr(value, "__dict__"):
                self._read_attributes(vars(value), path)
        elif kind is tuple or kind is frozenset:
            self._waiting += [(item, f"{path}[…]") for item in value]
        elif isinstance(value, types.FunctionType):
            self._read_function(value, path)
        elif isinstance(value, (types.MethodType, classmethod, staticmethod)):
            self._waiting += [(value.__func__, path)] + ([(value.__self__, path)] if hasattr(value, "__self__") else [])
        elif isinstance(value, property):
            self._waiting += [(part, path) for part in (value.fget, value.fset, value.fdel)]
        elif isinstance(value, functools.partial):
            self._waiting += [(value.func, path), (value.args, path), (value.keywords, path)]
        elif isinstance(value, (functools.cached_property, functools.partialmethod)):
            self._waiting.append((value.func, path))
        elif isinstance(value, types.MappingProxyType):
            self._waiting += [(shown, path) for shown in gc.get_referents(value)]
        elif isinstance(value, weakref.ref):
            self._waiting.append((value(), path))
        elif isinstance(value, types.BuiltinFunctionType):
            if not is_pure(value) and not isinstance(value.__self__, types.ModuleType) and value.__self__ is not None:
                raise Unreadable(f"{path} is a method of a {type(value.__self__).__name__}, which may hold anything")
        elif isinstance(value, types.ModuleType):
            self._read_whole_module(value, path)
        elif isinstance(value, _CALLED):
            return
        elif isinstance(value, core.Compiled):
            self._waiting.append((value.function, path))
        elif isinstance(value, type):
            self._read_class(value, path)
        elif isinstance(value, dict):
            self._read_dict(value, path)
            self._read_object(value, path)
        elif isinstance(value, list):
            self.guards.append(("items", value, None, tuple(value)))
            self._waiting += [(item, f"{path}[…]") for item in value]
            self._read_object(value, path)
        elif isinstance(value, set):
            if not all(type(item) in VALUES for item in value):
                raise Unreadable(f"{path} is a set of objects")
            self.guards.append(("members", value, None, frozenset(value)))
            self._read_object(value, path)
        elif isinstance(value, tuple):
            self._waiting += [(item, f"{path}[…]") for item in value]
            self._read_object(value, path)
        else:
            self._read_object(value, path)

    def _read_attributes(self, own, path):
        if id(own) in self._seen:
            return
        self._seen[id(own)] = own
        self.guards.append(("keys", own, None, tuple(own)))
        for name, item in list(own.items()):
            self._guard("item", own, name, item, f"{path}.{name}")

    def _read_dict(self, value, path):
        self.guards.append(("keys", value, None, tuple(dict.keys(value))))
        if isinstance(value, collections.OrderedDict) and len(value) > 1:
            self.guards.append(("order", value, None, list(value)))
        for key, item in value.items():
            if not isinstance(key, (str, bytes, int, Tensor, tuple, type, enum.Enum, types.FunctionType)):
                raise Unreadable(f"{path} has a {type(key).__name__} for a key")
            self._guard("item", value, key, item, f"{path}[{key!r}]" if isinstance(key, (str, int)) else f"{path}[…]")

    def _read_object(self, value, path):
        kind = type(value)
        if (kind in PLAIN and not getattr(value, "__dict__", None)) or isinstance(value, BaseException):
            return
        if (hidden := hidden_state(kind)) is not None:
            raise Unreadable(f"{path} is a {hidden.__module__}.{hidden.__name__}, which cannot be looked into")
        self.guards.append(("class", value, None, kind))
        self._waiting.append((kind, path))
        if (own := getattr(value, "__dict__", None)) is not None:
            self._read_attributes(own, path)
        for base in kind.__mro__:
            for name, member in list(vars(base).items()):
                if isinstance(member, types.MemberDescriptorType):
                    item = getattr(value, name, core.MISSING)
                    self.guards.append(("attribute", value, name, item if item is not core.MISSING else None))
                    if item is not core.MISSING:
                        self._waiting.append((item, f"{path}.{name}"))

    def _read_class(self, value, path):
        if not value.__flags__ & 1 << 9 or (value.__module__ or "") in STATELESS:
            return
        if (value.__module__ or "").split(".")[0] in ("rushlight", "torch"):
            # Its code is known; it may have been changed by the program.
            self._version(value, path)
            return
        self._version(value, path)
        if type(value) is not type:
            self._waiting.append((type(value), f"the class of {path}"))
        for name, item in list(vars(value).items()):
            if name not in (
                "__dict__",
                "__weakref__",
                "__doc__",
                "__module__",
                "__annotations__",
                "__abstractmethods__",
                "_abc_impl",
                "__slots__",
            ):
                self._waiting.append((item, f"{path}.{name}"))
        self._waiting += [(base, path) for base in value.__mro__[1:]]

    def _version(self, value, path):
        value.__name__  # noqa: B018 (a look-up gives the class a version)
        getattr(value, "_", None)
        try:
            core.Guards([], [("version", value, None, None)])
        except ValueError:
            raise Unreadable(f"the class of {path} changes all the time") from None
        self.guards.append(("version", value, None, None))

    def _read_function(self, function, path):
        parts = (function.__code__, function.__defaults__, function.__kwdefaults__)
        self.guards.append(("function", function, None, parts))
        self._waiting += [(item, path) for item in (function.__defaults__ or ())]
        if function.__kwdefaults__:
            self._waiting.append((function.__kwdefaults__, path))
        if own := vars(function):
            self._waiting.append((own, path))
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            try:
                content = cell.cell_contents
            except ValueError:
                self.guards.append(("cell", cell, None, core.MISSING))
                continue
            self._guard("cell", cell, None, content, name)
        self._read_code(function.__code__, function.__globals__)

    def _read_code(self, code, names):
        if code not in self.codes:
            return
        self.read.add(code)
        globals_read, imports = uses_of(code)
        for name, attributes, stored in globals_read:
            if name in names:
                self._read_global(names, name, attributes, stored)
            else:
                self.guards.append(("lacks", names, name, None))
                if hasattr(builtins, name):
                    self._guard("item", vars(builtins), name, getattr(builtins, name), name)
        for name, level in imports:
            self._read_import(name, level, names)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._read_code(constant, names)

    def _read_global(self, names, name, attributes, stored):
        """A global, and of a module those attributes that the code reads of it at once; a module that the code does something else with is
        read whole."""
        own, value, path = names, names[name], name
        self.guards.append(("item", own, name, value))
        for attribute in attributes:
            if not isinstance(value, types.ModuleType):
                break
            own, path = vars(value), f"{path}.{attribute}"
            if attribute not in own:
                self._read_whole_module(value, path)  # (`__dict__`, or what a __getattr__ answers)
                return
            known, value = _is_known(value), own[attribute]
            self.guards.append(("item", own, attribute, value))
            if known and not isinstance(value, types.ModuleType):
                return  # (what it does is known, but the program may put something else there)
        else:
            if isinstance(value, types.ModuleType) and stored is not None:
                self.guards.append(
                    ("item", vars(value), stored, vars(value)[stored])
                    if stored in vars(value)
                    else ("lacks", vars(value), stored, None)
                )
                return
        self._waiting.append((value, path))

    def _read_whole_module(self, module, path):
        """A module of which it is not known which code reads what: all names that any code spells, or all there are where code computes names."""
        if id(module) in self._modules or module.__name__ in STATELESS:
            return
        self._modules[id(module)] = module
        own, known = vars(module), _is_known(module)
        every = not known and not COMPUTING.isdisjoint(self._names)
        if not known:
            self.guards.append(("keys", own, None, tuple(own)))
        for name in tuple(own) if every else (*self._names.intersection(own), *({"__getattr__"} & own.keys())):
            if known and not (isinstance(own[name], types.ModuleType) and _is_known(own[name])):
                self.guards.append(("item", own, name, own[name]))
            elif not every or name not in ("__builtins__", "__loader__", "__spec__", "__cached__"):
                self._guard("item", own, name, own[name], f"{path}.{name}")

    def _read_import(self, name, level, names):
        """A module that code imports while it runs."""
        if level:
            package = names.get("__package__") or ""
            name = ".".join([*package.split(".")[: len(package.split(".")) - level + 1], *([name] if name else [])])
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            known = ".".join(parts[:end])
            if known in sys.modules:
                self.guards.append(("item", sys.modules, known, sys.modules[known]))
                self._read_whole_module(sys.modules[known], known)


def _is_known(module) -> bool:
    name = module.__name__
    return (
        name in STATELESS
        or name.split(".")[0] in ("rushlight", "torch")
        or (getattr(module, "__file__", None) or "").startswith(PACKAGE)
    )


def _tables_of_hooks():
    """What is called for every module and every optimizer, where the program has used them."""
    found = []
    for name in ("rushlight.nn.modules._call", "rushlight.optim.optimizer"):
        module = sys.modules.get(name)
        found += (
            []
            if module is None
            else [table for key, table in vars(module).items() if key.startswith("_global_") and isinstance(table, dict)]
        )
    return found


@functools.lru_cache(None)
def hidden_state(kind: type) -> type | None:
    """The class written in C, among those that a class is made of, whose objects may hold more than items and attributes."""
    for base in kind.__mro__:
        if base in PLAIN or base is BaseException or (base.__module__ or "").split(".")[0] in ("rushlight", "_core", "torch"):
            continue
        for name, member in vars(base).items():
            if getattr(member, "__objclass__", None) is base and (
                isinstance(member, (types.WrapperDescriptorType, types.MethodDescriptorType))
                or (isinstance(member, types.GetSetDescriptorType) and name not in ("__dict__", "__weakref__"))
            ):
                return base
    return None


_LOADS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
_STORES = ("STORE_GLOBAL", "STORE_NAME", "DELETE_GLOBAL", "DELETE_NAME")


@functools.lru_cache(1000)
def uses_of(code: types.CodeType):
    """The globals (and what builtins has) that code reads or sets, each with the attributes that are read of it at once, one of the other, and
    the one that is set of the last; and what it imports, with levels."""
    found, imports, level = {}, {}, 0
    instructions = [
        each for each in dis.get_instructions(code) if each.opname not in ("EXTENDED_ARG", "CACHE", "PUSH_NULL", "NOP")
    ]
    for i, each in enumerate(instructions):
        if each.opname in _STORES:
            found[each.argval, (), None] = None
        elif each.opname in _LOADS:
            attributes, stored = [], None
            for after in instructions[i + 1 :]:
                if after.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                    attributes.append(after.argval)
                    continue
                if after.opname in ("STORE_ATTR", "DELETE_ATTR"):
                    stored = after.argval
                break
            found[each.argval, tuple(attributes), stored] = None
        elif each.opname == "IMPORT_NAME":
            level = next((before.argval for before in reversed(instructions[:i]) if isinstance(before.argval, int)), 0)
            imports[each.argval, level] = None
    return tuple(found), tuple(imports)


@functools.lru_cache(1000)
def names_in(code: types.CodeType) -> frozenset[str]:
    """The names of globals and attributes that code spells."""
    return frozenset(code.co_names)


class Watch:
    """`with Watch()`: notes what code of the program runs, and what calls cannot be done again; `reason` says of the first what it is."""

    def __init__(self):
        self.codes, self.reason = set(), None
        self._before = None

    def __enter__(self):
        # (What the collector finalizes meanwhile is no part of the call.)
        self._before = sys.getprofile(), gc.isenabled()
        gc.disable()
        sys.setprofile(self._see)
        return self

    def __exit__(self, *error):
        sys.setprofile(self._before[0])
        if self._before[1]:
            gc.enable()

    def _see(self, frame, event, argument):
        if event == "call":
            if not is_own(frame.f_code):
                self.codes.add(frame.f_code)
        elif self.reason is None and event == "c_call" and (argument in SEEN if is_own(frame.f_code) else not is_pure(argument)):
            self.reason = f"it calls {getattr(argument, '__qualname__', argument)}", _line(frame)


def _line(frame):
    return frame.f_code.co_filename, frame.f_lineno


__all__ = ["Reading", "Unreadable", "Watch", "is_own", "is_pure"]


def by_dict(guards):
    """The guards of items of dicts, those of one dict behind each other (nobody asks for them while none has touched it), and the others."""
    dicts, others = {}, []
    for guard in guards:
        if guard[0] in ("item", "lacks", "keys"):
            dicts.setdefault(id(guard[1]), []).append(guard)
        else:
            others.append(guard)
    return [guard for of_dict in dicts.values() for guard in of_dict], others

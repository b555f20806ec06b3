"""The slow way through the parser: what is not plainly right is converted, or refused with PyTorch's error.

Signatures are read from their text (ops/_signatures.py) when a function is first called. The fast way is core/calls/arguments.pxi.
"""

import functools
import operator
import sys

from rushlight import core
from rushlight.core import Tensor
from rushlight.ops._signatures import signatures as text_of
from rushlight.storage import is_storage

TITLES = {
    "Tensor/Number": "Tensor",
    "pinned": "bool",
    "index": "int",
    "ints": "tuple of ints",
    "sizes": "tuple of ints",
    "tensors": "tuple of Tensors",
    "numbers": "tuple of Scalars",
    "floats": "tuple of floats",
    "dtype": "torch.dtype",
    "layout": "torch.layout",
    "device": "torch.device",
    "memory_format": "torch.memory_format",
    "generator": "torch.Generator",
    "storage": "torch.Storage",
}
"""What errors call the kinds that they do not call by their name."""

OTHER_KEYWORDS = {"dim": ("axis",), "keepdim": ("keepdims",), "input": ("x", "a", "x1"), "other": ("x2",)}
"""NumPy's names of parameters."""

PYTHON_DTYPES = {float: "float64", int: "int64", bool: "bool", complex: "complex128"}

LISTS = ("ints", "sizes")


class Loose(tuple):
    """Sizes that were given one by one."""

    __slots__ = ()


class Parameter:
    """One parameter of a signature."""

    def __init__(self, text, keyword_only):
        left, equals, default = text.partition("=")
        kind, self.name = left.split(" ")
        self.takes_none = kind.endswith("?") or default == "None"
        kind, bracket, _ = kind.rstrip("?").partition("[")
        if kind not in ACCEPTS:
            raise TypeError(f"'{text}' in a signature: '{kind}' is none of the kinds {', '.join(ACCEPTS)}")
        self.kind, self.takes_one = kind, bool(bracket) and kind in LISTS
        self.is_required, self.default, self.keyword_only = not equals, default, keyword_only
        self.title = TITLES.get(kind, kind)
        self.accepts = ACCEPTS[kind]
        self.keywords = (self.name, *OTHER_KEYWORDS.get(self.name, ()))

    def __str__(self):
        return f"{self.title} {self.name}" + ("" if self.is_required else f" = {self.default}")

    def takes(self, value):
        """Whether the parser lets `value` pass."""
        return (value is None and self.takes_none) or self.accepts(value) or (self.takes_one and is_index(value))


class Signature:
    """One signature of a function."""

    def __init__(self, name, text):
        self.name = name
        self.is_deprecated = text.startswith("deprecated ")
        self.parameters, keyword_only = [], False
        for part in text.removeprefix("deprecated ").split(", "):
            if part == "*":
                keyword_only = True
            elif part:
                self.parameters.append(Parameter(part, keyword_only))
        self.positional = sum(not parameter.keyword_only for parameter in self.parameters)
        self.required = sum(parameter.is_required for parameter in self.parameters)
        self.takes_loose = self.positional == 1 and self.parameters[0].kind in LISTS

    def __str__(self):
        parts = [str(parameter) for parameter in self.parameters]
        if self.positional < len(parts):
            parts.insert(self.positional, "*")
        return f"({', '.join(parts)})"

    def may_have(self, count):
        return not self.is_deprecated and self.required <= count <= len(self.parameters)

    def match(self, args, keywords, explain):
        """The values given, by parameter: a list of (parameter, key, value), the key a position or a keyword. None, or an error, if they do not fit."""
        count, loose = len(args), False
        if count > self.positional:
            if not (self.takes_loose and is_index(args[0])):
                return self.refuse_count(count) if explain else None
            loose = True
        elif count and self.takes_loose and is_index(args[0]) and not self.parameters[0].takes(args[0]):
            loose = True
        found, used = [], 0
        for place, parameter in enumerate(self.parameters):
            if place == 0 and loose:
                found.append((parameter, 0, Loose(args)))
                continue
            if place < count and not loose:
                key, value = place, args[place]
            else:
                key = next((keyword for keyword in parameter.keywords if keyword in keywords), None)
                if key is None:
                    if parameter.is_required:
                        return self.refuse_missing(place) if explain else None
                    continue
                value = keywords[key]
                used += 1
            if not parameter.takes(value):
                return self.refuse(parameter, key, value) if explain else None
            found.append((parameter, key, value))
        if used < len(keywords):
            return self.refuse_keywords(keywords, count) if explain else None
        return found

    def refuse_count(self, count):
        least = f"from {self.required} to " if self.required != self.positional else ""
        plural = "" if self.positional == 1 and not least else "s"
        verb = "was" if count == 1 and not least else "were"
        raise TypeError(f"{self.name}() takes {least}{self.positional} positional argument{plural} but {count} {verb} given")

    def refuse_missing(self, place):
        names = [f'"{parameter.name}"' for parameter in self.parameters[place:] if parameter.is_required]
        plural = "s" if len(names) == 1 else ""
        raise TypeError(f"{self.name}() missing {len(names)} required positional argument{plural}: {', '.join(names)}")

    def refuse(self, parameter, key, value):
        start = f"{self.name}(): argument '{parameter.name}'" + (f" (position {key + 1})" if isinstance(key, int) else "")
        if (
            isinstance(key, int)
            and parameter.kind in (*LISTS, "numbers", "floats")
            and isinstance(value, tuple | list)
            and len(value)
        ):
            raise TypeError(f"{start} must be {parameter.title}, but found element of type {type_name(value[0])} at pos 0")
        raise TypeError(f"{start} must be {parameter.title}, not {type_name(value)}")

    def refuse_keywords(self, keywords, count):
        names = [parameter.name for parameter in self.parameters]
        for keyword in keywords:
            if keyword not in names:
                raise TypeError(f"{self.name}() got an unexpected keyword argument '{keyword}'")
            if names.index(keyword) < count:
                raise TypeError(f"{self.name}() got multiple values for argument '{keyword}'")
        raise TypeError("invalid keyword arguments")


def load(parser):
    """Reads a parser's signatures, and tells the fast way of them."""
    parser.signatures = [Signature(parser.name, text) for text in text_of(parser).split(" | ")]
    for signature in parser.signatures:
        if not signature.is_deprecated:
            parser.add(
                [(p.name, p.kind, p.takes_none, p.takes_one, p.is_required) for p in signature.parameters],
                signature.positional,
                signature.takes_loose,
            )


def convert(parser, args, keywords):
    """The arguments of a call as the function behind the parser takes them: (args, keywords); None if it is for another type to
    answer (by __torch_function__). Raises PyTorch's error where no signature fits."""
    found, signature = choose(parser, args, keywords)
    if signature.is_deprecated:
        warn_of_deprecated(parser, signature)
    if any(parameter.kind.startswith("Tensor") and is_tensor_like(value) for parameter, _, value in found):
        return None
    positional, named = [], {}
    for place, (parameter, key, value) in enumerate(found):
        value = CONVERSIONS[parameter.kind](parser.name, parameter, place, value)
        if (isinstance(key, int) and not signature.is_deprecated) or (signature.is_deprecated and parameter.name == "input"):
            positional.append(value)
        else:
            named[parameter.name] = value
    return tuple(positional), named


def choose(parser, args, keywords):
    """The first signature that fits, and what it makes of the arguments."""
    if parser.signatures is None:
        load(parser)
    signatures = parser.signatures
    if len(signatures) == 1:
        if parser.is_method and not signatures[0].parameters:
            refuse_arguments(parser, args, keywords)
        return signatures[0].match(args, keywords, True), signatures[0]
    for signature in signatures:
        found = signature.match(args, keywords, False)
        if found is not None:
            return found, signature
    plausible = [signature for signature in signatures if signature.may_have(len(args) + len(keywords))]
    if len(plausible) == 1:
        plausible[0].match(args, keywords, True)
    raise TypeError(invalid_combination(parser, args, keywords))


def refuse_arguments(parser, args, keywords):
    """For a method without parameters."""
    given = "keyword arguments" if keywords else f"arguments ({len(args)} given)"
    raise TypeError(f"TensorBase.{parser.name}() takes no {given}")


# ---------------------------------------------------------------------------------------------------------- texts
def type_name(value):
    """The name of a value's type, as C knows it: types made in C have their module's name in front."""
    kind = type(value)
    if kind in OWN_TYPES:
        return OWN_TYPES[kind]
    made_in_c = not kind.__flags__ & (1 << 9)
    return f"{kind.__module__}.{kind.__name__}" if made_in_c and kind.__module__ != "builtins" else kind.__name__


OWN_TYPES = {kind: f"torch.{kind.__name__}" for kind in (core.dtype, core.device, core.layout, core.memory_format, core.Size)} | {
    core.Generator: "torch._C.Generator",
    core.Storage: "torch.storage.UntypedStorage",
    core.Wrapped: "Tensor",
    Tensor: "Tensor",
}


def described(args, keywords):
    parts = [type_name(value) for value in args] + [f"{key}={type_name(value)}" for key, value in reversed(keywords.items())]
    return f"({', '.join(parts)}{', ' if keywords and not args else ''})"


def invalid_combination(parser, args, keywords):
    """The error of functions of several signatures."""
    options = [str(signature) for signature in parser.signatures if not signature.is_deprecated]
    start = f"{parser.name}() received an invalid combination of arguments - "
    if len(options) == 1:
        wrong = unmatched(options[0], keywords)
        if wrong:
            return f"{start}got unrecognized keyword arguments: {', '.join(wrong)}"
        got = marked(options[0], args, keywords) if counts_match(options[0], args, keywords) else described(args, keywords)
        return f"{start}got {got}, but expected {options[0]}"
    lines = [f"{start}got {described(args, keywords)}, but expected one of:"]
    for option in options:
        lines.append(f" * {option}")
        if counts_match(option, args, keywords):
            wrong = unmatched(option, keywords)
            lines.append(
                f"      didn't match because some of the keywords were incorrect: {', '.join(wrong)}"
                if wrong
                else f"      didn't match because some of the arguments have invalid types: {marked(option, args, keywords)}"
            )
    return "\n".join(lines) + "\n"


# What follows reads the printed signature, as PyTorch does: a parameter with a default has the default for its name there.
def printed_parts(option):
    return [part.rpartition(" ")[::2] for part in option[1:-1].split(", ")] if len(option) > 2 else [("", "")]


def counts_match(option, args, keywords):
    return len(args) + len(keywords) == len(printed_parts(option))


def unmatched(option, keywords):
    parts = printed_parts(option)
    names = [name for _, name in parts[max(0, len(parts) - len(keywords)) :]]
    return [keyword for keyword in reversed(keywords) if keyword not in names]


def marked(option, args, keywords):
    """The types given, those that do not match between exclamation marks."""
    texts = []
    for place, (title, name) in enumerate(printed_parts(option)[: len(args) + len(keywords)]):
        value = args[place] if place < len(args) else keywords[name]
        given = listed_types(value)
        fits = given in ("float", "int") if title == "float" else given == title
        text = ("" if place < len(args) else f"{name}=") + given
        texts.append(text if fits else f"!{text}!")
    return f"({', '.join(texts)})"


def listed_types(value):
    """The type's name, and for a list or tuple those of its elements."""
    if not isinstance(value, tuple | list):
        return type_name(value)
    types = ", ".join(map(type_name, value))
    if isinstance(value, list):
        return f"{type_name(value)} of [{types}]"
    return f"{type_name(value)} of ({types}{',' if len(value) == 1 else ''})"


def warn_of_deprecated(parser, signature):
    others = [f"\t{parser.name}{other}" for other in parser.signatures if not other.is_deprecated]
    core.warn_once(
        f"This overload of {parser.name} is deprecated:\n\t{parser.name}{signature}\nConsider using one of the following signatures instead:\n"
        + "\n".join(others),
        "deprecated overload",
    )


# ---------------------------------------------------------------------------------------------------------- what each kind accepts
def numpy_kind(value):
    """The kind letter of a NumPy scalar's dtype; None for anything else."""
    numpy = sys.modules.get("numpy")
    return value.dtype.kind if numpy is not None and isinstance(value, numpy.generic) else None


def is_tensor(value):
    """Whether a value is a tensor, or of a type that takes part in __torch_function__ as if it were one."""
    return isinstance(value, Tensor) or is_tensor_like(value)


def is_tensor_like(value):
    handler = getattr(type(value), "__torch_function__", core.disabled_torch_function)
    return not isinstance(value, Tensor) and handler is not core.disabled_torch_function


def is_plain_tensor(value, integral=False):
    """A 0-d tensor that stands for a number."""
    if not isinstance(value, Tensor) or value.ndim or value.requires_grad:
        return False
    return not integral or not (value.is_floating_point() or value.is_complex() or value.dtype is core.dtype_by_name["bool"])


def is_int(value):
    if isinstance(value, int):
        return not isinstance(value, bool)
    return is_plain_tensor(value, True) if isinstance(value, Tensor) else numpy_kind(value) in ("i", "u")


def is_index(value):
    if isinstance(value, int):
        return not isinstance(value, bool)
    if isinstance(value, Tensor):
        return value.numel() == 1 and not value.is_floating_point() and not value.is_complex()
    if isinstance(value, type) or not hasattr(type(value), "__index__"):
        return False
    try:
        operator.index(value)
    except Exception:
        return False
    return True


def is_float(value):
    return isinstance(value, float | int) or is_plain_tensor(value) or numpy_kind(value) in ("i", "u", "f", "c", "b")


def is_number(value):
    return isinstance(value, complex) or is_float(value)


def is_index_list(value):
    return isinstance(value, tuple | list) and (len(value) == 0 or is_index(value[0]))


def is_device(value):
    return isinstance(value, str | bytes | core.device) or (is_int(value) and not isinstance(value, Tensor))


ACCEPTS = {
    "Tensor": is_tensor,
    "Tensor/Number": lambda value: is_tensor(value) or is_number(value),
    "Number": is_number,
    "int": is_int,
    "index": is_index,
    "ints": is_index_list,
    "sizes": is_index_list,
    "tensors": lambda value: isinstance(value, tuple | list),
    "numbers": lambda value: isinstance(value, tuple | list) and all(map(is_number, value)),
    "floats": lambda value: isinstance(value, tuple | list) and all(map(is_float, value)),
    "float": is_float,
    "bool": lambda value: isinstance(value, bool),
    "pinned": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str | bytes),
    "dtype": lambda value: isinstance(value, core.dtype) or (isinstance(value, type) and value in PYTHON_DTYPES),
    "layout": lambda value: isinstance(value, core.layout),
    "device": is_device,
    "memory_format": lambda value: isinstance(value, core.memory_format),
    "generator": lambda value: isinstance(value, core.Generator),
    "storage": is_storage,
    "object": lambda value: True,
}


# ---------------------------------------------------------------------------------------------------------- what is made of it
def as_given(name, parameter, place, value):
    return value


def as_integer(name, parameter, place, value):
    if value is None:
        return None
    value = int(value)
    if not -(2**63) <= value < 2**63:
        raise ValueError("Overflow when unpacking long long")
    return value


def as_sizes(name, parameter, place, value):
    """A tuple of integers."""
    if value is None:
        return None
    if not isinstance(value, tuple | list):
        if not isinstance(value, int | Tensor) and numpy_kind(value) is None:
            raise RuntimeError(f"{name}(): argument '{parameter.name}' must be an int or a tuple of ints, not {type_name(value)}")
        refuse_truth(parameter, value)
        return as_integer(name, parameter, place, operator.index(value))
    made = []
    for position, element in enumerate(value):
        if not is_index(element) and not isinstance(element, bool):  # (The first one is no bool: `ACCEPTS`.)
            raise TypeError(
                f"{name}(): argument '{parameter.name}' failed to unpack the object at pos {position + 1} with error \"type must be "
                f'tuple of ints,but got {type_name(element)}"'
            )
        refuse_truth(parameter, element)
        number = int(element)
        if not -(2**63) <= number < 2**63:
            raise TypeError(
                f"{name}(): argument '{parameter.name}' failed to unpack the object at pos {position + 1} with error \"Overflow when "
                "unpacking long long"
            )
        made.append(number)
    return core.Size(made) if type(value) is Loose else tuple(made)  # (to the old constructors, a tuple is data)


def refuse_truth(parameter, value):
    """Raises for a tensor of bool among sizes."""
    if parameter.kind == "sizes" and isinstance(value, Tensor) and value.dtype is core.dtype_by_name["bool"]:
        raise RuntimeError("Expected scalar.isIntegral( false) to be true, but got false.")


def as_index(name, parameter, place, value):
    if isinstance(value, Tensor) and value.dtype is core.dtype_by_name["bool"]:
        raise RuntimeError("a tensor of bool is no index")
    return as_integer(name, parameter, place, value)


def as_float(name, parameter, place, value):
    if value is None or isinstance(value, float | int):
        return value if value is None else float(value)
    return float(real_part(value))


def real_part(value):
    value = value.item()
    if isinstance(value, complex):
        if value.imag:
            raise RuntimeError("value cannot be converted to type double without overflow")
        return value.real
    return value


def as_number(name, parameter, place, value):
    """A Python number. (A truth of NumPy counts as a float.)"""
    if numpy_kind(value) == "b":
        return float(value)
    if isinstance(value, Tensor) or numpy_kind(value) is not None:
        value = value.item()
    if isinstance(value, int):
        if value >= 2**64:
            raise OverflowError("int too big to convert")
        if value < -(2**63):
            raise OverflowError("can't convert negative int to unsigned")
    return value


def as_tensor(name, parameter, place, value):
    if parameter.name == "input" and not is_tensor(value):
        return core.tensor(as_number(name, parameter, place, value))
    return value if is_tensor(value) else as_number(name, parameter, place, value)


def as_tensors(name, parameter, place, value):
    for position, element in enumerate(value or ()):
        if not is_tensor(element) and not (element is None and name.startswith("index")):
            raise TypeError(f"expected Tensor as element {position} in argument {place}, but got {type_name(element)}")
    return value


def as_dtype(name, parameter, place, value):
    return core.dtype_by_name[PYTHON_DTYPES[value]] if isinstance(value, type) else value


def as_device(name, parameter, place, value):
    if value is None or isinstance(value, core.device):
        return value
    if isinstance(value, str | bytes):
        return core.device(value if isinstance(value, str) else value.decode())
    return core.device(as_integer(name, parameter, place, value))


def as_unpinned(name, parameter, place, value):
    """Memory cannot be pinned where there is no other device."""
    if value:
        raise RuntimeError(
            "pin_memory=True requires a CUDA or other accelerator backend; no pinned memory allocator is available on this system."
        )
    return value


def as_text(name, parameter, place, value):
    return value.decode() if isinstance(value, bytes) else value


CONVERSIONS = dict.fromkeys(ACCEPTS, as_given) | {
    "Tensor/Number": as_tensor,
    "Number": as_number,
    "int": as_integer,
    "index": as_index,
    "ints": as_sizes,
    "sizes": as_sizes,
    "tensors": as_tensors,
    "numbers": lambda name, parameter, place, value: [as_number(name, parameter, place, number) for number in value],
    "floats": lambda name, parameter, place, value: [as_float(name, parameter, place, number) for number in value],
    "float": as_float,
    "dtype": as_dtype,
    "device": as_device,
    "pinned": as_unpinned,
    "str": as_text,
}

check_device = core.Parser("device", "device device | str type, int index=-1")
DEVICES = "cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, mps, meta, hpu, mtia, privateuseone"


@functools.lru_cache(maxsize=64)
def named_device(text):
    """Type and number (or None) in a text like "cuda:0"."""
    name, colon, number = text.partition(":")
    if not text:
        raise RuntimeError("Device string must not be empty")
    is_number = number.isdigit() and (number == "0" or number[0] != "0")
    if not name or not name.replace("_", "").isalpha() or (colon and not is_number):
        raise RuntimeError(f"Invalid device string: '{text}'")
    if name not in DEVICES.split(", "):
        raise RuntimeError(f"Expected one of {DEVICES} device type at start of device string: {name}")
    return name, int(number) if colon else None


def device_parts(*args, **named):
    """Type and index of a device, by what its class is called with."""
    if len(args) + len(named) == 1 and (args or "device" in named):
        kind, index = args[0] if args else named["device"], None
        if isinstance(kind, core.device):
            return kind.type, kind.index
        if type(kind) is int:
            raise RuntimeError(
                "Device index must not be negative" if kind < 0 else "Cannot access accelerator device when none is available."
            )
    else:
        kind, index = args[0] if args else named.get("type"), args[1] if len(args) > 1 else named.get("index")
    is_index = index is None or type(index) is int
    if not isinstance(kind, str) or not is_index or len(args) > 2 or named.keys() - {"device", "type", "index"}:
        check_device(*args, **named)
    name, number = named_device(kind.decode() if isinstance(kind, bytes) else kind)
    if index is None:
        return name, number
    if number is not None:
        raise RuntimeError(f"type (string) must not include an index because index was passed explicitly: {kind}")
    if index < 0:
        raise RuntimeError("Device index must not be negative")
    return name, index


NOT_COMPILED = {
    "cuda": "Torch not compiled with CUDA enabled",
    "xpu": "Torch not compiled with XPU enabled",
    "mtia": "Torch not compiled with MTIA enabled. Ensure you have `import mtia.host_runtime.torch_mtia.dynamic_library` in your python src "
    "file and include `//mtia/host_runtime/torch_mtia:torch_mtia` as your target dependency!",
}


def refuse_place(kind):
    """Raises for a kind of device that tensors cannot be on, in the words that PyTorch built without it uses."""
    if kind in NOT_COMPILED:
        raise AssertionError(NOT_COMPILED[kind])
    if kind in ("hpu", "privateuseone"):
        raise ModuleNotFoundError(f"No module named 'torch.{kind}'")
    raise RuntimeError(f"PyTorch is not linked with support for {kind} devices")


core.asked.load_signatures, core.asked.convert_arguments = load, convert

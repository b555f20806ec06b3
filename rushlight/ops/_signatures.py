"""The signatures of the public functions and methods: names, kinds, order and defaults of their parameters.

This is what the parser (core/calls/arguments.pxi) checks calls against, and what errors speak of. A signature follows from the declaration
of its function: from its parameters, their defaults, and what kind parameters of their name are (KINDS; an annotation says what kind another
is). Where PyTorch's does not, the declaration has it as a text (`signature=`), and so has what is compiled, here (FUNCTIONS, METHODS).

In a text, signatures of one function stand in the order in which they are tried, separated by ` | `; a `deprecated` one is accepted, with a
warning, and a `function` one is not the method's. A parameter is its kind, a `?` where None is taken too, its name, and its default; `ints[1]`
takes a single int as well; `Tensor|Number other` stands for a signature with each of these kinds (`none`: without it); GROUPS has words for several
parameters. The kinds:

    Tensor           Tensor/Number: a plain number too          Number           int, float, bool, complex
    int              an integer                                 index            an integer, or what has __index__
    ints, sizes      a list or tuple of them                    tensors, numbers, floats   a list or tuple
    float, bool, str, dtype, layout, device, memory_format, generator, storage   as they are called
    object           anything
"""

from rushlight import core


def each(kind, names):
    return dict.fromkeys(names.split(), kind)


KINDS = {
    **each(
        "Tensor",
        "A B LU LU_data LU_pivots abs angle append aweights batch1 batch2 bias boundaries count fweights imag index indices input input1 "
        "input2 mask mat mat1 mat2 other out pivots prepend prob real source src target tensor tensor1 tensor2 test_elements values vec "
        "vec1 vec2 weight weights x x1 x2 y",
    ),
    **each(
        "int",
        "N bins chunks correction decimals dim dim0 dim1 dim2 downscale_factor edge_order end_dim ind n num_groups offset r "
        "start_dim upscale_factor window_length",
    ),
    **each("str", "UPLO approximate driver interpolation mode reduce reduction side"),
    **each(
        "bool",
        "accumulate adjoint as_tuple check_errors compute_uv cudnn_enable cudnn_enabled descending equal_nan full_matrices hermitian "
        "include_self increasing keepdim largest left out_int32 periodic pivot replacement right scale_grad_by_freq some sorted sparse "
        "sparse_grad train training transpose unbiased unitriangular unpack_data unpack_pivots upper with_replacement",
    ),
    **each("pinned?", "pin_memory"),
    **each("bool?", "requires_grad"),
    **each("Number", "alpha beta dx fill_value lambd max max_val maxnorm min min_val negative_slope threshold value"),
    **each("float", "atol eps momentum nan neginf p posinf rcond rtol"),
    **each("index", "diagonal end k length minlength num_samples output_size padding_idx split_size start step storage_offset"),
    **each("ints", "dims"),
    **{kind: kind for kind in ("device", "dtype", "generator", "layout", "memory_format", "tensors")},
    **each("sizes", "normalized_shape size sizes split_sizes stride"),
}
"""The kind of a parameter by its name."""

KEYWORDS = {"x": ("input",), "a": ("input",), "b": ("other",)}
"""What PyTorch calls the parameters that rules call x, a and b."""

GROUPS = {
    "out": "Tensor out=None",
    "factory": "dtype? dtype=None, layout? layout=None, device? device=None, pinned? pin_memory=False, bool? requires_grad=False",
}
"""Words that stand for parameters in a signature."""


# What inspect.signature would tell, read off the function: importing inspect, and asking it a thousand times, is felt in every program.
def parameters_of(function):
    """The names of a Python function's parameters."""
    code = function.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def defaults_of(function):
    """Their defaults, core.MISSING where there is none."""
    code, given = function.__code__, function.__defaults__ or ()
    keyword_only = parameters_of(function)[code.co_argcount :]
    without = (core.MISSING,) * (code.co_argcount - len(given))
    return without + given + tuple((function.__kwdefaults__ or {}).get(name, core.MISSING) for name in keyword_only)


def derived(made):
    """The signature that follows from a declaration."""
    if isinstance(made, core.Op):
        function, positional, outputs = made.function, made.positional, max(1, len(made.outputs))
        names, defaults = [KEYWORDS.get(name, (name,))[0] for name in made.parameters], made.defaults
    else:
        function = made.function if isinstance(made, core.Overloaded) else made
        names, defaults, positional = parameters_of(function), defaults_of(function), function.__code__.co_argcount
    parts = [
        parameter_text("input" if name == "self" else name, default, function.__annotations__)
        for name, default in zip(names, defaults)
    ]
    if len(parts) > positional:
        parts.insert(positional, "*")
    if isinstance(made, core.Op) and made.allows_out:
        parts += ["*"] * ("*" not in parts) + ["out" if outputs == 1 else f"tensors[{outputs}] out=None"]
    return ", ".join(parts)


def parameter_text(name, default, annotations):
    kind = annotations.get(name)
    if type(kind) is not str:
        kind = KINDS.get(name, "object")
    if default is core.MISSING:
        return f"{kind} {name}"
    if default is None:
        return f"{kind}{'' if kind.endswith('?') or name == 'out' else '?'} {name}=None"
    return f'{kind} {name}="{default}"' if isinstance(default, str) else f"{kind} {name}={default}"


def expanded(text):
    """A text without words for several parameters, and with a signature for each of several kinds."""
    signatures = [[GROUPS.get(part, part) for part in signature.split(", ")] for signature in text.split(" | ")]
    return " | ".join(choice for parts in signatures for choice in choices(parts))


def choices(parts):
    """The signatures that a list of parameters stands for."""
    place = next((i for i, part in enumerate(parts) if "|" in part), None)
    if place is None:
        return [", ".join(parts)]
    before, (kinds, _, name), behind = parts[:place], parts[place].partition(" "), parts[place + 1 :]
    return [
        choice
        for kind in kinds.split("|")
        for choice in choices([*before, *([] if kind == "none" else [f"{kind} {name}"]), *behind])
    ]


FUNCTIONS = {
    "as_tensor": "object data, *, dtype dtype=None, device? device=None",
    "can_cast": "dtype from_, dtype to",
    "frombuffer": "object buffer, *, dtype dtype, int count=-1, int offset=0, bool requires_grad=False",
    "promote_types": "dtype type1, dtype type2",
    "result_type": (
        "Tensor tensor, Tensor other | Number scalar, Tensor tensor | Tensor tensor, Number other | "
        "Number scalar1, Number scalar2"
    ),
    "tensor": "object data, *, dtype dtype=None, device? device=None, pinned pin_memory=False, bool requires_grad=False",
}
"""Signatures by the name that errors speak of: those of torch.linalg begin with `linalg_`, those of torch.special with `special_`. A
declaration puts its text here, or, where one follows from it, what it made."""

METHODS = {
    "_is_view": "",
    "_make_subclass": "object cls, Tensor data, bool require_grad=False, *, str? dispatch_sizes_strides_policy=None, bool dispatch_device=False, bool dispatch_layout=False, device? device_for_backend_keys=None",
    "as_subclass": "object cls",
    "data_ptr": "",
    "dim": "",
    "element_size": "",
    "get_device": "",
    "is_contiguous": "*, memory_format memory_format=contiguous_format",
    "is_pinned": "device? device=None",
    "item": "",
    "ndimension": "",
    "nelement": "",
    "requires_grad_": "bool requires_grad=True",
    "retain_grad": "",
    "size": "int? dim=None",
    "storage_offset": "",
    "stride": "int? dim=None",
}
"""Those of methods that are no functions, or not with the same signature (see `method_signatures`)."""

NEVER_ASKED = ("_make_subclass", "as_subclass")
"""Methods by which a tensor gets its class: no subclass or mode is asked to take them over."""

TAKES_DATA = ("tensor", "as_tensor", "asarray")
"""Functions to which what they are given is data, whatever its type: modes alone are asked to take them over."""


def signatures(parser):
    """The signatures by which a parser checks, as a text."""
    return expanded(" | ".join(signature for signature, _ in overloads(parser)))


def overloads(parser):
    """The signatures by which a parser checks, as they are written, each with that of the function, which for a method has `input` and `out`."""
    text = parser.text
    if text is None and not parser.is_method:
        text = function_text(parser.name)
    if text is not None:
        return [(signature.removeprefix("function "), signature) for signature in text.split(" | ")]
    return method_signatures(parser.name)


def function_text(name):
    """The text of a function, None where it has none."""
    known = FUNCTIONS.get(name)
    if isinstance(known, core.InPlace):
        if name[:-1] not in FUNCTIONS:
            return derived(known.op)
        known = " | ".join(signature for signature, _ in without(function_text(name[:-1]), ("out",)))
    return known if known is None or isinstance(known, str) else derived(known)


def has_method(name):
    """Whether `method_signatures` has a text for a method, without the work of making it."""
    if name in METHODS:
        return METHODS[name] is not None
    known = FUNCTIONS.get(name) or (FUNCTIONS.get(name[:-1]) if name.endswith("_") else None)
    if isinstance(known, str):
        return " input," in known or known.endswith(" input")
    return known is not None and takes_input(known)


def takes_input(made):
    """Whether something has a parameter that is the tensor itself for a method."""
    made = made.op if isinstance(made, core.InPlace) else made.function if isinstance(made, core.Overloaded) else made
    names = made.parameters if isinstance(made, core.Op) else parameters_of(made)
    return not {"input", "x", "a", "self"}.isdisjoint(names)


def method_signatures(name):
    """Those of a method: its own, or those of the function without `input` and `out`; those of `name_` in doubt those of `name`."""
    known = next(known for known in (name, name[:-1]) if known in METHODS or known in FUNCTIONS)
    if known in METHODS:
        return [(signature, signature) for signature in METHODS[known].split(" | ")]
    return without(function_text(known), ("input", "out"))


MARKS = ("deprecated ", "function ")


def without(text, left_out):
    """The signatures of methods, or of functions in place, that follow from a text of functions: without some parameters, each with that of
    the function."""
    found = []
    for signature in text.split(" | "):
        mark = next((mark for mark in MARKS if signature.startswith(mark)), "")
        parameters = [(part, part.partition("=")[0].rpartition(" ")[2]) for part in signature[len(mark) :].split(", ")]
        if mark != "function " and any(name == "input" for _, name in parameters):
            kept = [part for part, name in parameters if name not in left_out]
            found.append((mark + ", ".join(kept[:-1] if kept[-1:] == ["*"] else kept), signature))
    return found

"""The text of a tensor, as `repr` and `print` show it."""

import math
import sys
from types import SimpleNamespace

import rushlight as torch
from rushlight import core

__all__ = ["get_printoptions", "set_printoptions", "tensor_text"]


_PROFILES = {
    "default": dict(precision=4, threshold=1000, edgeitems=3, linewidth=80),
    "short": dict(precision=2, threshold=1000, edgeitems=2, linewidth=80),
    "full": dict(precision=4, threshold=math.inf, edgeitems=3, linewidth=80),
}
_options = SimpleNamespace(precision=4, threshold=1000, edgeitems=3, linewidth=80, sci_mode=None)


def set_printoptions(precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None):
    """Sets how tensors are printed; what is None stays as it is, except `sci_mode`.

    Args:
        precision: digits after the point.
        threshold: the number of elements above which only the edges are shown.
        edgeitems: how many elements are shown at either edge of a dimension.
        linewidth: characters a line.
        profile: "default", "short" or "full": values of the options above, set first.
        sci_mode: whether to write all numbers with an exponent; None decides by the numbers.

    >>> import rushlight as torch
    >>> torch.set_printoptions(precision=2)
    >>> torch.tensor([1.23456])
    tensor([1.23])
    >>> torch.set_printoptions(profile="default")
    """
    given = dict(precision=precision, threshold=threshold, edgeitems=edgeitems, linewidth=linewidth)
    chosen = _PROFILES.get(profile, {})
    for name, value in {**chosen, **{name: value for name, value in given.items() if value is not None}}.items():
        setattr(_options, name, value)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict:
    """The options now in force, by the names of `set_printoptions`.

    >>> import rushlight as torch
    >>> torch.get_printoptions()["precision"]
    4
    """
    return dict(vars(_options))


class _RealFormat:
    """How the numbers of one tensor are written: all with the same digits, padded to the same width."""

    def __init__(self, numbers: list, floating: bool) -> None:
        self.floating = floating
        self.whole = True
        self.scientific = False
        self.width = 1
        if not floating:
            self.width = max((len(str(x)) for x in numbers), default=1)
            return
        counted = [x for x in numbers if x and math.isfinite(x)]
        if not counted:
            return
        sizes = [abs(x) for x in counted]
        largest, smallest = max(sizes), min(sizes)
        self.whole = all(x.is_integer() for x in counted)
        self.scientific = largest / smallest > 1000.0 or largest > 1.0e8 or (not self.whole and smallest < 1.0e-4)
        if _options.sci_mode is not None:
            self.scientific = _options.sci_mode
        # Infinities and NaNs do not widen a column of whole numbers, and are padded to a column of fractions.
        self.width = max(self.width, *(len(self._digits(x)) for x in counted))

    def _digits(self, x) -> str:
        if not self.floating:
            return str(x)
        if self.scientific:
            return f"{x:.{_options.precision}e}"
        if self.whole:
            return f"{x:.0f}." if math.isfinite(x) else f"{x:.0f}"
        return f"{x:.{_options.precision}f}"

    def __call__(self, x) -> str:
        return self._digits(x).rjust(self.width)


class _ComplexFormat:
    """Real and imaginary part, each with digits of its own; only the real part is padded."""

    def __init__(self, numbers: list) -> None:
        self.real = _RealFormat([x.real for x in numbers], True)
        self.imaginary = _RealFormat([x.imag for x in numbers], True)
        self.width = self.real.width + self.imaginary.width + 1

    def __call__(self, x) -> str:
        imaginary = self.imaginary(x.imag).lstrip()
        sign = "" if imaginary[0] in "+-" else "+"
        return f"{self.real(x.real)}{sign}{imaginary}j"


def _flatten(values, depth: int) -> list:
    for _ in range(depth - 1):
        values = [x for row in values for x in row]
    return values if depth else [values]


def _edges(x):
    """`x` with only the elements that are shown: the edge items of each dimension that is longer."""
    edge = _options.edgeitems
    for dim, size in enumerate(x.shape):
        if size > 2 * edge:
            x = torch.cat((x.narrow(dim, 0, edge), x.narrow(dim, size - edge, edge)), dim)
    return x


def _vector_text(values: list, cut: bool, form, indent: int) -> str:
    items = [form(x) for x in values]
    if cut:
        items.insert(len(items) // 2, " ..." if items else "...")
    per_line = max(1, (_options.linewidth - indent) // (form.width + 2))
    lines = [", ".join(items[start : start + per_line]) for start in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _array_text(values, cuts: list[bool], form, indent: int) -> str:
    """`values`, nested as deep as `cuts` is long, with an ellipsis in the middle of the dimensions that were cut."""
    if not cuts:
        return form(values)
    if len(cuts) == 1:
        return _vector_text(values, cuts[0], form, indent)
    parts = [_array_text(row, cuts[1:], form, indent + 1) for row in values]
    if cuts[0]:
        parts.insert(len(parts) // 2, "...")
    return "[" + ("," + "\n" * (len(cuts) - 1) + " " * (indent + 1)).join(parts) + "]"


def _contents(t, indent: int) -> str:
    """The numbers of `t` in their brackets."""
    cuts = [False] * t.dim()
    x = t.detach()
    if t.numel() > _options.threshold:
        cuts = [size > 2 * _options.edgeitems for size in t.shape]
        x = _edges(x)
    values = x.tolist()
    numbers = _flatten(values, t.dim())
    if t.dtype is torch.float8_e8m0fnu:  # has no zero; its least number is taken for that
        numbers = [0.0 if number == 2.0**-127 else number for number in numbers]
    form = _ComplexFormat(numbers) if t.is_complex() else _RealFormat(numbers, t.is_floating_point())
    return _array_text(values, cuts, form, indent)


def _history(t) -> str | None:
    """What a tensor says about its gradient."""
    try:
        node = t.grad_fn
    except RuntimeError:  # a view whose history an in-place write made impossible
        return "grad_fn=<Invalid>"
    if node is not None:
        return f"grad_fn=<{node.name().rsplit('::', 1)[-1]}>"
    return "requires_grad=True" if t.requires_grad else None


def _parameter() -> tuple:
    """The class of parameters, where the program has asked for it."""
    module = sys.modules.get("rushlight.nn.parameter")
    return () if module is None else (module.Parameter,)


def _history_outside(t):
    """The same of a tensor inside of derivatives, or the parameter that it stands for."""
    found = core.history_outside(t)
    if found is None or isinstance(found, _parameter()):
        return found
    return "requires_grad=True" if isinstance(found, torch.Tensor) else f"grad_fn=<{found.name().rsplit('::', 1)[-1]}>"


def _tangent(t) -> str | None:
    # Only who has imported the module can have made a dual number.
    forward_ad = sys.modules.get("rushlight.autograd.forward_ad")
    tangent = None if forward_ad is None else forward_ad.unpack_dual(t).tangent
    return None if tangent is None else f"tangent={tangent}"


def _is_default(dtype) -> bool:
    default = torch.get_default_dtype()
    return dtype in (default, torch.int64, torch.bool, torch.complex128 if default == torch.float64 else torch.complex64)


def tensor_text(t, *, tensor_contents: str | None = None) -> str:
    """The text of a tensor; `tensor_contents` takes the place of its numbers."""
    if core.transform_depth() or core.is_of_transform(t):
        return _text_in_transforms(t, tensor_contents, -1)
    return _plain_text(t, tensor_contents)


def _text_in_transforms(t, tensor_contents: str | None, limit: int) -> str:
    """The text of a tensor as the transforms see it that are at most `limit` deep: what each has made of it, around what is within."""
    depths, lowest = core.derivatives_around(t, limit)
    text = None
    if type(t) is core.Wrapped and not t.level.tracks_all:
        shown = t.value.movedim(0, t.given_dim) if t.given_dim else t.value
        text = _text_in_transforms(shown, tensor_contents, lowest - 1)
        if isinstance(t.level, core.DualLevel):
            depths.append(lowest)
        elif t.aspect is not None:
            text = _enclosed(f"BatchedTensor(lvl={lowest}, bdim={t.given_dim}", text)
    if text is None:
        text = _plain_text(t, tensor_contents, inside=bool(depths))
    for depth in reversed(depths):
        text = _enclosed(f"GradTrackingTensor(lvl={depth}", text)
    return text


def _enclosed(kind: str, text: str) -> str:
    lines = [f"    {line}" if line else line for line in text.split("\n")]
    return "\n".join([f"{kind}, value=", *lines, ")"])


def _plain_text(t, tensor_contents: str | None, inside: bool = False) -> str:
    """The text of a tensor as such; of one that is `inside` of derivatives, only the graph that leads out of them is told."""
    history = _history(t) if not inside else _history_outside(t)
    if isinstance(history, _parameter()):
        return repr(history)
    plain = type(t) in (torch.Tensor, core.Wrapped, *_parameter())
    start = "tensor(" if plain else f"{type(t).__name__}("
    indent = len(start)
    if not plain and isinstance(t, _parameter()):
        start = f"Parameter({start}"
    notes = []
    with torch.no_grad():
        if t.device.type == "meta":
            notes += [f"device='{t.device}'", f"size={tuple(t.shape)}"]
            named = t.dtype == torch.get_default_dtype()
            text = "..."
        elif t.numel() == 0:
            notes += [f"size={tuple(t.shape)}"] if t.dim() != 1 else []
            named = t.dtype == torch.get_default_dtype()
            text = "[]"
        else:
            named = _is_default(t.dtype)
            # Without edges nothing else tells the size.
            notes += [f"size={tuple(t.shape)}"] if not _options.edgeitems and t.numel() > _options.threshold else []
            text = _contents(t, indent) if tensor_contents is None else ""
        if tensor_contents is not None:
            text = tensor_contents
    notes += [] if named else [f"dtype={t.dtype}"]
    notes += [note for note in (history, _tangent(t)) if note is not None]

    return _with_notes(start + text, notes, indent) + ")" * start.count("(")


def _with_notes(text: str, notes: list, indent: int) -> str:
    """The text and what is said after it, in lines."""
    column = len(text) - text.rfind("\n") + 1
    for note in notes:
        if column + len(note) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + note
            column = indent + len(note)
        else:
            text += ", " + note
            column += len(note) + 2
    return text


def typename(obj) -> str:
    """The name of the type of `obj`, with its module; a tensor's says its dtype.

    >>> import rushlight as torch
    >>> torch.typename(torch.ones(2)), torch.typename(3)
    ('torch.FloatTensor', 'int')
    """
    if isinstance(obj, torch.Tensor):
        return obj.type()
    named = obj if getattr(obj, "__qualname__", None) else type(obj)
    module = getattr(named, "__module__", None) or ""
    if module.split(".")[0] == __package__:
        module = "torch" + module[len(__package__) :]
    return named.__qualname__ if module in ("", "builtins") else f"{module}.{named.__qualname__}"

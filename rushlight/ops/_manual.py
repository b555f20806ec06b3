"""Docstrings of public functions and methods. One is composed when somebody asks for it, from what is known elsewhere: the signatures from those
by which arguments are checked, the summary and the derivatives from the declaration, a sentence for each parameter from `_words`. What is
an op's own has an entry in one of the files of `manual/`:

    # name
    dtypes: bool integers floats halves complex
    shapes: a sentence; so have `summary`, `raises`, `note`, `derivatives`, and each parameter that means something else than usual

and then the example, as the interpreter shows it. Dtypes and what is printed are PyTorch's (tools/fill_manual.py). Other names of a function, methods
and calls in place have the entry of their function, whose example is turned into a call of theirs; one that needs its own is called
`# other.name`, `# Tensor.name`, `# Tensor.name_`.
"""

import ast
import functools
import inspect
import re
import textwrap
from pathlib import Path

from rushlight import core
from rushlight.ops import _arguments, _words
from rushlight.ops._declare import namespaces, without_gradient
from rushlight.ops._return_types import types as result_types
from rushlight.ops._signatures import KEYWORDS, expanded, overloads

WIDTH = 120


# ---------------------------------------------------------------------------------------------------------- what is known
class Entry:
    """What a file of the manual has of one name: sentences by what they are about, and the lines of its example."""

    def __init__(self, name, lines):
        count = next((i for i, line in enumerate(lines) if line.startswith(">>>")), len(lines))
        self.name, self.example = name, lines[count:]
        self.words = dict(line.partition(": ")[::2] for line in lines[:count])


@functools.cache
def entries():
    """Every entry by its name."""
    found = {}
    for path in sorted(Path(__file__).with_name("manual").glob("*.txt")):
        for block in re.split(r"^# ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            name, *lines = block.rstrip().split("\n")
            found[name] = Entry(name, lines)
    return found


def behind(called):
    """The op or Python function behind parsers, short ways and calls in place."""
    if isinstance(called, core.Function):
        called = called.target
    if isinstance(called, core.InPlace):
        called = called.op
    return called.function if isinstance(called, core.Overloaded | core.Factory) else called


class Place:
    """Where programs find a callable: "" for torch, the name of another namespace, or "Tensor"; and its name there."""

    def __init__(self, called):
        if isinstance(called, core.Method):
            self.space, self.name = "Tensor", called.__name__
        else:
            module, self.name = core.asked.find_public(called)
            self.space = "Tensor" if module is None else module.partition(".")[2]
        self.is_method = self.space == "Tensor"
        self.is_twin = isinstance(getattr(called, "target", called), core.InPlace)
        self.path = f"{self.space}." * bool(self.space) + self.name

    def names(self, made):
        """The names under which an entry may stand: its own; and, for a method, a call in place or another name, that of the function."""
        in_place = self.name.endswith("_")
        others = names_of(sum(map(len, namespaces.values()))).get(id(made), ())
        yield from (self.path, self.name)
        if self.is_method:
            yield from (f"Tensor.{name}" for name in others if name.endswith("_") == in_place)
        for name in (self.name.removesuffix("_"), *(name.removesuffix("_") for name in others)):
            yield from (name, *(f"{space}.{name}" for space in ("Tensor", "linalg", "special")))


@functools.cache
def names_of(count):
    """Every public name of what is declared, by its identity. (`count` tells how many names there are: late families bring more.)"""
    found = {}
    for space in namespaces.values():
        for name, other in space.items():
            found.setdefault(id(behind(other)), []).append(name)
    return found


def entry_of(called):
    """What the manual has of a callable, None where there is nothing."""
    return next(filter(None, map(entries().get, Place(called).names(behind(called)))), None)


# ---------------------------------------------------------------------------------------------------------- its parts
def declared(made):
    """What the declaration says, by the names that programs give arguments: paragraphs, sentences by what they are about, and the lines of an
    example."""
    text = (made.function if isinstance(made, core.Op) else made).__doc__ or ""
    if isinstance(made, core.Op):
        for inner, (public, *_) in KEYWORDS.items():
            if inner in made.parameters:
                text = text.replace(f"`{inner}`", f"`{public}`")
    lines = inspect.cleandoc(text).split("\n")
    count = next((i for i, line in enumerate(lines) if line.startswith(">>>")), len(lines))
    shown = [line.replace("rushlight", "torch") for line in lines[count:] if not line.startswith(">>> import")]
    paragraphs, words = [], {}
    for block in "\n".join(lines[:count]).strip().split("\n\n"):
        head, *rest = block.split("\n")
        if head == "Args:":
            for line in rest:
                names, _, sentence = line.strip().partition(": ")
                words.update(dict.fromkeys(names.split(", "), sentence.rstrip(".")))
        elif head.startswith("Shapes: "):
            words["shapes"] = " ".join(block.removeprefix("Shapes: ").split())
        else:
            paragraphs.append(" ".join(block.split()))
    if isinstance(made, core.Op) and paragraphs:
        paragraphs[0] = with_letters(paragraphs[0], made)
    return paragraphs, words, shown


def with_letters(text, made):
    """A sentence, and what the letters of a formula in it stand for: those of the declaration's parameters."""
    formula = re.sub(r"`[^`]*`", "", text)
    used = [name for name in KEYWORDS if name in made.parameters and re.search(rf"(?<![\w']){name}(?![\w'])", formula)]
    if "b" not in used and "a" in used:
        used.remove("a")  # (the article)
    if not used:
        return text
    return f"{text.rstrip('.')} ({', '.join(f'{name} is `{KEYWORDS[name][0]}`' for name in used)})."


def result(called, made):
    """What a call returns, as far as it is known."""
    if isinstance(made, core.Op):
        if made.result_type is not None:
            return f"torch.return_types.{made.result_type.__name__}({', '.join(made.result_type._fields)})"
        if type(made) is core.MultiViewOp:
            return "tuple of Tensors"
        return "Tensor" if len(made.outputs) < 2 else f"({', '.join(['Tensor'] * len(made.outputs))})"
    annotated = getattr(made, "__annotations__", {}).get("return")
    if isinstance(annotated, type):
        return annotated.__name__
    text = None if annotated is None else str(annotated).replace("torch.", "").replace("tuple[Tensor, ...]", "tuple of Tensors")
    return text and re.sub(r"^tuple\[(.*)\]$", r"(\1)", text)


def written(called, made, words, title):
    """The signatures, each with what it returns: one tensor, where nothing says otherwise."""
    known = words.get("returns") or result(called, made)
    if known is None and "it returns " in words.get("derivatives", ""):
        known = words["derivatives"].rpartition("it returns ")[2]
    kind = result_types.get(title.replace(".", "_"))
    several = "tuple of Tensors" if kind is None else f"torch.return_types.{kind.__name__}({', '.join(kind._fields)})"
    for signature, gives_several in zip(signatures(called), outputs(called), strict=True):
        yield f"{title}{signature} -> {known or (several if gives_several else 'Tensor')}"


def outputs(called):
    """Whether each of `signatures` gives several tensors: so its `out` says, for a method that of the function."""
    for text, of_function in overloads(called.parser) if getattr(called, "parser", None) is not None else ():
        if not text.startswith("deprecated "):
            yield from [re.search(r"tensors(\[\d\])? out=", of_function) is not None for _ in expanded(text).split(" | ")]


def signatures(called):
    """The signatures by which a callable's arguments are checked, those of older programs left out."""
    parser = getattr(called, "parser", None)
    if parser is None:
        return []
    if parser.signatures is None:
        _arguments.load(parser)
    return [each for each in parser.signatures if not each.is_deprecated]


def arguments(found, words):
    """A line for each parameter: its kinds, and what is given for it."""
    parameters = {}
    for signature in found:
        for parameter in signature.parameters:
            parameters.setdefault(parameter.name, []).append(parameter)
    for name, given in parameters.items():
        kinds = dict.fromkeys(
            kind for each in given for kind in ([*["int"] * each.takes_one, _words.KINDS.get(each.kind, each.kind)]) if kind
        )
        kind = " or ".join(kinds)
        optional = all(not each.is_required or each.takes_none for each in given)
        about = ", ".join([*[kind] * bool(kind), *["optional"] * optional])
        several = any(each.kind in _arguments.LISTS for each in given)
        text = words.get(name) or (several and _words.SEVERAL.get(name)) or _words.PARAMETERS.get(name, "")
        yield f"    {name}{f' ({about})' if about else ''}: {text}".rstrip(": ")


def operands(made):
    """The tensors that an element-wise op computes with, as programs call them."""
    return [KEYWORDS.get(made.parameters[i], made.parameters[i : i + 1])[0] for i in made.tensor_parameters]


def listed(names):
    *first, last = [f"`{name}`" for name in names]
    return f"{', '.join(first)} and {last}" if first else last


def shapes(made):
    if isinstance(made, core.PointwiseOp):
        if len(operands(made)) > 1:
            return f"{listed(operands(made))} are broadcast against each other; the result has their common shape."
        return "any; the result has that of `input`."
    if isinstance(made, core.ReductionOp) and "dim" in made.parameters:
        return "any; the result lacks the dimensions `dim`, or with `keepdim` has them with size 1."
    return None


RESULTS = {
    "sum": "the result is of the same dtype, int64 for bool and integers, or `dtype`",
    "floating": "the result is of the same dtype, or `dtype`",
    "real": "the result of complex numbers is real",
    "bool": "the result is bool (that of uint8 is uint8)",
    "int64": "the result is int64",
}


def dtypes(made, words, in_place):
    """Which dtypes are taken, and what comes out."""
    taken = ", ".join(_words.DTYPES.get(word, word) for word in words.get("dtypes", "").split())
    if isinstance(made, core.PointwiseOp) and made.promotes_to_float:
        numbers = (
            "Bool and integers cannot hold the result"
            if in_place
            else "Bool and integers are computed in the default dtype (float32)"
        )
        given = f" {numbers}." if "integers" in taken else ""
    elif isinstance(made, core.PointwiseOp) and len(operands(made)) > 1:
        given = " Different ones are promoted to one that holds both (`torch.result_type`)."
    elif isinstance(made, core.ReductionOp) and made.result_dtype in RESULTS:
        given = f" {RESULTS[made.result_dtype].capitalize()}."
    else:
        given = ""
    return f"{taken}.{given}" if taken else given.strip() or None


def derivatives(made, name, found, in_place):
    """By what there are derivatives, and what the node is called."""
    if any(parameter.name == "requires_grad" for signature in found for parameter in signature.parameters):
        return "none; the result is a leaf, which requires grad where it is told to."
    if not isinstance(made, core.Op):
        return "those of the ops that it is made of."
    if made.no_derivative is not None:
        return "not implemented: backward through it raises an error."
    rules = [rule for rule in made.rules if not hasattr(rule.function, "text")]
    if made.backward_names == (None,):
        return "those of the ops that it is made of."
    if not rules or name in without_gradient:
        return "none; what it returns does not require grad."
    by = [made.parameters[rule.parameter] for rule in rules if rule.parameter >= 0]
    by = by or [made.parameters[i] for i in made.tensor_parameters]
    public = dict.fromkeys(KEYWORDS.get(each, (each,))[0] for each in by)
    if isinstance(made, core.ViewOp | core.MultiViewOp):
        if in_place:
            return f"those of the view; no element is moved. grad_fn is {made.backward_names[0]}."
        return f"it is a view: {listed(public)} and the result share memory, and gradients flow through writes into either."
    forward = made.linear or made.jvp is not None or all(rule.is_slope for rule in rules)
    return f"by {listed(public)}{', in reverse and in forward mode' * forward}; grad_fn is {made.backward_names[0]}."


def raises(made, place, found, words):
    """Which errors there are, and when."""
    names = {parameter.name: parameter for signature in found for parameter in signature.parameters}
    if found:
        yield "TypeError where arguments are of other kinds than the signature says"
    if isinstance(made, core.PointwiseOp) and len(operands(made)) > 1:
        yield "RuntimeError where shapes cannot be broadcast"
    if "dim" in names and names["dim"].kind in ("int", "ints", "index"):
        yield "IndexError where `dim` is not one of the dimensions"
    if "dtypes" in words and set(words["dtypes"].split()) != set(_words.DTYPES):
        yield "RuntimeError for other dtypes"
    if "out" in names:
        yield "RuntimeError where `out` cannot hold the dtype of the result"
    if place.name.endswith("_"):
        yield "RuntimeError where the tensor cannot hold shape or dtype of the result, or is a leaf that requires grad"
    if "raises" in words:
        yield words["raises"].rstrip(".")


# ---------------------------------------------------------------------------------------------------------- examples
def example(entry, place, made):
    """The lines of an entry's example, or that of the declaration, as calls of what is asked about."""
    if not entry.example:
        return declared(made)[2]
    if entry.name == place.path:
        return entry.example
    return [retold(line, f"torch.{entry.name}", place) if line.startswith((">>> ", "... ")) else line for line in entry.example]


def retold(line, function, place):
    """A line of an example with calls of `function` turned into those of a method, or of a function of another name."""
    start, code = line[:4], line[4:]
    if not place.is_method:
        return start + re.sub(rf"{re.escape(function)}(?=\()", f"torch.{place.path}", code)
    try:
        calls = [node for node in ast.walk(ast.parse(code.strip())) if isinstance(node, ast.Call)]
    except SyntaxError:
        return line
    text = code.strip()
    for call in calls:
        if ast.unparse(call.func) != function or not (call.args or call.keywords):
            continue
        values = [*call.args, *(keyword.value for keyword in call.keywords)]
        first, rest = values[0], text[values[0].end_col_offset : call.end_col_offset]
        tensor = text[first.col_offset : first.end_col_offset]
        if not isinstance(first, ast.Name | ast.Call | ast.Attribute | ast.Subscript):
            tensor = f"({tensor})"
        return f"{start}{text[: call.col_offset]}{tensor}.{place.name}({rest.lstrip(', ')}{text[call.end_col_offset :]}"
    return line


# ---------------------------------------------------------------------------------------------------------- the whole
@functools.cache
def document(called):
    """The docstring of a function or method; of what is not public, the words of its declaration. (Functions made of it, as by vmap, ask each
    time.)"""
    made = behind(called)
    place = Place(called)
    found = signatures(called)
    if not found and (not isinstance(called, core.Method) and place.name.startswith("_")):
        return (made.function if isinstance(made, core.Op) else made).__doc__
    entry = entry_of(called) or Entry(place.path, [])
    words = declared(made)[1] | entry.words
    title = place.path.removeprefix("Tensor.").removeprefix("nn.functional.")
    parts = ["\n".join(written(called, made, words, title))]
    parts.append(about(place, entry, made))
    lines = list(arguments(found, words))
    parts += ["\n".join(["Arguments:", *lines])] if lines else []
    sections = {
        "Shapes": words.get("shapes") or shapes(made),
        "Dtypes": dtypes(made, words, place.name.endswith("_")),
        "Derivatives": words.get("derivatives") or derivatives(made, entry.name, found, place.name.endswith("_")),
        "Raises": "; ".join(raises(made, place, found, words)),
        "Note": words.get("note"),
    }
    filled = [textwrap.fill(f"{section}: {text.rstrip('.')}.", WIDTH) for section, text in sections.items() if text]
    parts.append("\n".join(of_method(text) if place.is_method else text for text in filled))
    parts.append("\n".join(example(entry, place, made)))
    return "\n\n".join(filter(None, parts))


def of_method(text):
    """A text of a function for its method: the first argument is the tensor."""
    text = re.sub(r"`(?:input|self)`", "this tensor", text)
    return text[:1].upper() + text[1:]


def about(place, entry, made):
    """What it does; of a call in place, and of another name, what it is another form of."""
    paragraphs = [entry.words["summary"]] if "summary" in entry.words else declared(made)[0]
    base = place.name.removesuffix("_")
    if base != place.name and paragraphs[:1] and paragraphs[0].startswith("In-place version of"):
        paragraphs = [*declared(behind(namespaces["Tensor"].get(base) or namespaces["torch"][base]))[0], *paragraphs[1:]]
    text = "\n\n".join(textwrap.fill(paragraph, WIDTH) for paragraph in paragraphs)
    text = of_method(text) if place.is_method else text
    function = f"torch.{entry.name}"
    is_form = place.is_twin and "summary" not in entry.words
    if (
        base != place.name
        and (is_form or not entry.name.endswith("_"))
        and (base in namespaces["torch"] or base in namespaces["Tensor"])
    ):
        function = f"torch.{base}" if base in namespaces["torch"] else f"Tensor.{base}"
        return f"`{function}` in place: the result is written into the tensor, which is returned.\n\n{text}"
    if entry.name.rpartition(".")[2] != place.name:
        return f"Another name of `{function}`.\n\n{text}"
    return text


def headline(called):
    """The first paragraph of a docstring, without its signatures, as a line: what stubs say."""
    if not isinstance(called, core.Callable):
        return " ".join((called.__doc__ or "").strip().partition("\n\n")[0].split())
    made = behind(called)
    place = Place(called)
    return " ".join(about(place, entry_of(called) or Entry(place.path, []), made).partition("\n\n")[0].split())


def signature_of(called):
    """What inspect.signature says of a callable: PyTorch's names, where there is one signature; else that there is no such thing."""
    found = signatures(called)
    if not found:
        raise AttributeError("__signature__")
    if len(found) > 1:
        raise ValueError(f"{called.__name__} has {len(found)} signatures")
    kinds = inspect.Parameter
    parameters = [kinds("self", kinds.POSITIONAL_ONLY)] if isinstance(called, core.Method) else []
    for each in found[0].parameters:
        kind = kinds.KEYWORD_ONLY if each.keyword_only else kinds.POSITIONAL_OR_KEYWORD
        default = kinds.empty if each.is_required else default_of(each.default)
        parameters.append(kinds(each.name, kind, default=default))
    return inspect.Signature(parameters)


def default_of(text):
    """A default of a signature as a value; names stand for themselves."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return getattr(core, text, text)

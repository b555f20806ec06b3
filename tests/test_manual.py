"""Every public function of torch, linalg, fft and special, and every method of tensors, says how it is called and shows an example that runs."""

import ast
import contextlib
import doctest
import inspect
import io
import pydoc
import re
import subprocess
import sys
import warnings

import pytest

import rushlight as torch
from rushlight import core
from rushlight.ops import _manual

torch.ops.declare_all()
SPACES = {
    "torch": torch,
    "torch.linalg": torch.linalg,
    "torch.fft": torch.fft,
    "torch.special": torch.special,
    "torch.nn.functional": torch.nn.functional,
    "torch.Tensor": torch.Tensor,
}
PARSER = doctest.DocTestParser()


def callables(space):
    """(name, function) of a namespace: what is public, is called, and is no class."""
    for name in sorted(dir(SPACES[space])):
        value = getattr(SPACES[space], name)
        if not name.startswith("_") and callable(value) and not isinstance(value, type):
            yield name, value


def unnamed(function, text):
    """The parameters of a function of Python (or compiled) that its docstring does not name. Of what PyTorch has removed, none."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return
    if not text.startswith(("Raises: ", "Deprecated: ", "An error: ")):
        names = [p.name for p in parameters if p.name[0] != "_" and p.name not in ("self", "args", "kwargs")]
        yield from (name for name in names if not re.search(rf"\b{name}\b", text))


def lacks(space, name, function):
    """What the docstring of a function does not say."""
    text = function.__doc__ or ""
    if ">>> " not in text:
        yield "example"
    if not re.search(r"\w[^\n]* \w[^>]*\.$", text, re.MULTILINE):
        yield "summary"
    if not isinstance(function, core.Function | core.Op):
        if space == "torch.nn.functional":
            return  # (test_docstrings.py looks at those)
        yield from (f"argument {name}" for name in unnamed(function, text))
        return
    before = f"{space}.".removeprefix("torch.").removeprefix("Tensor.").removeprefix("nn.functional.")
    if not text.startswith((f"{before}{name}(", f"{before}{function.__name__}(")):  # (torch.spmm is torch.mm)
        yield "signature"
    for signature in function.parser.signatures:
        for parameter in signature.parameters if not signature.is_deprecated else ():
            if not re.search(rf"^    {parameter.name}( \(.+\))?: \w|^    {parameter.name}( \(.+\))?: [\"`(]", text, re.MULTILINE):
                yield f"argument {parameter.name}"
    if "\nDerivatives: " not in text:
        yield "derivatives"
    if "\nRaises: " not in text and signature.parameters:
        yield "errors"


LIMITS = dict.fromkeys(SPACES, 0)
"""How many things may be missing; a lower number is an improvement: write it here."""


@pytest.mark.parametrize("space", SPACES)
def test_nothing_is_missing(space):
    missing = [f"{name}: {what}" for name, function in callables(space) for what in lacks(space, name, function)]
    assert len(missing) <= LIMITS[space], missing


@pytest.mark.parametrize("space", SPACES)
def test_examples_print_what_they_say(space):
    failed = []
    for name, function in callables(space):
        test = PARSER.get_doctest(function.__doc__ or "", {"torch": torch}, f"{space}.{name}", None, None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=failed.append)
    assert not failed, "".join(failed)


DTYPES = {
    "bool": {torch.bool},
    "integers": {torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64},
    "floats": {torch.float32, torch.float64},
    "halves": {torch.float16, torch.bfloat16},
    "complex": {torch.complex64, torch.complex128},
}


def takes(function, count, dtype):
    try:
        function(*[torch.ones(2, dtype=dtype)] * count)
    except RuntimeError:  # (what is not implemented is one, too)
        return False
    return True


def test_dtypes_that_are_named_are_taken_and_no_others():
    wrong = {}
    for name, function in callables("torch"):
        made, entry = _manual.behind(function), _manual.entries().get(name)
        if isinstance(made, core.PointwiseOp | core.ReductionOp) and "dtypes" in getattr(entry, "words", ()):
            said = set().union(*(DTYPES.get(word) or {getattr(torch, word)} for word in entry.words["dtypes"].split()))
            count = sum(made.defaults[i] is core.MISSING for i in made.tensor_parameters)
            taken = {dtype for group in DTYPES.values() for dtype in group if takes(function, count, dtype)}
            if taken != said:
                wrong[entry.name] = taken ^ said
    assert wrong == {}


def calls_of(name, statement):
    """The calls of a function or method in a statement of an example."""
    for node in ast.walk(ast.parse(statement)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
            yield compile(ast.Expression(node), "<example>", "eval")


def kind_of(value):
    """How a signature says what is returned."""
    if isinstance(value, torch.Tensor):
        return "Tensor"
    if value is None:
        return "None"
    if hasattr(value, "_fields"):
        return f"torch.return_types.{type(value).__name__}"
    return "Tensors" if isinstance(value, tuple) and value and isinstance(value[0], torch.Tensor) else type(value).__name__


KINDS = {"(Tensor, Tensor": "Tensors", "Python number": "float", "Python numbers": "list", "tuple": "Size"}
"""Other words for what is returned."""


@pytest.mark.parametrize("space", SPACES)
def test_calls_return_what_signatures_say(space):
    wrong = {}
    for name, function in callables(space):
        if getattr(function, "parser", None) is None:
            continue
        text = function.__doc__
        said = re.findall(r" -> (.*)", text.partition("\n\n")[0])
        said += [word for given, word in KINDS.items() if given in str(said)]
        names = {"torch": torch}
        for example in PARSER.get_examples(text):
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                if example.source.startswith(("try:", "with ", "class ")):
                    exec(example.source, names)
                    continue
                for call in calls_of(name, example.source):
                    kind = kind_of(eval(call, dict(names)))
                    if not any(kind in each for each in said):
                        wrong[name] = kind, said
                exec(example.source, names)
    assert wrong == {}


def test_every_entry_is_somebodys():
    used = set()
    for space in SPACES:
        for _, function in callables(space):
            if isinstance(function, core.Function | core.Op):
                used |= {entry.name for entry in [_manual.entry_of(function)] if entry is not None}
    assert sorted(set(_manual.entries()) - used) == []


def test_help_shows_the_signature_that_errors_speak_of():
    shown = pydoc.plain(pydoc.render_doc(torch.add))
    assert (
        "add(input, other, *, alpha=1, out=None)\n    add(Tensor input, Tensor other, *, Number alpha = 1, Tensor out = None)"
        in shown
    )
    with pytest.raises(TypeError) as error:
        torch.sum("a", "b")
    options = [line.removeprefix(" * ") for line in str(error.value).split("\n") if line.startswith(" * ")]
    assert len(options) == 2 and all(f"sum{option} -> Tensor\n" in torch.sum.__doc__ for option in options)
    in_place = pydoc.plain(pydoc.render_doc(torch.Tensor.add_))
    assert "add_(Tensor other, *, Number alpha = 1) -> Tensor" in in_place
    assert torch.ones(1).add_.__doc__ == torch.Tensor.add_.__doc__


def test_inspect_gives_the_names_of_parameters():
    assert str(inspect.signature(torch.add)) == "(input, other, *, alpha=1, out=None)"
    assert str(inspect.signature(torch.Tensor.add)) == "(self, /, other, *, alpha=1)"
    with pytest.raises(ValueError, match="max has 3 signatures"):
        inspect.signature(torch.max)


def test_nothing_is_composed_by_an_import():
    program = "import sys, rushlight, rushlight.nn; print('rushlight.ops._manual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"


def test_functions_are_no_methods_of_other_classes():
    class Net:
        activation, greatest, table = torch.relu, torch.max, torch.zeros

    x = torch.tensor([-1.0, 2.0])
    assert Net().activation(x).tolist() == [0, 2] and Net().greatest(x).item() == 2 and Net().table(3).tolist() == [0, 0, 0]

"""What every public function and method says of arguments of the wrong kind: its parser refuses them before anything else sees them."""

import pytest

import rushlight as torch
from rushlight import core
from rushlight.ops._arguments import Signature
from rushlight.ops._signatures import signatures


def parsers(torch=torch):
    """(name, what is called, signatures, whether it is a method) of everything that has a parser."""
    found = {}
    places = (("", torch), ("nn.functional.", torch.nn.functional), ("linalg.", torch.linalg), ("special.", torch.special))
    for prefix, place in (*places, ("Tensor.", torch.Tensor)):
        for name, called in vars(place).items():
            parser = called.parser if isinstance(called, core.Op | core.Function) else None
            if parser is not None:
                texts = signatures(parser).split(" | ")
                found[prefix + name] = (parser.name, parser.is_method, [Signature(parser.name, text) for text in texts])
    return found


PARSERS = parsers()


def right(torch, kind):
    """A value of a kind."""
    values = {
        "Tensor": torch.ones(2, 3),
        "Tensor/Number": torch.ones(2, 3),
        "Number": 1.5,
        "int": 1,
        "index": 1,
        "float": 0.5,
        "bool": False,
        "pinned": False,
        "str": "sum",
        "dtype": torch.float64,
        "ints": (0, 1),
        "sizes": (2, 3),
        "tensors": [torch.ones(2, 3), torch.ones(2, 3)],
        "numbers": [1.0, 2.0],
        "floats": [1.0, 2.0],
        "layout": torch.strided,
        "device": torch.device("cpu"),
        "memory_format": torch.contiguous_format,
        "generator": torch.Generator(),
        "storage": torch.ones(6).untyped_storage(),
        "object": [1.0],
    }
    return values[kind]


def calls(torch, name, wrong):
    """A call for each parameter of each signature, with the wrong value in its place: (what was called, args, keywords)."""
    _, is_method, all_signatures = PARSERS[name]
    called = torch
    for part in name.split("."):
        called = getattr(called, part)
    instance = (torch.ones(2, 3),) if is_method else ()
    for signature in all_signatures:
        if signature.is_deprecated:
            continue
        for wrong_one in signature.parameters:
            if wrong_one.kind == "object":
                continue
            args, keywords = [], {}
            for parameter in signature.parameters:
                value = wrong if parameter is wrong_one else right(torch, parameter.kind)
                if parameter.keyword_only:
                    if parameter is wrong_one or parameter.is_required:
                        keywords[parameter.name] = value
                elif parameter.is_required or len(args) <= signature.parameters.index(wrong_one):
                    args.append(value)
            yield wrong_one.name, called, (*instance, *args), keywords


class Nothing:
    """Of no kind."""


@pytest.mark.core
@pytest.mark.parametrize("name", PARSERS)
def test_what_is_of_no_kind_is_refused(name):
    title = PARSERS[name][0]
    for parameter, called, args, keywords in calls(torch, name, Nothing()):
        with pytest.raises(TypeError) as caught:
            called(*args, **keywords)
        assert str(caught.value).startswith(f"{title}()"), (parameter, str(caught.value))


@pytest.mark.core
@pytest.mark.parametrize("name", PARSERS)
def test_keywords_of_other_functions_are_refused(name):
    title = PARSERS[name][0]
    _, called, args, keywords = next(calls(torch, name, None), (None, None, None, None))
    if called is None:
        return
    with pytest.raises(TypeError, match=f"{title}\\(\\)|TensorBase"):
        called(*args, **keywords, not_a_parameter=1)


@pytest.mark.core
def test_what_is_public_is_checked():
    """Ops trust what they are called with, so none is public without a parser before it."""
    for place in (torch, torch.nn.functional, torch.linalg, torch.special, torch.Tensor):
        public = {name: called for name, called in vars(place).items() if not name.startswith("_")}
        assert not [
            name
            for name, called in public.items()
            if isinstance(called, core.Op | core.InPlace) and getattr(called, "parser", None) is None
        ]


@pytest.mark.core
def test_methods_are_called_with_tensors():
    methods = {name: value for name, value in vars(torch.Tensor).items() if isinstance(value, core.Method)}
    assert len(methods) > 400 and {"detach", "sum", "size", "relu_"} <= set(methods)
    for name, method in methods.items():
        for wrong in ([0], None, 1.5):
            with pytest.raises(TypeError, match=f"descriptor '{name}' for 'torch._C.TensorBase' objects doesn't apply to a"):
                method(wrong)
        with pytest.raises(TypeError, match=f"unbound method TensorBase.{name}\\(\\) needs an argument"):
            method()


def test_sizes_of_a_function_are_no_loose_numbers():
    x = torch.zeros(4)
    for call in (
        lambda: torch.reshape(x, 2, 2),
        lambda: torch.reshape(x, 4),
        lambda: x.reshape(2.0, 2),
        lambda: x.reshape((2.0, 2)),
    ):
        with pytest.raises(TypeError, match=r"^reshape\(\)"):
            call()
    assert x.reshape(2, 2).shape == x.reshape((2, 2)).shape == torch.reshape(x, (2, -1)).shape == (2, 2)


def test_numbers_of_several_signatures_are_checked_whatever_their_size():
    x = torch.zeros(3)
    for call in (lambda: x.clamp(10**40, 10**41), lambda: x.reshape(10**40), lambda: torch.where(x > 0, 10**40, x)):
        with pytest.raises((RuntimeError, OverflowError, TypeError)):
            call()
    with pytest.raises(IndexError):
        x.max(2**29)


def test_a_name_that_a_program_replaces_is_found_at_once(monkeypatch):
    x = torch.ones(2)

    def ask():
        return torch.nn.functional.relu(x), torch.cat((x, x)).shape

    for _ in range(2):
        assert torch.equal(ask()[0], x) and ask()[1] == (4,)
    monkeypatch.setattr(torch, "cat", lambda tensors: torch.zeros(7))
    monkeypatch.setattr(torch.nn.functional, "relu", lambda x: "another")
    assert ask() == ("another", (7,))
    monkeypatch.undo()
    assert torch.equal(ask()[0], x) and ask()[1] == (4,)

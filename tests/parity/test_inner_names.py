"""Names within PyTorch that public packages import: what they give here and there."""

import collections
import re

import pytest

import rushlight

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


def outcome(program, library):
    try:
        text = repr(program(library))
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
    return re.sub(r"0x[0-9a-f]+", "0x", text).replace("rushlight", "torch")


def unscaled(torch):
    grads, found = [torch.tensor([1.0, 2.0]), torch.tensor([float("inf")])], torch.zeros(1)
    torch._amp_foreach_non_finite_check_and_unscale_(grads, found, torch.tensor([0.5]))
    return grads, found


def scales(torch):
    scale, tracker, found = torch.tensor([4.0]), torch.zeros(1, dtype=torch.int32), torch.ones(1)
    for _ in range(3):
        yield torch._amp_update_scale_(scale, tracker, found, 2.0, 0.5, 2).clone(), tracker.clone()
        found.zero_()


def swapped(torch):
    from importlib import import_module

    names = import_module(f"{torch.__name__}.nn.utils._named_member_accessor")
    module = torch.nn.Sequential(torch.nn.BatchNorm1d(1))
    accessor = names.NamedMemberAccessor(module)
    before = accessor.swap_tensor("0.weight", torch.zeros(1))
    yield before.tolist(), module[0].weight.tolist(), accessor.get_tensor("0.running_var").tolist()
    yield [name for name, _ in accessor.named_tensors()]
    yield [x.tolist() for x in accessor.swap_tensors(["0.bias", "0.running_mean"], [torch.ones(1), torch.ones(1)])]
    accessor.del_tensor("0.bias")
    yield "bias" in module[0]._parameters
    names.swap_tensor(module[0], "none", torch.ones(1))


def shapes(torch):
    from importlib import import_module

    propagate = import_module(f"{torch.__name__}.fx.passes.shape_prop").ShapeProp
    module = torch.fx.symbolic_trace(torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.Flatten()))
    propagate(module).propagate(torch.ones(1, 1, 2, 2))
    for node in module.graph.nodes:
        yield node.name, node.meta["tensor_meta"], node.meta["type"]


def stepping(torch):
    """A step method that is put in afterwards, with hooks."""

    class Own(torch.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {})

    steps = []
    Own.step = lambda self: steps.append("step")
    made = Own([torch.ones(1, requires_grad=True)])
    Own.step = lambda self: steps.append("other")
    made._patch_step_function()
    made.register_step_post_hook(lambda *given: steps.append("after"))
    made.step()
    return steps


def mutable(torch):
    settings = torch.backends
    before = settings._frozen if torch is rushlight else settings.__allow_nonbracketed_mutation_flag
    with getattr(settings, "__allow_nonbracketed_mutation")():
        inside = settings.flags_frozen()
    after = settings._frozen if torch is rushlight else settings.__allow_nonbracketed_mutation_flag
    return inside, before == after


PROGRAMS = {
    "steps put in afterwards": stepping,
    "settings that change for good": mutable,
    "types of TorchScript": lambda torch: [torch.TensorType.__name__, torch.DictType.__name__, isinstance(torch.ListType, type)],
    "shape": lambda torch: torch._shape_as_tensor(torch.ones(2, 3)),
    "assertion that holds": lambda torch: torch._assert_async(torch.tensor(True)),
    "assertion that fails": lambda torch: torch._assert_async(torch.tensor(0)),
    "assertion with words": lambda torch: torch._assert_async(torch.tensor(0), "words"),
    "gradients unscaled": unscaled,
    "scales": lambda torch: list(scales(torch)),
    "tensors of modules": lambda torch: list(swapped(torch)),
    "shapes in graphs": lambda torch: list(shapes(torch)),
    "classes": lambda torch: torch.classes.some.Thing,
    "functional module": lambda torch: (
        torch.nn.quantized.FloatFunctional(),
        torch.nn.quantized.FloatFunctional().add(torch.ones(1), 1),
    ),
    "functional module called": lambda torch: torch.nn.quantized.FloatFunctional()(torch.ones(1)),
    "hooks": lambda torch: torch.nn.modules.module._global_parameter_registration_hooks,
    "an unknown device's module": lambda torch: torch._utils._get_device_module("nothing"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_same(name):
    assert outcome(PROGRAMS[name], rushlight) == outcome(PROGRAMS[name], torch)


def test_trees_by_kind():
    from torch.utils import _pytree as theirs

    from rushlight.utils import _pytree as ours

    point = collections.namedtuple("point", "x y")(1, 2)
    trees = {
        "tuple": (1, 2), "list": [1, 2], "dict": {"b": 1, "a": 2}, "namedtuple": point,
        "ordereddict": collections.OrderedDict(b=1), "odict": collections.OrderedDict(b=1),
        "defaultdict": collections.defaultdict(int, a=1), "deque": collections.deque([1], maxlen=3),
    }  # fmt: skip
    for kind, tree in trees.items():
        flatten, unflatten = [
            [getattr(library, f"_{kind}_{way}") for library in (ours, theirs)] for way in ("flatten", "unflatten")
        ]
        found, expected = flatten[0](tree), flatten[1](tree)
        assert list(found[0]) == list(expected[0]), kind
        assert unflatten[0](*found) == unflatten[1](*expected) == tree, kind
        assert type(unflatten[0](*found)) is type(tree)


def test_files_as_tensors(tmp_path):
    def path(library):
        file = tmp_path / f"{library.__name__}.bin"
        if not file.exists():
            file.write_bytes(bytes(range(24)))
        return str(file)

    programs = [
        lambda torch: torch.from_file(path(torch), size=4),
        lambda torch: torch.from_file(path(torch), False, 6, dtype=torch.int32),
        lambda torch: torch.from_file(path(torch)),
        lambda torch: torch.from_file(path(torch), True, 6, dtype=torch.int32).fill_(3),
        lambda torch: torch.from_file(path(torch), size=2, dtype=torch.int32),
        lambda torch: torch.from_file(path(torch), size=7),
        lambda torch: torch.from_file(path(torch), size=-2),
        lambda torch: torch.from_file(path(torch), True, 8, dtype=torch.int32)[1:],
        lambda torch: torch.from_file(path(torch) + "none", size=2),
        lambda torch: torch.from_file(path(torch) + "new", True, 2),
        lambda torch: torch.from_file(path(torch), size=2, requires_grad=True).requires_grad,
        lambda torch: torch.from_file(3),
    ]
    for program in programs:
        assert outcome(program, rushlight) == outcome(program, torch)


def test_downloads_are_told(tmp_path, capsys):
    torch.save({"a": torch.ones(1)}, tmp_path / "state.pt")
    said = []
    for library in (rushlight, torch):
        place = tmp_path / library.__name__
        loaded = library.hub.load_state_dict_from_url((tmp_path / "state.pt").as_uri(), str(place), progress=False)
        assert loaded["a"].tolist() == [1]
        said.append([text.replace(str(place), "") for text in capsys.readouterr()])
    assert said[0] == said[1] and said[0][0].startswith("Downloading")

"""torch.utils._pytree beyond taking trees apart: structures by hand and as JSON, dataclasses, constants; and modes of other threads."""

import collections
import dataclasses
import threading

import pytest


def test_structures_by_hand(torch):
    pytree = torch.utils._pytree
    leaf = pytree.treespec_leaf()
    assert pytree.treespec_tuple([leaf, leaf]) == pytree.tree_structure((1, 2))
    assert pytree.treespec_dict({"b": leaf}, a=leaf) == pytree.tree_structure({"b": 1, "a": 2})
    with pytest.raises(ValueError, match="Expected a tuple of TreeSpec values"):
        pytree.treespec_tuple([1])
    assert pytree.treespec_pprint(pytree.tree_structure([1, (2, {"a": 3})])) == "[*, (*, {'a': *})]"
    assert pytree.arg_tree_leaves(1, [2], a=3, b=(4,)) == [1, 2, 3, 4]


def test_structures_as_json(torch):
    pytree = torch.utils._pytree
    trees = (
        1,
        [1, (2, {"a": 3})],
        (),
        collections.OrderedDict(b=1),
        collections.deque([1], maxlen=2),
        collections.defaultdict(list, a=1),
    )
    for tree in trees:
        spec = pytree.tree_structure(tree)
        assert pytree.treespec_loads(pytree.treespec_dumps(spec)) == spec
    assert pytree.treespec_dumps(pytree.tree_structure({"a": 1})) == (
        '[1, {"type": "builtins.dict", "context": "[\\"a\\"]", "children_spec": [{"type": null, "context": null, "children_spec": []}]}]'
    )
    with pytest.raises(TypeError, match="Expected `treespec` to be an instance of PyTreeSpec but got item of type <class 'int'>"):
        pytree.treespec_dumps(3)
    with pytest.raises(ValueError, match="Unknown protocol 7"):
        pytree.treespec_loads("[7, {}]")


def test_dataclasses(torch):
    pytree = torch.utils._pytree

    @dataclasses.dataclass
    class Point:
        x: int
        y: int = 2

    pytree.register_dataclass(Point)
    assert pytree.tree_leaves(Point(5, 6)) == [5, 6] and pytree.tree_map(lambda n: n + 1, Point(1, 2)) == Point(2, 3)
    assert repr(pytree.tree_structure(Point(1, 2))) == "TreeSpec(Point, [['x', 'y'], []], [*,\n  *])"

    @dataclasses.dataclass
    class Half:
        x: int
        y: int = 2

    with pytest.raises(ValueError, match="field_names does not include all dataclass fields"):
        pytree.register_dataclass(Half, field_names=["x"])
    pytree.register_dataclass(Half, field_names=["x"], drop_field_names=["y"])
    assert pytree.tree_map(lambda n: n + 1, Half(1, 7)) == Half(2, 2)
    with pytest.raises(ValueError, match="field_names must be specified"):
        pytree.register_dataclass(type("Plain", (), {}))


def test_constants(torch):
    pytree = torch.utils._pytree

    class Constant:
        def __eq__(self, other):
            return isinstance(other, Constant)

        def __hash__(self):
            return 1

    pytree.register_constant(Constant)
    assert pytree.tree_leaves([Constant(), 1]) == [1] and pytree.is_constant_class(Constant)
    with pytest.raises(TypeError, match="expects `cls` to have a non-default `__eq__` implementation"):
        pytree.register_constant(type("Plain", (), {}))


@pytest.mark.filterwarnings("ignore:Anomaly Detection:UserWarning")
def test_threads_share_anomaly_mode_alone(torch):
    seen = []

    def look():
        seen.append((torch.is_anomaly_enabled(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()))

    with torch.autograd.detect_anomaly(), torch.no_grad():
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == [(True, True, False)]

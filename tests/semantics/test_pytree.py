"""torch.utils._pytree: trees of containers, as programs use them."""

import collections
import copy
import enum
import importlib
import pickle
import time

import pytest

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:FutureWarning")

Point = collections.namedtuple("Point", "x y")
Colour = enum.Enum("Colour", "RED")


@pytest.fixture
def trees(torch):
    return torch.utils._pytree


def nested():
    return {
        "a": 1,
        "b": (2, [3, None]),
        "c": Point(4, collections.OrderedDict(x=5)),
        "d": collections.defaultdict(list, {"k": 6}),
        "e": collections.deque([7], maxlen=3),
    }


def test_flatten_and_unflatten(trees):
    leaves, spec = trees.tree_flatten(nested())
    assert leaves == [1, 2, 3, None, 4, 5, 6, 7] and trees.tree_leaves(nested()) == leaves
    assert (spec.type, spec.context, spec.num_leaves, spec.num_nodes, spec.num_children) == (dict, list("abcde"), 8, 15, 5)
    again = trees.tree_unflatten(leaves, spec)
    assert again == nested() and type(again["c"]) is Point and again["e"].maxlen == 3 and again["d"].default_factory is list
    assert trees.tree_structure(nested()) == spec and not spec.is_leaf() and trees.tree_structure(3).is_leaf()
    assert repr(trees.tree_structure((1, [2]))) == "TreeSpec(tuple, None, [*,\n  TreeSpec(list, None, [*])])"
    with pytest.raises(ValueError, match="`leaves` has length 1 but the spec refers to a pytree that holds 8 items"):
        trees.tree_unflatten([1], spec)
    with pytest.raises(TypeError, match="Expected `treespec` to be an instance of PyTreeSpec but got item of type <class 'int'>"):
        trees.tree_unflatten([1], 3)


def test_structures_differ(trees):
    structure = trees.tree_structure
    assert structure((1, [2])) == structure((3, [4])) and structure((1, 2)) != structure([1, 2])
    assert structure({"a": 1, "b": 2}) != structure({"b": 1, "a": 2})
    assert structure(Point(1, 2)) != structure((1, 2)) and structure(None).num_leaves == 1


def test_maps(trees):
    assert trees.tree_map(lambda a, b: a + b, {"a": 1, "b": [2]}, {"b": [20], "a": 10}) == {"a": 11, "b": [22]}
    assert trees.tree_map_only(int, lambda n: n + 1, [1, 2.0, "x"]) == [2, 2.0, "x"]
    assert trees.tree_map(len, [[1, 2], [3]], is_leaf=lambda x: isinstance(x, list) and isinstance(x[0], int)) == [2, 1]
    assert trees.tree_all(bool, [1, (2,)]) and not trees.tree_any(lambda n: n > 2, [1, (2,)])
    seen = []
    tree = [1, (2,)]
    assert trees.tree_map_(seen.append, tree) is tree and seen == [1, 2]
    for rest, text in (
        ([3], "Node arity mismatch; expected 2, but got 1."),
        ([3, [4]], "Node type mismatch; expected <class 'tuple'>, but got <class 'list'>."),
    ):
        with pytest.raises(ValueError, match=text):
            trees.tree_map(lambda a, b: a, tree, rest)
    with pytest.raises(ValueError, match=r"Node keys mismatch; missing key\(s\): {'a'}; extra key\(s\): {'b'}."):
        trees.tree_map(lambda a, b: a, {"a": 1}, {"b": 1})


def test_broadcasting_a_prefix(trees):
    spec = trees.tree_structure([1, (2, 3)])
    broadcast = trees._broadcast_to_and_flatten
    assert broadcast(0, spec) == [0, 0, 0] and broadcast([0, 1], spec) == [0, 1, 1] and broadcast([0], spec) is None
    assert broadcast([0, (1, None)], spec) == [0, 1, None] and broadcast((0, 1), spec) is None


def test_registering_a_kind(trees):
    class Pair:
        def __init__(self, a, b):
            self.a, self.b = a, b

    trees.register_pytree_node(Pair, lambda pair: ([pair.a, pair.b], "context"), lambda items, context: Pair(*items))
    leaves, spec = trees.tree_flatten({"p": Pair(1, [2])})
    assert leaves == [1, 2] and spec.child(0).context == "context"
    assert trees.tree_map(lambda n: -n, Pair(1, [2])).b == [-2]
    with pytest.raises(ValueError, match="<class 'list'> is already registered as pytree node"):
        trees.register_pytree_node(list, None, None)


def test_paths(trees):
    found = trees.tree_leaves_with_path({"a": [1, Point(2, 3)]})
    assert [leaf for _, leaf in found] == [1, 2, 3]
    assert [trees.keystr(path) for path, _ in found] == ["['a'][0]", "['a'][1].x", "['a'][1].y"]
    assert trees.key_get({"a": [1, Point(2, 3)]}, found[2][0]) == 3
    assert trees.tree_map_with_path(lambda path, n: len(path) * n, {"a": [1, 2]}) == {"a": [2, 4]}


def test_named_tuples_are_one_kind(torch, trees):
    spec = trees.tree_structure(Point(1, 2))
    leaf = trees.LeafSpec()
    assert spec.type is collections.namedtuple and spec.context is Point
    assert spec == trees.TreeSpec(collections.namedtuple, Point, [leaf, leaf]) and spec.unflatten([3, 4]) == Point(3, 4)
    assert trees._broadcast_to_and_flatten(Point(1, 2), trees.tree_structure(Point(0, (0, 0)))) == [1, 2, 2]
    with pytest.raises(ValueError, match="Node type mismatch; expected <class 'tuple'>, but got <function namedtuple at "):
        trees.tree_structure((1, 2)).flatten_up_to(Point(1, 2))
    with pytest.raises(NotImplementedError, match="Please register using `_register_namedtuple`"):
        trees.treespec_dumps(trees.tree_structure(collections.namedtuple("Other", "x y")(1, 2)))
    trees._register_namedtuple(Point, serialized_type_name="test_pytree.Point")
    text = trees.treespec_dumps(spec)
    assert '"type": "collections.namedtuple", "context": "test_pytree.Point"' in text and trees.treespec_loads(text) == spec


def test_results_with_names_and_those_of_python(torch, trees):
    spec = trees.tree_structure(torch.max(torch.ones(2), 0))
    assert str(spec).startswith("TreeSpec(max, None, [*") and type(spec.unflatten([1, 2])) is torch.return_types.max
    now = time.gmtime(0)
    assert trees.tree_leaves(now) == [now]


def test_members_of_enumerations_as_json(trees):
    for context in (Colour.RED, [Colour.RED]):
        spec = trees.TreeSpec(dict, context, [trees.LeafSpec()])
        assert trees.treespec_loads(trees.treespec_dumps(spec)) == spec
    with pytest.raises(TypeError, match=r"Unable to serialize context\. Please make the context json dump-able"):
        trees.treespec_dumps(trees.TreeSpec(dict, [Colour], [trees.LeafSpec()]))


def test_registering(trees):
    class Bag:
        pass

    functions = (lambda bag: ([], None), lambda children, _: Bag())
    with pytest.raises(ValueError, match=r"Both to_dumpable_context and from_dumpable_context for .* must be None or registered"):
        trees.register_pytree_node(Bag, *functions, to_dumpable_context=str)
    with pytest.warns(FutureWarning, match="_register_pytree_node` is deprecated"):
        trees._register_pytree_node(Bag, *functions)
    with pytest.warns(UserWarning, match="already registered as pytree node. Overwriting"):
        trees._register_pytree_node(Bag, *functions)


def test_containers_that_cannot_be_changed(torch, trees):
    collections_of_fx = importlib.import_module(torch.__name__ + ".fx.immutable_collections")
    items, named = collections_of_fx.immutable_list([3, 1]), collections_of_fx.immutable_dict(a=1)
    for change in (
        lambda: items.append(1),
        lambda: items.sort(),
        lambda: items.__setitem__(0, 1),
        lambda: items.__iadd__([1]),
        lambda: named.update(b=2),
        lambda: named.pop("a"),
        lambda: named.__ior__({}),
    ):
        with pytest.raises(TypeError, match=r"^'immutable_(list|dict)' object does not support mutation"):
            change()
    assert items == [3, 1] and hash(items) == hash((3, 1)) and named == {"a": 1}
    assert {type(copied) for copied in (copy.copy(items), copy.deepcopy(items), pickle.loads(pickle.dumps(items)))} == {
        type(items)
    }
    mapped = trees.tree_map(lambda x: x + 1, {"items": items, "named": named})
    assert mapped == {"items": [4, 2], "named": {"a": 2}} and type(mapped["named"]) is type(named)
    graph = torch.fx.symbolic_trace(lambda x: torch.cat([x, x])).graph
    (call,) = (node for node in graph.nodes if node.op == "call_function")
    assert type(call.args[0]) is type(items) and type(call.kwargs) is type(named)

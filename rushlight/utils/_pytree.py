"""Trees of Python containers: taken apart into their leaves and a structure, and put together again.

Nodes are tuples, lists, dicts, named tuples, Sizes, OrderedDicts, defaultdicts, deques and what `register_pytree_node` adds; anything else,
None too, is a leaf.
"""

from collections import OrderedDict, defaultdict, deque, namedtuple
from typing import Any, NamedTuple

from rushlight._late import late as _late
from rushlight.core import Size, warn_user
from rushlight.ops._return_types import ReturnType

Context = Any  # what a container has besides its children

__all__ = [
    "GetAttrKey",
    "LeafSpec",
    "MappingKey",
    "SequenceKey",
    "TreeSpec",
    "is_namedtuple",
    "is_namedtuple_class",
    "is_namedtuple_instance",
    "is_structseq",
    "is_structseq_class",
    "is_structseq_instance",
    "key_get",
    "keystr",
    "register_pytree_node",
    "tree_all",
    "tree_all_only",
    "tree_any",
    "tree_any_only",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_is_leaf",
    "tree_iter",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_",
    "tree_map_only",
    "tree_map_only_",
    "tree_map_with_path",
    "tree_structure",
    "tree_unflatten",
]


# ---- keys of paths -------------------------------------------------------------------------------------------------------
class SequenceKey(NamedTuple):
    """A place in a sequence."""

    idx: int

    def __str__(self):
        return f"[{self.idx!r}]"

    def get(self, container):
        """The item of `container` at this place."""
        return container[self.idx]


class MappingKey(NamedTuple):
    """A key of a mapping."""

    key: object

    def __str__(self):
        return f"[{self.key!r}]"

    def get(self, container):
        """The item of `container` under this key."""
        return container[self.key]


class GetAttrKey(NamedTuple):
    """A field of a named tuple."""

    name: str

    def __str__(self):
        return f".{self.name}"

    def get(self, container):
        """The field of `container` of this name."""
        return getattr(container, self.name)


# ---- kinds of nodes ------------------------------------------------------------------------------------------------------
class Node(NamedTuple):
    """How one kind of container is taken apart (children, context) and put together."""

    flatten: object
    unflatten: object
    keys: object
    name: object = None  # as JSON says it, with the context made ready for JSON by `dump` and read again by `load`
    dump: object = None
    load: object = None


SUPPORTED_NODES: dict = {}


def register_pytree_node(
    cls,
    flatten_fn,
    unflatten_fn,
    *,
    serialized_type_name=None,
    to_dumpable_context=None,
    from_dumpable_context=None,
    flatten_with_keys_fn=None,
):
    """Makes instances of `cls` nodes: `flatten_fn(x)` gives (children, context), `unflatten_fn(children, context)` gives x back.

    >>> from rushlight.utils._pytree import register_pytree_node, tree_map
    >>> class Pair:
    ...     def __init__(self, a, b):
    ...         self.a, self.b = a, b
    >>> register_pytree_node(Pair, lambda pair: ([pair.a, pair.b], None), lambda items, _: Pair(*items))
    >>> tree_map(lambda n: n + 1, Pair(1, 2)).b
    3
    """
    if cls in SUPPORTED_NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    if (to_dumpable_context is None) != (from_dumpable_context is None):
        raise ValueError(f"Both to_dumpable_context and from_dumpable_context for {cls} must be None or registered.")
    keys = None if flatten_with_keys_fn is None else lambda tree: [key for key, _ in flatten_with_keys_fn(tree)[0]]
    SUPPORTED_NODES[cls] = Node(flatten_fn, unflatten_fn, keys, serialized_type_name, to_dumpable_context, from_dumpable_context)


def _register_pytree_node(cls, flatten_fn, unflatten_fn, to_str_fn=None, maybe_from_str_fn=None, **others):
    """`register_pytree_node` under its older name, which replaces what is registered already."""
    warn_user(
        "`torch.utils._pytree._register_pytree_node` is deprecated. Please use `torch.utils._pytree.register_pytree_node` instead.",
        FutureWarning,
    )
    if SUPPORTED_NODES.pop(cls, None) is not None:
        warn_user(f"{cls} is already registered as pytree node. Overwriting the previous registration.")
    register_pytree_node(cls, flatten_fn, unflatten_fn, **others)


NAMES_OF_NAMED_TUPLES = {}


def _register_namedtuple(cls, *, serialized_type_name):
    """Gives a class of named tuples the name by which JSON knows it."""
    NAMES_OF_NAMED_TUPLES[cls] = serialized_type_name


def mapping_keys(tree):
    return [MappingKey(key) for key in tree]


def sequence_keys(tree):
    return [SequenceKey(place) for place in range(len(tree))]


def dump_named_tuple(cls):
    if cls not in NAMES_OF_NAMED_TUPLES:
        raise NotImplementedError(
            f"Can't serialize TreeSpec of namedtuple class {cls} because we didn't register a serializated_type_name. Please register "
            "using `_register_namedtuple`."
        )
    return NAMES_OF_NAMED_TUPLES[cls]


NAMED_TUPLE = Node(
    lambda tree: (list(tree), type(tree)),
    lambda children, cls: cls(*children),
    lambda tree: [GetAttrKey(name) for name in tree._fields],
    "collections.namedtuple",
    dump_named_tuple,
    lambda name: next(cls for cls, known in NAMES_OF_NAMED_TUPLES.items() if known == name),
)

SUPPORTED_NODES.update(
    {
        tuple: Node(lambda tree: (list(tree), None), lambda children, _: tuple(children), sequence_keys),
        Size: Node(lambda tree: (list(tree), None), lambda children, _: Size(children), sequence_keys),
        namedtuple: NAMED_TUPLE,  # (whose class is the context)
        list: Node(lambda tree: (tree, None), lambda children, _: list(children), sequence_keys),
        dict: Node(
            lambda tree: (list(tree.values()), list(tree)),
            lambda children, keys: dict(zip(keys, children, strict=True)),
            mapping_keys,
        ),
        OrderedDict: Node(
            lambda tree: (list(tree.values()), list(tree)),
            lambda children, keys: OrderedDict(zip(keys, children, strict=True)),
            mapping_keys,
        ),
        defaultdict: Node(
            lambda tree: (list(tree.values()), [tree.default_factory, list(tree)]),
            lambda children, context: defaultdict(context[0], zip(context[1], children, strict=True)),
            mapping_keys,
        ),
        deque: Node(
            lambda tree: (list(tree), tree.maxlen), lambda children, length: deque(children, maxlen=length), sequence_keys
        ),
    }
)


PyTree = Any  # (for annotations: any tree)


def _by_name(kind, node):
    """The names by which a node's functions go in PyTorch."""

    def flatten_with_keys(tree):
        children, context = node.flatten(tree)
        return list(zip(node.keys(tree), children)), context

    return {
        f"_{kind}_flatten": node.flatten,
        f"_{kind}_unflatten": node.unflatten,
        f"_{kind}_flatten_with_keys": flatten_with_keys,
    }


for _kind, _node in {
    "tuple": SUPPORTED_NODES[tuple],
    "list": SUPPORTED_NODES[list],
    "dict": SUPPORTED_NODES[dict],
    "namedtuple": NAMED_TUPLE,
    "ordereddict": SUPPORTED_NODES[OrderedDict],
    "odict": SUPPORTED_NODES[OrderedDict],
    "defaultdict": SUPPORTED_NODES[defaultdict],
    "deque": SUPPORTED_NODES[deque],
}.items():
    globals().update(_by_name(_kind, _node))


def is_namedtuple_class(cls):
    """Whether `cls` is a named tuple type."""
    return isinstance(cls, type) and issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)


def is_namedtuple_instance(obj):
    """Whether `obj` is a named tuple."""
    return is_namedtuple_class(type(obj))


def is_namedtuple(obj):
    """Whether `obj` is a named tuple or a type of them."""
    return is_namedtuple_class(obj if isinstance(obj, type) else type(obj))


def is_structseq_class(cls):
    """Whether `cls` is a type like that of `torch.max`'s results, or of `time.localtime`'s."""
    return (
        isinstance(cls, type) and issubclass(cls, tuple) and cls is not tuple and isinstance(getattr(cls, "n_fields", None), int)
    )


def is_structseq_instance(obj):
    """Whether `obj` is like a result of `torch.max`."""
    return is_structseq_class(type(obj))


def is_structseq(obj):
    """Whether `obj` is like a result of `torch.max`, or the type of one."""
    return is_structseq_class(obj if isinstance(obj, type) else type(obj))


def node_of(cls):
    """How instances of `cls` are taken apart, or None where they are leaves."""
    node = SUPPORTED_NODES.get(cls)
    if node is None and issubclass(cls, ReturnType):
        node = SUPPORTED_NODES[cls] = Node(lambda tree: (list(tree), None), lambda children, _: cls(children), sequence_keys)
    elif node is None and is_namedtuple_class(cls):
        return NAMED_TUPLE
    return node


# ---- structures ----------------------------------------------------------------------------------------------------------
class TreeSpec:
    """The structure of a tree: the kind of its root, what it needs to be put together, and its children's structures."""

    __slots__ = ("_children", "context", "num_leaves", "num_nodes", "type")

    def __init__(self, type, context, children_specs):
        self.type, self.context, self._children = type, context, tuple(children_specs)
        self.num_leaves = 1 if type is None else sum([child.num_leaves for child in self._children])
        self.num_nodes = 1 + sum([child.num_nodes for child in self._children])

    @property
    def num_children(self):
        """How many children the root has."""
        return len(self._children)

    @property
    def children_specs(self):
        """The structures of the root's children."""
        return list(self._children)

    def children(self):
        """The structures of the root's children."""
        return list(self._children)

    def child(self, index):
        """The structure of one child of the root."""
        return self._children[index]

    def is_leaf(self):
        """Whether the whole tree is one leaf."""
        return self.type is None

    def unflatten(self, leaves):
        """The tree with the given leaves."""
        return tree_unflatten(leaves, self)

    def __eq__(self, other):
        if not isinstance(other, TreeSpec):
            return NotImplemented
        return self.type is other.type and self.context == other.context and self._children == other._children

    def __hash__(self):
        return hash((self.type, str(self.context), self._children))

    def __repr__(self):
        return self.text(0)

    def text(self, indent):
        """The structure in words, one child a line."""
        if self.type is None:
            return "*"
        indent += 2
        inner = (",\n" + " " * indent).join([child.text(indent) for child in self._children])
        return f"TreeSpec({self.type.__name__}, {self.context}, [{inner}])"

    def flatten_up_to(self, tree):
        """The subtrees of `tree` at the places of this structure's leaves."""
        found = []
        self._collect(tree, found)
        return found

    def _collect(self, tree, found):
        if self.type is None:
            found.append(tree)
            return
        kind = _get_node_type(tree)
        if kind is not self.type:
            raise ValueError(f"Node type mismatch; expected {self.type!r}, but got {kind!r}.")
        children, context = node_of(type(tree)).flatten(tree)
        if isinstance(tree, dict):
            mine = self.context[1] if self.type is defaultdict else self.context
            if set(mine) != set(tree):
                missing, extra = set(mine) - set(tree), set(tree) - set(mine)
                text = (f"; missing key(s): {missing}" if missing else "") + (f"; extra key(s): {extra}" if extra else "")
                raise ValueError(f"Node keys mismatch{text}.")
            children = [tree[key] for key in mine]
        elif len(children) != len(self._children):
            raise ValueError(f"Node arity mismatch; expected {len(self._children)}, but got {len(children)}.")
        elif context != self.context:
            raise ValueError(
                f"Node context mismatch for node type {self.type!r}; expected {self.context!r}, but got {context!r}."
            )
        for spec, child in zip(self._children, children, strict=True):
            spec._collect(child, found)


LEAF = TreeSpec(None, None, ())


def LeafSpec():
    """The structure of a single leaf."""
    return LEAF


# ---- taking apart and putting together -----------------------------------------------------------------------------------
def tree_flatten(tree, is_leaf=None):
    """The leaves of a tree, in order, and its structure.

    >>> from rushlight.utils._pytree import tree_flatten
    >>> tree_flatten({"a": 1, "b": (2, [3])})[0]
    [1, 2, 3]
    """
    leaves = []
    return leaves, _flatten(tree, leaves, is_leaf)


def _flatten(tree, leaves, is_leaf):
    if is_leaf is not None and is_leaf(tree):
        leaves.append(tree)
        return LEAF
    node = node_of(type(tree))
    if node is None:
        leaves.append(tree)
        return LEAF
    children, context = node.flatten(tree)
    return TreeSpec(
        namedtuple if node is NAMED_TUPLE else type(tree), context, [_flatten(child, leaves, is_leaf) for child in children]
    )


def tree_unflatten(leaves, treespec):
    """The tree with the given leaves and structure."""
    if not isinstance(treespec, TreeSpec):
        raise TypeError(f"Expected `treespec` to be an instance of PyTreeSpec but got item of type {type(treespec)}.")
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(
            f"treespec.unflatten(leaves): `leaves` has length {len(leaves)} but the spec refers to a pytree that holds "
            f"{treespec.num_leaves} items ({treespec})."
        )
    return _unflatten(treespec, iter(leaves))


def _unflatten(spec, leaves):
    if spec.type is None:
        return next(leaves)
    return node_of(spec.type).unflatten([_unflatten(child, leaves) for child in spec._children], spec.context)


def tree_is_leaf(tree, is_leaf=None):
    """Whether `tree` is a leaf."""
    return (is_leaf is not None and is_leaf(tree)) or node_of(type(tree)) is None


def tree_iter(tree, is_leaf=None):
    """The leaves of a tree, one after the other."""
    yield from tree_flatten(tree, is_leaf)[0]


def tree_leaves(tree, is_leaf=None):
    """The leaves of a tree as a list."""
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree, is_leaf=None):
    """The structure of a tree."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func, tree, *rests, is_leaf=None):
    """The tree of `func(leaf, …)`; further trees have the same structure, or hold more at the places of leaves.

    >>> from rushlight.utils._pytree import tree_map
    >>> tree_map(lambda x, y: x + y, {"a": 1, "b": [2]}, {"a": 10, "b": [20]})
    {'a': 11, 'b': [22]}
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    columns = [leaves, *[spec.flatten_up_to(rest) for rest in rests]]
    return tree_unflatten([func(*row) for row in zip(*columns, strict=True)], spec)


def tree_map_(func, tree, *rests, is_leaf=None):
    """Calls `func` as `tree_map` does, and returns the tree itself."""
    leaves, spec = tree_flatten(tree, is_leaf)
    for row in zip(leaves, *[spec.flatten_up_to(rest) for rest in rests], strict=True):
        func(*row)
    return tree


def chooses(chosen):
    """A predicate from a type, a tuple or union of types, or a predicate."""
    return chosen if callable(chosen) and not isinstance(chosen, type) else lambda leaf: isinstance(leaf, chosen)


def tree_map_only(type_or_types_or_pred, /, func, tree, is_leaf=None):
    """`tree_map` of the leaves of the given type; the others stay."""
    wanted = chooses(type_or_types_or_pred)
    return tree_map(lambda leaf: func(leaf) if wanted(leaf) else leaf, tree, is_leaf=is_leaf)


def tree_map_only_(type_or_types_or_pred, /, func, tree, is_leaf=None):
    """`tree_map_` of the leaves of the given type."""
    wanted = chooses(type_or_types_or_pred)
    return tree_map_(lambda leaf: func(leaf) if wanted(leaf) else leaf, tree, is_leaf=is_leaf)


def tree_all(pred, tree, is_leaf=None):
    """Whether `pred` holds for all leaves."""
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any(pred, tree, is_leaf=None):
    """Whether `pred` holds for a leaf."""
    return any(map(pred, tree_leaves(tree, is_leaf)))


def tree_all_only(type_or_types, /, pred, tree, is_leaf=None):
    """Whether `pred` holds for all leaves of the given type."""
    return all(pred(leaf) for leaf in tree_leaves(tree, is_leaf) if isinstance(leaf, type_or_types))


def tree_any_only(type_or_types, /, pred, tree, is_leaf=None):
    """Whether `pred` holds for a leaf of the given type."""
    return any(pred(leaf) for leaf in tree_leaves(tree, is_leaf) if isinstance(leaf, type_or_types))


def _broadcast_to_and_flatten(tree, treespec, is_leaf=None):
    """One leaf of `tree` for each leaf of `treespec`: a leaf stands for a whole subtree. None where the structures disagree."""
    if tree_is_leaf(tree, is_leaf):
        return [tree] * treespec.num_leaves
    if treespec.is_leaf() or _get_node_type(tree) is not treespec.type:
        return None
    children, context = node_of(type(tree)).flatten(tree)
    if len(children) != treespec.num_children or context != treespec.context:
        return None
    found = []
    for child, spec in zip(children, treespec._children, strict=True):
        flat = _broadcast_to_and_flatten(child, spec, is_leaf)
        if flat is None:
            return None
        found += flat
    return found


# ---- paths ---------------------------------------------------------------------------------------------------------------
def tree_leaves_with_path(tree, is_leaf=None):
    """(path, leaf) for each leaf: a path is a tuple of keys."""
    found = []

    def walk(path, subtree):
        node = None if is_leaf is not None and is_leaf(subtree) else node_of(type(subtree))
        if node is None:
            found.append((path, subtree))
            return
        if node.keys is None:
            raise ValueError(
                f"Did not find a flatten_with_keys_fn for type: {type(subtree)}. Please pass a flatten_with_keys_fn argument to "
                "register_pytree_node."
            )
        for key, child in zip(node.keys(subtree), node.flatten(subtree)[0], strict=True):
            walk((*path, key), child)

    walk((), tree)
    return found


def tree_flatten_with_path(tree, is_leaf=None):
    """(path, leaf) for each leaf, and the structure of the tree."""
    return tree_leaves_with_path(tree, is_leaf), tree_structure(tree, is_leaf)


def tree_map_with_path(func, tree, *rests, is_leaf=None):
    """The tree of `func(path, leaf, …)`."""
    found, spec = tree_flatten_with_path(tree, is_leaf)
    columns = [[path for path, _ in found], [leaf for _, leaf in found], *[spec.flatten_up_to(rest) for rest in rests]]
    return tree_unflatten([func(*row) for row in zip(*columns, strict=True)], spec)


def keystr(kp):
    """A path as the text that leads to its leaf, such as ['a'][0]."""
    return "".join([str(key) for key in kp])


def key_get(obj, kp):
    """The subtree of `obj` at a path."""
    for key in kp:
        obj = key.get(obj)
    return obj


# ---- structures by hand, as JSON, of classes: imported when asked for ----------------------------------------------------
_LATE = [
    "arg_tree_leaves",
    "is_constant_class",
    "register_constant",
    "register_dataclass",
    "treespec_dict",
    "treespec_dumps",
    "treespec_leaf",
    "treespec_loads",
    "treespec_pprint",
    "treespec_tuple",
]
__getattr__ = _late(__name__, {name: f"rushlight.utils._treespecs:{name}" for name in _LATE})


def _get_node_type(tree):
    """The class by which a tree is taken apart: `namedtuple` of all those that `collections.namedtuple` made."""
    return namedtuple if node_of(type(tree)) is NAMED_TUPLE else type(tree)


def _is_leaf(tree, is_leaf=None):
    return tree_is_leaf(tree, is_leaf)

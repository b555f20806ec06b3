"""Structures of trees made by hand, written as JSON, and of classes that say by themselves what their children are."""

import dataclasses
import enum
import importlib
import json
from collections import OrderedDict, defaultdict, deque
from operator import attrgetter
from typing import NamedTuple

from rushlight.core import warn_user
from rushlight.utils import _pytree as pytree
from rushlight.utils._pytree import GetAttrKey, TreeSpec, register_pytree_node

PROTOCOL = 1


# ---- by hand -------------------------------------------------------------------------------------------------------------
def treespec_leaf():
    """The structure of a single leaf.

    >>> from rushlight.utils import _pytree
    >>> _pytree.treespec_tuple([_pytree.treespec_leaf()])
    TreeSpec(tuple, None, [*])
    """
    return pytree.LeafSpec()


def treespec_tuple(iterable=(), /):
    """The structure of a tuple of the given structures."""
    children = list(iterable)
    if not all(isinstance(child, TreeSpec) for child in children):
        raise ValueError(f"Expected a tuple of TreeSpec values, got: {children!r}.")
    return TreeSpec(tuple, None, children)


def treespec_dict(mapping=(), /, **kwargs):
    """The structure of a dict of the given structures."""
    children = dict(mapping, **kwargs)
    if not all(isinstance(child, TreeSpec) for child in children.values()):
        raise ValueError(f"Expected a dictionary of TreeSpec values, got: {children!r}.")
    return TreeSpec(dict, list(children), children.values())


class Placeholder:
    """What stands for a leaf where a structure is shown."""

    def __repr__(self):
        return "*"


def treespec_pprint(treespec):
    """The structure as a tree of stars."""
    star = Placeholder()
    return repr(pytree.tree_unflatten([star] * treespec.num_leaves, treespec))


def arg_tree_leaves(*args, **kwargs):
    """The leaves of all arguments of a call."""
    return [leaf for value in (*args, *kwargs.values()) for leaf in pytree.tree_leaves(value)]


# ---- as JSON -------------------------------------------------------------------------------------------------------------
def dump_default(context):
    return {
        "default_factory_module": context[0].__module__,
        "default_factory_name": context[0].__qualname__,
        "dict_context": context[1],
    }


def load_default(context):
    return [
        getattr(importlib.import_module(context["default_factory_module"]), context["default_factory_name"]),
        context["dict_context"],
    ]


BUILT_IN = {cls: f"{cls.__module__}.{cls.__name__}" for cls in (tuple, list, dict, OrderedDict, defaultdict, deque)}
NAMES = {name: cls for cls, name in BUILT_IN.items()}


def treespec_dumps(treespec, protocol=None):
    """A structure as JSON.

    >>> from rushlight.utils import _pytree
    >>> text = _pytree.treespec_dumps(_pytree.tree_structure([1, (2,)]))
    >>> _pytree.treespec_loads(text).num_leaves
    2
    """
    if not isinstance(treespec, TreeSpec):
        raise TypeError(f"Expected `treespec` to be an instance of PyTreeSpec but got item of type {type(treespec)}.")
    if protocol not in (None, PROTOCOL):
        raise ValueError(f"Unknown protocol {protocol}. Available protocols: [{PROTOCOL}]")
    return json.dumps((PROTOCOL, as_json(treespec)), default=dump_enum)


def as_json(spec):
    """A structure as a dict of what JSON knows."""
    if spec.is_leaf():
        return {"type": None, "context": None, "children_spec": []}
    node = pytree.node_of(spec.type)
    name = BUILT_IN.get(spec.type) or node.name
    if name is None:
        raise NotImplementedError(
            f"No registered serialization name for {spec.type} found. Please update your _register_pytree_node call with a "
            "`serialized_type_name` kwarg."
        )
    if node.dump is not None:
        context = node.dump(spec.context)
    else:
        context = dump_default(spec.context) if spec.type is defaultdict else context_as_json(spec.context)
    return {"type": name, "context": context, "children_spec": [as_json(child) for child in spec.children_specs]}


def context_as_json(context):
    try:
        return json.dumps(context, default=dump_enum)
    except TypeError as error:
        raise TypeError(
            "Unable to serialize context. Please make the context json dump-able, or register a custom serializer using "
            "_register_pytree_node."
        ) from error


def dump_enum(value):
    """A member of an enumeration as JSON knows it."""
    if not isinstance(value, enum.Enum):
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
    return {"__enum__": True, "fqn": f"{type(value).__module__}:{type(value).__qualname__}", "name": value.name}


def load_enum(found):
    if not found.get("__enum__"):
        return found
    module, _, name = found["fqn"].partition(":")
    return attrgetter(name)(importlib.import_module(module))[found["name"]]


def context_from_json(text):
    return json.loads(text, object_hook=load_enum)


def treespec_loads(serialized):
    """A structure from what treespec_dumps wrote."""
    protocol, schema = json.loads(serialized)
    if protocol != PROTOCOL:
        raise ValueError(f"Unknown protocol {protocol}. Available protocols: [{PROTOCOL}]")
    return from_json(schema)


def from_json(schema):
    """A structure from its dict."""
    if schema["type"] is None:
        return pytree.LeafSpec()
    cls = NAMES.get(schema["type"]) or next(
        (c for c, node in pytree.SUPPORTED_NODES.items() if node.name == schema["type"]), None
    )
    if cls is None:
        raise NotImplementedError(f"Deserializing {schema['type']} in pytree is not registered.")
    load = pytree.node_of(cls).load or (load_default if cls is defaultdict else context_from_json)
    return TreeSpec(cls, load(schema["context"]), [from_json(child) for child in schema["children_spec"]])


# ---- classes -------------------------------------------------------------------------------------------------------------
def register_dataclass(cls, *, field_names=None, drop_field_names=None, serialized_type_name=None):
    """Makes instances of a dataclass (or of another class, with its `field_names`) nodes whose children are their fields.

    >>> import dataclasses
    >>> from rushlight.utils import _pytree
    >>> @dataclasses.dataclass
    ... class Point:
    ...     x: int
    ...     y: int
    >>> _pytree.register_dataclass(Point)
    >>> _pytree.tree_map(lambda n: n + 1, Point(1, 2)).y
    3
    """
    if field_names is None:
        if not dataclasses.is_dataclass(cls):
            raise ValueError(
                f"field_names must be specified with a list of all fields used to initialize {cls}, as it is not a dataclass."
            )
        field_names = [field.name for field in dataclasses.fields(cls) if field.init]
    if dataclasses.is_dataclass(cls):
        expected = {field.name for field in dataclasses.fields(cls) if field.init} - set(drop_field_names or ())
        missing, extra = expected - set(field_names), set(field_names) - expected
        if missing or extra:
            text = "field_names does not include all dataclass fields.\n"
            if missing:
                text += f"Missing fields in `field_names`: {missing}. If you want to include these fields in the pytree, please add them to `field_names`, "
                text += "otherwise please add them to `drop_field_names`.\n"
            if extra:
                text += f"Unexpected fields in `field_names`: {extra}. Please remove these fields, or add them to `drop_field_names`.\n"
            raise ValueError(text)

    def flatten(value):
        present = [name for name in field_names if getattr(value, name) is not None]
        return [getattr(value, name) for name in present], [present, [name for name in field_names if name not in present]]

    def unflatten(children, context):
        return cls(**dict(zip(context[0], children)), **dict.fromkeys(context[1]))

    def flatten_with_keys(value):
        children, context = flatten(value)
        return [(GetAttrKey(name), child) for name, child in zip(context[0], children)], context

    if pytree.SUPPORTED_NODES.pop(cls, None) is not None:
        warn_user(f"{cls} is already registered as pytree node. Overwriting the previous registration.")
    register_pytree_node(
        cls, flatten, unflatten, serialized_type_name=serialized_type_name, flatten_with_keys_fn=flatten_with_keys
    )


class ConstantNode(NamedTuple):
    """The context of a node without children that stands for itself."""

    value: object


_constants = set()


def register_constant(cls):
    """Makes instances of `cls`, which must have `__eq__` and `__hash__`, parts of the structure, no leaves."""
    for name in ("__eq__", "__hash__"):
        if getattr(cls, name) in (getattr(object, name), None):
            raise TypeError(f"register_constant(cls) expects `cls` to have a non-default `{name}` implementation.")
    register_pytree_node(cls, lambda value: ([], ConstantNode(value)), lambda _, context: context.value)
    _constants.add(cls)


def is_constant_class(cls):
    """Whether register_constant knows the class."""
    return cls in _constants

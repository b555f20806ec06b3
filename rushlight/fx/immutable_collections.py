"""Lists and dicts that cannot be changed, of which the arguments of nodes are made."""

from rushlight.utils import _pytree

__all__ = ["immutable_dict", "immutable_list"]


def _refuse(self, *args, **kwargs):
    raise TypeError(
        f"'{type(self).__name__}' object does not support mutation. If you are attempting to modify the kwargs or args of a "
        "torch.fx.Node object,\ninstead create a new copy of it and assign the copy to the node:\n\n"
        "    new_args = ...  # copy and mutate args\n    node.args = new_args"
    )


class immutable_list(list):
    """A list that cannot be changed.

    >>> import rushlight
    >>> from rushlight.fx.immutable_collections import immutable_list
    >>> immutable_list([1, 2])
    [1, 2]
    """

    __delitem__ = __iadd__ = __imul__ = __setitem__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __hash__(self):
        return hash(tuple(self))

    def __reduce__(self):
        return type(self), (tuple(self),)


class immutable_dict(dict):
    """A dict that cannot be changed.

    >>> import rushlight
    >>> from rushlight.fx.immutable_collections import immutable_dict
    >>> immutable_dict({"a": 1})
    {'a': 1}
    """

    __delitem__ = __ior__ = __setitem__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self):
        return hash(frozenset(self.items()))

    def __reduce__(self):
        return type(self), (tuple(self.items()),)


for _kind in (immutable_list, immutable_dict):
    _node = _pytree.SUPPORTED_NODES[_kind.__base__]
    _pytree.SUPPORTED_NODES[_kind] = _node._replace(
        unflatten=lambda children, context, kind=_kind, node=_node: kind(node.unflatten(children, context)),
        name=f"torch.fx.immutable_collections.{_kind.__name__}",
    )

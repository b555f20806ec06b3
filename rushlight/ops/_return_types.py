"""The named tuples that ops with several results return: `torch.return_types.max(values=…, indices=…)`."""

from operator import itemgetter

types = {}
"""Every result type by its name; the contents of `torch.return_types`."""


class ReturnType(tuple):
    """A tuple made from one sequence, whose elements have names and which prints as PyTorch's do."""

    __slots__ = ()

    def __new__(cls, sequence, attributes=None):
        # (The second argument is what pickles of PyTorch's have, an empty dict.)
        return tuple.__new__(cls, sequence)

    def __repr__(self):
        fields = ",\n".join(f"{name}={value!r}" for name, value in zip(self._fields, self))
        return f"torch.return_types.{type(self).__name__}(\n{fields})"

    def __reduce__(self):
        return rebuild, (type(self).__name__, tuple(self))


def rebuild(name, values):
    return types[name](values)


def document(name, fields):
    """The docstring of a result type."""
    function = name.removesuffix("_out")
    given, shown = ", ".join(str(i) for i in range(len(fields))), ",\n".join(f"{field}={i}" for i, field in enumerate(fields))
    return f"""What `{function}` returns{" that wrote into `out`" * (name != function)}: a tuple of {", ".join(fields)}.

Args:
    sequence: The values.
    attributes: An empty dict, as pickles have it.

>>> torch.return_types.{name}(({given}))
torch.return_types.{name}(
{shown})
"""


def return_type(name, *fields):
    """The result type `name`, made once, with its twin for what was written into `out=`, `written`."""
    if name not in types:
        getters = {field: property(itemgetter(i)) for i, field in enumerate(fields)}
        about = {"__slots__": (), "__module__": "torch.return_types", "_fields": fields, "n_fields": len(fields)}
        for each in (name, f"{name}_out"):
            types[each] = type(each, (ReturnType,), about | {"__doc__": document(each, fields)} | getters)
        types[name].written = types[f"{name}_out"]
    return types[name]

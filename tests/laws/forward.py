"""Forward mode by the table's rules, for one op: what a jvp rule gives for given tangents."""

import inspect

import rushlight as torch


def total(terms):
    terms = [term for term in terms if term is not None]
    result = terms[0] if terms else None
    for term in terms[1:]:
        result = result + term
    return result


def has_jvp(op):
    return op.jvp is not None or op.linear or (bool(op.rules) and all(rule.is_slope for rule in op.rules))


def jvp(op, arguments, outputs, tangents):
    """The tangent of each output. `arguments` has every parameter; `tangents` maps a parameter's index to its tangent."""
    if op.jvp is not None:
        return as_tuple(
            op.jvp(*[look_up(op, name, arguments, outputs, tangents) for name in inspect.signature(op.jvp).parameters])
        )
    if op.linear:
        moved = list(arguments)
        for index in op.tensor_parameters:
            if index in tangents:
                moved[index] = tangents[index]
            elif isinstance(moved[index], torch.Tensor):
                moved[index] = torch.zeros_like(moved[index])
        return as_tuple(op.apply(*moved))
    terms = []
    for rule in op.rules:
        tangent = tangents.get(rule.parameter)
        if tangent is not None:
            slope = rule.function
            if callable(slope):
                slope = slope(*[look_up(op, name, arguments, outputs, tangents) for name in inspect.signature(slope).parameters])
            terms.append(tangent * slope)
    return (total(terms),)


def look_up(op, name, arguments, outputs, tangents):
    """The value that a rule's parameter stands for."""
    if name.endswith("_t") and name[:-2] in op.parameters:
        return tangents.get(op.parameters.index(name[:-2]))
    if name in op.parameters:
        return arguments[op.parameters.index(name)]
    if name == "out":
        return outputs[0]
    if name in op.outputs:
        return outputs[op.outputs.index(name)]
    if name.endswith("_shape"):
        return metadata(arguments[op.parameters.index(name[:-6])], "shape")
    if name.endswith("_dtype"):
        return metadata(arguments[op.parameters.index(name[:-6])], "dtype")
    raise TypeError(f"the jvp of {op.name} asks for '{name}'")


def metadata(value, attribute):
    if isinstance(value, (list, tuple)):
        return [metadata(item, attribute) for item in value]
    return getattr(value, attribute, None)


def as_tuple(value):
    return (value,) if isinstance(value, torch.Tensor) or value is None else tuple(value)

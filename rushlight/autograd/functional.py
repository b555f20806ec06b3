"""Derivatives of functions: products of a Jacobian or Hessian with a vector, and the matrices themselves."""

import rushlight as torch
from rushlight._vmap_internals import _vmap
from rushlight.autograd import forward_ad
from rushlight.autograd.engine import grad

TYPE_CHECKING = False  # (checkers take it for true; `typing` is slow to import)
if TYPE_CHECKING:
    from typing import Any

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def tensors_of(value, what, function):
    """(were there several?, the tensors as a tuple); an error for anything but a tensor or a tuple of them."""
    many = isinstance(value, tuple)
    values = value if many else (value,)
    for place, one in enumerate(values):
        if not isinstance(one, torch.Tensor):
            which = f"the value at index {place}" if many else f"the given {what}"
            raise TypeError(
                f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but {which} has type {type(one)}."
            )
    return many, values


def fresh(inputs, create_graph, need_graph=True):
    """Inputs to differentiate by: linked to what they came from if the result shall be, else cut off."""
    return tuple(x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_(need_graph) for x in inputs)


def finished(results, create_graph, many=True):
    """Results for the user: without history unless asked for, and unwrapped where one was given."""
    if isinstance(results[0], torch.Tensor):
        results = tuple(r if create_graph else r.detach() for r in results)
    else:
        results = tuple(finished(r, create_graph) for r in results)
    return results if many else results[0]


def check_vector(v, like, many):
    """Has `v` the shapes of the tensors that it is to be multiplied with?"""
    if len(v) != len(like):
        if many:
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(v)}.")
        raise RuntimeError("The given v should contain a single Tensor.")
    for place, (one, other) in enumerate(zip(v, like)):
        if one.size() != other.size():
            entry = f"Entry {place} in " if many else ""
            raise RuntimeError(f"{entry}v has invalid size: should be {other.size()} but got {one.size()}.")


def single_value(outputs, many, function):
    """The one scalar that a function given to hessian and its kin must return."""
    if many:
        raise RuntimeError(f"The function given to {function} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {function} should contain a single element")
    return outputs[0]


def gradients(outputs, inputs, cotangents=None, create_graph=False, retain_graph=None, is_grads_batched=False):
    """Gradients with None where there is no way from `inputs` to `outputs`, even if no output was recorded at all."""
    cotangents = (None,) * len(outputs) if cotangents is None else cotangents
    pairs = [(out, g) for out, g in zip(outputs, cotangents) if out is not None and out.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    return grad(
        [out for out, _ in pairs],
        inputs,
        [g for _, g in pairs],
        allow_unused=True,
        create_graph=create_graph,
        retain_graph=retain_graph,
        is_grads_batched=is_grads_batched,
    )


_NOT_RECORDED = {
    "outputs": "Output {} of the user-provided function does not require gradients. The outputs must be computed in a differentiable manner "
    "from the input when running in strict mode.",
    "grad_inputs": "The gradient with respect to input {} is independent of the inputs of the user-provided function. This is not allowed in "
    "strict mode.",
    "jacobian": "While computing the hessian, found that the jacobian of the user-provided function with respect to input {} is independent of "
    "the input. This is not allowed in strict mode. You should ensure that your function is twice differentiable and that the jacobian "
    "depends on the inputs (this would be violated by a linear function for example).",
    "hessian": "The hessian of the user-provided function with respect to input {} is independent of the input. This is not allowed in strict "
    "mode. You should ensure that your function is thrice differentiable and that the hessian depends on the inputs.",
}


def check_recorded(tensors, kind, strict):
    """In strict mode, everything on the way has to depend on the inputs."""
    for place, tensor in enumerate(tensors if strict else ()):
        if tensor is None:
            raise RuntimeError(
                f"The output of the user-provided function is independent of input {place}. This is not allowed in strict mode."
            )
        if not tensor.requires_grad:
            raise RuntimeError(_NOT_RECORDED[kind].format(place))


_INDEPENDENT = {
    "back": "The output of the user-provided function is independent of input {}. This is not allowed in strict mode.",
    "back_trick": "The gradient with respect to the input is independent of entry {} in the grad_outputs when using the double backward trick "
    "to compute forward mode gradients. This is not allowed in strict mode.",
    "double_back": "The jacobian of the user-provided function is independent of input {}. This is not allowed in strict mode.",
    "double_back_trick": "The hessian of the user-provided function is independent of entry {} in the grad_jacobian. This is not allowed in "
    "strict mode as it prevents from using the double backward trick to replace forward mode AD.",
}


def with_zeros(found, like, strict, create_graph, stage):
    """Zeros for gradients that do not exist, or, in strict mode, an error for them and for those that could not be differentiated."""
    results = []
    for place, (gradient, reference) in enumerate(zip(found, like)):
        if gradient is None:
            if strict:
                raise RuntimeError(_INDEPENDENT[stage].format(place))
            gradient = torch.zeros_like(reference)
        elif strict and create_graph and not gradient.requires_grad:
            order = "hessian" if stage.startswith("double") else "jacobian"
            raise RuntimeError(
                f"The {order} of the user-provided function is independent of input {place}. This is not allowed in strict mode when "
                "create_graph=True."
            )
        results.append(gradient)
    return tuple(results)


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """The value of `func`, and its Jacobian multiplied from the left by `v`.

    Args:
        func: Takes tensors, returns a tensor or a tuple of tensors.
        inputs: A tensor or a tuple of tensors.
        v: A vector with the shapes of the outputs; not needed where there is one output with one element.
        create_graph: Make the results differentiable.
        strict: An output that does not depend on an input is an error instead of a zero.

    >>> import rushlight as torch
    >>> torch.autograd.functional.vjp(torch.exp, torch.zeros(2), torch.tensor([1., 2.]))
    (tensor([1., 1.]), tensor([1., 2.]))
    """
    with torch.enable_grad():
        many_in, inputs = tensors_of(inputs, "inputs", "vjp")
        inputs = fresh(inputs, create_graph)
        many_out, outputs = tensors_of(func(*inputs), "outputs of the user-provided function", "vjp")
        check_recorded(outputs, "outputs", strict)
        if v is not None:
            _, v = tensors_of(v, "v", "vjp")
            v = fresh(v, create_graph, False)
            check_vector(v, outputs, many_out)
        elif len(outputs) != 1 or outputs[0].numel() != 1:
            raise RuntimeError(
                "The vector v can only be None if the user-provided function returns a single Tensor with a single element."
            )
    with torch.set_grad_enabled(create_graph or torch.is_grad_enabled()):
        product = gradients(outputs, inputs, v, create_graph)
        product = with_zeros(product, inputs, strict, create_graph, "back")
    return finished(outputs, create_graph, many_out), finished(product, create_graph, many_in)


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """The value of `func`, and its Jacobian multiplied from the right by `v`: two reverse passes, the second through the first.

    Args:
        func: Takes tensors, returns a tensor or a tuple of tensors.
        inputs: A tensor or a tuple of tensors.
        v: A vector with the shapes of the inputs; not needed where there is one input with one element.
        create_graph: Make the results differentiable.
        strict: An output that does not depend on an input is an error instead of a zero.

    >>> import rushlight as torch
    >>> torch.autograd.functional.jvp(torch.exp, torch.zeros(2), torch.tensor([1., 2.]))
    (tensor([1., 1.]), tensor([1., 2.]))
    """
    with torch.enable_grad():
        many_in, inputs = tensors_of(inputs, "inputs", "jvp")
        inputs = fresh(inputs, create_graph)
        v = vector_like(v, inputs, many_in, create_graph, "jvp")
        many_out, outputs = tensors_of(func(*inputs), "outputs of the user-provided function", "jvp")
        check_recorded(outputs, "outputs", strict)
        # The vjp is linear in its vector: its own vjp is the jvp, whatever that vector is.
        cotangents = tuple(torch.zeros_like(out, requires_grad=True) for out in outputs)
        pulled = gradients(outputs, inputs, cotangents, create_graph=True)
        check_recorded(pulled, "grad_inputs", strict)
    with torch.set_grad_enabled(create_graph or torch.is_grad_enabled()):
        product = gradients(pulled, cotangents, v, create_graph)
        product = with_zeros(product, outputs, strict, create_graph, "back_trick")
    return finished(outputs, create_graph, many_out), finished(product, create_graph, many_out)


def vector_like(v, inputs, many, create_graph, function):
    """The vector that multiplies derivatives by the inputs."""
    if v is not None:
        _, v = tensors_of(v, "v", function)
        v = fresh(v, create_graph, False)
        check_vector(v, inputs, many)
    elif len(inputs) != 1 or inputs[0].numel() != 1:
        raise RuntimeError(
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a single element."
        )
    return v


def first_derivative(func, inputs, function, strict):
    """The scalar value of `func` and its gradient, recorded."""
    many, outputs = tensors_of(func(*inputs), "outputs of the user-provided function", function)
    check_recorded(outputs, "outputs", strict)
    value = single_value(outputs, many, function)
    slope = gradients((value,), inputs, create_graph=True)
    check_recorded(slope, "jacobian", strict)
    return value, slope


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """The value of the scalar function `func`, and its Hessian multiplied from the left by `v`.

    Args:
        func: Takes tensors, returns a tensor with one element.
        inputs: A tensor or a tuple of tensors.
        v: A vector with the shapes of the inputs; not needed where there is one input with one element.
        create_graph: Make the results differentiable.
        strict: A derivative that does not depend on an input is an error instead of a zero.

    >>> import rushlight as torch
    >>> torch.autograd.functional.vhp(lambda x: (x ** 3).sum(), torch.ones(2), torch.tensor([1., 2.]))
    (tensor(2.), tensor([ 6., 12.]))
    """
    with torch.enable_grad():
        many, inputs = tensors_of(inputs, "inputs", "vhp")
        inputs = fresh(inputs, create_graph)
        v = vector_like(v, inputs, many, create_graph, "vhp")
        value, slope = first_derivative(func, inputs, "vhp", strict)
    with torch.set_grad_enabled(create_graph or torch.is_grad_enabled()):
        product = gradients(slope, inputs, v, create_graph)
        product = with_zeros(product, inputs, strict, create_graph, "double_back")
    return finished((value,), create_graph, False), finished(product, create_graph, many)


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """The value of the scalar function `func`, and its Hessian multiplied from the right by `v`; `vhp` gives the same for less.

    Args:
        func: Takes tensors, returns a tensor with one element.
        inputs: A tensor or a tuple of tensors.
        v: A vector with the shapes of the inputs; not needed where there is one input with one element.
        create_graph: Make the results differentiable.
        strict: A derivative that does not depend on an input is an error instead of a zero.

    >>> import rushlight as torch
    >>> torch.autograd.functional.hvp(lambda x: (x ** 3).sum(), torch.ones(2), torch.tensor([1., 2.]))
    (tensor(2.), tensor([ 6., 12.]))
    """
    with torch.enable_grad():
        many, inputs = tensors_of(inputs, "inputs", "hvp")
        inputs = fresh(inputs, create_graph)
        v = vector_like(v, inputs, many, create_graph, "hvp")
        value, slope = first_derivative(func, inputs, "hvp", strict)
        cotangents = tuple(torch.zeros_like(x, requires_grad=True) for x in inputs)
        pulled = gradients(slope, inputs, cotangents, create_graph=True)
        check_recorded(slope, "hessian", strict)
    with torch.set_grad_enabled(create_graph or torch.is_grad_enabled()):
        product = gradients(pulled, cotangents, v, create_graph)
        product = with_zeros(product, inputs, strict, create_graph, "double_back_trick")
    return finished((value,), create_graph, False), finished(product, create_graph, many)


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode") -> "Any":
    """The Jacobian of `func`: for each output and each input a tensor whose shape is the output's followed by the input's.

    Args:
        func: Takes tensors, returns a tensor or a tuple of tensors.
        inputs: A tensor or a tuple of tensors.
        create_graph: Make the result differentiable.
        strict: An output that does not depend on an input is an error instead of a zero.
        vectorize: All rows (or columns) in one batch instead of one at a time.
        strategy: "reverse-mode", a pass for each output, or "forward-mode", a pass for each input (with `vectorize`).

    Returns:
        A tensor for one input and one output; a tuple of them for a tuple of either; a tuple of tuples, by output first, for both.

    >>> import rushlight as torch
    >>> torch.autograd.functional.jacobian(lambda x: x ** 2, torch.tensor([1., 2.]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs than inputs, '
            '"forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                'torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not supported together (yet). Please '
                'either set `create_graph=False` or `strategy="reverse-mode"`.'
            )
        return forward_jacobian(func, inputs, strict, vectorize)
    with torch.enable_grad():
        many_in, inputs = tensors_of(inputs, "inputs", "jacobian")
        inputs = fresh(inputs, create_graph)
        many_out, outputs = tensors_of(func(*inputs), "outputs of the user-provided function", "jacobian")
        check_recorded(outputs, "outputs", strict)
        if vectorize and strict:
            raise RuntimeError(
                "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. Please either set "
                "`strict=False` or `vectorize=False`."
            )
        rows = batched_rows if vectorize else single_rows
        blocks = tuple(
            tuple(block.view(out.size() + x.size()) for block, x in zip(of_out, inputs))
            for of_out, out in zip(rows(outputs, inputs, create_graph, strict), outputs)
        )
    result = finished(blocks, create_graph)
    result = result if many_in else tuple(row[0] for row in result)
    return result if many_out else result[0]


def batched_rows(outputs, inputs, create_graph, strict):
    """For each output and input the rows of the Jacobian, by one batched backward of all outputs."""
    counts = [out.numel() for out in outputs]
    basis = [part.view((len(part), *out.size())) for part, out in zip(basis_of(outputs), outputs)]
    found = gradients(outputs, inputs, basis, create_graph, retain_graph=True, is_grads_batched=True)
    found = [
        torch.zeros((sum(counts), *x.size()), dtype=x.dtype) if rows is None else rows
        for rows, x in zip(found, inputs, strict=True)
    ]
    return zip(*(rows.split(counts, dim=0) for rows in found), strict=True)


def single_rows(outputs, inputs, create_graph, strict):
    """For each output and input the rows of the Jacobian, by one backward for each element of the outputs."""
    for place, out in enumerate(outputs):
        rows = [[] for _ in inputs]
        for element in range(out.numel()):
            found = gradients((out.reshape(-1)[element],), inputs, create_graph=create_graph, retain_graph=True)
            for index, (row, x) in enumerate(zip(found, inputs)):
                if row is None and strict:
                    raise RuntimeError(
                        f"Output {place} of the user-provided function is independent of input {index}. This is not allowed in strict mode."
                    )
                if strict and create_graph and not row.requires_grad:
                    # PyTorch names the output's number here.
                    raise RuntimeError(
                        f"The jacobian of the user-provided function is independent of input {place}. This is not allowed in strict mode "
                        "when create_graph=True."
                    )
                rows[index].append(torch.zeros_like(x) if row is None else row)
        yield [
            torch.stack(many) if many else torch.zeros((0, *x.size()), dtype=x.dtype, requires_grad=create_graph)
            for many, x in zip(rows, inputs)
        ]


def forward_jacobian(func, inputs, strict, vectorize):
    """The Jacobian by its columns: a tangent for each element of the inputs."""
    if strict:
        raise RuntimeError(
            'torch.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are not supported together (yet). Please either '
            'set `strict=False` or `strategy="reverse-mode"`.'
        )
    many_in, inputs = tensors_of(inputs, "inputs", "jacobian")
    if not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly implemented for `vectorize=True`."
        )
    shapes = []

    def push(*tangents):
        with forward_ad.dual_level():
            duals = tuple(forward_ad.make_dual(x, tangent.view_as(x)) for x, tangent in zip(inputs, tangents, strict=True))
            many_out, outputs = tensors_of(func(*duals), "outputs of the user-provided function", "jacobian")
            shapes[:] = many_out, [out.size() for out in outputs]
            pairs = [forward_ad.unpack_dual(out) for out in outputs]
            return tuple(torch.zeros_like(p.primal) if p.tangent is None else p.tangent for p in pairs)

    columns = _vmap(push, allow_none_pass_through=True)(*basis_of(inputs))
    many_out, sizes = shapes
    counts = [x.numel() for x in inputs]
    result = [
        [block.movedim(0, -1).reshape((*size, *x.size())) for block, x in zip(column.split(counts, dim=0), inputs, strict=True)]
        for column, size in zip(columns, sizes)
    ]
    result = result if many_in else tuple(row[0] for row in result)
    return result if many_out else result[0]


def basis_of(inputs):
    """For each input the unit vectors of all inputs together, one a row."""
    total, start, basis = sum(x.numel() for x in inputs), 0, []
    for x in inputs:
        part = torch.zeros((total, x.numel()), dtype=x.dtype)
        part[start : start + x.numel()] = torch.eye(x.numel(), dtype=x.dtype)
        basis.append(part)
        start += x.numel()
    return basis


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False, outer_jacobian_strategy="reverse-mode") -> "Any":
    """The Hessian of the scalar function `func`: the Jacobian of its gradient.

    Args:
        func: Takes tensors, returns a tensor with one element.
        inputs: A tensor or a tuple of tensors.
        create_graph: Make the result differentiable.
        strict: A derivative that does not depend on an input is an error instead of a zero.
        vectorize: All rows in one batch instead of one at a time.
        outer_jacobian_strategy: "reverse-mode", or "forward-mode" with `vectorize`: forward over reverse.

    Returns:
        A tensor for one input; for a tuple of inputs a tuple of tuples.

    >>> import rushlight as torch
    >>> torch.autograd.functional.hessian(lambda x: (x ** 3).sum(), torch.tensor([1., 2.]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    many, inputs = tensors_of(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def scalar(*args):
        several, outputs = tensors_of(func(*args), "outputs of the user-provided function", "hessian")
        check_recorded(outputs, "outputs", strict)
        return single_value(outputs, several, "hessian").squeeze()

    def slope(*args):
        if outer_jacobian_strategy == "forward-mode":
            args = tuple(x.requires_grad_(True) for x in args)
        rows = jacobian(scalar, args, create_graph=True)
        check_recorded(rows, "jacobian", strict)
        return rows

    result = jacobian(
        slope, inputs, create_graph=create_graph, strict=strict, vectorize=vectorize, strategy=outer_jacobian_strategy
    )
    return result if many else result[0][0]


# ---------------------------------------------------------------------------------------------------------- by PyTorch's private names
_autograd_grad = gradients
_check_requires_grad = check_recorded
_fill_in_zeros = with_zeros
_grad_postprocess = finished
_grad_preprocess = fresh
_validate_v = check_vector


def _as_tuple(inp, arg_name=None, fn_name=None):
    """The tensors as a tuple; with names for an error, (were there several?, the tensors)."""
    if arg_name is None and fn_name is None:
        return tuple(inp) if isinstance(inp, tuple | list) else (inp,)
    return tensors_of(inp, arg_name, fn_name)


def _tuple_postprocess(res, to_unpack):
    """Results without the tuples around what was given alone: of results, or of results and of what is in each."""
    if isinstance(to_unpack, tuple):
        to_unpack, several = to_unpack
        res = res if several else tuple(inner[0] for inner in res)
    return res if to_unpack else res[0]


def _construct_standard_basis_for(tensors, tensor_numels):
    """For each tensor a matrix: together their rows are the unit vectors of all elements."""
    chunks = tuple(tensor.new_zeros(sum(tensor_numels), count) for tensor, count in zip(tensors, tensor_numels, strict=True))
    start = 0
    for chunk, count in zip(chunks, tensor_numels):
        chunk.diagonal(-start).fill_(1)
        start += count
    return chunks

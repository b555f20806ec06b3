"""Optimizers as functions of lists: parameters, gradients and what is kept of each. They are the classes' own steps."""

import rushlight as torch
from rushlight.optim._description import check_param, scalar

CHANGED = "API has changed, `state_steps` argument must contain a list of singleton tensors"


def step_each(kind, params, grads, kept, state_steps=None, *, found_inf=None, grad_scale=None, **options):
    """A step of each parameter by `kind`'s rule. `kept` has a list for each tensor of its state, by name, and is written where the step makes
    one; `state_steps` counts. A gradient is first divided by `grad_scale`; nothing happens where `found_inf` is not 0."""
    if state_steps is not None and not all(isinstance(step, torch.Tensor) for step in state_steps):
        raise RuntimeError(CHANGED)
    if found_inf is not None and found_inf.item():
        return
    recorded, maximize = options.get("differentiable") or torch.is_grad_enabled(), options["maximize"]
    for param in params:
        check_param(param, fused=options.get("fused"))
    optimizer = object.__new__(kind)
    by_kernel = None if recorded else optimizer.by_kernel
    wanted = {name: scalar(options[name]) for name in kind._wanted}
    states = []
    for place, (param, grad) in enumerate(zip(params, grads, strict=True)):
        state = {name: values[place] for name, values in kept.items()}
        states.append(state)
        if state_steps is not None:
            state["step"] = state_steps[place]
        if grad_scale is not None:
            grad = grad / grad_scale
        if by_kernel is not None and not by_kernel([param], [grad], {param: state}, optimizer.state_names(options), options):
            continue
        if state_steps is not None:
            state["step"] += 1
        optimizer.update(param, -grad if maximize else grad, state, **wanted)
    for name, values in kept.items():
        values[:] = [state.get(name) for state in states]

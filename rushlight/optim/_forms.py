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
    fused, recorded = options.get("fused"), options.get("differentiable") or torch.is_grad_enabled()
    work = []
    for place, (param, grad) in enumerate(zip(params, grads, strict=True)):
        check_param(param, fused=fused)
        state = {name: values[place] for name, values in kept.items()}
        if state_steps is not None:
            state["step"] = state_steps[place]
            state["step"] += 1
        work.append((param, grad if grad_scale is None else grad / grad_scale, state))
    optimizer = object.__new__(kind)
    left = work if recorded else optimizer.accelerated(work, options)
    wanted = {name: scalar(options[name]) for name in kind._wanted}
    for param, grad, state in left:
        optimizer.update(param, -grad if options["maximize"] else grad, state, **wanted)
    for name, values in kept.items():
        values[:] = [state.get(name) for _, _, state in work]

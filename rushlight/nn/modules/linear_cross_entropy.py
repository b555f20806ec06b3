"""`linear_cross_entropy` in pieces of a batch: the scores of all samples are never there at once."""

import rushlight as torch

__all__: list[str] = []


def _pieces(input, weight, target, bias, class_weight, ignore_index, size, dtype):
    """For each piece of the batch: its place, its inputs and its log-probabilities in `dtype`, its targets and what each sample counts."""
    if dtype != input.dtype:
        weight, bias = weight.to(dtype), None if bias is None else bias.to(dtype)
    for start in range(0, input.shape[0], size):
        part = slice(start, start + size)
        x, labels = input[part].to(dtype), target.narrow(0, start, min(size, input.shape[0] - start))
        counts = labels != ignore_index
        labels = labels.where(counts, 0)
        scale = counts.to(dtype) if class_weight is None else class_weight.to(dtype).index_select(0, labels) * counts
        yield part, x, torch.nn.functional.linear(x, weight, bias).log_softmax(1), labels.unsqueeze(1), scale


def _losses(log_probabilities, labels, scale):
    return -log_probabilities.gather(1, labels).squeeze(1) * scale


def _add_gradients(made, part, x, weight, log_probabilities, labels, scale):
    """Adds those of Σ scale · loss over a piece to `made`, which has tensors for input, weight and bias, or None where one is not wanted.
    The log-probabilities are used up."""
    scores = log_probabilities.exp_().mul_(scale.unsqueeze(1))
    scores.scatter_add_(1, labels, -scale.unsqueeze(1))
    of_input, of_weight, of_bias = made
    if of_input is not None:
        of_input[part] = scores @ weight.to(scores.dtype)
    if of_weight is not None:
        of_weight.addmm_(scores.T, x)
    if of_bias is not None:
        of_bias += scores.sum(0)


def _zeros(input, weight, bias, wanted, dtype):
    """Room for the gradients that are wanted: those of the weight and the bias in the dtype of sums."""
    kinds = (input.dtype, dtype, dtype)
    return [
        torch.zeros_like(given, dtype=kind) if want else None
        for given, want, kind in zip((input, weight, bias), wanted, kinds, strict=True)
    ]


class _Reduced(torch.autograd.Function):
    """The sum or the mean: the call makes the gradients too, and backward scales them."""

    @staticmethod
    def forward(ctx, input, weight, target, bias, class_weight, mean, ignore_index, options):
        dtype = options.acc_dtype
        made = _zeros(input, weight, bias, (ctx.needs_input_grad[0], ctx.needs_input_grad[1], ctx.needs_input_grad[3]), dtype)
        total, count = torch.zeros((), dtype=dtype), torch.zeros((), dtype=dtype)
        given = (input, weight, target, bias, class_weight, ignore_index, options.batch_chunk_size, dtype)
        for part, x, log_probabilities, labels, scale in _pieces(*given):
            total += _losses(log_probabilities, labels, scale).sum()
            count += scale.sum()
            _add_gradients(made, part, x, weight, log_probabilities, labels, scale)
        if mean:  # (only now is it known what it divides by)
            total /= count
            made = [None if each is None else each.div_(count) if input.shape[0] else each for each in made]
        ctx.made = [None if each is None else each.to(input.dtype) for each in made]
        ctx.kept = options.allow_retain_graph
        return total.to(input.dtype)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        if ctx.made is None:
            raise RuntimeError(
                "linear_cross_entropy chunked backward called twice; retain_graph=True / double backward are not supported."
            )
        made = ctx.made
        if not ctx.kept:
            ctx.made = None
        of_input, of_weight, of_bias = (None if each is None else each * g if ctx.kept else each.mul_(g) for each in made)
        return of_input, of_weight, None, of_bias, None, None, None, None


class _EachSample(torch.autograd.Function):
    """The loss of every sample: backward computes the pieces again, as the cotangent differs from sample to sample."""

    @staticmethod
    def forward(ctx, input, weight, target, bias, class_weight, ignore_index, options):
        ctx.save_for_backward(input, weight, target, bias, class_weight)
        ctx.rest = ignore_index, options.batch_chunk_size, options.acc_dtype
        out = torch.empty(input.shape[0], dtype=input.dtype)
        for part, _, log_probabilities, labels, scale in _pieces(input, weight, target, bias, class_weight, *ctx.rest):
            out[part] = _losses(log_probabilities, labels, scale)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        input, weight, target, bias, class_weight = ctx.saved_tensors
        dtype = ctx.rest[-1]
        made = _zeros(input, weight, bias, (ctx.needs_input_grad[0], ctx.needs_input_grad[1], ctx.needs_input_grad[3]), dtype)
        for part, x, log_probabilities, labels, scale in _pieces(input, weight, target, bias, class_weight, *ctx.rest):
            _add_gradients(made, part, x, weight, log_probabilities, labels, scale * g[part].to(dtype))
        of_input, of_weight, of_bias = (None if each is None else each.to(input.dtype) for each in made)
        return of_input, of_weight, None, of_bias, None, None, None


for _kind, _name in ((_Reduced, "batch_chunked"), (_EachSample, "batch_chunked_no_reduction")):
    # (Printed losses show the node that PyTorch generates for its op.)
    _kind._backward_cls.__name__ = f"GeneratedBackwardFor_torch_nn__linear_cross_entropy_{_name}_defaultBackward"


def in_pieces(input, weight, target, bias, class_weight, reduction, ignore_index, options):
    """`linear_cross_entropy` with options; the target names classes."""
    single = input.dim() == 1
    if single:
        input, target = input.unsqueeze(0), target.unsqueeze(0)
    options = options._adjust(input.shape[0], input.shape[1], weight.shape[0], input.dtype, input.device)
    if options.acc_dtype != input.dtype and not (options.acc_dtype == torch.float32 and input.dtype.itemsize == 2):
        raise RuntimeError(
            f"linear_cross_entropy supports float32 acc_dtype with float16/bfloat16 inputs, but got {options.acc_dtype} acc_dtype and "
            f"{input.dtype} inputs."
        )
    if reduction == "none":
        out = _EachSample.apply(input, weight, target, bias, class_weight, ignore_index, options)
    else:
        out = _Reduced.apply(input, weight, target, bias, class_weight, reduction == "mean", ignore_index, options)
    return out.squeeze(0) if single else out

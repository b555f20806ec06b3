"""Recurrent nets: cells (one step), and layers over all steps, one above the other and in both directions.

A layer of float32 or float64 is one op, whose kernel runs over all steps. Its derivatives, and what it does in other dtypes, follow from the
same written out step by step in public ops (`unrolled`).
"""

import sys
from contextvars import ContextVar
from itertools import pairwise

import rushlight as torch
from rushlight import core
from rushlight.core import empty_tensor
from rushlight.nn.functional import linear
from rushlight.ops._declare import composite, kernel, op


# ---- one step: `given` is what comes of the input, its product with the weights and the bias --------------------------------
def lstm_step(given, state, weight, bias, projection=None):
    h, c = state
    h, c = core.lstm_gates(linear(h, weight, bias), given, c)
    return (h if projection is None else linear(h, projection)), c


def gru_step(given, state, weight, bias):
    h = state[0]
    x_reset, x_update, x_fresh = given.unsafe_chunk(3, 1)
    h_reset, h_update, h_fresh = linear(h, weight, bias).unsafe_chunk(3, 1)
    reset, update = (h_reset + x_reset).sigmoid(), (h_update + x_update).sigmoid()
    fresh = (x_fresh + h_fresh * reset).tanh()
    return ((h - fresh) * update + fresh,)


def rnn_tanh_step(given, state, weight, bias):
    return ((linear(state[0], weight, bias) + given).tanh(),)


def rnn_relu_step(given, state, weight, bias):
    return ((linear(state[0], weight, bias) + given).relu(),)


STEPS = {"lstm": (lstm_step, 4), "gru": (gru_step, 3), "rnn_tanh": (rnn_tanh_step, 1), "rnn_relu": (rnn_relu_step, 1)}
"""The step of each kind of cell, and how many gates it has."""


written_out = ContextVar("written_out", default=False)
"""Whether a net makes every step by itself, of a product of its own: as weights want that look at each call."""


# ---- all steps, written out -----------------------------------------------------------------------------------------------
def unrolled(cell, x, state, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, reverse, *projection):
    """A layer: the outputs of all steps, and its last state. With `batch_sizes` the rows of `x` are those of packed sequences."""
    step = STEPS[cell][0]
    by_steps = written_out.get()
    given = x if by_steps else linear(x, weight_ih, bias_ih)
    pieces = given.unbind(0) if batch_sizes is None else given.split(batch_sizes.tolist())
    if by_steps:
        pieces = [linear(piece, weight_ih, bias_ih) for piece in pieces]
    if batch_sizes is not None:
        return unrolled_packed(step, pieces, state, (weight_hh, bias_hh, *projection), reverse)
    outs = []
    for piece in reversed(pieces) if reverse else pieces:
        state = step(piece, state, weight_hh, bias_hh, *projection)
        outs.append(state[0])
    return torch.stack(outs[::-1] if reverse else outs), *state


def unrolled_packed(step, pieces, state, weights, reverse):
    """Sequences end (or, backwards in time, begin) where the rows of a step get fewer."""
    outs, first, last = [], state, pieces[-1 if reverse else 0].size(0)
    ended = []
    if reverse:
        state = [each.narrow(0, 0, last) for each in first]
    for piece in reversed(pieces) if reverse else pieces:
        count = piece.size(0)
        if reverse and count > last:
            state = [torch.cat([each, start.narrow(0, last, count - last)]) for each, start in zip(state, first)]
        elif not reverse and count < last:
            ended.append([each.narrow(0, count, last - count) for each in state])
            state = [each.narrow(0, 0, count) for each in state]
        last = count
        state = step(piece, state, *weights)
        outs.append(state[0])
    if ended:
        state = [torch.cat(parts) for parts in zip(state, *reversed(ended))]
    return torch.cat(outs[::-1] if reverse else outs), *state


# ---- one layer as one op --------------------------------------------------------------------------------------------------
TENSORS = ("x", "h", "c", "weight_ih", "weight_hh", "bias_ih", "bias_hh")


def layer_in_steps(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, cell, reverse):
    """What the op computes."""
    state = (h,) if c is None else (h, c)
    return unrolled(cell, x, state, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, reverse)


def layer_vjp(g, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, cell, reverse, out, kept, cells, wanted):
    places = tuple(i for i, is_wanted in enumerate(wanted) if is_wanted)
    given = (x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, cell, reverse)
    found = dict(zip(places, core.differentiate(layer_in_steps, given, g[:3], places), strict=True))
    return tuple(map(found.get, range(len(TENSORS))))


def layer_fused(g, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, cell, reverse, out, kept, cells, wanted):
    rows, units, dtype = x.reshape(-1, x.shape[-1]), h.shape[1], x.dtype
    g_out, g_h, g_c, *begin, batch_sizes = map(in_order, (*g[:3], h, c, batch_sizes))
    given = empty_tensor((rows.shape[0], weight_ih.shape[0]), dtype)
    added = empty_tensor(given.shape, dtype) if cell == "gru" else None
    before = empty_tensor((rows.shape[0], units), dtype)
    d_h, d_c = empty_tensor(h.shape, dtype), None
    if c is None:
        g_c = None
    else:
        d_c = empty_tensor(h.shape, dtype)
    kernel(f"{cell}_layer_gradient")(
        *(given, added, before, d_h, d_c),
        *(in_rows(out), kept, cells, *begin, weight_hh),
        *(None if g_out is None else in_rows(g_out), g_h, g_c, batch_sizes, reverse),
    )
    added = given if added is None else added
    bias = given.sum(0) if wanted[5] or (wanted[6] and added is given) else None
    return (
        given.mm(weight_ih).view(x.shape) if wanted[0] else None,
        d_h,
        d_c,
        given.t().mm(rows) if wanted[3] else None,
        added.t().mm(before) if wanted[4] else None,
        bias,
        None if not wanted[6] else bias if added is given else added.sum(0),
    )


def layer_jvp(x_t, h_t, c_t, weight_ih_t, weight_hh_t, bias_ih_t, bias_hh_t, **given):
    tangents = (x_t, h_t, c_t, weight_ih_t, weight_hh_t, bias_ih_t, bias_hh_t)
    pushed = [name for name, tangent in zip(TENSORS, tangents) if tangent is not None]

    def run(*values):
        return layer_in_steps(**given | dict(zip(pushed, values)))

    return torch.func.jvp(run, tuple(given[name] for name in pushed), tuple(t for t in tangents if t is not None))[1]


def in_order(x):
    return None if x is None else x.contiguous()


def in_rows(x):
    """The rows of all steps, one after the other."""
    return x if x.ndim == 2 else x.view(x.shape[0] * x.shape[1], x.shape[2])


def node_of(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, cell, reverse):
    """Which of PyTorch's nodes the outputs have: it writes the steps out, but for a batch of an LSTM of float32."""
    return 2 if batch_sizes is not None else int(cell == "lstm" and x.dtype is torch.float32)


@op(
    joint=layer_vjp,
    fused=layer_fused,
    inputs=TENSORS,
    jvp=lambda x_t, h_t, c_t, weight_ih_t, weight_hh_t, bias_ih_t, bias_hh_t, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, cell, reverse: (
        layer_jvp(**locals())
    ),
    outputs=("out", "h_n", "c_n", "kept", "cells"),
    differentiable=("out", "h_n", "c_n"),
    name=("StackBackward0", "MkldnnRnnLayerBackward0", "CatBackward0"),
    variant=node_of,
    namespace="nn",
    method=False,
    out=False,
    batch="recurrent.layer",
)
def _recurrent_layer(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, cell, reverse):
    """A layer of a recurrent net: x [steps, batch, in], or [rows, in] with `batch_sizes`; state h (and of an LSTM c) [batch, units]."""
    if x.shape[0] == 0:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    if batch_sizes is None and x.shape[1] != h.shape[0]:
        raise RuntimeError(f"{cell}_layer: the state is that of {h.shape[0]} sequences, the input has {x.shape[1]}")
    units, dtype = h.shape[1], x.dtype
    given = linear(in_rows(x.contiguous()), weight_ih, bias_ih)
    rows, of_cells = given.shape[0], units if cell == "lstm" else 0
    out, cells = empty_tensor((*x.shape[:-1], units), dtype), empty_tensor((rows, of_cells), dtype)
    h_n, c_n = empty_tensor(h.shape, dtype), empty_tensor((h.shape[0], of_cells), dtype)
    # The gates of an LSTM are computed where what goes into them lies.
    kept = given if cell == "lstm" else empty_tensor((rows, 4 * units if cell == "gru" else 0), dtype)
    h, c, bias_hh, batch_sizes = map(in_order, (h, c, bias_hh, batch_sizes))
    kernel(f"{cell}_layer")(in_rows(out), h_n, c_n, kept, cells, given, h, c, weight_hh, bias_hh, batch_sizes, reverse)
    return out, h_n, c_n, kept, cells


def is_regular(cell, x, state, weights, batch_sizes):
    """Whether the op computes it: float32 or float64, no projection, and sizes that fit each other. (What does not fit is refused step by step.)"""
    dtype, batch, h = x.dtype, x.shape[-2], state[0]
    if (dtype is not torch.float32 and dtype is not torch.float64) or len(weights) > 4 or h.ndim != 2:
        return False
    if batch_sizes is not None:
        sizes = batch_sizes.tolist()
        if sum(sizes) != x.shape[0] or not sizes or sizes[-1] < 1 or any(a < b for a, b in pairwise(sizes)):
            return False
        batch = sizes[0]
    units = h.shape[1]
    width = STEPS[cell][1] * units
    shapes = ((width, x.shape[-1]), (width, units), (width,), (width,))
    for each in state:
        if each.dtype is not dtype or each.shape != (batch, units):
            return False
    for each, shape in zip(weights, shapes):
        if each.dtype is not dtype or each.shape != shape:
            return False
    return True


def one_layer(cell, x, state, weights, batch_sizes, reverse):
    """The outputs of all steps and the last state. `weights` are those of input and state, then their biases, then a projection's."""
    if casting() or written_out.get() or not is_regular(cell, x, state, weights, batch_sizes):
        biases, projection = (weights[2:4], weights[4:]) if len(weights) >= 4 else ((None, None), weights[2:])
        return unrolled(cell, x, state, *weights[:2], *biases, batch_sizes, reverse, *projection)
    biases = weights[2:] or (None, None)
    c = state[1] if len(state) > 1 else None
    made = _recurrent_layer(x, state[0], c, *weights[:2], *biases, batch_sizes, cell, reverse)
    return made[: 1 + len(state)]


def casting():
    """Autocast, where it is on: then a net runs step by step, as products in it are narrow."""
    found = sys.modules.get("rushlight.amp._casting")
    return found if found is not None and found.is_enabled("cpu") else None


# ---- layers one above the other -------------------------------------------------------------------------------------------
def stacked(cell, x, batch_sizes, states, params, has_biases, num_layers, dropout, train, bidirectional):
    """All layers: what the last one puts out, and the last state of each. `states` has a tensor [layers * directions, batch, units] for each
    part of the state."""
    directions = 2 if bidirectional else 1
    projected = len(states) > 1 and states[0].size(2) != states[1].size(2)
    each = (4 if has_biases else 2) + projected
    if len(params) % each:
        raise RuntimeError("got an incorrect number of RNN parameters")
    autocast = casting() if cell == "lstm" and not projected else None
    if autocast:
        x, states, params = autocast.cast([x, list(states), list(params)], autocast.state.dtypes["cpu"])
    begins = list(zip(*(state.unbind(0) for state in states)))
    if bidirectional and (len(params) // each % 2 or len(begins) % 2):
        raise RuntimeError("Odd number of params or hiddens given to a bidirectional RNN")
    if len(begins) != num_layers * directions:
        raise RuntimeError("Expected more hidden states in stacked_rnn")
    if len(params) != num_layers * directions * each:
        raise RuntimeError(
            f"Expected {'more' if len(params) < num_layers * directions * each else 'less'} parameters in stacked_rnn"
        )
    ends = []
    for layer in range(num_layers):
        outs = []
        for direction in range(directions):
            place = layer * directions + direction
            weights = params[place * each : (place + 1) * each]
            out, *state = one_layer(cell, x, begins[place], weights, batch_sizes, direction == 1)
            outs.append(out)
            ends.append(state)
        x = torch.cat(outs, -1) if bidirectional else outs[0]
        if dropout and train and layer < num_layers - 1:
            x = torch.dropout(x, dropout, True)
    return x, *(torch.stack(parts) for parts in zip(*ends))


PARAMETERS = ("has_biases", "num_layers", "dropout", "train", "bidirectional")
OF_BATCHES = ("input", "hx", "params", *PARAMETERS, "batch_first")
OF_PACKED = ("data", "batch_sizes", "hx", "params", *PARAMETERS)
SIGNATURE = (
    "Tensor data, Tensor batch_sizes, {0} hx, tensors params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional | "
    "Tensor input, {0} hx, tensors params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first"
)


def net(cell, about):
    """The public function of all layers of a kind of cell: on a batch, or on packed sequences."""
    of_lstm = cell == "lstm"

    def run(*given, **named) -> "tuple[torch.Tensor, ...]":
        is_packed = "data" in named or "batch_sizes" in named or (len(given) > 2 and torch.is_tensor(given[2 - of_lstm]) is True)
        if not of_lstm and not is_packed:
            is_packed = len(given) > 2 and torch.is_tensor(given[2])
        values = dict(zip(OF_PACKED if is_packed else OF_BATCHES, given)) | named
        x, batch_sizes, hx, params, batch_first = map(
            values.get, ("data" if is_packed else "input", "batch_sizes", "hx", "params", "batch_first")
        )
        if of_lstm and len(hx) != 2:
            raise RuntimeError("lstm expects two hidden states")
        if batch_first:
            x = x.transpose(0, 1)
        if not is_packed and x.size(0) == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        if is_packed:
            for each in (*(hx if of_lstm else (hx,)), batch_sizes):
                each.size(0)  # (IndexError for missing dimensions comes first)
        if is_packed and batch_sizes.dtype is not torch.int64:
            raise RuntimeError(f"expected scalar type Long but found {batch_sizes.dtype.legacy_name}")
        made = stacked(cell, x, batch_sizes, hx if of_lstm else (hx,), params, *map(values.get, PARAMETERS))
        if not batch_first:
            return made
        return made[0].transpose(0, 1), *made[1:]

    run.__name__ = run.__qualname__ = cell
    run.__doc__ = about
    return composite(run, method=False, signature=SIGNATURE.format("tensors" if of_lstm else "Tensor"))


lstm = net("lstm", "Long short-term memory, all layers: the outputs of all steps, and the last hidden and cell states.")
gru = net("gru", "Gated recurrent units, all layers: the outputs of all steps, and the last states.")
rnn_tanh = net("rnn_tanh", "An Elman net with tanh, all layers: the outputs of all steps, and the last states.")
rnn_relu = net("rnn_relu", "An Elman net with relu, all layers: the outputs of all steps, and the last states.")


# ---- cells ----------------------------------------------------------------------------------------------------------------
def check_cell(input, states, w_ih, w_hh, gates):
    """Sizes of one step's input [batch, in], states [batch, units] and weights fit each other."""
    if core.fits_cell(input, states, w_ih, w_hh, gates):
        return
    for place, h in enumerate(states):
        if input.size(0) != h.size(0):
            raise RuntimeError(f"Input batch size {input.size(0)} doesn't match hidden{place} batch size {h.size(0)}")
    if input.size(1) != w_ih.size(1):
        raise RuntimeError(f"input has inconsistent input_size: got {input.size(1)} expected {w_ih.size(1)}")
    for place, h in enumerate(states):
        if h.size(1) != w_hh.size(1):
            raise RuntimeError(f"hidden{place} has inconsistent hidden_size: got {h.size(1)}, expected {w_hh.size(1)}")
    if w_ih.size(0) != gates * w_hh.size(1):
        raise RuntimeError(f"weight_ih first dim must be {gates} * hidden_size = {gates * w_hh.size(1)}, but got {w_ih.size(0)}")


def run_cell(cell, input, state, w_ih, w_hh, b_ih, b_hh):
    step, gates = STEPS[cell]
    check_cell(input, state, w_ih, w_hh, gates)
    return step(linear(input, w_ih, b_ih), state, w_hh, b_hh)


@composite(method=False, signature="Tensor input, tensors hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None")
def lstm_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None) -> "tuple[torch.Tensor, torch.Tensor]":
    """One step of long short-term memory: the new hidden and cell states."""
    if len(hx) != 2:
        raise RuntimeError("lstm_cell expects two hidden states")
    check_cell(input, hx, w_ih, w_hh, 4)
    return lstm_step(linear(input, w_ih, b_ih), hx, w_hh, b_hh)


def cell_of_one_state(cell, about):
    def run(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
        return run_cell(cell, input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]

    run.__name__ = run.__qualname__ = f"{cell}_cell"
    run.__doc__ = about
    signature = "Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None"
    return composite(run, method=False, signature=signature)


gru_cell = cell_of_one_state("gru", "One step of gated recurrent units: the new state.")
rnn_tanh_cell = cell_of_one_state("rnn_tanh", "One step of an Elman net with tanh: the new state.")
rnn_relu_cell = cell_of_one_state("rnn_relu", "One step of an Elman net with relu: the new state.")

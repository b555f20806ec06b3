"""Recurrent nets: layers over all steps, and cells that do one."""

import math
import numbers
import weakref

import rushlight as torch
from rushlight.core import warn_user

from .. import init
from ..parameter import Parameter
from ..utils.rnn import PackedSequence
from .module import Module

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def _apply_permutation(tensor, permutation, dim=1):
    return tensor.index_select(dim, permutation)


def apply_permutation(tensor, permutation, dim=1):
    """`tensor.index_select(dim, permutation)`; deprecated."""
    warn_user("`apply_permutation` is deprecated, please use `tensor.index_select(dim, permutation)` instead", FutureWarning)
    return _apply_permutation(tensor, permutation, dim)


class RNNBase(Module):
    """What recurrent nets share: their parameters, by layer and direction, and checks of what they are given.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU", which `RNN`, `LSTM` and `GRU` give it.
        input_size, hidden_size: How many features an element of the input and a state have.
        num_layers: How many layers stand one above the other.
        bias: Whether there are b_ih and b_hh.
        batch_first: Whether input and output are (batch, steps, features) instead of (steps, batch, features).
        dropout: The probability of dropout between the layers.
        bidirectional: Whether every layer has a second net that runs from the last step to the first.
        proj_size: Of an `LSTM`: how many features its output is projected to; 0 for none.

    >>> import rushlight as torch
    >>> [name for name, _ in torch.nn.RNN(2, 3, bidirectional=True).named_parameters()][:4]
    ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0']
    >>> isinstance(torch.nn.GRU(2, 3), torch.nn.RNNBase)
    True
    """

    def __init__(
        self,
        mode,
        input_size,
        hidden_size,
        num_layers=1,
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        proj_size=0,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._flat_weight_refs = []
        self._check_sizes(dropout)
        if mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        self._flat_weights_names = []
        self._all_weights = []
        for layer in range(num_layers):
            for direction in range(2 if bidirectional else 1):
                names = self._register_layer(layer, "_reverse" if direction else "", device, dtype)
                self._flat_weights_names.extend(names)
                self._all_weights.append(names)
        self._init_flat_weights()
        self.reset_parameters()

    def _check_sizes(self, dropout):
        if not isinstance(dropout, numbers.Number) or not 0 <= dropout <= 1 or isinstance(dropout, bool):
            raise ValueError("dropout should be a number in range [0, 1] representing the probability of an element being zeroed")
        if dropout > 0 and self.num_layers == 1:
            warn_user(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers greater "
                f"than 1, but got dropout={dropout} and num_layers={self.num_layers}"
            )
        for name, kind in (("bias", bool), ("batch_first", bool), ("input_size", int), ("hidden_size", int)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
            if kind is int and value <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if self.num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if self.proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if self.proj_size >= self.hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")

    def _register_layer(self, layer, suffix, device, dtype):
        """Makes the parameters of one direction of a layer; their names."""
        rows, shown = _GATES[self.mode] * self.hidden_size, self.proj_size or self.hidden_size
        columns = shown * (2 if self.bidirectional else 1) if layer else self.input_size
        shapes = {"weight_ih": (rows, columns), "weight_hh": (rows, shown)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        for name, shape in shapes.items():
            setattr(self, f"{name}_l{layer}{suffix}", Parameter(torch.empty(shape, device=device, dtype=dtype)))
        return [f"{name}_l{layer}{suffix}" for name in shapes]

    # The parameters as a list: what is called with. It follows assignments, and replacements by functional_call.

    def _init_flat_weights(self):
        self._flat_weights = [getattr(self, name, None) for name in self._flat_weights_names]
        self._flat_weight_refs = [None if weight is None else weakref.ref(weight) for weight in self._flat_weights]
        self.flatten_parameters()

    def _weights_have_changed(self):
        for ref, name in zip(self._flat_weight_refs, self._flat_weights_names):
            if ref is not None:
                weight = getattr(self, name, None)
                if weight is not None and ref() is not weight:
                    return True
        return False

    def _update_flat_weights(self):
        if self._weights_have_changed():
            self._init_flat_weights()

    def __setattr__(self, attr, value):
        names = self.__dict__.get("_flat_weights_names", ())
        if attr in names and "_flat_weights" in self.__dict__:
            self._flat_weights[names.index(attr)] = value
        super().__setattr__(attr, value)

    def __getstate__(self):
        state = self.__dict__.copy()
        state.pop("_flat_weight_refs", None)
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "all_weights" in state:
            self._all_weights = state["all_weights"]
        self.__dict__.setdefault("proj_size", 0)
        if not isinstance(self._all_weights[0][0], str):  # (of PyTorch before 0.2)
            self._all_weights = [
                [f"{name}_l{layer}{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
                for layer in range(self.num_layers)
                for suffix in ("", "_reverse")[: 2 if self.bidirectional else 1]
            ]
        self._flat_weights_names = [name for names in self._all_weights for name in names]
        self._flat_weights = [getattr(self, name, None) for name in self._flat_weights_names]
        self._flat_weight_refs = [None if weight is None else weakref.ref(weight) for weight in self._flat_weights]

    def _apply(self, fn, recurse=True):
        self._flat_weight_refs = []
        applied = super()._apply(fn, recurse)
        self._init_flat_weights()
        return applied

    def flatten_parameters(self):
        """Does nothing: parameters lie in memory as the CPU likes them."""

    @property
    def all_weights(self):
        """The parameters, a list for each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def reset_parameters(self):
        """Draws all parameters anew, uniformly from ±1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    # Checks

    def check_input(self, input, batch_sizes):
        """Refuses input of another dtype, number of dimensions or size than the net's."""
        dtype = self._flat_weights[0].dtype
        if input.dtype is not dtype and not torch.is_autocast_enabled("cpu"):
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). Convert input: input.to({dtype}), or "
                f"convert model: model.to({input.dtype})"
            )
        expected = 2 if batch_sizes is not None else 3
        if input.dim() != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}")

    def _expected_size(self, input, batch_sizes, units):
        batch = input.size(0 if self.batch_first else 1) if batch_sizes is None else int(batch_sizes[0])
        return self.num_layers * (2 if self.bidirectional else 1), batch, units

    def get_expected_hidden_size(self, input, batch_sizes):
        """The shape of a hidden state for this input: (layers * directions, batch, units)."""
        return self._expected_size(input, batch_sizes, self.proj_size or self.hidden_size)

    def check_hidden_size(self, hx, expected_hidden_size, msg="Expected hidden size {}, got {}"):
        """Refuses a state of another shape."""
        if hx.size() != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input, hidden, batch_sizes):
        """Refuses input or state that do not fit the net."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def _require_place(self, input, *states):
        for kind, given in ("parameter", self._flat_weights[0]), *(("hidden", state) for state in states):
            if given.device != input.device:
                raise RuntimeError(
                    f"Input and {kind} tensors are not at the same device, found input tensor at {input.device} and {kind} tensor at "
                    f"{given.device}"
                )

    def permute_hidden(self, hx, permutation):
        """The state with its sequences in another order."""
        return hx if permutation is None else _apply_permutation(hx, permutation)

    def _zeros(self, input, batch_sizes, units):
        return torch.zeros(self._expected_size(input, batch_sizes, units), dtype=input.dtype, device=input.device)

    def extra_repr(self):
        text = f"{self.input_size}, {self.hidden_size}"
        for name, usual in (
            ("proj_size", 0),
            ("num_layers", 1),
            ("bias", True),
            ("batch_first", False),
            ("dropout", 0),
            ("bidirectional", False),
        ):
            value = getattr(self, name)
            if value != usual:
                text += f", {name}={value}"
        return text


class _OneState(RNNBase):
    """Nets whose state is one tensor."""

    def _run(self, input, hx, net, found):
        self._update_flat_weights()
        is_packed, batched, order = isinstance(input, PackedSequence), True, (None, None)
        batch_sizes, batch_dim = None, 0 if self.batch_first else 1
        if is_packed:
            input, batch_sizes, *order = input
        else:
            if input.dim() not in (2, 3):
                raise ValueError(f"{type(self).__name__}: Expected input to be 2D or 3D, got {input.dim()}D {found}instead")
            batched = input.dim() == 3
            if not batched:
                input = input.unsqueeze(batch_dim)
            if hx is not None and hx.dim() != (3 if batched else 2):
                kind, ndim = ("batched", 3) if batched else ("unbatched", 2)
                raise RuntimeError(f"For {kind} {ndim}-D input, hx should also be {ndim}-D but got {hx.dim()}-D tensor")
            if hx is not None and not batched:
                hx = hx.unsqueeze(1)
        hx = self._zeros(input, batch_sizes, self.hidden_size) if hx is None else self.permute_hidden(hx, order[0])
        self.check_forward_args(input, hx, batch_sizes)
        self._require_place(input, hx)
        options = (self._flat_weights, self.bias, self.num_layers, self.dropout, self.training, self.bidirectional)
        if is_packed:
            output, hidden = net(input, batch_sizes, hx, *options)
            output = PackedSequence(output, batch_sizes, *order)
        else:
            output, hidden = net(input, hx, *options, self.batch_first)
            if not batched:
                output, hidden = output.squeeze(batch_dim), hidden.squeeze(1)
        return output, self.permute_hidden(hidden, order[1])


def _refuse_projection(kwargs):
    if "proj_size" in kwargs:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNN(_OneState):
    """An Elman net (1990): h' = tanh(W_ih x + b_ih + W_hh h + b_hh), layer upon layer.

    Args:
        input_size, hidden_size: How many features an element of the input and a state have.
        num_layers: How many layers stand one above the other.
        nonlinearity: "tanh" or "relu".
        bias: Whether there are b_ih and b_hh.
        batch_first: Whether input and output are (batch, steps, features) instead of (steps, batch, features).
        dropout: The probability of dropout between the layers.
        bidirectional: Whether every layer has a second net that runs from the last step to the first.

    Called with the input and, if it is not zero, the first state (layers * directions, batch, hidden_size); returns the outputs of all
    steps (steps, batch, directions * hidden_size) and the last state. The input may be a `PackedSequence`, or have no batch dimension.

    >>> import rushlight as torch
    >>> output, state = torch.nn.RNN(10, 20, 2)(torch.zeros(5, 3, 10))
    >>> output.shape, state.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args, **kwargs):
        _refuse_projection(kwargs)
        if len(args) > 3:
            self.nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            self.nonlinearity = kwargs.pop("nonlinearity", "tanh")
        modes = {"tanh": "RNN_TANH", "relu": "RNN_RELU"}
        if self.nonlinearity not in modes:
            raise ValueError(f"Unknown nonlinearity '{self.nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(modes[self.nonlinearity], *args, **kwargs)

    def forward(self, input, hx=None):
        return self._run(input, hx, torch.rnn_tanh if self.mode == "RNN_TANH" else torch.rnn_relu, "tensor ")


class GRU(_OneState):
    """Gated recurrent units (Cho et al., 2014), layer upon layer.

    r = σ(W_ir x + b_ir + W_hr h + b_hr), z = σ(W_iz x + b_iz + W_hz h + b_hz), n = tanh(W_in x + b_in + r (W_hn h + b_hn)) and
    h' = (1 - z) n + z h. Arguments, but for `nonlinearity`, input and output are those of `RNN`.

    >>> import rushlight as torch
    >>> output, state = torch.nn.GRU(10, 20, bidirectional=True)(torch.zeros(5, 3, 10))
    >>> output.shape, state.shape
    (torch.Size([5, 3, 40]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args, **kwargs):
        _refuse_projection(kwargs)
        super().__init__("GRU", *args, **kwargs)

    def forward(self, input, hx=None):
        return self._run(input, hx, torch.gru, "")


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), layer upon layer.

    i, f, o = σ(W_i x + b_i + W_h h + b_h), g = tanh(W_ig x + b_ig + W_hg h + b_hg), c' = f c + i g and h' = o tanh(c'). Arguments, but for
    `nonlinearity`, and input are those of `RNN`; a state is a pair (h, c).
    With `proj_size` h' is multiplied by a matrix, and has that many features.

    >>> import rushlight as torch
    >>> output, (h, c) = torch.nn.LSTM(10, 20, 2)(torch.zeros(5, 3, 10))
    >>> output.shape, c.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args, **kwargs):
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input, batch_sizes):
        """The shape of a cell state for this input: (layers * directions, batch, hidden_size)."""
        return self._expected_size(input, batch_sizes, self.hidden_size)

    def check_forward_args(self, input, hidden, batch_sizes):
        self.check_input(input, batch_sizes)
        expected = self.get_expected_hidden_size(input, batch_sizes), self.get_expected_cell_size(input, batch_sizes)
        for place, size in enumerate(expected):
            self.check_hidden_size(hidden[place], size, f"Expected hidden[{place}] size {{}}, got {{}}")

    def permute_hidden(self, hx, permutation):
        if permutation is None:
            return hx
        return _apply_permutation(hx[0], permutation), _apply_permutation(hx[1], permutation)

    def _first_state(self, input, hx, batch_sizes, batched):
        """The state that a net begins with, which fits the input."""
        if hx is None:
            units = self.proj_size or self.hidden_size
            hx = self._zeros(input, batch_sizes, units), self._zeros(input, batch_sizes, self.hidden_size)
        elif batch_sizes is None:
            ndim = 3 if batched else 2
            if hx[0].dim() != ndim or hx[1].dim() != ndim:
                raise RuntimeError(
                    f"For {'batched' if batched else 'unbatched'} {ndim}-D input, hx and cx should also be {ndim}-D but got "
                    f"({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
                )
            if not batched:
                hx = hx[0].unsqueeze(1), hx[1].unsqueeze(1)
        if batch_sizes is None:
            self.check_forward_args(input, hx, batch_sizes)
            self._require_place(input, *hx)
        return hx

    def forward(self, input, hx=None):
        self._update_flat_weights()
        is_packed, batched, order = isinstance(input, PackedSequence), True, (None, None)
        batch_sizes, batch_dim = None, 0 if self.batch_first else 1
        if is_packed:
            input, batch_sizes, *order = input
        else:
            if input.dim() not in (2, 3):
                raise ValueError(f"LSTM: Expected input to be 2D or 3D, got {input.dim()}D instead")
            batched = input.dim() == 3
            if not batched:
                input = input.unsqueeze(batch_dim)
        state = self.permute_hidden(self._first_state(input, hx, batch_sizes, batched), None if hx is None else order[0])
        options = (self._flat_weights, self.bias, self.num_layers, self.dropout, self.training, self.bidirectional)
        if is_packed:
            output, *state = torch.lstm(input, batch_sizes, state, *options)
            output = PackedSequence(output, batch_sizes, *order)
        else:
            output, *state = torch.lstm(input, state, *options, self.batch_first)
            if not batched:
                output, state = output.squeeze(batch_dim), [part.squeeze(1) for part in state]
        return output, self.permute_hidden(tuple(state), order[1])


class RNNCellBase(Module):
    """What cells share: weights and biases of the input and of the state.

    Args:
        input_size, hidden_size: How many features an element of the input and a state have.
        bias: Whether there are b_ih and b_hh.
        num_chunks: How many gates there are: 1, 3 or 4.

    >>> import rushlight as torch
    >>> {name: tuple(p.shape) for name, p in torch.nn.GRUCell(2, 5).named_parameters()}
    {'weight_ih': (15, 2), 'weight_hh': (15, 5), 'bias_ih': (15,), 'bias_hh': (15,)}
    """

    def __init__(self, input_size, hidden_size, bias, num_chunks, device=None, dtype=None):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(torch.empty((rows, input_size), device=device, dtype=dtype))
        self.weight_hh = Parameter(torch.empty((rows, hidden_size), device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(torch.empty(rows, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def extra_repr(self):
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity}"

    def reset_parameters(self):
        """Draws all parameters anew, uniformly from ±1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _check_ndim(self, what, x):
        if x.dim() not in (1, 2):
            raise ValueError(f"{type(self).__name__}: Expected {what} to be 1D or 2D, got {x.dim()}D instead")

    def _zeros(self, input):
        return torch.zeros(input.size(0), self.hidden_size, dtype=input.dtype, device=input.device)

    def _weights(self):
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _step(self, cell, input, hx):
        """One step of a cell whose state is one tensor."""
        self._check_ndim("input", input)
        if hx is not None:
            self._check_ndim("hidden", hx)
        if input.dim() == 2:
            return cell(input, self._zeros(input) if hx is None else hx, *self._weights())
        input = input.unsqueeze(0)
        hx = self._zeros(input) if hx is None else hx.unsqueeze(0)
        return cell(input, hx, *self._weights()).squeeze(0)


class RNNCell(RNNCellBase):
    """One step of an Elman net: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu of that.

    Shapes: input (batch, input_size) and state (batch, hidden_size), or both without the batch;
    the state is zero where none is given.

    Args:
        input_size, hidden_size: How many features an element of the input and a state have.
        bias: Whether there are b_ih and b_hh.
        nonlinearity: "tanh" or "relu".

    >>> import rushlight as torch
    >>> cell, h = torch.nn.RNNCell(10, 20), None
    >>> for x in torch.zeros(5, 3, 10):
    ...     h = cell(x, h)
    >>> h.shape
    torch.Size([3, 20])
    """

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity="tanh", device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input, hx=None):
        cells = {"tanh": torch.rnn_tanh_cell, "relu": torch.rnn_relu_cell}
        if self.nonlinearity not in cells:
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(cells[self.nonlinearity], input, hx)


class _GatedCell(RNNCellBase):
    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, self._gates, device, dtype)


class LSTMCell(_GatedCell):
    """One step of long short-term memory: from the input and a state (h, c) to the next state.

    Shapes: input (batch, input_size), h and c (batch, hidden_size), or all without the batch; the state is zero where none is given.

    >>> import rushlight as torch
    >>> h, c = torch.nn.LSTMCell(10, 20)(torch.zeros(3, 10))
    >>> h.shape
    torch.Size([3, 20])
    """

    _gates = 4

    def forward(self, input, hx=None):
        dim = input.ndim
        if hx is not None and dim == 2 and len(hx) == 2 and hx[0].ndim == 2 and hx[1].ndim == 2:
            return torch.lstm_cell(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        self._check_ndim("input", input)
        if hx is not None:
            for place, part in enumerate(hx):
                self._check_ndim(f"hx[{place}]", part)
        batched = dim == 2
        if not batched:
            input = input.unsqueeze(0)
        if hx is None:
            hx = (self._zeros(input),) * 2
        elif not batched:
            hx = hx[0].unsqueeze(0), hx[1].unsqueeze(0)
        h, c = torch.lstm_cell(input, hx, *self._weights())
        return (h, c) if batched else (h.squeeze(0), c.squeeze(0))


class GRUCell(_GatedCell):
    """One step of gated recurrent units; shapes are those of `RNNCell`.

    >>> import rushlight as torch
    >>> torch.nn.GRUCell(10, 20)(torch.zeros(3, 10)).shape
    torch.Size([3, 20])
    """

    _gates = 3

    def forward(self, input, hx=None):
        return self._step(torch.gru_cell, input, hx)

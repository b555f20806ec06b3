"""Recurrent nets: a layer is its cell step by step, sequences that are packed together are what they are alone."""

import copy
import pickle

import pytest

NAMES = ["RNN", "LSTM", "GRU"]


def first(state):
    return state[0] if isinstance(state, tuple) else state


@pytest.mark.parametrize("name", NAMES)
def test_a_layer_is_its_cell_step_by_step(torch, name):
    nn = torch.nn
    net, cell = getattr(nn, name)(3, 5).double(), getattr(nn, name + "Cell")(3, 5).double()
    cell.load_state_dict({key.removesuffix("_l0"): value for key, value in net.state_dict().items()})
    x = torch.randn(4, 2, 3, dtype=torch.float64)
    output, last = net(x)
    state = None
    for step in range(4):
        state = cell(x[step], state)
        assert torch.allclose(output[step], first(state))
    assert torch.allclose(first(last)[0], first(state))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_packed_sequences_are_what_they_are_alone(torch, name, bidirectional):
    rnn = torch.nn.utils.rnn
    net = getattr(torch.nn, name)(3, 5, 2, bidirectional=bidirectional).double()
    sequences = [torch.randn(length, 3, dtype=torch.float64) for length in (2, 5, 1, 4)]
    packed, state = net(rnn.pack_sequence(sequences, enforce_sorted=False))
    for place, (sequence, output) in enumerate(zip(sequences, rnn.unpack_sequence(packed), strict=True)):
        alone, last = net(sequence)
        assert torch.allclose(output, alone)
        assert torch.allclose(first(state)[:, place], first(last))


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_of_recurrent_nets(torch, name):
    net = getattr(torch.nn, name)(2, 3, bidirectional=True).double()
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)
    parameters = tuple(net.parameters())

    def run(x, *parameters):
        replaced = dict(zip((key for key, _ in net.named_parameters()), parameters, strict=True))
        output, state = torch.func.functional_call(net, replaced, (x,))
        return output, first(state)

    assert torch.autograd.gradcheck(run, (x, *parameters))
    assert torch.autograd.gradgradcheck(lambda x: run(x, *parameters), (x,))


@pytest.mark.parametrize("name", NAMES)
def test_jvp_is_the_transpose_of_vjp(torch, name):
    net = getattr(torch.nn, name)(2, 3).double()
    x, t = torch.randn(2, 4, 2, 2, dtype=torch.float64)
    output, tangent = torch.func.jvp(lambda x: net(x)[0], (x,), (t,))
    g = torch.randn_like(output)
    (gradient,) = torch.func.vjp(lambda x: net(x)[0], x)[1](g)
    assert torch.allclose((g * tangent).sum(), (gradient * t).sum())


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_followed_when_they_are_replaced(torch, name):
    net = getattr(torch.nn, name)(2, 3)
    x = torch.ones(2, 1, 2)
    before = net(x)[0]
    net.weight_ih_l0 = torch.nn.Parameter(torch.zeros_like(net.weight_ih_l0))
    after = net(x)[0]
    assert not torch.equal(before, after)
    replaced = torch.func.functional_call(net, {"bias_ih_l0": torch.ones_like(net.bias_ih_l0)}, (x,))[0]
    assert not torch.equal(replaced, after) and torch.equal(net(x)[0], after)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(twin(x)[0], after)
        assert all(a is b for a, b in zip(twin._flat_weights, twin.parameters(), strict=True))
    assert net.double()(x.double())[0].dtype is torch.float64
    assert [len(weights) for weights in net.all_weights] == [4]
    net.flatten_parameters()


def test_dropout_stands_between_layers(torch):
    net = torch.nn.GRU(2, 3, 2, dropout=1.0)
    assert torch.equal(net(torch.ones(2, 1, 2))[0], net(torch.zeros(2, 1, 2))[0])
    net.eval()
    assert not torch.equal(net(torch.ones(2, 1, 2))[0], net(torch.zeros(2, 1, 2))[0])


def test_names_of_nodes_of_recurrent_nets(torch):
    x = torch.ones(2, 1, 2)
    output, (h, c) = torch.nn.LSTM(2, 3)(x)
    assert [type(out.grad_fn).__name__ for out in (output, h, c)] == [
        "MkldnnRnnLayerBackward0",
        "StackBackward0",
        "StackBackward0",
    ]
    assert type(torch.nn.GRU(2, 3)(x)[0].grad_fn).__name__ == "StackBackward0"
    assert type(torch.nn.GRU(2, 3, bidirectional=True)(x)[0].grad_fn).__name__ == "CatBackward0"
    packed = torch.nn.utils.rnn.pack_sequence([x[:, 0].requires_grad_()])
    assert type(packed.data.grad_fn).__name__ == "PackPaddedSequenceBackward0"


def test_a_step_of_a_cell_is_recorded_op_by_op(torch):
    h, c = torch.nn.LSTMCell(3, 4)(torch.ones(2, 3), (torch.zeros(2, 4), torch.zeros(2, 4)))
    output, cell = (node for node, _ in h.grad_fn.next_functions)
    assert [node.name() for node in (h.grad_fn, c.grad_fn, output, cell)] == [
        "MulBackward0",
        "AddBackward0",
        "SigmoidBackward0",
        "TanhBackward0",
    ]
    forgotten, taken_up = (node for node, _ in c.grad_fn.next_functions)
    gates = [forgotten.next_functions[0][0], *(node for node, _ in taken_up.next_functions), output]
    assert [node.name() for node in gates] == ["SigmoidBackward0", "SigmoidBackward0", "TanhBackward0", "SigmoidBackward0"]
    pieces = [node.next_functions[0] for node in gates]
    assert [number for _, number in pieces] == [1, 0, 2, 3]
    assert {node.name() for node, _ in pieces} == {"UnsafeSplitBackward0"}
    (total, _) = pieces[0][0].next_functions[0]
    assert [total.name(), *(node.name() for node, _ in total.next_functions)] == [
        "AddBackward0",
        "AddmmBackward0",
        "AddmmBackward0",
    ]


def test_a_gate_without_a_gradient_gets_zeros(torch):
    cell = torch.nn.LSTMCell(3, 4)
    cell(torch.ones(2, 3), (torch.zeros(2, 4), torch.ones(2, 4)))[1].sum().backward()
    per_gate = cell.bias_ih.grad.view(4, 4)
    assert (per_gate[:3] != 0).all()
    assert (per_gate[3] == 0).all()


def test_a_packed_sequence(torch):
    rnn = torch.nn.utils.rnn
    packed = rnn.pack_sequence([torch.ones(2), torch.zeros(3)], enforce_sorted=False)
    assert packed.data.tolist() == [0, 1, 0, 1, 0] and packed.batch_sizes.tolist() == [2, 2, 1]
    assert packed.sorted_indices.tolist() == packed.unsorted_indices.tolist() == [1, 0]
    assert packed.to("cpu") is packed and packed.double().data.dtype is torch.float64
    assert packed.long().unsorted_indices is packed.unsorted_indices and not packed.is_cuda
    twin = pickle.loads(pickle.dumps(packed))
    assert type(twin) is rnn.PackedSequence and torch.equal(twin.data, packed.data)
    data, batch_sizes, *order = packed
    assert rnn.PackedSequence((data, batch_sizes)).sorted_indices is None
    assert rnn.PackedSequence(data, batch_sizes, order[0]).unsorted_indices.tolist() == [1, 0]

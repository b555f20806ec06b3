"""Modules: what they register, save, print, call back and draw, as facts that hold for PyTorch too (tests/parity/test_semantics_live.py)."""

import collections
import copy
import pickle

import pytest


@pytest.fixture
def torch():
    import rushlight

    return rushlight


@pytest.fixture
def net(torch):
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(
        nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 2, bias=False))
    )


def test_repr(torch, net):
    assert repr(net) == (
        "Sequential(\n"
        "  (0): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (1): BatchNorm1d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)\n"
        "  (2): ReLU()\n"
        "  (3): Sequential(\n"
        "    (0): Dropout(p=0.5, inplace=False)\n"
        "    (1): Linear(in_features=4, out_features=2, bias=False)\n"
        "  )\n"
        ")"
    )


def test_state_dict(torch, net):
    state = net.state_dict()
    assert list(state) == [
        "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked", "3.1.weight",
    ]  # fmt: skip
    assert isinstance(state, collections.OrderedDict) and not state["0.weight"].requires_grad
    assert state["0.weight"].data_ptr() == net[0].weight.data_ptr()
    assert state._metadata["1"] == {"version": 2}


def test_load_state_dict(torch, net):
    other = copy.deepcopy(net)
    with torch.no_grad():
        for p in other.parameters():
            p.zero_()
    assert str(other.load_state_dict(net.state_dict())) == "<All keys matched successfully>"
    assert all(torch.equal(a, b) for a, b in zip(other.parameters(), net.parameters(), strict=True))
    state = net.state_dict()
    del state["0.bias"]
    state["extra"] = torch.ones(1)
    missing, unexpected = other.load_state_dict(state, strict=False)
    assert missing == ["0.bias"] and unexpected == ["extra"]
    with pytest.raises(RuntimeError) as caught:
        other.load_state_dict(state)
    assert str(caught.value) == (
        'Error(s) in loading state_dict for Sequential:\n\tMissing key(s) in state_dict: "0.bias". \n\tUnexpected key(s) in state_dict: "extra". '
    )
    state = net.state_dict()
    state["0.weight"] = torch.ones(4, 5)
    with pytest.raises(
        RuntimeError,
        match=r"size mismatch for 0.weight: copying a param with shape torch.Size\(\[4, 5\]\) from checkpoint, the shape in current model is torch.Size\(\[4, 3\]\)",
    ):
        other.load_state_dict(state)


def test_names(torch, net):
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias", "3.1.weight"]
    assert [name for name, _ in net.named_buffers()] == ["1.running_mean", "1.running_var", "1.num_batches_tracked"]
    assert [name for name, _ in net.named_modules()] == ["", "0", "1", "2", "3", "3.0", "3.1"]
    assert [name for name, _ in net.named_children()] == ["0", "1", "2", "3"]
    assert net.get_submodule("3.1") is net[3][1] and net.get_parameter("3.1.weight") is net[3][1].weight
    assert net.get_buffer("1.running_mean") is net[1].running_mean
    with pytest.raises(AttributeError, match="Sequential has no attribute `9`"):
        net.get_submodule("9")


def test_registration(torch):
    class Mine(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(2))
            self.layer = torch.nn.Linear(2, 2)
            self.register_buffer("kept", torch.zeros(1))
            self.register_buffer("unkept", torch.zeros(1), persistent=False)
            self.register_parameter("nothing", None)
            self.plain = torch.ones(1)

    module = Mine()
    assert list(module._parameters) == ["weight", "nothing"] and list(module._buffers) == ["kept", "unkept"]
    assert list(module.state_dict()) == ["weight", "kept", "layer.weight", "layer.bias"]
    with pytest.raises(
        TypeError, match=r"cannot assign 'torch.FloatTensor' as parameter 'weight' \(torch.nn.Parameter or None expected\)"
    ):
        module.weight = torch.ones(2)
    with pytest.raises(AttributeError, match="'Mine' object has no attribute 'absent'"):
        module.absent  # noqa: B018
    with pytest.raises(KeyError, match="attribute 'weight' already exists"):
        module.register_buffer("weight", torch.ones(1))
    module.kept = torch.ones(3)
    assert module._buffers["kept"].tolist() == [1.0, 1.0, 1.0]
    del module.layer
    assert "layer" not in module._modules


def test_a_module_without_super_init(torch):
    class Mine(torch.nn.Module):
        def __init__(self):
            self.layer = torch.nn.Linear(1, 1)

    with pytest.raises(AttributeError, match=r"cannot assign module before Module.__init__\(\) call"):
        Mine()


def test_forward_is_needed(torch):
    class Mine(torch.nn.Module):
        pass

    with pytest.raises(NotImplementedError, match='Module \\[Mine\\] is missing the required "forward" function'):
        Mine()(1)


def test_training_mode(torch, net):
    assert net.training and net[3][0].training
    assert net.eval() is net and not any(m.training for m in net.modules())
    net.train()
    assert all(m.training for m in net.modules())
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())


def test_shared_parameters_count_once(torch):
    a, b = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    b.weight = a.weight
    both = torch.nn.ModuleList([a, b])
    assert len(list(both.parameters())) == 3
    assert [name for name, _ in both.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert len(list(both.named_parameters(remove_duplicate=False))) == 4


def test_conversion(torch, net):
    net.double()
    assert net[0].weight.dtype == torch.float64 and net[1].num_batches_tracked.dtype == torch.int64
    net.to(torch.float32)
    assert net[1].running_mean.dtype == torch.float32
    weight = net[0].weight
    net.half()
    assert net[0].weight is weight


@pytest.fixture
def conversions(torch):
    yield torch.__future__
    torch.__future__.set_swap_module_params_on_conversion(False)
    torch.__future__.set_overwrite_module_params_on_conversion(False)


def test_tensors_may_change_places_when_a_module_is_converted(torch, conversions):
    conversions.set_swap_module_params_on_conversion(True)
    layer = torch.nn.Linear(3, 2)
    weight = layer.weight
    weight.grad = grad = torch.ones(2, 3)
    layer.double()
    assert layer.weight is weight and weight.dtype is torch.float64 and weight.requires_grad and weight.grad is grad
    assert grad.dtype is torch.float64
    layer.load_state_dict(torch.nn.Linear(3, 2).half().state_dict(), assign=True)
    assert layer.weight is weight and weight.dtype is torch.float16
    unset = torch.nn.Linear(3, 2, device="meta")
    bias = unset.bias
    unset.load_state_dict(layer.state_dict(), assign=True)
    assert unset.bias is bias and not bias.is_meta and bias.dtype is torch.float16
    statistics = torch.nn.BatchNorm1d(2)
    mean = statistics.running_mean
    statistics.load_state_dict(torch.nn.BatchNorm1d(2).state_dict())
    assert statistics.running_mean is mean

    class Returning(torch.nn.Parameter):
        def module_load(self, other, assign=False):
            return other

    layer.weight = Returning(torch.ones(2, 3))
    with pytest.raises(
        RuntimeError, match=r"While swapping the parameter named .weight.*module_load returned one of self or other"
    ):
        layer.load_state_dict(torch.nn.Linear(3, 2).state_dict())


def test_tensors_of_two_classes_change_places():
    import rushlight as torch

    class Own(torch.Tensor):
        pass

    class Slotted(torch.Tensor):
        __slots__ = ("note",)

    own, plain = torch.ones(3).as_subclass(Own), torch.nn.Parameter(torch.zeros(2))
    own.note = 5
    torch.utils.swap_tensors(own, plain)
    assert type(plain) is Own and plain.note == 5 and plain.tolist() == [1, 1, 1] and not plain.requires_grad
    assert type(own) is torch.nn.Parameter and not hasattr(own, "note") and own.requires_grad and own.tolist() == [0, 0]
    with pytest.raises(RuntimeError, match="if they have different slots"):
        torch.utils.swap_tensors(plain, torch.ones(2).as_subclass(Slotted))
    with pytest.raises(RuntimeError, match="if they have different layouts"):
        torch.utils.swap_tensors(torch.ones(2), torch.ones(2).to_sparse())


def test_a_converted_module_may_get_new_parameters(torch, conversions):
    conversions.set_overwrite_module_params_on_conversion(True)
    layer = torch.nn.Linear(3, 2)
    weight = layer.weight
    weight.grad = grad = torch.ones(2, 3)
    layer.double()
    assert layer.weight is not weight and weight.dtype is grad.dtype is torch.float32
    assert layer.weight.dtype is layer.weight.grad.dtype is torch.float64


def test_a_parameter_of_another_layout_is_another_one(torch):
    layer = torch.nn.Linear(3, 2)
    weight = layer.weight
    layer._apply(lambda x: x.to_sparse() if x.ndim == 2 else x)
    assert layer.weight.is_sparse and not weight.is_sparse
    with pytest.raises(RuntimeError, match="incompatible tensor type"):
        weight.data = layer.weight.detach()


def test_forward_hooks(torch):
    layer = torch.nn.Linear(2, 2)
    seen = []
    first = layer.register_forward_pre_hook(lambda m, args: (args[0] * 0,))
    second = layer.register_forward_hook(lambda m, args, out: seen.append(args[0].sum().item()) or out * 0 + 5)
    assert layer(torch.ones(1, 2)).tolist() == [[5.0, 5.0]] and seen == [0.0]
    first.remove()
    second.remove()
    assert layer(torch.ones(1, 2)).tolist() != [[5.0, 5.0]]
    layer.register_forward_hook(lambda m, args, kwargs, out: seen.append(sorted(kwargs)), with_kwargs=True)
    layer(input=torch.ones(1, 2))
    assert seen[-1] == ["input"]


def test_apply_and_children(torch, net):
    seen = []
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "BatchNorm1d", "ReLU", "Dropout", "Linear", "Sequential", "Sequential"]


def test_containers(torch):
    nn = torch.nn
    s = nn.Sequential(collections.OrderedDict(first=nn.ReLU(), second=nn.Tanh()))
    assert s.first is s[0] and len(s) == 2 and isinstance(s[-1], nn.Tanh) and len(s[:1]) == 1
    s.append(nn.Sigmoid())
    assert list(s._modules) == ["first", "second", "2"]
    m = nn.ModuleDict({"a": nn.ReLU()})
    m["b"] = nn.Tanh()
    assert list(m.keys()) == ["a", "b"] and "a" in m
    p = nn.ParameterList([nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(2))])
    assert len(list(p.parameters())) == 2 and len(p) == 2
    d = nn.ParameterDict({"x": nn.Parameter(torch.ones(1))})
    assert list(d.state_dict()) == ["x"]


def test_copies(torch, net):
    again = copy.deepcopy(net)
    assert again[0].weight is not net[0].weight and torch.equal(again[0].weight, net[0].weight)
    loaded = pickle.loads(pickle.dumps(net))
    assert repr(loaded) == repr(net) and torch.equal(loaded[0].weight, net[0].weight)


def test_batch_norm_keeps_statistics(torch):
    norm = torch.nn.BatchNorm1d(2)
    x = torch.tensor([[1.0, 10.0], [3.0, 30.0]])
    norm(x)
    assert norm.running_mean.tolist() == pytest.approx([0.2, 2.0]) and norm.running_var.tolist() == pytest.approx([1.1, 20.9])
    assert norm.num_batches_tracked.item() == 1
    norm.eval()
    assert norm(x)[0].tolist() == pytest.approx([(1 - 0.2) / (1.1 + 1e-5) ** 0.5, (10 - 2) / (20.9 + 1e-5) ** 0.5])
    with pytest.raises(ValueError, match=r"expected 2D or 3D input \(got 1D input\)"):
        norm(torch.ones(2))
    norm.train()
    with pytest.raises(ValueError, match=r"Expected more than 1 value per channel when training, got input size torch.Size"):
        norm(torch.ones(1, 2))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda t: t.nn.Linear(2, 1).weight, [-0.005293981172144413, 0.37932288646698]),
        (lambda t: t.nn.init.normal_(t.empty(2)), [1.5409960746765137, -0.293428897857666]),
        (lambda t: t.nn.init.uniform_(t.empty(2)), [0.49625658988952637, 0.7682217955589294]),
    ],
)
def test_initial_values_from_a_seed(torch, make, expected):
    torch.manual_seed(0)
    assert make(torch).flatten().tolist() == expected


def test_losses_and_shapes(torch):
    loss = torch.nn.CrossEntropyLoss()
    assert repr(loss) == "CrossEntropyLoss()"
    x = torch.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    out = loss(x, torch.tensor([2]))
    out.backward()
    assert out.item() == pytest.approx(0.40760597586631775) and x.grad.sum().item() == pytest.approx(0, abs=1e-6)
    with pytest.raises(RuntimeError, match=r"mat1 and mat2 shapes cannot be multiplied \(1x3 and 2x2\)"):
        torch.nn.Linear(2, 2)(torch.ones(1, 3))


def test_clip_grad_norm(torch):
    p = torch.nn.Parameter(torch.ones(2))
    p.grad = torch.tensor([3.0, 4.0])
    norm = torch.nn.utils.clip_grad_norm_([p], 1.0)
    assert norm.item() == 5 and p.grad.tolist() == pytest.approx([0.6, 0.8], rel=1e-5)


def test_names_that_are_made_while_the_program_runs(torch):
    """A parameter is found by its name, also where the name is a new string, at the address of one that is gone."""
    module = torch.nn.Module()
    for i in range(10, 40):
        module.register_parameter(f"p{i}", torch.nn.Parameter(torch.full((1,), float(i))))
    for _ in range(20):
        for i in range(10, 40):
            assert getattr(module, f"p{i}").item() == i
            assert not hasattr(module, "q%d" % i)  # noqa: UP031 (another way to make a string)


def test_tables_of_global_hooks_may_be_replaced(torch):
    module = torch.nn.modules.module
    calls = []
    handle = module.register_module_forward_hook(lambda *given: calls.append("first"))
    torch.nn.ReLU()(torch.ones(1))
    module._global_forward_hooks = collections.OrderedDict()
    torch.nn.ReLU()(torch.ones(1))
    handle.remove()
    assert calls == ["first"] and not module._global_forward_hooks
    with module.register_module_forward_hook(lambda *given: calls.append("second")):
        torch.nn.ReLU()(torch.ones(1))
    assert calls == ["first", "second"]


@pytest.mark.parametrize("loss", ["smooth_l1_loss", "huber_loss"])
def test_losses_of_nan_have_gradients_of_nan(torch, loss):
    x = torch.tensor([float("nan"), 0.5, -3.0, float("inf"), 1.0], requires_grad=True)
    getattr(torch.nn.functional, loss)(x, torch.zeros(5), reduction="sum").backward()
    assert x.grad[0].isnan() and x.grad[1:].tolist() == [0.5, -1.0, 1.0, 1.0]


def test_loading_leaves_nothing_to_collect(torch):
    import gc

    module = torch.nn.LSTM(4, 4, bidirectional=True)
    state = copy.deepcopy(module).state_dict()
    gc.collect()
    module.load_state_dict(state)
    assert gc.collect() == 0


def test_attention_to_itself_in_evaluation_is_one_call(torch, monkeypatch):
    layer = torch.nn.MultiheadAttention(8, 4, batch_first=True).eval()
    x = torch.rand(3, 5, 8)
    unseen, padding = torch.ones(5, 5).triu(1).bool(), torch.zeros(3, 5, dtype=torch.bool)
    padding[:, 4] = True
    expected, weights = layer(x, x, x, attn_mask=unseen, key_padding_mask=padding)
    with torch.no_grad():
        for found in (
            layer(x, x, x, attn_mask=unseen, key_padding_mask=padding),
            torch._native_multi_head_attention(
                x,
                x,
                x,
                8,
                4,
                layer.in_proj_weight,
                layer.in_proj_bias,
                layer.out_proj.weight,
                layer.out_proj.bias,
                (unseen | padding.view(3, 1, 1, 5)).expand(3, 4, 5, 5),
                mask_type=2,
            ),
        ):
            torch.testing.assert_close(found[0], expected.detach())
            torch.testing.assert_close(found[1], weights.detach())
            assert found[0].is_contiguous()
        calls = []
        monkeypatch.setattr(torch, "_native_multi_head_attention", lambda *given: calls.append(given[-4:]) or (x, None))
        assert layer(x, x, x)[0] is x and layer(x, x, x, key_padding_mask=padding, need_weights=False)[0] is x
        assert calls[0] == (None, True, True, None) and calls[1][0].shape == padding.shape and calls[1][1:] == (False, True, 1)
        assert layer(x, x + 1, x + 1)[0] is not x and layer.train()(x, x, x)[0] is not x


def test_a_query_that_sees_nothing(torch):
    layers = (
        torch.nn.TransformerEncoderLayer(4, 2, 16, 0.0, batch_first=True).eval(),
        torch.nn.MultiheadAttention(4, 2, batch_first=True).eval(),
    )
    x, all_hidden = torch.rand(1, 1, 4), torch.tensor([[True]])
    for grad, is_nan in ((True, False), (False, True)):
        with torch.set_grad_enabled(grad):
            assert layers[0](x, src_key_padding_mask=all_hidden).isnan().all() == is_nan
            assert layers[1](x, x, x, key_padding_mask=all_hidden, need_weights=False)[0].isnan().all() == is_nan


def test_nothing_to_pack_is_refused_first(torch):
    with pytest.raises(RuntimeError, match="Cannot pack empty tensors"):
        torch.nn.utils.rnn.pack_padded_sequence(torch.randn(0, 1, 10), torch.randn(11, 14, 14, 2), True)


def test_a_parametrization_of_what_is_parametrized(torch):
    parametrize = torch.nn.utils.parametrize

    class Doubled(torch.nn.Module):
        def forward(self, x):
            return 2 * x

    layer = torch.nn.Linear(2, 2)
    weight, number = layer.weight.detach().clone(), id(layer.weight)
    parametrize.register_parametrization(layer, "weight", Doubled())
    inner = layer.parametrizations.weight
    parametrize.register_parametrization(inner, "original", Doubled())
    assert layer.weight.equal(4 * weight) and "original" not in inner._parameters
    parametrize.remove_parametrizations(inner, "original", leave_parametrized=False)
    assert type(inner) is parametrize.ParametrizationList and layer.weight.equal(2 * weight)
    parametrize.remove_parametrizations(layer, "weight")
    assert layer.weight.equal(2 * weight) and id(layer.weight) == number and type(layer) is torch.nn.Linear


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_a_layer_of_an_encoder_in_evaluation_is_one_call(torch, monkeypatch, norm_first, activation):
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, activation=activation, batch_first=True, norm_first=norm_first).eval()
    x, unseen = torch.rand(3, 5, 8), torch.ones(5, 5).triu(1).bool()
    padding = torch.zeros(3, 5, dtype=torch.bool)
    padding[:, 4] = True
    fused, calls = torch._transformer_encoder_layer_fwd, []
    monkeypatch.setattr(torch, "_transformer_encoder_layer_fwd", lambda *given: calls.append(given[-1]) or fused(*given))
    for masks in (
        {},
        {"src_mask": unseen},
        {"src_key_padding_mask": padding},
        {"src_mask": unseen, "src_key_padding_mask": padding},
    ):
        expected = layer(x, **masks).detach()
        with torch.no_grad():
            torch.testing.assert_close(layer(x, **masks), expected)
    assert calls == [None, 2, 1, 2]
    with torch.no_grad():
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            layer(x)
        finally:
            torch.backends.mha.set_fastpath_enabled(True)
        handle = layer.linear1.register_forward_hook(lambda *given: None)
        layer(x)
        handle.remove()
        assert len(calls) == 4
    layer.requires_grad_(False)(x)
    assert len(calls) == 5

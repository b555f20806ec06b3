"""Files that PyTorch reads of ours, and ours of PyTorch's."""

import io
from collections import Counter

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore:ComplexHalf support")]

import torch  # noqa: E402

import rushlight  # noqa: E402

from ..dtypes import NAMES as DTYPES  # noqa: E402


def objects(library):
    """The same objects in either library."""
    torch = library
    x = torch.arange(6.0)
    tagged = torch.ones(2)
    tagged.tag = 3
    model = torch.nn.Linear(2, 2)
    torch.nn.init.ones_(model.weight)
    torch.nn.init.zeros_(model.bias)
    optimizer = torch.optim.SGD(model.parameters(), momentum=0.9)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return {
        "shared": [x, x[2:4], x.reshape(2, 3).t()],
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "tracked": torch.ones(2, requires_grad=True),
        "tagged": tagged,
        "empty": torch.empty(0, 3),
        "scalar": torch.tensor(3),
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "values": [
            x.shape,
            torch.float16,
            torch.device("cpu"),
            1.5,
            2**70,
            "é",
            b"ab",
            bytearray(b"c"),
            1 + 2j,
            None,
            {1, 2},
            Counter("aab"),
        ],
        "dtypes": [torch.tensor([0, 1, 2]).to(getattr(torch, name)) for name in DTYPES],
    }


@pytest.mark.parametrize(("writer", "reader"), [(rushlight, torch), (torch, rushlight)], ids=["ours", "theirs"])
@pytest.mark.parametrize("keep", ["buffer", "path"])
def test_read_by_the_other(writer, reader, keep, tmp_path):
    written = objects(writer)
    file = io.BytesIO() if keep == "buffer" else tmp_path / "model.pt"
    writer.save(written, file)
    if keep == "buffer":
        file.seek(0)
    found = reader.load(file, weights_only=True)
    assert repr(found) == repr(written) == repr(objects(reader))
    a, b, c = found["shared"]
    assert b.data_ptr() == a.data_ptr() + 8 and c.stride() == (1, 3) and c.data_ptr() == a.data_ptr()
    assert type(found["parameter"]) is reader.nn.Parameter and found["tagged"].tag == 3
    assert found["model"]._metadata == written["model"]._metadata
    reader.nn.Linear(2, 2).load_state_dict(found["model"])


def test_mapped_into_memory(tmp_path):
    rushlight.save([rushlight.arange(6.0)], tmp_path / "model.pt")
    assert torch.load(tmp_path / "model.pt", mmap=True)[0].tolist() == [0, 1, 2, 3, 4, 5]


def test_a_lazily_conjugated_tensor():
    file = io.BytesIO()
    torch.save(torch.tensor([1 + 2j]).conj(), file)
    file.seek(0)
    assert rushlight.load(file).tolist() == [1 - 2j]


@pytest.mark.parametrize(("writer", "reader"), [(torch, rushlight), (rushlight, torch), (rushlight, rushlight)])
def test_lazy_tensors_stay_so(writer, reader):
    z = writer.tensor([1 + 2j])
    file = io.BytesIO()
    writer.save([z.conj(), z], file)
    file.seek(0)
    conjugate, plain = reader.load(file)
    assert conjugate.is_conj() and conjugate.data_ptr() == plain.data_ptr() and conjugate.tolist() == [1 - 2j]
    file = io.BytesIO()
    writer.save(z.conj().imag, file)
    file.seek(0)
    part = reader.load(file)
    assert part.is_neg() and part.tolist() == [-2.0]


def trusted(library):
    """Objects that only trusted files bring, in either library."""
    torch = library
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.LayerNorm(3), torch.nn.GELU(), torch.nn.Embedding(3, 2)
    )
    for parameter in model.parameters():
        torch.nn.init.constant_(parameter, 0.5)
    model.functions = [
        torch.nn.functional.relu,
        torch.nn.functional.gelu,
        torch.tanh,
        torch.linalg.det,
        torch.special.erf,
        torch.Tensor.add_,
    ]
    optimizer = torch.optim.Adam(model[0].parameters())
    model[0](torch.ones(1, 2)).sum().backward()
    optimizer.step()
    classes = [torch.nn.Linear, torch.no_grad, torch.Tensor, torch.LongTensor, torch.optim.SGD]
    values = [
        torch.Generator().manual_seed(3),
        torch.ones(3).max(0),
        torch.strided,
        torch.nn.CrossEntropyLoss(),
        torch.zeros,
        torch.tensor,
    ]
    return [model, optimizer, classes, values]


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize(("writer", "reader"), [(rushlight, torch), (torch, rushlight)], ids=["ours", "theirs"])
def test_whole_objects_read_by_the_other(writer, reader, zipped):
    written, file = trusted(writer), io.BytesIO()
    if not zipped:
        written[3].pop(0)  # (a generator's state comes before its bytes)
    writer.save(written, file, _use_new_zipfile_serialization=zipped)
    file.seek(0)
    model, optimizer, classes, values = reader.load(file, weights_only=False)
    assert repr(model) == repr(written[0]) and type(model) is reader.nn.Sequential
    assert model.functions == trusted(reader)[0].functions
    assert model.functions[2](reader.ones(1)).item() == pytest.approx(0.7616, abs=1e-4)
    assert optimizer.param_groups[0]["params"][0] is model[0].weight and type(optimizer) is reader.optim.Adam
    optimizer.step()
    assert classes == [reader.nn.Linear, reader.no_grad, reader.Tensor, reader.LongTensor, reader.optim.SGD]
    if zipped:
        assert values.pop(0).initial_seed() == 3
    assert repr(values[:3]) == repr(written[3][-5:][:3]) and type(values[0]) is reader.return_types.max
    assert values[3] is reader.zeros and values[4] is reader.tensor


def test_classes_have_the_others_names():
    for place in ("nn", "optim", "autograd", "nn.utils"):
        ours, theirs = rushlight, torch
        for part in place.split("."):
            ours, theirs = getattr(ours, part), getattr(theirs, part)
        for name, kind in vars(ours).items():
            if (
                isinstance(kind, type)
                and not name.startswith("_")
                and hasattr(theirs, name)
                and kind.__module__.startswith("rushlight")
            ):
                module, found = rushlight._names.in_torch(kind, kind.__qualname__)
                other = getattr(theirs, name)
                assert (module, found) == (other.__module__, other.__qualname__), name

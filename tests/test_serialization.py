"""torch.save and torch.load: what comes back, what is shared, what is refused."""

import io
import pickle
import zipfile
from collections import Counter, OrderedDict

import pytest

import rushlight as torch
from rushlight import core

from .files import MEMORY, archive_of, through_file


@pytest.mark.parametrize("name", sorted(core.dtype_by_name))
def test_every_dtype(name):
    x = torch.tensor([[0, 1, 2], [3, 1, 0]]).to(core.dtype_by_name[name])
    found = through_file(x)
    assert found.dtype is x.dtype and torch.equal(found, x) and not found.requires_grad


def test_layouts_and_gradients():
    x = torch.arange(12.0).reshape(3, 4)
    for value in (x.t(), x[1:, ::2], x[0, 0], torch.empty(0, 3), x.expand(2, 3, 4)):
        found = through_file(value)
        assert torch.equal(found, value) and found.stride() == value.stride()
    assert through_file(torch.ones(2, requires_grad=True)).requires_grad
    parameter = through_file(torch.nn.Parameter(torch.ones(2), requires_grad=False))
    assert type(parameter) is torch.nn.Parameter and not parameter.requires_grad


def test_shared_memory_stays_shared():
    x = torch.arange(6.0)
    a, b, c = through_file([x, x[2:4], x.detach()])
    b.zero_()
    assert a.tolist() == c.tolist() == [0, 1, 0, 0, 4, 5]
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        torch.save([x, x.view(torch.int32)], io.BytesIO())


def test_containers_and_values():
    obj = {
        "numbers": [1.5, 2**70, -3, True, None, 1 + 2j],
        "text": ("é", b"ab", bytearray(b"x")),
        "sets": {1, 2},
        "ordered": OrderedDict(b=1, a=2),
        "counter": Counter("aab"),
        "torch": [torch.Size([2, 3]), torch.float16, torch.device("cpu")],
    }
    found = through_file(obj)
    assert found == obj and list(found["ordered"]) == ["b", "a"] and type(found["torch"][0]) is torch.Size
    for protocol in (1, 2, 3, 4, 5):
        file = io.BytesIO()
        torch.save(obj, file, pickle_protocol=protocol)
        file.seek(0)
        assert torch.load(file, weights_only=False) == obj
    same = [1]
    found = through_file([same, same])
    assert found[0] is found[1]


def test_modules_and_optimizers(tmp_path):
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "checkpoint.pt")
    found = torch.load(str(tmp_path / "checkpoint.pt"), map_location=torch.device("cpu"))
    assert found["model"]._metadata == model.state_dict()._metadata
    other = torch.nn.Linear(3, 2)
    other.load_state_dict(found["model"])
    assert torch.equal(other.weight, model.weight)
    again = torch.optim.Adam(other.parameters())
    again.load_state_dict(found["optimizer"])
    assert again.state_dict()["param_groups"] == optimizer.state_dict()["param_groups"]


def test_attributes_of_tensors():
    x = torch.nn.Parameter(torch.ones(2))
    x.tag = "weight"
    y = torch.ones(2)
    y.tag = [1]
    found = through_file([x, y])
    assert type(found[0]) is torch.nn.Parameter and found[0].tag == "weight" and found[1].tag == [1]


def test_records_are_aligned(tmp_path):
    torch.save([torch.ones(3), torch.ones(5, dtype=torch.int8)], tmp_path / "model.pt")
    raw = (tmp_path / "model.pt").read_bytes()
    with zipfile.ZipFile(tmp_path / "model.pt") as archive:
        records = "data.pkl .format_version .storage_alignment byteorder data/0 data/1 version .data/serialization_id"
        assert archive.namelist() == [f"model/{name}" for name in records.split()]
        for record in archive.infolist():
            name, extra = (
                int.from_bytes(raw[record.header_offset + at : record.header_offset + at + 2], "little") for at in (26, 28)
            )
            assert (record.header_offset + 30 + name + extra) % 64 == 0 and record.compress_type == zipfile.ZIP_STORED


def test_bools_are_bools():
    described = (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + MEMORY.replace(b"Float", b"Bool") + b"K\x00K\x02\x85K\x01\x85\x89}tR."
    )
    assert torch.load(archive_of(described, _0=b"\x00\x07")).int().tolist() == [0, 1]


def test_places():
    file = archive_of(
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n("
        + MEMORY.replace(b"\x03\x00\x00\x00cpu", b"\x06\x00\x00\x00cuda:0")
        + b"K\x00K\x02\x85K\x01\x85\x89}tR.",
        _0=bytes(8),
    )
    with pytest.raises(RuntimeError, match=r"Attempting to deserialize object on a CUDA device but torch.cuda.is_available"):
        torch.load(file)
    for place in ("cpu", torch.device("cpu"), {"cuda:0": "cpu"}, lambda storage, location: storage):
        file.seek(0)
        assert torch.load(file, map_location=place).tolist() == [0, 0]


def test_errors_of_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        torch.load(tmp_path / "none.pt")
    with pytest.raises(EOFError):
        torch.load(io.BytesIO())
    with pytest.raises(RuntimeError, match="Invalid magic number; corrupt file"):
        torch.load(io.BytesIO(pickle.dumps([1], 2)))
    with pytest.raises(RuntimeError, match="failed reading zip archive"):
        torch.load(io.BytesIO(b"PK\x03\x04 and nothing else"))
    with pytest.raises(AttributeError, match=r"You can only torch.load from a file that is seekable"):
        torch.load(3)
    with pytest.raises(AttributeError, match="expected 'f' to be string, path, or a file-like object with a 'write' attribute"):
        torch.save(1, 3)
    with pytest.raises(TypeError, match="wights_only"):
        torch.load(archive_of(b"\x80\x02K\x01."), wights_only=True, weights_only=False)


def test_records_are_written_and_read(tmp_path):
    for place in (tmp_path / "some.pt", io.BytesIO()):
        with torch.serialization._open_zipfile_writer(place) as writer:
            writer.write_record("a", b"123", 3)
            writer.write_record("b/c", "text", 2)
            assert writer.get_all_written_records() == {"a", "b/c"}
        with torch.serialization._open_zipfile_reader(place) as reader:
            assert reader.archive_name() == ("some" if place == tmp_path / "some.pt" else "archive")
            assert [reader.get_record(name) for name in ("a", "b/c", "version")] == [b"123", b"te", b"3\n"]
            assert reader.get_all_records() == ["a", "b/c", "version", "byteorder", ".data/serialization_id"]
    with pytest.raises(RuntimeError, match=r"Parent directory .* does not exist"):
        torch._C.PyTorchFileWriter(str(tmp_path / "none" / "x.pt"))


def test_settings_of_files_by_name(tmp_path):
    from rushlight.utils.serialization import config

    path = tmp_path / "x.pt"
    with config.patch({"save.storage_alignment": 4096, "load.mmap": True}):
        torch.save(torch.arange(3.0), path)
        assert torch._C.PyTorchFileReader(str(path)).get_record_offset("data/0") % 4096 == 0
        assert torch.load(path).tolist() == [0, 1, 2]
        with pytest.raises(ValueError, match="f must be a file path"):
            torch.load(io.BytesIO(path.read_bytes()))
    assert (config.save.storage_alignment, config.load.mmap) == (64, False)
    with config.patch("save.compute_crc32", False):
        assert not torch.serialization.get_crc32_options()
    with pytest.raises(AttributeError, match=r"torch.utils.serialization.config.load.other does not exist"):
        config.load.other  # noqa: B018


def test_versions_of_modules():
    check = torch.serialization.check_module_version_greater_or_equal
    module = type("m", (), {"__version__": "1.10"})
    assert check(module, (1, 9)) and not check(module, (1, 11))
    module.__version__ = "1.x"
    with pytest.raises(RuntimeError, match=r"'m' module version string is malformed '1.x' and cannot be compared with tuple"):
        check(module, (1, 9))
    with pytest.warns(UserWarning, match="assuming that requirement is met"):
        assert check(module, (1, 9), error_if_malformed=False)


def test_no_bytes_under_several_dtypes_in_the_old_format():
    empty = torch.tensor([])
    other = torch.TypedStorage(wrap_storage=empty.untyped_storage(), dtype=torch.float64, _internal=True)
    file = io.BytesIO()
    torch.save([empty, other], file, _use_new_zipfile_serialization=False)
    file.seek(0)
    assert [found.dtype for found in torch.load(file)] == [torch.float32, torch.float64]


def test_what_libraries_add_to_pythons_pickler_is_not_in_files(monkeypatch):
    def of_the_library(pickler, obj):
        raise AssertionError

    for kind in (complex, set, bytearray, type):
        monkeypatch.setitem(pickle._Pickler.dispatch, kind, of_the_library)
    saved = [1 + 2j, {1, 2}, bytearray(b"bytes"), torch.Size([1])]
    file = io.BytesIO()
    torch.save(saved, file)
    file.seek(0)
    assert torch.load(file) == saved

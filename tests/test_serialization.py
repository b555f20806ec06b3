"""torch.save and torch.load: what comes back, what is shared, what is refused."""

import functools
import io
import os
import pickle
import random
import re
import struct
import tarfile
import warnings
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path

import pytest

import rushlight as torch
from rushlight import core


def through_file(obj, **keywords):
    file = io.BytesIO()
    torch.save(obj, file)
    file.seek(0)
    return torch.load(file, **keywords)


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


class Own:
    def __init__(self, value=0):
        self.value = value

    def __eq__(self, other):
        return type(other) is Own and other.value == self.value

    __hash__ = None


class Slotted:
    __slots__ = ("left", "right")


class Subclass(torch.Tensor):
    pass


def double(x):
    return 2 * x


def archive_of(described, **records):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", described)
        for name, content in records.items():
            archive.writestr(f"archive/data/{name.strip('_')}", content)
    file.seek(0)
    return file


@pytest.mark.parametrize("weights_only", [None, True])
@pytest.mark.parametrize(
    "described",
    [
        pickle.dumps(Own(), 2),
        b"\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.",
        b"\x80\x02ctorch\nload\n.",
    ],
)
def test_nothing_of_a_file_is_run(described, weights_only):
    with pytest.raises(
        pickle.UnpicklingError, match=r"(?s)^Weights only load failed. .*Unsupported global: GLOBAL .* was not an allowed global"
    ):
        torch.load(archive_of(described), weights_only=weights_only)
    system = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R."
    with (
        torch.serialization.safe_globals([(os.system, "os.system")]),
        pytest.raises(pickle.UnpicklingError, match=r"Trying to load unsupported GLOBAL os.system whose module os is blocked"),
    ):
        torch.load(archive_of(system), weights_only=weights_only)


MEMORY = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQ"


@pytest.mark.parametrize(
    "described",
    [
        b"\x80\x02",  # no end
        b"\x80\x02R.",  # nothing to call
        b"\x80\x02ctorch\nfloat32\n)R.",  # a dtype is called
        b"\x80\x02e.",  # no mark
        b"\x80\x02h\x07.",  # nothing remembered
        b"\x80\x02}(K\x01u.",  # an odd number of keys and values
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(K\x00K\x00))\x89}tR.",  # no storage
        b"\x80\x02c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R.",  # memory by the gigabyte
        b"\x80\x02ctorch.nn.parameter\nParameter\nK\x01\x85R.",
        b"\x80\x02K\x01Q.",  # a persistent id of another kind
    ],
)
def test_malformed_pickles_are_refused(described):
    for error in (RuntimeError, pickle.UnpicklingError):
        with pytest.raises(error):
            torch.load(archive_of(described, _0=bytes(8)))


def test_memory_is_never_read_beyond_its_end():
    whole = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + MEMORY + b"K\x01K\x02\x85K\x01\x85\x89}tR."
    with pytest.raises(RuntimeError, match="are out of bounds for storage of size 8"):
        torch.load(archive_of(whole, _0=bytes(8)))
    with pytest.raises(RuntimeError, match=r"record size \(4 bytes\) does not match expected size \(8 bytes"):
        torch.load(archive_of(whole, _0=bytes(4)))
    with pytest.raises(RuntimeError, match="failed locating file data/0"):
        torch.load(archive_of(whole))


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


# ---------------------------------------------------------------------------------------------------------- files that are trusted
FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


def there_and_back(obj, zipped=True, **keywords):
    file = io.BytesIO()
    torch.save(obj, file, _use_new_zipfile_serialization=zipped)
    file.seek(0)
    return torch.load(file, **keywords)


@FORMATS
@pytest.mark.parametrize(
    "obj",
    [Own(3), Own, len, double, torch.relu, torch.relu_, torch.Tensor.add_, torch.nn.functional.gelu, torch.nn.functional.linear]
    + [
        torch.linalg.svd,
        torch.tensor,
        torch.zeros,
        torch.Tensor,
        torch.nn.Linear,
        torch.optim.SGD,
        frozenset([1]),
        slice(1, 2),
        os.getcwd,
    ]
    + [torch.LongTensor, torch.strided, torch.bfloat16, torch.device("cpu"), torch.Size([2]), torch.no_grad],
    ids=lambda obj: getattr(obj, "__name__", type(obj).__name__),
)
def test_any_object_is_saved_and_loaded_where_the_file_is_trusted(obj, zipped):
    found = there_and_back([obj, obj], zipped, weights_only=False)
    assert found == [obj, obj] and type(found[0]) is type(obj)
    assert isinstance(obj, Own) or found[0] is found[1]


@FORMATS
def test_modules_and_optimizers_whole(zipped):
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU(), torch.nn.BatchNorm1d(2))
    model.activation = torch.tanh
    model.register_forward_hook(forward_hook)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(4, 3)).pow(3).sum().backward()
    optimizer.step()
    found, again = there_and_back([model, optimizer], zipped, weights_only=False)
    assert repr(found) == repr(model) and found.activation is torch.tanh
    assert all(map(torch.equal, found.state_dict().values(), model.state_dict().values()))
    # The optimizer goes on with the parameters of the module that was saved beside it.
    assert again.param_groups[0]["params"][0] is found[0].weight
    again.zero_grad()
    before = found[0].weight.clone()
    found(torch.randn(4, 3)).pow(3).sum().backward()
    again.step()
    assert not torch.equal(before, found[0].weight)
    with pytest.raises(pickle.UnpicklingError, match=r"Unsupported global: GLOBAL torch.nn.modules.container.Sequential was not"):
        there_and_back(model, zipped)


def forward_hook(module, inputs, output):
    return None


@FORMATS
def test_subclasses_and_what_the_user_allows(zipped):
    x = torch.arange(3.0).as_subclass(Subclass)
    x.tag = [1]
    slotted = Slotted()
    slotted.left = x
    with pytest.raises(pickle.UnpicklingError, match=r"GLOBAL .*\.Subclass was not an allowed global by default"):
        there_and_back(x, zipped)
    with torch.serialization.safe_globals([Subclass, Own, Slotted]):
        assert set(torch.serialization.get_safe_globals()) == {Subclass, Own, Slotted}
        for keywords in ({}, {"weights_only": False}):
            found, own, same = there_and_back([x, Own(2), slotted], zipped, **keywords)
            assert type(found) is Subclass and found.tag == [1] and found.tolist() == [0, 1, 2] and own == Own(2)
            assert same.left is found and not hasattr(same, "right")
    assert torch.serialization.get_safe_globals() == []
    with torch.serialization.safe_globals([(Subclass, f"{Subclass.__module__}.Subclass")]):
        assert type(there_and_back(x, zipped)) is Subclass
    with torch.serialization.safe_globals([("one",)]), pytest.raises(ValueError, match="Expected tuple of length 2"):
        there_and_back(x, zipped)


def test_errors_of_what_the_user_allows_are_its_own():
    class_of_state = pickle.dumps(Own(1), 2)
    assert b"value" in class_of_state
    with torch.serialization.safe_globals([(refuses, f"{Own.__module__}.Own")]), pytest.raises(ZeroDivisionError):
        torch.load(archive_of(b"\x80\x02c" + Own.__module__.encode() + b"\nOwn\n)R."))


def refuses():
    raise ZeroDivisionError


def test_unsafe_globals_are_named():
    file = io.BytesIO()
    torch.save([Own(), torch.add, len, torch.ones(1)], file)
    file.seek(0)
    found = torch.serialization.get_unsafe_globals_in_checkpoint(file)
    assert set(found) >= {f"{Own.__module__}.Own", "torch.add", "builtins.len"}
    with torch.serialization.safe_globals([len]):
        file.seek(0)
        assert "builtins.len" not in torch.serialization.get_unsafe_globals_in_checkpoint(file)
    with pytest.raises(ValueError, match=r"Expected input to be a checkpoint returned by torch.save"):
        torch.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(b"hello world"))


@FORMATS
def test_storages(zipped):
    x = torch.arange(4.0)
    untyped, typed, view = there_and_back([torch.ones(2).untyped_storage(), x._typed_storage(), x[1:]], zipped)
    assert untyped.tolist() == [0, 0, 128, 63] * 2
    assert typed.tolist() == [0, 1, 2, 3] and typed._untyped_storage is view.untyped_storage()
    assert isinstance(typed, torch.FloatStorage) and not isinstance(typed, torch.LongStorage) and torch.is_storage(typed)
    assert untyped.dtype is torch.uint8  # as PyTorch reads them


def test_generators_go_on_from_their_state():
    # (In the older format a state comes before its bytes, in PyTorch too.)
    g = torch.Generator().manual_seed(3)
    torch.rand(5, generator=g)
    found = there_and_back(g, weights_only=False)
    assert torch.equal(torch.rand(3, generator=found), torch.rand(3, generator=g)) and found.initial_seed() == 3
    assert pickle.loads(pickle.dumps(g)).initial_seed() == 3


def test_hooks_are_left_out():
    x = torch.ones(1, requires_grad=True)
    x.register_hook(lambda g: g)
    with pytest.warns(UserWarning, match="backward hook .* on tensor will not be serialized"):
        assert there_and_back(x).requires_grad


def test_where_storages_go():
    seen = []

    def other(storage, location):
        seen.append((type(storage), storage.nbytes(), location))
        return torch.full((2,), 7.0).untyped_storage()

    assert there_and_back([torch.ones(2)], map_location=other)[0].tolist() == [7, 7]
    assert seen == [(torch.UntypedStorage, 8, "cpu")]
    assert there_and_back(torch.ones(2), map_location=lambda storage, location: None).tolist() == [1, 1]
    for place, error in (
        ("foo", "don't know how to restore data location of torch.storage.UntypedStorage .tagged with foo."),
        ("cpu:0", "tagged with cpu:0"),
        ({"cpu": "cuda:1"}, "Attempting to deserialize object on a CUDA device"),
        (torch.device("xpu"), "Attempting to deserialize object on a XPU device"),
        ("hpu", "The HPU device module is not registered"),
        ("meta", "Storage device not recognized: meta"),
    ):
        with pytest.raises(RuntimeError, match=error):
            there_and_back(torch.ones(2), map_location=place)
    with pytest.raises(TypeError, match="must be UntypedStorage, but got <class 'int'>"):
        there_and_back(torch.ones(2), map_location=lambda storage, location: 3)


def test_a_place_of_the_users_own():
    places = list(torch.serialization._package_registry)
    try:
        torch.serialization.register_package(
            5, lambda storage: "moon", lambda storage, location: storage if location == "moon" else None
        )
        assert torch.serialization.location_tag(torch.ones(1).untyped_storage()) == "moon"
        assert there_and_back(torch.ones(1)).tolist() == [1]
    finally:
        torch.serialization._package_registry[:] = places


def test_mapped_into_memory(tmp_path):
    path = str(tmp_path / "model.pt")
    torch.save([torch.arange(1000.0), torch.zeros(0)], path)
    before = Path(path).read_bytes()
    x, empty = torch.load(path, mmap=True)
    x[3] = -1
    assert x.sum() == 499500 - 4 and empty.numel() == 0
    assert Path(path).read_bytes() == before
    with torch.serialization.set_default_mmap_options(1):  # mmap.MAP_SHARED
        x, _ = torch.load(path, mmap=True, weights_only=False)
        x[3] = -1
    assert Path(path).read_bytes() != before
    with pytest.raises(RuntimeError, match="does not fit its checksum"):
        torch.load(path)
    with pytest.raises(ValueError, match="f must be a file path in order to use the mmap argument"):
        torch.load(io.BytesIO(before), mmap=True)
    legacy = str(tmp_path / "legacy.pt")
    torch.save([torch.ones(1)], legacy, _use_new_zipfile_serialization=False)
    with pytest.raises(RuntimeError, match="mmap can only be used with files saved with"):
        torch.load(legacy, mmap=True)
    with pytest.raises(ValueError, match=r"expected mmap.MAP_PRIVATE or mmap.MAP_SHARED"):
        torch.serialization.set_default_mmap_options(3)


def test_no_checksums(tmp_path):
    torch.serialization.set_crc32_options(False)
    try:
        file = io.BytesIO()
        torch.save(torch.ones(3), file)
    finally:
        torch.serialization.set_crc32_options(True)
    with zipfile.ZipFile(file) as archive:
        assert {record.CRC for record in archive.infolist()} == {0}
    file.seek(0)
    assert torch.load(file).tolist() == [1, 1, 1]


def test_holes_instead_of_data():
    x = torch.arange(3.0)
    with torch.serialization.skip_data():
        assert there_and_back(x).tolist() == [0, 0, 0]
        file = io.BytesIO()
        torch.save(x, file)
        with pytest.raises(RuntimeError, match="Cannot use skip_data=True with _use_new_zipfile_serialization=False"):
            torch.save(x, io.BytesIO(), _use_new_zipfile_serialization=False)
    file.seek(0)
    assert torch.load(file).tolist() == [0, 0, 0]


def test_byte_order():
    described = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + MEMORY + b"K\x00K\x02\x85K\x01\x85\x89}tR."
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", described)
        archive.writestr("archive/byteorder", b"big")
        archive.writestr("archive/data/0", b"\x3f\x80\0\0\x40\0\0\0")
    file.seek(0)
    assert torch.load(file).tolist() == [1, 2]
    without = archive_of(described, _0=b"\x3f\x80\0\0\x40\0\0\0")
    torch.serialization.set_default_load_endianness(torch.serialization.LoadEndianness.BIG)
    try:
        assert torch.load(without).tolist() == [1, 2]
    finally:
        torch.serialization.set_default_load_endianness(None)
    with pytest.raises(TypeError, match="Invalid argument type in function set_default_load_endianness"):
        torch.serialization.set_default_load_endianness("big")


def test_files_of_several_kinds(tmp_path):
    x = torch.arange(3.0)
    path = tmp_path / "a.b.pt"
    torch.save(x, path)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist()[0] == "a.b/data.pkl"
    with open(path, "rb") as file:
        assert torch.load(file).tolist() == torch.load(str(path)).tolist() == [0, 1, 2]
    for zipped in (True, False):
        file = io.BytesIO(b"before")
        file.seek(6)
        torch.save(x, file, _use_new_zipfile_serialization=zipped)
        file.seek(6)
        assert torch.load(file).tolist() == [0, 1, 2]

    class Unseekable(io.BytesIO):
        def seek(self, *arguments):
            raise io.UnsupportedOperation("seek")

    with pytest.raises(io.UnsupportedOperation, match=r"seek. You can only torch.load from a file that is seekable."):
        torch.load(Unseekable(path.read_bytes()))
    with pytest.raises(RuntimeError, match=r"Parent directory .*nowhere does not exist"):
        torch.save(x, tmp_path / "nowhere" / "a.pt")
    with pytest.raises(AttributeError, match="has no attribute 'flush'"):
        torch.save(x, type("OnlyWrites", (), {"write": lambda self, content: len(content)})())
    compressed = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as other:
        for name in archive.namelist():
            other.writestr(name, archive.read(name))
    compressed.seek(0)
    assert torch.load(compressed).tolist() == [0, 1, 2]


def test_environment(monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        there_and_back(Own(), weights_only=False)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(RuntimeError, match="Only one of `TORCH_FORCE_WEIGHTS_ONLY_LOAD`"):
        there_and_back(Own())
    monkeypatch.delenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD")
    with pytest.warns(UserWarning, match="forcing weights_only=False"):
        assert there_and_back(Own(2)) == Own(2)


def test_arguments_of_the_unpickler():
    assert there_and_back([1], pickle_module=pickle) == [1]
    with pytest.raises(RuntimeError, match="Can not safely load weights when explicit pickle_module is specified"):
        there_and_back([1], pickle_module=pickle, weights_only=True)
    with pytest.warns(UserWarning, match="pickle_load_args only works if `weights_only=False`"):
        assert there_and_back([1], encoding="latin1") == [1]
    old = b"\x80\x02U\x02\xe9\xe8."
    assert torch.load(archive_of(old), encoding="latin1", weights_only=False) == "éè"
    assert torch.load(archive_of(old), encoding="bytes", weights_only=False) == b"\xe9\xe8"


def test_pickles_copies_and_deep_copies_of_the_nouns():
    import copy

    for obj in (
        torch.float16,
        torch.device("cpu"),
        torch.Size([1, 2]),
        torch.strided,
        torch.channels_last,
        torch.add,
        torch.relu_,
    ):
        for protocol in range(6):
            assert pickle.loads(pickle.dumps(obj, protocol)) == obj
        assert copy.copy(obj) == copy.deepcopy(obj) == obj
    for function in (
        torch.Tensor.add_,
        torch.Tensor.numel,
        torch.nn.functional.gelu,
        torch.linalg.det,
        torch.special.erf,
        torch.zeros,
    ):
        assert pickle.loads(pickle.dumps(function)) is copy.deepcopy(function)
    assert pickle.loads(pickle.dumps(torch.Tensor)) is torch.Tensor and pickle.loads(pickle.dumps(torch.ones(2).add))(
        1
    ).tolist() == [2, 2]
    x = torch.ones(2)
    x.tag = 3
    assert pickle.loads(pickle.dumps(x)).tag == 3


# ---------------------------------------------------------------------------------------------------------- files that lie
def integer(n):
    if -(2**31) <= n < 2**31:
        return b"J" + struct.pack("<i", n)
    encoded = pickle.encode_long(n)
    return b"\x8a" + bytes([len(encoded)]) + encoded


def tensor_file(offset, size, stride, count=16, kind=b"Float", content=bytes(64)):
    def members(values):
        return b"(" + b"".join(map(integer, values)) + b"t"

    memory = b"(X\x07\0\0\0storagectorch\n" + kind + b"Storage\nX\x01\0\0\x000X\x03\0\0\0cpu" + integer(count) + b"tQ"
    described = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + memory + integer(offset) + members(size) + members(stride)
    return archive_of(described + b"\x89}tR.", _0=content)


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize(
    ("geometry", "error"),
    [
        ((2**61, (1,), (1,)), "Storage size calculation overflowed with sizes=[1] and strides=[1]"),
        ((2**62 - 1, (1,), (1,)), "Storage size calculation overflowed"),
        ((0, (2,), (2**61,)), "Storage size calculation overflowed with sizes=[2] and strides=[2305843009213693952]"),
        ((0, (2, 2), (2**60, 2**60)), "Storage size calculation overflowed"),
        ((-1, (1,), (1,)), "invalid storage offset -1"),
        ((0, (-1,), (1,)), "numel: integer multiplication overflow"),
        ((0, (2,), (-1,)), "Storage size calculation overflowed with sizes=[2] and strides=[-1]"),
        ((0, (2, 2), (1,)), "unequal size length (2) and stride length (1)"),
        ((16, (1,), (1,)), "are out of bounds for storage of size 64"),
        ((0, (2**40, 2**40), (0, 0)), "numel: integer multiplication overflow"),
        ((0, (2**64,), (0,)), "numel: integer multiplication overflow"),
        ((0, (1,) * 65, (1,) * 65), "at most 64 dimensions"),
        ((0, (1,), (1,), 17), "record size (64 bytes) does not match expected size (68 bytes"),
        ((0, (1,), (1,), 2**40), "record size (64 bytes) does not match"),
        ((0, (1,), (1,), 2**62), "A storage of 4611686018427387904 elements"),
        ((0, (1,), (1,), -1), "A storage of -1 elements"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_geometry_is_checked(geometry, error, weights_only):
    with pytest.raises(RuntimeError, match=re.escape(error)):
        torch.load(tensor_file(*geometry), weights_only=weights_only)
    assert torch.load(tensor_file(2**62, (0,), (1,)), weights_only=weights_only).numel() == 0


@pytest.mark.parametrize(
    "wrapped", [b"K\x01\x85", b")" + b"\x85" * 100_000, b")" + b"q\x00h\x00\x86" * 60], ids=["", "deep", "wide"]
)
def test_keys_are_hashed_in_bounded_time_and_depth(wrapped):
    whole = torch.load(archive_of(b"\x80\x02" + wrapped + b"."))
    assert type(whole) is tuple
    load = functools.partial(torch.load, archive_of(b"\x80\x02}" + wrapped + b"K\x01s."))
    if len(wrapped) < 10:
        assert load() == {(1,): 1}
        return
    for opcodes in (b"}%bK\x01s.", b"\x8f.", b"c__builtin__\nset\n]%ba\x85R.", b"ccollections\nCounter\n]%ba\x85R."):
        if b"%b" in opcodes:
            with pytest.raises(RuntimeError, match="more than 1000 parts"):
                torch.load(archive_of(b"\x80\x02" + opcodes.replace(b"%b", wrapped)))


def test_an_archive_that_unfolds_beyond_measure_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02K\x01.")
    content = bytearray(file.getvalue())
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<I", 2**31)
    with pytest.raises(RuntimeError, match="cannot unfold to 2147483648"):
        torch.load(io.BytesIO(bytes(content)))


def test_one_flipped_bit_is_found_or_harmless():
    file = io.BytesIO()
    torch.save({"w": torch.arange(6.0)}, file)
    good, loaded = file.getvalue(), 0
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 1 << place % 8
        try:
            found = torch.load(io.BytesIO(bytes(bad)))
        except RuntimeError:
            continue
        loaded += 1
        assert found["w"].tolist() == [0, 1, 2, 3, 4, 5]
    assert loaded < len(good)  # what lies between the records is not read


def valid_files():
    """Files of both formats, of everything that can be in one."""
    x = torch.arange(6.0)
    values = [
        {"a": x, "b": [x[2:4], x.reshape(2, 3).t()]},
        torch.nn.Linear(2, 2).state_dict(),
        Counter("aab"),
        {1, 2},
        2**70,
        b"ab",
    ]
    values += [torch.nn.Parameter(x), torch.Size([2]), torch.float16, torch.device("cpu"), 1 + 2j, bytearray(b"x"), x.bool()]
    for zipped in (True, False):
        file = io.BytesIO()
        torch.save(values, file, _use_new_zipfile_serialization=zipped)
        yield file.getvalue()


def mutated(random, content, others):
    """`content` with bytes flipped, cut out, put in, or taken from another file."""
    content = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        at, kind = random.randrange(len(content) + 1), random.randrange(6)
        if kind == 0 and at < len(content):
            content[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            del content[at : at + random.choice((1, 4, 64, 10**6))]
        elif kind == 2:
            content[at:at] = random.choice(OPCODES)
        elif kind == 3 and at < len(content):
            content[at] = random.choice(OPCODES)[0]
        elif kind == 4:
            other = random.choice(others)
            begin = random.randrange(len(other))
            content[at : at + random.choice((0, 8))] = other[begin : begin + random.choice((1, 8, 100))]
        elif kind == 5:
            content[at : at + 4] = struct.pack("<i", random.choice((0, 1, -1, 2**31 - 1, -(2**31), 2**16)))
        if not content:
            break
    return bytes(content)


OPCODES = [
    bytes([code])
    for code in b"().012FGIJKLMNQRSTUVXabcde}]hijlpqrstu\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8f\x93\x94\x95"
] + [
    b"cos\nsystem\n",
    b"cbuiltins\neval\n",
    b"ctorch\nload\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"X\x04\x00\x00\x00true\x85R",
    b"\x8a\x08" + b"\xff" * 8,
]


@pytest.mark.parametrize("seed", range(8))
def test_random_damage_raises_what_it_should(seed, monkeypatch):
    """The errors are those that are documented, nothing runs, nothing crashes."""
    monkeypatch.setattr(os, "system", lambda *arguments: pytest.fail("a file was run"))
    monkeypatch.setattr("builtins.eval", lambda *arguments: pytest.fail("a file was run"))
    files, generator, refused = list(valid_files()), random.Random(seed), 0
    described = [zipfile.ZipFile(io.BytesIO(files[0])).read("archive/data.pkl")]
    for _ in range(250):
        if generator.random() < 0.5:
            # The pickle alone, in an archive that is whole.
            file = archive_of(mutated(generator, described[0], files), **{f"_{place}": bytes(24) for place in range(8)})
        else:
            file = io.BytesIO(mutated(generator, generator.choice(files), files))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                repr(torch.load(file))
        except RuntimeError:  # (also those of a repr that goes too deep)
            refused += 1
    assert refused > 100


def test_the_oldest_format(tmp_path):
    """A tar archive of storages, tensors and a pickle that names them; (x, its transposed view, a part of its storage)."""
    path = tmp_path / "old.tar"
    number, end = struct.Struct("<q").pack, b"."
    records = {
        "storages": pickle.dumps(1, 2)
        + b"\x80\x02K\x07X\x03\0\0\0cpuctorch\nFloatStorage\n\x87."
        + struct.pack("<q4f", 4, 1, 2, 3, 4)
        + pickle.dumps([(9, 7, 2, 2)], 2),
        "tensors": pickle.dumps(3, 2),
        "pickle": b"\x80\x02]K\x01QaK\x02QaK\x03Qa.",
    }
    for key, storage, sizes, strides, offset in ((1, 7, (2, 2), (2, 1), 0), (2, 7, (2, 2), (1, 2), 0), (3, 9, (2,), (1,), 0)):
        records["tensors"] += b"\x80\x02K" + bytes([key]) + b"K" + bytes([storage]) + b"ctorch\nFloatTensor\n\x87" + end
        records["tensors"] += number(len(sizes)) + b"".join(map(number, (*sizes, *strides, offset)))
    with tarfile.open(path, "w") as archive:
        for name, content in records.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    x, turned, part = torch.load(path, weights_only=False)
    assert (x.tolist(), turned.tolist(), part.tolist()) == ([[1, 2], [3, 4]], [[1, 3], [2, 4]], [3, 4])
    x[1, 0] = 5
    assert turned[0, 1] == 5
    assert part[0] == 5
    with pytest.raises(RuntimeError, match=r"saved in the legacy \.tar format"):
        torch.load(path)
    records["storages"] = records["storages"][:-20]
    with tarfile.open(path, "w") as archive:
        about = tarfile.TarInfo("storages")
        about.size = len(records["storages"])
        archive.addfile(about, io.BytesIO(records["storages"]))
    with pytest.raises(RuntimeError):
        torch.load(path, weights_only=False)

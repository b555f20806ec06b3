"""Files that are trusted: any object, storages, hooks, places, settings."""

import io
import os
import pickle
import zipfile
from pathlib import Path

import pytest

import rushlight as torch

from .files import MEMORY, Own, Slotted, Subclass, archive_of, double, there_and_back

FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


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
    ):
        with pytest.raises(RuntimeError, match=error):
            there_and_back(torch.ones(2), map_location=place)
    assert there_and_back(torch.ones(2), map_location="meta").device.type == "meta"
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


def test_storages_that_are_filled_in_later():
    file = io.BytesIO()
    with torch.serialization.skip_data():
        torch.save({"weight": torch.arange(1.0, 5.0)}, file)
    reader = torch.PyTorchFileReader(file)
    assert reader.get_record("data/0") == bytes(16) and reader.archive_name() == "archive"
    file.seek(reader.get_record_offset("data/0"))
    file.write(torch.arange(1.0, 5.0).numpy().tobytes())
    file.seek(0)
    assert torch.load(file)["weight"].tolist() == [1, 2, 3, 4]

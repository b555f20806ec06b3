"""Files that lie: nothing of one is run, nothing is read beyond its end, and damage has an error."""

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
from collections import Counter

import pytest

import rushlight as torch

from .files import MEMORY, Own, archive_of


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

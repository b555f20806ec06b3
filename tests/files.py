"""Files for the tests of torch.save and torch.load: written, read, and made by hand."""

import io
import zipfile

import rushlight as torch


def through_file(obj, **keywords):
    file = io.BytesIO()
    torch.save(obj, file)
    file.seek(0)
    return torch.load(file, **keywords)


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


MEMORY = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQ"


def there_and_back(obj, zipped=True, **keywords):
    file = io.BytesIO()
    torch.save(obj, file, _use_new_zipfile_serialization=zipped)
    file.seek(0)
    return torch.load(file, **keywords)

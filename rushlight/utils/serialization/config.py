"""What is set about saving and loading, by name: `config.load.mmap`, `config.save.storage_alignment`; `patch` sets it for a `with` block."""

import contextlib

from rushlight.serialization._settings import Settings


class _Section:
    def __init__(self, name, places):
        self.__dict__.update(_name=name, _places=places)

    def _place(self, name):
        if name not in self._places:
            raise AttributeError(f"{__name__}.{self._name}.{name} does not exist".replace("rushlight", "torch", 1))
        return self._places[name]

    def __getattr__(self, name):
        return getattr(Settings, self._place(name))

    def __setattr__(self, name, value):
        setattr(Settings, self._place(name), value)


load = _Section(
    "load",
    {
        "mmap": "mmap",
        "endianness": "endianness",
        "mmap_flags": "mmap_flags",
        "calculate_storage_offsets": "calculated_offsets",
    },
)
save = _Section(
    "save",
    {"compute_crc32": "crc32", "use_pinned_memory_for_d2h": "pinned", "storage_alignment": "alignment"},
)


@contextlib.contextmanager
def patch(name=None, value=None, **changes):
    """Sets what is named, one name (`"save.storage_alignment"`) or a dict of several, for a `with` block."""
    wanted = {**(name if isinstance(name, dict) else {} if name is None else {name: value}), **changes}
    before = {}
    try:
        for each, new in wanted.items():
            section, _, last = each.partition(".")
            before[each] = getattr(globals()[section], last)
            setattr(globals()[section], last, new)
        yield
    finally:
        for each, old in before.items():
            section, _, last = each.partition(".")
            setattr(globals()[section], last, old)

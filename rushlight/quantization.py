"""The older path of `torch.ao.quantization`."""

from rushlight.ao import quantization as _quantization

for _name in dir(_quantization):
    if not _name.startswith("_"):
        globals()[_name] = getattr(_quantization, _name)

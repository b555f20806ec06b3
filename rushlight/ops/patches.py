"""Images as columns of their patches, and columns as the images whose patches they add up to."""

import rushlight as torch
from rushlight.core import empty_tensor
from rushlight.ops import layers
from rushlight.ops._declare import op
from rushlight.ops._rules import not_implemented

NUMBERS = "ints kernel_size, ints dilation, ints padding, ints stride"
UNSERVED = ("uint8", "int8", "int16", "int32", "int64")


def check_numbers(**given):
    """Refuses numbers that no patches have; errors come in the order of the keywords."""
    for name, pair in given.items():
        if len(pair) != 2:
            raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(pair)}")
    for name, (height, width) in given.items():
        short = "pad" if name == "padding" else name.removesuffix("_size")
        if name == "padding" and min(height, width) < 0:
            raise RuntimeError(f"padding should be non-negative, but got pad_height: {height} pad_width: {width}")
        if name in ("kernel_size", "stride", "dilation") and min(height, width) < 1:
            title = name.replace("_", " ")
            raise RuntimeError(f"{title} should be greater than zero, but got {short}_height: {height} {short}_width: {width}")


def check_dtype(name, dtype):
    if dtype.name in UNSERVED or (not dtype.is_floating_point and not dtype.is_complex and dtype is not torch.bool):
        raise not_implemented(name, dtype)
    if dtype is torch.complex32 or (dtype.is_floating_point and dtype.itemsize == 1):
        raise not_implemented(name, dtype)


def places_of(sizes, kernel_size, dilation, padding, stride):
    """How many places the patches have, in both dimensions."""
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, d, p, s in zip(sizes, kernel_size, dilation, padding, stride, strict=True)
    )


def patches_of(image, kernel_size, places, dilation, stride):
    """A view of a padded image [N, C, H, W]: [N, C, kH, kW, places in H, places in W]."""
    steps = image.stride()
    down, across = steps[2], steps[3]
    shape = (*image.shape[:2], *kernel_size, *places)
    return image.as_strided(shape, (*steps[:2], down * dilation[0], across * dilation[1], down * stride[0], across * stride[1]))


@op(
    vjp=lambda g, x_shape, kernel_size, dilation, padding, stride: layers.col2im(
        g, tuple(x_shape[-2:]), kernel_size, dilation, padding, stride
    ),
    linear=True,
    name="Im2ColBackward0",
    namespace="nn",
    method=False,
    out=False,
    batch="rearranging.patches",
    signature=f"Tensor input, {NUMBERS}",
)
def im2col(x, kernel_size, dilation, padding, stride):
    """The patches of images as columns: [N, C, H, W] as [N, C kH kW, places]."""
    check_numbers(kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)
    x.size(1), x.size(2)  # IndexError for missing dimensions
    if x.dim() not in (3, 4) or 0 in x.shape[x.dim() - 3 :]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: "
            f"{list(x.shape)}"
        )
    sizes = tuple(x.shape[-2:])
    places = places_of(sizes, kernel_size, dilation, padding, stride)
    if min(places) < 1:
        raise RuntimeError(
            f"Given input with spatial size {sizes}, kernel_size={tuple(kernel_size)}, dilation={tuple(dilation)}, padding={tuple(padding)}, "
            f"calculated shape of the array of sliding blocks as {places}, but its components must be at least one."
        )
    check_dtype("im2col_out_cpu", x.dtype)
    images = x if x.dim() == 4 else x.unsqueeze(0)
    if any(padding):
        images = torch.constant_pad_nd(images, (padding[1], padding[1], padding[0], padding[0]), 0)
    columns = (images.shape[1] * kernel_size[0] * kernel_size[1], places[0] * places[1])
    made = empty_tensor((images.shape[0], *columns), x.dtype)
    if made.numel():
        patches = patches_of(images, kernel_size, places, dilation, stride)
        made.view(patches.shape).copy_(patches)
    return made if x.dim() == 4 else made.view(columns)


@op(
    vjp=lambda g, kernel_size, dilation, padding, stride: layers.im2col(g, kernel_size, dilation, padding, stride),
    linear=True,
    name="Col2ImBackward0",
    namespace="nn",
    method=False,
    out=False,
    batch="rearranging.patches",
    signature=f"Tensor input, ints output_size, {NUMBERS}",
)
def col2im(x, output_size, kernel_size, dilation, padding, stride):
    """The images of size `output_size` whose patches are added up from columns: [N, C kH kW, places] as [N, C, H, W]."""
    check_numbers(output_size=output_size, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
    if x.dim() not in (2, 3) or 0 in x.shape[x.dim() - 2 :]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but got: "
            f"{list(x.shape)}"
        )
    elements = kernel_size[0] * kernel_size[1]
    rows, columns = x.shape[-2:]
    if rows % elements:
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={rows} and kernel_size={tuple(kernel_size)}."
        )
    places = places_of(output_size, kernel_size, dilation, padding, stride)
    if places[0] * places[1] != columns:
        raise RuntimeError(
            f"Given output_size={tuple(output_size)}, kernel_size={tuple(kernel_size)}, dilation={tuple(dilation)}, "
            f"padding={tuple(padding)}, stride={tuple(stride)}, expected size of input's dimension 2 to match the calculated number of sliding "
            f"blocks {places[0]} * {places[1]} = {places[0] * places[1]}, but got input.size(2)={columns}."
        )
    if min(places) < 1:
        raise RuntimeError(
            f"Given output_size={tuple(output_size)}, kernel_size={tuple(kernel_size)}, dilation={tuple(dilation)}, "
            f"padding={tuple(padding)}, stride={tuple(stride)}, calculated shape of the array of sliding blocks as {tuple(places)}, which is "
            "too small (non-positive)"
        )
    check_dtype("col2im_out_cpu", x.dtype)
    samples, channels = x.shape[0] if x.dim() == 3 else 1, rows // elements
    height, width = (n + 2 * p for n, p in zip(output_size, padding))
    padded = torch.zeros((samples, channels, height, width), dtype=x.dtype)
    patches = x.reshape(samples, channels, *kernel_size, *places)
    if all(s > d * (k - 1) for s, d, k in zip(stride, dilation, kernel_size)):
        # Patches that do not meet.
        patches_of(padded, kernel_size, places, dilation, stride).copy_(patches)
    else:
        for down in range(kernel_size[0]):
            for across in range(kernel_size[1]):
                part = padded.narrow(2, down * dilation[0], (places[0] - 1) * stride[0] + 1)
                part = part.narrow(3, across * dilation[1], (places[1] - 1) * stride[1] + 1)
                part[:, :, :: stride[0], :: stride[1]].add_(patches[:, :, down, across])
    made = padded.narrow(2, padding[0], output_size[0]).narrow(3, padding[1], output_size[1]).contiguous()
    return made if x.dim() == 3 else made.view(channels, *output_size)

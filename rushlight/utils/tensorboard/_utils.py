"""Pictures as arrays of height, width and color."""

import numpy


def figure_to_image(figures, close=True):
    """A figure of matplotlib, or several, as an image of channels, height and width (several are stacked)."""
    from matplotlib import pyplot
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    def rendered(figure):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        image = numpy.asarray(canvas.buffer_rgba())[:, :, :3]
        if close:
            pyplot.close(figure)
        return numpy.moveaxis(image, 2, 0)

    return numpy.stack([rendered(figure) for figure in figures]) if isinstance(figures, list) else rendered(figures)


def _prepare_video(V):
    """Videos (batch, time, channels, height, width) side by side, as frames of one."""
    V = V.astype(numpy.float32) / 255.0 if V.dtype == numpy.uint8 else V
    count, time, channels, height, width = V.shape
    whole = 1 << (count - 1).bit_length()
    V = numpy.concatenate([V, numpy.zeros((whole - count, time, channels, height, width), V.dtype)])
    rows = 1 << (whole.bit_length() - 1) // 2
    columns = whole // rows
    tiles = V.reshape(rows, columns, time, channels, height, width).transpose(2, 0, 4, 1, 5, 3)
    return tiles.reshape(time, rows * height, columns * width, channels)


def make_grid(I, ncols=8):  # noqa: E741 # (the name that the parameter has)
    """Images (number, channels, height, width) as one, `ncols` in a row."""
    if not isinstance(I, numpy.ndarray):
        raise AssertionError("plugin error, should pass numpy array here")
    images = I
    if I.shape[1] == 1:
        images = numpy.concatenate([I, I, I], 1)
    if images.ndim != 4 or images.shape[1] != 3:
        raise AssertionError("Input should be a 4D numpy array with 3 channels")
    count, _, height, width = images.shape
    ncols = min(count, ncols)
    canvas = numpy.zeros((3, height * -(-count // ncols), width * ncols), dtype=images.dtype)
    for place, image in enumerate(images):
        top, left = place // ncols * height, place % ncols * width
        canvas[:, top : top + height, left : left + width] = image
    return canvas


def convert_to_HWC(tensor, input_format):
    """An image, or several as a grid, with its dimensions in the order of height, width and three colors."""
    if len(set(input_format)) != len(input_format):
        raise AssertionError(f"You can not use the same dimension shorthand twice.             input_format: {input_format}")
    if len(tensor.shape) != len(input_format):
        raise AssertionError(
            "size of input tensor and input format are different.         "
            f"tensor shape: {tensor.shape}, input_format: {input_format}"
        )
    input_format = input_format.upper()

    def ordered(order):
        return tensor.transpose([input_format.find(name) for name in order])

    if len(input_format) == 4:
        return make_grid(ordered("NCHW")).transpose(1, 2, 0)
    if len(input_format) == 3:
        image = ordered("HWC")
        return numpy.concatenate([image] * 3, 2) if image.shape[2] == 1 else image
    return numpy.stack([ordered("HW")] * 3, 2)

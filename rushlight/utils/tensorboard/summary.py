"""What TensorBoard's event files have of each kind of value."""

import io
import json
import logging
import math
import struct
import wave

import numpy
from google.protobuf import struct_pb2
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.pr_curve.plugin_data_pb2 import PrCurvePluginData
from tensorboard.plugins.text.plugin_data_pb2 import TextPluginData

import rushlight
from rushlight.core import Tensor
from rushlight.utils.tensorboard._convert_np import make_np
from rushlight.utils.tensorboard._utils import _prepare_video, convert_to_HWC

__all__ = [
    "audio",
    "compute_curve",
    "custom_scalars",
    "draw_boxes",
    "half_to_int",
    "histogram",
    "histogram_raw",
    "hparams",
    "image",
    "image_boxes",
    "int_to_half",
    "make_histogram",
    "make_image",
    "make_video",
    "mesh",
    "pr_curve",
    "pr_curve_raw",
    "scalar",
    "tensor_proto",
    "text",
    "video",
]

logger = logging.getLogger(__name__)


def _shape(size):
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=count) for count in size])


def _metadata(plugin, content=b"", **more):
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin, content=content), **more)


def _value(tag, **value):
    return Summary(value=[Summary.Value(tag=tag, **value)])


# ---------------------------------------------------------------------------------------------------------------- numbers
def scalar(name, tensor, collections=None, new_style=False, double_precision=False):
    """One number; in the new style as a tensor, which may be of double precision."""
    number = make_np(tensor).squeeze()
    if number.ndim != 0:
        raise AssertionError(
            "Tensor should contain one element (0 dimensions).             "
            f"Was given size: {number.size} and {number.ndim} dimensions."
        )
    number = float(number)
    if not new_style:
        return _value(name, simple_value=number)
    if double_precision:
        proto = TensorProto(double_val=[number], dtype="DT_DOUBLE")
    else:
        proto = TensorProto(float_val=[number], dtype="DT_FLOAT")
    return _value(name, tensor=proto, metadata=_metadata("scalars"))


def half_to_int(f: float) -> int:
    """The bits of a number in single precision, as an integer."""
    return struct.unpack("I", struct.pack("f", f))[0]


def int_to_half(i: int) -> float:
    """The number of single precision that has these bits."""
    return struct.unpack("f", struct.pack("I", i))[0]


def _list(tensor):
    return tensor.flatten().tolist()


def _bits(tensor):
    return [half_to_int(number) for number in _list(tensor)]


def _pairs(tensor):
    return _list(rushlight.view_as_real(tensor))


_TENSOR_TYPE_MAP = {
    rushlight.float16: ("DT_HALF", "half_val", _bits),
    rushlight.bfloat16: ("DT_BFLOAT16", "half_val", _bits),
    rushlight.float32: ("DT_FLOAT", "float_val", _list),
    rushlight.float64: ("DT_DOUBLE", "double_val", _list),
    rushlight.int8: ("DT_INT8", "int_val", _list),
    rushlight.uint8: ("DT_UINT8", "uint32_val", _list),
    rushlight.int16: ("DT_INT16", "int_val", _list),
    rushlight.int32: ("DT_INT32", "int_val", _list),
    rushlight.int64: ("DT_INT64", "int64_val", _list),
    rushlight.bool: ("DT_BOOL", "bool_val", _list),
    rushlight.complex64: ("DT_COMPLEX64", "scomplex_val", _pairs),
    rushlight.complex128: ("DT_COMPLEX128", "dcomplex_val", _pairs),
}


def tensor_proto(tag, tensor):
    """A tensor, with its dtype and shape."""
    if tensor.numel() * tensor.itemsize >= 1 << 31:
        raise ValueError("tensor is bigger than protocol buffer's hard limit of 2GB in size")
    if tensor.dtype not in _TENSOR_TYPE_MAP:
        raise ValueError(f"{tag} has unsupported tensor dtype {tensor.dtype}")
    kind, field, convert = _TENSOR_TYPE_MAP[tensor.dtype]
    proto = TensorProto(dtype=kind, tensor_shape=_shape(tensor.shape), **{field: convert(tensor)})
    return _value(tag, tensor=proto, metadata=_metadata("tensor"))


# ---------------------------------------------------------------------------------------------------------------- histograms
def histogram_raw(name, min, max, num, sum, sum_squares, bucket_limits, bucket_counts):
    """A histogram that somebody else made."""
    return _value(
        name,
        histo=HistogramProto(
            min=min,
            max=max,
            num=num,
            sum=sum,
            sum_squares=sum_squares,
            bucket_limit=bucket_limits,
            bucket=bucket_counts,
        ),
    )


def histogram(name, values, bins, max_bins=None):
    """A histogram of values, in bins as `numpy.histogram` takes them."""
    return _value(name, histo=make_histogram(make_np(values).astype(float), bins, max_bins))


def make_histogram(values, bins, max_bins=None):
    if values.size == 0:
        raise ValueError("The input has no element.")
    values = values.reshape(-1)
    counts, limits = numpy.histogram(values, bins=bins)
    if max_bins is not None and len(counts) > max_bins:
        together = len(counts) // max_bins
        counts = numpy.pad(counts, (0, -len(counts) % together)).reshape(-1, together).sum(-1)
        limits = numpy.append(limits[:-1:together], limits[-1])
    filled = numpy.flatnonzero(counts)
    if filled.size == 0:
        raise ValueError("The histogram is empty, please file a bug report.")
    first, end = filled[0], filled[-1] + 1
    # A bin has the limit at its right; one of none is in front, whose limit is where the first begins.
    before = counts[first - 1] if first > 0 else 0
    return HistogramProto(
        min=values.min(),
        max=values.max(),
        num=len(values),
        sum=values.sum(),
        sum_squares=values.dot(values),
        bucket_limit=limits[first : end + 1].tolist(),
        bucket=[before, *counts[first:end].tolist()],
    )


# ---------------------------------------------------------------------------------------------------------------- pictures
def _calc_scale_factor(tensor):
    return 1 if make_np(tensor).dtype == numpy.uint8 else 255


def _pixels(tensor, dataformats):
    tensor = make_np(tensor)
    scale = _calc_scale_factor(tensor)
    return (convert_to_HWC(tensor, dataformats).astype(numpy.float32) * scale).clip(0, 255).astype(numpy.uint8)


def image(tag, tensor, rescale=1, dataformats="NCHW"):
    """An image of bytes, or of numbers from 0 to 1."""
    return _value(tag, image=make_image(_pixels(tensor, dataformats), rescale=rescale))


def image_boxes(tag, tensor_image, tensor_boxes, rescale=1, dataformats="CHW", labels=None):
    """An image with boxes (left, top, right, bottom) drawn on it."""
    pixels = _pixels(tensor_image, dataformats)
    return _value(tag, image=make_image(pixels, rescale=rescale, rois=make_np(tensor_boxes), labels=labels))


def draw_boxes(disp_image, boxes, labels=None):
    for place in range(boxes.shape[0]):
        left, top, right, bottom = boxes[place, :4]
        label = None if labels is None else labels[place]
        disp_image = _draw_single_box(disp_image, left, top, right, bottom, label, color="Red")
    return disp_image


def _draw_single_box(image, xmin, ymin, xmax, ymax, display_str, color="black", color_text="black", thickness=2):
    from PIL import ImageDraw, ImageFont

    draw = ImageDraw.Draw(image)
    corners = [(xmin, ymin), (xmin, ymax), (xmax, ymax), (xmax, ymin), (xmin, ymin)]
    draw.line(corners, width=thickness, fill=color)
    if display_str:
        font = ImageFont.load_default()
        left, top, right, bottom = font.getbbox(display_str)
        width, height = right - left, bottom - top
        margin = math.ceil(0.05 * height)
        draw.rectangle([(xmin, ymax - height - 2 * margin), (xmin + width, ymax)], fill=color)
        draw.text((xmin + margin, ymax - height - margin), display_str, fill=color_text, font=font)
    return image


def make_image(tensor, rescale=1, rois=None, labels=None):
    from PIL import Image

    height, width, channels = tensor.shape
    picture = Image.fromarray(tensor)
    if rois is not None:
        picture = draw_boxes(picture, rois, labels=labels)
    scaled = picture.resize((int(width * rescale), int(height * rescale)), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    scaled.save(encoded, format="PNG")
    return Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=encoded.getvalue())


def video(tag, tensor, fps=4):
    """Videos (batch, time, channels, height, width), side by side."""
    frames = _prepare_video(make_np(tensor))
    frames = (frames.astype(numpy.float32) * _calc_scale_factor(frames)).clip(0, 255).astype(numpy.uint8)
    return _value(tag, image=make_video(frames, fps))


def make_video(tensor, fps):
    try:
        from moviepy import ImageSequenceClip
    except ImportError:
        try:
            from moviepy.editor import ImageSequenceClip
        except ImportError:
            print("add_video needs package moviepy")
            return None
    import os
    import tempfile

    _, height, width, channels = tensor.shape
    clip = ImageSequenceClip(list(tensor), fps=fps)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "video.gif")
        clip.write_gif(path, logger=None)
        with open(path, "rb") as file:
            content = file.read()
    return Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=content)


def audio(tag, tensor, sample_rate=44100):
    """A sound, of numbers from -1 to 1."""
    samples = make_np(tensor)
    if abs(samples).max() > 1:
        print("warning: audio amplitude out of range, auto clipped.")
        samples = samples.clip(-1, 1)
    samples = samples.squeeze()
    if samples.ndim != 1:
        raise AssertionError("input tensor should be 1 dimensional.")
    encoded = io.BytesIO()
    with wave.open(encoded, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes((samples * numpy.iinfo(numpy.int16).max).astype("<i2").tobytes())
    return _value(
        tag,
        audio=Summary.Audio(
            sample_rate=sample_rate,
            num_channels=1,
            length_frames=samples.shape[-1],
            encoded_audio_string=encoded.getvalue(),
            content_type="audio/wav",
        ),
    )


# ---------------------------------------------------------------------------------------------------------------- plugins
def text(tag, text):
    """A text, shown as Markdown."""
    proto = TensorProto(dtype="DT_STRING", string_val=[text.encode("utf_8")], tensor_shape=_shape([1]))
    content = TextPluginData(version=0).SerializeToString()
    return _value(tag + "/text_summary", tensor=proto, metadata=_metadata("text", content))


def custom_scalars(layout):
    """How scalars are put together in charts: {category: {chart: ["Multiline" or "Margin", tags]}}."""
    categories = []
    for title, charts in layout.items():
        made = []
        for name, (kind, tags) in charts.items():
            if kind == "Margin":
                if len(tags) != 3:
                    raise AssertionError("len(tags) != 3")
                series = layout_pb2.MarginChartContent.Series(value=tags[0], lower=tags[1], upper=tags[2])
                made.append(layout_pb2.Chart(title=name, margin=layout_pb2.MarginChartContent(series=[series])))
            else:
                made.append(layout_pb2.Chart(title=name, multiline=layout_pb2.MultilineChartContent(tag=tags)))
        categories.append(layout_pb2.Category(title=title, chart=made))
    content = layout_pb2.Layout(category=categories).SerializeToString()
    proto = TensorProto(dtype="DT_STRING", string_val=[content], tensor_shape=TensorShapeProto())
    return _value("custom_scalars__config__", tensor=proto, metadata=_metadata("custom_scalars"))


def pr_curve_raw(tag, tp, fp, tn, fn, precision, recall, num_thresholds=127, weights=None):
    """A curve of precision over recall, from counts that somebody else made."""
    # (More thresholds than this show their values as negative ones.)
    num_thresholds = min(num_thresholds, 127)
    return _curve(tag, numpy.stack((tp, fp, tn, fn, precision, recall)), num_thresholds)


def pr_curve(tag, labels, predictions, num_thresholds=127, weights=None):
    """A curve of precision over recall."""
    num_thresholds = min(num_thresholds, 127)
    return _curve(tag, compute_curve(labels, predictions, num_thresholds=num_thresholds, weights=weights), num_thresholds)


def _curve(tag, data, num_thresholds):
    proto = TensorProto(dtype="DT_FLOAT", float_val=data.reshape(-1).tolist(), tensor_shape=_shape(data.shape))
    content = PrCurvePluginData(version=0, num_thresholds=num_thresholds).SerializeToString()
    return _value(tag, tensor=proto, metadata=_metadata("pr_curves", content))


def compute_curve(labels, predictions, num_thresholds=None, weights=None):
    """True and false positives, true and false negatives, precision and recall, at evenly spaced thresholds."""
    weights = 1.0 if weights is None else weights
    bucket = numpy.floor(predictions * (num_thresholds - 1)).astype(numpy.int32)
    true = labels.astype(float)

    def at_least(weights):
        counts, _ = numpy.histogram(bucket, bins=num_thresholds, range=(0, num_thresholds - 1), weights=weights)
        return numpy.cumsum(counts[::-1])[::-1]

    tp, fp = at_least(true * weights), at_least((1.0 - true) * weights)
    tn, fn = fp[0] - fp, tp[0] - tp
    precision = tp / numpy.maximum(1e-7, tp + fp)
    recall = tp / numpy.maximum(1e-7, tp + fn)
    return numpy.stack((tp, fp, tn, fn, precision, recall))


def mesh(tag, vertices, colors, faces, config_dict, display_name=None, description=None):
    """Points in space, their colors, and the triangles between them."""
    from tensorboard.plugins.mesh import metadata
    from tensorboard.plugins.mesh.plugin_data_pb2 import MeshPluginData as kinds

    config = json.dumps(config_dict or {}, sort_keys=True)
    parts = [
        (make_np(part), kind)
        for part, kind in ((vertices, kinds.VERTEX), (faces, kinds.FACE), (colors, kinds.COLOR))
        if part is not None
    ]
    components = metadata.get_components_bitmask([kind for _, kind in parts])
    values = [
        Summary.Value(
            tag=metadata.get_instance_name(tag, kind),
            tensor=TensorProto(dtype="DT_FLOAT", float_val=part.reshape(-1).tolist(), tensor_shape=_shape(part.shape)),
            metadata=metadata.create_summary_metadata(
                tag, display_name, kind, components, part.shape, description, json_config=config
            ),
        )
        for part, kind in parts
    ]
    return Summary(value=values)


# ---------------------------------------------------------------------------------------------------------------- hyperparameters
def hparams(hparam_dict=None, metric_dict=None, hparam_domain_discrete=None):
    """What a run's hyperparameters and metrics are: of the experiment, of its start, of its end."""
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    for name, given in (("hparam_dict", hparam_dict), ("metric_dict", metric_dict)):
        if not isinstance(given, dict):
            logger.warning("parameter: %s should be a dictionary, nothing logged.", name)
            raise TypeError(f"parameter: {name} should be a dictionary, nothing logged.")
    domains = hparam_domain_discrete or {}
    if not isinstance(domains, dict):
        raise TypeError("parameter: hparam_domain_discrete should be a dictionary, nothing logged.")
    for key, values in domains.items():
        if (
            key not in hparam_dict
            or not isinstance(values, list)
            or not all(isinstance(one, type(hparam_dict[key])) for one in values)
        ):
            raise TypeError(f"parameter: hparam_domain_discrete[{key}] should be a list of same type as hparam_dict[{key}].")

    def described(value):
        if isinstance(value, (int, float)):
            return "number_value", value, api_pb2.DATA_TYPE_FLOAT64
        if isinstance(value, str):
            return "string_value", value, api_pb2.DATA_TYPE_STRING
        if isinstance(value, Tensor):
            return "number_value", make_np(value)[0], api_pb2.DATA_TYPE_FLOAT64
        raise ValueError("value should be one of int, float, str, bool, or torch.Tensor")

    infos, start = [], plugin_data_pb2.SessionStartInfo()
    for key, value in hparam_dict.items():
        if value is None:
            continue
        field, number, kind = described(value)
        setattr(start.hparams[key], field, number)
        domain = None
        if key in domains:
            domain = struct_pb2.ListValue(values=[struct_pb2.Value(**{field: one}) for one in domains[key]])
        infos.append(api_pb2.HParamInfo(name=key, type=kind, domain_discrete=domain))
    metrics = [api_pb2.MetricInfo(name=api_pb2.MetricName(tag=key)) for key in metric_dict]

    def about(tag, **part):
        content = plugin_data_pb2.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, **part)
        return _value(tag, metadata=_metadata(metadata.PLUGIN_NAME, content.SerializeToString()))

    return (
        about(metadata.EXPERIMENT_TAG, experiment=api_pb2.Experiment(hparam_infos=infos, metric_infos=metrics)),
        about(metadata.SESSION_START_INFO_TAG, session_start_info=start),
        about(
            metadata.SESSION_END_INFO_TAG,
            session_end_info=plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS),
        ),
    )

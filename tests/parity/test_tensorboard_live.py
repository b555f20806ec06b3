"""Event files, event for event beside PyTorch's: every method of SummaryWriter."""

import os
import re

import pytest

import rushlight

torch = pytest.importorskip("torch")
numpy = pytest.importorskip("numpy")
pytest.importorskip("tensorboard")
pytest.importorskip("PIL")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def write_numbers(torch, writer):
    for value in (0.5, 7, torch.tensor(0.25), torch.tensor([2.0]), numpy.float32(3), torch.tensor(2.5, dtype=torch.bfloat16)):
        writer.add_scalar("a/loss", value, 1)
    writer.add_scalar("without a step", 2)
    writer.add_scalar("of é", torch.ones(()), torch.tensor(4), walltime=123.5)
    for name in ("new", "old"):
        for double in (False, True):
            writer.add_scalar(f"{name} {double}", 0.1, 1, new_style=name == "new", double_precision=double)
    writer.add_scalars("many/of them", {"x": 1.0, "y/z": torch.tensor(2.0)}, 3)
    writer.add_scalars("many/of them", {"x": 2.0}, 4)
    names = "float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128"
    for name in names.split():
        writer.add_tensor(name, torch.arange(4).to(getattr(torch, name)).reshape(2, 2), 1)
    writer.add_text("text", "hello **world**", 1)
    writer.add_audio("sound", torch.linspace(-1, 1, 100), 1, sample_rate=8000)
    writer.add_audio("loud", torch.linspace(-3, 1, 10).reshape(1, 10), 1)


def write_histograms(torch, writer):
    x = torch.linspace(-2, 3, 50)
    writer.add_histogram("all", x, 1)
    writer.add_histogram("few", x, 3, bins="tensorflow", max_bins=20)
    for bins in ("auto", "fd", 7, [-3, 0, 1, 4]):
        writer.add_histogram(f"by {bins}", x.numpy(), 1, bins=bins)
    writer.add_histogram("of zeros", torch.zeros(3), 3)
    writer.add_histogram("of integers", torch.tensor([[1, 2], [2, 90]]))
    writer.add_histogram_raw("raw", 0.0, 5.0, 6, 15.0, 55.0, [1.0, 2.0, 5.0], [1, 2, 3], 1)


def write_images(torch, writer):
    image = (torch.arange(48, dtype=torch.float32) / 40).reshape(3, 4, 4)
    writer.add_image("CHW", image, 1)
    writer.add_image("HWC", image.permute(1, 2, 0), 2, dataformats="HWC")
    writer.add_image("bytes", (image * 200).to(torch.uint8), 3)
    writer.add_image("HW", image[0], 3, dataformats="HW")
    writer.add_image("one color", image[:1], 3)
    writer.add_images("NCHW", torch.stack([image] * 11), 1)
    writer.add_images("NHWC", torch.stack([image[:1]] * 2).permute(0, 2, 3, 1), 1, dataformats="NHWC")
    large, boxes = image.repeat(1, 8, 8), torch.tensor([[1.0, 2.0, 20.0, 22.0], [0, 0, 5, 5]])
    writer.add_image_with_boxes("boxes", large, boxes, 1, rescale=2)
    writer.add_image_with_boxes("labels", large, boxes, 1, labels=["x", "label"])
    writer.add_image_with_boxes("label", large, boxes[:1], 1, labels="x")
    points = torch.arange(6.0).reshape(3, 2)
    writer.add_embedding(points, metadata=["a", "b", "c"], label_img=torch.stack([image] * 3), global_step=1, tag="e/é")
    writer.add_embedding(points, metadata=[["a", 1], ["b", 2], ["c", 3]], metadata_header=["k", "v"], tag="e2")


def write_plugins(torch, writer):
    labels, predictions = numpy.array([0, 1, 1, 0, 1]), numpy.array([0.1, 0.9, 0.4, 0.6, 0.8])
    writer.add_pr_curve("curve", labels, predictions, 1)
    weights = numpy.array([1.0, 2, 1, 1, 1])
    writer.add_pr_curve("weighted", torch.tensor(labels), torch.tensor(predictions), 1, num_thresholds=5, weights=weights)
    writer.add_pr_curve_raw("raw", [5, 3], [4, 2], [1, 2], [0, 1], [0.5, 0.6], [1.0, 0.75], 1, num_thresholds=2)
    corners, faces = torch.full((1, 4, 3), 0.5), torch.tensor([[[0, 1, 2], [1, 2, 3]]])
    camera = {"camera": {"cls": "PerspectiveCamera"}}
    writer.add_mesh(
        "mesh", corners, colors=torch.ones(1, 4, 3, dtype=torch.uint8), faces=faces, config_dict=camera, global_step=1
    )
    writer.add_mesh("points", corners, global_step=2)
    writer.add_custom_scalars({"a": {"b": ["Multiline", ["c", "d"]]}, "e": {"f": ["Margin", ["x", "y", "z"]]}})
    writer.add_custom_scalars_multilinechart(["a", "b"])
    writer.add_custom_scalars_marginchart(["a", "b", "c"], category="of margins", title="one")
    parameters = {"lr": 0.1, "size": 3, "act": "relu", "flag": True, "t": torch.tensor([2.0]), "none": None}
    writer.add_hparams(parameters, {"hparam/acc": 0.9, "l": torch.tensor([1.5])}, run_name="run")
    domain = {"lr": [0.1, 0.2], "act": ["relu", "tanh"], "flag": [True]}
    writer.add_hparams(parameters, {"m": 1}, hparam_domain_discrete=domain, run_name="second", global_step=4)


def described(folder):
    """All files of a folder: the events without their times."""
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    found = []
    for root, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(root, name)
            found.append((os.path.relpath(root, folder), re.sub("[0-9]+", "N", name)))
            if "tfevents" not in name:
                with open(path, "rb") as file:
                    found.append(file.read())
                continue
            for raw in RawEventFileLoader(path).Load():
                event = Event.FromString(raw)
                assert event.wall_time > 0
                event.wall_time = 0
                for value in event.summary.value:
                    about = value.metadata.plugin_data
                    if about.plugin_name == "hparams":
                        # (The order of a map's entries in a file is no part of what it says.)
                        about.content = HParamsPluginData.FromString(about.content).SerializeToString(deterministic=True)
                found.append(str(event))
    return found


@pytest.mark.parametrize("write", [write_numbers, write_histograms, write_images, write_plugins])
def test_events(tmp_path, write):
    from torch.utils.tensorboard import SummaryWriter as Theirs

    from rushlight.utils.tensorboard import SummaryWriter as Ours

    for name, package, kind in (("ours", rushlight, Ours), ("theirs", torch, Theirs)):
        with kind(tmp_path / name, purge_step=3, filename_suffix=".end") as writer:
            write(package, writer)
            writer.flush()
            writer.close()
            writer.add_scalar("after the file was closed", 1)
    ours, theirs = described(tmp_path / "ours"), described(tmp_path / "theirs")
    assert ours == theirs
    assert len(ours) > 5


def test_figures(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot
    from torch.utils.tensorboard import SummaryWriter as Theirs

    from rushlight.utils.tensorboard import SummaryWriter as Ours

    for name, kind in (("ours", Ours), ("theirs", Theirs)):
        with kind(tmp_path / name) as writer:
            figures = [pyplot.figure(figsize=(1, 1)) for _ in range(3)]
            figures[0].add_subplot().plot([1, 3, 2])
            writer.add_figure("one", figures[0], 1)
            writer.add_figure("two", figures[1:], 1, close=False)
            assert pyplot.get_fignums() == [figure.number for figure in figures[1:]]
            pyplot.close("all")
    assert described(tmp_path / "ours") == described(tmp_path / "theirs")


REFUSED = [
    lambda torch, writer: writer.add_scalar("a", torch.ones(2)),
    lambda torch, writer: writer.add_scalar("a", "b"),
    lambda torch, writer: writer.add_scalar("a", [1]),
    lambda torch, writer: writer.add_tensor("a", torch.ones(1, dtype=torch.uint16)),
    lambda torch, writer: writer.add_histogram("a", torch.ones(0)),
    lambda torch, writer: writer.add_histogram("a", torch.ones(1), bins=[3, 4, 5]),
    lambda torch, writer: writer.add_histogram_raw("a", 0, 1, 2, 3, 4, [1], []),
    lambda torch, writer: writer.add_image("a", torch.ones(3, 2)),
    lambda torch, writer: writer.add_image("a", torch.ones(3, 2, 2), dataformats="CCW"),
    lambda torch, writer: writer.add_images("a", torch.ones(1, 2, 2, 2)),
    lambda torch, writer: writer.add_audio("a", torch.ones(2, 3)),
    lambda torch, writer: writer.add_embedding(torch.ones(2, 3), metadata=["a"], tag="1"),
    lambda torch, writer: writer.add_embedding(torch.ones(2), tag="2"),
    lambda torch, writer: writer.add_embedding(torch.ones(2, 3), label_img=torch.ones(1, 3, 2, 2), tag="3"),
    lambda torch, writer: writer.add_embedding(torch.ones(1, 3), metadata=[["a"]], metadata_header=["a", "b"], tag="4"),
    lambda torch, writer: writer.add_custom_scalars_marginchart(["a"]),
    lambda torch, writer: writer.add_custom_scalars({"a": {"b": ["Margin", ["c"]]}}),
    lambda torch, writer: writer.add_hparams([], {}),
    lambda torch, writer: writer.add_hparams({"a": [1]}, {}),
    lambda torch, writer: writer.add_hparams({"a": 1}, {}, {"a": 1}),
    lambda torch, writer: writer.add_hparams({"a": 1}, {}, {"a": ["b"]}),
    lambda torch, writer: writer.add_hparams({"a": 1}, {}, {"b": [1]}),
    lambda torch, writer: writer.add_hparams({"a": 1}, {}, [1]),
]


def test_errors(tmp_path):
    from torch.utils.tensorboard import SummaryWriter as Theirs

    from rushlight.utils.tensorboard import SummaryWriter as Ours

    with Ours(tmp_path / "ours") as ours, Theirs(tmp_path / "theirs") as theirs:
        for number, call in enumerate(REFUSED):
            outcomes = []
            for package, writer in ((rushlight, ours), (torch, theirs)):
                with pytest.raises(Exception) as raised:
                    call(package, writer)
                outcomes.append((type(raised.value), str(raised.value)))
            assert outcomes[0] == outcomes[1], number
        with pytest.raises(NotImplementedError, match=r"tracing .* is part of PyTorch; Rushlight does not have it"):
            ours.add_graph(rushlight.nn.Linear(1, 1), rushlight.ones(1))


def test_the_folder_by_default(tmp_path, monkeypatch):
    from rushlight.utils.tensorboard import SummaryWriter

    monkeypatch.chdir(tmp_path)
    with SummaryWriter(comment="_mine") as writer:
        assert re.fullmatch(r"runs/[A-Z][a-z]{2}\d\d_\d\d-\d\d-\d\d_.*_mine", writer.get_logdir())
    assert os.listdir(writer.get_logdir())

"""Files beside the events: what TensorBoard's projector shows of embeddings."""

import math
import os

import numpy
from tensorboard.plugins.projector.projector_config_pb2 import EmbeddingInfo

from rushlight.utils.tensorboard._convert_np import make_np
from rushlight.utils.tensorboard._utils import make_grid


def _write(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


def make_tsv(metadata, save_path, metadata_header=None):
    """A table of labels: one for each point, or, with a header, several."""
    if not metadata_header:
        lines = [str(one) for one in metadata]
    else:
        if len(metadata_header) != len(metadata[0]):
            raise AssertionError("len of header must be equal to the number of columns in metadata")
        lines = ["\t".join(str(one) for one in row) for row in [metadata_header, *metadata]]
    _write(os.path.join(save_path, "metadata.tsv"), lines)


def make_sprite(label_img, save_path):
    """All images in one square, black where there is none."""
    from PIL import Image

    count, _, height, width = label_img.shape
    columns = math.ceil(math.sqrt(count))
    grid = make_grid(make_np(label_img), ncols=columns).transpose(1, 2, 0)
    square = numpy.zeros((height * columns, width * columns, 3))
    square[: grid.shape[0], : grid.shape[1]] = grid
    Image.fromarray((square * 255).clip(0, 255).astype(numpy.uint8)).save(os.path.join(save_path, "sprite.png"))


def get_embedding_info(metadata, label_img, subdir, global_step, tag):
    info = EmbeddingInfo()
    info.tensor_name = f"{tag}:{str(global_step).zfill(5)}"
    info.tensor_path = os.path.join(subdir, "tensors.tsv")
    if metadata is not None:
        info.metadata_path = os.path.join(subdir, "metadata.tsv")
    if label_img is not None:
        info.sprite.image_path = os.path.join(subdir, "sprite.png")
        info.sprite.single_image_dim.extend([label_img.size(3), label_img.size(2)])
    return info


def write_pbtxt(save_path, contents):
    with open(os.path.join(save_path, "projector_config.pbtxt"), "w", encoding="utf-8") as file:
        file.write(contents)


def make_mat(matlist, save_path):
    """The points, one in a line."""
    _write(os.path.join(save_path, "tensors.tsv"), ["\t".join(str(number) for number in row) for row in matlist])

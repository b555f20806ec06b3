"""Learns to read handwritten digits: an ordinary PyTorch program.

    python -m rushlight examples/digits.py

Trains a small network for some seconds, says how many digits it reads that it never saw, and draws what it learned (digits.svg,
beside this file).
"""

import argparse
import csv
import gzip
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

FOLDER = Path(__file__).parent


def load():
    """The images, of 64 pixels from 0 to 1 each, and the digits that they show."""
    with gzip.open(FOLDER / "data" / "digits.csv.gz", "rt") as file:
        rows = [[int(x) for x in row] for row in csv.reader(file)]
    table = torch.tensor(rows)
    return table[:, :64] / 16, table[:, 64]


def accuracy(model, images, digits):
    """The fraction of the images that the model reads rightly."""
    with torch.no_grad():
        return (model(images).argmax(1) == digits).float().mean().item()


def train(model, images, digits, test_images, test_digits, *, epochs, batch_size):
    """Trains the model, yielding the mean loss of each epoch and the accuracy after it on the images kept for testing."""
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(epochs):
        total = 0.0
        for batch in torch.randperm(len(images)).split(batch_size):
            optimizer.zero_grad()
            loss = loss_function(model(images[batch]), digits[batch])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        yield total / len(images), accuracy(model, test_images, test_digits)


def curve(values, color):
    """A line through the values, from 0 at the bottom to the greatest at the top of a box of 360 by 200."""
    step, top = 360 / max(len(values) - 1, 1), max(values)
    points = " ".join(f"{60 + step * i:.1f},{240 - 200 * y / top:.1f}" for i, y in enumerate(values))
    return f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>'


def picture(image, x, y, size=5):
    """One digit as squares, dark where the pen was."""
    squares = (
        f'<rect x="{x + size * (i % 8)}" y="{y + size * (i // 8)}" width="{size}" height="{size}" fill-opacity="{ink:.2f}"/>'
        for i, ink in enumerate(image.tolist())
        if ink
    )
    return "".join(squares)


def draw(path, losses, accuracies, images, guesses, digits):
    """Writes the curves of training beside some test images, each with the digit that the model reads in it."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="760" height="290" font-family="sans-serif" font-size="13">',
        '<rect width="760" height="290" fill="white"/>',
        '<path d="M60 40V240H420" fill="none" stroke="#888"/>',
        curve(losses, "#d95f02"),
        curve(accuracies, "#1b9e77"),
        f'<text x="60" y="25" fill="#d95f02">training loss {losses[0]:.2f} → {losses[-1]:.4f}</text>',
        f'<text x="420" y="25" fill="#1b9e77" text-anchor="end">test accuracy {accuracies[-1]:.1%}</text>',
        f'<text x="240" y="265" text-anchor="middle">{len(losses)} epochs</text>',
    ]
    for i, (image, guess, digit) in enumerate(zip(images, guesses, digits, strict=True)):
        x, y = 460 + 58 * (i % 5), 20 + 64 * (i // 5)
        color = "#1b9e77" if guess == digit else "#d7191c"
        parts += [picture(image, x, y), f'<text x="{x + 20}" y="{y + 56}" fill="{color}" text-anchor="middle">{guess}</text>']
    path.write_text("\n".join([*parts, "</svg>\n"]), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=Path, default=FOLDER / "digits.svg", help="where the picture goes")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    images, digits = load()
    order = torch.randperm(len(images))
    images, digits = images[order], digits[order]
    kept = len(images) // 5
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 10))

    losses, accuracies = [], []
    epochs = train(
        model, images[kept:], digits[kept:], images[:kept], digits[:kept], epochs=options.epochs, batch_size=options.batch_size
    )
    progress = tqdm(epochs, total=options.epochs, unit="epoch")
    for loss, right in progress:
        losses.append(loss)
        accuracies.append(right)
        progress.set_postfix_str(f"loss {loss:.4f}, test accuracy {right:.1%}")

    guesses = model(images[:20]).argmax(1)
    draw(options.picture, losses, accuracies, images[:20], guesses.tolist(), digits[:20].tolist())
    print(f"Reads {accuracies[-1]:.1%} of {kept} digits that it never saw. Picture: {options.picture}")


if __name__ == "__main__":
    main()

"""The picture of the ratios: one bar a workload, on a logarithmic scale, with PyTorch's own speed as the line at 1."""

import math

COLORS = {
    "overhead": "#d95f02",
    "small layers": "#e6ab02",
    "training": "#1b9e77",
    "replays": "#a6761d",
    "transforms": "#e7298a",
    "kernels": "#7570b3",
    "layers": "#66a61e",
}


def chart(ratios):
    """An SVG of {workload: ratio}, in the order given."""
    longest = max(len(name.partition(": ")[2]) for name in ratios)
    left, width, row = max(270, 30 + 6 * longest), 420, 20
    low = min(0.5, *ratios.values())
    high = max(2.0, *ratios.values())

    def place(ratio):
        return left + width * math.log(ratio / low) / math.log(high / low)

    height = row * len(ratios) + 50
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 70}" height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{left + width + 70}" height="{height}" fill="white"/>',
    ]
    for i, (name, ratio) in enumerate(ratios.items()):
        group, _, label = name.partition(": ")
        y, start, end = 30 + row * i, min(place(1), place(ratio)), max(place(1), place(ratio))
        parts += [
            f'<text x="{left - 10}" y="{y + 12}" text-anchor="end">{label}</text>',
            f'<rect x="{start:.1f}" y="{y}" width="{end - start:.1f}" height="{row - 5}" fill="{COLORS[group]}"/>',
            f'<text x="{end + 5:.1f}" y="{y + 12}">{ratio:.3g}×</text>',
        ]
    parts += [
        f'<path d="M{place(1):.1f} 24V{height - 16}" stroke="black"/>',
        f'<text x="{place(1):.1f}" y="16" text-anchor="middle">PyTorch</text>',
        f'<text x="{left + width}" y="16" text-anchor="end">times faster →</text>',
    ]
    return "\n".join([*parts, "</svg>\n"])

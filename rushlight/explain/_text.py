"""A drawing as text: from results backwards, an operation, then what it was computed from."""

from collections import Counter, defaultdict

PLACE_SHOWN = 60


def text_of(drawing):
    """The text. The deepest input goes on in the same column, so that a long chain is a straight line; the others branch off. Under a box for bodies that
    repeat stand the operations of one, after "┊"."""
    inputs, outputs = defaultdict(list), Counter()
    for start, end in drawing.edges:
        inputs[end].append(start)
        outputs[start] += 1
    depth = depths_of(len(drawing.boxes), inputs)
    rows, numbers, seen = [], {}, set()

    def row(i, prefix):
        box, repeated = drawing.boxes[i], i in seen
        seen.add(i)
        mark = f" [{numbers.setdefault(i, len(numbers) + 1)}]" if outputs[i] > 1 and not box.is_named_leaf else ""
        place = "see above" if repeated and box.kind != "leaf" else "" if repeated else box.place
        if box.is_named_leaf and not repeated:
            place = "leaf"
        rows.append((f"{prefix}{box.title}{mark}", box.detail, place))
        return not repeated

    def walk(i, first, rest):
        prefix = first
        while row(i, prefix):
            inside = drawing.boxes[i].inside
            for box in inside.body() if inside is not None else ():
                rows.append((f"{rest}┊  {box.title}", box.detail, box.place))
            near = sorted(inputs[i], key=depth.__getitem__)
            if not near:
                return
            for branch in near[:-1]:
                walk(branch, rest + "├─ ", rest + "│  ")
            i, prefix = near[-1], rest

    results = [i for i, box in enumerate(drawing.boxes) if box.kind == "result"]
    for i in [*results, *(i for i in range(len(drawing.boxes)) if not outputs[i] and i not in results)]:
        if i not in seen:
            walk(i, "", "")
    first = max((len(one[0]) for one in rows), default=0)
    second = max((len(one[1]) for one in rows), default=0)
    return "\n".join(
        f"{title.ljust(first)}  {detail.ljust(second)}  {shortened(place)}".rstrip() for title, detail, place in rows
    )


def shortened(place):
    """A place that is not too long for a line."""
    return place if len(place) <= PLACE_SHOWN else place[: PLACE_SHOWN - 1] + "…"


def depths_of(count, inputs):
    """The longest way from each box to one without inputs."""
    depth, waiting = {}, list(range(count))
    while waiting:
        missing = [i for i in inputs[waiting[-1]] if i not in depth]
        if missing:
            waiting += missing
        else:
            i = waiting.pop()
            depth[i] = 1 + max((depth[near] for near in inputs[i]), default=-1)
    return depth

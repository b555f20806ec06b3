"""What a picture shows: boxes for nodes, leaves and results, and groups of them where there are many."""

from collections import Counter, defaultdict

from rushlight.explain import _source
from rushlight.explain._graph import inputs_of, is_leaf_node, op_name, output_dtype, output_shape
from rushlight.explain._report import count_text, shape_text
from rushlight.explain._steps import number_text

GROUPS_WANTED = 48

LEAST_REPEATS, LONGEST_BODY = 4, 12
"""How often a body comes at least that is drawn once, and how many boxes it has at most."""

NAMED_ALONE = 12
"""No more leaves with names than this stay alone where lines are grouped."""

USES_JOINED = 2
"""Leaves with a name and more uses than this are drawn once for each use, where nodes are not grouped by lines."""


class Box:
    """One box: what stands in it, which nodes it stands for, and which of these it shows when it is opened."""

    def __init__(self, kind, title, detail="", place="", hint="", nodes=(), opened=None):
        self.kind, self.title, self.detail, self.place, self.hint = kind, title, detail, place, hint
        self.nodes = list(nodes)
        self.opened = self.nodes if opened is None else opened

    def __repr__(self):
        return f"<{self.kind} {self.title} {self.detail}>"


class Drawing:
    """Boxes and the edges between them (pairs of numbers), in the order of the program."""

    def __init__(self, boxes, edges):
        self.boxes, self.edges = boxes, edges

    @classmethod
    def of_nodes(cls, nodes, names, outputs=(), joined=USES_JOINED):
        """One box for each node, and one for each result in `outputs`: (name, tensor) pairs. Leaves with more uses than `joined` are drawn at
        each use."""
        boxes = [box_of(node, names) for node in nodes]
        index = {id(node): i for i, node in enumerate(nodes)}
        uses = Counter(id(target) for node in nodes for target in inputs_of(node))
        drawn = set()
        edges = []
        for i, node in enumerate(nodes):
            for target in inputs_of(node):
                start = index.get(id(target))
                if start is not None and is_leaf_node(target) and id(target.variable) in names and uses[id(target)] > joined:
                    # A shared weight would have edges across the whole drawing: it is drawn at each use instead.
                    if start in drawn:
                        boxes.append(box_of(target, names))
                        start = len(boxes) - 1
                    drawn.add(start)
                    boxes[start].hint += f"\nused {uses[id(target)]} times, drawn at each use"
                if start is not None:
                    edges.append((start, i))
        for name, tensor in outputs:
            node = tensor.grad_fn
            if node is not None and id(node) in index:
                edges.append((index[id(node)], len(boxes)))
                boxes.append(result_box(name, tensor))
        return cls(boxes, edges)

    def grouped(self, key_of, kinds):
        """The same with all boxes of one key (None: the box stays alone) in one; loops among groups become one group, too.

        `kinds` says what a key is, where there is a word for it: the class of a module.
        """
        keys = [key_of(box) for box in self.boxes]
        members = defaultdict(list)
        for i, key in enumerate(keys):
            members[("alone", i) if key is None else ("group", key)].append(i)
        group_of = {i: group for group, boxes in members.items() for i in boxes}
        following = defaultdict(set)
        for start, end in self.edges:
            if group_of[start] != group_of[end]:
                following[group_of[start]].add(group_of[end])
        boxes, number = [], {}
        for cycle in components(list(members), following):
            inside = sorted(i for group in cycle for i in members[group])
            number.update((i, len(boxes)) for i in inside)
            boxes.append(
                self.boxes[inside[0]]
                if len(inside) == 1
                else self.group_box(inside, kinds, [g[1] for g in cycle if g[0] == "group"])
            )
        edges = {(number[a], number[b]) for a, b in self.edges if number[a] != number[b]}
        return Drawing(boxes, sorted(edges))

    def folded(self):
        """The same with bodies that repeat in one box, and their number: runs of boxes with the same operations and shapes."""
        order = [i for i, box in enumerate(self.boxes) if box.kind not in ("leaf", "result")]
        run_of = {}
        for start, period, times in repeats([signature_of(self.boxes[i]) for i in order]):
            run = [self.boxes[i] for i in order[start : start + period * times]]
            repeat = Repeat(run, period, times)
            run_of.update((id(box), repeat) for box in run)
        return self.grouped(lambda box: run_of.get(id(box)), {}) if run_of else self

    def group_box(self, inside, kinds, keys):
        """The box of a group."""
        nodes = list(dict.fromkeys(node for i in inside for node in self.boxes[i].nodes))
        operations = Counter(op_name(node) for node in nodes if not is_leaf_node(node))
        listed = ", ".join(f"{name} ×{count}" if count > 1 else name for name, count in operations.most_common(4))
        if len(keys) == 1 and isinstance(keys[0], Repeat):
            return keys[0].box(nodes, listed + (", …" if len(operations) > 4 else ""))
        title = title_of(keys)
        kind = f"{kinds[keys[0]]} · " if len(keys) == 1 and keys[0] in kinds else ""
        detail = kind + count_text(sum(operations.values()), "node")
        place = _source.text_of(keys[0]) if len(keys) == 1 and not isinstance(keys[0], str) else ""
        place = place or listed + (", …" if len(operations) > 4 else "")
        hint = f"{title}\n{count_text(len(nodes), 'node')}: {listed}" + (", …" if len(operations) > 4 else "")
        return Box("group", title, detail, place, hint, nodes)


class Repeat:
    """A body of boxes that comes several times, one behind the other."""

    def __init__(self, boxes, period, times):
        self.boxes, self.period, self.times = boxes, period, times

    def box(self, nodes, listed):
        """The one box for all of them."""
        first, last = self.boxes[0].title, self.boxes[-1].title
        title = f"{first} … {last}" if first != last else first
        count = sum(not is_leaf_node(node) for node in nodes)
        hint = f"{title}: the same {self.times} times\n{count_text(len(nodes), 'node')}: {listed}"
        body = list(dict.fromkeys(node for box in self.boxes[: self.period] for node in box.nodes))
        return Box("group", title, f"×{self.times} · {count_text(count, 'node')}", listed, hint, nodes, body)


def signature_of(box):
    """What boxes of repeated bodies have in common: operations, and the shapes of their results."""
    return box.kind, tuple(sorted((op_name(node), output_shape(node)) for node in box.nodes))


def repeats(signatures):
    """Runs of a body that comes at least LEAST_REPEATS times in a row, as (start, length of the body, times); the shortest body that fits."""
    found, start = [], 0
    while start < len(signatures):
        best = None
        for period in range(1, min(LONGEST_BODY, (len(signatures) - start) // LEAST_REPEATS) + 1):
            end = start + period
            while end < len(signatures) and signatures[end] == signatures[end - period]:
                end += 1
            times = (end - start) // period
            if times >= LEAST_REPEATS and (best is None or period * times > best[0] * best[1]):
                best = period, times
        if best is not None:
            found.append((start, *best))
        start += best[0] * best[1] if best is not None else 1
    return found


def box_of(node, names):
    """The box of one node."""
    shape, dtype = output_shape(node), output_dtype(node)
    if is_leaf_node(node):
        name = names.get(id(node.variable), "leaf")
        hint = f"{name}: a leaf that requires grad\nshape {list(shape)}, {dtype.name}"
        return Box("leaf", name, shape_text(shape), "", hint, [node])
    line = node.source_line
    hint = f"{op_name(node)} ({node.name()})\nresult: shape {list(shape)}, {dtype.name}\n{_source.shown(line)}"
    kind = "function" if hasattr(node, "_forward_cls") else "op"
    return Box(kind, op_name(node), shape_text(shape), _source.shown(line) if line else "", hint, [node])


def result_box(name, tensor):
    """The box of a result: its name, and its value where it is a single number."""
    value = f" = {number_text(tensor.detach().item())}" if tensor.numel() == 1 else ""
    detail = "" if value else shape_text(tensor.shape)
    return Box("result", f"{name}{value}", detail, "", f"{name}: where backward starts")


def title_of(keys):
    """The name of a group, or of several that form a loop."""
    if not keys:
        return "loop"
    texts = [key if isinstance(key, str) else _source.short(key) for key in keys]
    if len(texts) == 1:
        return texts[0]
    if all(not isinstance(key, str) for key in keys) and len({key[0] for key in keys}) == 1:
        numbers = sorted(key[1] for key in keys)
        return f"loop {_source.short((keys[0][0], numbers[0]))}–{numbers[-1]}"
    shortest = min(texts, key=len)
    return f"{shortest} and {len(texts) - 1} more"


def modules_of(nodes, names):
    """The module that each node belongs to, by id: the one whose parameter it uses, or that of its newest input that has one."""
    found = {}
    for node in nodes:
        if is_leaf_node(node):
            name = names.get(id(node.variable))
            if name is not None:
                found[id(node)] = name.rpartition(".")[0] or "the module"
            continue
        inputs = [target for target in inputs_of(node) if id(target) in found]
        own = [target for target in inputs if is_leaf_node(target) or is_prepared(target)]
        chosen = own or sorted(inputs, key=lambda n: n._sequence_nr())
        if chosen:
            found[id(node)] = found[id(chosen[-1])]
    return found


def is_prepared(node):
    """Whether a node only reshapes a leaf, as a layer does with its weight."""
    inputs = inputs_of(node)
    return len(inputs) == 1 and op_name(node) in ("t", "transpose", "view", "reshape", "to") and is_leaf_node(inputs[0])


def module_keys(nodes, names):
    """A key for grouping by module, as deep as gives a readable number of groups; None where the names know no modules."""
    modules = modules_of(nodes, names)
    if len(set(modules.values())) < 2:
        return None
    deepest = max(module.count(".") for module in modules.values()) + 1
    for depth in range(deepest, 0, -1):
        cut = {key: ".".join(module.split(".")[:depth]) for key, module in modules.items()}
        if len(set(cut.values())) <= GROUPS_WANTED:
            break
    return lambda box: cut.get(id(box.nodes[0])) if box.nodes else None


def line_keys(nodes, names):
    """A key for grouping by line of the program: leaves stay alone, except those that one line uses alone, where they have no names or are
    many."""
    named = {id(node) for node in nodes if is_leaf_node(node) and id(node.variable) in names}
    named = named if len(named) <= NAMED_ALONE else set()
    users = defaultdict(set)
    for node in nodes:
        for target in inputs_of(node):
            users[id(target)].add(node.source_line)

    def key(box):
        if not box.nodes:
            return None
        node = box.nodes[0]
        if is_leaf_node(node):
            lines = () if id(node) in named else users[id(node)]
            return next(iter(lines)) if len(lines) == 1 else None
        return node.source_line

    return key


def components(keys, following):
    """Strongly connected components in topological order (Tarjan, without recursion)."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []
    for start in keys:
        if start in index:
            continue
        work = [(start, iter(sorted(following[start], key=str)))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(following[other], key=str))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = []
                    while True:
                        other = stack.pop()
                        on_stack.discard(other)
                        component.append(other)
                        if other == node:
                            break
                    found.append(component)
    return found[::-1]

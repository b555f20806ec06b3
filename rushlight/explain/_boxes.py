"""What a picture shows: boxes for nodes, leaves and results, and groups of them where there are many."""

import math
from collections import Counter, defaultdict

from rushlight import core
from rushlight.explain import _source
from rushlight.explain._graph import inputs_of, is_leaf_node, op_name, output_dtype, output_shape, root_of
from rushlight.explain._report import count_text, shape_text
from rushlight.explain._steps import number_text

GROUPS_WANTED = 48

PART = 32
"""So many boxes make a part, where nothing else groups them."""

LEAST_REPEATS, LONGEST_BODY = 4, 16
"""How often a body comes at least that is drawn once, and how many boxes it has at most."""

NAMED_ALONE = 12
"""No more leaves with names than this stay alone where lines are grouped."""

UNNAMED_LEAF = "leaf"

USES_JOINED = 2
"""Leaves with a name and more uses than this are drawn once for each use, where nodes are not grouped by lines."""


class Box:
    """One box: what stands in it, and which nodes it stands for. A group has what it shows when it is opened, as an `Inside`."""

    def __init__(self, kind, title, detail="", place="", hint="", nodes=(), inside=None, single=None):
        self.kind, self.title, self.detail, self.place, self.hint = kind, title, detail, place, hint
        self.nodes, self.inside = list(nodes), inside
        self.single = [id(self)] if single is None else single
        if inside is not None:
            self.single = [one for i in inside.boxes for one in inside.drawing.boxes[i].single]
        """The ids of the boxes that are no groups, of which it consists or for which it stands."""

    @property
    def is_named_leaf(self):
        """Whether it is a leaf that the program has a name for."""
        return self.kind == "leaf" and self.title != UNNAMED_LEAF

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
            node = root_of(tensor)
            if id(node) in index:
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
        """The same with bodies that repeat in one box, and their number: runs of boxes with the same operations and shapes. Leaves that one
        body alone uses belong to it."""
        order = [i for i, box in enumerate(self.boxes) if box.kind in ("op", "function", "group")]
        run_of, body_of = {}, {}
        for start, period, times in repeats([signature_of(self.boxes[i]) for i in order]):
            run = order[start : start + period * times]
            repeat = Repeat([self.boxes[i] for i in run], period, times)
            for k, i in enumerate(run):
                run_of[id(self.boxes[i])], body_of[i] = repeat, (repeat, k // period)
        if not run_of:
            return self
        bodies = defaultdict(set)
        for start, end in self.edges:
            bodies[start].add(body_of.get(end))
        own = {
            start: next(iter(users)) for start, users in bodies.items() if self.boxes[start].kind == "leaf" and len(users) == 1
        }
        several = Counter(repeat for repeat, _ in set(filter(None, own.values())))
        for start, (repeat, body) in ((start, user) for start, user in own.items() if user is not None):
            if several[repeat] > 1:  # (else it is what the first body begins with)
                run_of[id(self.boxes[start])] = repeat
                repeat.leaves[id(self.boxes[start])] = body
        return self.grouped(lambda box: run_of.get(id(box)), {})

    def in_parts(self):
        """The same in parts of the program's order, where there is nothing better: no part leads to one before it."""
        order = [i for i, box in enumerate(self.boxes) if box.kind in ("op", "function", "group")]
        size = max(PART, -(-len(order) // PART))
        part_of = {id(self.boxes[i]): f"part {k // size + 1} of {-(-len(order) // size)}" for k, i in enumerate(order)}
        users = defaultdict(set)
        for start, end in self.edges:
            users[start].add(part_of.get(id(self.boxes[end])))
        for start, parts in users.items():
            if self.boxes[start].kind == "leaf" and len(parts) == 1:
                part_of[id(self.boxes[start])] = next(iter(parts))  # (its only users')
        return self.grouped(lambda box: part_of.get(id(box)), {})

    def is_opaque(self):
        """Whether one group that is no body repeated hides more than half of what there is."""
        counts = [(sum(not is_leaf_node(node) for node in box.nodes), box) for box in self.boxes if box.kind != "leaf"]
        most, box = max(counts, key=lambda count: count[0], default=(0, None))
        return 2 * most > sum(count for count, _ in counts) and box.kind == "group" and not box.inside.period

    def readable(self):
        """The same, with bodies that repeat in one box, and in parts if that is too much to look at."""
        if len(self.boxes) <= GROUPS_WANTED:
            return self
        folded = self.folded()
        parts = folded if len(folded.boxes) <= GROUPS_WANTED else self.in_parts()
        return parts if sum(box.kind == "group" for box in parts.boxes) > 1 else folded

    def group_box(self, inside, kinds, keys):
        """The box of a group."""
        nodes = list(dict.fromkeys(node for i in inside for node in self.boxes[i].nodes))
        operations = Counter(op_name(node) for node in nodes if not is_leaf_node(node))
        listed = ", ".join(f"{name} ×{count}" if count > 1 else name for name, count in operations.most_common(4))
        if len(keys) == 1 and isinstance(keys[0], Repeat):
            return keys[0].box(self, inside, nodes, listed + (", …" if len(operations) > 4 else ""))
        title = title_of(keys)
        kind = f"{kinds[keys[0]]} · " if len(keys) == 1 and keys[0] in kinds else ""
        detail = kind + count_text(sum(operations.values()), "node")
        place = _source.text_of(keys[0]) if len(keys) == 1 and not isinstance(keys[0], str) else ""
        place = place or listed + (", …" if len(operations) > 4 else "")
        hint = f"{title}\n{count_text(len(nodes), 'node')}: {listed}" + (", …" if len(operations) > 4 else "")
        return Box("group", title, detail, place, hint, nodes, Inside(self, inside))


class Repeat:
    """A body of boxes that comes several times, one behind the other."""

    def __init__(self, boxes, period, times):
        self.boxes, self.period, self.times = boxes, period, times
        self.leaves = {}
        """The number of the body that a leaf belongs to, by the id of its box."""

    def box(self, drawing, inside, nodes, listed):
        """The one box for all of them."""
        first, last = self.boxes[0].title, self.boxes[-1].title
        title = f"{first} … {last}" if first != last else first
        count = sum(not is_leaf_node(node) for node in nodes)
        hint = f"{title}: the same {self.times} times\n{count_text(len(nodes), 'node')}: {listed}"
        places = {id(box): k for k, box in enumerate(self.boxes)}
        at, hidden = {}, set()
        for i in inside:
            box = drawing.boxes[i]
            if id(box) in places:
                at[i] = places[id(box)]
            elif self.leaves.get(id(box)):
                hidden.add(i)
        shown = Inside(drawing, inside, at, self.period, hidden)
        return Box("group", title, f"×{self.times} · {count_text(count, 'node')}", listed, hint, nodes, shown)


class Port(Box):
    """Where an edge goes through the frame of an opened group: kind "in" or "out", the number of the box `outside`, and what is handed over
    (`value`: the id of the box that makes it)."""

    def __init__(self, kind, outside, value, single):
        super().__init__(kind, "", single=single)
        self.outside, self.value = outside, value


class Inside:
    """What a group shows when it is opened: some boxes of the drawing that was grouped. Of a body that repeats, the first: each box stands
    for those at its place in the others (`at`: their places in the run, `period`: how many are in a body), whose leaves are `hidden`."""

    def __init__(self, drawing, boxes, at=(), period=0, hidden=()):
        self.drawing, self.boxes, self.at, self.period, self.hidden = drawing, boxes, at, period, hidden

    def body(self):
        """The boxes of the body that repeats, from its last; none where nothing does."""
        return [self.drawing.boxes[i] for i, k in sorted(dict(self.at).items(), key=lambda one: -one[1]) if k < self.period]

    def drawn(self, home, group):
        """The Drawing, with ports for what comes from boxes beside the group in its own drawing, and for what goes there. `home` has the number
        of the box there for each box that stands for nothing but itself, by id, for ways "in" and "out"; `group` is the number of this one."""
        of_place = {k: i for i, k in dict(self.at).items()}
        standing = {i: of_place[self.at[i] % self.period] if i in self.at else i for i in self.boxes if i not in self.hidden}
        shown = sorted(set(standing.values()))
        found = self.drawing.boxes
        boxes, index = [found[i] for i in shown], {i: k for k, i in enumerate(shown)}
        edges, more = set(), {}

        def place(key, make):
            if key not in more:
                more[key] = len(boxes)
                boxes.append(make())
            return more[key]

        def body(kind, title):
            others = [found[i] for i in self.boxes if i not in index]
            return place(kind, lambda: Box(kind, title, single=[one for other in others for one in other.single]))

        def port(kind, value, other):
            outside = next((home[kind][one] for one in found[other].single if one in home[kind]), None)
            key = kind, id(found[value]), outside
            return (
                None
                if outside in (None, group)
                else place(key, lambda: Port(kind, outside, id(found[value]), found[other].single))
            )

        for start, end in self.drawing.edges:
            if start in self.hidden:
                continue
            if start in standing and end in standing:
                if start in self.at and end in self.at and self.at[start] // self.period != self.at[end] // self.period:
                    # From one body to the next: what the first gives, and what it takes in place of that.
                    edges.add((index[standing[start]], body("last", "the next")))
                    edges.add((body("first", "the one before"), index[standing[end]]))
                else:
                    edges.add((index[standing[start]], index[standing[end]]))
            elif end in standing:
                # (Each body may take it from another: of those the first stands for all.)
                edges.add((port("in", standing[end] if self.period else start, start), index[standing[end]]))
            elif start in standing:
                edges.add((index[standing[start]], port("out", standing[start], end)))
        return Drawing(boxes, sorted(edge for edge in edges if None not in edge)).readable()


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
        name = names.get(id(node.variable), UNNAMED_LEAF)
        hint = f"{name}: a leaf that requires grad\nshape {list(shape)}, {dtype.name}"
        return Box("leaf", name, shape_text(shape), "", hint, [node])
    line = node.source_line
    hint = f"{op_name(node)} ({node.name()})\nresult: shape {list(shape)}, {dtype.name}\n{_source.shown(line)}"
    kind = "function" if hasattr(node, "_forward_cls") else "op"
    return Box(kind, op_name(node), shape_text(shape), _source.shown(line) if line else "", hint, [node])


def result_box(name, tensor):
    """The box of a result: its name, and its value where it is a single number."""
    value = f" = {number_text(tensor.detach().item())}" if tensor.numel() == 1 else ""
    return Box("result", f"{name}{value}", shape_text(tensor.shape), "", f"{name}: where backward starts")


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
    if len(inputs) != 1 or not is_leaf_node(inputs[0]):
        return False
    is_view = isinstance(core.node_op(node), core.ViewOp) and math.prod(output_shape(node)) == inputs[0].variable.numel()
    return is_view or op_name(node) == "to"


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

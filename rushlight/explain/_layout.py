"""A layered layout of a directed acyclic graph, after Sugiyama: layers, an order in each, then places.

The order is found by medians and neighbours' exchanges (Gansner et al., "A technique for drawing directed graphs", 1993), places by
four aligned extremes and their mean (Brandes and Köpf, "Fast and simple horizontal coordinate assignment", 2001).
"""

import bisect
import itertools
from collections import defaultdict

BEND = 14
"""The width that a long edge takes where it passes a layer."""

PORT_STEP = 12
"""Between the ends of edges at one node."""

SWEEPS = 12


class Layout:
    """Where everything is: `x` and `y` of the nodes' centres, `routes` (points from edge start to edge end), `width` and `height`.

    Args:
        sizes: Width and height of each node, numbered from 0.
        edges: Pairs of nodes; the first is drawn above the second. There are no cycles.
        gap: Between neighbours of a layer.
        rise: Between layers.
        first, last: Nodes that are alone in the uppermost layer, and in the lowest.
    """

    def __init__(self, sizes, edges, gap=22, rise=34, first=(), last=()):
        self.sizes, self.gap, self.rise = sizes, gap, rise
        self.edges = sorted(set(edges))
        self.layer = layers_of(len(sizes), self.edges, set(first), set(last))
        self.add_bends()
        self.order()
        self.place()

    def add_bends(self):
        """A long edge becomes a chain through points, one in each layer that it passes."""
        self.widths = [width for width, _ in self.sizes]
        self.chains = []
        self.above, self.below = defaultdict(list), defaultdict(list)
        for start, end in self.edges:
            chain = [start]
            for layer in range(self.layer[start] + 1, self.layer[end]):
                self.layer.append(layer)
                self.widths.append(BEND)
                chain.append(len(self.layer) - 1)
            chain.append(end)
            self.chains.append(chain)
            for a, b in itertools.pairwise(chain):
                self.below[a].append(b)
                self.above[b].append(a)

    def is_bend(self, node):
        """Whether this is a point of a long edge."""
        return node >= len(self.sizes)

    # ------------------------------------------------------------------------------------------------------ the order in layers
    def order(self):
        """Finds an order in each layer with few crossings."""
        rows = [[] for _ in range(max(self.layer, default=-1) + 1)]
        for node in self.first_order():
            rows[self.layer[node]].append(node)
        self.rows = rows
        best, fewest = [list(row) for row in rows], self.crossings()
        for sweep in range(SWEEPS):
            if fewest == 0:
                break
            self.sweep(sweep % 2 == 0)
            self.exchange()
            count = self.crossings()
            if count < fewest:
                best, fewest = [list(row) for row in self.rows], count
        self.rows = best

    def first_order(self):
        """Depth first from the bottom, so that what belongs together starts together."""
        seen, found = set(), []
        bottoms = [n for n in range(len(self.layer)) if not self.below[n]]
        for bottom in bottoms:
            waiting = [bottom]
            while waiting:
                node = waiting.pop()
                if node not in seen:
                    seen.add(node)
                    found.append(node)
                    waiting += reversed(self.above[node])
        return found

    def sweep(self, down):
        """Orders each layer by the medians of its neighbours in the one before."""
        neighbours = self.above if down else self.below
        rows = self.rows[1:] if down else self.rows[-2::-1]
        place = {node: i for row in self.rows for i, node in enumerate(row)}
        for row in rows:
            keys = {}
            for i, node in enumerate(row):
                at = sorted(place[n] for n in neighbours[node])
                keys[node] = (at[(len(at) - 1) // 2] + at[len(at) // 2]) / 2 if at else i
            row.sort(key=keys.__getitem__)
            place.update((node, i) for i, node in enumerate(row))

    def exchange(self):
        """Exchanges neighbours as long as that removes crossings."""
        for k, row in enumerate(self.rows):
            upper = {n: i for i, n in enumerate(self.rows[k - 1])} if k else {}
            lower = {n: i for i, n in enumerate(self.rows[k + 1])} if k + 1 < len(self.rows) else {}
            for i in range(len(row) - 1):
                a, b = row[i], row[i + 1]
                now = later = 0
                for near, index in ((self.above, upper), (self.below, lower)):
                    for p in near[a]:
                        for q in near[b]:
                            now += index[p] > index[q]
                            later += index[p] < index[q]
                if later < now:
                    row[i], row[i + 1] = b, a

    def crossings(self):
        """The number of crossings between all pairs of layers."""
        total = 0
        for upper, lower in itertools.pairwise(self.rows):
            place = {node: i for i, node in enumerate(lower)}
            seen = []
            for node in upper:
                ends = sorted(place[n] for n in self.below[node])
                total += sum(len(seen) - bisect.bisect_right(seen, end) for end in ends)
                for end in ends:
                    bisect.insort(seen, end)
        return total

    # ------------------------------------------------------------------------------------------------------ places
    def place(self):
        """Gives every node and bend its place."""
        conflicts = self.conflicts()
        found = []
        for up in (True, False):
            for left in (True, False):
                rows = [list(row) if left else row[::-1] for row in (self.rows if up else self.rows[::-1])]
                x = self.compact(rows, self.align(rows, self.above if up else self.below, conflicts))
                found.append(x if left else {node: -value for node, value in x.items()})
        narrowest = min(found, key=lambda x: self.span(x)[1] - self.span(x)[0])
        low, high = self.span(narrowest)
        for i, x in enumerate(found):
            here = self.span(x)
            shift = low - here[0] if i % 2 == 0 else high - here[1]
            found[i] = {node: value + shift for node, value in x.items()}
        middle = {}
        for node in range(len(self.layer)):
            values = sorted(x[node] for x in found)
            middle[node] = (values[1] + values[2]) / 2
        low, high = self.span(middle)
        self.x = [middle[node] - low for node in range(len(self.layer))]
        heights = [max((self.sizes[n][1] for n in row if not self.is_bend(n)), default=0) for row in self.rows]
        tops = [0]
        for height in heights:
            tops.append(tops[-1] + height + self.rise)
        self.y = [tops[layer] + heights[layer] / 2 for layer in self.layer]
        self.width, self.height = high - low, max(tops[-1] - self.rise, 0)
        self.leave, self.enter = self.ports(0), self.ports(-1)
        self.routes = [self.route(chain, tops, heights) for chain in self.chains]

    def span(self, x):
        """Left and right end of everything."""
        if not x:
            return 0, 0
        return min(v - self.widths[n] / 2 for n, v in x.items()), max(v + self.widths[n] / 2 for n, v in x.items())

    def conflicts(self):
        """Edges that need not be straight: short ones that cross the inner part of a long one; and those from a node without inputs (a leaf)
        where another input has some, so that a long chain runs straight past the leaves beside it."""
        marked = set()
        for node, near in self.above.items():
            sources = [n for n in near if not self.above.get(n)]
            if len(sources) < len(near):
                marked.update((source, node) for source in sources)
        for upper, lower in itertools.pairwise(self.rows):
            place = {node: i for i, node in enumerate(upper)}
            start = low = 0
            for i, node in enumerate(lower):
                inner = next((n for n in self.above[node] if self.is_bend(n)), None) if self.is_bend(node) else None
                if inner is None and i + 1 < len(lower):
                    continue
                high = place[inner] if inner is not None else len(upper)
                for other in lower[start : i + 1]:
                    marked.update(
                        (n, other)
                        for n in self.above[other]
                        if not low <= place[n] <= high and not (self.is_bend(n) and self.is_bend(other))
                    )
                start, low = i + 1, high
        return marked

    def align(self, rows, neighbours, conflicts):
        """Blocks of nodes that shall stand above one another: node -> the next of its block, and -> its first."""
        root = {node: node for row in rows for node in row}
        following = dict(root)
        for previous, row in itertools.pairwise(rows):
            place = {node: i for i, node in enumerate(previous)}
            last = -1
            for node in row:
                near = sorted(neighbours[node], key=place.__getitem__)
                if not near:
                    continue
                for k in sorted({(len(near) - 1) // 2, len(near) // 2}):
                    other = near[k]
                    if following[node] != node or (other, node) in conflicts or (node, other) in conflicts:
                        continue
                    if place[other] > last:
                        following[other] = node
                        root[node] = root[other]
                        following[node] = root[node]
                        last = place[other]
        return root, following

    def compact(self, rows, aligned):
        """Pushes blocks together as far as the gaps allow: a longest path over blocks, then each group of blocks is pulled to the next."""
        root, _ = aligned
        left_of = defaultdict(dict)
        right_of = defaultdict(dict)
        for row in rows:
            for a, b in itertools.pairwise(row):
                distance = (self.widths[a] + self.widths[b]) / 2 + self.gap * (0.5 if self.is_bend(a) or self.is_bend(b) else 1)
                left_of[root[b]][root[a]] = max(distance, left_of[root[b]].get(root[a], 0))
                right_of[root[a]][root[b]] = left_of[root[b]][root[a]]
        blocks = sorted_blocks(set(root.values()), left_of, right_of)
        at = {}
        for block in blocks:
            at[block] = max((at[other] + distance for other, distance in left_of[block].items()), default=0)
        for block in reversed(blocks):
            # What has room on its right moves there, towards its neighbours, if nothing holds it on the left.
            room = min((at[other] - distance for other, distance in right_of[block].items()), default=None)
            if room is not None and not left_of[block]:
                at[block] = max(at[block], room)
        return {node: at[first] for node, first in root.items()}

    def ports(self, which):
        """Where edges leave (0) or enter (-1) their nodes, by edge: side by side in the order of where they lead, not all in one point."""
        ends = defaultdict(list)
        for chain in self.chains:
            ends[chain[which]].append((self.x[chain[1 if which == 0 else -2]], chain[0], chain[-1]))
        found = {}
        for node, edges in ends.items():
            step = min(PORT_STEP, (self.widths[node] - 2 * PORT_STEP) / max(len(edges) - 1, 1))
            for i, (_, start, end) in enumerate(sorted(edges)):
                found[start, end] = self.x[node] + (i - (len(edges) - 1) / 2) * max(step, 0)
        return found

    def route(self, chain, tops, heights):
        """The points of an edge: from the bottom of its start through its bends to the top of its end."""
        start, end = chain[0], chain[-1]
        points = [(self.leave[start, end], self.y[start] + self.sizes[start][1] / 2)]
        for node in chain[1:-1]:
            layer = self.layer[node]
            points += [(self.x[node], tops[layer]), (self.x[node], tops[layer] + heights[layer])]
        points.append((self.enter[start, end], self.y[end] - self.sizes[end][1] / 2))
        return points


def layers_of(count, edges, first=(), last=()):
    """The layer of each node: below everything that leads to it; what nothing leads to, just above what it leads to."""
    after, before = defaultdict(list), defaultdict(list)
    waits = [0] * count
    for start, end in edges:
        after[start].append(end)
        before[end].append(start)
        waits[end] += 1
    layer, ready, order = (
        [int(bool(first) and n not in first) for n in range(count)],
        [n for n in range(count) if not waits[n]],
        [],
    )
    while ready:
        node = ready.pop()
        order.append(node)
        for end in after[node]:
            layer[end] = max(layer[end], layer[node] + 1)
            waits[end] -= 1
            if not waits[end]:
                ready.append(end)
    own = [False] * count
    for node in order:
        own[node] = all(own[start] and len(after[start]) == 1 for start in before[node])
    for node in reversed(order):
        # A node whose inputs are all as near or nearer moves down, and so does one with all that only it needs: edges get shorter.
        moves = own[node] or (len(before[node]) <= 1 and len(after[node]) >= len(before[node]))
        if after[node] and node not in first and moves:
            lowest = min(layer[end] for end in after[node]) - 1
            if lowest > layer[node]:
                layer[node] = lowest
    lowest = max((layer[node] for node in range(count) if node not in last), default=0) + 1
    for node in last:
        layer[node] = lowest
    return layer


def sorted_blocks(blocks, left_of, right_of):
    """Blocks from left to right."""
    waits = {block: len(left_of[block]) for block in blocks}
    ready, found = sorted(block for block in blocks if not waits[block]), []
    while ready:
        block = ready.pop()
        found.append(block)
        for other in right_of[block]:
            waits[other] -= 1
            if not waits[other]:
                ready.append(other)
    return found

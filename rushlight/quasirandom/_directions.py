"""Sobol's direction numbers, those that Joe & Kuo (2008) searched for: 21201 dimensions.

Dimension d > 0 has a primitive polynomial over the field of two, of the degree s, and odd numbers m_1 … m_s with m_i < 2^i; what follows
them is a recurrence. The file has a record of whole bytes for each: s - 1 bits that are the polynomial's inner coefficients, then (m_i - 1) / 2
in i - 1 bits. The polynomials are all primitive ones in order, so their number says of which degree a record is.
"""

import os

import rushlight as torch

BITS = 30
DIMENSIONS = 21201
COUNTS = (1, 1, 2, 2, 6, 6, 18, 16, 48, 60, 176, 144, 630, 756, 1800, 2048, 7710, 7776)
"""How many primitive polynomials there are of the degrees 1, 2, …"""


def direction_numbers(dimension):
    """The first `dimension` rows of direction numbers, as fractions of 2^30: number j has the bits below 29 - j clear."""
    rows = [torch.tensor([[1 << (BITS - 1 - j) for j in range(BITS)]])]
    left = dimension - 1
    with open(os.path.join(os.path.dirname(__file__), "directions.bin"), "rb") as file:
        for degree, count in enumerate(COUNTS, 1):
            if left <= 0:
                break
            bits = degree - 1 + degree * (degree - 1) // 2
            records = [int.from_bytes(file.read((bits + 7) // 8), "little") for _ in range(min(count, left))]
            rows.append(of_degree(degree, records))
            left -= count
    return torch.cat(rows)


def of_degree(degree, records):
    """The rows of the records of one degree."""
    starts = [degree - 1 + i * (i - 1) // 2 for i in range(degree)]
    first = [
        [(2 * (record >> start & ((1 << i) - 1)) + 1) << (BITS - 1 - i) for i, start in enumerate(starts)] for record in records
    ]
    columns = list(torch.tensor(first).unbind(1))
    inner = [torch.tensor([record >> k & 1 for record in records]) for k in range(degree - 1)]
    for j in range(degree, BITS):
        made = columns[j - degree] ^ (columns[j - degree] >> degree)
        for k, coefficient in enumerate(inner, 1):
            made = made ^ (coefficient * columns[j - k])
        columns.append(made)
    return torch.stack(columns, 1)

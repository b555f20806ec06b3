"""The version as programs compare it: with strings and tuples, number by number."""

import re

__all__ = ["TorchVersion"]

FORM = re.compile(r"v?(\d+(?:\.\d+)*)([._-]?(?:a|b|c|rc|alpha|beta|pre|preview|dev)[._-]?\d*)?(?:\+([\w.]+))?\s*$", re.IGNORECASE)


def ordered(version):
    """What versions are compared by: the release, whether it is a final one, what stands behind a plus; None for what is no version."""
    text = version if isinstance(version, str) else ".".join(map(str, version))
    found = FORM.match(text)
    if found is None:
        return None
    release = [int(part) for part in found[1].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    return release, found[2] is None, found[3] or ""


class TorchVersion(str):
    """A version: a string that compares as versions do.

    >>> TorchVersion("2.13.0") > "2.9", TorchVersion("2.13.0") >= (2, 13)
    (True, True)
    """

    def _compare(self, other, answer):
        if not isinstance(other, (str, tuple, list)):
            return NotImplemented
        mine, theirs = ordered(str(self)), ordered(other)
        if mine is None or theirs is None:
            return answer(str(self), str(other))
        return answer(mine, theirs)

    def __eq__(self, other):
        return self._compare(other, lambda a, b: a == b)

    def __ne__(self, other):
        return self._compare(other, lambda a, b: a != b)

    def __lt__(self, other):
        return self._compare(other, lambda a, b: a < b)

    def __le__(self, other):
        return self._compare(other, lambda a, b: a <= b)

    def __gt__(self, other):
        return self._compare(other, lambda a, b: a > b)

    def __ge__(self, other):
        return self._compare(other, lambda a, b: a >= b)

    __hash__ = str.__hash__

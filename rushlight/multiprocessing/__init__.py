"""Python's `multiprocessing`, whose names are all here."""

import multiprocessing
from multiprocessing import *

__all__ = [*multiprocessing.__all__]

"""Catalogs of objects in orbit: generated, read from a file, or downloaded."""

from sklearn_ddcl.datasets.download import fetch_satcat
from sklearn_ddcl.datasets.orbital_debris import make_orbital_debris
from sklearn_ddcl.datasets.satcat import read_satcat

__all__ = ["fetch_satcat", "make_orbital_debris", "read_satcat"]

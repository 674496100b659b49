"""Stands in for the package of the same name: nothing but collections.abc, which annotations import."""

import _collections_abc
import sys

__path__ = []
abc = sys.modules["collections.abc"] = _collections_abc

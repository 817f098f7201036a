"""A trained model as an application: ``Model`` answers canonical rows, ``Schema`` is their contract."""

from .model import Model
from .schema import Schema

__all__ = ["Model", "Schema"]

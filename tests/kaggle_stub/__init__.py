"""A small Kaggle on loopback that speaks the real protocol: an API on one port, a storage on another, faults by script.

    with Stub() as kaggle:
        kaggle.add_dataset("ann/weather", {1: {"a.csv": b"x\n1\n"}})
        kaggle.faults["storage"] = [Fault("cut", 100), Fault("status", 503)]

The real client is led here by ``kaggle.lead(monkeypatch)``; ``kaggle.seen`` holds every request that came.
"""

from __future__ import annotations

from kaggle_stub.content import Fault, Seen, archive
from kaggle_stub.server import Stub

__all__ = ["Fault", "Seen", "Stub", "archive"]

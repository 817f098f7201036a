"""``Profile``, ``Task`` and ``Plan`` become the input contract of one row, as JSON Schema (draft 2020-12)."""

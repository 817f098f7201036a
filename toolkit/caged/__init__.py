"""What runs inside the cage: a copy of this package, on any Python that has the model's own libraries.

Nothing here imports the rest of ``toolkit``: the copy stands alone, in an interpreter that may hold scikit-learn 1.1
and none of our own dependencies. It locks itself in (``lock``), opens the file through an allow list (``opening``),
writes the model down as plain arrays and operators (``graph``, ``transformers``, ``estimators``), and answers drawn
rows with the model's own library, so that the outside can compare (``drawing``).
"""

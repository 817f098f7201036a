"""The floor: a typed FastAPI endpoint with no model behind it, for the contract in $SCHEMA.

uvicorn floor:app
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field, create_model

KINDS = {"number": float, "boolean": bool, "string": str}
SCHEMA = json.loads(Path(os.environ["SCHEMA"]).read_text(encoding="utf-8"))


def field(facts: dict[str, Any], name: str) -> tuple[Any, Any]:
    """Return a pydantic field of the column's type, by its raw name."""
    kinds = [facts["type"]] if isinstance(facts["type"], str) else facts["type"]
    kind = KINDS[kinds[0]]
    return (kind | None, Field(None, alias=name)) if "null" in kinds else (kind, Field(alias=name))


Row = create_model(  # type: ignore[call-overload]  # fields of a contract that is read
    "Row", **{f"column_{at}": field(facts, name) for at, (name, facts) in enumerate(SCHEMA["properties"].items())}
)


class Body(BaseModel):
    """What is sent."""

    rows: list[Row]  # type: ignore[valid-type]  # made above


class Prediction(BaseModel):
    """One answer."""

    prediction: str
    probabilities: dict[str, float]
    notes: list[str] = []


class Answer(BaseModel):
    """What comes back."""

    model: str
    predictions: list[Prediction]


app = FastAPI()


@app.post("/predict")
async def predict(body: Body) -> Answer:
    """Return the same answer for each row."""
    told = Prediction(prediction="no", probabilities={"no": 0.5, "yes": 0.5})
    return Answer(model="none", predictions=[told.model_copy() for _ in body.rows])

"""What a column's name says: general English words for answers, for amounts, and for facts that describe a row."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class NameEvidence:
    """How much a name speaks for being the answer (points, about -3 to 7), with the word that says so."""

    points: float = 0.0
    word: str = ""
    reason: str = ""


# A name that is one of these words, and nothing else, is the answer by convention.
CONVENTION = {
    "target": 6.5, "targets": 6.5, "label": 6.0, "labels": 6.0, "y": 5.5, "outcome": 6.0, "diagnosis": 5.5,
    "response": 5.0, "output": 4.5, "class": 4.6, "classification": 5.0, "dependent": 4.5, "result": 3.6, "truth": 5.5,
}  # fmt: skip
# What people want to know of a person, a thing or an event: yes or no, or which kind.
HAPPENINGS = frozenset(
    (
        "churn churned attrition exited turnover survived survival fraud fraudulent default defaulted defaulter spam sentiment "
        "stroke cancer diabetes diabetic disease disorder tumor malignant malignancy prognosis readmitted readmission transported "
        "cancelled canceled cancellation potability potable satisfaction satisfied species variety hired placed placement "
        "promoted admitted admission approved approval purchased subscribed subscription converted conversion clicked infected "
        "failure failed hazardous edible poisonous delinquent delinquency bankrupt bankruptcy winner delayed severity toxic fake "
        "sarcastic emotion intent depression obesity obese death died mortality decision attack intrusion anomaly defect defects "
        "defective faulty infarction recurrence relapse autism dementia parkinson pneumonia hateful offensive rain "
        "eligible graduated dropout won wins win radiant deceased complaint accepted rejected responded legendary verdict"
    ).split()
)
# What people want to know the size of.
AMOUNTS = frozenset(
    (
        "price prices saleprice charges mpg medv rings quality msrp rent resale expectancy"
    ).split()
)  # fmt: skip
# Words that name an answer in one table and a plain fact in the next.
MAYBE = {
    "status": 3.0, "rating": 2.8, "ratings": 2.4, "score": 2.8, "grade": 2.8, "type": 2.2, "category": 2.6, "kind": 1.6, "salary": 2.8,
    "income": 2.6, "revenue": 2.8, "sales": 2.8, "profit": 2.6, "value": 2.2, "cost": 2.8, "fare": 2.6, "amount": 1.8, "premium": 2.6,
    "expenses": 2.8, "spend": 2.0, "yield": 2.8, "strength": 2.8, "demand": 2.8, "consumption": 2.6, "usage": 1.4, "count": 2.0,
    "cnt": 3.0, "shares": 2.4, "views": 1.8, "popularity": 2.6, "likes": 1.4, "calories": 2.4, "emissions": 2.8, "aqi": 2.8, "risk": 3.0,
    "flag": 1.6, "level": 1.4, "levels": 1.2, "duration": 1.8, "power": 1.4, "energy": 1.6, "load": 1.6, "weather": 2.2,
    "performance": 2.6, "points": 2.0, "activity": 2.6, "crop": 2.8, "drug": 2.6, "fertilizer": 2.6, "personality": 3.0, "mood": 2.6,
    "stress": 2.4, "gpa": 2.6, "left": 3.4, "event": 2.4, "accident": 2.2, "happiness": 2.6, "segmentation": 3.4, "segment": 2.6,
    "deposit": 2.4, "claim": 2.2, "claims": 2.2, "reported": 2.0, "delay": 2.8, "group": 1.0, "cluster": 1.0, "genre": 2.2, "signal": 1.4,
    "probability": 1.8, "chance": 2.6, "admit": 2.6, "booking": 1.2, "loan": 1.2, "reached": 2.4, "cardio": 2.6, "efficiency": 2.2,
    "temperature": 1.2, "hypertension": 1.8, "concentration": 1.2, "production": 2.0, "purchase": 2.6, "wage": 2.8, "wages": 2.8, "close": 1.8, "disposition": 3.4,
    "digit": 3.0, "letter": 2.4, "health": 1.6, "condition": 1.4, "quantity": 1.4, "bought": 2.6, "return": 1.6, "returned": 2.4,
    "time": 0.8, "adoption": 3.0, "adopted": 3.0, "position": 0.6, "language": 2.0, "intensity": 1.6, "area": 0.4, "damage": 2.4,
    "faults": 2.2, "fault": 3.0, "occupancy": 2.8, "occupied": 2.6, "safe": 2.0, "state": 0.6, "alive": 3.0, "stage": 1.8, "hazard": 2.6,
    "overall": 0.8, "volume": 0.8, "rank": 1.0, "ranking": 1.0, "rate": 1.0, "percentage": 0.8, "age": -1.5, "weight": 1.2, "height": -0.5,
}  # fmt: skip
# Two or three words that together name an answer.
PHRASES = {
    ("house", "value"): 4.2, ("home", "value"): 4.2, ("property", "value"): 4.2, ("market", "value"): 3.4, ("player", "value"): 3.4,
    ("loan", "status"): 4.2, ("booking", "status"): 4.2, ("on", "time"): 3.0, ("fully", "paid"): 4.2, ("credit", "risk"): 4.2,
    ("personal", "loan"): 3.4, ("heart", "attack"): 4.2, ("compressive", "strength"): 4.2, ("exam", "score"): 3.4, ("final", "grade"): 4.0,
    ("trip", "duration"): 4.0, ("delivery", "time"): 3.6, ("bike", "count"): 4.0, ("rented", "count"): 4.0, ("traffic", "volume"): 4.0,
    ("death", "event"): 4.6, ("price", "range"): 4.2, ("performance", "index"): 4.2, ("happiness", "score"): 3.8, ("stress", "level"): 3.6,
    ("air", "quality"): 4.2, ("deposit", "subscribed"): 4.2, ("will", "buy"): 4.0, ("ground", "truth"): 6.0, ("credit", "score"): 2.2,
}  # fmt: skip
# These words beside another leave its meaning as it is.
NEUTRAL = frozenset(
    (
        "is has was will did be the a of in for flag binary status sale selling resale sold final usd eur inr gbp rs dollar dollars "
        "euro euros lakh lakhs k m per target label variable class type car house flight laptop customer employee patient bank "
        "reported present co life text yn n event machine student overall fetal water wine median"
    ).split()
)
# The future is what questions are about.
FUTURE = frozenset(("tomorrow", "next", "future", "will"))
# The past, other people and summaries describe a row.
PAST = frozenset(
    (
        "previous prev prior past last history historical family parent parents parental mother father before first since lag "
        "lagged old initial max min minimum maximum number num no total std sum days months years per pct ratio "
        "other competitor reviews review estimated today related medical early"
    ).split()
)
# Facts that describe: seldom what somebody wants to predict.
FACTS = frozenset(
    (
        "gender sex age race ethnicity country city state region province county district zip zipcode postal postcode latitude lat "
        "longitude lon lng year month day week weekday date datetime time hour minute second timestamp name names surname address "
        "street phone email mail id index idx number marital married education occupation job department color colour brand make model "
        "manufacturer title url link image description text comment comments nationality religion language season quarter holiday "
        "location neighborhood neighbourhood borough suburb airport origin destination author user username publisher developer "
        "smoker smoking alcohol height width length depth table x z pclass ticket cabin embarked education currency unit units "
        "residence hobby family dependents partner children"
    ).split()
)
AMOUNT_WORDS = frozenset(
    (
        "price prices cost fare amount salary income revenue sales profit value count cnt number charges premium expenses spend strength "
        "yield demand consumption age years days hours minutes points duration distance weight height mpg rent wage shares views "
        "expectancy percentage temperature"
    ).split()
)
CLASS_WORDS = frozenset(
    (
        "class classes label labels category categories type kind digit letter species group segment segmentation cluster code level "
        "grade range status outcome diagnosis stage band bucket genre variety"
    ).split()
)
KNOWN = frozenset({*CONVENTION, *HAPPENINGS, *AMOUNTS, *MAYBE})
PREFIXES = ("is", "has", "was")


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a column's name in small letters: ``LoanStatus2 (Y/N)`` is loan, status, 2, y, n."""
    spaced = re.sub(r"([a-z\d])([A-Z])", r"\1 \2", name)
    spaced = re.sub(r"([A-Z])([A-Z][a-z])", r"\1 \2", spaced)
    spaced = re.sub(r"([^\W\d_])(\d)", r"\1 \2", spaced)
    spaced = re.sub(r"(\d)([^\W\d_])", r"\1 \2", spaced)
    return tuple(re.findall(r"[^\W_]+", spaced.lower()))


def core_of(name: str) -> tuple[str, ...]:
    """Return the words of a name without what stands in brackets (a unit, a scale) and without numbers."""
    bare = re.sub(r"[(\[{].*?[)\]}]", " ", name)
    words = tuple(word for word in words_of(bare) if not word.isdigit())
    return _split_compounds(words or tuple(word for word in words_of(name) if not word.isdigit()))


def evidence_of(name: str) -> NameEvidence:
    """Return how much ``name`` speaks for being the answer of a table, and which word says so."""
    words = core_of(name)
    if not words:
        return NameEvidence()
    if len(words) == 1 and words[0] in CONVENTION:
        return NameEvidence(CONVENTION[words[0]], words[0], f"answers are often called `{words[0]}`")
    best = _phrase(words)
    for place, word in enumerate(words):
        points = _word_points(word)
        if points <= 0:
            continue
        rest = [other for index, other in enumerate(words) if index != place]
        plain = not any(other not in NEUTRAL and not other.isdigit() for other in rest)
        share = 1.0 if plain else 0.7 if _is_head(words, place) else 0.4
        if points * share > best.points:
            best = NameEvidence(points * share, word, f"its name says `{word}`, often the answer looked for")
    points, reason = best.points, best.reason
    if points > 0 and words[0] in PREFIXES and len(words) > 1:
        points, reason = points + 0.6, f"its name asks a yes-or-no question about `{best.word}`"
    if points > 0 and set(words) & FUTURE and len(words) > 1:
        points, reason = points + 1.5, "its name speaks of the future"
    if points > 0 and set(words) & PAST:
        points -= 1.2
    if points < 1.5 and (words[-1] in FACTS or words[0] in FACTS):  # noqa: PLR2004 - weak words do not outweigh these
        return NameEvidence(-2.0, words[-1], "its name is that of a fact that describes a row")
    return NameEvidence(points, best.word, reason if points > 0 else "")


def quoted(name: str) -> str:
    """Return a column's name as it stands in a sentence."""
    return f"`{name}`"


def argument(text: str) -> str:
    """Return ``text`` as one word of a command line."""
    plain = re.fullmatch(r"[\w.:/+-]+", text) and not text.startswith("-")
    return text if plain else "'" + text.replace("'", "'\\''") + "'"


def _word_points(word: str) -> float:
    if word in CONVENTION:
        return {"class": 2.4, "result": 3.0, "response": 2.6, "output": 2.4, "y": 0.0}.get(word, 5.2)
    if word in HAPPENINGS or word in AMOUNTS:
        return 4.2
    return MAYBE.get(word, 0.0)


def _phrase(words: tuple[str, ...]) -> NameEvidence:
    best = NameEvidence()
    for pair, points in PHRASES.items():
        if set(pair) <= set(words) and words.index(pair[0]) < words.index(pair[1]) and points > best.points:
            rest = [word for word in words if word not in pair and word not in NEUTRAL]
            if len(rest) <= 1:
                best = NameEvidence(
                    points, " ".join(pair), f"its name says `{' '.join(pair)}`, often the answer looked for"
                )
    return best


def _is_head(words: tuple[str, ...], place: int) -> bool:
    """Return whether the word is what the name is about: the last one, or the one before ``of`` and its like."""
    links = [
        index
        for index, word in enumerate(words)
        if word in {"of", "in", "for", "per", "to", "from", "on", "at", "by"} and index
    ]
    end = links[0] if links else len(words)
    while end > 1 and words[end - 1] in NEUTRAL:
        end -= 1
    return place == end - 1


def _split_compounds(words: tuple[str, ...]) -> tuple[str, ...]:
    """Take names without a seam apart where the end is a known word: ``saleprice`` is sale, price."""
    found: list[str] = []
    for word in words:
        if word in KNOWN or word in FACTS or len(word) < 7:  # noqa: PLR2004 - short words hold no two
            found.append(word)
            continue
        end = next(
            (known for known in sorted(KNOWN, key=len, reverse=True) if len(known) > 3 and word.endswith(known)), ""
        )  # noqa: PLR2004
        start = word.removesuffix(end) if end else ""
        if end and len(start) > 1 and (start in NEUTRAL or start in FACTS or len(start) > 3):  # noqa: PLR2004
            found += [start, end]
        else:
            found.append(word)
    return tuple(found)

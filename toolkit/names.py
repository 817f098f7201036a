"""What a column's name says: general English words for answers, for amounts, and for facts that describe a row."""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class NameEvidence:
    """How much a name speaks for being the answer (points, about -3 to 7), with the word that says so."""

    points: float = 0.0
    word: str = ""
    reason: str = ""


def words_in(text: str) -> frozenset[str]:
    """Return the words of a list written as one text."""
    return frozenset(text.split())


# A name that is one of these words, and nothing else, is the answer by convention.
CONVENTION = {
    word: points
    for points, words in (
        (6.5, "target targets"),
        (6.0, "label labels outcome"),
        (5.5, "diagnosis truth y"),
        (5.0, "classification response"),
        (4.0, "class classes"),
        (4.5, "dependent output"),
        (3.6, "result"),
    )
    for word in words.split()
}
# What people want to know of a person, a thing or an event: yes or no, or which kind.
HAPPENINGS = words_in(
    "accepted admission admitted adopt adopted adoption anomaly approval approve approved arrest arrested "
    "attrition autism "
    "bankrupt bankruptcy canceled cancellation cancelled cancer chd churn churned ckd clickbait clicked completed "
    "completion complication complications conversion converted covid cvd death deceased decision defaulted "
    "defaulter defect defective defects delayed delinquency delinquent dementia denied deny depressed depression "
    "diabetes "
    "diabetic died disease disorder distress dropout drowsy edible eligible emotion exited failed escalated failure "
    "fake fatal fatality faulty fraud fraudulent hateful hazardous hired hiring infarction infected intent "
    "intrusion lapsed late "
    "leaver made malignancy malignant mortality noshow obese obesity offensive overdue parkinson pcos placed "
    "placement pneumonia poisonous potability potable prognosis promoted purchased quit rain rearrested "
    "readmission readmit "
    "readmitted recid recidivism recurred recurrence reject rejected relapse renewed resignation resigned "
    "responded sarcasm "
    "sarcastic satisfaction satisfied sentiment severity spam species stroke subscribed survival survive survived "
    "terminated termination toxic transported tumor turnover unsubscribed upsell variety verdict win winner wins "
    "won"
)
# What people fall ill with: the answer where it stands alone, a fact beside others like it.
ILLNESSES = words_in(
    "autism cancer chd ckd covid cvd dementia depression diabetes diabetic disease disorder infarction obese obesity "
    "parkinson pcos pneumonia stroke tumor"
)
# What was done or has come about, yes or no: the answer as often as a fact.
DEEDS = words_in(
    "acquired attended bad bot callback choice click contaminated dead deal detected detections donated enrolled "
    "fail finished "
    "flooded funded good graduated hacked helpful infested injured injury joined laundering legendary legitimate "
    "loyal malicious metastasis needed occurred outage podium qualified redeemed redemption remission renewal "
    "released repaid repeat required resolved retained retention selected shortlisted sick solved success successful "
    "suspicious "
    "switched taken upgraded victory viral vote voted volunteer"
)
# What people want to know the size of.
AMOUNTS = words_in("msrp prc price prices quality rent resale")
# Words that name an answer in one table and a plain fact in the next.
MAYBE = dict.fromkeys(DEEDS, 2.7) | {
    word: points
    for points, words in (
        (4.0, "chance expectancy segmentation"),
        (3.6, "left"),
        (3.4, "charges disposition mpg"),
        (3.6, "lengthofstay"),
        (3.2, "dx ftr"),
        (3.0, "airfare ctc medv ttf"),
        (2.8, "appliances emission footfall marks impressions productivity visitors"),
        (2.6, "valuation bookings collection footprint passengers rides streamflow toxicity turbidity"),
        (2.8, "results"),
        (2.2, "cgpa"),
        (2.4, "affinity effectiveness bid bill killed medal orders prediction viscosity"),
        (2.0, "accidents anxiety asthma billing evaporation freight hardness hypertension volatility"),
        (1.4, "fee hit popular pts runs subscribers wickets"),
        (
            3.0,
            (
                "absent absenteeism alive biopsy cnt default deposit digit engagement fault malware pass passed "
                "personality risk rul status"
            ),
        ),
        (2.4, "complaint cty hwy magnitude streams"),
        (3.0, "cases crimes confirmed deaths fatalities fertilizer loss salary suicide suicides tip wage wages"),
        (
            3.0,
            (
                "alzheimer alzheimers arrhythmia dengue drowsiness epilepsy glaucoma hepatitis "
                "insomnia malaria migraine seizure sepsis tuberculosis"
            ),
        ),
        (
            2.8,
            (
                "recommended leave aqi compensation cost count crop delay demand emissions expenses grade occupancy "
                "rating "
                "revenue sales score strength subscription updrs yield"
            ),
        ),
        (
            2.6,
            (
                "alarm liked feedback activity admit bought cardio category consumption drug fare gpa "
                "earnings gross happiness hazard income mood occupied pay performance pollution popularity premium "
                "profit purchase radiation recovered segment solubility stability"
            ),
        ),
        (
            2.4,
            (
                "attendance casualties clv cltv ctr injuries ltv postseason priority ridership roi roughness stay sum "
                "views "
                "stage pm points calories damage event letter ratings reached returned shares stress"
            ),
        ),
        (2.2, "accident claim claims efficiency faults genre value weather"),
        (2.0, "close language production reported safe spend"),
        (1.6, "playoffs"),
        (1.8, "action treatment amount type duration graduated probability"),
        (1.6, "energy flag intensity kind load return"),
        (1.4, "condition level likes power quantity signal usage"),
        (1.2, "attack booking concentration levels loan temperature weight"),
        (1.0, "cluster group health rank ranking rate"),
        (0.8, "overall percentage time volume"),
        (0.6, "position state"),
        (0.4, "area"),
        (-0.5, "height"),
        (-1.5, "age"),
    )
    for word in words.split()
}
# Two or three words that together name an answer.
PHRASES = {
    tuple(phrase.split()): points
    for points, phrases in (
        (6.0, "ground truth"),
        (
            4.2,
            (
                "house value, home value, property value, loan status, booking status, fully paid, credit "
                "risk, heart attack, life expectancy, default payment, no show, compressive strength, "
                "performance index, air quality"
            ),
        ),
        (4.0, "final grade, trip duration, traffic volume"),
        (2.8, "unemployment rate, literacy rate, birth rate, fertility rate, inflation rate, crime rate"),
        (2.8, "total amount, total cost, total fare, total price, total rent, total revenue, total sales"),
        (3.8, "happiness score"),
        (4.0, "life exp"),
        (3.4, "birth weight, miles per gallon, time to delivery, total profit"),
        (3.7, "fare amount, price range"),
        (3.6, "delivery time, stress level, time taken"),
        (3.4, "energy consumption, power consumption, electricity consumption"),
        (3.4, "cooling load, heating load, lifetime value, meter reading, power output"),
        (3.0, "interest level, risk level, satisfaction rating, satisfaction score"),
        (
            3.4,
            (
                "completion time, listening time, processing time, response time, survival time, "
                "waiting time, watch time, claim amount, sale amount, sanction amount"
            ),
        ),
        (3.4, "market value, player value, personal loan, exam score"),
        (3.4, "on time"),
        (
            4.0,
            (
                "absenteeism time, attack detected, left company, leave company, arr del, arr delay, arrival delay, "
                "bad loan, dropped out, good bad, home win, paid back, term deposit"
            ),
        ),
        (
            3.6,
            (
                "attack type, charged off, failure type, length stay, paid off, show up, test result, test results, "
                "time failure, water quality"
            ),
        ),
        (
            3.4,
            (
                "area burned, box office, burn rate, burned area, carbon emission, carbon footprint, "
                "finish time, high risk, lap time, resolution time, transit time, "
                "wait time, winning bid"
            ),
        ),
        (3.0, "billing amount, crash type, injury severity, credit rating, delivery days, travel insurance"),
        (2.8, "band gap, body fat, formation energy"),
        (2.7, "units sold, quantity sold, items sold, products sold, sales volume"),
        (2.2, "credit score"),
    )
    for phrase in phrases.split(", ")
}
# These words beside one that is the answer by convention leave it so.
PLAIN = words_in("binary bool boolean code encoded final flag flg ind indicator")
# Which sort of thing a row is about, as shops and libraries sort theirs.
SHELVES = words_in("categories category subcategory")
# In what state somebody lives, not how something ended.
STATES = words_in(
    "citizenship civil economic employment furnishing home housing immigration job list marital ownership "
    "registration "
    "relationship residence residential smoker smoking social vaccination verification work working"
)
SHELVED = words_in("course customer event goods item job main merchant order product service sub ticket vehicle")
# What somebody shot at, not what a model is to predict.
AIMS = words_in("target targets")
AIMED = words_in("attempts goals off on shot shots")
# These words beside another leave its meaning as it is.
NEUTRAL = words_in(
    "a aggregate amount back bank be binary book bool boolean burned car case class co customer daily detected did "
    "dollar dollars employee eur euro euros event fetal film final flag flg flight for found gbp global has hourly "
    "house in ind indicator inr is k label lakh lakhs laptop life m machine measured median minutes movie n name of "
    "overall p patient per reported resale risk rs sale selling sold song status store student target text the "
    "track type usd variable was water weekly will wine y yn"
)
# Units behind an amount leave it as it is.
UNITS = words_in("cm gw hr hrs kg km kw kwh lbs mins mm mw mwh sec secs seconds ton tonne tonnes tons")
# The future is what questions are about.
FUTURE = frozenset(("tomorrow", "next", "future", "will"))
# A span of time that lies ahead: within two years, in 30 days.
NUMBER_WORDS = words_in("one two three four five six seven ten twelve")
SPANS = words_in("year years yr yrs y month months day days week weeks hour hours")
# The past, other people and summaries describe a row.
PAST = words_in(
    "base before competitor days early family father first fuel historical history initial input lag "
    "lagged last max maximum medical min minimum months mother no num number old original other overtime parent "
    "parental "
    "parents past pct per predicted prev previous prior ratio related review reviews since std sum today "
    "total uncertainty unit years"
)
# Facts that describe: seldom what somebody wants to predict.
FACTS = words_in(
    "address age airport alcohol author borough brand children city color colour comment comments company "
    "continent country "
    "county "
    "currency date datetime day department dependents depth description destination direction developer district "
    "education "
    "email ethnicity family gender height hobby holiday hour id idx image independent index job language lat "
    "latitude length "
    "link lng location lon long longitude mail make manufacturer marital married method minute mode model month name "
    "names "
    "nationality neighborhood neighbourhood number occupation origin partner phone postal postcode province "
    "publisher quarter race region religion residence season second sex smoker smoking source state street suburb "
    "surname table text ticket time timestamp title unit units url user username vendor week weekday width x year z "
    "zip "
    "zipcode"
)
# Of which the total is the question, not a fact of the past.
WHOLES = AMOUNTS | {"claim amount", "cost", "fare amount", "marks", "points", "revenue", "salary", "sales", "score"}
AMOUNT_WORDS = words_in(
    "age airfare amount appliances bid bill bookings cgpa charges cnt compensation consumption cost count days "
    "demand distance duration earnings expectancy expenses fare fatalities gross height hours income minutes mpg "
    "number pay percentage points premium price prices profit rent revenue salary sales shares spend strength "
    "temperature value views wage weight years yield"
)
CLASS_WORDS = words_in(
    "band bucket categories category class classes cluster code diagnosis digit genre grade group kind label "
    "labels letter level outcome range segment segmentation species stage status type variety"
)
SORTS_OF = words_in("kind method mode reason sort source type")
# Where a row is or where it points to: even in the last column nobody asks for it.
PLACES = words_in(
    "address direction image index lat latitude link lng location lon long longitude postal postcode url x y z zip "
    "zipcode"
)
KNOWN = frozenset({*CONVENTION, *HAPPENINGS, *ILLNESSES, *AMOUNTS, *MAYBE})
IN_PHRASES = frozenset(itertools.chain.from_iterable(PHRASES))
KNOWN_ENDS = sorted((word for word in KNOWN if len(word) >= 4), key=lambda word: (-len(word), word))  # noqa: PLR2004 - shorter ones end anything
PREFIXES = ("is", "has", "was")


@functools.lru_cache(maxsize=1 << 16)  # wide tables ask for the same names again and again
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a column's name in small letters: ``LoanStatus2 (Y/N)`` is loan, status, 2, y, n."""
    spaced = re.sub(r"([a-z\d])([A-Z])", r"\1 \2", name)
    spaced = re.sub(r"([A-Z])([A-Z][a-z])", r"\1 \2", spaced)
    spaced = re.sub(r"([^\W\d_])(\d)", r"\1 \2", spaced)
    spaced = re.sub(r"(\d)([^\W\d_])", r"\1 \2", spaced)
    return tuple(re.findall(r"[^\W_]+", spaced.lower()))


PER_UNIT = re.compile(
    r"(?<![^\W_])(?:(?:bu|bushels?|g|hg|kg|lbs?|liters?|litres?|mg|mt|t|tonnes?|tons?)[ _]per[ _][^\W_]+|"
    r"per[ _](?:day|hour|month|night|week|year))(?![^\W_])",
    re.IGNORECASE,
)


def core_of(name: str) -> tuple[str, ...]:
    """Return the words of a name without what stands in brackets (a unit, a scale) and without numbers."""
    bare = re.sub(r"[(\[{].*?[)\]}]", " ", name)
    bare = re.sub(r"\bin \w+ per \w+", " ", bare)  # in mols per litre: the unit
    bare = re.sub(PER_UNIT, " ", bare)
    bare = re.sub(r"/(?=\s*\d)", " by ", bare)  # deaths/100k: how many there are of so many
    words = tuple(word for word in words_of(bare) if not word.isdigit())
    return _split_compounds(words or tuple(word for word in words_of(name) if not word.isdigit()))


def evidence_of(name: str) -> NameEvidence:
    """Return how much ``name`` speaks for being the answer of a table, and which word says so."""
    words = core_of(name)
    if not words or re.fullmatch(r"[yY][\W_]?\d{2,}", name.strip()):
        return NameEvidence()  # nothing, or a year as a yes-or-no column: `y81`
    if len(words) == 1 and words[0] in CONVENTION:
        return NameEvidence(CONVENTION[words[0]], words[0], f"answers are often called `{words[0]}`")
    if words == ("total",):
        return NameEvidence(1.9, "total", "its name says that it is the total of others")
    halves = [core_of(half) for half in name.split("/")] if name.count("/") == 1 else []
    told = next((half[0] for half in halves if len(half) == 1 and half[0] in CONVENTION), "")
    if told and told != "y":
        return NameEvidence(CONVENTION[told] - 1.0, told, f"answers are often called `{told}`")
    ends = [word for word in words if word in CONVENTION and word != "y"]
    if len(ends) == 1 and all(word in ends or word in PLAIN for word in words):
        return NameEvidence(CONVENTION[ends[0]] - 0.5, ends[0], f"answers are often called `{ends[0]}`")
    if len(words) > 1 and words[-1] == "status" and words[-2] in HAPPENINGS | ILLNESSES:
        told = f"{words[-2]} status"
        return NameEvidence(3.6, told, f"its name says `{told}`, often the answer looked for")
    best = _phrase(words)
    for place, word in enumerate(words):
        points = 0.0 if word in AIMS and set(words[:place]) & AIMED else _word_points(word)
        if points <= 0:
            continue
        rest = [other for index, other in enumerate(words) if index != place and other not in UNITS]
        plain = not any(other not in NEUTRAL and not other.isdigit() for other in rest)
        share = 1.0 if plain else 0.7 if _is_head(words, place) or (place == 0 and word in HAPPENINGS) else 0.4
        if points * share > best.points:
            best = NameEvidence(points * share, word, f"its name says `{word}`, often the answer looked for")
    points, reason = best.points, best.reason
    if words[-1] == "type" and best.word == "status":
        points *= 0.1  # which sort of status, not how it ended
    if best.word in HAPPENINGS and {words[0], words[-1]} & SORTS_OF and len(words) > 1:
        points *= 0.7  # which sort of admission, not whether there was one
    if points > 0 and words[0] in PREFIXES and len(words) > 1:
        points, reason = points + 0.6, f"its name asks a yes-or-no question about `{best.word}`"
    if points > 0 and set(words) & FUTURE and len(words) > 1:
        points, reason = points + 1.5, "its name speaks of the future"
    if points > 0 and set(words) & PAST - set(best.word.split()) - _units(words, best.word):
        points -= 1.2
    if len(words) > 1 and words[-1] == "status" and words[-2] in STATES:
        return NameEvidence(-2.0, words[-1], "its name is that of a fact that describes a row")
    if len(words) > 1 and words[-1] in SHELVES and words[0] in SHELVED:
        return NameEvidence(-2.0, words[-1], "its name is that of a fact that describes a row")
    if points < 1.5 and "per" not in words and (words[-1] in FACTS or words[0] in FACTS):  # noqa: PLR2004 - weak words do not outweigh these
        return NameEvidence(-2.0, words[-1], "its name is that of a fact that describes a row")
    return NameEvidence(points, best.word, reason if points > 0 else "")


def says_span(name: str) -> bool:
    """Return whether a name says within what time: ``ReadmittedIn30Days``, ``TenYearRisk``; not of what has been."""
    words = words_of(name)
    spans = any(
        (first.isdigit() or first in NUMBER_WORDS) and second in SPANS for first, second in itertools.pairwise(words)
    )
    long = any(word in SPANS and following == "of" for word, following in itertools.pairwise(words))  # 30 days of them
    return spans and not long and len(words) > 2 and not set(words) & (PAST - SPANS)  # noqa: PLR2004 - a span alone


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
    if word in HAPPENINGS or word in AMOUNTS or word in ILLNESSES:
        return 4.2
    return MAYBE.get(word, 0.0)


def _phrase(words: tuple[str, ...]) -> NameEvidence:
    best = NameEvidence()
    for pair, points in PHRASES.items():
        if not (set(pair) <= set(words) and words.index(pair[0]) < words.index(pair[-1])):
            continue
        rest = [word for word in words if word not in pair and word not in NEUTRAL | UNITS]
        share = 1.0 if not rest else 0.75 if len(rest) == 1 else 0.0
        if points * share > best.points:
            told = " ".join(pair)
            best = NameEvidence(points * share, told, f"its name says `{told}`, often the answer looked for")
    return best


def _units(words: tuple[str, ...], word: str) -> set[str]:
    """Return the words of a name that look like the past or a summary and are none: minutes, and the whole price."""
    minutes = {"min"} if words[-1] == "min" and set(words[:-1]) & {"delay", "duration", "time", "wait"} else set()
    return minutes | ({"total"} if word in WHOLES else set())


def _is_head(words: tuple[str, ...], place: int) -> bool:
    """Return whether the word is what the name is about: the last one, or the one before ``of`` and its like."""
    links = [
        index
        for index, word in enumerate(words)
        if word in {"of", "in", "for", "per", "to", "from", "on", "at", "by"} and index
    ]
    end = links[0] if links else len(words)
    while end > 1 and words[end - 1] in NEUTRAL | UNITS:
        end -= 1
    return place == end - 1


def _split_compounds(words: tuple[str, ...]) -> tuple[str, ...]:
    """Take names without a seam apart where the end is a known word: ``saleprice`` is sale, price."""
    found: list[str] = []
    for word in words:
        if word in KNOWN or word in FACTS or word in IN_PHRASES or len(word) < 7:  # noqa: PLR2004 - short words hold no two
            found.append(word)
            continue
        end = next((known for known in KNOWN_ENDS if word.endswith(known)), "")
        start = word.removesuffix(end) if end else ""
        if end and len(start) > 1 and (start in NEUTRAL or start in FACTS or len(start) > 3):  # noqa: PLR2004
            found += [start, end]
        else:
            found.append(word)
    return tuple(found)

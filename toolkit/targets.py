"""Which column is the answer: every column that could be is weighed, each piece of evidence with its reason.

Names of other tables' columns come first (a test table, a sample submission, a description), then what the column's own
name says, then its values and its company. Its place in the table decides only where nothing else tells anything.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit.names import (
    AMOUNT_WORDS,
    AMOUNTS,
    CONVENTION,
    DEEDS,
    HAPPENINGS,
    ILLNESSES,
    PLACES,
    core_of,
    evidence_of,
    quoted,
    says_span,
    words_in,
    words_of,
)
from toolkit.questions import CLASSES_MAX, FEW_NUMBERS, SOME_NUMBERS, Question, number, question_of

if TYPE_CHECKING:
    from toolkit.contents import Contents
    from toolkit.profile import Column, Profile

SURE_POINTS = 3.2  # the weakest evidence that convinces by itself
SURE_MARGIN = 1.2  # and this much more than the runner-up has
ILLNESSES_MANY = 3  # from here on they are a history, and any of them could be the question
STRONG_NAME = 2.9
RIVAL_NAME = 2.0  # the last column with such a name is one to ask about
RIVAL_MARGIN = 2.0
BOLD_NAME = 4.2  # and below this none that is not of yes or no, where the last column is
SINGLE_NAME = 2.8  # a name that is nothing but a word which says this much is meant so
BARE_EVIDENCE = 1.6  # what two values and the like tell beside a name
MODEST_NAME = 3.3  # below this a name alone does not outweigh the last place for sure
BESIDE_TEXT_MAX = 4  # with more columns, a table is about more than its text
TWO_ENDS = words_in("pass passed")
BEINGS = words_in("species variety")
GROWN = words_in("yield yields production productivity")
KINDS_TOLD = 4  # so many other columns of words are owners and places, not measurements
HEADED_MIN = 3  # so many columns named `review/...` stand under one heading, which says nothing of each
HISTORY_MIN = 3  # so many happenings under one heading are somebody's history
AVERAGES = words_in("average avg mean")
SEATS = 3  # the guesses that people look at
SEATED_NAME = 1.5  # a guess whose name says less gives its place to the first column
SEATED_POINTS = 4.0  # a guess with less may be wrong
NAMING_SHARE = 0.8  # of the rows: words of which hardly one comes again name things
RANKED_ROWS_MIN = 20  # fewer rows are in some order by chance
RANKS_MAX = 4  # columns of ranks that are compared with the amounts
RANKED_ROWS_MAX = 200_000
CURRENCIES = words_in("aud brl cad chf cny dollar dollars eur euro euros gbp inr jpy usd")
SHARES = words_in("chance pct perc percent percentage probability rate share speed")
SORTS = words_in("ftr category class crop drug fertilizer genre personality segment species stage type weather")
# What happens or not, of which three numbers are no classes: the others come in degrees and sorts.
ONCE = (
    HAPPENINGS
    - ILLNESSES
    - words_in(
        "covid decision emotion offensive prognosis satisfaction sentiment severity species toxic variety verdict"
    )
)
VAGUE = words_in("output response result")
YES_OR_NO = words_in(
    "bought default leave left made purchased reached return"
)  # what happens or not, but is also done more or less
# How things end, as cells say it: the words of an answer more often than of a fact.
OUTCOMES = words_in(
    "accepted declined delayed dropped fail granted joined lost pass passed purchased refused retained stayed won "
    "alive approved attrited bankrupt benign canceled cancelled certified charged churned convicted dead deceased "
    "defaulted "
    "demented denied died diseased dropout edible euthanized euthanasia failed fake fraud fraudulent graduate ham "
    "hazardous healthy hired infected legitimate lived malicious malignant phishing placed poisonous potable promoted "
    "recovered rejected relapsed resigned sarcastic sick spam stable successful survived "
    "succeeded success failure suspended terminated toxic"
)
MOMENTS = words_in("date datetime day hour minute month quarter season time timestamp week year")  # when a row was
SOLD = frozenset(("units sold", "quantity sold", "items sold", "products sold", "sales volume"))
EARNED = frozenset(("revenue", "sales", "profit", "demand", "consumption"))
LATE = words_in("arr del delay delayed")
# Two ends that something came to, as cells say them.
ENDS = (
    {"good", "bad"},
    {"up", "down"},
    {"win", "loss"},
    {"w", "l"},
    {"positive", "negative"},
    {"pos", "neg"},
    {"normal", "abnormal"},
)
OPINIONS = words_in("experience feedback mood opinion rating review satisfaction")
CUT = re.compile(r"(less|more|under|over|above|below)? ?([<>]=?|≤|≥) ?[$€£]?\d[\d.,]*[kKmM%]?\.?")
PARTS = words_in("train training test testing val valid validation dev holdout")  # what a row was set apart for
YES_AND_NO = words_in("true false t f yes no y n 0 1")
UNKNOWN = frozenset(("unknown", "unk", "?", "n/a", "na", "not known", "undetermined", "not available", "missing"))
WHOLE = words_in("total global overall final")
SEXES = ({"male", "female"}, {"m", "f"}, {"man", "woman"}, {"men", "women"}, {"boy", "girl"})
WEAK_NAME = 1.9  # below this no word of weight is in a name
LETTERS_TELLING = 4  # shorter words stand in too many titles
FLAGS_MANY = 6  # among so many columns of yes and no, what a doctor abbreviates is one of many findings
CODES_OF_ILLNESSES = words_in("chd ckd cvd")
MANY_NUMBERS = 6  # from so many columns of numbers on, the only one of two values among them is remarkable
TITLE_WORDS = words_in("data dataset prediction predict predicting classification analysis with from")

ABOUT_TARGET = re.compile(
    r"\b(target (variable|column|feature|field|class|label|value)|(is|as|the) (the )?target\b|^\W*target\b|"
    r"(value|variable|column|thing|what) (that )?(you('re| are)|we('re| are)|is|to be) "
    r"(trying |asked |supposed )?to (be )?predict|to be predicted|predicted attribute|"
    r"(dependent|outcome|output|response) variable|class label|ground truth|what to predict)",
    re.IGNORECASE,
)
NAMED_BEFORE = (
    r"predict(s|ing|ed)?|target( (variable|column|feature|field))?|label( column)?|"
    r"(dependent|outcome|response) variable|class (attribute|variable)"
)
NAMED_AFTER = (
    r"(the )?(target|label|outcome|(dependent|response|output) variable|class (attribute|variable)|to be predicted)"
)
FILLING = r"\s|,|-|=|:|\bis\b|\bare\b|\bthe\b|\ba\b|\ban\b|\bwhether\b|\bvalue\b|\bof\b|\bcolumn\b|\bcalled\b|\bnamed\b"


@dataclass
class Candidate:
    """A column weighed as the target: points (log-odds, roughly) and where they come from."""

    column: Column
    question: Question
    points: float = 0.0
    named: float = 0.0
    word: str = ""
    placed: bool = False  # its place in the table was weighed, which makes nothing sure
    decided: bool = False  # something other than names says so: test table, sample submission, description
    reasons: list[tuple[float, str]] = field(default_factory=list)

    def add(self, points: float, reason: str = "") -> None:
        """Add one piece of evidence; without a reason it is not told."""
        self.points += points
        if reason:
            self.reasons.append((points, reason))

    @property
    def score(self) -> float:
        """Return the points as a number from 0 to 1: half at 3 points."""
        return round(1 / (1 + math.exp(-max(-30.0, min(30.0, 0.9 * (self.points - 3))))), 3)

    @property
    def told(self) -> tuple[str, ...]:
        """Return the reasons in favour, the strongest first."""
        ordered = sorted(self.reasons, key=lambda pair: -pair[0])
        return tuple(reason for points, reason in ordered if points > 0) or (self.question.why,)


def rank(profile: Profile, contents: Contents) -> list[Candidate]:
    """Return the columns that could be the target, likeliest first, equal ones by name."""
    identifiers = {identifier.name for identifier in profile.identifiers}
    submitted = [name for name in profile.submission_columns if name not in identifiers]
    joined = {name for finding in contents.findings if finding.code == "joined-lookup" for name in finding.columns}
    usable = [
        column
        for column in profile.columns
        if column.name not in joined and _can_be_target(profile, column, identifiers, submitted)
    ]
    found = [Candidate(column, question_of(column)) for column in usable]
    names = {name.casefold() for column in profile.columns for name in words_of(column.name)[-1:]}
    numbered = Counter(_unnumbered(column.name) for column in profile.columns)
    heads = Counter(column.name.partition("/")[0] for column in profile.columns if "/" in column.name)
    headings = {head for head, count in heads.items() if count >= HEADED_MIN}
    for one in found:
        _weigh_name(one, names, numbered, headings)
        _weigh_values(one, profile)
        _weigh_words_about(one, contents)
    _weigh_relatives(found, profile)
    _weigh_test_table(found, profile, identifiers)
    _weigh_submission(found, profile, submitted)
    _weigh_company(found, profile, identifiers)
    _weigh_rankings(found, profile, contents)
    _weigh_files(found, contents)
    _weigh_place(found, profile)
    _doubt(found, profile)
    return _with_seat(sorted(found, key=lambda one: (-round(one.points, 6), one.column.name)))


def _with_seat(ranked: list[Candidate]) -> list[Candidate]:
    """Keep places among the first for the columns that stand last and first, where names leave the question open."""
    words = [one for one in ranked if one.column.kind == "category"]
    usable = [one for one in ranked if one.named > -1 or words == [one]]
    if len(ranked) < SEATS or ranked[0].decided or ranked[0].points > SEATED_POINTS:
        return ranked
    last = max(usable, key=lambda one: one.column.position, default=None)
    first = min(usable, key=lambda one: one.column.position, default=None)
    seated = ranked[:SEATS]
    for one in (last, first):
        if one is None or one in seated:
            continue
        least = RIVAL_NAME if one is last else SEATED_NAME
        weak = [other for other in seated[1:] if other.named < least and other not in (last, first)]
        if weak:
            seated.remove(weak[-1])
            seated.append(one)
    return [*seated, *(one for one in ranked if one not in seated)]


def _can_be_target(profile: Profile, column: Column, identifiers: set[str], submitted: list[str]) -> bool:
    if column.name in profile.constants or column.distinct < 2 or column.kind in {"empty", "date"}:  # noqa: PLR2004 - one value is no question
        return False
    if _sets_apart(column):
        return False
    if column.name in submitted[1:] or (
        submitted and column.name == submitted[0] and len(profile.submission_columns) > len(submitted)
    ):
        return column.kind != "text" or column.distinct <= CLASSES_MAX
    if column.name in identifiers or column.kind == "text":
        return False
    if column.kind != "category":
        return True
    names_rows = column.distinct > NAMING_SHARE * profile.rows and profile.rows >= RANKED_ROWS_MIN
    return not names_rows and (column.distinct <= CLASSES_MAX or column.distinct <= 0.05 * profile.rows)


def _sets_apart(column: Column) -> bool:
    """Return whether a column says what a row was set apart for: training or testing, which is no question."""
    said = {value.strip().casefold() for value in column.values}
    flag = column.kind == "boolean" or (column.kind == "number" and column.distinct == 2)  # noqa: PLR2004 - yes and no
    named = core_of(column.name) in {("train",), ("is", "train"), ("training",), ("is", "test"), ("test", "set")}
    return (column.kind == "category" and bool(said) and said <= PARTS) or (named and (flag or said <= YES_AND_NO))


def _weigh_name(one: Candidate, last_words: set[str], numbered: Counter[str], headings: set[str]) -> None:
    head, _, own = one.column.name.partition("/")
    evidence = evidence_of(own if own and head in headings else one.column.name)
    points = evidence.points
    if evidence.word == "y" and last_words & {"x", "z"}:
        points = 0.0  # coordinates, not an answer
    shares = set(words_of(one.column.name)) & SHARES
    if one.question.kind == "regression" and evidence.word in DEEDS | HAPPENINGS | ILLNESSES and not shares:
        points *= 0.4  # what happens or not has no size
    if one.question.kind == "binary" and evidence.word in AMOUNTS:
        points *= 0.6  # two values are no amount
    if one.question.kind == "multiclass" and one.column.kind == "category" and evidence.word in AMOUNT_WORDS:
        points *= 0.4  # which sort of sales, not how much was sold
    if one.question.kind == "multiclass" and one.column.kind == "category" and evidence.word == "rating":
        points *= 0.6  # for whom a film is meant, as often as how good it is
    if one.question.kind == "regression" and evidence.word == "rating" and not one.column.whole:
        points *= 1.2  # what many people gave on the average
    if one.question.kind == "regression" and evidence.word == "income":
        points *= 0.65  # what somebody earns tells of the person more often than it is asked
    if one.question.kind == "binary" and one.column.kind == "number" and not one.column.whole:
        points *= 0.4  # two amounts that happen to occur, not yes and no
    if one.question.kind != "binary" and evidence.word == "on time":
        points = 0.0  # hours of something, not whether it came in time
    if one.question.kind != "binary" and evidence.word in TWO_ENDS:
        points *= 0.3  # how many passes, not whether somebody passed
    if one.question.kind == "regression" and evidence.word in SORTS:
        points *= 0.4  # how much of it, not which
    if one.question.kind == "multiclass" and one.column.kind == "category" and evidence.word in VAGUE:
        points *= 0.6  # several words for how somebody answered are a fact as often as the answer
    if one.question.kind == "multiclass" and one.column.kind == "category" and evidence.word.split()[-1:] == ["score"]:
        points = max(points, 3.2)  # a score in words is a judgement, a score in numbers often a measurement
    if one.question.kind == "multiclass" and one.column.kind == "number" and evidence.word == "satisfaction":
        points *= 0.75  # how much of it somebody feels, not whether
    points = _of_sorts(one, evidence.word, points)
    if points > 0 and re.search(r"\d$", one.column.name.strip()) and numbered[_unnumbered(one.column.name)] > 1:
        points *= 0.6  # one of several of the same name
    reason = evidence.reason if points > 0 else ""
    if one.question.kind == "binary" and says_span(one.column.name):
        points, reason = max(points, 1.0) + 2.5, "its name says within what time something happens"
    if points < STRONG_NAME and one.column.values and _are_sexes(one.column):
        points, reason = min(points, -2.0), ""
    one.named, one.word = points, evidence.word if points > 0 else ""
    one.add(points, reason)


def _of_sorts(one: Candidate, word: str, points: float) -> float:
    """Return what a name says, less where the values are of another sort than the word: degrees, counts, words."""
    if one.question.kind == "binary" and "count" in word.split():
        points = 0.0  # nothing is counted to two
    if one.question.kind == "regression" and word in YES_OR_NO - {"return"}:
        points *= 0.4  # how much was left, not whether somebody left
    if one.question.kind == "multiclass" and one.column.kind == "category" and word == "event":
        points *= 0.6  # which event, not whether there was one
    if one.question.kind == "binary" and one.column.kind == "number" and (number(one.column.minimum) or 0) > 2:  # noqa: PLR2004 - 0, 1 and 2 are how people write no and yes
        points *= 0.6  # two grades of many, two years
    if one.question.kind == "multiclass" and one.column.kind == "number" and word in ILLNESSES:
        points *= 1.0 if one.column.distinct <= 3 else 0.4  # noqa: PLR2004 - none, nearly and ill; more are degrees
    if one.question.kind == "multiclass" and one.column.kind == "number" and word in ONCE:
        points *= 0.6  # how often or how much, not whether
    if one.question.kind == "multiclass" and one.column.kind == "category" and word in ILLNESSES:
        points *= 0.85  # yes, no and unknown: as often somebody's history
    if one.question.kind == "multiclass" and one.column.kind == "category" and word in YES_OR_NO:
        points *= 0.4  # how easy it is to leave, not whether somebody left
    return points


def _unnumbered(name: str) -> str:
    return re.sub(r"[\W_]*\d+(?:[._,]\d+)?$", "", name.strip().casefold())


def _are_sexes(column: Column) -> bool:
    return column.distinct == len(SEXES[0]) and {value.strip().casefold() for value in column.values} in SEXES


def _weigh_relatives(found: list[Candidate], profile: Profile) -> None:
    """Weigh columns of one sort against each other: several illnesses, several sales of which one is the total."""
    ill = [one for one in found if one.word in ILLNESSES and one.question.kind != "regression"]
    if len(ill) >= ILLNESSES_MANY:
        for one in ill:
            one.add(-one.named + 2.6)
            one.named = 2.6
    elif any(one.word in AMOUNTS and one.named >= STRONG_NAME and one.question.kind == "regression" for one in found):
        for one in ill:
            one.add(-2.2)  # a price depends on illnesses, no illness on a price
            one.named -= 2.2
    elif any(one.word in CONVENTION and one.named >= STRONG_NAME for one in found):
        for one in ill:
            if one.word not in CONVENTION:
                one.add(-1.5)  # what is called the class is the answer, and illnesses tell of the person
                one.named -= 1.5
    _weigh_siblings(found)
    _weigh_of(found)
    _weigh_sides(found)
    _weigh_averages(found)
    _weigh_histories(found)
    _weigh_currencies(found)
    _weigh_levers(found)
    _weigh_wins(found)
    _weigh_kinds(found, profile)
    by_word: dict[str, list[Candidate]] = {}
    for one in found:
        if one.word:
            by_word.setdefault(one.word, []).append(one)
    for same in by_word.values():
        if len(same) > 1:  # a part and the whole
            for one in same:
                if set(words_of(one.column.name)) & WHOLE:
                    one.add(1.2, "its name says that it is the total of others")


def _weigh_siblings(found: list[Candidate]) -> None:
    """Weigh down what is one of several facts under one heading: ``Dx:Cancer`` beside ``Dx:CIN`` and ``Dx:HPV``."""
    headed: dict[str, list[Candidate]] = {}
    for one in found:
        head, colon, _ = one.column.name.partition(":")
        if colon and one.question.kind == "binary":
            headed.setdefault(head.strip().casefold(), []).append(one)
    for head, same in headed.items():
        beside = [one for one in found if one.column.name.strip().casefold() == head]
        if len(same) + len(beside) > 2:  # noqa: PLR2004 - two are a pair
            for one in (*same, *beside):
                if one.word not in CONVENTION:
                    _forget_name(one)


def _weigh_of(found: list[Candidate]) -> None:
    """Weigh down what is told of several things: ``quality_of_teaching`` beside ``quality_of_faculty``."""
    headed: dict[str, list[Candidate]] = {}
    for one in found:
        words = words_of(one.column.name)
        if words[1:2] == ("of",) and len(words) > 2 and one.word == words[0]:  # noqa: PLR2004 - this of that
            headed.setdefault(words[0], []).append(one)
    for same in headed.values():
        if len(same) > 1:
            for one in same:
                _forget_name(one)


def _weigh_sides(found: list[Candidate]) -> None:
    """Weigh down the left beside the right: ``hear_left`` tells a side there, not who has left."""
    names = {words_of(one.column.name) for one in found}
    for one in found:
        words = words_of(one.column.name)
        if words[-1:] == ("left",) and (*words[:-1], "right") in names:
            _forget_name(one)


def _weigh_averages(found: list[Candidate]) -> None:
    """Weigh down the average of what another column has for each row: it is known before."""
    each = {one.word for one in found if one.word and not set(words_of(one.column.name)) & AVERAGES}
    for one in found:
        if one.word in each and set(words_of(one.column.name)) & AVERAGES:
            one.add(-1.2)


def _weigh_histories(found: list[Candidate]) -> None:
    """Weigh down what stands under one heading with others like it: ``baseline_cancer`` beside ``baseline_stroke``."""
    headed: dict[str, list[Candidate]] = {}
    for one in found:
        if one.question.kind == "binary" and len(words_of(one.column.name)) > 1:
            headed.setdefault(words_of(one.column.name)[0], []).append(one)
    for same in headed.values():
        named = [one for one in same if one.word in HAPPENINGS]
        if len(named) >= HISTORY_MIN:
            for one in named:
                _forget_name(one)


def _forget_name(one: Candidate) -> None:
    one.add(-0.7 * one.named if one.named > 0 else 0.0)
    one.named = min(one.named, 0.3 * one.named)


def _weigh_currencies(found: list[Candidate]) -> None:
    """Weigh an amount in one currency above the same in those of another column, which cannot be compared."""
    if not any(words_of(one.column.name)[-1:] == ("currency",) for one in found):
        return
    amounts = [one for one in found if one.question.kind == "regression" and one.named > 0]
    for one in amounts:
        alike = [other for other in amounts if other.word == one.word and other is not one]
        if set(words_of(one.column.name)) & CURRENCIES and any(
            not set(words_of(other.column.name)) & CURRENCIES for other in alike
        ):
            one.add(2.0, "it is in one currency, so that rows can be compared")


def _weigh_levers(found: list[Candidate]) -> None:
    """Weigh down the price of what is sold beside how much of it was sold: whoever sells sets the one for the other."""
    sold = [
        one
        for one in found
        if one.word in SOLD | {"sales"} and one.named >= WEAK_NAME and one.question.kind == "regression"
    ]
    for one in found:
        if sold and one.word in {"price", "prices"}:
            one.add(-1.8)
            one.named -= 1.8


def _weigh_kinds(found: list[Candidate], profile: Profile) -> None:
    """Weigh down what something is where much else is told in words: a species among measurements is the question."""
    told = [one for one in profile.columns if one.kind in {"category", "text"} and one.distinct > FEW_NUMBERS]
    for one in found:
        if one.word in BEINGS and len([column for column in told if column is not one.column]) >= KINDS_TOLD:
            _forget_name(one)
        if one.word in BEINGS and any(other.word in GROWN and other.question.kind == "regression" for other in found):
            _forget_name(one)  # what was sown, and how much of it grew
        if one.column.name.strip().casefold() == "class" and "school" in {
            column.name.strip().casefold() for column in profile.columns
        }:
            _forget_name(one)  # with whom somebody sits in a room


def _weigh_wins(found: list[Candidate]) -> None:
    """Weigh the wins of a team's season: ``W`` beside ``L`` or the games in ``G``, as tables of sports write them."""
    names = {one.column.name.strip() for one in found}
    for one in found:
        if one.column.name.strip() == "W" and names & {"L", "G", "GP"} and one.column.whole:
            one.add(2.6, "it counts games won, as tables of sports write it")
            one.named = 2.6


def _weigh_values(one: Candidate, profile: Profile) -> None:
    column, kind = one.column, one.question.kind
    if _tells_outcomes(column):
        described = -one.named if one.named < 0 else 0.0  # a state in which things end is no place
        one.add(1.6 + described, "its values are words for how something ended")
        one.named += described
    if kind == "binary":
        one.add(1.0, "it has two values")
        rarest = min(column.counts, default=profile.rows) if len(column.counts) == 2 else profile.rows  # noqa: PLR2004
        if rarest < max(2, 0.0005 * profile.rows) or (rarest < 0.02 * profile.rows and one.named < STRONG_NAME):
            one.add(-1.5)
    elif kind == "multiclass":
        points = 0.5 if column.distinct <= 20 else -0.5 if column.distinct <= 50 else -2.0  # noqa: PLR2004 - few classes are usual
        one.add(points, f"it has {column.distinct} classes" if points > 0 else "")
        if max(column.counts, default=0) > 0.95 * profile.rows and one.named < STRONG_NAME + 0.3:
            one.add(-1.5)  # nearly always the same: a remark, seldom a question
    else:
        most = max(column.counts, default=0)
        one.add(0.5 if most < 0.5 * profile.rows else -1.5, "it is an amount")
    if column.missing_share > 0.005:  # noqa: PLR2004 - an answer is seldom missing
        gap = 0.7 + 3 * column.missing_share
        if one.word in CONVENTION:
            gap = min(gap, 1.2)  # by its name an answer: the gaps are a class
        if kind == "regression" and one.word == "rating":
            gap = min(gap, 0.3)  # what nobody has rated yet
        one.add(-gap)


def _tells_outcomes(column: Column) -> bool:
    """Return whether a column of words says how something ended: ``Demented``, ``Not Placed``, ``legitimate``."""
    if column.kind not in {"category", "boolean"} or not 2 <= column.distinct <= SOME_NUMBERS:  # noqa: PLR2004
        return False
    if {value.strip().casefold() for value in column.values} in ENDS:
        return not set(words_of(column.name)) & OPINIONS  # how somebody liked it, not how it ended
    if column.distinct == 2 and all(CUT.fullmatch(value.strip()) for value in column.values):  # noqa: PLR2004
        return True
    said = [set(words_of(value)) for value in column.values]
    ends = [
        words & OUTCOMES or {word for word in words if re.sub("^(non|un|not|in)", "", word) in OUTCOMES}
        for words in said
    ]
    return sum(map(bool, ends)) * 2 >= len(said)


def _weigh_words_about(one: Candidate, contents: Contents) -> None:
    """Weigh what the data dictionary and Kaggle's page say of the column."""
    told = contents.descriptions.get(one.column.name, "") or one.column.description
    if told and ABOUT_TARGET.search(told):
        one.add(6.5, "its description says that it is the target")
        one.decided = True
    provenance = contents.provenance
    name = one.column.name.strip()
    text = f"{provenance.subtitle}. {provenance.description}"
    if len(name) > 1 and text.strip(". ") and _is_named_as_target(name, text):
        one.add(6.0, "the description of the data names it as what to predict")
        one.decided = True
    if provenance.kind != "local" and one.named > -1:
        shared = _telling(provenance.title) & _telling(" ".join(core_of(name)))
        if shared:
            one.add(1.2, f"the data's title says `{min(shared)}` too")


def _is_named_as_target(name: str, text: str) -> bool:
    column = rf"[`'\"*_]*\b{re.escape(name)}\b[`'\"*_]*"
    return any(
        re.search(pattern, text, re.IGNORECASE)
        for pattern in (
            rf"\b({NAMED_BEFORE})\b({FILLING})*\s*{column}",
            rf"{column}\s*(\([^)]*\)\s*)?({FILLING}|as|field|variable|feature|attribute)*\s*({NAMED_AFTER})\b",
        )
    )


def _telling(text: str) -> set[str]:
    return {word for word in words_of(text) if len(word) >= LETTERS_TELLING} - TITLE_WORDS


def _weigh_test_table(found: list[Candidate], profile: Profile, identifiers: set[str]) -> None:
    """Weigh what the test table lacks: the answer is not in it."""
    if not profile.test_columns:
        return
    test = set(profile.test_columns)
    lacking = [one for one in found if one.column.name not in test]
    absent = [column.name for column in profile.columns if column.name not in test and column.name not in identifiers]
    if not absent or len(absent) > max(3, 0.5 * len(profile.columns)):
        return
    for one in found:
        if one.column.name in test:
            one.add(-4.0)
    for one in lacking:
        one.add(7.0 if len(lacking) == 1 else 3.0, "the training table has it and the test table has not")
        one.decided = one.decided or len(lacking) == 1


def _weigh_submission(found: list[Candidate], profile: Profile, submitted: list[str]) -> None:
    """Weigh what the sample submission asks for: the answer's column, or one column a class."""
    if not profile.submission_columns:
        return
    answers = set(profile.submission_columns[1:]) or set(submitted)
    for one in found:
        if one.column.name in answers:
            one.add(7.0, "the sample submission asks for it")
            one.decided = True
    _weigh_nearest_to(found, profile)
    columns = {_plain(name) for name in profile.submission_columns[1:]}
    if len(columns) < 2 or any(one.column.name in answers for one in found):  # noqa: PLR2004 - one column a class
        return
    for one in found:
        values = {_plain(value) for value in one.column.values}
        values |= {_plain(f"{one.column.name}{value}") for value in one.column.values}
        if one.question.kind != "regression" and len(values & columns) >= 0.9 * len(columns):
            one.add(7.0, "the sample submission has a column for each of its classes")
            one.decided = True


def _weigh_nearest_to(found: list[Candidate], profile: Profile) -> None:
    """Weigh the column whose name is nearest to the one that is submitted, where none has that: sums of it, perhaps."""
    answer = profile.submission_columns[-1]
    if len(profile.submission_columns) != 2 or answer in {column.name for column in profile.columns}:  # noqa: PLR2004 - an id and an answer
        return
    wanted = set(words_of(answer))
    if any(one.decided for one in found) or len(wanted) < 2:  # noqa: PLR2004 - one word is shared by chance
        return
    for one in found:
        one.placed = True  # it is to be made of the columns first, so that nothing is sure
        share = len(wanted & set(words_of(one.column.name))) / len(wanted)
        if share > 0.5:  # noqa: PLR2004 - more than half of the words
            one.add(8 * share - min(one.named, 0.0), f"its name is nearest to {quoted(answer)}, which is submitted")
            one.named = max(one.named, 0.0)


def _weigh_company(found: list[Candidate], profile: Profile, identifiers: set[str]) -> None:
    """Weigh what stands beside a column: the only one beside a text, the only words among numbers."""
    texts = [column for column in profile.columns if column.kind == "text" and column.name not in identifiers]
    others = [one for one in found if one.named > -1 and one.column.missing_share < 0.5]  # noqa: PLR2004 - a remnant
    if texts and len(others) == 1 and others[0].question.kind != "regression":
        alone = len(found) <= BESIDE_TEXT_MAX or others[0].named >= STRONG_NAME
        others[0].add(4.0 if alone else 1.0, f"it is the only column beside the text in {quoted(texts[0].name)}")
        others[0].decided = others[0].decided or alone
    few = [one for one in found if one.question.kind != "regression" and one.column.distinct <= SOME_NUMBERS]
    if texts and few and all(one.named < WEAK_NAME for one in found):
        fewest = min(few, key=lambda one: (one.column.distinct, one.column.name))
        fewest.add(1.5, f"it has the fewest classes beside the text in {quoted(texts[0].name)}")
    words = [one for one in found if one.column.kind in {"category", "boolean"}]
    numbers = [one for one in found if one.column.kind == "number"]
    told = {*identifiers, *profile.constants, *(one.column.name for one in words)}
    names = [column for column in profile.columns if column.kind == "category" and column.name not in told]
    names = [column for column in names if not _sets_apart(column)]
    if len(words) == 1 and len(numbers) > 2 and words[0].named > -1 and not texts and not names:  # noqa: PLR2004 - a table of measurements
        scales = all(one.column.whole for one in numbers)
        weak = WEAK_NAME + (0.3 if scales else 0.0)  # beside marks from 1 to 9, names of symptoms say little
        alone = all(one is words[0] or (one.named < weak and not one.decided) for one in found)
        words[0].add(
            (2.3 if scales else 1.5) if alone else 0.0,
            "it is the only column of words among measurements",
        )
    last = max((column.position for column in profile.columns), default=0)
    twos = [one for one in found if one.question.kind == "binary"]
    if len(twos) == 1 and len(found) >= MANY_NUMBERS and twos[0].named > -1 and not twos[0].named:
        twos[0].add(0.8, "it is the only column of two values")
    flags = [one for one in numbers if one.question.kind == "binary"]
    if [one.column.position for one in flags] == [last] and len(numbers) >= MANY_NUMBERS and flags[0].named > -1:
        flags[0].add(2.0, "it stands last, the only column of two values among many numbers")


def _weigh_rankings(found: list[Candidate], profile: Profile, contents: Contents) -> None:
    """Weigh what a column of ranks ranks the rows by."""
    ranks = [column for column in profile.columns if _ranks(column, profile.rows)]
    amounts = [one for one in found if one.question.kind == "regression" and not one.column.whole]
    if not ranks or not amounts or profile.rows > RANKED_ROWS_MAX:
        return
    from toolkit.relations import ordered_alike  # noqa: PLC0415 - numpy, 80 ms

    for one in amounts:
        by = (rank for rank in ranks[:RANKS_MAX] if ordered_alike(contents.main.frame, rank, one.column))
        rank = next(by, None) if one.named > -1 else None
        if rank is not None:
            one.add(2.5, f"{quoted(rank.name)} ranks the rows by it")
    for one in found:
        if one.column.name in {column.name for column in ranks}:
            one.add(-1.0)


def _ranks(column: Column, rows: int) -> bool:
    says = bool(set(words_of(column.name)) & {"rank", "ranking", "position"})
    return says and column.whole and column.distinct > 0.1 * rows >= 0.1 * RANKED_ROWS_MIN


def _weigh_files(found: list[Candidate], contents: Contents) -> None:
    """Weigh the column that was made of the files' names, where each file holds one class."""
    made = {str(finding.evidence["column"]) for finding in contents.findings if finding.code == "joined-classes"}
    for one in found:
        if one.column.name in made:
            one.add(6.0, "each file holds the rows of one class, and it says which")


def _weigh_place(found: list[Candidate], profile: Profile) -> None:
    """Weigh the place in the table, last or first, only where names and other tables leave the question open."""
    if not found or any(one.decided for one in found):
        return
    ranked = sorted(found, key=lambda one: -one.points)
    nameless = all(one.named < WEAK_NAME for one in found)
    close = len(ranked) > 1 and ranked[0].points - ranked[1].points < SURE_MARGIN
    last = max(column.position for column in profile.columns)
    amounts = [one for one in found if one.column.kind == "number"]
    whole = [one for one in amounts if one.column.whole] if len(amounts) > 3 else []  # noqa: PLR2004 - measurements
    classes = [one for one in amounts if one.column.distinct <= FEW_NUMBERS]
    classes = classes if len(amounts) == len(found) > 3 and _are_classes(classes) else []  # noqa: PLR2004
    modest = MODEST_NAME if ranked[0].question.kind == "binary" else BOLD_NAME
    faint = not nameless and ranked[0].named < modest and ranked[0].column.position != last
    flag = (one for one in found if one.column.position == last and one.named > -1 and one.question.kind == "binary")
    ending = next(flag, None)
    if faint and ending is not None and not close:
        ending.add(1.5, "it stands last, where answers usually stand")
        ending.placed = ranked[0].placed = True
        return
    rival = next((one for one in found if one.column.position == last and _could_be(one)), None)
    plain = rival is not None and (not close or _speaks_faintly(rival, ranked[0]))
    if rival is not None and plain and rival is not ranked[0] and ranked[0].word not in set(CONVENTION) - VAGUE:
        rival.add(0.8, "it stands last, where answers usually stand")
        rival.placed = ranked[0].placed = ranked[0].placed or ranked[0].points - rival.points < RIVAL_MARGIN
        return
    for one in found:
        if nameless and classes == [one] and not set(words_of(one.column.name)) & MOMENTS:
            one.add(2.0, f"it has {one.column.distinct} values and all other columns have many")
        if not nameless and not (close and one.named >= STRONG_NAME and one.points > ranked[0].points - SURE_MARGIN):
            continue
        if one.column.position == last and set(words_of(one.column.name)) & (PLACES | MOMENTS) and one.named <= -2:  # noqa: PLR2004
            continue
        if one.column.position == last:
            describes = 2.0 if one.named <= -2 else 0.0  # noqa: PLR2004 - even what describes a row can be asked about
            one.add(1.5 + describes if nameless else 0.8, "it stands last, where answers usually stand")
            if nameless and whole == [one]:
                one.add(1.2, "it is the only column of whole numbers among measurements")
        elif one.column.position == 0 and one.question.kind != "regression":
            one.add(0.5, "it stands first")
        one.placed = True


def _doubt_beside(found: list[Candidate]) -> None:
    """Doubt what is asked as often as something beside it: a price beside sales, a sort first beside its weight."""
    amounts = [one for one in found if one.question.kind == "regression"]
    sold = any(one.word in SOLD | EARNED and one.named >= 1 for one in amounts)
    late = any(set(one.word.split()) & LATE and one.named >= 1 for one in found)
    weighed = any(one.named >= 1 for one in amounts)
    rivals = sum(one.named >= RIVAL_NAME for one in amounts)
    for one in found:
        priced = one.word in {"price", "prices"} and sold
        called_off = one.word in {"canceled", "cancelled", "cancellation"} and late
        sorted_first = one.word in SORTS and one.column.position == 0 and weighed
        several = one.question.kind == "multiclass" and one.column.kind == "category"
        sorted_by = one.column.name.strip().casefold() == "class" and several and rivals > 1
        if (priced or called_off or sorted_first or sorted_by) and not one.decided:
            one.placed = True


def _could_be(one: Candidate) -> bool:
    return one.named >= (RIVAL_NAME if one.question.kind == "regression" else RIVAL_NAME - 0.1)


def _speaks_faintly(rival: Candidate, best: Candidate) -> bool:
    """Return whether the last column's place is to be weighed though the best is near: by names alone it would lose."""
    amounts = rival.question.kind == "regression" and best.question.kind != "binary" and rival.word != best.word
    words = rival.column.kind in {"boolean", "category"} and rival.word not in ILLNESSES
    return (words or amounts) and rival.named < STRONG_NAME


def _doubt(found: list[Candidate], profile: Profile) -> None:
    """Doubt a name that says little in the middle of a table: facts stand there, and no other evidence is told."""
    last = max((column.position for column in profile.columns), default=0)
    words = [one for one in found if one.column.kind == "category"]
    if len(words) == 1 and words[0].column.position == last and len(found) > MANY_NUMBERS:
        for one in found:
            amount = one.question.kind == "regression" and one.named < BOLD_NAME
            one.placed = one.placed or (amount and not one.decided)
    _doubt_beside(found)
    flags = sum(one.question.kind == "binary" for one in found)
    costly = any(one.word in {"cost", "wage", "price"} for one in found)
    for one in found:
        alone = len(core_of(one.column.name)) == 1 and one.named >= SINGLE_NAME and one.word != "rating"
        compound = not alone and not says_span(one.column.name)
        weak = compound and one.named < MODEST_NAME + 0.35 and one.points - one.named < BARE_EVIDENCE
        if weak and one.word not in ILLNESSES and not one.decided and one.column.position != last:
            one.placed = True
        if one.decided or one.placed:
            continue
        graded = one.question.kind == "multiclass" and one.column.kind == "number"
        stated = one.word == "status" and one.column.name.strip().casefold() == "status"
        sorts = stated and one.column.kind == "category" and not _tells_outcomes(one.column)
        made = one.word == "output" and one.question.kind == "regression" and costly
        degree = graded and (one.named < STRONG_NAME or stated) and len(found) >= MANY_NUMBERS
        one.placed = (
            (one.word in CODES_OF_ILLNESSES and flags >= FLAGS_MANY)
            or degree
            or sorts
            or made
            or _leaves_open(one.column)
        )


def _leaves_open(column: Column) -> bool:
    """Return whether a column of yes and no has a third word for what nobody knows: two classes, or three."""
    said = {value.strip().casefold() for value in column.values}
    return column.distinct == 3 and bool(said & UNKNOWN) and len(said & YES_AND_NO) == 2  # noqa: PLR2004 - yes, no and neither


def _are_classes(found: list[Candidate]) -> bool:
    return len(found) == 1 and found[0].column.whole and found[0].question.kind == "multiclass"


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()

"""Write small fitted models of every family as one version of scikit-learn does, with its own answers beside them.

python write.py FOLDER    (any Python from 2.7 on, any scikit-learn from 0.18 on, and pandas)
tar --sort=name --owner=0 --group=0 --mtime=2026-01-01 -cJf VERSION.tar.xz -C FOLDER .

The archives in this folder were made so, each by the version that it is named after. They are data of nobody: numbers
drawn from a generator.
"""

from __future__ import print_function

import io
import json
import os
import pickle
import sys
import warnings

import numpy as np
import pandas as pd
import sklearn
from sklearn import (
    calibration,
    cluster,
    decomposition,
    discriminant_analysis,
    ensemble,
    feature_selection,
    linear_model,
    multiclass,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.feature_extraction import text
from sklearn.model_selection import GridSearchCV

try:
    from sklearn.externals import joblib  # the copy that it carried until 0.22
except ImportError:
    import joblib

warnings.simplefilter("ignore")
VERSION = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
PYTHON_2 = sys.version_info[0] == 2
FORMS = ["pickle2", "joblib", "pickle0", "joblib", "joblib-zlib"]
if not PYTHON_2:
    FORMS = ["pickle2", "pickle3", "joblib", "pickle4", "joblib", "pickle3", "joblib-gzip"]
ASKED = 10
ROWS = 90
DRAW = np.random.RandomState(0)
X = np.round(DRAW.normal(size=(ROWS, 4)) * [1, 3, 0.5, 2] + [5, 0, 1, 10], 2)
TWO = (X[:, 0] + X[:, 3] / 2 + DRAW.normal(size=ROWS) * 0.5 > 10).astype(int)
SUM = X[:, 0] + X[:, 1] / 3
THREE = np.array(["ash", "birch", "cedar"])[np.digitize(SUM, np.percentile(SUM, [33, 66]))]
NUMBER = X[:, 0] * 2 - X[:, 1] + X[:, 3] ** 2 / 10
GAPS = X.copy()
GAPS[DRAW.rand(*X.shape) < 0.1] = np.nan
COUNTS = np.clip(np.round(np.abs(X)), 0, 7).astype(int)
APART = X + np.random.RandomState(1).normal(size=X.shape) / 100  # no two distances alike
FRAME = pd.DataFrame(X, columns=["a", "b", "c", "d"])
MIXED = pd.DataFrame(
    {
        "age": np.round(GAPS[:, 3] * 3),
        "fare": X[:, 1] * 10 + 30,
        "sex": np.where(X[:, 0] > 5, "male", "female"),
        "port": np.array(["C", "Q", "S"])[np.digitize(X[:, 2], [0.8, 1.2])],
        "level": np.digitize(X[:, 1], [-2, 2]) + 1,
    },
    columns=["age", "fare", "sex", "port", "level"],
)
WORDS = ["good", "bad", "film", "great", "boring", "plot", "acting", "love", "hate", "the", "a", "is", "was", "not"]
TEXTS = [" ".join(DRAW.choice(WORDS, 8)) for _ in range(ROWS)]
LIKED = np.array([int("good" in line or "love" in line) for line in TEXTS])
SMALL = {"n_estimators": 4, "max_depth": 3, "random_state": 0}
BOOST = {"n_estimators": 3, "max_depth": 2, "random_state": 0}


def steps(*parts):
    return pipeline.make_pipeline(*parts)


def logistic(**more):
    return linear_model.LogisticRegression(max_iter=200, **more)


def descent(**more):
    return linear_model.SGDClassifier(random_state=0, **(dict(n_iter=20, **more) if VERSION < (0, 19) else more))


def plain():
    """Return what every version from 0.18 on has: name, model, rows, answers."""
    old, now = VERSION < (1, 0), VERSION >= (1, 1)
    return [
        ("linear", linear_model.LinearRegression(), X[:, :3], NUMBER),
        ("linear_of_a_frame", linear_model.LinearRegression(), FRAME, NUMBER),
        ("ridge", linear_model.Ridge(), X, NUMBER),
        ("logistic", logistic(), X, TWO),
        ("logistic_of_three", logistic(), X, THREE),
        ("scaled", steps(preprocessing.StandardScaler(), logistic(solver="liblinear")), X, TWO),
        ("descent", descent(loss="log_loss" if now else "log"), X / 10, THREE),
        ("ridge_classes", linear_model.RidgeClassifier(), X, THREE),
        ("linear_vectors", svm.LinearSVC(random_state=0), X, THREE),
        ("vectors", svm.SVC(gamma=0.1), X, TWO),
        ("vectors_of_three", svm.SVC(kernel="linear"), X, THREE),
        ("vectors_of_numbers", svm.SVR(gamma=0.1), X, NUMBER),
        ("tree", tree.DecisionTreeClassifier(max_depth=3, random_state=0), X, TWO),
        ("tree_of_numbers", tree.DecisionTreeRegressor(max_depth=3, random_state=0), X, NUMBER),
        ("forest", ensemble.RandomForestClassifier(**SMALL), FRAME, THREE),
        ("forest_of_numbers", ensemble.RandomForestRegressor(**SMALL), X, NUMBER),
        ("extra_trees", ensemble.ExtraTreesClassifier(**SMALL), X, TWO),
        ("boosting", ensemble.GradientBoostingClassifier(**BOOST), X, TWO),
        ("boosting_of_three", ensemble.GradientBoostingClassifier(**BOOST), X, THREE),
        ("boosting_exponential", ensemble.GradientBoostingClassifier(loss="exponential", **BOOST), X, TWO),
        ("boosting_of_numbers", ensemble.GradientBoostingRegressor(**BOOST), X, NUMBER),
        (
            "boosting_of_medians",
            ensemble.GradientBoostingRegressor(loss="lad" if old else "absolute_error", **BOOST),
            X,
            NUMBER,
        ),
        ("ada", ensemble.AdaBoostClassifier(n_estimators=4, random_state=0), X, THREE),
        ("bagging", ensemble.BaggingClassifier(n_estimators=3, max_features=0.75, random_state=0), X, TWO),
        (
            "vote",
            ensemble.VotingClassifier([("a", logistic()), ("b", naive_bayes.GaussianNB())], voting="soft"),
            X,
            TWO,
        ),
        ("near_by_tree", neighbors.KNeighborsClassifier(algorithm="kd_tree", weights="distance"), APART, THREE),
        ("near_by_ball", neighbors.KNeighborsRegressor(algorithm="ball_tree", p=1), APART, NUMBER),
        ("bayes", naive_bayes.GaussianNB(), X, THREE),
        ("bayes_of_counts", naive_bayes.MultinomialNB(), COUNTS, TWO),
        ("network", neural_network.MLPClassifier(hidden_layer_sizes=(4,), max_iter=30, random_state=0), X, THREE),
        ("discriminant", discriminant_analysis.LinearDiscriminantAnalysis(), X, THREE),
        ("clusters", cluster.KMeans(3, random_state=0, n_init=2), X, None),
        ("calibrated", calibration.CalibratedClassifierCV(svm.LinearSVC(random_state=0), cv=3), X, TWO),
        (
            "calibrated_by_steps",
            calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), cv=3, method="isotonic"),
            X,
            TWO,
        ),
        ("each_against_rest", multiclass.OneVsRestClassifier(logistic()), X, THREE),
        (
            "powers",
            steps(preprocessing.PolynomialFeatures(2), preprocessing.StandardScaler(), linear_model.Ridge()),
            X,
            NUMBER,
        ),
        ("components", steps(preprocessing.MinMaxScaler(), decomposition.PCA(2), logistic()), X, TWO),
        ("chosen", steps(feature_selection.SelectKBest(k=2), logistic()), X, TWO),
        ("left", steps(feature_selection.RFE(logistic(), n_features_to_select=2), logistic()), X, TWO),
        ("search", GridSearchCV(svm.SVC(), {"C": [1, 10], "gamma": [0.1]}, cv=3), X, TWO),
        ("words", steps(text.TfidfVectorizer(), logistic()), TEXTS, LIKED),
        ("words_in_steps", steps(text.CountVectorizer(), text.TfidfTransformer(), descent()), TEXTS, LIKED),
        ("words_counted", steps(text.CountVectorizer(), naive_bayes.MultinomialNB()), TEXTS, LIKED),
    ]


def of_its_time():
    """Return what some versions have and others have not."""
    found = []
    if VERSION < (1, 6):
        found += [
            ("ada_by_votes", ensemble.AdaBoostClassifier(algorithm="SAMME", n_estimators=4, random_state=0), X, THREE)
        ]
    if VERSION < (1, 7):
        found += [("logistic_each", logistic(multi_class="ovr", solver="liblinear"), X, THREE)]
        found += [("logistic_of_both", logistic(multi_class="multinomial", solver="lbfgs"), X, TWO)]
    if hasattr(preprocessing, "Imputer"):
        found += [("gaps", steps(preprocessing.Imputer(strategy="median"), logistic()), GAPS, TWO)]
    if VERSION < (0, 20):
        from sklearn import grid_search

        found += [("search_of_old", grid_search.GridSearchCV(logistic(), {"C": [1, 10]}, cv=3), X, TWO)]
    if VERSION < (0, 22):
        places = preprocessing.OneHotEncoder(n_values=8)
        some = preprocessing.OneHotEncoder(categorical_features=[0, 2], handle_unknown="ignore")
        found += [
            ("places", steps(places, logistic()), COUNTS, TWO),
            ("some_places", steps(some, logistic()), COUNTS, TWO),
        ]
    if VERSION < (0, 20):
        return found
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
    from sklearn.impute import SimpleImputer

    def columns(**more):
        numbers = steps(SimpleImputer(strategy="median"), preprocessing.StandardScaler())
        words = steps(SimpleImputer(strategy="most_frequent"), preprocessing.OneHotEncoder(handle_unknown="ignore"))
        return ColumnTransformer([("numbers", numbers, ["age", "fare"]), ("words", words, ["sex", "port"])], **more)

    found += [
        ("table", steps(columns(), logistic()), MIXED, TWO),
        (
            "table_and_rest",
            steps(columns(remainder="passthrough"), ensemble.RandomForestClassifier(**SMALL)),
            MIXED,
            TWO,
        ),
        (
            "table_searched",
            GridSearchCV(steps(columns(), logistic()), {"logisticregression__C": [0.1, 1]}, cv=3),
            MIXED,
            TWO,
        ),
        (
            "table_of_codes",
            steps(
                ColumnTransformer(
                    [
                        ("codes", preprocessing.OrdinalEncoder(), ["sex", "port"]),
                        ("rest", "passthrough", ["fare", "level"]),
                    ]
                ),
                tree.DecisionTreeClassifier(max_depth=3),
            ),
            MIXED,
            TWO,
        ),
        (
            "logarithm",
            TransformedTargetRegressor(linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1),
            X,
            abs(NUMBER),
        ),
        ("bins", steps(preprocessing.KBinsDiscretizer(3), logistic()), X, TWO),
        ("yeo", steps(preprocessing.PowerTransformer(), logistic()), X, TWO),
    ]
    if VERSION >= (0, 21):
        drop = ColumnTransformer([("words", preprocessing.OneHotEncoder(drop="first"), ["sex", "port"])])
        marked = SimpleImputer(add_indicator=True)
        found += [
            ("table_dropped", steps(drop, logistic()), MIXED, TWO),
            ("gaps_marked", steps(marked, logistic()), GAPS, TWO),
        ]
    if VERSION >= (0, 22):
        both = [("a", logistic()), ("b", tree.DecisionTreeClassifier(max_depth=2))]
        found += [("stack", ensemble.StackingClassifier(both, final_estimator=logistic(), cv=3), X, THREE)]
    if VERSION >= (0, 23):
        found += [("poisson", linear_model.PoissonRegressor(), X, abs(NUMBER))]
    if VERSION >= (0, 21):
        if VERSION < (1, 0):
            from sklearn.experimental import enable_hist_gradient_boosting  # noqa: F401 - it puts them in place
        few = {"max_iter": 3, "max_depth": 2, "random_state": 0}
        found += [("histograms", ensemble.HistGradientBoostingClassifier(**few), X, THREE)]
        gaps = GAPS if VERSION >= (0, 22) else X
        found += [("histograms_of_numbers", ensemble.HistGradientBoostingRegressor(**few), gaps, NUMBER)]
    return found


def plain_value(value):
    """Return a value as JSON has it, a gap as nothing."""
    if isinstance(value, (float, np.floating)):
        return None if value != value else float(value)  # noqa: PLR0124 - a gap
    return int(value) if isinstance(value, np.integer) else value.decode() if isinstance(value, bytes) else value


def kept(model, folder, name, form):
    """Write ``model`` in one of the forms and return the file's name."""
    file = name + ("." + form).replace("pickle", "pkl").replace("-", "_")
    path = os.path.join(folder, file)
    if form.startswith("pickle"):
        with open(path, "wb") as opened:
            pickle.dump(model, opened, protocol=int(form[-1]))
    else:
        joblib.dump(model, path, **({"compress": (form.split("-")[1], 3)} if "-" in form else {}))
    return file


def main(folder):
    """Fit, ask and write all."""
    os.makedirs(folder)
    told = []
    cases = plain() + of_its_time()
    for place, (name, model, rows, answers) in enumerate(cases):
        if answers is None:
            model.fit(rows)
        else:
            model.fit(rows, answers)
        asked = rows.iloc[:ASKED] if isinstance(rows, pd.DataFrame) else rows[:ASKED]
        values = asked if isinstance(asked, list) else np.asarray(asked, dtype=object).tolist()
        chances = model.predict_proba(asked).tolist() if hasattr(model, "predict_proba") else None
        parts = {"scaler": model.steps[0][1], "model": model.steps[1][1], "threshold": 0.5} if name == "scaled" else {}
        told.append({
            "name": name,
            "file": kept(parts or model, folder, name, FORMS[place % len(FORMS)]),
            "columns": [str(one) for one in rows.columns] if isinstance(rows, pd.DataFrame) else None,
            "rows": values if isinstance(asked, list) else [[plain_value(one) for one in row] for row in values],
            "chances": chances,
            "answers": [plain_value(one) for one in np.asarray(model.predict(asked)).ravel().tolist()],
        })  # fmt: skip
    with io.open(os.path.join(folder, "told.json"), "wb") as opened:
        opened.write(json.dumps({"version": sklearn.__version__, "models": told}).encode("utf-8"))
    print(sklearn.__version__, len(told))


if __name__ == "__main__":
    main(sys.argv[1])

"""Failures that can be explained in one sentence; the command line prints it, the API refuses to start with it."""


class ExplainedError(Exception):
    """The base of all of them: the message says what, which, expected and got."""


class ModelError(ExplainedError):
    """The model folder cannot be served: a file is missing, changed since training, or unreadable."""


class SettingsError(ExplainedError):
    """An environment variable holds something that cannot be used."""


class TableError(ExplainedError):
    """A file cannot be read as a table."""


class TrainingError(ExplainedError):
    """The plan cannot be carried out on this data."""


class ExportError(ExplainedError):
    """The fitted pipeline holds something that cannot be served exactly."""


class EvaluationError(ExplainedError):
    """There is nothing to score, or the scores are not the ones that training recorded."""

"""Every failure kaggle2app can explain: what went wrong, a hint with the next command, an exit code."""

from __future__ import annotations


class ToolkitError(Exception):
    """A failure that is told to the person in one sentence, never as a traceback.

    ``message`` says what, which, expected and got, in small letters and without a full stop.
    ``hint`` names the next command or step. ``exit_code`` is what the command line returns
    (0 done, 1 a check failed, 2 usage, 3 Kaggle access, 4 data, 5 model file, 6 project folder).
    """

    exit_code: int = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def code(self) -> str:
        """Return the kind of failure as one word for ``--json``, e.g. ``HandleError``."""
        return type(self).__name__

    def to_json(self) -> dict[str, object]:
        """Return the failure as the object that ``--json`` prints."""
        return {"error": {"kind": self.code, "message": self.message, "hint": self.hint, "exit_code": self.exit_code}}


class UsageError(ToolkitError):
    """What was typed cannot be understood: a malformed handle, an impossible combination of options."""

    exit_code = 2


class AccessError(ToolkitError):
    """Kaggle, or the way to it, did not give what was asked for."""

    exit_code = 3


class DataError(ToolkitError):
    """The data cannot be read, or cannot become what was asked for."""

    exit_code = 4


class AmbiguousError(DataError):
    """Two readings of the data are too close to choose without the person.

    ``choices`` holds the ranked guesses; ``--json`` carries them.
    """

    def __init__(self, message: str, *, hint: str, choices: tuple[dict[str, object], ...]) -> None:
        super().__init__(message, hint=hint)
        self.choices = choices

    def to_json(self) -> dict[str, object]:
        """Return the failure with its ranked guesses as the object that ``--json`` prints."""
        payload = super().to_json()
        payload["choices"] = list(self.choices)
        return payload


class ArtifactError(ToolkitError):
    """A model file is dangerous, damaged or of a kind that cannot be served."""

    exit_code = 5


class UnservableError(ArtifactError):
    """Models that were looked at and must not be opened, or cannot be served.

    ``models`` holds what was seen of each; ``--json`` carries them.
    """

    def __init__(self, message: str, *, hint: str, models: tuple[dict[str, object], ...]) -> None:
        super().__init__(message, hint=hint)
        self.models = models

    def to_json(self) -> dict[str, object]:
        """Return the failure with what was seen as the object that ``--json`` prints."""
        return {"kind": "model", "models": list(self.models), **super().to_json()}


class ProjectError(ToolkitError):
    """The project folder cannot be written, found or mended."""

    exit_code = 6


class BuildError(ProjectError):
    """The generated project's own training or tests failed."""

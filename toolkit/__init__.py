"""kaggle2app: turn something on Kaggle into a trained, tested, served application.

The steps, in order; each takes what the one before returned:

    download = fetch(Handle.parse("sample:iris"))
    contents = read(download)
    profile = describe(contents)
    task = infer(profile, contents)
    plan = draft(profile, task, provenance=contents.provenance)
    schema = derive(profile, task, plan)
    project = render(plan, schema, profile, contents, into=Path("."))
    built = build(project)
    report = check(project.path)

``create`` does ``render`` and ``build`` so that a failure leaves no folder. Every name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.building import Build, build, create
    from toolkit.checks import CheckReport, check
    from toolkit.contents import Contents, read
    from toolkit.download import Download
    from toolkit.errors import ToolkitError
    from toolkit.findings import Finding
    from toolkit.handle import Handle
    from toolkit.plan import Plan, draft
    from toolkit.profile import Profile, describe
    from toolkit.project import Project, render
    from toolkit.schema import derive
    from toolkit.source import fetch
    from toolkit.task import Task, infer

_HOME = {
    "Build": "building",
    "CheckReport": "checks",
    "Contents": "contents",
    "Download": "download",
    "Finding": "findings",
    "Handle": "handle",
    "Plan": "plan",
    "Profile": "profile",
    "Project": "project",
    "Task": "task",
    "ToolkitError": "errors",
    "build": "building",
    "check": "checks",
    "create": "building",
    "derive": "schema",
    "describe": "profile",
    "draft": "plan",
    "fetch": "source",
    "infer": "task",
    "read": "contents",
    "render": "project",
}

__all__ = [
    "Build",
    "CheckReport",
    "Contents",
    "Download",
    "Finding",
    "Handle",
    "Plan",
    "Profile",
    "Project",
    "Task",
    "ToolkitError",
    "build",
    "check",
    "create",
    "derive",
    "describe",
    "draft",
    "fetch",
    "infer",
    "read",
    "render",
]


def __getattr__(name: str) -> object:
    """Return a public name, loading the module it lives in when it is first asked for."""
    if name in _HOME:
        return getattr(import_module(f"toolkit.{_HOME[name]}"), name)
    message = f"module `toolkit` has no `{name}`"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """Return the public names."""
    return list(__all__)

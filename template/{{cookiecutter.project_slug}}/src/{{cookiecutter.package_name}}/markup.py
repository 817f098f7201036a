"""HTML that is safe by construction: what is not made by ``tag`` is text, and text is escaped."""

from __future__ import annotations

import html

VOID = frozenset({"img", "input", "link", "meta"})  # elements without content


class Html(str):
    """Markup made by ``tag``; every other ``str`` is text."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | int | bool | None) -> Html:
    """Return an element with escaped ``children`` and attributes.

    ``class_`` is ``class``, ``aria_label`` is ``aria-label``; ``True`` gives an attribute without a value, ``False``,
    ``None`` and an empty child give nothing.
    """
    opening = "".join([name, *(_attribute(key, value) for key, value in attributes.items())])
    if name in VOID:
        return Html(f"<{opening}>")
    return Html(f"<{opening}>{join(*children)}</{name}>")


def join(*children: str) -> Html:
    """Return children in a row, texts among them escaped."""
    return Html("".join(child if isinstance(child, Html) else html.escape(child) for child in children))


def _attribute(key: str, value: str | int | bool | None) -> str:  # noqa: FBT001 - HTML has attributes without a value
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value))}"'

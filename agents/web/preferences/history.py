"""What a save changed, in words: for `access-log`, and for whoever asks who changed what. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from schemas.access import Change
from schemas.inputs import Organisation, OrganisationOverride
from schemas.languages import LANGUAGES
from streams.notices.settings import apply_override

from .fields import LANGUAGE_NAMES, Field, Scope, at, paths_of, sheet_of
from .form import said

UPSTREAMS, NOTHING = "zoals uw ECD zegt", "geen tekst"


def changes(
    upstream: Organisation, before: OrganisationOverride | None, after: OrganisationOverride | None
) -> tuple[Change, ...]:  # fmt: skip
    """Return each thing that two choices say differently, as the page calls it: what it was, and what it is."""
    then, now = apply_override(upstream, before), apply_override(upstream, after)
    return tuple(
        Change(what=_name(scope, field), was=_words(before, then, field), now=_words(after, now, field))
        for scope in _scopes(before, after)
        for field in sheet_of(scope).fields
        if [at(before, path) for path in paths_of(field)] != [at(after, path) for path in paths_of(field)]
    )


def _scopes(*overrides: OrganisationOverride | None) -> Iterator[Scope]:
    """Return the pages on which two choices can differ."""
    labels: dict[str, None] = {}
    for override in overrides:
        labels |= dict.fromkeys(at(override, ("labels",)) or ())
        for language in LANGUAGES:
            labels |= dict.fromkeys(at(override, ("translations", language, "labels")) or ())
    yield Scope()
    yield from (Scope(label) for label in labels)
    for language in LANGUAGES:
        yield Scope(None, language)
        yield from (Scope(label, language) for label in labels)


def _name(scope: Scope, field: Field) -> str:
    of = [*([f"soort {scope.label}"] if scope.label is not None else [])]
    of += [LANGUAGE_NAMES[scope.language]] if scope.language is not None else []
    return field.label + (f" ({', '.join(of)})" if of else "")


def _words(override: OrganisationOverride | None, counts: Organisation, field: Field) -> str:
    """Say what was chosen; where nothing was, that it was upstream's, and what that was."""
    chosen = any(at(override, path) is not UNSET for path in paths_of(field))
    words = said(counts, field) or NOTHING
    return words if chosen else f"{UPSTREAMS}: {words}"

"""Render pages from templates: Jinja2 with everything escaped, and the few files they need, read once."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent.parent

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

STATIC: dict[str, tuple[bytes, str]] = {
    path.name: (path.read_bytes(), TYPES[path.suffix]) for path in sorted((HERE / "static").iterdir()) if path.suffix in TYPES
}
"""Name -> bytes and type. A path of a request is looked up here and nowhere else."""

REFUSED = {
    400: ("Dat is niet gelukt", "Uw aanvraag kwam niet goed aan. Ga terug en probeer het nog eens."),
    401: ("U bent niet aangemeld", "Meld u aan om deze pagina te zien."),
    403: ("Deze pagina is verlopen", "Ga terug, laad de pagina opnieuw en probeer het nog eens."),
    404: ("Deze pagina bestaat niet", "Misschien is de link niet compleet. Open de link in de e-mail nog eens."),
    408: ("Het duurde te lang", "Uw aanvraag kwam niet op tijd binnen. Probeer het nog eens."),
    413: ("Dat is te veel", "Uw aanvraag is te groot. Er is niets veranderd."),
    429: ("Even geduld", "U heeft het vaak achter elkaar geprobeerd. Wacht een paar minuten en probeer het nog eens."),
    503: (
        "Dit lukt nu even niet",
        "Door een storing kunnen wij uw keuze nu niet verwerken. Probeer het over een paar minuten nog eens.",
    ),
    500: ("Er ging iets mis", "Dit ligt aan ons. Probeer het over een paar minuten nog eens."),
}

OTHERWISE = {
    "missing": (
        "Deze pagina bestaat niet",
        "Het adres klopt niet, of wat hier stond is er niet meer. Kies hierboven een pagina, of ga terug.",
    ),
    "link": (
        "Deze link werkt niet",
        "Misschien is er een stukje van weggevallen. Er is niets veranderd: wij hebben u niet afgemeld. Open de link in de "
        "laatste e-mail nog eens. Lukt dat niet? Bel dan uw zorgorganisatie.",
    ),
    "role": ("Deze pagina is niet voor u", "U mag deze pagina niet zien. Vraag het de beheerder van uw organisatie."),
}
"""What a page says instead of what its status does, by its name."""


def _version(name: str) -> str:
    """Return an address that changes when the file does, so that browsers may keep it."""
    return f"/static/{name}?{hashlib.sha256(STATIC[name][0]).hexdigest()[:10]}"


ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
ENVIRONMENT.globals["static"] = _version


def page(template: str, **values: Any) -> bytes:
    """Render a page."""
    return ENVIRONMENT.get_template(template).render(values).encode()


@cache
def refused(status: int, name: str | None = None) -> bytes:
    """Render a calm page that says what to do now."""
    title, text = OTHERWISE[name] if name is not None else REFUSED.get(status, REFUSED[400] if status < 500 else REFUSED[500])
    return page("refused.html", title=title, text=text)

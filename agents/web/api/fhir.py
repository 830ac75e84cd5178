"""The way in for FHIR over HTTP: a resource at its address, or a Bundle of them, for those who cannot write to Kafka.

It answers 2xx only once Kafka has the bytes as they came; the worker's node `translate` reads them. What that would refuse is
refused here, with the place. Of a Bundle the entries that cannot be used are told as warnings, and are set aside: a server that
hands on what its users do must not be stopped by one of them. References are never fetched.
"""

from __future__ import annotations

import orjson
from aiohttp import web

from agents.kafka.publisher import Publisher
from agents.kafka.writer import Event
from schemas.topics import FHIR
from streams.translate.fhir import translate_fhir
from streams.translate.producers import Producer, Producers
from streams.translate.results import Origin, Refused, Translated

from ..http.outcomes import issue, outcome
from ..http.problems import ProblemError
from .admission import admitted
from .keys import ApiKeys
from .rate_limit import TokenBuckets

KINDS = ("application/fhir+json", "application/json")

RESOURCES = "Appointment|Patient"


class Fhir:
    """The routes under `/fhir`."""

    def __init__(self, publisher: Publisher, keys: ApiKeys, limits: TokenBuckets, producers: Producers) -> None:
        self.publisher, self.keys, self.limits, self.producers = publisher, keys, limits, producers

    def routes(self) -> list[web.RouteDef]:
        """Return a resource's address, and where Bundles go."""
        return [
            web.put(f"/fhir/{{organisation}}/{{type:{RESOURCES}}}/{{id}}", self.put),
            web.post(f"/fhir/{{organisation}}/{{type:{RESOURCES}}}", self.post),
            web.post("/fhir/{organisation}", self.bundle),
        ]

    async def put(self, request: web.Request) -> web.Response:
        """Take a resource at its address: its type and id must be those of the address."""
        producer = self._producer(request)
        return await self._take(request, producer, request.match_info["type"], request.match_info["id"])

    async def post(self, request: web.Request) -> web.Response:
        """Take a resource by its type. It must have an id: nobody here gives one out."""
        producer = self._producer(request)
        return await self._take(request, producer, request.match_info["type"], None)

    async def bundle(self, request: web.Request) -> web.Response:
        """Take a Bundle."""
        producer = self._producer(request)
        return await self._take(request, producer, "Bundle", None)

    def _producer(self, request: web.Request) -> Producer:
        """Return what is agreed with who asks, within their limit."""
        party = admitted(request, self.keys, self.limits, "fhir")
        if party.organisation != request.match_info["organisation"]:
            raise ProblemError(403)
        producer = self.producers.get(party.organisation)
        if producer is None:
            raise ProblemError(403, "the organisation is not in the file of producers")
        if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() not in KINDS:
            raise ProblemError(415)
        return producer

    async def _take(self, request: web.Request, producer: Producer, kind: str, id_: str | None) -> web.Response:
        body = await request.read()
        results = list(translate_fhir(body, Origin(producer)))
        faults = [result for result in results if isinstance(result, Refused)]
        if not any(isinstance(result, Translated) for result in results) and faults:
            status = 400 if faults[0].place == "$" else 422
            return outcome(status, [issue("error", "invalid", fault.reason, fault.place) for fault in faults])
        plain = orjson.loads(body)  # the translator has read it: it is an object, and not too deep
        if plain.get("resourceType") != kind:
            raise ProblemError(422, "the address is of another type of resource", field="resourceType")
        given = plain.get("id")
        if kind != "Bundle" and (not isinstance(given, str) or id_ not in (None, given)):
            raise ProblemError(422, "the resource must have an id, that of its address", field=f"{kind}.id")
        key = f"{producer.organisation}/{kind}" if kind == "Bundle" else f"{producer.organisation}/{kind}/{given}"
        await self.publisher.publish(Event(FHIR.name, key, body))
        issues = [issue("warning", "invalid", fault.reason, fault.place) for fault in faults]
        return outcome(200, issues or [issue("information", "informational", "it is taken, and will be decided on")])

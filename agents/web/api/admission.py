"""Who asks with a key: known, allowed to ask this, and within their limit."""

from __future__ import annotations

import asyncio
import math

from aiohttp import web

from agents.monitoring.web_metrics import METRICS

from ..http.problems import ProblemError
from .keys import ApiKeys, Party, Right
from .rate_limit import TokenBuckets


def admitted(request: web.Request, keys: ApiKeys, limits: TokenBuckets, may: Right) -> Party:
    """Return who asks. Raises ProblemError: 401 where the key is not one for this, 429 where they ask too often."""
    party = keys.bearer(request.headers.get("Authorization", ""), may)
    if party is None:
        request.app[METRICS].keys_refused.inc()
        raise ProblemError(401, headers={"WWW-Authenticate": "Bearer"})
    wait = limits.take(party.key, asyncio.get_running_loop().time())
    if wait:
        raise ProblemError(429, headers={"Retry-After": str(math.ceil(wait))})
    return party

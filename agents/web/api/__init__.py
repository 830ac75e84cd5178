"""Serve the API: requests of third parties, its keys, its limits and its OpenAPI document."""

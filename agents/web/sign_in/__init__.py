"""Sign people in, by an identity provider or a local account."""

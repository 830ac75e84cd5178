"""Serve HTTP whatever the page is: server, middleware, forms, problems and templates."""

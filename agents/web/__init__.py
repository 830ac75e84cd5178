"""The web service: unsubscribe pages, the provider's webhook, the API for third parties, the overview for organisations.

Read `app` first (the routes), then a page's own module. Nothing here decides what a client gets: pages write events to the input
topics, and read a projection of the delivery log.
"""

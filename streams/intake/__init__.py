"""Take in what upstream says: check it, put it in order, and hand each client his part."""

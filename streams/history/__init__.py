"""Read the delivery log back: bills, and what another configuration would have said."""

"""Export the delivery log for analysts: a range of the topic, what is wanted of it, and the format it comes out in."""

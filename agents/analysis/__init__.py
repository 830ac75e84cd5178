"""The delivery log for analysts: a stretch of the topic, what is wanted of it, and the forms in which it comes out."""

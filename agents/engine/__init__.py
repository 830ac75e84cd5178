"""The engine: Faust made fast, without losing anything. It knows nothing of what it runs.

It subclasses Faust instead of forking it. `README.md` beside this says what is guaranteed, and where each part stands. Nothing is
imported here: who only reads a topic loads no Faust.
"""

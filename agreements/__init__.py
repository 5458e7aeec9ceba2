"""The documents by which cities agree: our ODRL profile, its shapes, the templates, worked examples.

Data only. A package so that it is installed beside `node`, which reads these files as they stand here
(`importlib.resources.files("agreements")`). Nothing in here imports anything.
"""

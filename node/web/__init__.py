"""How the outside reaches the node: documents for machines, pages for people, marks for operators.

Everything here is a reading: no router writes. The routers talk to the parts named in `ports.py`, never to settings,
SQL or the outside world. Bytes travel in this order: `front` (encoded replies kept warm) → `edge` (request ids,
metrics, safety headers) → the FastAPI routers (`records`, `catalog`, `portal`, `operators`). What the first visit
makes, `front` keeps.
"""

"""Bytes in and out: what a reply is made of, what a body may be, how a "no" is said, and what is kept warm.

`answer` makes replies and `negotiate` chooses their form; `bodies` and `limits` bound what strangers send; `problems`
says every refusal as RFC 9457; `front` and `edge` stand before all routers.
"""

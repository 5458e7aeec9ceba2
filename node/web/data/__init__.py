"""Bytes under agreement: parts of datasets handed out, and parts that other cities deliver here.

`ranges`, `threads` and `stream` keep a reply bounded and cut it at once when the agreement ends; `incoming` takes
uploads. Nothing is opened here: origins and places are reached through `ports`.
"""

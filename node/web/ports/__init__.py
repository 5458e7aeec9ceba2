"""What the web asks of the rest of the node, as protocols: one module for each part that assembly hands in.

`ports` is the whole site; the others are named after what they lead to. No code stands here, and nothing here imports
a part.
"""

"""The Dataspace Protocol's endpoints: catalogue, negotiations and transfers.

`edge` stands before them: sizes, signatures, tokens, and refusals in the protocol's own error messages. What a message
means is decided in `node.federation`.
"""

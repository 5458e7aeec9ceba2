"""The node's own keys, and the checks of other people's: signatures over bytes and over signed JSON.

A purpose has its own key, so that a signature made for one can never stand for another: `entity` says who this node is,
`token` and `client` are its OAuth, `checkpoint` signs the states of its journals, `record` its records, agreements and
receipts, `witness` other cities' checkpoints, `message` single HTTP messages. Files in one folder, readable by nobody
else. No database, no clock, no knowledge of what is signed.

    ring        the keyring: which key signs, rotation, the files and the history as one
    history     keys.json, the public side of every key there ever was      files   private keys on disk
    signer      what signs: a file's key today, a PKCS#11 token's later     public  one public key with its dates
    jwk  jwt  multikey  multibase  ed25519                                  spellings, and what is refused
    rotation    how the old key vouches for the new one
"""

from node.keys.ed25519 import checked_public_key, verified
from node.keys.jwt import checked_jwk, read_jwt, read_proof, signed_jwt, thumbprint
from node.keys.public import ALGORITHM, MEANING, PURPOSES, PublicKey, Purpose
from node.keys.ring import DAY_MS, OVERLAP_MS, Keyring, encrypt, replace_lost
from node.keys.rotation import check_endorsement
from node.keys.signer import FileSigner, Signer

__all__ = [
    "ALGORITHM",
    "DAY_MS",
    "MEANING",
    "OVERLAP_MS",
    "PURPOSES",
    "FileSigner",
    "Keyring",
    "PublicKey",
    "Purpose",
    "Signer",
    "check_endorsement",
    "checked_jwk",
    "checked_public_key",
    "encrypt",
    "read_jwt",
    "read_proof",
    "replace_lost",
    "signed_jwt",
    "thumbprint",
    "verified",
]

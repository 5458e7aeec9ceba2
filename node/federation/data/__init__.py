"""Data of our own: where the bytes of datasets lie, and the door that hands them out under agreements.

Origins (files, folders, https, S3) give parts and their bytes; the door decides anew for each stream, counts what it
sends and cuts it when the right to it ends. Nothing here speaks the Dataspace Protocol: that is `transfers`.
"""

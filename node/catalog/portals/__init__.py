"""Adapters, one per kind of portal: bytes from strangers in, descriptions out.

Found by the entry point group `citynode.portals`, so a city can add its own. They reach the world only through the desk
they are lent, and an import contract keeps them from journals and databases.
"""

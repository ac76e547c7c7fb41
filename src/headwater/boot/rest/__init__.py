"""`headwater rest`: the records dialect alone, over a database in which nothing of ours is."""

from headwater.boot.rest.run import serve_records

__all__ = ["serve_records"]

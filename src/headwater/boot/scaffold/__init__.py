"""`headwater app new NAME`: a small app that works, to be changed into yours."""

from headwater.boot.scaffold.scaffold import BadName, FolderTaken, write_app

__all__ = ["BadName", "FolderTaken", "write_app"]

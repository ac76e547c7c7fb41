"""The reference pages, written from the declarations: what is declared is documented, and nothing else is."""

from headwater.boot.reference.pages import pages, write_reference

__all__ = ["pages", "write_reference"]

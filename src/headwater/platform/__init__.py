"""Capabilities with tables and endpoints; each folder is a component."""

"""Products: built on nothing but the public parts of the platform."""

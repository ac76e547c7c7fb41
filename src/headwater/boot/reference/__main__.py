"""`python -m headwater.boot.reference FOLDER` writes the pages; `make docs` runs it."""

import sys
from pathlib import Path

from headwater.boot.components import find_components
from headwater.boot.reference.pages import write_reference

write_reference(Path(sys.argv[1]), find_components())

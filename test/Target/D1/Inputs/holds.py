"""Whether one file, not empty, stands within another: holds.py FILE PART."""

import pathlib
import sys

whole, part = (pathlib.Path(path).read_bytes() for path in sys.argv[1:3])
sys.exit(None if part and part in whole else f"{sys.argv[1]} does not hold {sys.argv[2]}")

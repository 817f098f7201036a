"""``python -m toolkit`` is the same as ``kaggle2app``."""

import sys

from toolkit.cli import main

sys.exit(main())

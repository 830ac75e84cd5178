"""`python -m agents` is `afspraakbericht`."""

import sys

from .main import main

sys.exit(main())

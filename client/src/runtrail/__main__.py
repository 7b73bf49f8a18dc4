"""`python -m runtrail` is `runtrail-client`."""

import sys

from runtrail.cli import main

sys.exit(main())

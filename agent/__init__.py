"""One step of a GUI agent and the loop around it, with approval, records, reports and the command line."""

import logging

# Without a handler of the application's own, what is logged here stays quiet.
logging.getLogger(__name__).addHandler(logging.NullHandler())

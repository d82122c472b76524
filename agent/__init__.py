"""One step of a GUI agent and the loop around it, with approval, records, reports and the command line."""

import logging
import os
import sys

PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
"""How the threads of PyTorch wait for each other: asleep, because an agent shares its cores with a browser. OpenMP
reads this once, when PyTorch is loaded, so it is said here, before anything can load it."""
if "torch" not in sys.modules and not PASSIVE.keys() & os.environ.keys():
    os.environ.update(PASSIVE)

HUGE_PAGES = "THP_MEM_ALLOC_ENABLE"
"""PyTorch's own switch, read once as well: large tensors in huge pages where Linux gives them on request. A token reads
all weights and the whole cache, which is faster by about a tenth when fewer pages have to be looked up."""
os.environ.setdefault(HUGE_PAGES, "1")

# Without a handler of the application's own, what is logged here stays quiet.
logging.getLogger(__name__).addHandler(logging.NullHandler())

"""What a network has seen, and whether a run may start from it: allowed, allowed with a remark, or refused.

`trained_on` says what a network was trained on, `prints` recognises pictures by their content, `verdict` decides.
"""

from transfer.seen.prints import Prints
from transfer.seen.trained_on import TrainedOn
from transfer.seen.verdict import Subject, Verdict, judged

__all__ = ["TrainedOn", "Prints", "Subject", "Verdict", "judged"]

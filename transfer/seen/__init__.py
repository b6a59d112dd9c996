"""What a network has seen, and what follows for a run that begins with it: allowed, allowed with a remark, or refused.

`lessons` says what a network learned from, `prints` tells pictures by their content, `verdict` decides.
"""

from transfer.seen.lessons import Lesson
from transfer.seen.prints import Prints
from transfer.seen.verdict import Subject, Verdict, judged

__all__ = ["Lesson", "Prints", "Subject", "Verdict", "judged"]
